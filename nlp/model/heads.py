"""The heads of the model, which share one pass of the encoder."""

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
    """Outputs for a batch of n texts of t tokens with m targets, and a aspects; mostly logits."""

    # (n, 3) sentiment of the text.
    post: Tensor
    # (m, 4) sentiment towards each target, or that the text is not about it.
    target: Tensor
    # (n, hidden) values, not normalized.
    embedding: Tensor
    # (n, 6)
    emotion: Tensor
    # (n, 4), independent of one another.
    intent: Tensor
    # (n, a) whether the text mentions each aspect.
    spoken: Tensor
    # (n, a, 3) sentiment towards each aspect.
    polarity: Tensor
    # (n, a, t) weights of the tokens for each aspect, which sum to 1.
    attention: Tensor


@dataclass(frozen=True)
class TargetRows:
    """The tokens of the m targets of a batch."""

    # (m,) index of the text of each target.
    rows: Tensor
    # (m, t) weights of the tokens of its mentions, which sum to 1.
    mention: Tensor
    # (m, t) weights of the tokens of the clauses around them, which sum to 1.
    clause: Tensor

    def to(self, device: torch.device) -> TargetRows:
        return TargetRows(self.rows.to(device), self.mention.to(device), self.clause.to(device))

    def select_texts(self, texts: Tensor) -> TargetRows:
        """Select the targets of some texts (k,), in ascending order, which become 0 to k - 1."""
        selected = torch.isin(self.rows, texts)
        return TargetRows(
            torch.searchsorted(texts, self.rows[selected]),
            self.mention[selected],
            self.clause[selected],
        )


class MultiTaskModel(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """The encoder with heads at two depths, for early exit.

    Heads follow the early layers (``EncoderConfig.early``), where easy texts are predicted already,
    and the last (Teerapittayanon et al. 2016, arXiv:1709.01686). The embedding is from the early
    layers, so that all texts are in one space.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        hidden = encoder.config.hidden
        self.encoder = encoder
        self.early = Heads(hidden)
        self.late = Heads(hidden)
        self.embedding = nn.Linear(hidden, hidden)

    def forward(
        self, ids: Tensor, mask: Tensor | None, targets: TargetRows | None = None
    ) -> tuple[HeadOutputs, HeadOutputs]:
        """Compute the outputs of both depths for ids (n, t); ``mask`` is None without padding."""
        early, states = self.forward_early(ids, mask, targets)
        return early, self.forward_late(states, mask, targets, early.embedding)

    def forward_early(
        self, ids: Tensor, mask: Tensor | None, targets: TargetRows | None = None
    ) -> tuple[HeadOutputs, Tensor]:
        """Compute the early outputs for ids (n, t), and the states (n, t, hidden) behind them."""
        states = self.encoder.forward_early(ids, mask)
        embedding = self.embedding(mean_pool(states, mask))
        return self.early(states, mask, targets, embedding), states

    def embed(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        """Embed ids (n, t) as vectors (n, hidden), not normalized."""
        embedding: Tensor = self.embedding(mean_pool(self.encoder.forward_early(ids, mask), mask))
        return embedding

    def forward_late(
        self, states: Tensor, mask: Tensor | None, targets: TargetRows | None, embedding: Tensor
    ) -> HeadOutputs:
        """Compute the late outputs of the states and the embedding of `forward_early`."""
        late: HeadOutputs = self.late(
            self.encoder.forward_late(states, mask), mask, targets, embedding
        )
        return late


class Heads(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """The heads of one depth.

    Inputs of the target head are the mean states of the mentions, of the text, and of the clauses
    around the mentions; each aspect has an attention query of its own.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.post = _make_two_layer_head(hidden, hidden, len(SENTIMENT_LABELS))
        self.target = _make_two_layer_head(3 * hidden, hidden, len(TARGET_LABELS))
        self.emotion = _make_two_layer_head(hidden, hidden, len(EMOTIONS))
        self.intent = _make_two_layer_head(hidden, hidden, len(INTENTS))
        self.aspects = AspectHead(hidden)

    def forward(
        self, states: Tensor, mask: Tensor | None, targets: TargetRows | None, embedding: Tensor
    ) -> HeadOutputs:
        """Compute the outputs for states (n, t, hidden), with the given ``embedding``."""
        pooled = mean_pool(states, mask)
        if targets is None:
            target_logits = states.new_zeros(0, len(TARGET_LABELS))
        else:
            mention = _weighted_mean(targets.mention, states, targets.rows)
            clause = _weighted_mean(targets.clause, states, targets.rows)
            inputs = torch.cat([mention, pooled[targets.rows], clause], dim=1)
            target_logits = self.target(inputs)
        return HeadOutputs(
            self.post(pooled),
            target_logits,
            embedding,
            self.emotion(pooled),
            self.intent(pooled),
            *self.aspects(states, mask),
        )


class AspectHead(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """Attention over the tokens by one query for each aspect.

    The weights for a mention are an aspect's own, those for the sentiment are shared by all.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(hidden, len(ASPECTS))
        self.mix = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Dropout(0.1))
        self.spoken = nn.Linear(hidden, len(ASPECTS))
        self.polarity = nn.Linear(hidden, len(SENTIMENT_LABELS))

    def forward(self, states: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Compute ``spoken``, ``polarity`` and ``attention`` for states (n, t, hidden)."""
        scores = self.query(states).transpose(1, 2)
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None], torch.finfo(scores.dtype).min)
        attention = scores.softmax(-1)
        mixed = self.mix(attention.to(states.dtype) @ states)
        spoken = (mixed * self.spoken.weight).sum(-1) + self.spoken.bias
        return spoken, self.polarity(mixed), attention


