"""The language of a short text: Chinese, English, both, or something else."""

import re
from functools import cache
from importlib.resources import files
from typing import Literal

from folate.core.text import HAN_RANGES
from nlp.text.normalize import fold_text
from nlp.text.patterns import BRACKET_EMOTICON, HANDLE, KANA_RANGES, URL

LanguageCode = Literal["zh", "en", "mixed", "other"]

_ASIDE = re.compile(
    f"{URL}|{HANDLE}|{BRACKET_EMOTICON}|《[^》{HAN_RANGES}]{{1,60}}》"
)  # the last: a foreign title in a Chinese sentence
_HAN = re.compile(f"[{HAN_RANGES}]+")
_KANA = re.compile(f"[{KANA_RANGES}]+")
_LATIN = re.compile(r"[a-z\u00df-\u00f6\u00f8-\u024f]+(?:'[a-z]+)?")
_LETTER = re.compile(r"[^\W\d_]+")
_OWN_LETTER = re.compile("[\u00df-\u00f6\u00f8-\u024f]")  # English has these in loan words only
_CHINESE_CLAUSE = re.compile(
    "[的了是我你他她这那不在有就也很都和吗呢吧啊着被把给让跟没说看想要会能太真]"
)
_CLAUSE = 2  # more English than foreign small words by this many make a clause; a name has fewer


def identify_language(text: str) -> LanguageCode:
    """`zh` (simplified or traditional), `en`, `mixed` (a clause of each), or `other` (also: nothing but signs and links).

    A name does not make a text mixed: `买了iPhone很好用` is zh, `I love 螺蛳粉` is en. Links, @names and emoticons don't count.
    """
    plain = _ASIDE.sub(" ", fold_text(text))
    han, kana, letters = (sum(map(len, kind.findall(plain))) for kind in (_HAN, _KANA, _LETTER))
    latin = _LATIN.findall(plain)
    foreign = letters - han - sum(len(word) - ("'" in word) for word in latin)
    if not letters or foreign * 2 > letters or kana * 5 > han:
        return "other"
    english = sum(map(_evidence, latin))
    if not han:
        return "en" if english >= 0 else "other"
    if english < _CLAUSE or len(latin) * 4 < han:
        return "zh"
    if _CHINESE_CLAUSE.search(plain):
        return "mixed"
    return "en" if han < 2 * len(latin) else "zh"


def _evidence(word: str) -> int:
    """1 for a word that only English has among the listed languages, -1 for one that only others have, else 0."""
    english, others = _function_words()
    return (word in english) - (word in others or bool(_OWN_LETTER.search(word)))


@cache
def _function_words() -> tuple[frozenset[str], frozenset[str]]:
    """The small words of English and those of all other languages listed."""
    lines = (
        files("nlp").joinpath("data/function_words.txt").read_text(encoding="utf-8").splitlines()
    )
    lists = {
        name: words.split()
        for name, _, words in (line.partition(":") for line in lines if line[:1] not in ("", "#"))
    }
    return frozenset(lists.pop("en")), frozenset(word for words in lists.values() for word in words)
