"""Write the card of the model that ships: ``python -m training.card --model DIR --data DIR --scores FILE``.

The facts come from the model's config, the scores from what ``python -m training.evaluate`` printed, the
table of sets from the sets that training learns from. What was written by hand between them stays.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nlp.model.folder import DEFAULT_MODEL_FOLDER
from training.model_card import dataset_table_rows, model_fact_rows, replace_card_facts
from training.sets.clean import drop_contradicted_labels
from training.sets.sources import load_all_splits, training_sets


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
