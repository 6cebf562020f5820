"""Tags of a taxonomy, by the words that name a label and by similarity to its examples.

Words of labels are names, like those of brands: where two overlap the longest one counts, so that
a post on milk chocolate does not name milk (`nlp.text.longest_match`). The matcher of terms, which
finds overlapping terms alike, would tag it with both.
"""

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
from nlp.text.language import MODEL_LANGUAGES, model_language
from nlp.text.longest_match import longest_match_pattern
from nlp.text.normalize import fold_text, normalize_text

EmbedTexts = Callable[[Sequence[str]], NDArray[np.float32]]
Floats = NDArray[np.float64]
Vectors = NDArray[np.floating]

# Chosen by `python -m benchmarks.tags`, on the taxonomy's own examples, each left out in turn.
DEFAULT_THRESHOLD = 0.42  # minimum score of a tag for a label whose posts nobody has judged
NAMED_BONUS = 0.5  # added to the cosine of a label that the post names by one of its words
NAMES_WEIGHT = 2.0  # of the mean of a label's words in its vector; the examples have 1
MAX_LABELS = 3  # of a post, the wider ones that they imply not counted
PRIOR_POSTS = 20  # judged posts that weigh as much as the default in a learnt threshold

_SHIPPED = Path(__file__).parents[1] / "data" / "consumer_goods.toml"


class TaxonomyTag(NamedTuple):
    """A label and its score: a cosine, plus `NAMED_BONUS` where the post names the label."""

    tag: str
    score: float


@cache
def default_taxonomy() -> tuple[Label, ...]:
    """Return the taxonomy of consumer goods: 18 fields, up to four levels, Chinese and English."""
    entries = tomllib.loads(_SHIPPED.read_text(encoding="utf-8"))["taxonomy"]
    lists = ("names", "synonyms", "examples")
    return tuple(
        Label(label=entry["label"], **{key: tuple(entry.get(key, ())) for key in lists})
        for entry in entries
    )


