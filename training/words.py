"""Train the tagger and the lemma rules: ``python -m training.words --data DIR --out DIR``.

They are used by `nlp.text.tagging`. The data are the training splits of Universal Dependencies of
English (EWT, Tweebank) and Chinese; the dev splits choose the epoch and are what scores are
measured on. Test splits are not used.
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
"""Prefix of the files whose lemmas are used.

UD Chinese has none, and Tweebank's follow another rule (`me` and `n't` are their own lemmas).
"""

_UD2_TAGS = {"CONJ": "CCONJ"}
"""Tags of version 1 of Universal Dependencies, which UD Chinese uses, in version 2."""

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
    """One word of a treebank."""

    form: str
    space_after: bool
    pos: str
    # normalised; None where the treebank has no lemmas
    lemma: str | None


Sentence = list[GoldWord]


def read_conllu(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of a CoNLL-U file; Chinese ones get spaces only between Latin words."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        rows = [
            line.split("\t") for line in block.splitlines() if line and not line.startswith("#")
        ]
        sentence = list(
            _parse_words(
                rows,
                spaced=path.suffix == ".conllu",
                lemmas=path.name.startswith(LEMMA_TREEBANK_PREFIX),
            )
        )
        if sentence:
            yield sentence


def _parse_words(
    rows: Sequence[Sequence[str]], *, spaced: bool, lemmas: bool
) -> Iterator[GoldWord]:
    """Yield the words of a sentence.

    Ranges (`3-4`, `don't`) define the space after the last of their words; empty nodes (`5.1`) are
    left out.
    """
    last = 0
    after = ""
    words = [row for row in rows if row[0].isdigit()]
    follows = [*(row[1] for row in words[1:]), *("" for _ in words[:1])]
    ranges: dict[int, tuple[int, str]] = {}
    for row in rows:
        first, dash, final = row[0].partition("-")
        if dash:
            ranges[int(first)] = (int(final), row[-1])
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
        yield GoldWord(row[1], space if spaced else touching, _UD2_TAGS.get(row[3], row[3]), lemma)


def main() -> None:
    """Train the tagger, then write it and the lemma rules."""
    parser = argparse.ArgumentParser(prog="python -m training.words", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--out", type=Path, required=True, help="where the model folder is written")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="no epoch begins after these"
    )
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()

    training_sentences = [
        sentence for file in TRAIN_TREEBANKS for sentence in read_conllu(options.data / file)
    ]
    dev_treebanks = {
        name: list(read_conllu(options.data / file)) for name, file in DEV_TREEBANKS.items()
    }
    dev_forms: set[tuple[str, ...]] = set()
    for treebank in dev_treebanks.values():
        dev_forms.update(tuple(word.form for word in sentence) for sentence in treebank)
    kept_sentences = [
        sentence
        for sentence in training_sentences
        if tuple(word.form for word in sentence) not in dev_forms
    ]
    dropped_count = len(training_sentences) - len(kept_sentences)
    print(
        f"{len(kept_sentences)} sentences; {dropped_count} that a dev split has too are left out",
        file=sys.stderr,
    )
    train_tagger(
        kept_sentences,
        dev_treebanks,
        options.out,
        epochs=options.epochs,
        seconds=options.minutes * 60,
        seed=options.seed,
    )
    (options.out / LEMMA_RULES_FILE).write_text(
        json.dumps(learn_lemma_rules(kept_sentences), ensure_ascii=False, sort_keys=True, indent=0)
        + "\n",
        encoding="utf-8",
    )


def train_tagger(
    train_sentences: Sequence[Sentence],
    dev_treebanks: Mapping[str, Sequence[Sentence]],
    out: Path,
    *,
    epochs: int,
    seconds: float,
    seed: int,
) -> None:
    """Train the tagger and write the epoch with the best mean accuracy over the dev treebanks."""
    from spacy.util import fix_random_seed, minibatch

    fix_random_seed(seed)
    rng = random.Random(seed)  # noqa: S311 - an order, no secret
    language = _blank_pipeline(train_sentences)
    examples = [_make_example(language, sentence) for sentence in train_sentences]
    optimizer = language.initialize(lambda: examples)
    began, best = time.monotonic(), 0.0
    for epoch in range(epochs):
        if time.monotonic() - began > seconds:
            break
        rng.shuffle(examples)
        for batch in minibatch(examples, 32):
            language.update(batch, sgd=optimizer, drop=0.1)
        with language.use_params(optimizer.averages):
            accuracies = {
                name: tagging_accuracy(language, treebank)
                for name, treebank in dev_treebanks.items()
            }
            mean = sum(accuracies.values()) / len(accuracies)
            if mean > best:
                best = mean
                language.to_disk(out, exclude=["vocab"])
        figures = ", ".join(f"{name} {value:.4f}" for name, value in accuracies.items())
        print(
            f"epoch {epoch + 1}, {(time.monotonic() - began) / 60:.1f} minutes: {figures}",
            file=sys.stderr,
            flush=True,
        )


def _blank_pipeline(sentences: Sequence[Sentence]) -> Language:
    import spacy

    language = spacy.blank("xx")
    language.vocab.lex_attr_getters |= lexical_attribute_getters()
    architecture = {"@architectures": "spacy.Tagger.v2", "tok2vec": TOK2VEC_CONFIG}
    tagger = language.add_pipe("tagger", config={"model": architecture})
    tags: set[str] = set()
    for sentence in sentences:
        tags.update(word.pos for word in sentence)
    for pos in sorted(tags):
        tagger.add_label(pos)
    return language


def _make_example(language: Language, sentence: Sentence) -> Example:
    from spacy.tokens import Doc
    from spacy.training import Example

    words = [word.form for word in sentence]
    spaces = [word.space_after for word in sentence]
    reference = Doc(language.vocab, words, spaces, tags=[word.pos for word in sentence])
    return Example(Doc(language.vocab, words, spaces), reference)


def tagging_accuracy(language: Language, sentences: Sequence[Sentence]) -> float:
    """Return the share of gold words that are tagged correctly."""
    from spacy.tokens import Doc

    docs = []
    for sentence in sentences:
        words = [word.form for word in sentence]
        spaces = [word.space_after for word in sentence]
        docs.append(Doc(language.vocab, words, spaces))
    hits: list[bool] = []
    for doc, sentence in zip(language.pipe(docs), sentences, strict=True):
        hits += [token.tag_ == word.pos for token, word in zip(doc, sentence, strict=True)]
    return sum(hits) / len(hits)


def learn_lemma_rules(sentences: Sequence[Sentence]) -> LemmaRules:
    """Learn lemma rules: for every ending the most frequent change of forms to lemmas.

    A rule is left out where a shorter ending implies it; a rule for a whole word needs no minimum
    count, one for an ending needs two words.
    """
    changes: defaultdict[str, defaultdict[str, Counter[tuple[int, str]]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    for sentence in sentences:
        for word in sentence:
            if word.lemma is not None:
                form = normalize_text(word.form)
                for ending in lemma_rule_keys(form):
                    changes[word.pos][ending][_lemma_change(form, word.lemma)] += 1
    return {
        pos: _keep_needed_rules(changes_by_ending) for pos, changes_by_ending in changes.items()
    }


def _lemma_change(form: str, lemma: str) -> tuple[int, str]:
    """Return how many characters to remove from the form, and what to append, to get the lemma."""
    shared = 0
    while shared < min(len(form), len(lemma)) and form[shared] == lemma[shared]:
        shared += 1
    return len(form) - shared, lemma[shared:]


def _keep_needed_rules(
    changes_by_ending: Mapping[str, Counter[tuple[int, str]]],
) -> dict[str, tuple[int, str]]:
    rules: dict[str, tuple[int, str]] = {}
    for ending in sorted(
        changes_by_ending, key=lambda ending: (ending.startswith("^"), len(ending), ending)
    ):
        change, count = max(changes_by_ending[ending].items(), key=lambda pair: (pair[1], pair[0]))
        shorter = (
            rules[ending_part]
            for ending_part in list(lemma_rule_keys(ending.removeprefix("^")))[1:]
            if ending_part in rules
        )
        if change != next(shorter, (0, "")) and (count > 1 or ending.startswith("^")):
            rules[ending] = change
    return rules


@dataclass(frozen=True)
class WordScore:
    """A score of word segmentation, tags or lemmas."""

    score: Score
    language: str
    # by name, scores of baselines on the same words
    baselines: dict[str, float]
    # share of gold words that the segmenter cuts too, on which alone tags and lemmas are compared;
    # None where segmentation itself is scored
    aligned_share: float | None = None


def score_word_analysis(data: Path) -> list[WordScore]:
    """Score tags, lemmas and segmentation on dev splits, beside baselines.

    Tags and lemmas are scored on the treebanks, beside the form's most frequent one in training;
    segmentation as the F1 of words on Weibo, beside jieba. Sets that ``data`` lacks are left out.
    """
    training_sentences: list[Sentence] = []
    for file in TRAIN_TREEBANKS:
        if (data / file).is_file():
            training_sentences += read_conllu(data / file)
    scores: list[WordScore] = []
    for name, file in DEV_TREEBANKS.items():
        if (data / file).is_file():
            scores += _score_treebank(name, list(read_conllu(data / file)), training_sentences)
    if (data / WEIBO_SEGMENTATION_FILE).is_file():
        scores.append(_score_weibo_segmentation(data / WEIBO_SEGMENTATION_FILE))
    return scores


def _score_treebank(
    name: str, dev_sentences: Sequence[Sentence], training_sentences: Sequence[Sentence]
) -> list[WordScore]:
    tagged_sentences = WordTagger(Segmenter()).tag_words(
        [sentence_text(sentence) for sentence in dev_sentences]
    )
    pairs: list[tuple[GoldWord, TaggedWord]] = []
    for sentence, words in zip(dev_sentences, tagged_sentences, strict=True):
        pairs += _align_words(sentence, words)
    language = "zh" if name in CHINESE_TREEBANKS else "en"
    aligned_share = len(pairs) / sum(map(len, dev_sentences))
    training_words = [word for sentence in training_sentences for word in sentence]
    frequent_tags = _most_frequent_value((word.form.lower(), word.pos) for word in training_words)
    tags = [
        (gold.pos, word.pos, {"most frequent": frequent_tags.get(gold.form.lower(), "NOUN")})
        for gold, word in pairs
    ]
    if language == "zh":
        frequent_jieba_tags = _most_frequent_value(
            (dictionary_tag(word.form), word.pos) for word in training_words
        )
        for (gold, _), (_, _, guesses) in zip(pairs, tags, strict=True):
            guesses["jieba's tag"] = frequent_jieba_tags.get(dictionary_tag(gold.form), "NOUN")
    frequent_lemmas = _most_frequent_value(
        (normalize_text(word.form), word.lemma) for word in training_words if word.lemma is not None
    )
    forms = [
        (normalize_text(gold.form), gold, word) for gold, word in pairs if gold.lemma is not None
    ]
    lemmas = [
        (gold.lemma, word.lemma, {"most frequent": frequent_lemmas.get(form, form)})
        for form, gold, word in forms
    ]
    scored: dict[str, Sequence[ScoredAnswer]] = {"part of speech": tags, "lemma": lemmas}
    return [
        _score_answers(f"{name} {task}", language, answers, aligned_share)
        for task, answers in scored.items()
        if answers
    ]


ScoredAnswer = tuple[str | None, str | None, dict[str, str]]
"""The right answer, our prediction, and the prediction of each baseline."""


def _score_answers(
    name: str, language: str, answers: Sequence[ScoredAnswer], aligned_share: float
) -> WordScore:
    hits = [prediction == label for label, prediction, _ in answers]
    baselines = {
        baseline: sum(
            baseline_predictions[baseline] == label for label, _, baseline_predictions in answers
        )
        / len(answers)
        for baseline in answers[0][2]
    }
    return WordScore(
        bootstrap_score(name, accuracy, [1] * len(hits), hits), language, baselines, aligned_share
    )


def sentence_text(sentence: Sentence) -> str:
    """Return the text of a sentence."""
    return "".join(word.form + " " * word.space_after for word in sentence)


def _align_words(
    sentence: Sentence, words: Sequence[TaggedWord]
) -> Iterator[tuple[GoldWord, TaggedWord]]:
    """Yield pairs of a gold word and our word with the same span."""
    words_by_span = {(word.start, word.end): word for word in words}
    start = 0
    for gold in sentence:
        end = start + len(gold.form)
        if (start, end) in words_by_span:
            yield gold, words_by_span[start, end]
        start = end + gold.space_after


def _most_frequent_value(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for form, value in pairs:
        counts[form][value] += 1
    return {
        form: max(sorted(value_counts), key=value_counts.__getitem__)
        for form, value_counts in counts.items()
    }


def _score_weibo_segmentation(path: Path) -> WordScore:
    import jieba

    jieba.setLogLevel("WARNING")
    segmenter = Segmenter()
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    our_rows = []
    jieba_rows = []
    for line in lines:
        text = "".join(line)
        our_rows.append(_count_words(line, [token.text for token in segmenter.tokens(text)]))
        jieba_rows.append(_count_words(line, jieba.lcut(text)))
    our_counts = np.array(our_rows)
    jieba_counts = np.array(jieba_rows)
    rng = np.random.default_rng(0)
    draws = [
        _f1_of_counts(our_counts[rng.integers(0, len(our_counts), len(our_counts))])
        for _ in range(1000)
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    return WordScore(
        Score(
            "NLPCC 2016 Weibo words",
            "F1",
            len(lines),
            _f1_of_counts(our_counts),
            float(low),
            float(high),
        ),
        "zh",
        {"jieba": _f1_of_counts(jieba_counts)},
    )


def _count_words(gold: Sequence[str], predicted: Sequence[str]) -> tuple[int, int, int]:
    """Count the words of one line that are right, gold, and predicted."""
    return len(_word_spans(gold) & _word_spans(predicted)), len(gold), len(predicted)


def _word_spans(words: Sequence[str]) -> set[tuple[int, int]]:
    ends = list(accumulate(map(len, words)))
    return set(zip([0, *ends], ends, strict=False))


def _f1_of_counts(counts: NDArray[np.int_]) -> float:
    right, gold, predicted = counts.sum(0)
    return float(2 * right / (gold + predicted))


if __name__ == "__main__":
    main()
