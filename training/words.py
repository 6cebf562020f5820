"""One command from treebanks to the tagger of nlp/text/tagging.py: ``python -m training.words --data DIR --out DIR``.

Universal Dependencies of English (EWT, Tweebank) and Chinese, training splits; the dev splits choose the epoch and are what `scores`
is measured on. Test splits are not read.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nlp.text.normalize import normalize_text
from nlp.text.segment import Segmenter
from nlp.text.tagging import (
    LEMMA_RULES_FILE,
    LemmaRules,
    TaggedWord,
    WordTagger,
    dictionary_tag,
    lemma_rule_keys,
    lexical_attribute_getters,
)
from training.scores import Score, accuracy, bootstrap_score

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from spacy.language import Language
    from spacy.training import Example

TRAIN_TREEBANKS = (
    "ud_english/ewt_train.conllu",
    "ud_english/tweebank_train.conllu",
    "zh_seg_extra/CWS/udc/train.conll",
)
DEV_TREEBANKS = {
    "EWT": "ud_english/ewt_dev.conllu",
    "Tweebank": "ud_english/tweebank_dev.conllu",
    "UD Chinese": "zh_seg_extra/CWS/udc/dev.conll",
}
CHINESE_TREEBANKS = ("UD Chinese",)
WEIBO_SEGMENTATION_FILE = "nlpcc2016_weibo_seg/nlpcc2016-wordseg-dev.dat"
LEMMA_TREEBANK_PREFIX = "ewt"
"""How the files begin whose lemmas count: UD Chinese has none, and those of Tweebank follow another rule (`me` and `n't` are their own)."""

_RENAMED = {"CONJ": "CCONJ"}  # version 1 of Universal Dependencies, in which UD Chinese is written
TOK2VEC_CONFIG: dict[str, Any] = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy.MultiHashEmbed.v2",
        "width": 64,
        "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
        "rows": [3000, 1000, 1500, 500],
        "include_static_vectors": False,
    },
    "encode": {
        "@architectures": "spacy.MaxoutWindowEncoder.v2",
        "width": 64,
        "depth": 4,
        "window_size": 1,
        "maxout_pieces": 3,
    },
}


class GoldWord(NamedTuple):
    """One word of a treebank; ``lemma`` in normal form, None where the treebank gives none."""

    form: str
    space_after: bool
    pos: str
    lemma: str | None


Sentence = list[GoldWord]


def read_conllu(path: Path) -> Iterator[Sentence]:
    """The sentences of a CoNLL-U file. Chinese ones have spaces only where letters would touch."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        rows = [
            line.split("\t") for line in block.splitlines() if line and not line.startswith("#")
        ]
        sentence = list(
            _words(
                rows,
                spaced=path.suffix == ".conllu",
                lemmas=path.name.startswith(LEMMA_TREEBANK_PREFIX),
            )
        )
        if sentence:
            yield sentence


def _words(rows: Sequence[Sequence[str]], *, spaced: bool, lemmas: bool) -> Iterator[GoldWord]:
    """Ranges (`3-4`, `don't`) say what follows the last of their words; empty nodes (`5.1`) are left out."""
    last, after = 0, ""
    words = [row for row in rows if row[0].isdigit()]
    follows = [*(row[1] for row in words[1:]), *("" for _ in words[:1])]
    ranges = {
        int(first): (int(final), row[-1])
        for row in rows
        for first, dash, final in [row[0].partition("-")]
        if dash
    }
    for row, following in zip(words, follows, strict=True):
        number = int(row[0])
        last, after = ranges.get(number, (last, after))
        space = number >= last and "SpaceAfter" not in (after if number == last else row[-1])
        lemma = normalize_text(row[2]) if lemmas else None
        touching = (
            row[1][-1:].isascii()
            and row[1][-1:].isalnum()
            and following[:1].isascii()
            and following[:1].isalnum()
        )
        yield GoldWord(row[1], space if spaced else touching, _RENAMED.get(row[3], row[3]), lemma)


def main() -> None:
    """Trains the tagger, writes it and the rules of lemmas."""
    parser = argparse.ArgumentParser(prog="python -m training.words", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--out", type=Path, required=True, help="where the model folder is written")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="no epoch begins after these"
    )
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()

    learnt = [sentence for file in TRAIN_TREEBANKS for sentence in read_conllu(options.data / file)]
    asked = {name: list(read_conllu(options.data / file)) for name, file in DEV_TREEBANKS.items()}
    dev = {tuple(word.form for word in sentence) for part in asked.values() for sentence in part}
    kept = [sentence for sentence in learnt if tuple(word.form for word in sentence) not in dev]
    print(
        f"{len(kept)} sentences; {len(learnt) - len(kept)} that a dev split has too are left out",
        file=sys.stderr,
    )
    train_tagger(kept, asked, options.out, options.epochs, options.minutes * 60, options.seed)
    (options.out / LEMMA_RULES_FILE).write_text(
        json.dumps(learn_lemma_rules(kept), ensure_ascii=False, sort_keys=True, indent=0) + "\n",
        encoding="utf-8",
    )