class TaxonomyTagger:
    """Tags posts with the labels of a taxonomy (the shipped one when it is empty).

    `thresholds` are the minimum scores of labels for which one was learnt (`fit_threshold`).
    `version` changes with whatever changes a tag, except for the encoder behind `embed`.
    """

    def __init__(
        self,
        taxonomy: Sequence[Label],
        embed: EmbedTexts,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        taxonomy = taxonomy or default_taxonomy()
        learnt = thresholds or {}
        self.labels = tuple(entry.label for entry in taxonomy)
        self.thresholds: Floats = np.array(
            [learnt.get(label, DEFAULT_THRESHOLD) for label in self.labels]
        )
        self.version = blake2b(
            repr((taxonomy, self.thresholds.tolist())).encode(), digest_size=4
        ).hexdigest()
        self._name_pattern, self._labels_by_name = _label_names(taxonomy)
        self._taxonomy = taxonomy
        self._embed = embed

    @cached_property
    def _vector_space(self) -> tuple[dict[str, Floats], Floats]:
        """Return the mean vector of each language and the vectors of the labels.

        Computed when the first posts are tagged: it takes a second, and a run often has no posts.
        """
        return _label_vectors(self._taxonomy, self._embed)

    def assign_tags(
        self, texts: Sequence[str], embeddings: Iterable[Vectors | None]
    ) -> list[list[TaxonomyTag]]:
        """Return the tags of each text, best first.

        `embeddings` are unit vectors (d,) from the encoder of `embed`, or None. A text gets at most
        `MAX_LABELS` labels: the best one, and others that it names; each brings the labels above
        it.
        """
        named = self.named_labels(texts)
        scores = self._cosines(texts, embeddings) + NAMED_BONUS * named
        return [
            self._select_tags(text_scores, text_named)
            for text_scores, text_named in zip(scores, named, strict=True)
        ]

    def label_scores(self, texts: Sequence[str], embeddings: Iterable[Vectors | None]) -> Floats:
        """Return the scores (n, k) of each text for each label.

        The cosine, plus `NAMED_BONUS` where the text names the label. A text without a vector has
        cosine 0.
        """
        cosines = self._cosines(texts, embeddings)
        return np.asarray(cosines + NAMED_BONUS * self.named_labels(texts))

    def _cosines(self, texts: Sequence[str], embeddings: Iterable[Vectors | None]) -> Floats:
        """Return the cosine (n, k) of each text with each label."""
        means, labels = self._vector_space
        centred = np.zeros((len(texts), labels.shape[1]))
        for row, (text, vector) in enumerate(zip(texts, embeddings, strict=True)):
            if vector is not None and vector.any():
                centred[row] = vector - means[model_language(text)]
        return np.asarray(_normalize_rows(centred) @ labels.T)

    def named_labels(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Return which labels each text names (n, k)."""
        named = np.zeros((len(texts), len(self.labels)), bool)
        for row, text in enumerate(texts):
            for match in self._name_pattern.finditer(fold_text(text)):
                named[row, self._labels_by_name[match[0].replace(" ", "")]] = True
        return named

    def _select_tags(self, scores: Floats, named: NDArray[np.bool_]) -> list[TaxonomyTag]:
        """Return the tags of one text from its scores (k,) and the labels (k,) that it names."""
        ranked = np.argsort(-scores, kind="stable")
        best = [index for index in ranked if scores[index] >= self.thresholds[index]]
        selected = best[:1] + [index for index in best[1:MAX_LABELS] if named[index]]
        score_by_label: dict[str, float] = {}
        for index in selected:
            for label in _with_wider_labels(self.labels[index]):
                score = max(score_by_label.get(label, -1.0), float(scores[index]))
                score_by_label[label] = score
        tags = [TaxonomyTag(label, score) for label, score in score_by_label.items()]
        return sorted(tags, key=lambda tag: (-tag.score, tag.tag))


def fit_threshold(
    scores: Floats, is_correct: NDArray[np.bool_], default: float = DEFAULT_THRESHOLD
) -> float:
    """Return the minimum score of a label, learnt from posts (n,) that a person judged.

    `is_correct` says whether the label is right for the post. The threshold is the cut with the
    best F1, midway between two scores, drawn towards `default` with the weight of `PRIOR_POSTS`
    posts. Where no post was right, the cut is above them all.
    """
    if not len(scores):
        return default
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    hits = np.cumsum(is_correct[order])
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + max(int(hits[-1]), 1))
    # Equal scores fall on one side of the cut.
    may_cut_after = np.append(ranked[1:] < ranked[:-1], True)
    last = int(np.argmax(np.where(may_cut_after, f1, -1.0)))
    below = ranked[last + 1] if last + 1 < len(ranked) else min(default, ranked[last])
    cut = (ranked[last] + below) / 2 if hits[-1] else ranked[0] + 0.05
    return float((len(scores) * cut + PRIOR_POSTS * default) / (len(scores) + PRIOR_POSTS))


def _with_wider_labels(label: str) -> list[str]:
    """Return a label and all labels above it, the widest first.

    >>> _with_wider_labels("food / dairy / yogurt")
    ['food', 'food / dairy', 'food / dairy / yogurt']
    """
    levels = label.split(LEVEL_SEPARATOR)
    return [LEVEL_SEPARATOR.join(levels[: depth + 1]) for depth in range(len(levels))]


def _label_names(taxonomy: Sequence[Label]) -> tuple[re.Pattern[str], dict[str, list[int]]]:
    """Return an expression for all names and synonyms, and the labels that each belongs to."""
    labels_by_name: dict[str, list[int]] = {}
    all_names: set[str] = set()
    for index, entry in enumerate(taxonomy):
        names = dict.fromkeys(filter(None, map(normalize_text, entry.names + entry.synonyms)))
        all_names.update(names)
        for name in names:
            labels_by_name.setdefault(name.replace(" ", ""), []).append(index)
    return re.compile(longest_match_pattern(all_names) or "(?!)"), labels_by_name


def _label_vectors(
    taxonomy: Sequence[Label], embed: EmbedTexts
) -> tuple[dict[str, Floats], Floats]:
    """Return the mean vector of posts by language, and a vector (k, d) for each label.

    A label without examples, which only its words find, has the vector zero. Vectors of one
    language share a direction, short phrases another one: each is taken less the mean of its kind
    over the shipped taxonomy.
    """
    texts: dict[str, None] = {}
    for entry in (*default_taxonomy(), *taxonomy):
        texts |= dict.fromkeys(entry.examples + entry.names + entry.synonyms)
    vector_by_text = dict(zip(texts, embed(list(texts)), strict=True))
    shipped_posts: list[str] = []
    shipped_names: list[str] = []
    for entry in default_taxonomy():
        shipped_posts += entry.examples
        shipped_names += entry.names + entry.synonyms
    post_means = _language_means(shipped_posts, vector_by_text)
    name_means = _language_means(shipped_names, vector_by_text)
    vectors = np.zeros((len(taxonomy), len(post_means["zh"])))
    for index, entry in enumerate(taxonomy):
        names = entry.names + entry.synonyms
        if entry.examples:
            vectors[index] = _mean_direction(entry.examples, post_means, vector_by_text)
        if entry.examples and names:
            names_direction = _mean_direction(names, name_means, vector_by_text)
            vectors[index] += NAMES_WEIGHT * names_direction
    return post_means, _normalize_rows(vectors)


def _language_means(
    texts: Sequence[str], vector_by_text: Mapping[str, Vectors]
) -> dict[str, Floats]:
    """Return the mean vector (d,) of the texts of each language."""
    means = {}
    for language in MODEL_LANGUAGES:
        vectors = [vector_by_text[text] for text in texts if model_language(text) == language]
        means[language] = np.mean(vectors, axis=0)
    return means


def _mean_direction(
    texts: Sequence[str], means: Mapping[str, Floats], vector_by_text: Mapping[str, Vectors]
) -> Floats:
    """Return the mean (d,) of the vectors, each less its language's mean and of unit length."""
    centred = [vector_by_text[text] - means[model_language(text)] for text in texts]
    return np.asarray(_normalize_rows(np.stack(centred)).mean(axis=0))


def _normalize_rows(vectors: Vectors) -> Floats:
    """Scale rows to unit length; a zero row stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))
