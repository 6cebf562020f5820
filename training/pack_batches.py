"""The arrays of a training pack, and batches made of them.

Every array of the pack is in memory; making a batch is a gather, cheap enough for a few threads to
stay ahead of a GPU.
"""

from __future__ import annotations

import io
import itertools
import json
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from folate.core.labels import ASPECTS, EMOTIONS, INTENTS, SENTIMENT_LABELS, TARGET_LABELS
from nlp.model.heads import TargetRows
from training.batches import RULE_LABEL_WEIGHT, Batch

TRAIN, DEV, UNLABELLED, POOL = range(4)
"""The parts of a pack: labelled for training, dev, unlabelled, short texts for the embedding."""

PADDING_ID = 1
"""Token id of padding."""

ARRAY_DTYPES = {
    "tokens": np.uint16,  # token ids of all texts, one after the other
    "length": np.uint16,  # (texts,) tokens of each
    "set": np.uint8,  # (texts,) number of the set
    "part": np.uint8,  # (texts,) TRAIN, DEV, UNLABELLED or POOL
    "chinese": np.bool_,  # (texts,)
    "two_way": np.bool_,  # (texts,) whether annotators could not choose neutral
    "post": np.uint8,  # (texts, 3) probabilities of the labels in 255ths, zeros for none
    "emotion": np.int8,  # (texts,) -1 for none
    "intent": np.int32,  # (known, 4) text, intent, whether it has it, whether labelled by rule
    "absent": np.int32,  # (known, 2) text, aspect that it does not have
    "target": np.int32,  # (targets, 2) text, label
    "mention": np.int32,  # (runs, 3) target, first token, token after the last
    "clause": np.int32,  # (runs, 3) likewise
    # (aspects, 5) text, aspect, label or -1, whether labelled by rule, whether it has a place
    "aspect": np.int32,
    "place": np.int32,  # (runs, 3) aspect, first token, token after the last
}


@dataclass(frozen=True)
class RaggedRows:
    """Rows of ``values`` (k, columns) grouped by owner.

    The rows of owner o are ``start[o]`` to ``start[o + 1]``.
    """

    values: Tensor
    start: Tensor

    @classmethod
    def group_by_owner(cls, values: Tensor, owners: int) -> RaggedRows:
        """Group rows whose first column is their owner, in ascending order."""
        owner = values[:, 0].contiguous() if values.numel() else values.new_zeros(0)
        return cls(values, torch.searchsorted(owner, torch.arange(owners + 1)))

    def take(self, owners: Tensor) -> tuple[Tensor, Tensor]:
        """Return the rows of some owners, and each row's position (k,) in ``owners``."""
        count = self.start[owners + 1] - self.start[owners]
        position = torch.repeat_interleave(torch.arange(len(owners)), count)
        first_row = torch.cumsum(count, 0) - count
        offset = torch.arange(len(position)) - first_row[position]
        return self.values[self.start[owners][position] + offset], position