def train_tagger(
    train_sentences: Sequence[Sentence],
    dev_treebanks: Mapping[str, Sequence[Sentence]],
    out: Path,
    epochs: int,
    seconds: float,
    seed: int,
) -> None:
    """Train the tagger and write that of the epoch which tags the dev splits best, each of them counting alike."""
    from spacy.util import fix_random_seed, minibatch

    fix_random_seed(seed)
    order = random.Random(seed)  # noqa: S311 - an order, no secret
    language = _blank(train_sentences)
    examples = [_example(language, sentence) for sentence in train_sentences]
    optimizer = language.initialize(lambda: examples)
    began, best = time.monotonic(), 0.0
    for epoch in range(epochs):
        if time.monotonic() - began > seconds:
            break
        order.shuffle(examples)
        for batch in minibatch(examples, 32):
            language.update(batch, sgd=optimizer, drop=0.1)
        with language.use_params(optimizer.averages):
            right = {name: tagging_accuracy(language, part) for name, part in dev_treebanks.items()}
            mean = sum(right.values()) / len(right)
            if mean > best:
                best = mean
                language.to_disk(out, exclude=["vocab"])
        figures = ", ".join(f"{name} {value:.4f}" for name, value in right.items())
        print(
            f"epoch {epoch + 1}, {(time.monotonic() - began) / 60:.1f} minutes: {figures}",
            file=sys.stderr,
            flush=True,
        )


def _blank(learnt: Sequence[Sentence]) -> Language:
    import spacy

    language = spacy.blank("xx")
    language.vocab.lex_attr_getters |= lexical_attribute_getters()
    listener = {"@architectures": "spacy.Tagger.v2", "tok2vec": TOK2VEC_CONFIG}
    tagger = language.add_pipe("tagger", config={"model": listener})
    for pos in sorted({word.pos for sentence in learnt for word in sentence}):
        tagger.add_label(pos)
    return language


def _example(language: Language, sentence: Sentence) -> Example:
    from spacy.tokens import Doc
    from spacy.training import Example

    words, spaces = [word.form for word in sentence], [word.space_after for word in sentence]
    reference = Doc(language.vocab, words, spaces, tags=[word.pos for word in sentence])
    return Example(Doc(language.vocab, words, spaces), reference)


def tagging_accuracy(language: Language, asked: Sequence[Sentence]) -> float:
    """The share of gold words that are tagged right."""
    from spacy.tokens import Doc

    docs = [
        Doc(
            language.vocab,
            [word.form for word in sentence],
            [word.space_after for word in sentence],
        )
        for sentence in asked
    ]
    hits: list[bool] = [
        token.tag_ == word.pos
        for doc, sentence in zip(language.pipe(docs), asked, strict=True)
        for token, word in zip(doc, sentence, strict=True)
    ]
    return sum(hits) / len(hits)


