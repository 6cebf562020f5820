"""The scorecard of purchase intent: golden texts, signals of the model, brands of signals."""

from dataclasses import replace
from pathlib import Path

import pytest

from folate.core.config import Scorecard
from nlp.extract.brands import Mention
from nlp.extract.comparisons import Comparison
from nlp.extract.purchase_intent import PurchaseSignal, find_purchase_signals, signals_by_brand

GOLDEN = Path(__file__).parents[1] / "golden" / "signals.tsv"
CARD = Scorecard()


def golden(part: str) -> list[tuple[str, set[str]]]:
    rows = (
        line.split("\t")
        for line in GOLDEN.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"{part}\t")
    )
    return [(text, set() if signals == "-" else set(signals.split())) for _, text, signals in rows]


@pytest.mark.parametrize(("text", "wanted"), golden("rules"))
def test_golden(text: str, wanted: set[str]) -> None:
    assert {signal.kind for signal in find_purchase_signals(text, CARD)} == wanted


def test_texts_held_out_stay_above_the_floor() -> None:
    pairs = [
        ({signal.kind for signal in find_purchase_signals(text, CARD)}, wanted)
        for text, wanted in golden("held")
    ]
    right = sum(len(found & wanted) for found, wanted in pairs)
    assert right / sum(len(found) for found, _ in pairs) >= 0.9
    assert right / sum(len(wanted) for _, wanted in pairs) >= 0.8


def test_points_and_place_come_with_the_signal() -> None:
    assert find_purchase_signals("青屿多少钱", replace(CARD, asks_price=7.0)) == [
        PurchaseSignal("asks_price", 7.0, 2, 5)
    ]


def test_a_signal_without_points_is_out() -> None:
    assert find_purchase_signals("青屿多少钱", replace(CARD, asks_price=0.0)) == []


def test_the_model_tells_what_no_wording_did() -> None:
    assert find_purchase_signals("青屿", CARD, {"buy": 0.9, "complain": 0.4, "switch": 0.9}) == [
        PurchaseSignal("wants", 4.0)
    ]
    assert find_purchase_signals("想买青屿", CARD, {"buy": 0.9}) == [
        PurchaseSignal("wants", 4.0, 0, 2)
    ]


def test_a_switch_speaks_for_one_brand_and_against_the_other() -> None:
    text = "从禾露换到青屿"
    signals = find_purchase_signals(
        text,
        CARD,
        comparisons=[Comparison("b", "a", "switch", 0, 7), Comparison("b", "a", "better", 0, 7)],
    )
    found = signals_by_brand(text, signals, [Mention("a", 1, 3), Mention("b", 5, 7)])
    assert {brand: [(its.kind, its.points) for its in of] for brand, of in found.items()} == {
        "b": [("switches", 4.0)],
        "a": [("leaves", -4.0)],
    }


def test_a_signal_is_for_the_brands_of_its_sentence() -> None:
    text = "青屿多少钱？禾露一般。"
    signals = find_purchase_signals(text, CARD)
    assert list(signals_by_brand(text, signals, [Mention("b", 0, 2), Mention("a", 6, 8)])) == ["b"]


def test_a_signal_without_a_brand_in_its_sentence_is_for_all_of_the_post() -> None:
    text = "多少钱？青屿。"
    assert list(
        signals_by_brand(
            text, find_purchase_signals(text, CARD), [Mention("b", 4, 6)], page_brands=["page"]
        )
    ) == [
        "b",
        "page",
    ]
