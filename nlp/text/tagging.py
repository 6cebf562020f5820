"""Part of speech and lemma of words, Chinese and English by one tagger that sees both in their context.

The tagger is a spaCy pipeline (`tok2vec` and `tagger`, universal tags as of https://universaldependencies.org/u/pos/) and the
lemmas a table of endings; `python -m training.words` makes both from treebanks.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from folate.core.text import HAN_RANGES, contains_chinese
from nlp.text.dictionary import WordDictionary, load_dictionary
from nlp.text.language import identify_language
from nlp.text.normalize import normalize_text
from nlp.text.patterns import ASCII_EMOTICON, BRACKET_EMOTICON, EMOJI, HASHTAG
from nlp.text.segment import Segmenter, Token

if TYPE_CHECKING:
    from spacy.language import Language

TAGGER_FOLDER = Path(__file__).parents[1] / "models" / "words"
LEMMA_RULES_FILE = "lemmas.json"
MAX_ENDING_LENGTH = 6
"""Letters of the longest ending that a rule of lemmas looks at."""
_AT_ONCE = 400  # tokens the tagger sees together: bounds its memory whatever the text

LemmaRules = dict[str, dict[str, tuple[int, str]]]
"""Part of speech -> ending -> letters to take off and letters to put on; `^` begins an ending that is a whole word."""


class TaggedWord(NamedTuple):
    """A token (`text` stands at code points `start` to `end`), its universal part of speech and its lemma in normal form.

    The last two are None in texts that are neither Chinese nor English.
    """

    text: str
    start: int
    end: int
    pos: str | None
    lemma: str | None


class WordTagger:
    """Words of a segmenter, tagged. `names` (those of brands and products) are proper nouns wherever they stand as one token."""

    def __init__(
        self, segmenter: Segmenter, proper_nouns: Iterable[str] = (), folder: Path = TAGGER_FOLDER
    ) -> None:
        self.segmenter = segmenter
        self._names = frozenset(map(normalize_text, proper_nouns))
        self._folder = folder

    def tag_words(self, texts: Sequence[str]) -> list[list[TaggedWord]]:
        """The words of each text. The tagger is loaded when the first text comes."""
        tokens = [self.segmenter.tokens(text) for text in texts]
        tags = iter(_tags(load_tagger(self._folder), tokens))
        words = [[self._word(token, next(tags)) for token in its] for its in tokens]
        return [
            [word._replace(pos=None, lemma=None) for word in its]
            if identify_language(text) == "other"
            else its
            for text, its in zip(texts, words, strict=True)
        ]

    def _word(self, token: Token, tag: str) -> TaggedWord:
        normal = normalize_text(token.text)
        pos = "PROPN" if normal in self._names else _evident(token.text) or _spoken(normal, tag)
        return TaggedWord(*token, pos, lemmatize(normal, pos, load_lemma_rules(self._folder)))


def _tags(language: "Language", texts: Sequence[Sequence[Token]]) -> list[str]:
    """The tags of all tokens, one after the other."""
    from spacy.tokens import Doc

    with language.memory_zone():  # spaCy would keep every word it ever saw
        docs = [Doc(language.vocab, *_written(part)) for tokens in texts for part in _parts(tokens)]
        return [token.tag_ for doc in language.pipe(docs) for token in doc[:-1]]


def _parts(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    return (tokens[start : start + _AT_ONCE] for start in range(0, len(tokens), _AT_ONCE))


def _written(tokens: Sequence[Token]) -> tuple[list[str], list[bool]]:
    """Words and whether a space follows each, and a full stop: sentences of treebanks have one, and their tagger takes what is last for it.

    Lone surrogates, which spaCy can't keep, become U+FFFD.
    """
    following = [token.start for token in tokens[1:]]
    spaces = [token.end < start for token, start in zip(tokens, following, strict=False)]
    return [*(_SURROGATES.sub("\ufffd", token.text) for token in tokens), "."], [
        *spaces,
        False,
        False,
    ]


_SURROGATES = re.compile("[\ud800-\udfff]")
_MARKS = "[。，、；：？！…—·《》〈〉「」『』【】（）“”‘’]+"
_EVIDENT = re.compile(
    f"(?P<PROPN>(?=.*[{HAN_RANGES}])(?:{HASHTAG}))|(?P<SYM>{BRACKET_EMOTICON}|(?:{EMOJI})++|{ASCII_EMOTICON})|(?P<PUNCT>{_MARKS})",
    re.IGNORECASE,
)


def _evident(text: str) -> str | None:
    """What treebanks have too few of: Chinese hashtags are PROPN, emoji and emoticons SYM, Chinese marks PUNCT."""
    match = _EVIDENT.fullmatch(text)
    return match.lastgroup if match else None


@cache
def load_lemma_rules(folder: Path) -> LemmaRules:
    """The rules of lemmas in a folder that training wrote."""
    endings: LemmaRules = json.loads((folder / LEMMA_RULES_FILE).read_text(encoding="utf-8"))
    return endings


_DICTIONARY = {
    "a": "ADJ", "b": "ADJ", "z": "ADJ", "c": "CCONJ", "d": "ADV", "e": "INTJ", "o": "INTJ", "m": "NUM", "p": "ADP", "r": "PRON",
    "u": "PART", "y": "PART", "v": "VERB",
}  # fmt: skip
"""First letter of a tag in jieba's dictionary -> part of speech; NOUN for the rest."""


