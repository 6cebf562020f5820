"""A model card's facts are written over the old ones; what people wrote stays."""

from __future__ import annotations

from nlp.model import DEFAULT_MODEL_FOLDER
from training.card import dataset_table_rows, model_fact_rows, replace_card_facts
from training.sets.manifest import DatasetSource, DatasetSplit
from training.sets.readers import labelled_csv_reader
from training.sets.samples import NEGATIVE, POSITIVE, LabelledTarget, Sample

CARD = """# model

Said by people.

| | |
|---|---|
| weights | old |

## Scores

How they were measured.

    set   score
    old   0.1

Old words that evaluate printed below.

## Known failures

- Irony.

## Data

Licences.

| set | language | licence | training texts |
|---|---|---|---|
| old | zh | x | 1 |
"""


DATA = "| set | language | licence |\n|---|---|---|\n| new | en | y |"


def test_facts_are_replaced_and_words_stay() -> None:
    new_card = replace_card_facts(CARD, "| weights | new |", "set   score\nnew   0.9\n", DATA)
    for fragment in (
        "Said by people.",
        "How they were measured.",
        "- Irony.",
        "Licences.",
        "| weights | new |",
        "    new   0.9",
        DATA,
    ):
        assert fragment in new_card
    assert "old" not in new_card.lower()
    assert (
        replace_card_facts(new_card, "| weights | new |", "set   score\nnew   0.9", DATA)
        == new_card
    )


def test_the_facts_of_the_model_that_ships() -> None:
    fact_rows = "\n".join(model_fact_rows(DEFAULT_MODEL_FOLDER))
    assert "| late temperatures | post: zh" in fact_rows
    assert "MB" in fact_rows


def test_what_was_dropped_is_told_with_its_reason() -> None:
    source = DatasetSource(
        "shop", "zh", "none", labelled_csv_reader("a", "b", {}), limit=2, repeat=3
    )
    split = DatasetSplit(
        source,
        [Sample(f"{n}", POSITIVE) for n in range(4)],
        [],
        {"repeated in the set": 5, "in a dev split": 0},
    )
    assert (
        list(dataset_table_rows([split]))[1]
        == "| shop | zh | none | 4 (2 x 3) | 0.00 / 0.00 / 1.00 | 0 | 5 repeated in the set |"
    )


def test_the_balance_is_of_targets_where_posts_have_no_label() -> None:
    targets = (LabelledTarget(((0, 1),), POSITIVE), LabelledTarget(((1, 2),), NEGATIVE))
    source = DatasetSource("aspects", "en", "none", labelled_csv_reader("a", "b", {}))
    assert (
        "| 0.50 / 0.00 / 0.50 of targets |"
        in list(
            dataset_table_rows(
                [DatasetSplit(source, [Sample("ab", None, targets=targets)], [], {})]
            )
        )[1]
    )
    assert (
        "| none: measured only | - |"
        in list(dataset_table_rows([DatasetSplit(source, [], [], {})]))[1]
    )
