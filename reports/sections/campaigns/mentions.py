"""Brand mentions before, during and after a campaign, as weighted sums."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpora.store.snapshot import sql_literal
from folate.core.config import Campaign
from nlp.stats.estimation import Floats, Ints, author_weights, resampling_units, weighted_sums
from nlp.text.term_matcher import re2_pattern
from reports import queries
from reports.context import ReportContext
from reports.measures.mentions import category_codes, float_column

CAMPAIGN_DRAWS = 400
"""Draws of the bootstrap over authors."""

_ROWS_QUERY = """
SELECT r.brand, r.week AS phase, r.id, r.source, coalesce(p.place, '') AS place, \
md5_number_lower(r.author) AS author, p.followers,
  p.likes, p.replies, p.reposts, r.negative, r.positive, j.buy, j.ask, j.complain, {themes} \
AS theme{more}
FROM ({rows}) r JOIN {posts} p USING (id) LEFT JOIN judgements j USING (id) WHERE r.counted
ORDER BY md5_number_lower(r.id), r.brand, r.week
""".strip()
_HAS_THEME = "regexp_matches(concat_ws(chr(10), p.title, p.text), {pattern})"

SUM_NAMES = (
    "posts",
    "people",
    "new_people",
    "followers",
    "followed",
    "seen",
    "acts",
    "replies",
    "reposts",
    "engaged",
    "read",
    "positive",
    "negative",
    "theme",
    "theme_positive",
    "theme_negative",
    "judged",
    "buy",
    "ask",
    "complain",
)
"""What a mention adds to: see `_sum_columns`."""

_NUMBER_COLUMNS = (
    "followers",
    "likes",
    "replies",
    "reposts",
    "negative",
    "positive",
    "buy",
    "ask",
    "complain",
)


@dataclass(frozen=True)
class CampaignPhase:
    """Consecutive days of a campaign."""

    name: str
    """before, during or after."""
    first: date
    days: int

    def __str__(self) -> str:
        return self.name

    def bounds(self, timezone: str) -> tuple[datetime, datetime]:
        """Return the first moment of the phase and the first after it."""
        start = datetime.combine(self.first, time(), ZoneInfo(timezone))
        stop = datetime.combine(self.first + timedelta(days=self.days), time(), ZoneInfo(timezone))
        return start, stop


def campaign_phases(campaign: Campaign, last_day: date) -> tuple[CampaignPhase, ...]:
    """Return the phases that began by `last_day`, cut there."""
    campaign_days = (campaign.end - campaign.start).days + 1
    planned = (
        CampaignPhase("before", campaign.start - timedelta(days=campaign.before), campaign.before),
        CampaignPhase("during", campaign.start, campaign_days),
        CampaignPhase("after", campaign.end + timedelta(days=1), campaign.after),
    )
    phases = []
    for phase in planned:
        if phase.days and phase.first <= last_day:
            days = min(phase.days, (last_day - phase.first).days + 1)
            phases.append(CampaignPhase(phase.name, phase.first, days))
    return tuple(phases)


@dataclass(frozen=True)
class CampaignMentions:
    """One element for each counted mention of a brand in a phase."""

    brands: tuple[str, ...]
    phases: tuple[CampaignPhase, ...]
    brand: Ints
    """Index into `brands`, as `phase` is into `phases`."""
    phase: Ints
    author: NDArray[np.uint64]
    values: Floats
    """(n, len(SUM_NAMES)) what the mention adds to each sum, zero where nothing."""
    groups: dict[str, NDArray[np.str_]]
    """Source and place of each; empty where unknown."""
    ids: NDArray[np.str_]
    bodies: list[str]
    query: str

    def sum_by_phase(self, selected: NDArray[np.bool_] | None = None) -> Floats:
        """Sum the values of the selected mentions (by default all) with bootstrap weights.

        The sums are (1 + draws, brands, phases, len(SUM_NAMES)), the estimate's first.
        """
        rows = np.arange(len(self.brand)) if selected is None else np.flatnonzero(selected)
        units, unit_count = resampling_units(self.author[rows])
        shape = (len(self.brands), len(self.phases))
        cell = self.brand[rows] * shape[1] + self.phase[rows]
        weights = author_weights(unit_count, CAMPAIGN_DRAWS)
        columns = self.values[rows].T
        sums = [weighted_sums(weights, units, column, cell, shape) for column in columns]
        return np.stack(sums, axis=-1)


def read_campaign_mentions(
    context: ReportContext, campaign: Campaign, phases: tuple[CampaignPhase, ...]
) -> CampaignMentions:
    """Read the counted mentions of all brands in the phases."""
    make_query = partial(
        _ROWS_QUERY.format,
        rows=context.mentions_query(phases),
        themes=_HAS_THEME.format(pattern=sql_literal(re2_pattern(campaign.themes))),
    )
    start, stop = queries.window_bounds(phases, context.timezone)
    # texts of other times are not read
    posts = f"(FROM posts WHERE published_at >= {start} AND published_at < {stop})"
    table = context.table(make_query(posts=posts, more=", concat_ws(' ', p.title, p.text) AS body"))
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    brand = category_codes(columns["brand"], context.brand_ids)
    phase = category_codes(columns["phase"], [str(phase) for phase in phases])
    author = columns["author"].to_numpy()
    has_theme = columns["theme"].to_numpy(zero_copy_only=False).astype(bool)
    numbers = {name: float_column(columns[name]) for name in _NUMBER_COLUMNS}
    sum_columns = _sum_columns(brand, phase, author, has_theme, numbers)
    return CampaignMentions(
        brands=context.brand_ids,
        phases=phases,
        brand=brand,
        phase=phase,
        author=author,
        values=np.stack([sum_columns[name] for name in SUM_NAMES], axis=1),
        groups={name: _text_column(columns[name]) for name in ("source", "place")},
        ids=_text_column(columns["id"]),
        bodies=columns["body"].to_pylist(),
        query=make_query(posts="posts", more=""),
    )


def _text_column(column: pa.Array) -> NDArray[np.str_]:
    return np.array(column.to_pylist(), dtype=np.str_)


def _sum_columns(
    brand: Ints,
    phase: Ints,
    author: NDArray[np.uint64],
    has_theme: NDArray[np.bool_],
    numbers: dict[str, Floats],
) -> dict[str, Floats]:
    """Return what each mention adds to each of SUM_NAMES.

    `numbers` are columns with NaN where missing.
    """
    filled = {name: np.nan_to_num(values) for name, values in numbers.items()}
    is_first = _is_author_first(brand, phase, author)
    is_new = is_first & _is_author_first(brand, np.zeros_like(phase), author, order_by=phase)
    acts = np.stack([numbers[name] for name in ("likes", "replies", "reposts")])
    shows_acts = ~np.isnan(acts).all(axis=0)
    act_count = np.nan_to_num(acts).sum(axis=0)
    columns = {
        "posts": np.ones(len(brand)),
        "people": is_first,
        "new_people": is_new,
        "followers": is_first * filled["followers"],
        "followed": is_first & ~np.isnan(numbers["followers"]),
        "seen": shows_acts,
        "acts": act_count,
        "replies": filled["replies"],
        "reposts": filled["reposts"],
        "engaged": shows_acts & (act_count > 0),
        "read": ~np.isnan(numbers["positive"]),
        "positive": filled["positive"],
        "negative": filled["negative"],
        "theme": has_theme,
        "theme_positive": has_theme * filled["positive"],
        "theme_negative": has_theme * filled["negative"],
        "judged": ~np.isnan(numbers["buy"]),
        "buy": filled["buy"],
        "ask": filled["ask"],
        "complain": filled["complain"],
    }
    return {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}


def _is_author_first(
    brand: Ints, phase: Ints, author: NDArray[np.uint64], order_by: Ints | None = None
) -> NDArray[np.bool_]:
    """Return True at one mention of each author, brand and phase: the first by `order_by`."""
    last_key = np.zeros_like(phase) if order_by is None else order_by
    order = np.lexsort((last_key, author, phase, brand))
    is_same = (
        (np.diff(brand[order]) == 0)
        & (np.diff(phase[order]) == 0)
        & (author[order][1:] == author[order][:-1])
    )
    is_first = np.zeros(len(brand), dtype=bool)
    is_first[order[np.concatenate(([True], ~is_same))[: len(order)]]] = True
    return is_first
