"""Write the card of the model that ships: ``python -m training.card --model DIR --data DIR --scores FILE``.

The facts come from the model's config, the scores from what ``python -m training.evaluate`` printed, and the
table of sets from the sets that training learns from. What people wrote of the model, from "Known failures" to the
data table, stays.
"""

from __future__ import annotations

import argparse
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from folate.core.labels import SENTIMENT_LABELS
from nlp.model.checkpoint import WEIGHTS_FILE, checkpoint_version
from nlp.model.folder import DEFAULT_MODEL_FOLDER, read_model_config
from training.sets.clean import drop_contradicted_labels
from training.sets.manifest import DatasetSplit
from training.sets.samples import THREE_WAY, Sample
from training.sets.sources import load_all_splits, training_sets

_HEAD, _SCORES, _FAILURES, _TABLE = (
    "| | |\n|---|---|\n",
    "    set ",
    "## Known failures",
    "| set | language | licence |",
)


def replace_card_facts(card: str, fact_rows: str, scores: str, dataset_rows: str) -> str:
    """The card with the rows of its first table, its scores and the rows of its data table replaced."""
    start, rest = card.split(_HEAD, 1)
    between, rest = rest.split("\n\n", 1)[1].split(_SCORES, 1)
    written = rest.split(_FAILURES, 1)[1].split(_TABLE, 1)[0]
    return f"{start}{_HEAD}{fact_rows}\n\n{between}{textwrap.indent(scores.strip(), ' ' * 4)}\n\n{_FAILURES}{written}{dataset_rows}\n"


def model_fact_rows(folder: Path) -> Iterator[str]:
    """Rows of the first table: what the model is made of and how it is calibrated."""
    about = read_model_config(folder)
    its = about["calibration"]
    yield (
        f"| start | all {about['encoder']['layers']} layers of [multilingual-e5-small](https://huggingface.co/intfloat/multilingual-e5-small)"
        " (MIT), from a 4-bit copy with its vocabulary cut to Chinese and English |"
    )
    size = (folder / WEIGHTS_FILE).stat().st_size / 1e6
    yield f"| weights | `{WEIGHTS_FILE}`, {size:.0f} MB: the encoder in int8 by row, heads in half precision |"
    yield f"| training | {about.get('training', 'not recorded')} |"
    for depth in ("early", "late"):
        yield f"| {depth} temperatures | {'; '.join(_temperatures(its[depth]))} |"
        yield f"| {depth} scale and shift | aspect spoken of: zh {its[depth]['spoken']['zh']}, en {its[depth]['spoken']['en']} |"
    yield f"| early answers stand | from a probability of {', '.join(f'{spoken} {least}' for spoken, least in its['threshold'].items())} |"
    for head, by_language in its["standing"].items():
        told = "; ".join(
            f"{spoken} {factor}, {shift}" for spoken, (factor, *shift) in by_language.items()
        )
        yield f"| those that stand: factor, shifts | {head}: {told} |"
    prior = ", ".join(
        f"{name} {share:.3f}" for name, share in zip(SENTIMENT_LABELS, its["prior"], strict=True)
    )
    yield f"| prior | {prior}: labels of the targets of the dev samples that the temperatures were fitted on |"
    yield f"| version | {checkpoint_version(folder)} (digest of weights, config and tokenizer; the precision is added when it is loaded) |"


def _temperatures(its: Mapping[str, Any]) -> Iterator[str]:
    for head, name in (
        ("post", "post"),
        ("target", "target"),
        ("emotion", "emotion"),
        ("polarity", "polarity of aspects"),
    ):
        yield f"{name}: zh {its[head]['zh']}, en {its[head]['en']}"


def dataset_table_rows(splits: Sequence[DatasetSplit]) -> Iterator[str]:
    """The data table: every set with its licence, its texts and what was dropped from them."""
    yield f"{_TABLE} training texts (of an epoch) | negative / neutral / positive | dev texts | dropped from training |\n{'|---' * 7}|"
    for split in splits:
        its, count = split.source, len(split.train)
        epoch = f"{min(count, its.limit):,}" + (f" x {its.repeat}" if its.repeat > 1 else "")
        learnt = f"{count:,} ({epoch})" if count else "none: measured only"
        dropped = (
            ", ".join(
                f"{number:,} {reason}" for reason, number in split.dropped_counts.items() if number
            )
            or "none"
        )
        yield f"| {its.name} | {its.language} | {its.licence} | {learnt} | {_balance(split.train)} | {len(split.dev):,} | {dropped} |"


def _balance(samples: Sequence[Sample]) -> str:
    """Shares of the labels: of posts, or of targets where posts have none."""
    posts = [sample.label for sample in samples if sample.label is not None]
    labels = Counter(posts or [target.label for sample in samples for target in sample.targets])
    shares = (
        " / ".join(f"{labels[label] / labels.total():.2f}" for label in THREE_WAY)
        if labels
        else "-"
    )
    return shares if posts or not labels else f"{shares} of targets"


def main() -> None:
    """Rewrite the card."""
    parser = argparse.ArgumentParser(prog="python -m training.card", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--scores", type=Path, required=True, help="what evaluate printed")
    parser.add_argument(
        "--model",
        type=Path,
        default=DEFAULT_MODEL_FOLDER,
        help="model folder (default: the one that ships)",
    )
    options = parser.parse_args()
    sets = {each.source.name: each for each in training_sets()}
    found = load_all_splits(options.data)
    table = dataset_table_rows(
        [
            drop_contradicted_labels(split)
            if split.source.name in sets and sets[split.source.name].drops_contradicted
            else split
            for split in found
        ]
    )
    card = options.model / "README.md"
    scores = options.scores.read_text(encoding="utf-8")
    text = replace_card_facts(
        card.read_text(encoding="utf-8"),
        "\n".join(model_fact_rows(options.model)),
        scores,
        "\n".join(table),
    )
    card.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
