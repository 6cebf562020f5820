"""Every measure of a report, declared once.

A measure has a row here, a function that computes it (brands: reports/measures/formulas.py;
campaigns: reports/sections/campaigns/measures.py; others in their section) and a name and a
definition in each message file. Units of changes, flags, columns of tables, the order of the JSON
and the measures that a campaign's goal may name are derived from the rows. docs/measures.md
explains each measure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from folate.core.labels import EMOTIONS, INTENTS

Unit = Literal[
    "count",
    "rate",
    "per million",
    "share",
    "net",
    "rating",
    "times",
    "score",
    "position",
    "points",
    "net points",
    "rating points",
    "relative",
]

CHANGE_UNITS: dict[Unit, Unit] = {
    "count": "relative",
    "rate": "relative",
    "per million": "relative",
    "share": "points",
    "net": "net points",
    "rating": "rating points",
}
"""Unit of a measure -> unit of its change: relative ones are ratios less 1, others differences."""

BrandTable = Literal["voice", "sentiment", "emotions", "intents", "reactions"]
CampaignGroup = Literal["reach", "engagement", "perception", "intent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number that a report may print."""

    name: str
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandMeasure(Measure):
    """A measure of each brand in each week."""

    family: Literal["volume", "sentiment", "emotion_intent", "labels"] = "volume"
    """sentiment: may be audited, and withheld where its interval is too wide; emotion_intent: known
    of the last two weeks; labels: counts labels of people, known whether posts are annotated or
    not."""

    has_interval: bool = True
    """False for counts of what the corpus holds."""

    is_compared: bool = True
    """Whether its change to the week before is reported, and to the trailing weeks where known."""

    coverage: Literal["", "total", "share"] = ""
    """How missing posts affect it. total: flagged where the week is partial, incomplete or partly
    unread, and no change is reported in a partial week; share: flagged where the week is incomplete
    or partly unread."""

    spans_all_weeks: bool = False
    """Whether it is counted over all weeks of the report."""

    has_trend: bool = False
    """Whether a report has it for each of its weeks."""

    columns: Mapping[BrandTable, int] = field(default_factory=dict)
    """The tables of brands that show it, and its position among their columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignMeasure(Measure):
    """A measure of each phase of a campaign. `name` begins with `campaign_`."""

    group: CampaignGroup

    is_compared: bool = True
    """Whether its effect is taken against the competitors; False where they are in it already, or
    where they say nothing of it."""

    by_part: bool = False
    """Whether its effect is also given by source, place and audience segment."""

    @property
    def short_name(self) -> str:
        """Its name in folate.toml and in the scorecard."""
        return self.name.removeprefix(_CAMPAIGN_PREFIX)

    @property
    def is_relative(self) -> bool:
        """Whether its effect is a ratio of ratios less 1, not a difference of differences."""
        return CHANGE_UNITS[self.unit] == "relative"


_CAMPAIGN_PREFIX = "campaign_"


BRAND_MEASURES: tuple[BrandMeasure, ...] = (
    BrandMeasure(
        name="mentions",
        unit="count",
        has_interval=False,
        coverage="total",
        columns={"voice": 2},
    ),
    BrandMeasure(
        name="authors",
        unit="count",
        has_interval=False,
        coverage="total",
        columns={"voice": 1},
    ),
    BrandMeasure(
        name="share_of_voice",
        unit="share",
        coverage="share",
        has_trend=True,
        columns={"voice": 3},
    ),
    BrandMeasure(
        name="share_of_voice_raw",
        unit="share",
        is_compared=False,
        coverage="share",
        columns={"voice": 4},
    ),
    BrandMeasure(
        name="posts_per_author",
        unit="rate",
        is_compared=False,
        columns={"reactions": 1},
    ),
    BrandMeasure(
        name="top_authors",
        unit="share",
        is_compared=False,
        columns={"reactions": 2},
    ),
    BrandMeasure(
        name="copies",
        unit="share",
        has_interval=False,
        is_compared=False,
        coverage="total",
        columns={"reactions": 5},
    ),
    BrandMeasure(
        name="adapted_labels",
        unit="count",
        family="labels",
        has_interval=False,
        is_compared=False,
    ),
    BrandMeasure(
        name="labels",
        unit="count",
        family="labels",
        has_interval=False,
        is_compared=False,
        spans_all_weeks=True,
    ),
    BrandMeasure(
        name="rating",
        unit="rating",
        columns={"sentiment": 6, "reactions": 4},
    ),
    BrandMeasure(
        name="engagement",
        unit="count",
        has_interval=False,
        coverage="total",
    ),
    BrandMeasure(
        name="engagement_per_post",
        unit="rate",
        columns={"reactions": 3},
    ),
    BrandMeasure(
        name="net_sentiment_polar",
        unit="net",
        family="sentiment",
        has_trend=True,
        columns={"sentiment": 1},
    ),
    BrandMeasure(
        name="net_sentiment_all",
        unit="net",
        family="sentiment",
        columns={"sentiment": 2},
    ),
    BrandMeasure(
        name="negative",
        unit="share",
        family="sentiment",
        columns={"sentiment": 3},
    ),
    BrandMeasure(
        name="neutral",
        unit="share",
        family="sentiment",
        columns={"sentiment": 4},
    ),
    BrandMeasure(
        name="positive",
        unit="share",
        family="sentiment",
        columns={"sentiment": 5},
    ),
    *(
        BrandMeasure(
            name=f"emotion_{name}",
            unit="share",
            family="emotion_intent",
            columns={"emotions": position},
        )
        for position, name in enumerate(EMOTIONS)
    ),
    *(
        BrandMeasure(
            name=f"intent_{name}",
            unit="share",
            family="emotion_intent",
            columns={"intents": position},
        )
        for position, name in enumerate(INTENTS)
    ),
)
"""The measures of a brand, in the order of the JSON."""

CAMPAIGN_MEASURES: tuple[CampaignMeasure, ...] = (
    CampaignMeasure(name="campaign_mentions", unit="rate", group="reach"),
    CampaignMeasure(name="campaign_people", unit="rate", group="reach", by_part=True),
    CampaignMeasure(name="campaign_share_of_voice", unit="share", group="reach", is_compared=False),
    CampaignMeasure(name="campaign_new_people", unit="share", group="reach", is_compared=False),
    CampaignMeasure(name="campaign_reach", unit="rate", group="reach"),
    CampaignMeasure(name="campaign_engagement", unit="rate", group="engagement"),
    CampaignMeasure(name="campaign_replies", unit="rate", group="engagement"),
    CampaignMeasure(name="campaign_reposts", unit="rate", group="engagement"),
    CampaignMeasure(name="campaign_engaged", unit="share", group="engagement"),
    CampaignMeasure(name="campaign_net", unit="net", group="perception", by_part=True),
    CampaignMeasure(name="campaign_positive", unit="share", group="perception"),
    CampaignMeasure(name="campaign_negative", unit="share", group="perception"),
    CampaignMeasure(name="campaign_pickup", unit="share", group="perception", by_part=True),
    CampaignMeasure(name="campaign_pickup_net", unit="net", group="perception"),
    CampaignMeasure(name="campaign_buy", unit="share", group="intent", by_part=True),
    CampaignMeasure(name="campaign_ask", unit="share", group="intent"),
    CampaignMeasure(name="campaign_complain", unit="share", group="intent"),
)
"""The measures of a campaign, in the order of its scorecard."""

_SECTION_MEASURES: dict[str, Unit] = {
    "topic_authors": "count",
    "topic_posts": "count",
    "topic_gain": "times",
    "topic_score": "score",
    "topic_copies": "share",
    "topic_coverage": "times",
    "topic_volume": "times",
    "topic_share": "times",
    "topic_net": "net points",
    "concern_authors": "count",
    "topic_audience": "share",
    "topic_audience_outside": "share",
    "aspect_share": "share",
    "aspect_net": "net",
    "aspect_gap": "net points",
    "map_across": "position",
    "map_up": "position",
    "map_shown": "share",
    "keyness": "times",
    "switchers": "count",
    "switch_share": "share",
    "preferring": "count",
    "preferred_share": "share",
    "co_mentions": "count",
    "voice_posts": "count",
    "voice_reach": "count",
    "voice_engagement": "count",
    "voice_opinion": "net",
    "community_people": "count",
    "topic_carried": "count",
    "questions": "count",
    "unanswered": "share",
    "query_authors": "count",
    "query_expected": "count",
    "corpus_query_authors": "count",
    "corpus_query_expected": "count",
    "saved_posts": "count",
    "saved_authors": "count",
    "saved_hits": "count",
    "saved_rate": "per million",
    "week_posts": "count",
    "window_posts": "count",
    "unread_posts": "count",
    "unjudged_posts": "count",
    "topic_baseline": "count",
    "topic_posts_since": "count",
    "topic_baseline_since": "count",
    "source_posts": "count",
    "source_copies": "share",
    "source_queries": "count",
    "source_complete": "count",
}
"""The measures of topics, perception, people, saved queries and of the corpus."""

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        *BRAND_MEASURES,
        *(Measure(name=name, unit=unit) for name, unit in _SECTION_MEASURES.items()),
        *CAMPAIGN_MEASURES,
    )
}
"""Every measure by name."""

MEASURE_UNITS: dict[str, Unit] = {name: measure.unit for name, measure in MEASURES.items()}

SENTIMENT_MEASURES = tuple(
    measure.name for measure in BRAND_MEASURES if measure.family == "sentiment"
)
EMOTION_INTENT_MEASURES = tuple(
    measure.name for measure in BRAND_MEASURES if measure.family == "emotion_intent"
)
TREND_MEASURES = tuple(measure.name for measure in BRAND_MEASURES if measure.has_trend)


def brand_table_columns(table: BrandTable) -> tuple[str, ...]:
    """Return the measures that a table of brands shows, in the order of its columns."""
    table_measures = [measure for measure in BRAND_MEASURES if table in measure.columns]
    table_measures.sort(key=lambda measure: measure.columns[table])
    return tuple(measure.name for measure in table_measures)
