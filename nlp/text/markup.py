"""Markup in text that nobody wrote: HTML, escapes of spreadsheets, labels of sites.

Crawled text has none of it. Files of other tools do, and so do corpora imported from them.
"""

import re
from collections.abc import Iterator
from html import unescape
from itertools import chain
from typing import NamedTuple

_BLOCKS = r"br|p|div|li|ul|ol|tr|td|th|table|tbody|hr|h[1-6]|blockquote|section|article"
_INLINE = (
    r"a|b|i|u|s|em|strong|span|font|img|small|big|sup|sub|code|del|ins|mark|label|button|video|svg"
    r"|input|iframe"
)
_ATTRIBUTE = r"""\s++[\w:-]++\s*+=\s*+(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'<>]++)"""
_CUT_OFF = r"""\s++[\w:-]++\s*+=[^<>]*+\Z"""  # of a tag at the end of a cut text

# The letter is an arrow in the site's own font.
_FOLDS = r"展开全文c|收起全文d|展开c(?=\s|\Z)|收起d(?=\s|\Z)"
_ALONE = r"展开全文|收起全文|转发微博|轉發微博|转发此微博"
_LAST = r"查看翻译|翻译推文|显示更多|顯示更多|阅读全文|查看更多|查看全文|点击展开"
_ENGLISH_LAST = (
    r"(?:Read|Show|See|View) (?:more|less)|See translation|See original"
    r"|Translate(?: (?:post|Tweet))?|Continue reading"
)
_LABELS = (
    rf"(?:{_FOLDS})(?!\w)"
    rf"|(?<!\w)(?:{_ALONE})(?!\w)"
    r"|(?:(?<=…)|(?<=\.\.\.))\s?全文(?!\w)"
    r"|(?<![的个该条])(?:(?<![A-Za-z])O)?网页链接(?!\w)"
    r"|(?<!\w)L\S{1,30}?的(?:微博|秒拍)视频(?!\w)"
    r"|(?<!\w)(?:回复|回覆|回復)(?=\s?[@＠][\w-]{1,30}\s?[:：])"
    rf"|(?<!\w)(?:{_LAST})(?=[ \t]{{0,9}}(?:\n|\Z))"
    rf"|(?<![\w'’-])(?:{_ENGLISH_LAST})(?=[ \t.…»›→]{{0,9}}(?:\n|\Z))"
    r"|(?:(?<=\n)|(?<=[.!?…。！？])|(?<=[.!?…。！？] )|\A)"
    r"(?i:read more|show more|see more|view more|show less)"
    r"(?=[ \t.…»›→]{0,9}(?:\n|\Z))"
)
_MARKUP = re.compile(
    rf"(?P<tag></?(?i:(?P<block>{_BLOCKS})|{_INLINE})(?:(?:{_ATTRIBUTE})*+\s*+/?>|{_CUT_OFF})"
    rf"|<!--[^<>]*?-->|&lt;/?(?i:{_BLOCKS}|{_INLINE})\s?/?&gt;)"
    r"|&(?:amp;){0,9}(?P<entity>(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
    r"|(?:nbsp|hellip|quot|ldquo|rdquo|lt|gt|amp)(?![A-Za-z0-9=;]))"
    r"|(?P<escape>_x00[01][0-9a-fA-F]_)"
    r"|(?P<hidden>[\ufeff\u200b\u2060\u00ad]+)"
    rf"|(?P<label>{_LABELS})"
)
MAY_HAVE_MARKUP = re.compile(
    "[&<\ufeff\u200b\u2060\u00ad]|_x00|全文|展开c|收起d|网页链接|[转轉][发發]此?微博"
    "|的(?:微博|秒拍)视频|回[复覆復][^@＠]?[@＠]|查看翻译|翻译推文|[显顯]示更多|查看更多|点击展开"
    "|(?i:read|show|see|view) (?i:more|less)|See translation|See original|Translate"
    "|Continue reading"
)
"""A quick test that every text with markup or labels passes; RE2 reads it as well."""

MARKUP_START = "[&<_rRsSſvVTC\ufeff\u200b\u2060\u00ad全展收网转轉的回查翻显顯点]"
"""The characters with which a match of MAY_HAVE_MARKUP begins.

`nlp.text.compiled_words.find_markup` knows what follows letters and 的."""

MARKUP_RESIDUE = re.compile(
    r"(?:hellip|nbsp|ldquo|rdquo|lsquo|rsquo|mdash|ndash|middot|emsp|ensp|thinsp|zwnj"
    r"|x000[0-9a-f]|x001[0-9a-f])+"
)
"""A word in lower case that earlier imports left of entities and escapes, and that no language has.

`amp`, `br` and `lt` can be words."""


class AlignedText(NamedTuple):
    """A text without markup, and where each of its characters comes from."""

    text: str
    starts: list[int] | None = None
    """For each character, the code point of the original where it starts; None where no markup
    was removed."""
    ends: list[int] | None = None
    """For each character, the code point of the original where it ends, or None likewise."""

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the text as published of at least one character of `text`."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def strip_markup(text: str) -> str:
    r"""Return a text without markup and labels.

    >>> strip_markup("很香&hellip;&hellip;下次还买<br/>It&#39;s good_x000D_ 收起全文d")
    "很香……下次还买\nIt's good  "
    """
    if not MAY_HAVE_MARKUP.search(text):
        return text
    return _MARKUP.sub(_replacement, text)


def strip_markup_aligned(text: str) -> AlignedText:
    """Return a text without markup and labels, aligned with the original."""
    changes = list(_find_changes(text))
    if not changes:
        return AlignedText(text)
    pieces: list[str] = []
    starts: list[range | list[int]] = []
    ends: list[range | list[int]] = []
    end_offset = 0
    for start, end, replacement in [*changes, (len(text), len(text), "")]:
        pieces += [text[end_offset:start], replacement]
        starts += [range(end_offset, start), [start] * len(replacement)]
        ends += [range(end_offset + 1, start + 1), [end] * len(replacement)]
        end_offset = end
    return AlignedText(
        "".join(pieces), list(chain.from_iterable(starts)), list(chain.from_iterable(ends))
    )


def blank_markup(text: str) -> str:
    """Return a text with markup and labels replaced by spaces: no character moves.

    An entity of one character becomes this character and spaces.
    """
    changes = list(_find_changes(text))
    pieces: list[str] = []
    end_offset = 0
    for start, end, replacement in changes:
        pieces += [
            text[end_offset:start],
            (replacement if len(replacement) == 1 else "").ljust(end - start),
        ]
        end_offset = end
    return "".join([*pieces, text[end_offset:]]) if changes else text


def _find_changes(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, replacement) of all markup of a text."""
    if MAY_HAVE_MARKUP.search(text):
        for match in _MARKUP.finditer(text):
            replacement = _replacement(match)
            if replacement != match[0]:
                yield *match.span(), replacement


def _replacement(match: re.Match[str]) -> str:
    """Return what a reader sees in the place of some markup."""
    if match["entity"]:
        replacement = unescape(f"&{match['entity']}")
        is_unknown = replacement.startswith("&") and len(replacement) > 1
        return match[0] if is_unknown else replacement
    if match["tag"]:
        return "\n" if match["block"] else ""
    return "" if match["hidden"] else " "
