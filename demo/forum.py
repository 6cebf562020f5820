"""The forums: boards list threads, threads list posts, with the microdata that forum software emits."""

from collections import defaultdict
from html import escape

from demo.generate import BOARDS, Board, DemoPost, Thread, World
from demo.markup import (
    absolute_time,
    next_link_tag,
    page_count,
    page_items,
    relative_time,
    render_page,
    render_pager,
)

THREADS_PER_PAGE, POSTS_PER_PAGE = 20, 18  # a page
FORUM_NAMES = {"forum": "早餐论坛 Breakfast Forum", "gym": "撸铁食堂 The Gym Canteen"}
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

    def index_page(self) -> str:
        rows = "".join(
            f'<li class="card category"><h2><a href="{self._board_url(board)}">{escape(board.name)}</a></h2>'
            f'<span class="soft">{len(self._listed[number])} threads</span></li>'
            for number, board in self.boards.items()
        )
        search = f'<form action="/{self.site}/search"><input name="q" aria-label="search"> <button>搜索</button></form>'
        return render_page(
            FORUM_NAMES[self.site], f"<h1>{FORUM_NAMES[self.site]}</h1>{search}<ul>{rows}</ul>"
        )

    def board_page(self, number: int, page_number: int) -> str | None:
        """Page `at` of a board; None where there is none."""
        board = self.boards.get(number)
        if board is None or not 1 <= page_number <= (
            last := page_count(len(self._listed[number]), THREADS_PER_PAGE)
        ):
            return None
        following = (
            f"{self._board_url(board)}?page={page_number + 1}" if page_number < last else None
        )
        rows = "".join(
            _thread_row(thread, self._thread_url(thread))
            for thread in page_items(self._listed[number], page_number, THREADS_PER_PAGE)
        )
        body = (
            f'<h1>{escape(board.name)}</h1><ul class="list-group" itemscope itemtype="http://schema.org/ItemList">{rows}</ul>'
            f"{render_pager(page_number, last, following, board.language)}"
        )
        return render_page(
            f"{board.name} | {FORUM_NAMES[self.site]}",
            body,
            board.language,
            next_link_tag(following),
        )

    def thread_page(self, number: int, page_number: int) -> str | None:
        """Page `at` of a thread; None where there is none."""
        thread = self.threads.get(number)
        if thread is None or not 1 <= page_number <= (
            last := page_count(len(thread.posts), POSTS_PER_PAGE)
        ):
            return None
        url, language = self._thread_url(thread), thread.board.language
        following = f"{url}{page_number + 1}/" if page_number < last else None
        posts = "".join(
            self._post(post, url) for post in page_items(thread.posts, page_number, POSTS_PER_PAGE)
        )
        crumbs = f'<nav class="breadcrumbs"><a href="/{self.site}/">{FORUM_NAMES[self.site]}</a> › '
        crumbs += f'<a href="{self._board_url(thread.board)}">{escape(thread.board.name)}</a></nav>'
        body = f'{crumbs}<h1>{escape(thread.title)}</h1><ul class="posts-list">{posts}</ul>{render_pager(page_number, last, following, language)}'
        return render_page(
            f"{thread.title} | {thread.board.name} | {FORUM_NAMES[self.site]}",
            body,
            language,
            next_link_tag(following),
        )

    def permalink_target(self, number: int, post: int) -> str | None:
        """Where a post stands in its thread; None for a post that is not there."""
        thread = self.threads.get(number)
        place = (
            next((i for i, item in enumerate(thread.posts) if item.number == post), None)
            if thread
            else None
        )
        if thread is None or place is None:
            return None
        at = place // POSTS_PER_PAGE + 1
        return f"{self._thread_url(thread)}{f'{at}/' if at > 1 else ''}#post-{post}"

    def post_path(self, post: DemoPost) -> str:
        """The permalink of a post, without the host."""
        return f"{self._thread_url(self.threads[post.thread or 0])}post/{post.number}/"

    def _board_url(self, board: Board) -> str:
        return f"/{self.site}/c/{board.slug}/{board.number}/"

    def _thread_url(self, thread: Thread) -> str:
        return f"/{self.site}/t/{thread.slug}/{thread.number}/"

    def _post(self, post: DemoPost, thread_url: str) -> str:
        author, link = post.author, f"{thread_url}post/{post.number}/"
        hidden = "" if post.visible else " post-hidden"
        return (
            f'<li id="post-{post.number}" class="card post{hidden}" itemscope itemtype="http://schema.org/DiscussionForumPosting">\n'
            f'<div class="row post-heading"><a class="item-title" href="/{self.site}/u/user-{author.number}/{author.number}/">'
            f'<span itemprop="author">{escape(author.name)}</span></a> <a href="{link}" class="posted-on">'
            f'<time itemprop="datePublished" datetime="{post.time.isoformat()}">{absolute_time(post)}</time></a></div>\n{self._body(post)}\n</li>\n'
        )

    def _body(self, post: DemoPost) -> str:
        if not post.visible:
            return f'<div class="post-body post-body-hidden"><p>{_REMOVED[post.slot.language]}</p></div>'
        quote = _quote(post.quotes) if post.quotes else ""
        likes = f'<div class="post-footer soft">♥ {post.likes}</div>' if post.likes else ""
        article = f'<article class="misago-markup">{quote}<p>{escape(post.text)}</p></article>'
        return f'<div class="post-body" itemprop="articleBody">{article}</div>{likes}'


def _quote(post: DemoPost) -> str:
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
        f'<span class="soft">{replies} · {relative_time(thread.posts[-1].time, language)}</span></li>'
    )
