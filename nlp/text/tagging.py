"""Parts of speech and lemmas of words, Chinese and English by one tagger that sees context.

The tagger is a spaCy pipeline (`tok2vec` and `tagger`, universal tags as of
https://universaldependencies.org/u/pos/) and the lemmas are a table of endings; `python -m
training.words` learns both from treebanks.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from folate.core.text import HAN_RANGES, contains_chinese
from nlp.text.dictionary import WordDictionary, load_dictionary
from nlp.text.language import identify_language
from nlp.text.normalize import fold_once, normalize_text
from nlp.text.patterns import ASCII_EMOTICON, BRACKET_EMOTICON, EMOJI, HASHTAG
from nlp.text.segment import Segmenter, Token

if TYPE_CHECKING:
    from spacy.language import Language

TAGGER_FOLDER = Path(__file__).parents[1] / "models" / "words"
LEMMA_RULES_FILE = "lemmas.json"
TAGGING_VERSION = "1"
"""Raised when the tags of a word would change otherwise than by the trained files."""
MAX_ENDING_LENGTH = 6
"""Letters of the longest ending in the rules of lemmas."""
_MAX_DOC_TOKENS = 400  # tokens tagged together: bounds memory for texts of any length

LemmaRules = dict[str, dict[str, tuple[int, str]]]
"""Part of speech -> ending -> (number of letters to cut off, letters to append).

`^` begins an ending that is a whole word."""


class TaggedWord(NamedTuple):
    """A token, the code points that it spans, its part of speech and its normalised lemma.

    The last two are None in texts that are neither Chinese nor English.
    """

    text: str
    start: int
    end: int
    pos: str | None
    lemma: str | None


class WordTagger:
    """Tags the words of a segmenter.

    `proper_nouns` (names of brands and products) are proper nouns wherever they are one token. The
    tagger is loaded with the first text.
    """

    def __init__(
        self, segmenter: Segmenter, proper_nouns: Iterable[str] = (), folder: Path = TAGGER_FOLDER
    ) -> None:
        self.segmenter = segmenter
        self._proper_nouns = frozenset(map(normalize_text, proper_nouns))
        self._folder = folder

    def tag_words(self, texts: Sequence[str]) -> list[list[TaggedWord]]:
        """Return the tagged words of each text."""
        folded_texts = [fold_once(text) for text in texts]
        tokens_by_text = [self.segmenter.tokens(text) for text in folded_texts]
        tags = iter(_predict_tags(load_tagger(self._folder), tokens_by_text))
        words_by_text = []
        for text, tokens in zip(folded_texts, tokens_by_text, strict=True):
            words = [self._tagged_word(token, next(tags)) for token in tokens]
            if identify_language(text) == "other":
                words = [word._replace(pos=None, lemma=None) for word in words]
            words_by_text.append(words)
        return words_by_text

    def _tagged_word(self, token: Token, tag: str) -> TaggedWord:
        normal = normalize_text(token.text)
        if normal in self._proper_nouns:
            pos = "PROPN"
        else:
            pos = _tag_by_form(token.text) or _correct_tag(normal, tag)
        return TaggedWord(*token, pos, lemmatize(normal, pos, load_lemma_rules(self._folder)))


def _predict_tags(language: "Language", texts: Sequence[Sequence[Token]]) -> list[str]:
    """Return the tags of all tokens of all texts, in one list."""
    from spacy.tokens import Doc

    with language.memory_zone():  # else spaCy keeps every word for ever
        docs = []
        for tokens in texts:
            docs += [Doc(language.vocab, *_doc_words(part)) for part in _split_tokens(tokens)]
        return [token.tag_ for doc in language.pipe(docs) for token in doc[:-1]]


def _split_tokens(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    return (
        tokens[start : start + _MAX_DOC_TOKENS] for start in range(0, len(tokens), _MAX_DOC_TOKENS)
    )


def _doc_words(tokens: Sequence[Token]) -> tuple[list[str], list[bool]]:
    """Return the words and whether a space follows each, with a full stop at the end.

    Sentences of treebanks end in one, so the tagger takes the last word for it. Lone surrogates,
    which spaCy does not take, become U+FFFD.
    """
    words = [_SURROGATES.sub("\ufffd", token.text) for token in tokens]
    spaces = [token.end < following.start for token, following in pairwise(tokens)]
    return [*words, "."], [*spaces, False, False]


_SURROGATES = re.compile("[\ud800-\udfff]")
_MARKS = "[。，、；：？！…—·《》〈〉「」『』【】（）“”‘’]+"
_TAGS_BY_FORM = re.compile(
    f"(?P<PROPN>(?=.*[{HAN_RANGES}])(?:{HASHTAG}))"
    f"|(?P<SYM>{BRACKET_EMOTICON}|(?:{EMOJI})++|{ASCII_EMOTICON})|(?P<PUNCT>{_MARKS})",
    re.IGNORECASE,
)


def _tag_by_form(text: str) -> str | None:
    """Return the tag of what treebanks have too few of, or None.

    Chinese hashtags are PROPN, emoji and emoticons SYM, Chinese marks PUNCT.
    """
    match = _TAGS_BY_FORM.fullmatch(text)
    return match.lastgroup if match else None


@cache
def tagger_version(folder: Path = TAGGER_FOLDER) -> str:
    """Return the version of tags: that of this module, and a digest of the trained files."""
    digest = blake2b(digest_size=4)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.read_bytes())
    return f"{TAGGING_VERSION}-{digest.hexdigest()}"


@cache
def load_lemma_rules(folder: Path) -> LemmaRules:
    """Load the rules of lemmas from a folder that training wrote."""
    endings: LemmaRules = json.loads((folder / LEMMA_RULES_FILE).read_text(encoding="utf-8"))
    return endings


_POS_BY_DICTIONARY_TAG = {
    "a": "ADJ",
    "b": "ADJ",
    "z": "ADJ",
    "c": "CCONJ",
    "d": "ADV",
    "e": "INTJ",
    "o": "INTJ",
    "m": "NUM",
    "p": "ADP",
    "r": "PRON",
    "u": "PART",
    "y": "PART",
    "v": "VERB",
}
"""First letter of a tag in jieba's dictionary -> part of speech; NOUN for the rest."""


