"""Sentences that sites print where a post was: a whole text that is one of them is no post.

Only whole texts count. A post that speaks of deletion says more than such a sentence, or something else.
"""

import re

_LONGEST = (
    200  # characters; the longest of these sentences with its link to the site's help has about 120
)

_SIMPLIFIED = str.maketrans(
    "這該條刪設據範圍時間內見無權沒於暫適對開幫帳號戶違現訴請顯個樓層貼復覆評論題動屏遮藏樣發佈們會觀經",
    "这该条删设据范围时间内见无权没于暂适对开帮账号户违现诉请显个楼层贴复复评论题动屏遮藏样发布们会观经",
)

_WHO = r"(?: by (?:(?:an?|the|its) )?(?:moderators?|administrators?|admins?|author|owner|user|staff|community|mods?))?"
_THING = r"(?:帖子?|贴子?|楼层?|回复|评论|内容|主题|文章|留言|消息)"
_BY = r"(?:作者|楼主|发布者|用户|管理员|版主|系统|官方|管理员或版主)?(?:自动|自行)?"
_GONE = r"(?:删除|屏蔽|遮蔽|折叠|隐藏|移除)"
_FORUM = re.compile(
    rf"[\[(]?\s*(?:removed|deleted){_WHO}\s*[\])]?"
    rf"|[\[(]?(?:this |the )?(?:post|message|comment|reply|topic|content)"
    rf" (?:(?:is|was|has been|have been) )?(?:removed|deleted|hidden|withdrawn){_WHO}[\])]?[.!]?"
    r"|this post is hidden\. you cannot see its contents\.?"
    r"|this message has been removed from public view\.?"
    r"|this post was flagged by the community and is temporarily hidden\.?"
    r"|[\[(]?post withdrawn by author, will be automatically deleted in \d{1,4} hours unless flagged[\])]?"
    r"|提示[:：]\s*作者被禁止或删除\s*内容自动屏蔽"
    rf"|(?:提示[:：]\s*)?[该此本]{_THING}(?:已经|已)?被?{_BY}{_GONE}[。.!！]?"
    rf"|{_THING}(?:已经|已)被?{_BY}{_GONE}[。.!！]?"
    r"|[该此]楼层?疑似违规已被系统折叠\s*+(?:隐藏此楼)?\s*+(?:查看此楼)?",
    re.I,
)

_SORRY = r"(?:抱歉[，,]?\s*)?"
_POST = r"[此该这]条?(?:微博|内容|博文)"
_UNSEEN = r"(?:已?(?:经)?不可见|(?:已|暂时?|现已)?无法查看|不适宜对外公开|已?被?(?:删除|屏蔽|隐藏))"
_MICROBLOG = re.compile(
    rf"(?:{_SORRY}(?:"
    rf"{_POST}(?:已经?)?被?(?:作者|用户|管理员|官方)?(?:自行)?删除"
    rf"|{_POST}(?:已?不存在|不存在或已被?删除|{_UNSEEN})"
    r"|(?:您|你)?(?:查看|访问)?的?微博(?:已?不存在|不存在或已被?删除|已被?删除)"
    rf"|根据作者设置的微博可见时间范围[，,]{_POST}{_UNSEEN}"
    rf"|作者已?设置仅(?:展示|显示)[^，,。\n]{{1,12}}内的?微博[，,]{_POST}{_UNSEEN}"
    r"|由于作者设置[，,](?:你|您)暂?时?没有这?此?条?微博的查看权限哦?"
    rf"|(?:{_POST}|[此该](?:账号|用户))因[^。\n]{{1,80}}{_UNSEEN}"
    r")[。.!！]?\s*(?:查看帮助\s*[:：]?[^。\n]{0,80})?)"
    r"|(?:sorry, ?)?(?:this|the) (?:weibo(?: post)?|post|content)"
    rf" (?:(?:has been|was|is) (?:deleted|removed|hidden|invisible|not visible|unavailable|no longer (?:visible|available)){_WHO}"
    r"|can(?:not|'t) be (?:viewed|displayed))\.?(?: view help:?.{0,80})?"
    r"|(?:sorry, ?)?(?:due to the author's settings?, ?)?"
    r"you (?:do not|don't|currently don't) have (?:access to|permission to view) this (?:weibo|post)\.?"
    r"|(?:sorry, ?)?according to the visib(?:le|ility) (?:time )?(?:range|period) set by the author, ?"
    r"this (?:weibo|post) is no longer visible\.?",
    re.I,
)


def is_forum_stub(text: str) -> bool:
    """Whether `text` is what a forum prints in the place of a removed post.

    >>> is_forum_stub("该帖已被管理员删除"), is_forum_stub("该帖子被删除了好可惜")
    (True, False)
    """
    return len(text) <= _LONGEST and _FORUM.fullmatch(_plain(text)) is not None


def is_microblog_stub(text: str) -> bool:
    """Whether `text` is what Weibo prints in the place of a removed or an invisible post, in any of its languages."""
    return len(text) <= _LONGEST and _MICROBLOG.fullmatch(_plain(text)) is not None


def _plain(text: str) -> str:
    return text.strip().translate(_SIMPLIFIED)
