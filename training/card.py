"""Write the model's card: ``python -m training.card --model DIR --data DIR --scores FILE``.

The facts come from the model's config, the scores from the output of ``python -m
training.evaluate``, and the table of sets from the training sets. The text written by people, from
"Known failures" to the data table, stays.
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

_HEAD = "| | |\n|---|---|\n"
_SCORES = "    set "
_FAILURES = "## Known failures"
_TABLE = "| set | language | licence |"


def replace_card_facts(card: str, fact_rows: str, scores: str, dataset_rows: str) -> str:
    """Return the card with the rows of its first table, its scores and its data table replaced."""
    before_facts, remainder = card.split(_HEAD, 1)
    before_scores, remainder = remainder.split("\n\n", 1)[1].split(_SCORES, 1)
    failures = remainder.split(_FAILURES, 1)[1].split(_TABLE, 1)[0]
    indented_scores = textwrap.indent(scores.strip(), " " * 4)
    return (
        f"{before_facts}{_HEAD}{fact_rows}\n\n{before_scores}{indented_scores}\n\n"
        f"{_FAILURES}{failures}{dataset_rows}\n"
    )


def model_fact_rows(folder: Path) -> Iterator[str]:
    """Yield the rows of the first table: the model's parts and its calibration."""
    config = read_model_config(folder)
    calibration = config["calibration"]
    yield (
        f"| start | all {config['encoder']['layers']} layers of"
        " [multilingual-e5-small](https://huggingface.co/intfloat/multilingual-e5-small)"
        " (MIT), from a 4-bit copy with its vocabulary cut to Chinese and English |"
    )
    size = (folder / WEIGHTS_FILE).stat().st_size / 1e6
    yield (
        f"| weights | `{WEIGHTS_FILE}`, {size:.0f} MB:"
        " the encoder in int8 by row, heads in half precision |"
    )
    yield f"| training | {config.get('training', 'not recorded')} |"
    for depth in ("early", "late"):
        yield f"| {depth} temperatures | {'; '.join(_describe_temperatures(calibration[depth]))} |"
        scaling = calibration[depth]["spoken"]
        yield (
            f"| {depth} scale and shift |"
            f" aspect spoken of: zh {scaling['zh']}, en {scaling['en']} |"
        )
    thresholds = ", ".join(
        f"{language} {threshold}" for language, threshold in calibration["threshold"].items()
    )
    yield f"| early answers stand | from a probability of {thresholds} |"
    for head, by_language in calibration["standing"].items():
        parameters = "; ".join(
            f"{language} {scale}, {shift}" for language, (scale, *shift) in by_language.items()
        )
        yield f"| those that stand: factor, shifts | {head}: {parameters} |"
    prior = ", ".join(
        f"{name} {share:.3f}"
        for name, share in zip(SENTIMENT_LABELS, calibration["prior"], strict=True)
    )
    yield (
        f"| prior | {prior}:"
        " labels of the targets of the dev samples that the temperatures were fitted on |"
    )
    yield (
        f"| version | {checkpoint_version(folder)} (digest of weights, config and tokenizer;"
        " the precision is added when it is loaded) |"
    )


def _describe_temperatures(calibration: Mapping[str, Any]) -> Iterator[str]:
    for head, name in (
        ("post", "post"),
        ("target", "target"),
        ("emotion", "emotion"),
        ("polarity", "polarity of aspects"),
    ):
        yield f"{name}: zh {calibration[head]['zh']}, en {calibration[head]['en']}"


def dataset_table_rows(splits: Sequence[DatasetSplit]) -> Iterator[str]:
    """Yield the rows of the data table: licence, texts and dropped texts of every set."""
    yield (
        f"{_TABLE} training texts (of an epoch) | negative / neutral / positive | dev texts"
        f" | dropped from training |\n{'|---' * 7}|"
    )
    for split in splits:
        source = split.source
        count = len(split.train)
        epoch = f"{min(count, source.limit):,}" + (
            f" x {source.repeat}" if source.repeat > 1 else ""
        )
        training_texts = f"{count:,} ({epoch})" if count else "none: measured only"
        dropped = (
            ", ".join(
                f"{number:,} {reason}" for reason, number in split.dropped_counts.items() if number
            )
            or "none"
        )
        yield (
            f"| {source.name} | {source.language} | {source.licence} | {training_texts}"
            f" | {_describe_label_shares(split.train)}"
            f" | {len(split.dev):,} | {dropped} |"
        )


def _describe_label_shares(samples: Sequence[Sample]) -> str:
    """Return the shares of the labels: of posts, or of targets where posts have none."""
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
    sets = {training_set.source.name: training_set for training_set in training_sets()}
    splits = load_all_splits(options.data)
    table = dataset_table_rows(
        [
            drop_contradicted_labels(split)
            if split.source.name in sets and sets[split.source.name].drops_contradicted
            else split
            for split in splits
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
