"""The brand mentions before, during and after a campaign, as weighted sums that all its measures are made of."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from corpora.store.snapshot import Snapshot, sql_literal
from folate.core.config import Campaign
from nlp.stats.estimation import Floats, Ints, author_weights, resampling_units, weighted_sums
from reports import queries
from reports.measures.mentions import category_codes, float_column

CAMPAIGN_DRAWS = 400  # of a bootstrap over authors
_ROWS = """
SELECT r.brand, r.week AS phase, r.id, r.source, coalesce(p.place, '') AS place, md5_number_lower(r.author) AS author, p.followers,
  p.likes, p.replies, p.reposts, r.negative, r.positive, j.buy, j.ask, j.complain, {themes} AS theme{more}
FROM ({rows}) r JOIN {posts} p USING (id) LEFT JOIN judgements j USING (id) WHERE r.counted
ORDER BY md5_number_lower(r.id), r.brand, r.week
""".strip()
SUM_NAMES = (
    "posts", "people", "new_people", "followers", "followed", "seen", "acts", "replies", "reposts", "engaged", "read",
    "positive", "negative", "theme", "theme_positive", "theme_negative", "judged", "buy", "ask", "complain",
)  # fmt: skip


@dataclass(frozen=True)
class CampaignPhase:
    """Days of a campaign; `folate.core.weeks.Week` for as many days as it takes."""

    name: str  # before, during, after
    first: date
    days: int

    def __str__(self) -> str:
        return self.name

    def bounds(self, timezone: str) -> tuple[datetime, datetime]:
        """The first moment and the first after it."""
        start, stop = (
            datetime.combine(self.first + timedelta(days=more), time(), ZoneInfo(timezone))
            for more in (0, self.days)
        )
        return start, stop


def campaign_phases(campaign: Campaign, last: date) -> tuple[CampaignPhase, ...]:
    """The phases that began by `last`, cut there."""
    during = (campaign.end - campaign.start).days + 1
    planned = (
        CampaignPhase("before", campaign.start - timedelta(days=campaign.before), campaign.before),
        CampaignPhase("during", campaign.start, during),
        CampaignPhase("after", campaign.end + timedelta(days=1), campaign.after),
    )
    return tuple(
        CampaignPhase(phase.name, phase.first, min(phase.days, (last - phase.first).days + 1))
        for phase in planned
        if phase.days and phase.first <= last
    )


@dataclass(frozen=True)
class CampaignMentions:
    """One element a counted mention: (n,) codes and (n, len(SUMS)) values, zero where a mention adds nothing."""

    brands: tuple[str, ...]
    phases: tuple[CampaignPhase, ...]
    brand: Ints
    phase: Ints
    author: NDArray[np.uint64]
    values: Floats
    groups: dict[str, NDArray[np.str_]]  # source and place of each
    ids: NDArray[np.str_]
    bodies: list[str]
    query: str

    def sums(self, keep: NDArray[np.bool_] | None = None) -> Floats:
        """(1 + DRAWS, brands, phases, len(SUMS)): the estimate's, then the bootstrap's over authors."""
        kept = np.arange(len(self.brand)) if keep is None else np.flatnonzero(keep)
        units, count = resampling_units(self.author[kept])
        shape = (len(self.brands), len(self.phases))
        cell = self.brand[kept] * shape[1] + self.phase[kept]
        weights = author_weights(count, CAMPAIGN_DRAWS)
        return np.stack(
            [weighted_sums(weights, units, column, cell, shape) for column in self.values[kept].T],
            axis=-1,
        )


def read_campaign_mentions(
    snapshot: Snapshot,
    campaign: Campaign,
    brands: tuple[str, ...],
    phases: tuple[CampaignPhase, ...],
    timezone: str,
) -> CampaignMentions:
    """The counted mentions of `brands` in the phases."""
    text = "lower(concat_ws(' ', p.title, p.text))"
    themes = (
        " OR ".join(f"contains({text}, {sql_literal(theme.lower())})" for theme in campaign.themes)
        or "false"
    )
    rows = queries.mentions_query(brands, phases, timezone)
    start, stop = queries.window_bounds(phases, timezone)
    within = (
        f"published_at >= {start} AND published_at < {stop}"  # texts of other times are not read
    )
    question = partial(_ROWS.format, rows=rows, themes=f"({themes})")
    table = snapshot.sql(
        question(
            posts=f"(FROM posts WHERE {within})", more=", concat_ws(' ', p.title, p.text) AS body"
        )
    )
    column = {name: table.column(name).combine_chunks() for name in table.column_names}
    brand, phase = (
        category_codes(column["brand"], brands),
        category_codes(column["phase"], [str(span) for span in phases]),
    )
    numbers = {
        name: float_column(column[name])
        for name in (
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
    }
    author, theme = (
        column["author"].to_numpy(),
        column["theme"].to_numpy(zero_copy_only=False).astype(bool),
    )
    groups = {
        name: np.array(column[name].to_pylist(), dtype=np.str_) for name in ("source", "place")
    }
    ids = np.array(column["id"].to_pylist(), dtype=np.str_)
    values, bodies = _values(brand, phase, author, theme, numbers), column["body"].to_pylist()
    return CampaignMentions(
        brands,
        phases,
        brand,
        phase,
        author,
        values,
        groups,
        ids,
        bodies,
        question(posts="posts", more=""),
    )


def _values(
    brand: Ints,
    phase: Ints,
    author: NDArray[np.uint64],
    theme: NDArray[np.bool_],
    numbers: dict[str, Floats],
) -> Floats:
    """What each mention adds to each of SUMS."""
    ones = np.ones(len(brand))
    person = _first(brand, phase, author)
    new = person & _first(brand, np.zeros_like(phase), author, by=phase)
    acts = np.stack([numbers[name] for name in ("likes", "replies", "reposts")])
    seen, total = ~np.isnan(acts).all(axis=0), np.nan_to_num(acts).sum(axis=0)
    read, judged = ~np.isnan(numbers["positive"]), ~np.isnan(numbers["buy"])
    known = {name: np.nan_to_num(values) for name, values in numbers.items()}
    made = {
        "posts": ones, "people": person, "new_people": new, "followers": person * known["followers"],
        "followed": person & ~np.isnan(numbers["followers"]), "seen": seen, "acts": total,
        "replies": known["replies"], "reposts": known["reposts"], "engaged": seen & (total > 0), "read": read,
        "positive": known["positive"], "negative": known["negative"], "theme": theme, "theme_positive": theme * known["positive"],
        "theme_negative": theme * known["negative"], "judged": judged, "buy": known["buy"], "ask": known["ask"],
        "complain": known["complain"],
    }  # fmt: skip
    return np.stack([np.asarray(made[name], dtype=np.float64) for name in SUM_NAMES], axis=1)


def _first(
    brand: Ints, phase: Ints, author: NDArray[np.uint64], by: Ints | None = None
) -> NDArray[np.bool_]:
    """True at one mention of each author x brand x phase: the first, in the order of `by`."""
    order = np.lexsort((np.zeros_like(phase) if by is None else by, author, phase, brand))
    same = (
        (np.diff(brand[order]) == 0)
        & (np.diff(phase[order]) == 0)
        & (author[order][1:] == author[order][:-1])
    )
    first = np.zeros(len(brand), dtype=bool)
    first[order[np.concatenate(([True], ~same))[: len(order)]]] = True
    return first
