"""One written form for text: full width, traditional characters, case and spacing folded; emoji and `[怒]` kept."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Protocol

from nlp.text.markup import blank_markup, strip_markup
from nlp.text.patterns import EMOJI_CHARACTER, HANDLE, URL


class Converter(Protocol):
    """What we use of OpenCC."""

    def convert(self, text: str) -> str: ...


def normalize_text(text: str) -> str:
    """NFKC, simplified characters, lower case, no control characters, single spaces, typewriter apostrophes.

    Lone surrogates become U+FFFD. Normalising twice changes nothing.

    >>> normalize("ＡＢＣ　買了蘋果手機！")
    'abc 买了苹果手机!'
    """
    text = _INVISIBLE.sub("", text).lower()
    if not text.isascii():
        text = _simplified(
            _APOSTROPHE.sub("'", unicodedata.normalize("NFKC", _whole(text)))
        ).lower()
    return " ".join(text.split())


@lru_cache(maxsize=64)  # several readers look at one text in turn
def fold_text(text: str) -> str:
    """`normalize` as far as it goes without moving a character: the result has the length of `text`.

    So offsets found in it hold in `text`. What can't be folded one to one (`㎏`, combining accents) stays as it is; markup and labels
    of the site (`nlp.text.markup`) become spaces.
    """
    text = blank_markup(text)
    if text.isascii():
        return text.lower()
    folded = text.translate(_Fold.table())
    simplified = _simplified(folded)
    return simplified if len(simplified) == len(folded) else "".join(map(_same_length, folded))


def strip_for_duplicates(text: str) -> str:
    """What two copies of one text share: normalised letters, digits and emoji, in order and without spaces.

    Markup and labels of the site, reposted chains (`//@name: …` to the end), @names and URLs are dropped. A text that is nothing but
    those does not become equal to every other such text: it keeps the words of its chain, or else its whole normal form.
    """
    normal = normalize_text(strip_markup(text))
    for text in (_CHAIN.sub("", normal), normal):
        stripped = _SEPARATORS.sub("", _QUOTED.sub(" ", text) if _MAY_QUOTE.search(text) else text)
        if stripped:
            return stripped
    return normal.replace(" ", "")


_APOSTROPHE = re.compile("[‘’ʼ]")
# Control and format characters, variation selectors, and joiners that join no emoji.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180b-\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
    rf"|\u200d(?!{EMOJI_CHARACTER})"
)
_CHAIN = re.compile(r"//\s?@.*", re.DOTALL)
_QUOTED = re.compile(rf"{URL}|(?://\s?)?{HANDLE}\s?:?")
_MAY_QUOTE = re.compile(
    r"@|://|www|\.[0-9a-z]"
)  # in every URL and @name: most texts have none, and this look is cheaper
_SEPARATORS = re.compile(rf"[^\w{EMOJI_CHARACTER[1:-1]}]+|_+")


def _whole(text: str) -> str:
    """Surrogate pairs joined; lone ones, which neither UTF-8 nor OpenCC can take, as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _simplified(text: str) -> str:
    return _converter().convert(text)


@cache
def _converter() -> Converter:
    from opencc import OpenCC

    converter: Converter = OpenCC("t2s")
    return converter


def _same_length(character: str) -> str:
    simplified = _simplified(character)
    return simplified if len(simplified) == 1 else character


class _Fold(dict[int, int]):
    """Code point -> folded code point, worked out when first met."""

    def __missing__(self, code: int) -> int:
        character = _APOSTROPHE.sub("'", "\ufffd" if 0xD800 <= code < 0xE000 else chr(code))
        for step in (
            unicodedata.normalize("NFKC", character),
            unicodedata.normalize("NFKC", character).lower(),
        ):
            if len(step) == 1:
                character = step
        self[code] = ord(" ") if character.isspace() and character != "\n" else ord(character)
        return self[code]

    @classmethod
    @cache
    def table(cls) -> "_Fold":
        return cls()
