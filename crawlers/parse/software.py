"""What is particular to each forum software: where in its markup things stand, and how its addresses look.

A row is needed only where schema.org microdata is missing. Selectors are CSS; an empty one finds nothing. Adding a forum
means adding a row and a saved page to the tests.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Software:
    """Selectors inside one post (`post` finds the posts, `title` is looked up in the page)."""

    name: str
    post: str
    author: str
    date: str
    body: str
    title: str = ""
    place: str = ""
    likes: str = ""  # an element whose text has their number
    removed: str = ""  # on or inside a post: its text is gone
    drop: str = ""  # inside the body: not the author's words (signatures, edit notes)


MICRODATA = Software(  # Misago, Discourse's plain pages, Invision, and whoever else follows schema.org
    "schema.org",
    post='[itemtype$="/DiscussionForumPosting"], [itemtype$="/Comment"]',
    author='[itemprop="author"] [itemprop="name"], [itemprop="author"]',
    date='[itemprop="datePublished"], [itemprop="dateCreated"]',
    body='[itemprop="articleBody"], [itemprop="text"]',
    likes='[itemprop="upvoteCount"], .post-footer',
    removed=".post-hidden, .post-body-hidden",
)

SOFTWARE = (
    Software(
        "FlaskBB",
        post=".post-row",
        author=".author-name a, .author-name",
        date=".post-meta time",
        body=".post-content",
        title=".topic-header a",
        drop=".signature, .post-signature, .attachments",
    ),
    Software(
        "XenForo",
        post="article.message--post, li.message[id^=post]",
        author=".message-name .username, .username",
        date="time.u-dt, .DateTime",
        body=".message-body .bbWrapper, .messageText",
        title="h1.p-title-value, .titleBar h1",
        removed=".message--deleted, .messageNotice",
        drop=".bbCodeBlock--expandable, .message-lastEdit, .message-signature",
    ),
    Software(
        "Discuz!",
        post="#postlist > div[id^=post_], #postlist > table[id^=pid]",
        author=".authi a",
        date="em[id^=authorposton]",
        body="td.t_f, [id^=postmessage_]",
        title="#thread_subject",
        removed=".locked",
        drop=".pstatus, .sign, .aimg_tip, .jammer",
    ),
    Software(
        "phpBB",
        post="div.post[id^=p]",
        author=".author .username, .author .username-coloured, .postprofile .username, .author strong",
        date=".author time, .author",
        body=".content",
        title="h2.topic-title, .topic-title, h2",
        drop=".signature, .notice, .attachbox",
    ),
    Software(
        "vBulletin",
        post="li.postcontainer, li.postbit, table[id^=post]",
        author=".username, .bigusername",
        date=".postdate, .date, .userstats dd",
        body=".postcontent, [id^=post_message_]",
        title=".threadtitle, h1",
        drop=".signature, .editedby",
    ),
    Software(
        "Tieba",
        post=".l_post",
        author="a.p_author_name, .p_author_name",
        date=".tail-info, .p_tail",
        body=".d_post_content",
        title=".core_title_txt",
        place=".post-tail-wrap > span:first-child",
        drop=".replace_tip",
    ),
)

THREAD = re.compile(  # path?query of a thread's first page; the first group that matched is its number
    "|".join(
        (
            r"/(?:t|thread|threads|topic|topics|discussion)/(?:[^/?]+[/.])?(\d+)/?$",  # Misago, XenForo, Discourse, generic
            r"/(?:topic|thread|discussion|d)/(\d+)-[^/?]*/?$",  # FlaskBB, Invision, Flarum
            r"/(?:topic|discussion)/(\d+)/[^/?]+/?$",  # NodeBB, Vanilla
            r"/thread-(\d+)-1-\d+\.html$",  # Discuz!
            r"mod=viewthread&(?:.*&)?tid=(\d+)(?!.*&page=)",
            r"/viewtopic\.php\?(?:f=\d+&)?t=(\d+)(?!.*&start=)",  # phpBB
            r"/showthread\.php\?(?:t=)?(\d+)(?!.*(?:&page=|#post))",  # vBulletin
            r"/p/(\d{8,})$",  # Tieba
        )
    )
)
BOARD = re.compile(
    "|".join(
        (
            r"/(?:c|f|forum|forums|board|boards|category|categories|node)/(?:[^/?]+[/.])?(\d+)/?$",
            r"/(?:forum|board|category)/(\d+)[-/][^/?]*/?$",
            r"/forum-(\d+)-1\.html$",
            r"mod=forumdisplay&fid=(\d+)$",
            r"/viewforum\.php\?f=(\d+)(?:&sid=\w+)?$",
            r"/forumdisplay\.php\?(?:f=)?(\d+)[^&]*$",
        )
    )
)
