"""Tags of a taxonomy: by the words that name a label, and by likeness to its examples in the embedding space."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folate.core.config import LEVEL_SEPARATOR, Label
from nlp.model.reader import MODEL_LANGUAGES, model_language
from nlp.text.longest_match import longest_match_pattern
from nlp.text.normalize import fold_text, normalize_text

EmbedTexts = Callable[[Sequence[str]], NDArray[np.float32]]
Floats = NDArray[np.float64]
Vectors = NDArray[np.floating]

# Chosen by `python -m benchmarks.tags`, on the taxonomy's own examples, each left out in turn.
DEFAULT_THRESHOLD = 0.42  # least score of a tag whose posts nobody has judged
NAMED_BONUS = 0.5  # added to the cosine of a label that the post names by one of its words
NAMES_WEIGHT = 2.0  # of the mean of a label's words in its vector; that of its examples has 1
MAX_LABELS = 3  # labels a post, the wider ones that they imply not counted
PRIOR_POSTS = 20  # judged posts that weigh as much as the default does in a learnt threshold

_SHIPPED = Path(__file__).parents[1] / "data" / "consumer_goods.toml"


class TaxonomyTag(NamedTuple):
    """A label of the taxonomy and how well it fits: a cosine, and `NAMED` more where the post names it."""

    tag: str
    score: float


@cache
def default_taxonomy() -> tuple[Label, ...]:
    """The taxonomy of consumer goods: 18 fields, up to four levels, in Chinese and English."""
    entries = tomllib.loads(_SHIPPED.read_text(encoding="utf-8"))["taxonomy"]
    lists = ("names", "synonyms", "examples")
    return tuple(
        Label(label=entry["label"], **{key: tuple(entry.get(key, ())) for key in lists})
        for entry in entries
    )


class TaxonomyTagger:
    """Tags posts with a taxonomy (the shipped one when empty).

    `thresholds`: the least score by label, where one was learnt (`fit_threshold`). `version` changes with whatever changes a tag,
    the encoder behind `embed` excepted.
    """

    def __init__(
        self,
        taxonomy: Sequence[Label],
        embed: EmbedTexts,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        taxonomy, learnt = taxonomy or default_taxonomy(), thresholds or {}
        self.labels = tuple(entry.label for entry in taxonomy)
        self.thresholds: Floats = np.array(
            [learnt.get(label, DEFAULT_THRESHOLD) for label in self.labels]
        )
        self.version = blake2b(
            repr((taxonomy, self.thresholds.tolist())).encode(), digest_size=4
        ).hexdigest()
        self._words, self._owners = _words(taxonomy)
        self._taxonomy, self._embed = taxonomy, embed

    @cached_property
    def _space(self) -> tuple[dict[str, Floats], Floats]:
        """Made when the first posts are to be tagged: it takes a second, and a run often finds none."""
        return _vectors(self._taxonomy, self._embed)

    def assign_tags(
        self, texts: Sequence[str], embeddings: Iterable[Vectors | None]
    ) -> list[list[TaxonomyTag]]:
        """The tags of each text, best first, given its unit vector (d,) from the encoder that `embed` is of, if it has one.

        At most `MOST` labels: the best one, and others that the text names; each brings the wider labels that it stands in.
        """
        scores = self.label_scores(texts, embeddings)
        return [
            self._chosen(row, named)
            for row, named in zip(scores, self.named_labels(texts), strict=True)
        ]

    def label_scores(self, texts: Sequence[str], embeddings: Iterable[Vectors | None]) -> Floats:
        """Cosine of each text with each label (n, k), `NAMED` added where the text names it; a text without a vector has cosine 0."""
        means, labels = self._space
        centred = np.zeros((len(texts), labels.shape[1]))
        for row, (text, vector) in enumerate(zip(texts, embeddings, strict=True)):
            if vector is not None and vector.any():
                centred[row] = vector - means[model_language(text)]
        return np.asarray(_unit(centred) @ labels.T + NAMED_BONUS * self.named_labels(texts))

    def named_labels(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Which labels each text names (n, k)."""
        named = np.zeros((len(texts), len(self.labels)), bool)
        for row, text in enumerate(texts):
            for match in self._words.finditer(fold_text(text)):
                named[row, self._owners[match[0].replace(" ", "")]] = True
        return named

    def _chosen(self, scores: Floats, named: NDArray[np.bool_]) -> list[TaxonomyTag]:
        best = [
            index
            for index in np.argsort(-scores, kind="stable")
            if scores[index] >= self.thresholds[index]
        ]
        chosen = best[:1] + [index for index in best[1:MAX_LABELS] if named[index]]
        found: dict[str, float] = {}
        for index in chosen:
            for label in _wider(self.labels[index]):
                found[label] = max(found.get(label, -1.0), float(scores[index]))
        return [
            TaxonomyTag(label, score)
            for label, score in sorted(found.items(), key=lambda its: (-its[1], its[0]))
        ]


