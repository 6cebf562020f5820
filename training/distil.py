"""Distillation of the sentence embedding from the pretrained encoder, across languages.

Fine-tuning on sentiment bends the states towards polarity, where 叶酸 and "folic acid" need not be
close. They are close in the pretrained encoder's own space. Its mean-pooled vectors (Wang et al.
2024, arXiv:2402.05672, with their "query: " prefix) are centred, because all of them lie in one
narrow cone; training draws the embedding head to them by cosine, and the head is fitted to them at
the end.
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
_TITLE_FILES = (
    ("zhihu_hot_questions/first_seen.tsv", "title"),
    ("hacker_news_20k/hacker_news.csv", "title"),
)
_MAX_TOKENS = 64
_RIDGE_PENALTY = 0.01


def sample_embedding_texts(
    data: Path, tokenizer: Any, samples: list[Sample], seed: int, count: int = 60_000
) -> list[str]:
    """Sample short texts of both languages: titles, vocabulary words, beginnings of posts."""
    rng = random.Random(f"{seed}/distil")  # noqa: S311 - sampling, not a secret
    pools: list[list[str]] = []
    for file, column in _TITLE_FILES:
        if (data / file).is_file():
            pools.append([row[column] for row in read_dataset_rows(data / file)])
    words = sorted(piece.strip("▁") for piece in tokenizer.get_vocab())
    pools += [
        [word for word in words if len(word) > 1 and word.isalpha()],
        [sample.text[:60] for sample in samples],
    ]
    chosen: list[str] = []
    for pool in pools:
        chosen += rng.sample(pool, min(len(pool), count // len(pools)))
    rng.shuffle(chosen)
    return chosen


class EmbeddingTeacher:
    """The pretrained encoder, frozen, and its mean vector over a sample of texts."""

    def __init__(
        self, encoder: Encoder, tokenizer: Any, pool: list[str], autocast: torch.autocast
    ) -> None:
        self.encoder = encoder.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.pool = pool
        self.autocast = autocast
        self.mean = torch.zeros(encoder.config.hidden, device=encoder.norm.weight.device)
        self.mean = torch.cat(
            [self.vectors(pool[start : start + 64]) for start in range(0, min(len(pool), 1024), 64)]
        ).mean(0)

    def vectors(self, texts: list[str]) -> Tensor:
        """Return centred mean-pooled vectors (n, hidden)."""
        ids, mask = _encode_texts(
            self.tokenizer, [QUERY_PREFIX + text for text in texts], self.mean.device
        )
        with torch.no_grad(), self.autocast:
            return mean_pool(self.encoder(ids, mask), mask).float() - self.mean

    def embedding_loss(self, student: MultiTaskModel, step: int, size: int = 64) -> Tensor:
        """Return the mean of 1 - cosine between the embeddings of student and teacher at a step."""
        start = step * size % max(len(self.pool) - size, 1)
        texts = self.pool[start : start + size]
        ids, mask = _encode_texts(self.tokenizer, texts, self.mean.device)
        with self.autocast:
            embedding = student.embed(ids, mask).float()
        return 1 - functional.cosine_similarity(embedding, self.vectors(texts)).mean()


def fit_embedding_head(
    model: MultiTaskModel, teacher: EmbeddingTeacher, texts: list[str], size: int = 64
) -> None:
    """Fit the embedding head by ridge regression from pooled states to the teacher's vectors.

    Gradient steps shape the states so that the vectors can be predicted from them, but leave the
    head itself far from its optimum.
    """
    ordered = sorted(texts, key=lambda text: (len(text), text))
    groups = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    states = torch.cat([_pooled_states(model.encoder, teacher, group) for group in groups])
    set_embedding_head(model, states, torch.cat([teacher.vectors(group) for group in groups]))


def set_embedding_head(model: MultiTaskModel, states: Tensor, vectors: Tensor) -> None:
    """Set the embedding head to the ridge regression onto the directions of vectors.

    ``states``, ``vectors``: both (n, hidden).
    """
    states = states.double()
    directions = functional.normalize(vectors.double())
    mean = states.mean(0)
    deviation = states.std(0) + 1e-6
    scaled = (states - mean) / deviation
    penalty = (
        _RIDGE_PENALTY
        * len(states)
        * torch.eye(states.shape[1], dtype=states.dtype, device=states.device)
    )
    coefficients = (
        torch.linalg.solve(scaled.T @ scaled + penalty, scaled.T @ directions) / deviation[:, None]
    )
    with torch.no_grad():
        model.embedding.weight.copy_(coefficients.T)
        model.embedding.bias.copy_(-mean @ coefficients)


def _pooled_states(encoder: Encoder, teacher: EmbeddingTeacher, texts: list[str]) -> Tensor:
    ids, mask = _encode_texts(teacher.tokenizer, texts, teacher.mean.device)
    with torch.no_grad(), teacher.autocast:
        return mean_pool(encoder.eval().forward_early(ids, mask), mask).float()


def _encode_texts(
    tokenizer: Any, texts: list[str], device: torch.device
) -> tuple[Tensor, Tensor | None]:
    ids, mask = pad_sequences(
        [encoding.ids[:_MAX_TOKENS] for encoding in tokenizer.encode_batch(texts)]
    )
    return ids.to(device), None if mask is None else mask.to(device)