class TrainingPack:
    """The arrays of a pack in memory."""

    def __init__(self, folder: Path) -> None:
        stored = np.load(io.BytesIO(lzma.decompress((folder / "arrays.npz.xz").read_bytes())))
        self.sets: list[dict[str, str]] = json.loads(str(stored["sets"]))

        def tensor(name: str) -> Tensor:
            values = stored[name]
            if values.dtype in (np.uint16, np.uint8, np.int8):
                values = values.astype(np.int32)
            return torch.from_numpy(values)

        self.tokens = tensor("tokens")
        self.length = tensor("length").long()
        self.start = torch.cumsum(self.length, 0) - self.length
        self.set, self.part = tensor("set"), tensor("part")
        self.chinese, self.two_way = tensor("chinese"), tensor("two_way")
        self.post = tensor("post").float() / 255
        self.emotion = tensor("emotion")
        texts = len(self.length)

        def rows(name: str, columns: int, owners: int) -> RaggedRows:
            return RaggedRows.group_by_owner(tensor(name).long().reshape(-1, columns), owners)

        self.intent, self.absent = rows("intent", 4, texts), rows("absent", 2, texts)
        self.target, self.aspect = rows("target", 2, texts), rows("aspect", 5, texts)
        targets, aspects = len(self.target.values), len(self.aspect.values)
        self.mention, self.clause = rows("mention", 3, targets), rows("clause", 3, targets)
        self.place = rows("place", 3, aspects)

    def text_indices(self, part: int, sets: list[int] | None = None) -> Tensor:
        """Return the indices of the texts of a part, of all sets or of some."""
        chosen = self.part == part
        if sets is not None:
            chosen &= torch.isin(self.set, torch.tensor(sets))
        return chosen.nonzero()[:, 0]

    def subsample_part(self, part: int, max_texts: int) -> None:
        """Keep about ``max_texts`` texts of a part, evenly spread; the rest belong to no part."""
        rows = self.text_indices(part)
        step = max(1, len(rows) // max_texts)
        is_dropped = torch.ones(len(rows), dtype=torch.bool)
        is_dropped[::step] = False
        self.part[rows[is_dropped]] = -1

    def iter_batch_rows(
        self, rows: Tensor, tokens: int, generator: torch.Generator | None
    ) -> Iterator[Tensor]:
        """Yield the rows of batches of about ``tokens`` tokens, texts of similar length together.

        With a ``generator`` texts and batches are shuffled; without one the shortest come first.
        """
        if generator is None:
            order = rows[torch.argsort(self.length[rows], stable=True)]
        else:
            noise = torch.rand(len(rows), generator=generator)
            order = rows[torch.argsort(self.length[rows] + 3 * noise)]
        lengths = self.length[order].cpu().numpy()
        cuts = [0]
        for number, length in enumerate(lengths):
            if (number + 1 - cuts[-1]) * length > tokens:
                cuts.append(number)
        cuts.append(len(lengths))
        pieces = [order[first:last] for first, last in itertools.pairwise(cuts) if last > first]
        piece_order: Iterable[int] = range(len(pieces))
        if generator:
            piece_order = torch.randperm(len(pieces), generator=generator).tolist()
        for number in piece_order:
            yield pieces[number]

    def token_ids(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return token ids (n, t), padded, and the mask (n, t)."""
        lengths = self.length[rows]
        span = torch.arange(int(lengths.max()))
        mask = span < lengths[:, None]
        token_indices = (self.start[rows][:, None] + span).clamp(max=len(self.tokens) - 1)
        return torch.where(mask, self.tokens[token_indices].long(), PADDING_ID), mask

    def make_batch(self, rows: Tensor) -> Batch:
        """Make the batch of the texts at ``rows``."""
        ids, mask = self.token_ids(rows)
        n, t = ids.shape
        emotion = torch.zeros(n, len(EMOTIONS))
        has_emotion = self.emotion[rows] >= 0
        emotion[has_emotion, self.emotion[rows][has_emotion].long()] = 1.0
        target_rows, target = self._make_targets(rows, t)
        spoken, polarity, place = self._make_aspects(rows, t)
        return Batch(
            ids,
            mask,
            self.post[rows],
            target_rows,
            target,
            emotion,
            self._make_intents(rows),
            spoken,
            polarity,
            place,
        )

    def _make_targets(self, rows: Tensor, t: int) -> tuple[TargetRows | None, Tensor]:
        values, position = self.target.take(rows)
        if not len(values):
            return None, torch.zeros(0, len(TARGET_LABELS))
        count = self.target.start[rows + 1] - self.target.start[rows]
        first = torch.cumsum(count, 0) - count
        within = torch.arange(len(position)) - first[position]
        numbers = self.target.start[rows][position] + within
        mention, clause = (
            self._token_weights(runs, numbers, t) for runs in (self.mention, self.clause)
        )
        probabilities = torch.zeros(len(values), len(TARGET_LABELS))
        probabilities[torch.arange(len(values)), values[:, 1]] = 1.0
        probabilities *= mention.sum(1, keepdim=True) > 0
        return TargetRows(position, mention, clause), probabilities

    def _token_weights(self, runs: RaggedRows, owners: Tensor, t: int) -> Tensor:
        """Return equal weights (m, t) over the tokens of each owner's runs, zeros without a run."""
        touched = self._token_membership(runs, owners, t)
        return touched / touched.sum(1, keepdim=True).clamp(min=1)

    def _token_membership(self, runs: RaggedRows, owners: Tensor, t: int) -> Tensor:
        values, position = runs.take(owners)
        span = torch.arange(t)
        inside = (span >= values[:, 1:2]) & (span < values[:, 2:3])
        touched = torch.zeros(len(owners), t)
        return touched.index_add_(0, position, inside.float()).clamp_(max=1)

    def _make_intents(self, rows: Tensor) -> Tensor:
        answers_and_weights = torch.zeros(len(rows), len(INTENTS), 2)
        values, position = self.intent.take(rows)
        answers_and_weights[position, values[:, 1], 0] = values[:, 2].float()
        answers_and_weights[position, values[:, 1], 1] = torch.where(
            values[:, 3] > 0, RULE_LABEL_WEIGHT, 1.0
        )
        return answers_and_weights

    def _make_aspects(self, rows: Tensor, t: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``spoken``, ``polarity`` and ``place`` of a batch.

        An aspect mentioned only after the cut of the text is unknown.
        """
        n, a = len(rows), len(ASPECTS)
        spoken = torch.zeros(n, a, 2)
        polarity = torch.zeros(n, a, len(SENTIMENT_LABELS))
        place = torch.zeros(n, a, t)
        absent, absent_position = self.absent.take(rows)
        spoken[absent_position, absent[:, 1], 1] = RULE_LABEL_WEIGHT
        values, position = self.aspect.take(rows)
        if len(values):
            count = self.aspect.start[rows + 1] - self.aspect.start[rows]
            first = torch.cumsum(count, 0) - count
            numbers = (
                self.aspect.start[rows][position] + torch.arange(len(position)) - first[position]
            )
            touched = self._token_membership(self.place, numbers, t)
            is_visible = (values[:, 4] == 0) | touched.any(1)
            index = values[:, 1]
            spoken[position, index, 0] = is_visible.float()
            spoken[position, index, 1] = (
                torch.where(values[:, 3] > 0, RULE_LABEL_WEIGHT, 1.0) * is_visible
            )
            place[position, index] = touched
            has_polarity = is_visible & (values[:, 2] >= 0) & (values[:, 2] < len(SENTIMENT_LABELS))
            weight = torch.where(values[:, 3] > 0, RULE_LABEL_WEIGHT, 1.0)
            polarity[position[has_polarity], index[has_polarity], values[has_polarity, 2]] = weight[
                has_polarity
            ]
        return spoken, polarity, place
