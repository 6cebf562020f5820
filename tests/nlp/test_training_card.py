"""A model card's facts are written over the old ones; what people wrote stays."""

from __future__ import annotations

from nlp.sentiment import SHIPPED
from nlp.training.card import facts, rewritten, rows
from nlp.training.manifest import Source, Split
from nlp.training.readers import labelled
from nlp.training.samples import POSITIVE, Sample

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
    made = rewritten(CARD, "| weights | new |", "set   score\nnew   0.9\n", DATA)
    for kept in ("Said by people.", "How they were measured.", "- Irony.", "Licences.", "| weights | new |", "    new   0.9", DATA):
        assert kept in made
    assert "old" not in made.lower()
    assert rewritten(made, "| weights | new |", "set   score\nnew   0.9", DATA) == made


def test_the_facts_of_the_model_that_ships() -> None:
    told = "\n".join(facts(SHIPPED))
    assert "| late temperatures | post: zh" in told
    assert "MB" in told


def test_what_was_dropped_is_told_with_its_reason() -> None:
    source = Source("shop", "zh", "none", labelled("a", "b", {}), limit=2, repeat=3)
    split = Split(source, [Sample(f"{n}", POSITIVE) for n in range(4)], [], {"repeated in the set": 5, "in a dev split": 0})
    assert list(rows([split]))[1] == "| shop | zh | none | 4 (2 x 3) | 0 | 5 repeated in the set |"
