"""Stubs: sentences that sites print in place of a removed post.

Only a whole text is a stub: a post about deletion contains more than such a sentence.
"""

import re

_MAX_STUB_LENGTH = 200  # characters; the longest stub, with a link to the site's help, has 120

_SIMPLIFIED = str.maketrans(
    "這該條刪設據範圍時間內見無權沒於暫適對開幫帳號戶違現訴請顯個樓層貼復覆評論題動屏遮藏樣發佈們會觀經",
    "这该条删设据范围时间内见无权没于暂适对开帮账号户违现诉请显个楼层贴复复评论题动屏遮藏样发布们会观经",
)

_BY_WHOM_EN = (
    r"(?: by (?:(?:an?|the|its) )?"
    r"(?:moderators?|administrators?|admins?|author|owner|user|staff|community|mods?))?"
)
_ITEM_ZH = r"(?:帖子?|贴子?|楼层?|回复|评论|内容|主题|文章|留言|消息)"
_BY_WHOM_ZH = r"(?:作者|楼主|发布者|用户|管理员|版主|系统|官方|管理员或版主)?(?:自动|自行)?"
_REMOVED_ZH = r"(?:删除|屏蔽|遮蔽|折叠|隐藏|移除)"
_FORUM_STUB = re.compile(
    rf"[\[(]?\s*(?:removed|deleted){_BY_WHOM_EN}\s*[\])]?"
    rf"|[\[(]?(?:this |the )?(?:post|message|comment|reply|topic|content)"
    rf" (?:(?:is|was|has been|have been) )?(?:removed|deleted|hidden"
    rf"|withdrawn){_BY_WHOM_EN}[\])]?[.!]?"
    r"|this post is hidden\. you cannot see its contents\.?"
    r"|this message has been removed from public view\.?"
    r"|this post was flagged by the community and is temporarily hidden\.?"
    r"|[\[(]?post withdrawn by author, will be automatically deleted in \d{1,4} hours"
    r" unless flagged[\])]?"
    r"|提示[:：]\s*作者被禁止或删除\s*内容自动屏蔽"
    rf"|(?:提示[:：]\s*)?[该此本]{_ITEM_ZH}(?:已经|已)?被?{_BY_WHOM_ZH}{_REMOVED_ZH}[。.!！]?"
    rf"|{_ITEM_ZH}(?:已经|已)被?{_BY_WHOM_ZH}{_REMOVED_ZH}[。.!！]?"
    r"|[该此]楼层?疑似违规已被系统折叠\s*+(?:隐藏此楼)?\s*+(?:查看此楼)?",
    re.I,
)

_APOLOGY_ZH = r"(?:抱歉[，,]?\s*)?"
_STATUS_ZH = r"[此该这]条?(?:微博|内容|博文)"
_INVISIBLE_ZH = (
    r"(?:已?(?:经)?不可见|(?:已|暂时?|现已)?无法查看|不适宜对外公开|已?被?(?:删除|屏蔽|隐藏))"
)
_MICROBLOG_STUB = re.compile(
    rf"(?:{_APOLOGY_ZH}(?:"
    rf"{_STATUS_ZH}(?:已经?)?被?(?:作者|用户|管理员|官方)?(?:自行)?删除"
    rf"|{_STATUS_ZH}(?:已?不存在|不存在或已被?删除|{_INVISIBLE_ZH})"
    r"|(?:您|你)?(?:查看|访问)?的?微博(?:已?不存在|不存在或已被?删除|已被?删除)"
    rf"|根据作者设置的微博可见时间范围[，,]{_STATUS_ZH}{_INVISIBLE_ZH}"
    rf"|作者已?设置仅(?:展示|显示)[^，,。\n]{{1,12}}内的?微博[，,]{_STATUS_ZH}{_INVISIBLE_ZH}"
    r"|由于作者设置[，,](?:你|您)暂?时?没有这?此?条?微博的查看权限哦?"
    rf"|(?:{_STATUS_ZH}|[此该](?:账号|用户))因[^。\n]{{1,80}}{_INVISIBLE_ZH}"
    r")[。.!！]?\s*(?:查看帮助\s*[:：]?[^。\n]{0,80})?)"
    r"|(?:sorry, ?)?(?:this|the) (?:weibo(?: post)?|post|content)"
    r" (?:(?:has been|was|is) (?:deleted|removed|hidden|invisible|not visible|unavailable"
    rf"|no longer (?:visible|available)){_BY_WHOM_EN}"
    r"|can(?:not|'t) be (?:viewed|displayed))\.?(?: view help:?.{0,80})?"
    r"|(?:sorry, ?)?(?:due to the author's settings?, ?)?"
    r"you (?:do not|don't|currently don't) have (?:access to|permission to view)"
    r" this (?:weibo|post)\.?"
    r"|(?:sorry, ?)?according to the visib(?:le|ility) (?:time )?(?:range|period)"
    r" set by the author, ?this (?:weibo|post) is no longer visible\.?",
    re.I,
)


def is_forum_stub(text: str) -> bool:
    """Return whether `text` is what a forum prints in place of a removed post.

    >>> is_forum_stub("该帖已被管理员删除"), is_forum_stub("该帖子被删除了好可惜")
    (True, False)
    """
    return len(text) <= _MAX_STUB_LENGTH and _FORUM_STUB.fullmatch(_simplify(text)) is not None


def is_microblog_stub(text: str) -> bool:
    """Return whether `text` is Weibo's notice in place of a removed or invisible post."""
    return len(text) <= _MAX_STUB_LENGTH and _MICROBLOG_STUB.fullmatch(_simplify(text)) is not None


def _simplify(text: str) -> str:
    return text.strip().translate(_SIMPLIFIED)
