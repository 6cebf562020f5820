"""The whole content of the demo web from one seed: the same seed gives the same bytes."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from demo.catalog import Product
from demo.schedule import Account, PostSlot, schedule_posts
from demo.write import PostWriter

SEED = 20260309
REMOVED_POSTS = 4  # posts of the forum that a moderator took away
NEW_THREAD_PROBABILITY = {"forum": 0.17, "gym": 0.24}
PINNED_REPLY_SHARE = 0.18  # share of the replies on its board that the pinned thread draws
MAX_THREAD_POSTS, MAX_IDLE_DAYS = (
    44,
    12,
)  # a thread falls asleep after so many posts, or days without one
QUOTE_PROBABILITY = 0.22  # share of the replies that quote
REPOST_PROBABILITY, MAX_REPOST_DAYS = 0.13, 4
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
    """A part of a forum."""

    number: int
    site: str
    slug: str
    name: str
    language: str
    topic: str  # breakfast, snacks, parents, fitness


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

    number: int  # the site's own id
    slot: PostSlot
    text: str
    title: str | None = None
    thread: int | None = None
    quotes: "DemoPost | None" = None
    reposts_of: "DemoPost | None" = None  # the root of a chain of reposts
    reposted_via: "DemoPost | None" = None  # the repost that was reposted
    rating: int | None = None  # stars, 1 to 5
    likes: int | None = None
    replies: int | None = None
    reposts: int | None = None
    place: str | None = None
    visible: bool = True

    @property
    def author(self) -> Account:
        return self.slot.author

    @property
    def time(self) -> datetime:
        return self.slot.time

    @property
    def opinions(self) -> dict[str, str]:
        """What the post thinks of each brand in it; nothing for planted themes that are not about liking."""
        slot = self.slot
        if slot.theme not in (None, "versus", "crisis", "loud", "ad"):
            return {}
        rival = {slot.rival.brand: OPPOSITE_FEELING[slot.feeling]} if slot.rival else {}
        return {slot.product.brand: slot.feeling, **rival}


@dataclass(kw_only=True)
class Thread:
    """A discussion of a forum."""

    number: int
    board: Board
    title: str
    product: Product
    pinned: bool
    posts: list[DemoPost] = field(default_factory=list)

    @property
    def slug(self) -> str:
        return "-".join(self.product.en.lower().split())


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that the demo web serves, each list in order of time."""

    posts: tuple[DemoPost, ...]
    threads: tuple[Thread, ...]

    def posts_on(self, site: str) -> list[DemoPost]:
        return [post for post in self.posts if post.slot.site == site]


