"""Reposts on microblogs: the words of a text that are its author's own."""

import re

EMPTY_REPOST_TEXT = "转发微博"
"""Text that Weibo gives a repost without words of its own."""

# //@name: the text of an earlier repost.
_CHAIN = re.compile(r"//\s{0,3}@[^:：/\n]{1,40}(?:[:：].*|\s{0,9}\Z)", re.DOTALL)
_CERTAIN_CHAIN = re.compile(r"//@[^\s:：/@]{1,30}[:：].*", re.DOTALL)
# RT @name: the text of the original.
_RETWEET = re.compile(r"(?<![A-Za-z0-9])RT\s{0,3}@[^\s:：@]{1,40}\s?[:：].*", re.DOTALL)
_REPLY = re.compile(r"\s*回[复覆復]\s?@[^:：\n]{1,40}[:：]\s*")
# The label behind a long text that unfolds or folds it.
_FOLD_LABEL = re.compile(r"(?:(?:\.{2,6}|…{1,3})\s?全文|(?:展开|收起)(?:全文[cd]?|[cd]))\Z")
_MAX_FOLD_LABEL_LENGTH = 10
_HAN = re.compile(r"[\u3400-\u9fff]")


def strip_repost_chain(text: str) -> str:
    """Return the author's own words of a microblog post.

    Removed are the texts of earlier reposts (`//@name:…`, `RT @name:…`), the addressee of a reply
    (`回复@name:`) and the label that unfolds a long text. A repost without words of its own gives
    `转发微博` or `RT`.
    """
    reply = _REPLY.match(text)
    own_text = text[reply.end() :] if reply else text
    chain = _CHAIN.search(own_text)
    own_text = own_text[: chain.start()] if chain else own_text
    retweet = _RETWEET.search(own_text)
    own_text = own_text[: retweet.start()] if retweet else own_text
    own_text = strip_fold_label(own_text).strip()
    if own_text:
        return own_text
    if retweet:
        return "RT"
    return EMPTY_REPOST_TEXT if chain else ""


def has_weibo_repost_chain(text: str) -> bool:
    """Return whether a text from any site is a repost on Weibo: `//@name:` in Chinese text."""
    chain = _CERTAIN_CHAIN.search(text)
    return chain is not None and _HAN.search(text) is not None


def strip_fold_label(text: str) -> str:
    """Remove the label at the end by which a site unfolds or folds a text (展开全文c, 收起d)."""
    stripped = text.rstrip()
    label = _FOLD_LABEL.search(stripped, max(0, len(stripped) - _MAX_FOLD_LABEL_LENGTH))
    return stripped[: label.start()].rstrip() if label else text