def learn_lemma_rules(learnt: Sequence[Sentence]) -> LemmaRules:
    """Rules of lemmas: for every ending the change most frequent under it, where it is not what a shorter ending says already.

    Of a whole word seen once only, nothing is kept that its ending says.
    """
    changes: defaultdict[str, defaultdict[str, Counter[tuple[int, str]]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    for sentence in learnt:
        for word in sentence:
            if word.lemma is not None:
                form = normalize_text(word.form)
                for ending in lemma_rule_keys(form):
                    changes[word.pos][ending][_change(form, word.lemma)] += 1
    return {pos: _needed(under) for pos, under in changes.items()}


def _change(form: str, lemma: str) -> tuple[int, str]:
    """What to take off and put on to make the lemma of the form."""
    shared = 0
    while shared < min(len(form), len(lemma)) and form[shared] == lemma[shared]:
        shared += 1
    return len(form) - shared, lemma[shared:]


def _needed(under: Mapping[str, Counter[tuple[int, str]]]) -> dict[str, tuple[int, str]]:
    rules: dict[str, tuple[int, str]] = {}
    for ending in sorted(under, key=lambda ending: (ending.startswith("^"), len(ending), ending)):
        change, count = max(under[ending].items(), key=lambda pair: (pair[1], pair[0]))
        shorter = (
            rules[part]
            for part in list(lemma_rule_keys(ending.removeprefix("^")))[1:]
            if part in rules
        )
        if change != next(shorter, (0, "")) and (count > 1 or ending.startswith("^")):
            rules[ending] = change
    return rules


@dataclass(frozen=True)
class WordScore:
    """A score of words: ``beside``, what baselines get on the same words; ``aligned``, the share of gold words that the segmenter cuts
    too, on which alone tags and lemmas are compared (None where the words themselves are what is scored).
    """

    score: Score
    language: str
    baselines: dict[str, float]
    aligned_share: float | None = None


def score_word_analysis(data: Path) -> list[WordScore]:
    """Parts of speech and lemmas on the dev splits of the treebanks beside the form's most frequent one in training, and the F1 of words
    on Weibo's dev split beside jieba's. Sets that `data` lacks are left out.
    """
    learnt = [
        sentence
        for file in TRAIN_TREEBANKS
        if (data / file).is_file()
        for sentence in read_conllu(data / file)
    ]
    made = []
    for name, file in DEV_TREEBANKS.items():
        if (data / file).is_file():
            made += _treebank(name, list(read_conllu(data / file)), learnt)
    return (
        [*made, _weibo(data / WEIBO_SEGMENTATION_FILE)]
        if (data / WEIBO_SEGMENTATION_FILE).is_file()
        else made
    )


def _treebank(name: str, asked: Sequence[Sentence], learnt: Sequence[Sentence]) -> list[WordScore]:
    read = WordTagger(Segmenter()).tag_words([sentence_text(sentence) for sentence in asked])
    pairs = [
        pair
        for sentence, words in zip(asked, read, strict=True)
        for pair in _aligned(sentence, words)
    ]
    language, aligned = (
        "zh" if name in CHINESE_TREEBANKS else "en",
        len(pairs) / sum(map(len, asked)),
    )
    taught = [word for sentence in learnt for word in sentence]
    guess = _most_frequent((word.form.lower(), word.pos) for word in taught)
    tags = [
        (gold.pos, word.pos, {"most frequent": guess.get(gold.form.lower(), "NOUN")})
        for gold, word in pairs
    ]
    if language == "zh":
        flags = _most_frequent((dictionary_tag(word.form), word.pos) for word in taught)
        for (gold, _), (_, _, guesses) in zip(pairs, tags, strict=True):
            guesses["jieba's tag"] = flags.get(dictionary_tag(gold.form), "NOUN")
    known = _most_frequent(
        (normalize_text(word.form), word.lemma) for word in taught if word.lemma is not None
    )
    forms = [
        (normalize_text(gold.form), gold, word) for gold, word in pairs if gold.lemma is not None
    ]
    lemmas = [
        (gold.lemma, word.lemma, {"most frequent": known.get(form, form)})
        for form, gold, word in forms
    ]
    scored: dict[str, Sequence[ScoredAnswer]] = {"part of speech": tags, "lemma": lemmas}
    return [
        _score(f"{name} {what}", language, answers, aligned)
        for what, answers in scored.items()
        if answers
    ]


ScoredAnswer = tuple[str | None, str | None, dict[str, str]]
"""What is right, what we say, and what each baseline says."""


def _score(name: str, language: str, answers: Sequence[ScoredAnswer], aligned: float) -> WordScore:
    ours = [said == right for right, said, _ in answers]
    beside = {
        peer: sum(guess[peer] == right for right, _, guess in answers) / len(answers)
        for peer in answers[0][2]
    }
    return WordScore(
        bootstrap_score(name, accuracy, [1] * len(ours), ours), language, beside, aligned
    )


def sentence_text(sentence: Sentence) -> str:
    """The text of a sentence."""
    return "".join(word.form + " " * word.space_after for word in sentence)


def _aligned(
    sentence: Sentence, words: Sequence[TaggedWord]
) -> Iterator[tuple[GoldWord, TaggedWord]]:
    """Gold words and ours that stand at the same place."""
    ours = {(word.start, word.end): word for word in words}
    start = 0
    for gold in sentence:
        end = start + len(gold.form)
        if (start, end) in ours:
            yield gold, ours[start, end]
        start = end + gold.space_after


def _most_frequent(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for form, value in pairs:
        counts[form][value] += 1
    return {form: max(sorted(under), key=under.__getitem__) for form, under in counts.items()}


def _weibo(path: Path) -> WordScore:
    import jieba

    jieba.setLogLevel("WARNING")
    segmenter = Segmenter()
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    ours = np.array(
        [_counts(line, [token.text for token in segmenter.tokens("".join(line))]) for line in lines]
    )
    peer = np.array([_counts(line, jieba.lcut("".join(line))) for line in lines])
    rng = np.random.default_rng(0)
    draws = [_f1(ours[rng.integers(0, len(ours), len(ours))]) for _ in range(1000)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return WordScore(
        Score("NLPCC 2016 Weibo words", "F1", len(lines), _f1(ours), float(low), float(high)),
        "zh",
        {"jieba": _f1(peer)},
    )


def _counts(gold: Sequence[str], cut: Sequence[str]) -> tuple[int, int, int]:
    """Words of one line that are right, wanted, cut."""
    return len(_places(gold) & _places(cut)), len(gold), len(cut)


def _places(words: Sequence[str]) -> set[tuple[int, int]]:
    ends = list(accumulate(map(len, words)))
    return set(zip([0, *ends], ends, strict=False))


def _f1(counts: NDArray[np.int_]) -> float:
    right, wanted, cut = counts.sum(0)
    return float(2 * right / (wanted + cut))


if __name__ == "__main__":
    main()
