"""Expressions for pieces of a post that are one thing each: URLs, @names, hashtags, emoji.

They are sources of regular expressions, to be joined, over text folded by
`nlp.text.normalize.fold_text`.
"""

import re

from folate.core.text import HAN_RANGES

KANA_RANGES = "\u3041-\u30fa\u31f0-\u31ff"
"""Japanese syllables, for the inside of a character class."""

EMOJI_CHARACTER = (
    "[\u203c\u2049\u231a-\u23ff\u2600-\u2604\u2607-\u27bf\u2b05-\u2b55\U0001f000-\U0001faff]"
)
_MODIFIED = f"{EMOJI_CHARACTER}[\ufe0f\U0001f3fb-\U0001f3ff]*"
EMOJI = f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_MODIFIED}(?:\u200d{_MODIFIED})*"
"""One picture on the screen: a flag, a keycap, or characters joined by U+200D."""

BRACKET_EMOTICON = rf"\[[{HAN_RANGES}a-z]{{1,8}}\]"
"""`[怒]`, `[doge]`: how Chinese sites write a picture."""

ASCII_EMOTICON = r"(?:[:;=]['-]?[()\[\]dpo3/\\|*]+|\^[_.]?\^|t_t|>[_.]<|-_-|<3+)(?!\w)"
"""`:)`, `^_^`: how a keyboard writes one."""

_HOST = r"(?:[0-9a-z](?:[0-9a-z-]{0,62})\.){1,5}"
_ENDINGS = "com|cn|net|org|edu|gov|info|top|xyz|vip|shop|app|tv|cc|io|me|hk|tw|uk|us|eu|de|fr|jp|kr"
URL = (
    r"(?:https?://|www\.)[!-~]*[0-9a-z/=&#_%+~-]"
    rf"|(?<![0-9a-z.@-]){_HOST}(?:{_ENDINGS})(?![0-9a-z@])(?:[/?#][!-~]*[0-9a-z/=&#_%+~-])?"
    rf"|(?<![0-9a-z._%+-])[0-9a-z._%+-]{{1,64}}@{_HOST}[a-z]{{2,12}}"
)
"""Web and mail addresses, with or without a scheme; the full stop after one is not part of it."""

HANDLE = r"@[\w-]{1,30}"
"""An account that a post addresses."""

_COLOUR = "(?:(?:[0-9a-f]{2})?[0-9a-f]{6}|[0-9a-f]{3})"
_COLOURS = (
    rf"(?=[a-f]*\d){_COLOUR}(?![0-9a-z_])"
    r"|(?:a{3}|b{3}|c{3}|d{3}|e{3}|f{3}){1,2}(?![0-9a-z_])"
)
# A sign after a letter belongs to it (C#); after a Chinese character it need not.
_BEFORE = r"(?<![&#0-9a-z_\u00df-\u024f\u0370-\u052f])"
HASHTAG = (
    rf"(?:{_BEFORE}|(?<=\#))(?:"
    rf"\#(?!\d+(?![a-z0-9_]))(?!{_COLOURS})[0-9a-z_]{{1,40}}(?:\#[a-z_][0-9a-z_]{{0,40}}){{1,20}}\#?"
    rf"|\#(?!{_COLOURS})[^\s#\d](?:[^#\n]{{0,38}}[^\s#&])?\#"
    r"|\#\d[^#\n:/]{0,38}[^\s#&\d:/]\#(?!\d)"
    rf"|\#(?!\d+(?![a-z0-9_]))(?!{_COLOURS})\w{{1,40}})"
)
"""`#tag` or `#话题#`, the closing sign included; `#a#b` is a chain (`split_hashtag_chain`).

`#1` and `#01豆沙红` are numbers, `#ff0000` is a colour."""

_DECORATION = re.compile(r"\[(?:话题|超话)\]$")
_CHAINED = re.compile(r"#[^#]+(?:#$)?")


def split_hashtag_chain(hashtag: str) -> list[str]:
    """Return the hashtags of a chain.

    >>> split_hashtag_chain("#iphone#good"), split_hashtag_chain("#话题#")
    (['#iphone', '#good'], ['#话题#'])
    """
    return _CHAINED.findall(hashtag)


def hashtag_text(hashtag: str) -> str:
    """Return the text of `#话题#`, `#话题[超话]#` or `#话题` without signs."""
    return _DECORATION.sub("", hashtag.strip("#"))
