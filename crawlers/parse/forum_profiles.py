"""Profiles of forum software: the selectors of its markup and the forms of its addresses.

A profile is needed only where schema.org microdata is missing. Selectors are CSS; an empty one
matches nothing. To add a forum, add a row here and a saved page to the tests.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class ForumProfile:
    """CSS selectors within one post; `post` and `title` are applied to the page."""

    name: str
    post: str
    author: str
    date: str
    body: str
    title: str = ""
    place: str = ""
    # An element whose text contains the number of likes.
    likes: str = ""
    # Marks a post, or its body, whose text was removed.
    removed: str = ""
    # Replaces a part of the text that guests may not see.
    hidden_notice: str = ""
    # Within the body: not the author's words (signatures, edit notes).
    excluded: str = ""


# Misago, Discourse's plain pages, Invision, and all others with schema.org microdata.
MICRODATA_PROFILE = ForumProfile(
    "schema.org",
    post='[itemtype$="/DiscussionForumPosting"], [itemtype$="/Comment"]',
    author='[itemprop="author"] [itemprop="name"], [itemprop="author"]',
    date='[itemprop="datePublished"], [itemprop="dateCreated"]',
    body='[itemprop="articleBody"], [itemprop="text"]',
    likes='[itemprop="upvoteCount"], .post-footer',
    removed='.post-hidden, .post-body-hidden, [component="post"].deleted',  # Misago, NodeBB
)

FORUM_PROFILES = (
    ForumProfile(
        "FlaskBB",
        post=".post-row",
        author=".author-name a, .author-name",
        date=".post-meta time",
        body=".post-content",
        title=".topic-header a",
        excluded=".signature, .post-signature, .attachments",
    ),
    ForumProfile(
        "XenForo",
        post="article.message--post, li.message[id^=post]",
        author=".message-name .username, .username",
        date="time.u-dt, .DateTime",
        body=".message-body .bbWrapper, .messageText",
        title="h1.p-title-value, .titleBar h1",
        removed=".message--deleted, .messageNotice--deleted, li.message.deleted",
        hidden_notice=".bbCodeBlock--hidden, .hideBBCode",
        excluded=(
            ".bbCodeBlock--quote, .bbCodeBlock--unfurl, .messageNotice, .message-lastEdit, "
            ".message-signature"
        ),
    ),
    ForumProfile(
        "Discuz!",
        post="#postlist > div[id^=post_], #postlist > table[id^=pid]",
        author=".authi a",
        date="em[id^=authorposton]",
        body="td.t_f, [id^=postmessage_]",
        title="#thread_subject",
        # "Answer to read this", or the notice of a ban in place of the whole text.
        hidden_notice=".locked",
        excluded=".pstatus, .sign, .aimg_tip, .jammer",
    ),
    ForumProfile(
        "MyBB",
        post="div.post[id^=post_], table[id^=post_]:has(.post_body)",
        author=".author_information a, .largetext a",
        date=".post_date",
        body=".post_body",
        title=".thead strong",
        removed=".deleted_post",
        excluded=".post_edit, .signature",
    ),
    ForumProfile(
        "SMF",
        post=".post_wrapper",
        author=".poster h4 a, .poster h4",
        date=".keyinfo .smalltext, .postinfo .smalltext",
        body=".inner",
        title="h1.title, #forumposts .catbg, h2.display_title",
        excluded=".signature, .modified",
    ),
    ForumProfile(
        "phpBB",
        post="div.post[id^=p]",
        author=(
            ".author .username, .author .username-coloured, .postprofile .username, .author strong"
        ),
        date=".author time, .author",
        body=".content",
        title="h2.topic-title, .topic-title, h2",
        excluded=".signature, .notice, .attachbox",
    ),
    ForumProfile(
        "vBulletin",
        post="li.postcontainer, li.postbit, li.postbitdeleted, table[id^=post]",
        author=".username, .bigusername",
        date=".postdate, .date, .userstats dd",
        body=".postcontent, [id^=post_message_]",
        title=".threadtitle, h1",
        removed=".postbitdeleted",
        excluded=".signature, .editedby, .bbcode_description",
    ),
    ForumProfile(
        "Tieba",
        post=".l_post",
        author="a.p_author_name, .p_author_name",
        date=".tail-info, .p_tail",
        body=".d_post_content",
        title=".core_title_txt",
        place=".post-tail-wrap > span:first-child",
        excluded=".replace_tip",
    ),
)

# Of a thread's first page; the first group that matches is its number.
THREAD_PATH_PATTERN = re.compile(
    "|".join(
        (
            # Misago, XenForo, Discourse, generic
            r"/(?:t|thread|threads|topic|topics|discussion)/(?:[^/?]+[/.])?(\d+)/?$",
            # FlaskBB, Invision, Flarum, vBulletin 4
            r"/(?:topic|thread|threads|discussion|d)/(\d+)-[^/?]*/?$",
            r"/(?:topic|discussion)/(\d+)/[^/?]+/?$",  # NodeBB, Vanilla
            r"/thread-(\d+)-1-\d+\.html$",  # Discuz!
            r"/thread-(\d+)\.html$",  # MyBB
            r"/topic,(\d+)\.0\.html$",  # SMF
            r"/showthread\.php/(\d+)[^/]*/?$",  # vBulletin
            r"/p/(\d{8,})$",  # Tieba
        )
    )
)
BOARD_PATH_PATTERN = re.compile(
    "|".join(
        (
            r"/(?:c|f|forum|forums|board|boards|category|categories|node)/(?:[^/?]+[/.])?(\d+)/?$",
            r"/(?:forum|forums|board|category)/(\d+)[-/][^/?]*/?$",
            r"/forum-(\d+)(?:-1)?\.html$",
            r"/board,(\d+)\.0\.html$",
            r"/forumdisplay\.php/(\d+)[^/]*/?$",
        )
    )
)


@dataclass(frozen=True)
class QueryUrlFormat:
    """The form of an address whose parameters, in any order, name a thread or a board."""

    # The end of the path.
    path_suffix: str
    # The parameter with the number; empty when the first parameter's key is the number.
    id_parameter: str
    # The key and value that another parameter must have.
    required_parameter: tuple[str, str] | None = None


THREAD_QUERY_URLS = (
    QueryUrlFormat("", "tid", ("mod", "viewthread")),  # Discuz!
    QueryUrlFormat("/viewthread.php", "tid"),
    QueryUrlFormat("/viewtopic.php", "t"),  # phpBB
    QueryUrlFormat("/viewtopic.php", "id"),  # FluxBB, PunBB
    QueryUrlFormat("/showthread.php", "t"),  # vBulletin
    QueryUrlFormat("/showthread.php", ""),
    QueryUrlFormat("/showthread.php", "tid"),  # MyBB
    QueryUrlFormat("/read.php", "tid"),  # phpwind, NGA
    QueryUrlFormat("", "topic"),  # SMF
    QueryUrlFormat("", "showtopic"),  # Invision 3
)
BOARD_QUERY_URLS = (
    QueryUrlFormat("", "fid", ("mod", "forumdisplay")),
    QueryUrlFormat("/forumdisplay.php", "fid"),  # MyBB, older Discuz!
    QueryUrlFormat("/forumdisplay.php", "f"),
    QueryUrlFormat("/forumdisplay.php", ""),
    QueryUrlFormat("/viewforum.php", "f"),
    QueryUrlFormat("/viewforum.php", "id"),
    QueryUrlFormat("/thread.php", "fid"),
    QueryUrlFormat("", "board"),
    QueryUrlFormat("", "showforum"),
)
FIRST_PAGE_PARAMETERS = {"page": "1", "start": "0", "st": "0", "p": "1"}
"""Values of these parameters on a first page, where the address has them."""

NON_THREAD_PARAMETERS = frozenset(
    {"action", "goto", "view", "authorid", "ordertype", "pid", "post", "do", "printable"}
)
"""Parameters of pages with one post of a thread, a part of it, or a form."""

IGNORED_PARAMETERS = frozenset(
    {"sid", "s", "phpsessid", "f", "extra", "highlight", "hilit", "viewfull"}
)
"""Parameters that do not change what the page of a board lists."""
