"""The sentence embedding: the student's projected head follows the encoder it was cut from, across languages.

Fine-tuning on sentiment bends the states towards polarity, where 叶酸 and "folic acid" need not meet. The teacher's own space has
them together; its mean-pooled vectors (Wang et al. 2024, arXiv:2402.05672, with their "query: " prefix), centred because all of
them lie in one narrow cone, are what the head is drawn to by cosine in training, and fitted to at its end.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nlp.model.encoder import Encoder
from nlp.model.heads import MultiTaskModel, mean_pool, pad_sequences
from training.sets.readers import read_dataset_rows
from training.sets.samples import Sample

QUERY_PREFIX = "query: "
_TITLES = (
    ("zhihu_hot_questions/first_seen.tsv", "title"),
    ("hacker_news_20k/hacker_news.csv", "title"),
)
_LONGEST = 64
_RIDGE = 0.01


def sample_embedding_texts(
    data: Path, tokenizer: Any, samples: list[Sample], seed: int, count: int = 60_000
) -> list[str]:
    """Short unlabelled texts of both languages: titles, the tokenizer's own words, the beginnings of training texts."""
    rng = random.Random(f"{seed}/distil")  # noqa: S311 - sampling, not a secret
    pools = [
        [row[column] for row in read_dataset_rows(data / file)]
        for file, column in _TITLES
        if (data / file).is_file()
    ]
    words = sorted(piece.strip("▁") for piece in tokenizer.get_vocab())
    pools += [
        [word for word in words if len(word) > 1 and word.isalpha()],
        [sample.text[:60] for sample in samples],
    ]
    chosen = [
        text for pool in pools for text in rng.sample(pool, min(len(pool), count // len(pools)))
    ]
    rng.shuffle(chosen)
    return chosen


class EmbeddingTeacher:
    """The full encoder, frozen, and the mean of its vectors over a sample of texts."""

    def __init__(
        self, encoder: Encoder, tokenizer: Any, pool: list[str], autocast: torch.autocast
    ) -> None:
        self.encoder = encoder.eval().requires_grad_(False)
        self.tokenizer, self.pool, self.autocast = tokenizer, pool, autocast
        self.mean = torch.zeros(encoder.config.hidden, device=encoder.norm.weight.device)
        self.mean = torch.cat(
            [self.vectors(pool[start : start + 64]) for start in range(0, min(len(pool), 1024), 64)]
        ).mean(0)

    def vectors(self, texts: list[str]) -> Tensor:
        """Centred mean-pooled vectors (n, hidden)."""
        ids, mask = _encode(
            self.tokenizer, [QUERY_PREFIX + text for text in texts], self.mean.device
        )
        with torch.no_grad(), self.autocast:
            return mean_pool(self.encoder(ids, mask), mask).float() - self.mean

    def embedding_loss(self, student: MultiTaskModel, step: int, size: int = 64) -> Tensor:
        """Mean of 1 - cosine between the student's embeddings and the teacher's, over the texts of this step."""
        start = step * size % max(len(self.pool) - size, 1)
        texts = self.pool[start : start + size]
        ids, mask = _encode(self.tokenizer, texts, self.mean.device)
        with self.autocast:
            embedding = student.embed(ids, mask).float()
        return 1 - functional.cosine_similarity(embedding, self.vectors(texts)).mean()


def fit_embedding_head(
    model: MultiTaskModel, teacher: EmbeddingTeacher, texts: list[str], size: int = 64
) -> None:
    """Sets the embedding head to the ridge regression from the student's pooled states to the teacher's vectors, in closed form.

    Gradient steps keep the states able to tell what the teacher tells; they leave the head itself far from its optimum.
    """
    ordered = sorted(texts, key=lambda text: (len(text), text))
    groups = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    states = torch.cat([_pooled(model.encoder, teacher, group) for group in groups])
    set_embedding_head(model, states, torch.cat([teacher.vectors(group) for group in groups]))


def set_embedding_head(model: MultiTaskModel, states: Tensor, vectors: Tensor) -> None:
    """Set the embedding head to the ridge regression from pooled states (n, hidden) to the directions of vectors (n, hidden)."""
    states, wanted = states.double(), functional.normalize(vectors.double())
    mean, spread = states.mean(0), states.std(0) + 1e-6
    scaled = (states - mean) / spread
    penalty = (
        _RIDGE * len(states) * torch.eye(states.shape[1], dtype=states.dtype, device=states.device)
    )
    solved = torch.linalg.solve(scaled.T @ scaled + penalty, scaled.T @ wanted) / spread[:, None]
    with torch.no_grad():
        model.embedding.weight.copy_(solved.T)
        model.embedding.bias.copy_(-mean @ solved)


def _pooled(encoder: Encoder, teacher: EmbeddingTeacher, texts: list[str]) -> Tensor:
    ids, mask = _encode(teacher.tokenizer, texts, teacher.mean.device)
    with torch.no_grad(), teacher.autocast:
        return mean_pool(encoder.eval().forward_early(ids, mask), mask).float()


def _encode(tokenizer: Any, texts: list[str], device: torch.device) -> tuple[Tensor, Tensor | None]:
    ids, mask = pad_sequences(
        [encoding.ids[:_LONGEST] for encoding in tokenizer.encode_batch(texts)]
    )
    return ids.to(device), None if mask is None else mask.to(device)
