"""The heads over shared token states: one pass of the encoder, every judgement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from folate.core.labels import ASPECTS, EMOTIONS, INTENTS, SENTIMENT_LABELS, TARGET_LABELS
from nlp.model.encoder import Encoder
from nlp.text.clauses import TextSpan

if TYPE_CHECKING:
    from numpy.typing import NDArray


class HeadOutputs(NamedTuple):
    """Of n texts of t tokens, m targets and a aspects, logits unless said otherwise.

    ``post`` (n, 3), ``target`` (m, 4), ``embedding`` (n, hidden; values, not normalised), ``emotion`` (n, 6), ``intent`` (n, 4; each of its
    own), ``spoken`` (n, a; whether the aspect is spoken of), ``polarity`` (n, a, 3), ``attention`` (n, a, t; weights that sum to 1).
    """

    post: Tensor
    target: Tensor
    embedding: Tensor
    emotion: Tensor
    intent: Tensor
    spoken: Tensor
    polarity: Tensor
    attention: Tensor


@dataclass(frozen=True)
class TargetRows:
    """Where the m targets of a batch lie: ``rows`` (m,) says in which text; ``mention`` and ``clause`` (m, t) are weights that sum to 1."""

    rows: Tensor
    mention: Tensor
    clause: Tensor

    def to(self, device: torch.device) -> TargetRows:
        return TargetRows(self.rows.to(device), self.mention.to(device), self.clause.to(device))

    def select_texts(self, texts: Tensor) -> TargetRows:
        """The targets of some of the texts (k,), given in ascending order, which become texts 0 to k - 1."""
        kept = torch.isin(self.rows, texts)
        return TargetRows(
            torch.searchsorted(texts, self.rows[kept]), self.mention[kept], self.clause[kept]
        )


class MultiTaskModel(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """The encoder and its heads, at two depths: after the early layers (``EncoderConfig.early``), where what is plain is
    judged already, and after the last (Teerapittayanon et al. 2016, arXiv:1709.01686). The embedding is of the early
    layers, so that all texts are in one space.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        hidden = encoder.config.hidden
        self.encoder = encoder
        self.early, self.late = Heads(hidden), Heads(hidden)
        self.embedding = nn.Linear(hidden, hidden)

    def forward(
        self, ids: Tensor, mask: Tensor | None, targets: TargetRows | None = None
    ) -> tuple[HeadOutputs, HeadOutputs]:
        """Ids (n, t) to the Outputs of both depths; ``mask`` (n, t) is None where there is no padding."""
        early, states = self.forward_early(ids, mask, targets)
        return early, self.forward_late(states, mask, targets, early.embedding)

    def forward_early(
        self, ids: Tensor, mask: Tensor | None, targets: TargetRows | None = None
    ) -> tuple[HeadOutputs, Tensor]:
        """Ids (n, t) to the early Outputs and the states (n, t, hidden) that ``rest`` goes on from."""
        states = self.encoder.forward_early(ids, mask)
        return self.early(states, mask, targets, self.embedding(mean_pool(states, mask))), states

    def embed(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        """Ids (n, t) to embeddings (n, hidden), not normalised."""
        embedding: Tensor = self.embedding(mean_pool(self.encoder.forward_early(ids, mask), mask))
        return embedding

    def forward_late(
        self, states: Tensor, mask: Tensor | None, targets: TargetRows | None, embedding: Tensor
    ) -> HeadOutputs:
        """What ``first`` gave to the late Outputs."""
        late: HeadOutputs = self.late(
            self.encoder.forward_late(states, mask), mask, targets, embedding
        )
        return late


class Heads(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """The judgements of one depth. A target is read from the mean of its mentions' states, the pooled post and the clauses around it; an
    aspect from the tokens that its own query attends to.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.post = _two_layers(hidden, hidden, len(SENTIMENT_LABELS))
        self.target = _two_layers(3 * hidden, hidden, len(TARGET_LABELS))
        self.emotion = _two_layers(hidden, hidden, len(EMOTIONS))
        self.intent = _two_layers(hidden, hidden, len(INTENTS))
        self.aspects = AspectHead(hidden)

    def forward(
        self, states: Tensor, mask: Tensor | None, targets: TargetRows | None, embedding: Tensor
    ) -> HeadOutputs:
        """States (n, t, hidden) to Outputs with the given ``embedding``."""
        pooled = mean_pool(states, mask)
        if targets is None:
            judged = states.new_zeros(0, len(TARGET_LABELS))
        else:
            mention, clause = (
                _weighted(weights, states, targets.rows)
                for weights in (targets.mention, targets.clause)
            )
            judged = self.target(torch.cat([mention, pooled[targets.rows], clause], dim=1))
        return HeadOutputs(
            self.post(pooled),
            judged,
            embedding,
            self.emotion(pooled),
            self.intent(pooled),
            *self.aspects(states, mask),
        )


class AspectHead(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """One query an aspect attends over the tokens. Whether it is spoken of has weights of its own for each; polarity is shared by all."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(hidden, len(ASPECTS))
        self.mix = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Dropout(0.1))
        self.spoken = nn.Linear(hidden, len(ASPECTS))
        self.polarity = nn.Linear(hidden, len(SENTIMENT_LABELS))

    def forward(self, states: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """States (n, t, hidden) to ``spoken``, ``polarity`` and ``attention`` of Outputs."""
        scores = self.query(states).transpose(1, 2)
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None], torch.finfo(scores.dtype).min)
        attention = scores.softmax(-1)
        mixed = self.mix(attention.to(states.dtype) @ states)
        return (
            (mixed * self.spoken.weight).sum(-1) + self.spoken.bias,
            self.polarity(mixed),
            attention,
        )


