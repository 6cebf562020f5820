"""Readable posts are kept and stubs are dropped, in the markup of every forum software."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import html

from crawlers.parse import PARSERS
from crawlers.parse.markup import select_css
from crawlers.parse.page import NESTING_PROBLEM, Page, ParsedPage, SourceInfo
from crawlers.parse.stubs import is_forum_stub, is_microblog_stub

NOW = datetime(2026, 3, 12, 2, 30, 15, tzinfo=UTC)
SITE = SourceInfo("s", "forum", "Asia/Shanghai", "run", lambda source, native: f"hash of {native}")
DATE = "2026-03-02T12:30:00+08:00"


def parse_body(
    reader: str, body: str, url: str = "https://x.example/a", **context: Any
) -> ParsedPage:
    kind = "application/json" if body.startswith("{") else "text/html; charset=utf-8"
    return PARSERS[reader](
        Page(url, body.encode(), NOW, kind),
        SITE,
        {"role": "thread", "query": url, "thread": "7", **context},
    )


def post_texts(parsed: ParsedPage) -> list[str]:
    return [post.text for post in parsed.posts]


def drop_reasons(parsed: ParsedPage) -> list[str]:
    return [dropped.reason for dropped in parsed.dropped]


def discuz_page(*bodies: str) -> str:
    posts = (
        f'<div id="post_{i}"><table id="pid{i}"><tr><td><div class="authi"><a '
        f'href="space-uid-{i}.html">u</a></div>'
        f'<em id="authorposton{i}">发表于 2026-3-2 10:05</em><table><tr><td class="t_f" '
        f'id="postmessage_{i}">{body}</td></tr></table>'
        "</td></tr></table></div>"
        for i, body in enumerate(bodies, 101)
    )
    return f'<span id="thread_subject">早餐</span><div id="postlist">{"".join(posts)}</div>'


def schema_posts(*bodies: str, first: int = 31, id: str = "post-{}") -> str:
    return "".join(
        f'<div itemscope itemtype="http://schema.org/DiscussionForumPosting" id="{id.format(i)}">'
        f'<time itemprop="datePublished" datetime="{DATE}"></time><div itemprop="text">{body}'
        f"</div></div>"
        for i, body in enumerate(bodies, first)
    )


def xenforo_page(body: str, notice: str = "", classes: str = "") -> str:
    return (
        f'<h1 class="p-title-value">M</h1><article class="message message--post {classes}" '
        f'data-content="post-9" id="js-post-9">'
        f'<a class="username" href="/members/j.1/">j</a><time class="u-dt" datetime="{DATE}">x'
        f"</time>{notice}{body}</article>"
    )


def vbulletin_page(body: str) -> str:
    return (
        f'<ol><li class="postcontainer" id="post_502"><span class="date">2026-03-02 12:30</span>'
        f'<div id="post_message_502">'
        f'<blockquote class="postcontent restore">{body}</blockquote></div></li></ol>'
    )


LOCKED = '<div class="locked">游客，如果您要查看本帖隐藏内容请<a href="#">回复</a></div>'


def test_only_the_locked_part_of_a_post_is_left_out() -> None:
    parsed = parse_body(
        "forum",
        discuz_page(
            f"喝了一周。{LOCKED}总体推荐", f"{LOCKED}客服不理人", "本帖已被删除过一次，我再发一遍"
        ),
    )
    assert post_texts(parsed) == [
        "喝了一周。总体推荐",
        "客服不理人",
        "本帖已被删除过一次，我再发一遍",
    ]
    assert not parsed.dropped


def test_a_post_of_which_all_is_locked_is_hidden_and_its_thread_keeps_the_title() -> None:
    parsed = parse_body(
        "forum",
        discuz_page(
            LOCKED, LOCKED, '<div class="locked">提示: <em>作者被禁止或删除 内容自动屏蔽</em></div>'
        ),
    )
    assert post_texts(parsed) == ["早餐"]
    assert drop_reasons(parsed) == ["hidden from guests", "removed by the site"]


@pytest.mark.parametrize("kind", ["warning", "moderated", "highlighted", "deleted"])
def test_a_post_below_a_notice_is_read_while_its_text_is_there(kind: str) -> None:
    notice = f'<div class="messageNotice messageNotice--{kind}">This is a notice</div>'
    assert post_texts(
        parse_body(
            "forum",
            xenforo_page(
                '<div class="message-body"><div class="bbWrapper">Awful oats</div></div>', notice
            ),
        )
    ) == ["Awful oats"]


def test_a_deleted_post_is_dropped() -> None:
    notice = '<div class="messageNotice messageNotice--deleted">This message has been removed</div>'
    assert drop_reasons(parse_body("forum", xenforo_page("", notice, "message--deleted"))) == [
        "removed by the site"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "This post has been removed from the shelf in our shop",
        "该帖子被删除了好可惜",
        "[deleted] my account last week",
        "内容已删除了吗?",
        "本帖已被公关删除过一次",
        "The message deleted itself",
        "该楼层被屏蔽的原因是什么",
    ],
)
def test_a_post_about_deletion_is_kept(text: str) -> None:
    assert post_texts(parse_body("forum", schema_posts(text))) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "[deleted]",
        "[removed]",
        "This post has been deleted.",
        "This post is deleted!",
        "(post deleted by author)",
        "This post is hidden. You cannot see its contents.",
        "This message has been removed from public view.",
        "提示: 作者被禁止或删除 内容自动屏蔽",
        "提示: 该帖被管理员或版主屏蔽",
        "该帖已被管理员删除",
        "此樓層已被刪除",
        "内容已删除",
        "该评论已被作者删除。",
    ],
)
def test_a_stub_is_dropped(text: str) -> None:
    assert is_forum_stub(text)
    assert drop_reasons(parse_body("forum", schema_posts(text))) == ["removed by the site"]


def test_a_quotation_of_a_removed_post_removes_nothing() -> None:
    assert post_texts(
        parse_body("forum", schema_posts("<blockquote>[deleted]</blockquote>Why?"))
    ) == ["Why?"]


@pytest.mark.parametrize(
    "quotation",
    [
        '<div class="bbcode_container"><div class="bbcode_quote"><div class="quote_container">'
        '<div class="bbcode_postedby">'
        'Originally Posted by <strong>u7</strong></div><div class="message">Good</div></div>'
        "</div></div>",
        '<div style="margin:20px"><div class="smallfont">Quote:</div><table><tr><td '
        'class="alt2"><div>Originally Posted by '
        "<strong>u7</strong></div><div>Good</div></td></tr></table></div>",
        '<blockquote class="mycode_quote"><cite>u7 Wrote:</cite>Good</blockquote>',
        '<div class="quoteheader">Quote from: u7</div><blockquote '
        'class="bbc_standard_quote">Good</blockquote>'
        '<div class="quotefooter"></div>',
        "<blockquote><div><cite>u7 wrote:</cite><blockquote>Inner</blockquote>Good</div>"
        "</blockquote>",
        '<div class="quote"><blockquote>u7 发表于 2026-3-2<br>Good</blockquote></div>',
        '<div class="bbCodeBlock bbCodeBlock--quote"><div>u7 said:</div><blockquote>Good'
        "</blockquote></div>",
        '<p><a href="/u/u7">@u7</a> said in <a href="/t/1">Oats</a>:</p><blockquote><p>Good</p>'
        "</blockquote>",
    ],
)
@pytest.mark.parametrize("page", [vbulletin_page, schema_posts])
def test_quotations_are_not_the_authors_words(page: Any, quotation: str) -> None:
    assert post_texts(parse_body("forum", page(f"{quotation}No it is not"))) == ["No it is not"]


@pytest.mark.parametrize(
    "noise",
    [
        '<span style="display:none">x7 K2</span>',
        '<span style="color: red; DISPLAY : None !important">x7 K2</span>',
        '<span style="visibility:hidden">x7</span>',
        '<font style="font-size:0px">x7</font>',
        '<font style="opacity: 0">x7</font>',
        '<font class="jammer">x7</font>',
        "<span hidden>x7</span>",
        '<span aria-hidden="true">x7</span>',
        '<span class="visually-hidden">x7</span>',
        '<span class="sr-only">x7</span>',
        '<span style="display:/**/none">x7</span>',
        '<span style="position:absolute; left:-9999px">x7</span>',
        '<span style="text-indent:-999em">x7</span>',
        '<span style="width:0;height:0;overflow:hidden">x7</span>',
        '<span style="position:absolute;clip:rect(0 0 0 0)">x7</span>',
        '<span style="font:0/0 a">x7</span>',
        '<span style="color:transparent">x7</span>',
    ],
)
def test_what_no_reader_sees_is_no_text(noise: str) -> None:
    assert post_texts(parse_body("forum", discuz_page(f"太甜了{noise}<br>不推荐"))) == [
        "太甜了\n不推荐"
    ]


@pytest.mark.parametrize(
    "shown",
    [
        '<div class="bbCodeSpoiler-content" hidden>内幕</div>',
        '<div class="spoiler"><div style="display:none">内幕</div></div>',
        "<details><summary></summary><div>内幕</div></details>",
        '<button onclick="x()">展开</button><div style="display:none">内幕</div>',
        '<div class="read-more-content" style="display:none">内幕</div>',
        '<span style="font-size:0.9em">内幕</span>',
        '<span style="opacity:0.5">内幕</span>',
        '<span style="display:none;display:inline">内幕</span>',
        '<span style="position:relative;left:-2px">内幕</span>',
        '<span style="text-indent:-20px">内幕</span>',
        '<span style="overflow:hidden;width:100%">内幕</span>',
        '<span style="font:0.9em/1 serif">内幕</span>',
        '<span aria-hidden="false">内幕</span>',
    ],
)
def test_what_a_click_opens_is_text(shown: str) -> None:
    assert post_texts(parse_body("forum", discuz_page(f"太甜了{shown}"))) in (
        ["太甜了\n内幕"],
        ["太甜了内幕"],
    )


def test_an_emoji_hidden_from_screen_readers_alone_is_text() -> None:
    assert post_texts(parse_body("forum", discuz_page('好<span aria-hidden="true">😀</span>'))) == [
        "好😀"
    ]


@pytest.mark.parametrize(
    "nest",
    [
        "<b>" * 300,
        "<div>" * 100_000,
        "<div><p><b>" * 3_000,
        '<div class="a">' * 400,
        '<font color="red"><b>' * 250,
    ],
)
def test_a_post_is_read_below_any_number_of_elements(nest: str) -> None:
    parsed = parse_body("forum", nest + schema_posts("deep", "<i>deeper"))
    assert post_texts(parsed) == ["deep", "deeper"]
    assert not parsed.problems


@pytest.mark.parametrize(
    ("reader", "role"), [("forum", "thread"), ("forum", "board"), ("reviews", "start")]
)
def test_what_nests_too_deeply_to_be_read_is_told(reader: str, role: str) -> None:
    assert parse_body(
        reader, '<div class="a">' * 5_000 + schema_posts("deep"), role=role
    ).problems == [NESTING_PROBLEM]


def parsed_ids_of_pages(thread: str, *pages: str) -> list[str]:
    ids: list[str] = []
    context: dict[str, Any] = {"thread": thread}
    for number, page in enumerate(pages, 1):
        pager = f'<link rel="next" href="/t/{thread}?page={number + 1}">'
        parsed = parse_body(
            "forum", page + pager, f"https://x.example/t/{thread}?page={number}", **context
        )
        ids += [post.id for post in parsed.posts]
        assert {post.parent for post in parsed.posts} <= {None, ids[0]}
        context = dict(parsed.links[0].context)
    return ids


def test_posts_numbered_anew_in_each_thread_have_ids_of_their_own() -> None:
    first, second = schema_posts("a", "b", first=1), schema_posts("c", "d", first=3)
    assert parsed_ids_of_pages("7", first, second) == ["s:7-1", "s:7-2", "s:7-3", "s:7-4"]
    assert parsed_ids_of_pages("8", first, second) == ["s:8-1", "s:8-2", "s:8-3", "s:8-4"]


def test_posts_numbered_anew_on_each_page_have_ids_of_their_own() -> None:
    assert parsed_ids_of_pages(
        "7", schema_posts("a", "b", first=1), schema_posts("c", "d", first=1)
    ) == [
        "s:7-1",
        "s:7-2",
        "s:7-3",
        "s:7-4",
    ]


def test_an_opener_that_every_page_repeats_keeps_its_id() -> None:
    assert parsed_ids_of_pages(
        "7",
        schema_posts("a", "b", first=1),
        schema_posts("a", first=1) + schema_posts("c", first=3),
    ) == ["s:7-1", "s:7-2", "s:7-1", "s:7-3"]


def test_ids_of_a_forum_that_counts_through_stay_as_they_are() -> None:
    assert parsed_ids_of_pages("7", schema_posts("a", "b"), schema_posts("c", first=33)) == [
        "s:31",
        "s:32",
        "s:33",
    ]
    assert parsed_ids_of_pages("1", schema_posts("a", "b", first=1)) == ["s:1", "s:2"]
    assert parsed_ids_of_pages(
        "7", xenforo_page('<div class="bbWrapper">x</div>').replace("-9", "-1")
    ) == ["s:1"]


def microblog_json(*statuses: dict[str, Any]) -> str:
    return json.dumps(
        {"ok": 1, "data": {"cards": [{"mblog": status_json} for status_json in statuses]}},
        ensure_ascii=False,
    )


def status_json(text: Any, **fields: Any) -> dict[str, Any]:
    return {
        "id": "2",
        "created_at": "Mon Mar 02 12:30:00 +0800 2026",
        "text": text,
        "user": {"id": 12},
        **fields,
    }


@pytest.mark.parametrize(
    "text",
    [
        '抱歉，此微博已被作者删除。查看帮助：<a href="x">网页链接</a>',
        "抱歉，根据作者设置的微博可见时间范围，此微博已不可见。",
        "抱歉，作者已设置仅展示半年内微博，此微博已不可见。",
        "抱歉，由于作者设置，你暂时没有这条微博的查看权限哦。",
        "该微博不可见",
        "微博不存在或已被删除",
        "该账号因被投诉违反法律法规和《微博社区公约》的相关规定，现已无法查看。查看帮助",
        "抱歉，此微博已被作者刪除。",
        "抱歉，由於作者設置，你暫時沒有這條微博的查看權限哦。",
        "Sorry, this Weibo has been deleted by the author.",
        "This post is no longer available.",
    ],
)
def test_a_stub_of_weibo_is_dropped(text: str) -> None:
    assert drop_reasons(
        parse_body("microblog", microblog_json(status_json(text)), role="list")
    ) == ["removed by the site"]


@pytest.mark.parametrize(
    "text",
    [
        "抱歉，此微博已被作者删除这种话我看腻了",
        "该内容不错，根据我的经验",
        "作者已设置好了早餐",
        "微博已删除？我不信",
    ],
)
def test_a_post_about_stubs_is_kept(text: str) -> None:
    assert not is_microblog_stub(text)
    assert post_texts(parse_body("microblog", microblog_json(status_json(text)), role="list")) == [
        text
    ]


@pytest.mark.parametrize("deleted", ["1", 1, True, "true"])
def test_a_status_marked_as_deleted_is_dropped(deleted: Any) -> None:
    assert drop_reasons(
        parse_body("microblog", microblog_json(status_json("x", deleted=deleted)), role="list")
    ) == ["removed by the site"]


@pytest.mark.parametrize("deleted", ["0", 0, False, None, ""])
def test_a_status_marked_as_not_deleted_is_kept(deleted: Any) -> None:
    assert post_texts(
        parse_body("microblog", microblog_json(status_json("x", deleted=deleted)), role="list")
    ) == ["x"]


def test_a_repost_without_own_words_is_a_bare_one_and_a_status_without_words_is_none() -> None:
    root = status_json("新品上市", id="30")
    repost = status_json('//<a href="/n/y">@y</a>:难喝', id="3", retweeted_status=root)
    parsed = parse_body("microblog", microblog_json(repost, status_json("", id="4")), role="list")
    assert post_texts(parsed) == ["新品上市", "转发微博"]
    assert [(dropped.id, dropped.reason) for dropped in parsed.dropped] == [("4", "no text")]


@pytest.mark.parametrize("wrong", [{}, [], 5, None, True, "", {"a": 1}])
def test_a_long_text_of_another_type_leaves_the_beginning(wrong: Any) -> None:
    listed = parse_body(
        "microblog", microblog_json(status_json("开头...全文", isLongText=True)), role="list"
    )
    body = json.dumps({"data": {"longTextContent": wrong}})
    parsed = parse_body("microblog", body, role="whole", post=listed.links[0].context["post"])
    assert post_texts(parsed) == ["开头"]
    assert parsed.problems == ["the rest of a long post could not be read"]


@pytest.mark.parametrize("wrong", [{}, [], 5, True, {"a": [1]}, [[]], 1.5])
@pytest.mark.parametrize(
    "field",
    ["user", "longText", "region_name", "retweeted_status", "attitudes_count", "isLongText"],
)
def test_a_field_of_another_type_costs_only_itself(field: str, wrong: Any) -> None:
    parsed = parse_body(
        "microblog", microblog_json(status_json("好吃", **{field: wrong})), role="list"
    )
    kept = post_texts(parsed) or [json.loads(parsed.links[0].context["post"])["text"]]
    assert kept == ["好吃"]


@pytest.mark.parametrize(
    "cards", [{"mblog": status_json("好吃")}, {"0": {"mblog": status_json("好吃")}}]
)
def test_one_card_that_is_no_list_is_read(cards: Any) -> None:
    assert post_texts(
        parse_body("microblog", json.dumps({"data": {"cards": cards}}), role="list")
    ) == ["好吃"]


def app_store_entry(**fields: Any) -> dict[str, Any]:
    review_json = {
        "author": {"uri": {"label": "u"}},
        "updated": {"label": DATE},
        "im:rating": {"label": "2"},
        "id": {"label": "1"},
    }
    return {**review_json, "content": {"label": "闪退"}, **fields}


@pytest.mark.parametrize("feed", [app_store_entry(), [app_store_entry()], {"0": app_store_entry()}])
def test_a_feed_of_one_review_is_read_whatever_its_shape(feed: Any) -> None:
    parsed = parse_body("reviews", json.dumps({"feed": {"entry": feed}}), role="start")
    assert [(post.text, post.rating) for post in parsed.posts] == [("闪退", 0.4)]


@pytest.mark.parametrize("body", [{"feed": {}}, {"feed": {"entry": None}}, {"comments": []}])
def test_a_list_without_reviews_says_so(body: Any) -> None:
    assert parse_body("reviews", json.dumps(body), role="start").reported_total == 0
    assert parse_body("reviews", "{}", role="start").reported_total is None


@pytest.mark.parametrize("wrong", [{}, [], 5, True, {"a": 5}, [[4]], "9" * 400])
def test_a_rating_of_another_type_is_missing(wrong: Any) -> None:
    parsed = parse_body(
        "reviews",
        json.dumps({"feed": {"entry": app_store_entry(**{"im:rating": {"label": wrong}})}}),
        role="start",
    )
    assert [(post.text, post.rating) for post in parsed.posts] == [
        ("闪退", 1.0 if wrong == 5 else None)
    ]


def product_page(
    json_ld: list[dict[str, Any]], markup: list[tuple[str, str, str]], syntax: str = "microdata"
) -> str:
    block = json.dumps(
        {
            "@type": "Product",
            "name": "Oats",
            "review": [{"@type": "Review", **review} for review in json_ld],
        }
    )
    scope, name = 'itemscope itemtype="https://schema.org/Review"', "itemprop"
    if syntax == "rdfa":
        scope, name = 'typeof="Review"', "property"
    shown = "".join(
        f'<li {scope}><b {name}="author">{author}</b><meta {name}="datePublished" '
        f'content="{day}"><p {name}="reviewBody">{text}</p></li>'
        for author, day, text in markup
    )
    return f'<script type="application/ld+json">{block}</script><ul>{shown}</ul>'


def review_json(author: str, date: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"author": {"name": author}, "datePublished": date, "reviewBody": text, **fields}


@pytest.mark.parametrize("syntax", ["microdata", "rdfa"])
def test_a_review_told_in_two_syntaxes_is_one(syntax: str) -> None:
    page = product_page(
        [
            review_json("a", "2026-03-02T12:30:00+08:00", "很香"),
            review_json("b", "2026-03-03", "太甜", reviewRating={"ratingValue": 3}),
        ],
        [
            ("a", "2026-03-02", "很 香"),
            ("b", "2026-03-03T09:30:00+08:00", "太甜"),
            ("c", "2026-03-04", "漏了"),
        ],
        syntax,
    )
    posts = parse_body("reviews", page, role="product").posts
    assert [(post.text, post.precision, post.rating) for post in posts] == [
        ("很香", "second", None),
        ("太甜", "second", 0.6),
        ("漏了", "day", None),
    ]


def test_reviews_of_equal_text_by_different_authors_or_on_different_days_stay_two() -> None:
    page = product_page(
        [review_json("a", "2026-03-02", "很香"), review_json("b", "2026-03-02", "很香")],
        [
            ("a", "2026-03-02", "很香"),
            ("b", "2026-03-02", "很香"),
            ("a", "2026-02-02", "很香"),
            ("c", "2026-03-02", "很香"),
        ],
    )
    assert len(parse_body("reviews", page, role="product").posts) == 4


LONG = "This is a long review which goes on and on"


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [
        (("a", "It's good"), ("a", "It’s  good"), "It's good"),
        (("Anonymous", "很香"), ("匿名用户", "很香"), "很香"),
        (("a", "This is a long review which goes…"), ("a", LONG), LONG),
        (("a", LONG), ("a", "This is a long review which goes..."), LONG),
    ],
)
def test_a_review_told_twice_in_other_letters_is_one(
    one: tuple[str, str], other: tuple[str, str], kept: str
) -> None:
    page = product_page(
        [review_json(one[0], "2026-03-02", one[1])], [(other[0], "2026-03-02", other[1])]
    )
    assert post_texts(parse_body("reviews", page, role="product")) == [kept]


def test_a_long_review_and_a_short_one_of_the_same_author_stay_two() -> None:
    page = product_page(
        [review_json("a", "2026-03-02", "Good...")], [("a", "2026-03-02", "Good taste, bad box")]
    )
    assert len(parse_body("reviews", page, role="product").posts) == 2


def test_a_review_with_a_date_in_the_future_is_not_taken_for_another_of_equal_text() -> None:
    page = product_page(
        [review_json("a", "2026-03-02", "很香")],
        [("a", "2026-04-02", "很香"), ("a", "2026-03-02", "很香")],
    )
    parsed = parse_body("reviews", page, role="product")
    assert len(parsed.posts) == 1
    assert drop_reasons(parsed) == ["date in the future"]


def test_many_reviews_of_equal_text_told_twice_are_counted_once() -> None:
    authors = [f"user {number}" for number in range(200)]
    page = product_page(
        [review_json(author, "2026-03-02", "好评") for author in authors],
        [(author, "2026-03-02", "好评") for author in reversed(authors)],
    )
    assert len(parse_body("reviews", page, role="product").posts) == 200


def test_an_empty_selector_of_a_profile_matches_nothing() -> None:
    element = html.fromstring("<div><p>A review</p></div>")
    assert select_css(element, "p") == [element[0]]
    assert select_css(element, "") == []
