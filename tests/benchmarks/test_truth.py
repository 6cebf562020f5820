"""The benchmark of truth: weeks have the requested shares, and a wrong interval is detected."""

import re
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth import sets
from benchmarks.truth.compare import (
    AUDITED,
    COUNTING,
    UNAUDITED,
    ChangeEstimate,
    MeasureEstimate,
    compare_peers,
    compare_report,
    rank_correlations,
)
from benchmarks.truth.project import CountedPosts, build_trade_project
from benchmarks.truth.sets import (
    ENTITY_TRADES,
    SELECTION_PART,
    LabelledBrand,
    LabelledText,
    Trade,
    count_labels,
    load_trades,
    part_of_entity,
)
from benchmarks.truth.tables import has_right_direction, render_tables
from benchmarks.truth.weeks import (
    MAX_POSTS_PER_WEEK,
    MIN_POSTS_PER_WEEK,
    NEGATIVE_SHARES,
    WEEKS,
    WeeklyTexts,
    draw_brand_weeks,
    label_counts_at_share,
)
from folate.core.errors import InputError
from folate.core.labels import SENTIMENT_LABELS
from nlp.model import SentimentProbabilities, TargetSpans, TextPrediction

FIRST, SECOND = WEEKS[:2]
ABOUT = {"trade": "pens", "part": SELECTION_PART, "method": UNAUDITED}
WORDS = """
river window candle market garden bridge pocket summer letter kitchen mountain paper silver ticket
orange village basket hammer winter yellow doctor engine forest island jacket ladder mirror needle
office pepper rabbit school
"""
POLAR = {"negative": "bad", "neutral": "so", "positive": "good"}


def brand_with(counts: Sequence[int], brand: str = "Quillon", seed: int = 0) -> LabelledBrand:
    """A brand with so many texts of each of LABELS; their word says which, and no two are alike."""
    random = Random(f"{seed} {brand}")
    texts = [
        LabelledText(
            f"{brand} is {POLAR[label]}: {' '.join(random.sample(WORDS.split(), 9))}", label
        )
        for label, count in zip(SENTIMENT_LABELS, counts, strict=True)
        for _ in range(count)
    ]
    return LabelledBrand(brand, (brand,), tuple(texts))


def figure(
    value: float | None, low: float | None = None, high: float | None = None
) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high}


