"""Say how good a model is on the dev texts of a pack, while it trains."""

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
    """Give the scores of both depths: means over sets of accuracy and of macro F1, then each set's late scores.

    Posts and targets are judged among the labels that annotators had. ``sets``: those asked, by default all.
    """
    rows = pack.text_indices(DEV, None if sets is None else list(sets))
    device = next(model.parameters()).device
    model.eval()
    scores: dict[tuple[str, int], list[Tensor]] = {}
    for batch_rows in pack.iter_batch_rows(rows, tokens, None):
        batch = pack.make_batch(batch_rows)
        moved = batch.to(device)
        with torch.no_grad(), autocast:
            outputs = model(moved.ids, moved.mask, moved.target_rows)
        owner = pack.set[batch_rows]
        for depth, out in enumerate(outputs):
            post = out.post.float().cpu()
            two_way = pack.two_way[batch_rows]
            post[two_way, NEUTRAL] = -torch.inf
            _keep(scores, "post", depth, post, batch.post, owner)
            if batch.target_rows is not None:
                chances = out.target.float().cpu().softmax(-1)
                chances[:, NEUTRAL] += chances[:, NOT_ABOUT]
                chances = chances[:, :3]
                wanted = batch.target[:, :3].clone()
                wanted[:, NEUTRAL] += batch.target[:, NOT_ABOUT]
                chances[two_way[batch.target_rows.rows], NEUTRAL] = -1
                _keep(scores, "target", depth, chances, wanted, owner[batch.target_rows.rows])
            _keep(scores, "emotion", depth, out.emotion.float().cpu(), batch.emotion, owner)
    lines = [
        _line(pack, scores, head, depth)
        for head in ("post", "target", "emotion")
        for depth in (0, 1)
    ]
    return "\n".join(line for line in lines if line) or "no set has 30 dev texts to be measured on"


def _keep(
    scores: dict[tuple[str, int], list[Tensor]],
    head: str,
    depth: int,
    given: Tensor,
    wanted: Tensor,
    owner: Tensor,
) -> None:
    known = wanted.sum(1) > 0
    columns = (owner[known].long(), wanted[known].argmax(1), given[known].argmax(1))
    scores.setdefault((head, depth), []).append(torch.stack(columns, 1))


def _line(
    pack: TrainingPack, scores: dict[tuple[str, int], list[Tensor]], head: str, depth: int
) -> str:
    """One line of a head and a depth; the late one lists the sets."""
    table = torch.cat(scores[head, depth]) if (head, depth) in scores else torch.zeros(0, 3)
    accuracies, f1s, texts = [], [], []
    for number in table[:, 0].unique().tolist():
        rows = table[table[:, 0] == number]
        if len(rows) < 30:
            continue
        accuracy = float((rows[:, 1] == rows[:, 2]).float().mean())
        f1 = macro_f1(rows[:, 1].numpy(), rows[:, 2].numpy())
        accuracies.append(accuracy)
        f1s.append(f1)
        texts.append(f"{pack.sets[int(number)]['name']} {accuracy:.3f}/{f1:.3f}")
    if not accuracies:
        return ""
    mean = f"  {head} {('early', 'late')[depth]}: accuracy {sum(accuracies) / len(accuracies):.4f}"
    mean += f", macro F1 {sum(f1s) / len(f1s):.4f} (mean of {len(texts)} sets)"
    return mean + (": " + ", ".join(texts) if depth else "")
