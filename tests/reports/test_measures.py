"""Changes, flags, emotions and audits of brands, from corpora with planted changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora.store.store import Store
from folate.core.config import Campaign, Config
from folate.core.labels import EMOTIONS
from folate.core.weeks import Week
from reports.context import TRAILING_WEEKS, ReportContext
from reports.measures.brands import BrandMeasures, measure_brands
from reports.measures.mentions import read_brand_mentions

Measured = Callable[..., BrandMeasures]


@pytest.fixture
def measured(tmp_path: Path, config: Config, week: Week) -> Measured:
    """Measure our brand in a corpus; `tables` are rows of further tables."""

    def measure_own_brand(
        corpus: Any, flags: tuple[str, ...] = (), **tables: list[dict[str, Any]]
    ) -> BrandMeasures:
        corpus.snapshot(tmp_path)
        store = Store(tmp_path)
        for table, rows in tables.items():
            store.upsert(table, rows)
        context = ReportContext(store.snapshot(), config, week, flags=flags)
        mentions = read_brand_mentions(context, context.last_weeks(TRAILING_WEEKS + 1))
        return measure_brands(mentions, context)[0]

    return measure_own_brand


def add_weekly_posts(
    corpus: Any,
    monday: Any,
    each_week: dict[int, int],
    shares: tuple[float, ...] = (0.2, 0.2, 0.6),
    **fields: Any,
) -> list[Any]:
    """Add posts about our brand, each by another author; `each_week` counts weeks back."""
    site = len(fields.get("source", ""))  # an account is of one source
    return [
        corpus.add(
            f"禾叶 {back} {n}",
            monday - timedelta(weeks=back, hours=-(n % 150)),
            shares=shares,
            author=f"{site:04x}{back:04x}{n:08x}",
            **fields,
        )
        for back, count in each_week.items()
        for n in range(count)
    ]


def test_the_trailing_weeks_are_their_mean(blank: Any, monday: Any, measured: Measured) -> None:
    add_weekly_posts(blank, monday, {0: 60, **{back: 20 + back for back in range(1, 9)}})
    brand = measured(blank)
    assert brand.changes["mentions"].figure.value == pytest.approx(60 / 21 - 1, abs=1e-6)
    assert brand.trailing["mentions"].figure.value == pytest.approx(60 / 24.5 - 1, abs=1e-6)
    assert brand.trailing["mentions"].direction == "up"
    assert brand.trailing["mentions"].detectable.value > 0.02
    assert brand.trailing["negative"].figure.value == pytest.approx(0, abs=1e-6)
    assert brand.trailing["negative"].direction == "none"


@pytest.mark.parametrize(("weeks", "compared"), [(3, False), (4, True)])
def test_fewer_than_four_weeks_have_no_mean(
    weeks: int, compared: bool, blank: Any, monday: Any, measured: Measured
) -> None:
    add_weekly_posts(blank, monday, dict.fromkeys(range(weeks + 1), 20))
    brand = measured(blank)
    assert ("mentions" in brand.trailing) is compared
    assert "mentions" in brand.changes


def test_a_source_that_is_new_does_not_move_the_comparison(
    blank: Any, monday: Any, measured: Measured
) -> None:
    add_weekly_posts(blank, monday, dict.fromkeys(range(9), 20))
    add_weekly_posts(blank, monday, dict.fromkeys(range(3), 50), source="mombaby")
    brand = measured(blank)
    assert brand.changes["mentions"].figure.value == pytest.approx(0, abs=1e-6)
    assert brand.trailing["mentions"].figure.value == pytest.approx(0, abs=1e-6)
    assert (brand.changes["mentions"].figure.flags, brand.trailing["mentions"].figure.flags) == (
        (),
        ("common_sources",),
    )


def test_weeks_that_two_models_read_are_not_compared(
    blank: Any, monday: Any, measured: Measured
) -> None:
    add_weekly_posts(blank, monday, dict.fromkeys(range(9), 20))
    for row in blank.tables["sentiments"][-20:]:  # the oldest week still has the model of before
        row["version"] = "0"
    brand = measured(blank)
    assert "net_sentiment_polar" in brand.changes
    assert "net_sentiment_polar" not in brand.trailing
    assert "mentions" in brand.trailing
    assert "models" not in brand.figures["negative"].flags
    assert "models" not in brand.trend["net_sentiment_polar"][0].flags


def test_a_week_that_two_models_read_says_so(blank: Any, monday: Any, measured: Measured) -> None:
    add_weekly_posts(blank, monday, dict.fromkeys(range(9), 20))
    for row in blank.tables["sentiments"][:5]:
        row["version"] = "0"
    brand = measured(blank)
    assert "models" in brand.figures["negative"].flags
    assert not {"net_sentiment_polar", "negative"} & (brand.changes.keys() | brand.trailing.keys())


def test_emotions_and_intents_are_means_and_missing_where_missing(
    blank: Any, monday: Any, measured: Measured
) -> None:
    posts = add_weekly_posts(blank, monday, {0: 40, 1: 40})
    rng, rows = np.random.default_rng(0), []
    for post in posts[:60]:
        emotions = dict(zip(EMOTIONS, rng.dirichlet(np.ones(6)).tolist(), strict=True))
        intents = {"buy": 0.3, "switch": 0.0, "ask": None, "complain": 0.1}
        rows.append(
            {
                "id": post.id,
                "text_hash": post.text_hash,
                "annotator": "t",
                "version": "1",
                "emotion": "happy",
            }
            | emotions
            | intents
        )
    brand = measured(blank, judgements=rows)
    happy, buy, ask = (
        brand.figures[name] for name in ("emotion_happy", "intent_buy", "intent_ask")
    )
    assert (happy.n, happy.value) == (
        40,
        pytest.approx(np.mean([row["happy"] for row in rows[:40]]), abs=1e-6),
    )
    assert happy.low is not None
    assert happy.low < happy.value < happy.high
    assert buy.value == pytest.approx(0.3, abs=1e-6)
    assert (ask.value, ask.n, ask.low) == (None, 0, None)
    assert brand.changes["emotion_happy"].figure.n == 20
    assert "intent_ask" not in brand.changes
    assert "emotion_happy" not in brand.trailing


def test_engagement_and_concentration(blank: Any, monday: Any, measured: Measured) -> None:
    add_weekly_posts(blank, monday, {0: 10}, likes=4, replies=1)
    add_weekly_posts(blank, monday, {0: 10}, source="shop")
    blank.add("禾叶 again", monday, author=f"{0:08x}{0:08x}")
    figures = measured(blank).figures
    assert (figures["engagement"].value, figures["engagement"].n, figures["engagement"].low) == (
        50,
        10,
        None,
    )
    assert (figures["engagement_per_post"].value, figures["engagement_per_post"].n) == (5, 10)
    assert figures["top_authors"].value is None


def test_flags_say_why_to_be_careful(blank: Any, monday: Any, measured: Measured) -> None:
    posts = add_weekly_posts(blank, monday, {0: 20})
    blank.tables["duplicates"] += [
        {"id": post.id, "cluster": posts[0].id, "similarity": 1.0} for post in posts[1:6]
    ]
    figures = measured(blank, flags=("partial", "incomplete")).figures
    assert set(figures["mentions"].flags) == {"copies", "partial", "incomplete"}
    assert figures["share_of_voice"].flags == ("incomplete",)
    assert figures["negative"].flags == ("unaudited",)


def audit_rows(posts: list[Any], label: Callable[[int], str], monday: Any) -> list[dict[str, Any]]:
    span = {"since": monday, "until": monday + timedelta(weeks=1), "draw": "d1", "brand": "heye"}
    return [
        span | {"place": n, "id": post.id, "text_hash": post.text_hash, "label": label(n)}
        for n, post in enumerate(posts)
    ]


def test_an_audit_moves_the_shares_of_all_weeks_and_no_change(
    blank: Any, monday: Any, measured: Measured
) -> None:
    """The model says 20 % negative throughout; people find a half."""
    posts = add_weekly_posts(blank, monday, {0: 120, 1: 120})
    rows = audit_rows(posts[:100], lambda n: "negative" if n % 2 else "positive", monday)
    brand = measured(blank, audits=rows)
    negative = brand.figures["negative"]
    assert negative.flags == ()
    assert negative.value == pytest.approx(0.5, abs=0.01)
    assert negative.low is not None
    assert negative.low < 0.45
    assert brand.changes["negative"].figure.value == pytest.approx(0, abs=0.01)
    assert "label" in negative.query


def test_labels_of_a_text_that_changed_are_not_used(
    blank: Any, monday: Any, measured: Measured
) -> None:
    posts = add_weekly_posts(blank, monday, {0: 120})
    rows = [
        row | {"text_hash": f"other{row['place']}"}
        for row in audit_rows(posts[:100], lambda _: "negative", monday)
    ]
    assert measured(blank, audits=rows).figures["negative"].flags == ("unaudited",)


@pytest.mark.parametrize(
    ("brand", "start", "end", "flagged"),
    [
        ("", 6, 9, True),
        ("heye", -9, 0, True),
        ("kangben", 0, 6, False),
        ("", 7, 20, False),
        ("", -20, -8, False),
    ],
)
def test_a_week_that_a_campaign_of_the_brand_touches_is_flagged(
    brand: str,
    start: int,
    end: int,
    flagged: bool,
    blank: Any,
    monday: Any,
    week: Week,
    config: Config,
    tmp_path: Path,
) -> None:
    add_weekly_posts(blank, monday, {0: 20, 1: 20})
    first, last = (week.monday + timedelta(days=days) for days in (start, end))
    spring = Campaign(id="spring", names=("春季",), brand=brand, start=first, end=last)
    planned = replace(config, campaign=(spring,))
    context = ReportContext(blank.snapshot(tmp_path), planned, week)
    brands = measure_brands(read_brand_mentions(context, context.last_weeks(2)), context)
    figures = [brands[0].figures[name] for name in ("mentions", "share_of_voice", "negative")]
    figures.append(brands[0].changes["mentions"].figure)
    assert {"campaign" in figure.flags for figure in figures} == {flagged}
    assert "campaign" not in brands[0].figures["labels"].flags
    assert ("campaign" in brands[1].figures["mentions"].flags) is (brand == "kangben")
