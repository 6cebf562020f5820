"""The forums: boards list threads, threads list posts, with the microdata that forum software emits."""

from collections import defaultdict
from html import escape

from demo.generate import BOARDS, Board, Post, Thread, World
from demo.markup import ago, chunk, clock, next_link, page, pager, pages

THREADS, POSTS = 20, 18  # a page
NAMES = {"forum": "早餐论坛 Breakfast Forum", "gym": "撸铁食堂 The Gym Canteen"}
_REMOVED = {"zh": "该帖已被管理员隐藏。", "en": "This post is hidden. You cannot see its contents."}


class Forum:
    """One forum of the world: `forum` or `gym`."""

    def __init__(self, world: World, site: str) -> None:
        self.site = site
        self.boards = {board.number: board for board in BOARDS if board.site == site}
        self.threads = {
            thread.number: thread for thread in world.threads if thread.board.site == site
        }
        self._listed: dict[int, list[Thread]] = defaultdict(list)
        for thread in sorted(
            self.threads.values(), key=lambda t: (t.pinned, t.posts[-1].time), reverse=True
        ):
            self._listed[thread.board.number].append(thread)

    def index(self) -> str:
        rows = "".join(
            f'<li class="card category"><h2><a href="{self._board_url(board)}">{escape(board.name)}</a></h2>'
            f'<span class="soft">{len(self._listed[number])} threads</span></li>'
            for number, board in self.boards.items()
        )
        search = f'<form action="/{self.site}/search"><input name="q" aria-label="search"> <button>搜索</button></form>'
        return page(NAMES[self.site], f"<h1>{NAMES[self.site]}</h1>{search}<ul>{rows}</ul>")

    def board(self, number: int, at: int) -> str | None:
        """Page `at` of a board; None where there is none."""
        board = self.boards.get(number)
        if board is None or not 1 <= at <= (last := pages(len(self._listed[number]), THREADS)):
            return None
        following = f"{self._board_url(board)}?page={at + 1}" if at < last else None
        rows = "".join(
            _thread_row(thread, self._thread_url(thread))
            for thread in chunk(self._listed[number], at, THREADS)
        )
        body = (
            f'<h1>{escape(board.name)}</h1><ul class="list-group" itemscope itemtype="http://schema.org/ItemList">{rows}</ul>'
            f"{pager(at, last, following, board.language)}"
        )
        return page(
            f"{board.name} | {NAMES[self.site]}", body, board.language, next_link(following)
        )

    def thread(self, number: int, at: int) -> str | None:
        """Page `at` of a thread; None where there is none."""
        thread = self.threads.get(number)
        if thread is None or not 1 <= at <= (last := pages(len(thread.posts), POSTS)):
            return None
        url, language = self._thread_url(thread), thread.board.language
        following = f"{url}{at + 1}/" if at < last else None
        posts = "".join(self._post(post, url) for post in chunk(thread.posts, at, POSTS))
        crumbs = f'<nav class="breadcrumbs"><a href="/{self.site}/">{NAMES[self.site]}</a> › '
        crumbs += f'<a href="{self._board_url(thread.board)}">{escape(thread.board.name)}</a></nav>'
        body = f'{crumbs}<h1>{escape(thread.title)}</h1><ul class="posts-list">{posts}</ul>{pager(at, last, following, language)}'
        return page(
            f"{thread.title} | {thread.board.name} | {NAMES[self.site]}",
            body,
            language,
            next_link(following),
        )

    def permalink(self, number: int, post: int) -> str | None:
        """Where a post stands in its thread; None for a post that is not there."""
        thread = self.threads.get(number)
        place = (
            next((i for i, item in enumerate(thread.posts) if item.number == post), None)
            if thread
            else None
        )
        if thread is None or place is None:
            return None
        at = place // POSTS + 1
        return f"{self._thread_url(thread)}{f'{at}/' if at > 1 else ''}#post-{post}"

    def url(self, post: Post) -> str:
        """The permalink of a post, without the host."""
        return f"{self._thread_url(self.threads[post.thread or 0])}post/{post.number}/"

    def _board_url(self, board: Board) -> str:
        return f"/{self.site}/c/{board.slug}/{board.number}/"

    def _thread_url(self, thread: Thread) -> str:
        return f"/{self.site}/t/{thread.slug}/{thread.number}/"

    def _post(self, post: Post, thread_url: str) -> str:
        author, link = post.author, f"{thread_url}post/{post.number}/"
        hidden = "" if post.visible else " post-hidden"
        return (
            f'<li id="post-{post.number}" class="card post{hidden}" itemscope itemtype="http://schema.org/DiscussionForumPosting">\n'
            f'<div class="row post-heading"><a class="item-title" href="/{self.site}/u/user-{author.number}/{author.number}/">'
            f'<span itemprop="author">{escape(author.name)}</span></a> <a href="{link}" class="posted-on">'
            f'<time itemprop="datePublished" datetime="{post.time.isoformat()}">{clock(post)}</time></a></div>\n{self._body(post)}\n</li>\n'
        )

    def _body(self, post: Post) -> str:
        if not post.visible:
            return f'<div class="post-body post-body-hidden"><p>{_REMOVED[post.slot.language]}</p></div>'
        quote = _quote(post.quotes) if post.quotes else ""
        likes = f'<div class="post-footer soft">♥ {post.likes}</div>' if post.likes else ""
        article = f'<article class="misago-markup">{quote}<p>{escape(post.text)}</p></article>'
        return f'<div class="post-body" itemprop="articleBody">{article}</div>{likes}'


def _quote(post: Post) -> str:
    said = "写道：" if post.slot.language == "zh" else " has written:"
    name = escape(post.author.name)
    return (
        f'<aside class="quote-block"><div class="quote-heading">@{name}, post: {post.number}{said}</div>'
        f'<blockquote class="quote-body"><p>{escape(post.text[:80])}</p></blockquote></aside>'
    )


def _thread_row(thread: Thread, url: str) -> str:
    language = thread.board.language
    pin = (
        '<span class="flag thread-flag-pinned-globally">置顶 pinned</span> '
        if thread.pinned
        else ""
    )
    replies = f"{len(thread.posts) - 1} {'回复' if language == 'zh' else 'replies'}"
    return (
        f'<li class="card row list-group-item" itemprop="itemListElement" itemscope itemtype="http://schema.org/ListItem">'
        f'<span>{pin}<a class="item-title" href="{url}">{escape(thread.title)}</a></span> '
        f'<span class="soft">{replies} · {ago(thread.posts[-1].time, language)}</span></li>'
    )