def fit_threshold(
    scores: Floats, is_correct: NDArray[np.bool_], default: float = DEFAULT_THRESHOLD
) -> float:
    """The least score of a label, learnt from posts (n,) of which a person said whether the label is right.

    The cut with the best F1, midway between two scores, drawn towards `default` with the weight of `PRIOR` posts. Where no
    post was right the cut is above them all.
    """
    if not len(scores):
        return default
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(is_correct[order])
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + max(int(hits[-1]), 1))
    last = int(
        np.argmax(np.where(np.append(ranked[1:] < ranked[:-1], True), f1, -1.0))
    )  # equal scores fall on one side
    below = ranked[last + 1] if last + 1 < len(ranked) else min(default, ranked[last])
    cut = (ranked[last] + below) / 2 if hits[-1] else ranked[0] + 0.05
    return float((len(scores) * cut + PRIOR_POSTS * default) / (len(scores) + PRIOR_POSTS))


def _wider(label: str) -> list[str]:
    """The label and all that it stands in.

    >>> _wider("food / dairy / yogurt")
    ['food', 'food / dairy', 'food / dairy / yogurt']
    """
    levels = label.split(LEVEL_SEPARATOR)
    return [LEVEL_SEPARATOR.join(levels[: depth + 1]) for depth in range(len(levels))]


def _words(taxonomy: Sequence[Label]) -> tuple[re.Pattern[str], dict[str, list[int]]]:
    """An expression for every name and synonym, and the labels that each belongs to."""
    owners: dict[str, list[int]] = {}
    for index, entry in enumerate(taxonomy):
        for word in dict.fromkeys(filter(None, map(normalize_text, entry.names + entry.synonyms))):
            owners.setdefault(word.replace(" ", ""), []).append(index)
    words = longest_match_pattern(
        normalize_text(word)
        for entry in taxonomy
        for word in entry.names + entry.synonyms
        if word.strip()
    )
    return re.compile(words or "(?!)"), owners


def _vectors(taxonomy: Sequence[Label], embed: EmbedTexts) -> tuple[dict[str, Floats], Floats]:
    """The mean vector of posts of each language, and a vector a label (k, d): zero for a label without examples, which only its words find.

    Vectors of one language share a direction, short phrases another one: each is taken less the mean of its kind over the
    shipped taxonomy.
    """
    texts = list(
        dict.fromkeys(
            text
            for entry in (*default_taxonomy(), *taxonomy)
            for text in entry.examples + entry.names + entry.synonyms
        )
    )
    known = dict(zip(texts, embed(texts), strict=True))
    posts = _means([text for entry in default_taxonomy() for text in entry.examples], known)
    words = _means(
        [word for entry in default_taxonomy() for word in entry.names + entry.synonyms], known
    )
    vectors = np.zeros((len(taxonomy), len(posts["zh"])))
    for index, entry in enumerate(taxonomy):
        if entry.examples:
            vectors[index] = _centred(entry.examples, posts, known)
            if entry.names + entry.synonyms:
                vectors[index] += NAMES_WEIGHT * _centred(
                    entry.names + entry.synonyms, words, known
                )
    return posts, _unit(vectors)


def _means(texts: Sequence[str], known: Mapping[str, Vectors]) -> dict[str, Floats]:
    return {
        spoken: np.mean([known[text] for text in texts if model_language(text) == spoken], axis=0)
        for spoken in MODEL_LANGUAGES
    }


def _centred(
    texts: Sequence[str], means: Mapping[str, Floats], known: Mapping[str, Vectors]
) -> Floats:
    """The mean (d,) of the texts' vectors, each less the mean of its language and of unit length."""
    return np.asarray(
        _unit(np.stack([known[text] - means[model_language(text)] for text in texts])).mean(axis=0)
    )


def _unit(vectors: Vectors) -> Floats:
    """Rows of unit length; a zero row stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))