def _spoken(normal: str, tag: str) -> str:
    """The tag, unless it says of a Chinese word that it is no word: encyclopedias, which the tagger learnt from, end in no 吗 or 了."""
    return (
        _DICTIONARY.get(dictionary_tag(normal)[:1], "NOUN")
        if tag in _NO_WORDS and contains_chinese(normal)
        else tag
    )


_NO_WORDS = {"X", "PUNCT", "SYM"}


def lemmatize(normal: str, pos: str, lemma_rules: LemmaRules) -> str:
    """The lemma of a word in normal form: by the longest ending known for its part of speech; Chinese words are their own."""
    rules = lemma_rules.get(pos, {})
    for ending in lemma_rule_keys(normal):
        if ending in rules:
            cut, added = rules[ending]
            return normal[: len(normal) - cut] + added
    return normal


def lemma_rule_keys(normal: str) -> Iterator[str]:
    """What rules of lemmas may know a word by: the whole of it (`^feet`), then its endings, longer ones first."""
    yield f"^{normal}"
    yield from (normal[-size:] for size in range(min(MAX_ENDING_LENGTH, len(normal) - 1), 0, -1))


@cache
def load_tagger(folder: Path) -> "Language":
    """The pipeline in a folder that training wrote."""
    import spacy

    language = spacy.load(folder)
    language.vocab.lex_attr_getters |= lexical_attribute_getters()
    return language


def lexical_attribute_getters() -> dict[int, Any]:
    """What the tagger sees of a word: its normal form, first and last letters, and its shape.

    Of a Chinese word the shape is its tag in jieba's dictionary (https://github.com/fxsj/jieba: `n` noun, `nr` person, `v` verb, …),
    which knows 350,000 words where a treebank has 17,000.
    """
    from spacy.attrs import NORM, PREFIX, SHAPE, SUFFIX
    from spacy.lang.lex_attrs import word_shape

    return {
        NORM: normalize_text,
        PREFIX: lambda word: normalize_text(word)[:1],
        SUFFIX: lambda word: normalize_text(word)[-1 if contains_chinese(word) else -3 :],
        SHAPE: lambda word: (
            dictionary_tag(normalize_text(word)) if contains_chinese(word) else word_shape(word)
        ),
    }


@lru_cache(maxsize=65536)
def dictionary_tag(word: str) -> str:
    """The tag of a Chinese word in jieba's dictionary; the tags of its parts, joined, where it is not in there."""
    return "+".join(tag for _, tag in _tag_dictionary().tag(word))


@cache
def _tag_dictionary() -> WordDictionary:
    return load_dictionary()