def _make_two_layer_head(inputs: int, hidden: int, labels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.GELU(), nn.Dropout(0.1), nn.Linear(hidden, labels)
    )


def mean_pool(states: Tensor, mask: Tensor | None) -> Tensor:
    """Average states (n, t, hidden) over the tokens: (n, hidden)."""
    if mask is None:
        return states.mean(1)
    weights = mask.to(states.dtype)
    return (states * weights[..., None]).sum(1) / weights.sum(1, keepdim=True)


def _weighted_mean(weights: Tensor, states: Tensor, rows: Tensor) -> Tensor:
    return torch.bmm(weights.to(states.dtype)[:, None], states[rows])[:, 0]


def span_token_weights(
    offsets: Sequence[TextSpan], spans: Sequence[TextSpan], length: int
) -> NDArray[np.float32]:
    """Weigh the tokens that overlap one of ``spans`` equally; (``length``,) weights.

    ``offsets`` are the code points of each token. All weights are zero if no token overlaps.
    """
    return _overlap_weights(np.asarray(offsets), spans, length)


def _overlap_weights(
    offsets: NDArray[np.int_], spans: Sequence[TextSpan], length: int
) -> NDArray[np.float32]:
    """Compute `span_token_weights` for offsets (t, 2)."""
    starts, ends = offsets.T
    is_text_token = ends > starts  # special tokens have empty spans
    window_end = ends.max()
    window_start = starts[is_text_token].min(initial=window_end)
    overlaps = np.zeros(len(starts), bool)
    for start, end in spans:
        if start < window_end and end > window_start:
            overlaps |= (starts < end) & (ends > start)
    overlaps &= is_text_token
    weights = np.zeros(length, np.float32)
    weights[: len(overlaps)] = overlaps / max(overlaps.sum(), 1)
    return weights


def build_target_rows(
    offsets: Sequence[Sequence[TextSpan]],
    mentions: Sequence[Sequence[Sequence[TextSpan]]],
    clauses: Sequence[Sequence[Sequence[TextSpan]]],
) -> TargetRows | None:
    """Compute the token weights of every target of a batch; None without targets.

    ``offsets[i]`` are the code points of each token of text i, ``mentions[i]`` its targets, each a
    list of spans, and ``clauses[i]`` the clauses around each. A target without a token in the batch
    has weights of zero.
    """
    length = max(len(row) for row in offsets)
    rows: list[int] = []
    mention_weights = []
    clause_weights = []
    for row, (targets, target_clauses) in enumerate(zip(mentions, clauses, strict=True)):
        if not targets:
            continue
        row_offsets = np.asarray(offsets[row])
        for mention_spans, clause_spans in zip(targets, target_clauses, strict=True):
            rows.append(row)
            mention_weights.append(_overlap_weights(row_offsets, mention_spans, length))
            clause_weights.append(_overlap_weights(row_offsets, clause_spans, length))
    if not rows:
        return None
    return TargetRows(
        torch.tensor(rows),
        torch.from_numpy(np.stack(mention_weights)),
        torch.from_numpy(np.stack(clause_weights)),
    )


def pad_sequences(
    ids: Sequence[Sequence[int]], padding_id: int = 1
) -> tuple[Tensor, Tensor | None]:
    """Pad token ids to the longest sequence: ids (n, t) and their mask (n, t).

    The mask is None where all have one length, since a mask costs time.
    """
    lengths = [len(row) for row in ids]
    max_length = max(lengths)
    padded = torch.tensor([[*row, *[padding_id] * (max_length - len(row))] for row in ids])
    if min(lengths) == max_length:
        return padded, None
    return padded, torch.arange(max_length) < torch.tensor(lengths)[:, None]