def document(measures: dict[str, Any], changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """As much of a report's JSON as is compared."""
    return {
        "week": str(SECOND),
        "brands": [{"id": "Quillon", "measures": measures, "changes": changes or {}}],
    }


def posts(negative: int, neutral: int, positive: int) -> CountedPosts:
    labels = ("negative",) * negative + ("neutral",) * neutral + ("positive",) * positive
    return CountedPosts(labels, np.eye(3)[[SENTIMENT_LABELS.index(label) for label in labels]])


def of_measure(estimates: Sequence[MeasureEstimate], measure: str) -> MeasureEstimate:
    (chosen,) = [
        each
        for each in estimates
        if each.measure == measure and not isinstance(each, ChangeEstimate)
    ]
    return chosen


class WordReader:
    """Judges by one word, and is wrong of every tenth text."""

    name, version = "word", "1"

    def read(
        self, texts: Sequence[str], targets: TargetSpans | None = None
    ) -> list[TextPrediction]:
        return [
            self._reading(text, spans)
            for text, spans in zip(texts, targets or [()] * len(texts), strict=True)
        ]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.eye(8, dtype=np.float32)[[len(text) % 8 for text in texts]]

    def _reading(self, text: str, spans: Sequence[object]) -> TextPrediction:
        likeliest = next(
            place for place, label in enumerate(SENTIMENT_LABELS) if f" {POLAR[label]}:" in text
        )
        if len(text) % 10 == 0:
            likeliest = 1
        shares = [0.1, 0.1, 0.1]
        shares[likeliest] = 0.8
        post = SentimentProbabilities(*shares)
        return TextPrediction(
            post, (post,) * len(spans), (), {"happy": 0.5}, {"buy": 0.5}, self.embed([text])[0]
        )


def test_a_week_has_the_negative_share_that_was_asked_for() -> None:
    brand = brand_with((200, 400, 200))
    weeks = draw_brand_weeks(brand, seed=1)
    assert [week.week for week in weeks] == list(WEEKS)
    assert sorted(week.negative_share for week in weeks) == sorted(
        share or 0.25 for share in NEGATIVE_SHARES
    )
    for week in weeks:
        negative, neutral, positive = count_labels(week.texts)
        assert negative + neutral + positive == MAX_POSTS_PER_WEEK
        assert negative == pytest.approx(MAX_POSTS_PER_WEEK * week.negative_share, abs=1)
        assert neutral == pytest.approx(2 * positive, abs=2)


def test_a_week_has_no_text_twice_and_another_seed_draws_other_weeks() -> None:
    brand = brand_with((200, 400, 200))
    assert all(
        len({each.text for each in week.texts}) == MAX_POSTS_PER_WEEK
        for week in draw_brand_weeks(brand, seed=1)
    )
    assert (
        draw_brand_weeks(brand, seed=1)
        == draw_brand_weeks(brand, seed=1)
        != draw_brand_weeks(brand, seed=2)
    )


def test_a_share_that_the_negative_texts_cannot_give_is_lowered() -> None:
    weeks = draw_brand_weeks(brand_with((18, 100, 50)), seed=1)
    assert min(len(week.texts) for week in weeks) == MIN_POSTS_PER_WEEK
    assert max(week.negative_share for week in weeks) == pytest.approx(18 / MIN_POSTS_PER_WEEK)


def test_a_brand_without_neutral_texts_has_weeks_without_them() -> None:
    assert {
        count_labels(week.texts)[1] for week in draw_brand_weeks(brand_with((200, 0, 200)), seed=1)
    } == {0}


@given(
    st.floats(0.01, 0.99),
    st.tuples(st.integers(1, 500), st.integers(0, 500), st.integers(1, 500)),
)
def test_the_posts_of_a_week_are_there_to_be_drawn(
    negative: float, whole: tuple[int, int, int]
) -> None:
    counts = label_counts_at_share(negative, whole, whole)
    total = sum(counts)
    assert total <= MAX_POSTS_PER_WEEK
    assert all(0 <= count <= have for count, have in zip(counts, whole, strict=True))
    assert abs(counts[0] - negative * total) <= 1


def test_the_entities_of_a_trade_are_kept_out_of_training_and_of_its_part() -> None:
    for part, brands in ENTITY_TRADES.values():
        assert {part_of_entity(entity) for entity in brands} == {part}


def test_a_text_that_names_another_brand_is_left_out_and_a_hidden_handle_is_put_back() -> None:
    names = {"quillon": ("Quillon", "@quillon"), "inkery": ("Inkery",)}
    texts = {
        "quillon": [
            LabelledText("Quillon writes well", "positive"),
            LabelledText("Quillon or Inkery?", "neutral"),
            LabelledText("@user where is my pen, @user", "negative"),
            LabelledText("a lovely morning", "neutral"),
        ],
        "inkery": [],
    }
    quillon, inkery = sets._brands_by_name(names, texts)
    assert [each.text for each in quillon.texts] == [
        "Quillon writes well",
        "@quillon where is my pen, @user",
    ]
    assert inkery.texts == ()


def test_a_text_that_people_labelled_differently_is_left_out() -> None:
    repeated = [LabelledText("Fine pen", "positive"), LabelledText("fine  pen", "negative")]
    once = [LabelledText("Blots", "negative")] * 2
    assert sets._distinct_texts(repeated + once) == (LabelledText("Blots", "negative"),)


def test_a_missing_set_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sxsw_brand_emotion"):
        load_trades(tmp_path)


def test_an_interval_without_the_truth_is_found_out() -> None:
    counted = {("Quillon", SECOND): posts(30, 50, 20)}
    measures = {
        "negative": figure(0.2, 0.15, 0.25),
        "neutral": figure(0.6, 0.5, 0.7),
        "positive": figure(0.2, 0.1, 0.3),
        "net_sentiment_all": figure(0.0, -0.05, 0.05),
    }
    estimates = list(compare_report(document(measures), counted, ABOUT))
    negative = of_measure(estimates, "negative")
    assert (negative.covers_truth, negative.error) == (False, pytest.approx(-0.1))
    assert of_measure(estimates, "neutral").covers_truth
    assert of_measure(estimates, "positive").covers_truth
    assert of_measure(estimates, "net_sentiment_all").covers_truth is False
    assert "67 % [21, 94] of 3" in render_tables(estimates, [])


def test_a_figure_that_the_report_declines_to_give_is_counted_apart() -> None:
    counted = {("Quillon", SECOND): posts(30, 50, 20)}
    estimates = list(
        compare_report(
            document({"negative": figure(None) | {"reason": "unmeasurable"}}), counted, ABOUT
        )
    )
    assert len(estimates) == 5
    assert {(each.value, each.covers_truth, each.error) for each in estimates} == {
        (None, None, None)
    }


def test_a_share_printed_as_nothing_where_there_is_something_is_counted() -> None:
    counted = {("Quillon", SECOND): posts(30, 70, 0)}
    measures = {
        "negative": figure(0.0, 0.0, 0.1),
        "neutral": figure(0.7),
        "positive": figure(0.0, 0.0, 0.1),
    }
    first_row = render_tables(
        list(compare_report(document(measures), counted, ABOUT)), []
    ).splitlines()[3]
    assert re.match(r"unaudited .* 50 % \[9, 91\] of 2 .* 0         1   target", first_row)


def test_peers_are_also_compared_where_the_report_gives_a_share() -> None:
    counted = {("Quillon", SECOND): posts(30, 50, 20)}
    of_all = [
        *compare_report(document({"negative": figure(0.3, 0.2, 0.4)}), counted, ABOUT),
        *compare_peers(counted, np.full(3, 1 / 3), {"trade": "pens", "part": SELECTION_PART}),
    ]
    assert re.findall(rf"^{COUNTING} +(\d+)", render_tables(of_all, []), flags=re.MULTILINE)[
        :2
    ] == [
        "3",
        "1",
    ]


def test_an_arrow_is_right_where_it_points_as_the_labels_went() -> None:
    counted = {("Quillon", FIRST): posts(10, 70, 20), ("Quillon", SECOND): posts(30, 51, 19)}
    changes = {
        "negative": figure(0.1, 0.05, 0.15) | {"direction": "up"},
        "neutral": figure(0.1, -0.05, 0.2) | {"direction": "none"},
        "positive": figure(-0.1, -0.2, -0.05) | {"direction": "down"},
    }
    estimates = [
        each
        for each in compare_report(document({}, changes), counted, ABOUT)
        if isinstance(each, ChangeEstimate)
    ]
    arrows = {
        each.measure: (has_right_direction(each), each.covers_truth)
        for each in estimates
        if each.measure in SENTIMENT_LABELS
    }
    assert arrows == {
        "negative": (True, False),
        "neutral": (False, False),
        "positive": (False, False),
    }


def test_peers_count_the_same_posts() -> None:
    estimates = list(
        compare_peers(
            {("Quillon", FIRST): posts(30, 50, 20)},
            np.full(3, 1 / 3),
            {"trade": "pens", "part": SELECTION_PART},
        )
    )
    counted = [each for each in estimates if each.method == COUNTING]
    assert [each.error for each in counted] == pytest.approx([0] * 5)


def levels(net: Sequence[float | None], truth: Sequence[float]) -> list[MeasureEstimate]:
    """The net sentiment of so many brands in one week."""
    about = {"week": str(FIRST), "measure": "net_sentiment_polar", "posts": 100, **ABOUT}
    return [
        MeasureEstimate(brand=f"b{place}", value=value, truth=true, **about)
        for place, (value, true) in enumerate(zip(net, truth, strict=True))
    ]


def test_a_ranking_is_of_the_brands_that_have_a_value() -> None:
    truth = [-0.5, 0.0, 0.2, 0.6, 0.9]
    assert [each.tau for each in rank_correlations(levels([-0.4, 0.1, 0.3, 0.4, None], truth))] == [
        pytest.approx(1)
    ]
    assert [each.tau for each in rank_correlations(levels([0.4, 0.3, 0.2, 0.1, 0.0], truth))] == [
        pytest.approx(-1)
    ]
    assert [each.tau for each in rank_correlations(levels([0.1] * 5, truth))] == [0]
    assert [each.tau for each in rank_correlations(levels([0.1, 0.2, 0.3, None, None], truth))] == [
        None
    ]
    assert list(rank_correlations(levels([0.1, 0.2, 0.3], truth[:3]))) == []


def test_a_project_is_made_reported_and_audited_with_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("folate.pipeline.annotate.run.load_reader", lambda *_, **__: WordReader())
    brands = (brand_with((40, 40, 40)), brand_with((24, 36, 60), "Inkery"))
    trade = Trade("pens", SELECTION_PART, "microblog", brands)
    weeks = {
        brand.id: [WeeklyTexts(FIRST, count_labels(brand.texts)[0] / 120, brand.texts)]
        for brand in brands
    }
    project = build_trade_project(trade, weeks, tmp_path, threads=1)
    counted = project.counted_posts()
    assert [counted[brand.id, FIRST].true_shares.tolist() for brand in brands] == [
        pytest.approx([1 / 3, 1 / 3, 1 / 3]),
        pytest.approx([0.2, 0.3, 0.5]),
    ]
    report = project.write_report(FIRST)
    assert {brand["id"]: brand["measures"]["labels"]["value"] for brand in report["brands"]} == {
        "Quillon": 0,
        "Inkery": 0,
    }
    copy = project.make_audited_copy(tmp_path / "copy", FIRST)
    document_of_copy = copy.write_report(FIRST)
    audited = list(compare_report(document_of_copy, counted, ABOUT | {"method": AUDITED}))
    assert max(abs(each.error or 0) for each in audited if each.measure in SENTIMENT_LABELS) < 0.1
    assert {brand["measures"]["labels"]["value"] for brand in document_of_copy["brands"]} == {50}
