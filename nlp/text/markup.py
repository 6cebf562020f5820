"""What stands in a text and nobody wrote: HTML entities and tags, escapes of spreadsheets, labels of sites, characters without width.

Crawled text has none of it. Files of other tools do, and so do corpora that were imported from them.
"""

import re
from collections.abc import Iterator
from html import unescape
from itertools import chain
from typing import NamedTuple

_BLOCKS = r"br|p|div|li|ul|ol|tr|td|th|table|tbody|hr|h[1-6]|blockquote|section|article"
_INLINE = r"a|b|i|u|s|em|strong|span|font|img|small|big|sup|sub|code|del|ins|mark|label|button|video|svg|input|iframe"
_ATTRIBUTE = r"""\s++[\w:-]++\s*+=\s*+(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'<>]++)"""
_CUT_OFF = r"""\s++[\w:-]++\s*+=[^<>]*+\Z"""  # a tag that the end of the text cuts off

_FOLDS = r"展开全文c|收起全文d|展开c(?=\s|\Z)|收起d(?=\s|\Z)"  # the letter is an arrow in the site's own font
_ALONE = r"展开全文|收起全文|转发微博|轉發微博|转发此微博"
_LAST = r"查看翻译|翻译推文|显示更多|顯示更多|阅读全文|查看更多|查看全文|点击展开"
_ENGLISH_LAST = r"(?:Read|Show|See|View) (?:more|less)|See translation|See original|Translate(?: (?:post|Tweet))?|Continue reading"
_LABELS = (
    rf"(?:{_FOLDS})(?!\w)"
    rf"|(?<!\w)(?:{_ALONE})(?!\w)"
    r"|(?:(?<=…)|(?<=\.\.\.))\s?全文(?!\w)"
    r"|(?<![的个该条])(?:(?<![A-Za-z])O)?网页链接(?!\w)"
    r"|(?<!\w)L\S{1,30}?的(?:微博|秒拍)视频(?!\w)"
    r"|(?<!\w)(?:回复|回覆|回復)(?=\s?[@＠][\w-]{1,30}\s?[:：])"
    rf"|(?<!\w)(?:{_LAST})(?=[ \t]{{0,9}}(?:\n|\Z))"
    rf"|(?<![\w'’-])(?:{_ENGLISH_LAST})(?=[ \t.…»›→]{{0,9}}(?:\n|\Z))"
    r"|(?:(?<=\n)|(?<=[.!?…。！？])|(?<=[.!?…。！？] )|\A)(?i:read more|show more|see more|view more|show less)"
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
_MAY = re.compile(
    "[&<\ufeff\u200b\u2060\u00ad]|_x00|全文|展开c|收起d|网页链接|微博|秒拍|回[复覆復]|翻译|更多|更多|点击展开"
    "|[mM]ore|[lL]ess|ransl|See original|reading"
)

MARKUP_RESIDUE = re.compile(
    r"(?:hellip|nbsp|ldquo|rdquo|lsquo|rsquo|mdash|ndash|middot|emsp|ensp|thinsp|zwnj|x000[0-9a-f]|x001[0-9a-f])+"
)
"""Of a word in lower case: what earlier imports left of entities and escapes, and no word of any language. `amp`, `br`, `lt` can be one."""


class AlignedText(NamedTuple):
    """A text as a reader sees it. `starts` and `ends` are the code points of the text as published that each of its characters is of;
    None where nothing was changed.
    """

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Where characters `start` to `end`, at least one, stand in the text as published."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def strip_markup(text: str) -> str:
    """The text without markup and labels.

    >>> clean("很香&hellip;&hellip;下次还买<br/>It&#39;s good_x000D_ 收起全文d")
    "很香……下次还买\\nIt's good  "
    """
    if not _MAY.search(text):
        return text
    return _MARKUP.sub(_reading, text)


def strip_markup_aligned(text: str) -> AlignedText:
    """The same, and where each character comes from."""
    changes = list(_changes(text))
    if not changes:
        return AlignedText(text)
    parts: list[str] = []
    starts: list[range | list[int]] = []
    ends: list[range | list[int]] = []
    done = 0
    for start, end, reading in [*changes, (len(text), len(text), "")]:
        parts += [text[done:start], reading]
        starts += [range(done, start), [start] * len(reading)]
        ends += [range(done + 1, start + 1), [end] * len(reading)]
        done = end
    return AlignedText(
        "".join(parts), list(chain.from_iterable(starts)), list(chain.from_iterable(ends))
    )


def blank_markup(text: str) -> str:
    """The text with markup and labels written over by spaces: no character moves. An entity of one character leaves it where it begins."""
    changes = list(_changes(text))
    parts: list[str] = []
    done = 0
    for start, end, reading in changes:
        parts += [text[done:start], (reading if len(reading) == 1 else "").ljust(end - start)]
        done = end
    return "".join([*parts, text[done:]]) if changes else text


def _changes(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, what a reader sees there) of all markup."""
    if _MAY.search(text):
        for match in _MARKUP.finditer(text):
            reading = _reading(match)
            if reading != match[0]:
                yield *match.span(), reading


def _reading(match: re.Match[str]) -> str:
    """What a reader sees in the place of some markup."""
    if match["entity"]:
        reading = unescape(f"&{match['entity']}")
        return (
            match[0] if reading.startswith("&") and len(reading) > 1 else reading
        )  # of no known name
    if match["tag"]:
        return "\n" if match["block"] else ""
    return "" if match["hidden"] else " "
