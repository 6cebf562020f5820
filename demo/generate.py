"""Generation of all content of the demo web from a seed: the same seed gives the same bytes."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from demo.catalog import Product
from demo.schedule import Account, PostSlot, schedule_posts
from demo.write import PostWriter

SEED = 20260309
REMOVED_POSTS = 4  # in the forum, by a moderator
NEW_THREAD_PROBABILITY = {"forum": 0.17, "gym": 0.24}
PINNED_REPLY_SHARE = 0.18  # of the replies on its board
# A thread gets no more replies after so many posts, or days without one.
MAX_THREAD_POSTS = 44
MAX_IDLE_DAYS = 12
QUOTE_PROBABILITY = 0.22  # of a reply
REPOST_PROBABILITY = 0.13
MAX_REPOST_DAYS = 4
PLACES = (
    "广东",
    "北京",
    "上海",
    "浙江",
    "四川",
    "江苏",
    "湖北",
    "山东",
    "福建",
    "湖南",
    "陕西",
    "辽宁",
    "重庆",
    "云南",
    "海外",
)
OPPOSITE_FEELING = {"positive": "negative", "negative": "positive", "neutral": "neutral"}


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board of a forum."""

    number: int
    site: str
    slug: str
    name: str
    language: str
    # breakfast, snacks, parents or fitness
    topic: str


BOARDS = tuple(
    Board(number=number, site=site, slug=slug, name=name, language=language, topic=topic)
    for number, site, slug, name, language, topic in (
        (1, "forum", "zaocan", "早餐吃什么", "zh", "breakfast"),
        (2, "forum", "lingshi", "零食柜", "zh", "snacks"),
        (3, "forum", "bama", "爸妈茶话会", "zh", "parents"),
        (4, "forum", "breakfast-table", "Breakfast table", "en", "breakfast"),
        (5, "forum", "biscuit-tin", "Biscuit tin", "en", "snacks"),
        (6, "forum", "parents-corner", "Parents' corner", "en", "parents"),
        (1, "gym", "jianzhi", "减脂餐记录", "zh", "fitness"),
        (2, "gym", "macros", "Macros and meals", "en", "fitness"),
    )
)


@dataclass(frozen=True, kw_only=True)
class DemoPost:
    """One post of any site, as its author wrote it."""

    # The site's own id.
    number: int
    slot: PostSlot
    text: str
    title: str | None = None
    thread: int | None = None
    quotes: "DemoPost | None" = None
    # The first post of a chain of reposts.
    reposts_of: "DemoPost | None" = None
    # The repost that was reposted.
    reposted_via: "DemoPost | None" = None
    # Stars, 1 to 5.
    rating: int | None = None
    likes: int | None = None
    replies: int | None = None
    reposts: int | None = None
    place: str | None = None
    visible: bool = True

    @property
    def author(self) -> Account:
        """Return the author's account."""
        return self.slot.author

    @property
    def time(self) -> datetime:
        """Return the time of publication."""
        return self.slot.time

    @property
    def opinions(self) -> dict[str, str]:
        """Return the sentiment about each brand; none for planted themes without sentiment."""
        slot = self.slot
        if slot.theme not in (None, "versus", "crisis", "loud", "ad"):
            return {}
        rival = {slot.rival.brand: OPPOSITE_FEELING[slot.feeling]} if slot.rival else {}
        return {slot.product.brand: slot.feeling, **rival}


@dataclass(kw_only=True)
class Thread:
    """A thread of a forum."""

    number: int
    board: Board
    title: str
    product: Product
    pinned: bool
    posts: list[DemoPost] = field(default_factory=list)

    @property
    def slug(self) -> str:
        """Return the name of the thread in its address."""
        return "-".join(self.product.en.lower().split())


@dataclass(frozen=True, kw_only=True)
class World:
    """All content of the demo web; posts in order of time."""

    posts: tuple[DemoPost, ...]
    threads: tuple[Thread, ...]

    def posts_on(self, site: str) -> list[DemoPost]:
        """Return the posts of one site in order of time."""
        return [post for post in self.posts if post.slot.site == site]


