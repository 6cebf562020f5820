"""Scores of a model on the dev texts of a pack, while it trains."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nlp.model.heads import MultiTaskModel
from training.pack_batches import DEV, TrainingPack
from training.scores import macro_f1
from training.sets.samples import NEUTRAL, NOT_ABOUT


def describe_dev_scores(
    model: MultiTaskModel,
    pack: TrainingPack,
    autocast: torch.autocast,
    tokens: int,
    sets: Sequence[int] | None = None,
) -> str:
    """Describe the scores of both depths: means over sets, then the late scores of each set.

    Scores are accuracy and macro F1. Posts and targets are predicted among the labels that
    annotators had. ``sets``: indices of the sets to score, all by default.
    """
    rows = pack.text_indices(DEV, None if sets is None else list(sets))
    device = next(model.parameters()).device
    model.eval()
    scores: dict[tuple[str, int], list[Tensor]] = {}
    for batch_rows in pack.iter_batch_rows(rows, tokens, None):
        batch = pack.make_batch(batch_rows)
        on_device = batch.to(device)
        with torch.no_grad(), autocast:
            outputs = model(on_device.ids, on_device.mask, on_device.target_rows)
        set_indices = pack.set[batch_rows]
        for depth, depth_outputs in enumerate(outputs):
            post = depth_outputs.post.float().cpu()
            two_way = pack.two_way[batch_rows]
            post[two_way, NEUTRAL] = -torch.inf
            post_table = scores.setdefault(("post", depth), [])
            post_table.append(_prediction_table(post, batch.post, set_indices))
            if batch.target_rows is not None:
                probabilities = depth_outputs.target.float().cpu().softmax(-1)
                probabilities[:, NEUTRAL] += probabilities[:, NOT_ABOUT]
                probabilities = probabilities[:, :3]
                target_labels = batch.target[:, :3].clone()
                target_labels[:, NEUTRAL] += batch.target[:, NOT_ABOUT]
                probabilities[two_way[batch.target_rows.rows], NEUTRAL] = -1
                target_sets = set_indices[batch.target_rows.rows]
                target_table = scores.setdefault(("target", depth), [])
                target_table.append(_prediction_table(probabilities, target_labels, target_sets))
            emotion = depth_outputs.emotion.float().cpu()
            emotion_table = scores.setdefault(("emotion", depth), [])
            emotion_table.append(_prediction_table(emotion, batch.emotion, set_indices))
    lines: list[str] = []
    for head in ("post", "target", "emotion"):
        lines += [_describe_head(pack, scores, head, depth) for depth in (0, 1)]
    return "\n".join(line for line in lines if line) or "no set has 30 dev texts to be measured on"


def _prediction_table(scores_by_class: Tensor, labels: Tensor, set_indices: Tensor) -> Tensor:
    """Return rows of set, label and prediction (n, 3) of the labelled texts."""
    is_labelled = labels.sum(1) > 0
    columns = (
        set_indices[is_labelled].long(),
        labels[is_labelled].argmax(1),
        scores_by_class[is_labelled].argmax(1),
    )
    return torch.stack(columns, 1)


def _describe_head(
    pack: TrainingPack, scores: dict[tuple[str, int], list[Tensor]], head: str, depth: int
) -> str:
    """Return the line of a head and a depth; the late depth lists the sets."""
    table = torch.cat(scores[head, depth]) if (head, depth) in scores else torch.zeros(0, 3)
    accuracies, f1s, set_scores = [], [], []
    for set_index in table[:, 0].unique().tolist():
        rows = table[table[:, 0] == set_index]
        if len(rows) < 30:
            continue
        accuracy = float((rows[:, 1] == rows[:, 2]).float().mean())
        f1 = macro_f1(rows[:, 1].numpy(), rows[:, 2].numpy())
        accuracies.append(accuracy)
        f1s.append(f1)
        set_scores.append(f"{pack.sets[int(set_index)]['name']} {accuracy:.3f}/{f1:.3f}")
    if not accuracies:
        return ""
    line = f"  {head} {('early', 'late')[depth]}: accuracy {sum(accuracies) / len(accuracies):.4f}"
    line += f", macro F1 {sum(f1s) / len(f1s):.4f} (mean of {len(set_scores)} sets)"
    return line + (": " + ", ".join(set_scores) if depth else "")