def generate_world(seed: int = SEED) -> World:
    """The ten weeks of posts that `seed` stands for."""
    rng = random.Random(seed)
    slots = schedule_posts(rng)
    forums = [_Forum(random.Random(f"{seed} {site}"), site) for site in ("forum", "gym")]
    for forum in forums:
        forum.fill([slot for slot in slots if slot.site == forum.site])
    statuses = _Microblog(random.Random(f"{seed} microblog")).fill(
        [slot for slot in slots if slot.site == "microblog"]
    )
    reviews = _reviews(
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


class _Forum:
    """Puts slots into threads of boards, one after another as time goes on."""

    def __init__(self, rng: random.Random, site: str) -> None:
        self.rng, self.site, self.writer = rng, site, PostWriter(rng)
        self.threads: list[Thread] = []
        self._number = 1000

    def fill(self, slots: Sequence[PostSlot]) -> None:
        """Make the threads of all `slots`, which come in order of time."""
        for slot in slots:
            board = self._board(slot)
            thread = self._thread(slot, board)
            if thread is None:
                self._open(slot, board)
            else:
                self._answer(slot, thread)
        if self.site == "forum":
            self._remove(REMOVED_POSTS)

    def _thread(self, slot: PostSlot, board: Board) -> Thread | None:
        """The thread that the slot answers in; None when it opens one."""
        awake = [
            thread
            for thread in self.threads
            if thread.board == board and (thread.pinned or self._awake(thread, slot.time))
        ]
        if not awake or self.rng.random() < NEW_THREAD_PROBABILITY[self.site] * (
            2 if slot.theme in ("folate", "crisis") else 1
        ):
            return None
        if awake[0].pinned and self.rng.random() < PINNED_REPLY_SHARE:
            return awake[0]
        same = [
            thread
            for thread in awake
            if thread.product.brand == slot.product.brand and not thread.pinned
        ]
        return self.rng.choice(same if same and self.rng.random() < 0.8 else awake)

    def _awake(self, thread: Thread, now: datetime) -> bool:
        return len(thread.posts) < MAX_THREAD_POSTS and now - thread.posts[-1].time < timedelta(
            days=MAX_IDLE_DAYS
        )

    def _board(self, slot: PostSlot) -> Board:
        boards = [
            board for board in BOARDS if board.site == self.site and board.language == slot.language
        ]
        parental = slot.theme in ("folate", "pregnant") and self.rng.random() < 0.7
        wanted = (
            "parents"
            if parental or self.rng.random() < 0.1
            else "snacks"
            if slot.product.kind == "biscuit"
            else "breakfast"
        )
        return next((board for board in boards if board.topic == wanted), boards[0])

    def _open(self, slot: PostSlot, board: Board) -> None:
        """Open a thread; the first one on the first board of the forum is pinned."""
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
        thread.posts.append(self._post(slot, thread, "opening"))

    def _answer(self, slot: PostSlot, thread: Thread) -> None:
        quotes = self.rng.choice(thread.posts) if self.rng.random() < QUOTE_PROBABILITY else None
        thread.posts.append(replace(self._post(slot, thread, "reply"), quotes=quotes))

    def _remove(self, count: int) -> None:
        """Hide some replies that nobody quotes: a quotation would show them again."""
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

    def _post(self, slot: PostSlot, thread: Thread, role: str) -> DemoPost:
        self._number += self.rng.choice((1, 1, 1, 2, 3))
        return DemoPost(
            number=self._number,
            slot=slot,
            text=self.writer.write_text(slot, role),
            title=thread.title if role == "opening" else None,
            thread=thread.number,
            likes=int(self.rng.expovariate(0.5)),
        )


class _Microblog:
    """Statuses and their reposts."""

    EPOCH = datetime.fromisoformat(
        "1986-05-03T00:00:00+08:00"
    )  # ids of 16 digits that grow with time

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.writer = rng, PostWriter(rng)
        self._posts: list[DemoPost] = []

    def fill(self, slots: Sequence[PostSlot]) -> list[DemoPost]:
        for slot in slots:
            origin = self._origin(slot)
            self._posts.append(self._repost(slot, origin) if origin else self._status(slot))
        return self._posts

    def _origin(self, slot: PostSlot) -> DemoPost | None:
        """The post to repost, if this slot is a repost: recent, of the same language, about the same brand."""
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

    def _status(self, slot: PostSlot) -> DemoPost:
        text = self.writer.write_text(slot, "status")
        heat = self.rng.lognormvariate(1.2, 1.6) * (60 if slot.author.verified else 1)
        return DemoPost(
            number=self._id(slot.time),
            slot=slot,
            text=text,
            likes=_shown(heat * 6),
            replies=_shown(heat),
            reposts=_shown(heat * 0.7),
            place=self._place(slot),
        )

    def _repost(self, slot: PostSlot, origin: DemoPost) -> DemoPost:
        text = self.writer.write_text(slot, "repost")
        return DemoPost(
            number=self._id(slot.time),
            slot=slot,
            text=text,
            reposts_of=origin.reposts_of or origin,
            reposted_via=origin if origin.reposts_of else None,
            likes=int(self.rng.expovariate(0.4)),
            replies=int(self.rng.expovariate(1)),
            reposts=int(self.rng.expovariate(2)),
            place=self._place(slot),
        )

    def _id(self, time: datetime) -> int:
        return int((time - self.EPOCH).total_seconds()) * 2**22 + self.rng.randrange(2**22)

    def _place(self, slot: PostSlot) -> str | None:
        if self.rng.random() < 0.15:
            return None
        return (
            "海外" if slot.language == "en" and self.rng.random() < 0.6 else self.rng.choice(PLACES)
        )


def _shown(count: float) -> int:
    """A count that the site can show exactly: from ten thousand on it writes `1.2万`."""
    return round(count / 1000) * 1000 if count >= 10_000 else int(count)


def _reviews(rng: random.Random, slots: Sequence[PostSlot]) -> list[DemoPost]:
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