def generate_world(seed: int = SEED) -> World:
    """Generate ten weeks of posts from a seed."""
    rng = random.Random(seed)
    slots = schedule_posts(rng)
    forums = [_ForumGenerator(random.Random(f"{seed} {site}"), site) for site in ("forum", "gym")]
    for forum in forums:
        forum.write_posts([slot for slot in slots if slot.site == forum.site])
    statuses = _MicroblogGenerator(random.Random(f"{seed} microblog")).write_posts(
        [slot for slot in slots if slot.site == "microblog"]
    )
    reviews = _generate_reviews(
        random.Random(f"{seed} shop"), [slot for slot in slots if slot.site == "shop"]
    )
    posts = [
        *(post for forum in forums for thread in forum.threads for post in thread.posts),
        *statuses,
        *reviews,
    ]
    return World(
        posts=tuple(sorted(posts, key=lambda post: (post.time, post.slot.site, post.number))),
        threads=tuple(thread for forum in forums for thread in forum.threads),
    )


class _ForumGenerator:
    """Writes the posts of a forum and puts them into threads, in order of time."""

    def __init__(self, rng: random.Random, site: str) -> None:
        self.rng = rng
        self.site = site
        self.writer = PostWriter(rng)
        self.threads: list[Thread] = []
        self._last_number = 1000

    def write_posts(self, slots: Sequence[PostSlot]) -> None:
        """Write the posts of all slots, which are in order of time."""
        for slot in slots:
            board = self._pick_board(slot)
            thread = self._pick_thread(slot, board)
            if thread is None:
                self._open_thread(slot, board)
            else:
                self._add_reply(slot, thread)
        if self.site == "forum":
            self._hide_replies(REMOVED_POSTS)

    def _pick_thread(self, slot: PostSlot, board: Board) -> Thread | None:
        """Return the thread that a post replies in; None when it opens one."""
        awake_threads = [
            thread
            for thread in self.threads
            if thread.board == board and (thread.pinned or self._is_awake(thread, slot.time))
        ]
        probability = NEW_THREAD_PROBABILITY[self.site]
        if slot.theme in ("folate", "crisis"):
            probability *= 2
        if not awake_threads or self.rng.random() < probability:
            return None
        if awake_threads[0].pinned and self.rng.random() < PINNED_REPLY_SHARE:
            return awake_threads[0]
        same_brand = [
            thread
            for thread in awake_threads
            if thread.product.brand == slot.product.brand and not thread.pinned
        ]
        return self.rng.choice(
            same_brand if same_brand and self.rng.random() < 0.8 else awake_threads
        )

    def _is_awake(self, thread: Thread, now: datetime) -> bool:
        return len(thread.posts) < MAX_THREAD_POSTS and now - thread.posts[-1].time < timedelta(
            days=MAX_IDLE_DAYS
        )

    def _pick_board(self, slot: PostSlot) -> Board:
        boards = [
            board for board in BOARDS if board.site == self.site and board.language == slot.language
        ]
        parental = slot.theme in ("folate", "pregnant") and self.rng.random() < 0.7
        if parental or self.rng.random() < 0.1:
            topic = "parents"
        elif slot.product.kind == "biscuit":
            topic = "snacks"
        else:
            topic = "breakfast"
        return next((board for board in boards if board.topic == topic), boards[0])

    def _open_thread(self, slot: PostSlot, board: Board) -> None:
        """Open a thread; the first one on the forum's first board is pinned."""
        pinned = (
            self.site == "forum"
            and board.number == 1
            and all(thread.board != board for thread in self.threads)
        )
        title = self.writer.write_title(slot)
        thread = Thread(
            number=len(self.threads) + 1,
            board=board,
            title=f"每周早餐打卡楼：{title}" if pinned else title,
            product=slot.product,
            pinned=pinned,
        )
        self.threads.append(thread)
        thread.posts.append(self._write_post(slot, thread, "opening"))

    def _add_reply(self, slot: PostSlot, thread: Thread) -> None:
        quotes = self.rng.choice(thread.posts) if self.rng.random() < QUOTE_PROBABILITY else None
        thread.posts.append(replace(self._write_post(slot, thread, "reply"), quotes=quotes))

    def _hide_replies(self, count: int) -> None:
        """Hide some replies that nobody quotes, because a quotation would show them again."""
        posts = [post for thread in self.threads for post in thread.posts]
        quoted = {post.quotes.number for post in posts if post.quotes}
        removable = [
            post
            for post in posts
            if post.title is None and post.slot.theme is None and post.number not in quoted
        ]
        hidden = {post.number for post in self.rng.sample(removable, count)}
        for thread in self.threads:
            thread.posts = [
                replace(post, visible=post.number not in hidden) for post in thread.posts
            ]

    def _write_post(self, slot: PostSlot, thread: Thread, role: str) -> DemoPost:
        self._last_number += self.rng.choice((1, 1, 1, 2, 3))
        return DemoPost(
            number=self._last_number,
            slot=slot,
            text=self.writer.write_text(slot, role),
            title=thread.title if role == "opening" else None,
            thread=thread.number,
            likes=int(self.rng.expovariate(0.5)),
        )