def _correct_tag(normal: str, tag: str) -> str:
    """Return the tag, or that of the dictionary where a Chinese word is tagged as no word.

    The encyclopedias of which the tagger has learnt do not end sentences in 吗 or 了.
    """
    if tag in _NO_WORD_TAGS and contains_chinese(normal):
        return _POS_BY_DICTIONARY_TAG.get(dictionary_tag(normal)[:1], "NOUN")
    return tag


_NO_WORD_TAGS = {"X", "PUNCT", "SYM"}


def lemmatize(normal: str, pos: str, lemma_rules: LemmaRules) -> str:
    """Return the lemma of a word in normal form; Chinese words are their own lemma.

    The longest ending known for the part of speech decides.
    """
    rules = lemma_rules.get(pos, {})
    for ending in lemma_rule_keys(normal):
        if ending in rules:
            cut, added = rules[ending]
            return normal[: len(normal) - cut] + added
    return normal


def lemma_rule_keys(normal: str) -> Iterator[str]:
    """Yield the keys of rules for a word: the whole word (`^feet`), then ever shorter endings."""
    yield f"^{normal}"
    yield from (normal[-size:] for size in range(min(MAX_ENDING_LENGTH, len(normal) - 1), 0, -1))


@cache
def load_tagger(folder: Path) -> "Language":
    """Load the pipeline from a folder that training wrote."""
    import spacy

    language = spacy.load(folder)
    language.vocab.lex_attr_getters |= lexical_attribute_getters()
    return language


def lexical_attribute_getters() -> dict[int, Any]:
    """Return what the tagger sees of a word: normal form, first and last letters, and shape.

    The shape of a Chinese word is its tag in jieba's dictionary (https://github.com/fxsj/jieba: `n`
    noun, `nr` person, `v` verb, …), which knows 350,000 words where a treebank has 17,000.
    """
    from spacy.attrs import NORM, PREFIX, SHAPE, SUFFIX
    from spacy.lang.lex_attrs import word_shape

    def suffix(word: str) -> str:
        length = 1 if contains_chinese(word) else 3
        return normalize_text(word)[-length:]

    def shape(word: str) -> str:
        if contains_chinese(word):
            return dictionary_tag(normalize_text(word))
        return str(word_shape(word))

    return {
        NORM: normalize_text,
        PREFIX: lambda word: normalize_text(word)[:1],
        SUFFIX: suffix,
        SHAPE: shape,
    }


@lru_cache(maxsize=65536)
def dictionary_tag(word: str) -> str:
    """Return the tag of a Chinese word in jieba's dictionary.

    For a word that the dictionary does not have, the tags of its parts joined by +.
    """
    return "+".join(tag for _, tag in _tag_dictionary().tag(word))


@cache
def _tag_dictionary() -> WordDictionary:
    return load_dictionary()
