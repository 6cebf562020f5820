"""Language of a short text: Chinese, English, both, or another; the language of a model."""

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from folate.core.text import HAN_RANGES, contains_chinese
from nlp.text.normalize import FoldedText, fold_once
from nlp.text.patterns import BRACKET_EMOTICON, HANDLE, KANA_RANGES, URL

if TYPE_CHECKING:
    from nlp.text.batches import FoldedBatch

LanguageCode = Literal["zh", "en", "mixed", "other"]

MODEL_LANGUAGES = ("zh", "en")
"""Languages for which a model has a calibration of its own."""

# Not counted: addresses, account names, emoticons, and a foreign title in a Chinese sentence.
_NOT_COUNTED = re.compile(f"{URL}|{HANDLE}|{BRACKET_EMOTICON}|《[^》{HAN_RANGES}]{{1,60}}》")
MAY_NOT_COUNT = r"[@.:\[《]"
"""A character that each of them has."""

_MAY_NOT_COUNT = re.compile(MAY_NOT_COUNT)
_HAN = re.compile(f"[{HAN_RANGES}]+")
_KANA = re.compile(f"[{KANA_RANGES}]+")
LATIN_LETTERS = "a-z\u00df-\u00f6\u00f8-\u024f"
"""Small Latin letters, for the inside of a character class."""

ANY_LETTER = r"[^\W\d_]"
"""Expression for a letter of any script."""

_LATIN = re.compile(f"[{LATIN_LETTERS}]+(?:'[a-z]+)?")
_LETTER = re.compile(f"{ANY_LETTER}+")
# Letters that English has in loan words only.
_FOREIGN_LETTER = re.compile("[\u00df-\u00f6\u00f8-\u024f]")
_CHINESE_FUNCTION_WORD = re.compile(
    "[的了是我你他她这那不在有就也很都和吗呢吧啊着被把给让跟没说看想要会能太真]"
)
# English function words less foreign ones that make a clause; a name has fewer.
_MIN_CLAUSE_EVIDENCE = 2
_LINK_OR_ACCOUNT = re.compile(rf"{URL}|[@＠][\w-]+", re.IGNORECASE)
_HAN_OR_LATIN_LETTER = re.compile(f"[a-zA-Z\u00c0-\u024f\uff21-\uff5a{HAN_RANGES}]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def identify_language(text: str | FoldedText) -> LanguageCode:
    """Return the language of a text: `zh`, `en`, `mixed` or `other`.

    `zh` is Chinese in simplified or traditional characters; `mixed` needs a clause of each; `other`
    is also a text without words. A name does not make a text mixed: `买了iPhone很好用` is zh,
    `I love 螺蛳粉` is en. Links, @names and emoticons are not counted.
    """
    counted = fold_once(text).folded_in_place()
    if _MAY_NOT_COUNT.search(counted):
        counted = _NOT_COUNTED.sub(" ", counted)
    han = _count_characters(_HAN, counted)
    kana = _count_characters(_KANA, counted)
    letters = _count_characters(_LETTER, counted)
    latin_words = _LATIN.findall(counted)
    latin = sum(len(word) - ("'" in word) for word in latin_words)
    foreign = letters - han - latin
    if not letters or foreign * 2 > letters or kana * 5 > han:
        return "other"
    evidence = sum(map(_english_evidence, latin_words))
    if not han:
        return "en" if evidence >= 0 else "other"
    if evidence < _MIN_CLAUSE_EVIDENCE or len(latin_words) * 4 < han:
        return "zh"
    if _CHINESE_FUNCTION_WORD.search(counted):
        return "mixed"
    return "en" if han < 2 * len(latin_words) else "zh"


def identify_languages(batch: "FoldedBatch") -> list[LanguageCode]:
    """Return the language of many texts as `identify_language` does, by compiled code."""
    from nlp.text.characters import character_flags
    from nlp.text.compiled_words import CHINESE, UNDECIDED, decide_languages

    decisions = decide_languages(batch.codes, batch.offsets, character_flags()).tolist()
    languages: list[LanguageCode] = []
    for text, decision in zip(batch.texts, decisions, strict=True):
        if decision == UNDECIDED or text.plain.starts is not None:
            languages.append(identify_language(text))
        else:
            languages.append("zh" if decision == CHINESE else "other")
    return languages


def is_readable(text: str) -> bool:
    """Return whether a text has words of a language that Folate supports.

    At least half of its letters must be Han or Latin, without links and account names.

    >>> is_readable("好吃"), is_readable("ok"), is_readable("😀😀"), is_readable("es muy bueno")
    (True, True, False, False)
    """
    words = _LINK_OR_ACCOUNT.sub(" ", text)
    letter_count = sum(map(str.isalpha, words))
    if not letter_count or 2 * len(_HAN_OR_LATIN_LETTER.findall(words)) < letter_count:
        return False
    # Chinese characters without kana are Chinese: `identify_language` is not needed.
    if contains_chinese(words) and not _KANA.search(words):
        return True
    return identify_language(text) != "other"


def model_language(text: str) -> str:
    """Return the language whose calibration a text gets: ``zh`` with a Han character or ``en``."""
    return "zh" if contains_chinese(text) else "en"


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates, which no tokenizer accepts, one by one: offsets don't change."""
    return _SURROGATE.sub("\ufffd", text)


def _count_characters(runs: re.Pattern[str], text: str) -> int:
    return sum(map(len, runs.findall(text)))


def _english_evidence(word: str) -> int:
    """Return 1 for a function word of English alone, -1 for one of other languages, else 0."""
    english, other_languages = _function_words()
    return (word in english) - (word in other_languages or bool(_FOREIGN_LETTER.search(word)))


@cache
def _function_words() -> tuple[frozenset[str], frozenset[str]]:
    """Return the function words of English, and those of all other languages in the list."""
    table = files("nlp").joinpath("data/function_words.txt").read_text(encoding="utf-8")
    english: set[str] = set()
    other_languages: set[str] = set()
    for line in table.splitlines():
        if line and not line.startswith("#"):
            language, _, words = line.partition(":")
            (english if language == "en" else other_languages).update(words.split())
    return frozenset(english), frozenset(other_languages)
