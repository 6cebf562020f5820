"""The forums of the demo web: boards of threads of posts, with the microdata of forum software."""

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

THREADS_PER_PAGE = 20
POSTS_PER_PAGE = 18
FORUM_NAMES = {"forum": "早餐论坛 Breakfast Forum", "gym": "撸铁食堂 The Gym Canteen"}
_REMOVED_NOTICES = {
    "zh": "该帖已被管理员隐藏。",
    "en": "This post is hidden. You cannot see its contents.",
}


class Forum:
    """One forum of the world: `forum` or `gym`."""

    def __init__(self, world: World, site: str) -> None:
        self.site = site
        self.boards = {board.number: board for board in BOARDS if board.site == site}
        self.threads = {
            thread.number: thread for thread in world.threads if thread.board.site == site
        }
        self._threads_by_board: dict[int, list[Thread]] = defaultdict(list)
        for thread in sorted(
            self.threads.values(), key=lambda t: (t.pinned, t.posts[-1].time), reverse=True
        ):
            self._threads_by_board[thread.board.number].append(thread)

    def index_page(self) -> str:
        """Return the page that lists the boards."""
        rows = "".join(
            f'<li class="card category"><h2><a href'
            f'="{self._board_url(board)}">{escape(board.name)}</a></h2>'
            f'<span class="soft">{len(self._threads_by_board[number])} threads</span></li>'
            for number, board in self.boards.items()
        )
        search = (
            f'<form action="/{self.site}/search"><input name="q" aria-label="search"> '
            f"<button>搜索</button></form>"
        )
        return render_page(
            FORUM_NAMES[self.site], f"<h1>{FORUM_NAMES[self.site]}</h1>{search}<ul>{rows}</ul>"
        )

    def board_page(self, number: int, page_number: int) -> str | None:
        """Return a page of a board; None for a board or page that does not exist."""
        board = self.boards.get(number)
        last = page_count(len(self._threads_by_board[number]), THREADS_PER_PAGE)
        if board is None or not 1 <= page_number <= last:
            return None
        next_url = (
            f"{self._board_url(board)}?page={page_number + 1}" if page_number < last else None
        )
        rows = "".join(
            _render_thread_row(thread, self._thread_url(thread))
            for thread in page_items(self._threads_by_board[number], page_number, THREADS_PER_PAGE)
        )
        body = (
            f'<h1>{escape(board.name)}</h1><ul class="list-group" itemscope '
            f'itemtype="http://schema.org/ItemList">{rows}</ul>'
            f"{render_pager(page_number, last, next_url, board.language)}"
        )
        return render_page(
            f"{board.name} | {FORUM_NAMES[self.site]}",
            body,
            board.language,
            next_link_tag(next_url),
        )

    def thread_page(self, number: int, page_number: int) -> str | None:
        """Return a page of a thread; None for a thread or page that does not exist."""
        thread = self.threads.get(number)
        if thread is None:
            return None
        last = page_count(len(thread.posts), POSTS_PER_PAGE)
        if not 1 <= page_number <= last:
            return None
        url = self._thread_url(thread)
        language = thread.board.language
        next_url = f"{url}{page_number + 1}/" if page_number < last else None
        rendered_posts = "".join(
            self._render_post(post, url)
            for post in page_items(thread.posts, page_number, POSTS_PER_PAGE)
        )
        crumbs = f'<nav class="breadcrumbs"><a href="/{self.site}/">{FORUM_NAMES[self.site]}</a> › '
        crumbs += f'<a href="{self._board_url(thread.board)}">{escape(thread.board.name)}</a></nav>'
        body = (
            f'{crumbs}<h1>{escape(thread.title)}</h1><ul class="posts-list">{rendered_posts}'
            f"</ul>{render_pager(page_number, last, next_url, language)}"
        )
        return render_page(
            f"{thread.title} | {thread.board.name} | {FORUM_NAMES[self.site]}",
            body,
            language,
            next_link_tag(next_url),
        )

    def permalink_target(self, number: int, post: int) -> str | None:
        """Return the address of the page with a post; None for a post that does not exist."""
        thread = self.threads.get(number)
        if thread is None:
            return None
        numbers = [item.number for item in thread.posts]
        if post not in numbers:
            return None
        index = numbers.index(post)
        page_number = index // POSTS_PER_PAGE + 1
        page_path = f"{page_number}/" if page_number > 1 else ""
        return f"{self._thread_url(thread)}{page_path}#post-{post}"

    def post_path(self, post: DemoPost) -> str:
        """Return the permalink of a post, without the host."""
        return f"{self._thread_url(self.threads[post.thread or 0])}post/{post.number}/"

    def _board_url(self, board: Board) -> str:
        return f"/{self.site}/c/{board.slug}/{board.number}/"

    def _thread_url(self, thread: Thread) -> str:
        return f"/{self.site}/t/{thread.slug}/{thread.number}/"

    def _render_post(self, post: DemoPost, thread_url: str) -> str:
        author = post.author
        link = f"{thread_url}post/{post.number}/"
        hidden = "" if post.visible else " post-hidden"
        return (
            f'<li id="post-{post.number}" class="card post{hidden}" itemscope '
            f'itemtype="http://schema.org/DiscussionForumPosting">\n'
            f'<div class="row post-heading"><a class="item-title" '
            f'href="/{self.site}/u/user-{author.number}/{author.number}/">'
            f'<span itemprop="author">{escape(author.name)}</span></a> <a href="{link}" '
            f'class="posted-on">'
            f'<time itemprop="datePublished" datetime'
            f'="{post.time.isoformat()}">{absolute_time(post)}</time></a>'
            f"</div>\n{self._render_body(post)}\n</li>\n"
        )

    def _render_body(self, post: DemoPost) -> str:
        if not post.visible:
            return (
                f'<div class="post-body post-body-hidden">'
                f"<p>{_REMOVED_NOTICES[post.slot.language]}</p></div>"
            )
        quote = _render_quote(post.quotes) if post.quotes else ""
        likes = f'<div class="post-footer soft">♥ {post.likes}</div>' if post.likes else ""
        article = f'<article class="misago-markup">{quote}<p>{escape(post.text)}</p></article>'
        return f'<div class="post-body" itemprop="articleBody">{article}</div>{likes}'


def _render_quote(post: DemoPost) -> str:
    verb = "写道：" if post.slot.language == "zh" else " has written:"
    name = escape(post.author.name)
    return (
        f'<aside class="quote-block"><div class="quote-heading">@{name}, post: '
        f"{post.number}{verb}</div>"
        f'<blockquote class="quote-body"><p>{escape(post.text[:80])}</p></blockquote></aside>'
    )


def _render_thread_row(thread: Thread, url: str) -> str:
    language = thread.board.language
    pin = (
        '<span class="flag thread-flag-pinned-globally">置顶 pinned</span> '
        if thread.pinned
        else ""
    )
    replies = f"{len(thread.posts) - 1} {'回复' if language == 'zh' else 'replies'}"
    return (
        f'<li class="card row list-group-item" itemprop="itemListElement" itemscope '
        f'itemtype="http://schema.org/ListItem">'
        f'<span>{pin}<a class="item-title" href="{url}">{escape(thread.title)}</a></span> '
        f'<span class="soft">{replies} · {relative_time(thread.posts[-1].time, language)}</span>'
        f"</li>"
    )