def _two_layers(inputs: int, hidden: int, labels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.GELU(), nn.Dropout(0.1), nn.Linear(hidden, labels)
    )


def mean_pool(states: Tensor, mask: Tensor | None) -> Tensor:
    """States (n, t, hidden) to their means (n, hidden) over the tokens."""
    if mask is None:
        return states.mean(1)
    weights = mask.to(states.dtype)
    return (states * weights[..., None]).sum(1) / weights.sum(1, keepdim=True)


def _weighted(weights: Tensor, states: Tensor, rows: Tensor) -> Tensor:
    return torch.bmm(weights.to(states.dtype)[:, None], states[rows])[:, 0]


def span_token_weights(
    offsets: Sequence[TextSpan], spans: Sequence[TextSpan], length: int
) -> NDArray[np.float32]:
    """Equal weights over the tokens whose code points touch one of ``spans``, padded to ``length``; all zero if no token does."""
    return _weights(np.asarray(offsets), spans, length)


def _weights(
    offsets: NDArray[np.int_], spans: Sequence[TextSpan], length: int
) -> NDArray[np.float32]:
    """Do what ``token_weights`` does, of offsets (t, 2)."""
    starts, ends = offsets.T
    real = ends > starts  # special tokens cover nothing
    first, last = starts[real].min(initial=ends.max()), ends.max()
    hit = np.zeros(len(starts), bool)
    for start, end in spans:
        if start < last and end > first:
            hit |= (starts < end) & (ends > start)
    hit &= real
    weights = np.zeros(length, np.float32)
    weights[: len(hit)] = hit / max(hit.sum(), 1)
    return weights


def build_target_rows(
    offsets: Sequence[Sequence[TextSpan]],
    mentions: Sequence[Sequence[Sequence[TextSpan]]],
    clauses: Sequence[Sequence[Sequence[TextSpan]]],
) -> TargetRows | None:
    """The weights of every target of a batch; None where there is none.

    ``offsets[i]`` are the code points of text i that each of its tokens covers, ``mentions[i]`` its targets, each a list of spans, and
    ``around[i]`` the clauses of each. A target none of whose tokens is in the batch has weights of zero.
    """
    length = max(len(row) for row in offsets)
    rows = [row for row, targets in enumerate(mentions) for _ in targets]
    if not rows:
        return None
    known = {row: np.asarray(offsets[row]) for row in set(rows)}
    weights = [
        np.stack(
            [
                _weights(known[row], spans, length)
                for row, targets in enumerate(found)
                for spans in targets
            ]
        )
        for found in (mentions, clauses)
    ]
    return TargetRows(torch.tensor(rows), *map(torch.from_numpy, weights))


def pad_sequences(
    ids: Sequence[Sequence[int]], padding_id: int = 1
) -> tuple[Tensor, Tensor | None]:
    """Token ids (n, t) padded to the longest, and their mask; None where all have one length, since a mask costs time."""
    lengths = [len(row) for row in ids]
    longest = max(lengths)
    filled = torch.tensor([[*row, *[padding_id] * (longest - len(row))] for row in ids])
    return filled, torch.arange(longest) < torch.tensor(lengths)[:, None] if min(
        lengths
    ) < longest else None
