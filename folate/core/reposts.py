"""Microblog posts that repeat others: which words of a text are its author's own."""

import re

from folate.core.text import contains_chinese

EMPTY_REPOST_TEXT = "转发微博"  # what Weibo itself writes for a repost without own words
_CHAIN = re.compile(
    r"//\s{0,3}@[^:：/\n]{1,40}(?:[:：].*|\s{0,9}\Z)", re.DOTALL
)  # //@name: what the previous one wrote
_CERTAIN_CHAIN = re.compile(r"//@[^\s:：/@]{1,30}[:：].*", re.DOTALL)
_RETWEET = re.compile(
    r"(?<![A-Za-z0-9])RT\s{0,3}@[^\s:：@]{1,40}\s?[:：].*", re.DOTALL
)  # RT @name: what that one wrote
_REPLY = re.compile(r"\s*回[复覆復]\s?@[^:：\n]{1,40}[:：]\s*")
_FOLD = re.compile(
    r"(?:(?:\.{2,6}|…{1,3})\s?全文|(?:展开|收起)(?:全文[cd]?|[cd]))\Z"
)  # what the site puts behind a long text
_FOLD_LENGTH = 10  # characters, at most


def strip_repost_chain(text: str) -> str:
    """The text of a microblog post up to the chain of earlier reposts (`//@name:…`, `RT @name:…`), which are other people's words.

    Neither does it hold whom a reply addresses (`回复@name:`), nor the label that unfolds a long text. A repost without own words
    is `转发微博`, or `RT`.
    """
    addressed = _REPLY.match(text)
    own = text[addressed.end() :] if addressed else text
    chain = _CHAIN.search(own)
    own = own[: chain.start()] if chain else own
    retweet = _RETWEET.search(own)
    own = own[: retweet.start()] if retweet else own
    own = strip_fold_label(own).strip()
    if own:
        return own
    return "RT" if retweet else EMPTY_REPOST_TEXT if chain else ""


def has_weibo_repost_chain(text: str) -> bool:
    """Whether a text of any kind of site can only be a repost on Weibo: `//@name:` amid Chinese, not in code."""
    chain = _CERTAIN_CHAIN.search(text)
    return chain is not None and contains_chinese(text)


def strip_fold_label(text: str) -> str:
    """The text without the label at its end by which the site unfolds or folds it (展开全文c, 收起d, ...全文)."""
    shown = text.rstrip()
    label = _FOLD.search(shown, max(0, len(shown) - _FOLD_LENGTH))
    return shown[: label.start()].rstrip() if label else text