class _MicroblogGenerator:
    """Writes the statuses and reposts of the microblog."""

    # Gives ids of 16 digits that grow with time.
    ID_EPOCH = datetime.fromisoformat("1986-05-03T00:00:00+08:00")

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.writer = PostWriter(rng)
        self._posts: list[DemoPost] = []

    def write_posts(self, slots: Sequence[PostSlot]) -> list[DemoPost]:
        """Return the posts of all slots, which are in order of time."""
        for slot in slots:
            origin = self._pick_reposted(slot)
            self._posts.append(
                self._write_repost(slot, origin) if origin else self._write_status(slot)
            )
        return self._posts

    def _pick_reposted(self, slot: PostSlot) -> DemoPost | None:
        """Return a recent post to repost, of the same language and brand, or None."""
        if slot.theme is not None or self.rng.random() > REPOST_PROBABILITY:
            return None
        recent = [
            post
            for post in self._posts
            if slot.time - post.time < timedelta(days=MAX_REPOST_DAYS)
            and post.slot.theme in (None, "crisis")
            and (post.slot.language, post.slot.product.brand) == (slot.language, slot.product.brand)
        ]
        return self.rng.choice(recent) if recent else None

    def _write_status(self, slot: PostSlot) -> DemoPost:
        text = self.writer.write_text(slot, "status")
        heat = self.rng.lognormvariate(1.2, 1.6) * (60 if slot.author.verified else 1)
        return DemoPost(
            number=self._make_id(slot.time),
            slot=slot,
            text=text,
            likes=_round_count(heat * 6),
            replies=_round_count(heat),
            reposts=_round_count(heat * 0.7),
            place=self._pick_place(slot),
        )

    def _write_repost(self, slot: PostSlot, origin: DemoPost) -> DemoPost:
        text = self.writer.write_text(slot, "repost")
        return DemoPost(
            number=self._make_id(slot.time),
            slot=slot,
            text=text,
            reposts_of=origin.reposts_of or origin,
            reposted_via=origin if origin.reposts_of else None,
            likes=int(self.rng.expovariate(0.4)),
            replies=int(self.rng.expovariate(1)),
            reposts=int(self.rng.expovariate(2)),
            place=self._pick_place(slot),
        )

    def _make_id(self, time: datetime) -> int:
        return int((time - self.ID_EPOCH).total_seconds()) * 2**22 + self.rng.randrange(2**22)

    def _pick_place(self, slot: PostSlot) -> str | None:
        if self.rng.random() < 0.15:
            return None
        if slot.language == "en" and self.rng.random() < 0.6:
            return "海外"
        return self.rng.choice(PLACES)


def _round_count(count: float) -> int:
    """Round a count to one that the site shows exactly: from 10,000 on it writes `1.2万`."""
    return round(count / 1000) * 1000 if count >= 10_000 else int(count)


def _generate_reviews(rng: random.Random, slots: Sequence[PostSlot]) -> list[DemoPost]:
    writer = PostWriter(rng)
    stars = {"positive": (5, 5, 5, 4), "neutral": (3, 3, 4), "negative": (1, 1, 2, 2)}
    return [
        DemoPost(
            number=70_000 + 3 * i,
            slot=slot,
            text=writer.write_text(slot, "review"),
            title=writer.write_title(slot) if rng.random() < 0.2 else None,
            rating=rng.choice(stars[slot.feeling]),
        )
        for i, slot in enumerate(slots)
    ]
