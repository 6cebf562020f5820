"""Each brand's measures for one week, with evidence: levels with intervals, changes to the week before and to eight weeks, the trend."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from folate.core.config import Config
from folate.core.weeks import Period, last_day
from nlp.stats.domains import DomainErrors
from nlp.stats.estimation import (
    Floats,
    Ints,
    benjamini_hochberg,
    min_detectable_change,
    percentile_interval,
    two_sided_p_value,
)
from reports import queries
from reports.figures import (
    CHANGE_SUFFIX,
    CHANGE_UNITS,
    DETECTABLE_SUFFIX,
    MAX_SAMPLE_POSTS,
    MEASURE_UNITS,
    TRAILING_DETECTABLE_SUFFIX,
    TRAILING_SUFFIX,
    UNMEASURABLE_FLAG,
    Change,
    Figure,
)
from reports.measures.estimates import (
    CALIBRATED_DOMAIN_ERRORS,
    MIN_AUDIT_LABELS,
    Estimates,
    net_sentiment,
    ratio,
)
from reports.measures.mentions import SENTIMENT_LABELS, BrandMentions

MIN_AUTHORS = (
    5  # below it no interval is given: a bootstrap of four people knows nothing of a fifth
)
MIN_TRAILING_WEEKS = 4  # of the trailing eight that a mean is taken of
MIN_CHANGE = 0.02  # smaller ones get no arrow, whatever their interval
FALSE_DISCOVERY_RATE = 0.1  # tolerated among all arrows of a report
MIN_REPORTED_COPY_SHARE = 0.2  # of a brand's mentions, to be told
TREND_MEASURES = ("share_of_voice", "net_sentiment_polar")
_COUNTED = (
    "mentions",
    "authors",
    "share_of_voice",
    "share_of_voice_raw",
    "copies",
    "engagement",
)  # lower bounds while posts are unread


@dataclass(frozen=True, kw_only=True)
class BrandMeasures:
    """One brand in one week. A measure that could not be taken has a figure whose value is None."""

    id: str
    label: str
    own: bool
    method: str  # how sentiment was quantified: tempered, or empty when nothing is annotated
    figures: Mapping[str, Figure]
    changes: Mapping[str, Change] = field(default_factory=dict)  # to the week before
    trailing: Mapping[str, Change] = field(
        default_factory=dict
    )  # to the mean of the eight weeks before
    trend: Mapping[str, tuple[Figure, ...]] = field(
        default_factory=dict
    )  # oldest week first, this one last


@dataclass(frozen=True)
class MeasureLevel:
    """A measure as arrays: draws (draws, brands, weeks), the newest week last, and observations (brands, weeks)."""

    draws: Floats
    n: Floats | Ints
    has_interval: bool = True


@dataclass(frozen=True)
class ReportContext:
    """What all figures of one report share."""

    config: Config
    week: Period
    versions: str
    flags: tuple[
        str, ...
    ] = ()  # of counts: "partial", "incomplete" when the week or a source of it is not all there
    reader_version: str = ""  # version that reads texts today; empty: any
    partly_read_weeks: frozenset[str] = (
        frozenset()
    )  # weeks some of whose posts have not been read by it
    unread_weeks: frozenset[str] = (
        frozenset()
    )  # weeks none of whose posts has been read at all: nothing of them is known

    @property
    def brand_ids(self) -> tuple[str, ...]:
        return tuple(brand.id for brand in self.config.brands)

    def has_campaign(self, brand: str, weeks: Sequence[Period]) -> bool:
        """Whether a campaign of the brand runs on any day of these weeks."""
        own, days = self.config.own_brand, [last_day(week) for week in weeks]
        runs = [
            (one.start, one.end)
            for one in self.config.campaign
            if (one.brand or (own and own.id)) == brand
        ]
        return any(
            start <= last and last - timedelta(days=6) <= end
            for last in days
            for start, end in runs
        )


def fixed_weights(mentions: BrandMentions, config: Config) -> Floats:
    """Weight of each source in share of voice, for all weeks: `weight` of folate.toml times the source's distinct authors in the window."""
    declared = {source.name: source.weight for source in config.sources}
    authors = np.bincount(
        mentions.source[mentions.is_author_first], minlength=len(mentions.sources)
    )
    return np.array([declared.get(name, 1.0) for name in mentions.sources]) * authors


def measure_levels(estimates: Estimates) -> dict[str, MeasureLevel]:
    """Every measure of every brand and week."""
    authors, counted = estimates.authors.sum(axis=3), estimates.mentions_without_copies.sum(axis=3)
    mentions, everybody = estimates.all_mentions.sum(axis=3), estimates.every_source
    labels, adapted_labels = (
        estimates.audit_label_counts[:, None],
        estimates.mentions.adapted_labels,
    )
    adapted = np.array([[adapted_labels.get(place, 0)] for place in range(len(labels))])
    found = {
        "mentions": MeasureLevel(mentions, mentions[0], has_interval=False),
        "authors": MeasureLevel(authors, counted[0], has_interval=False),
        "share_of_voice": MeasureLevel(estimates.share_of_voice(), _voices(estimates)),
        "share_of_voice_raw": MeasureLevel(estimates.raw_share_of_voice, _voices(estimates)),
        "posts_per_author": MeasureLevel(estimates.posts_per_author, counted[0]),
        "top_authors": MeasureLevel(
            estimates.top_author_share(len(estimates.mentions.weeks) - 1)[..., None],
            counted[0][:, -1:],
        ),
        "copies": MeasureLevel(estimates.copy_share, mentions[0], has_interval=False),
        "adapted_labels": MeasureLevel(adapted[None].astype(float), adapted, has_interval=False),
        "labels": MeasureLevel(labels[None].astype(float), labels, has_interval=False),
    }
    sentiment = _sentiment(estimates.sentiment_levels, estimates.sentiment_shares.n)
    return found | _means(estimates, everybody) | sentiment | _judgements(estimates)


def _voices(estimates: Estimates) -> Floats:
    authors = estimates.authors[0].sum(axis=2)
    return np.broadcast_to(authors.sum(axis=0), authors.shape)


def _means(estimates: Estimates, sources: NDArray[np.bool_]) -> dict[str, MeasureLevel]:
    """Measures that are means over the posts that show them."""
    (ratings, rated), (acts, shown) = (
        [part[..., sources].sum(axis=3) for part in pair]
        for pair in (estimates.rating_sums, estimates.engagement_sums)
    )
    return {
        "rating": MeasureLevel(ratio(ratings, rated), rated[0]),
        "engagement": MeasureLevel(np.where(shown > 0, acts, np.nan), shown[0], has_interval=False),
        "engagement_per_post": MeasureLevel(ratio(acts, shown), shown[0]),
    }


def _sentiment(shares: Floats, n: Ints) -> dict[str, MeasureLevel]:
    polar, every = net_sentiment(shares)
    named = {"net_sentiment_polar": polar, "net_sentiment_all": every} | {
        name: shares[..., at] for at, name in enumerate(SENTIMENT_LABELS)
    }
    return {name: MeasureLevel(draws, n) for name, draws in named.items()}


def _judgements(estimates: Estimates) -> dict[str, MeasureLevel]:
    draws, n = estimates.emotion_intent_means
    return {
        name: MeasureLevel(draws[..., at], n[..., at])
        for at, name in enumerate(queries.EMOTION_INTENT_MEASURES)
    }


def measure_differences(estimates: Estimates, before: Sequence[int]) -> dict[str, MeasureLevel]:
    """How each measure of the last week differs from its mean over the weeks `before`: draws (draws, brands, 1), in its own unit.

    Counts and rates as a ratio less 1. Like is compared with like: sources that spoke in all of these weeks,
    sentiment with the same error of level.
    """
    m, weeks = estimates.mentions, [*before, len(estimates.mentions.weeks) - 1]
    sources = common_sources(estimates, weeks)[0]
    shares = estimates.sentiment_shares_for(weeks, sources)
    sentiment = _sentiment(estimates.sentiment_levels_for(shares, weeks), shares.n)
    for level in sentiment.values():
        level.draws[:, [m.has_mixed_models(brand, weeks) for brand in range(len(m.brands))]] = (
            np.nan
        )
    counts = {"mentions": estimates.all_mentions, "authors": estimates.authors}
    volume = {
        name: MeasureLevel(part[..., sources].sum(axis=3), part[0][..., sources].sum(axis=2))
        for name, part in counts.items()
    }
    volume |= {
        "share_of_voice": MeasureLevel(estimates.share_of_voice(sources), volume["authors"].n)
    } | _means(estimates, sources)
    found = {
        name: MeasureLevel(level.draws[..., weeks], level.n[:, weeks])
        for name, level in volume.items()
    } | sentiment
    if len(before) == 1:  # emotions and intents are known of two weeks
        found |= _judgements(estimates)
    return {
        name: _against(level, CHANGE_UNITS[MEASURE_UNITS[name]] == "relative")
        for name, level in found.items()
    }


def _against(level: MeasureLevel, relative: bool) -> MeasureLevel:
    """The last week against the mean of the others that have a value; n is of the side that has fewer observations."""
    now, before = level.draws[..., -1], level.draws[..., :-1]
    known = np.isfinite(before[0])  # (brands, weeks)
    mean = ratio(np.where(known, before, 0).sum(axis=2), known.sum(axis=1).astype(float))
    mean[:, known.sum(axis=1) < min(MIN_TRAILING_WEEKS, known.shape[1])] = np.nan
    draws = ratio(now, mean) - 1 if relative else now - mean
    return MeasureLevel(
        draws[..., None], np.minimum(level.n[:, -1], level.n[:, :-1].sum(axis=1))[:, None]
    )


def common_sources(estimates: Estimates, weeks: Sequence[int]) -> tuple[NDArray[np.bool_], bool]:
    """The sources that spoke of any brand in all of these weeks, and whether no other spoke in any of them."""
    present = estimates.authors[0].sum(axis=0)[list(weeks)] > 0
    return present.all(axis=0), bool((present.all(axis=0) == present.any(axis=0)).all())


def measure(
    mentions: BrandMentions,
    context: ReportContext,
    domain_errors: DomainErrors = CALIBRATED_DOMAIN_ERRORS,
) -> tuple[BrandMeasures, ...]:
    """The measures of every brand of the project for the last week of `mentions`, in the order of folate.toml.

    `domains` says how wrong the model is where nobody looked.
    """
    estimates = Estimates(mentions, fixed_weights(mentions, context.config), domain_errors)
    taken = measure_levels(estimates)
    found = []
    comparisons = _comparisons(estimates, context)
    for place, brand in enumerate(context.config.brands):
        last = len(mentions.weeks) - 1
        figures = {
            name: _figure(name, level, place, last, estimates, context)
            for name, level in taken.items()
        }
        trend = {
            name: tuple(
                _figure(name, taken[name], place, week, estimates, context)
                for week in range(last + 1)
            )
            for name in TREND_MEASURES
        }
        changes, trailing = comparisons[place]
        found.append(
            BrandMeasures(
                id=brand.id, label=brand.label, own=brand.own, method=str(estimates.sentiment_shares.method[place, -1]), figures=figures,
                changes=changes, trailing=trailing, trend=trend,
            )
        )  # fmt: skip
    return tuple(found)


def _figure(
    name: str,
    level: MeasureLevel,
    brand: int,
    week: int,
    estimates: Estimates,
    asked: ReportContext,
) -> Figure:
    """The figure of one week; a level may have the newest weeks only."""
    m, at = estimates.mentions, week - len(estimates.mentions.weeks)
    draws, few = (
        level.draws[:, brand, at],
        level.has_interval and estimates.authors[0, brand, week].sum() < MIN_AUTHORS,
    )
    judged = estimates.sentiment_shares.n[brand, week] > 0
    alone = (
        few and judged and estimates.audit_label_counts[brand] < MIN_AUDIT_LABELS
    )  # what four people say is no share of a brand
    wide = name in queries.SENTIMENT_MEASURES and bool(alone or estimates.unmeasurable[brand, week])
    sure = level.has_interval and not few and not wide and bool(np.isfinite(draws).all())
    low, high = percentile_interval(draws[1:]) if sure else (None, None)
    if (
        low is not None and high is not None and name in queries.SENTIMENT_MEASURES
    ):  # outward, to what is printed: a tenth of a point
        low, high = np.floor(low * 1000) / 1000, np.ceil(high * 1000) / 1000
    labels = name in ("labels", "adapted_labels")
    known = (labels or str(m.weeks[week]) not in asked.unread_weeks) and not wide
    return Figure(
        measure=name, week=str(m.weeks[week]), brand=m.brands[brand], value=draws[0] if known else None,
        low=low, high=high, n=int(level.n[brand, at]),
        query=_query(name, brand, week, estimates, asked), versions=asked.versions, posts=m.sample_post_ids.get((brand, week), ()),
        flags=(*_doubts(name, brand, week, estimates, asked), *(("few",) if few else ()), *((UNMEASURABLE_FLAG,) if wide else ())),
    )  # fmt: skip


def _doubts(
    name: str, brand: int, week: int, estimates: Estimates, asked: ReportContext
) -> Iterator[str]:
    """Why to be careful with a figure: keys of [flag] in the messages."""
    m = estimates.mentions
    if (
        name in queries.SENTIMENT_MEASURES
        and estimates.audit_label_counts[brand] < MIN_AUDIT_LABELS
    ):
        yield "unaudited"
    if name in queries.SENTIMENT_MEASURES and m.has_mixed_models(brand, [week]):
        yield "models"
    if name == "mentions" and estimates.copy_share[0, brand, week] >= MIN_REPORTED_COPY_SHARE:
        yield "copies"
    if name != "labels" and asked.has_campaign(m.brands[brand], [m.weeks[week]]):
        yield "campaign"
    if name in _COUNTED and str(m.weeks[week]) in asked.partly_read_weeks:
        yield "unread"
    if name in ("mentions", "authors", "copies", "engagement") and m.weeks[week] == asked.week:
        yield from asked.flags
    elif name.startswith("share_of_voice") and m.weeks[week] == asked.week:
        yield from (
            flag for flag in asked.flags if flag != "partial"
        )  # half a week tells whose voice it is as well as a whole one


def _query(name: str, brand: int, week: int, estimates: Estimates, asked: ReportContext) -> str:
    m, zone = estimates.mentions, asked.config.timezone
    if name == "share_of_voice":
        weights = dict(zip(m.sources, estimates.source_weights.tolist(), strict=True))
        return queries.share_of_voice_query(m.brands[brand], m.brands, m.weeks[week], zone, weights)
    weeks = (
        m.weeks if name == "labels" else [m.weeks[week]]
    )  # an audit corrects all weeks of a brand
    return queries.measure_query(name, m.brands[brand], m.brands, weeks, zone)


@dataclass(frozen=True)
class _Difference:
    """A change that can be taken, before it is judged beside the others."""

    brand: int
    measure: str
    before: tuple[int, ...]  # weeks
    draws: Floats
    n: int  # observations on the side that has fewer
    flags: tuple[str, ...]

    @property
    def error(self) -> float:
        return float(self.draws[1:].std())


def _comparisons(
    estimates: Estimates, asked: ReportContext
) -> list[tuple[dict[str, Change], dict[str, Change]]]:
    """Per brand, the changes to the week before and to the trailing weeks that can be taken, all judged together."""
    m = estimates.mentions
    spoken = [week for week in range(len(m.weeks) - 1) if estimates.authors[0, :, week].any()]
    taken = [] if len(m.weeks) < 2 else list(_differences(estimates, (len(m.weeks) - 2,), asked))
    if len(spoken) >= MIN_TRAILING_WEEKS:
        taken += _differences(estimates, tuple(spoken), asked)
    kept = benjamini_hochberg(
        np.array([two_sided_p_value(float(one.draws[0]), one.error) for one in taken]),
        FALSE_DISCOVERY_RATE,
    )
    found: list[tuple[dict[str, Change], dict[str, Change]]] = [({}, {}) for _ in m.brands]
    for one, real in zip(taken, kept, strict=True):
        found[one.brand][len(one.before) > 1][one.measure] = _judged(one, bool(real), m, asked)
    return found


def _differences(
    estimates: Estimates, before: tuple[int, ...], asked: ReportContext
) -> Iterator[_Difference]:
    """Every change against these weeks with enough authors on both sides."""
    m, weeks = estimates.mentions, [*before, len(estimates.mentions.weeks) - 1]
    sources, all_of_them = common_sources(estimates, weeks)
    people = estimates.authors[0][..., sources].sum(axis=2)
    flags = () if all_of_them else ("common_sources",)
    half = "partial" in asked.flags or any(
        str(m.weeks[week]) in asked.partly_read_weeks for week in weeks
    )
    for name, level in measure_differences(estimates, before).items():
        if half and name in ("mentions", "authors", "engagement"):
            continue  # half a week against a whole one
        for brand in range(len(m.brands)):
            draws = level.draws[:, brand, 0]
            if (
                min(people[brand, weeks[-1]], people[brand, list(before)].mean()) >= MIN_AUTHORS
                and np.isfinite(draws).all()
            ):
                doubts = (
                    ("campaign",)
                    if asked.has_campaign(m.brands[brand], [m.weeks[week] for week in weeks])
                    else ()
                )
                yield _Difference(
                    brand, name, before, draws, int(level.n[brand, 0]), flags + doubts
                )


def _judged(one: _Difference, real: bool, m: BrandMentions, asked: ReportContext) -> Change:
    """The change with its evidence; `real` when it survived Benjamini-Hochberg."""
    change, smallest = (
        (TRAILING_SUFFIX, TRAILING_DETECTABLE_SUFFIX)
        if len(one.before) > 1
        else (CHANGE_SUFFIX, DETECTABLE_SUFFIX)
    )
    brand, weeks = m.brands[one.brand], [*one.before, len(m.weeks) - 1]
    posts = [
        post
        for week in (weeks[-1], weeks[-2])
        for post in m.sample_post_ids.get((one.brand, week), ())[: MAX_SAMPLE_POSTS // 2]
    ]
    figure = Figure(
        measure=one.measure + change, week=str(asked.week), brand=brand, value=one.draws[0], n=one.n, versions=asked.versions,
        query=queries.measure_query(one.measure + change, brand, m.brands, [m.weeks[week] for week in weeks], asked.config.timezone),
        low=(bounds := percentile_interval(one.draws[1:]))[0], high=bounds[1], posts=tuple(posts), flags=one.flags,
    )  # fmt: skip
    seen = replace(
        figure,
        measure=one.measure + smallest,
        value=max(MIN_CHANGE, min_detectable_change(one.error)),
        low=None,
        high=None,
    )
    clear = bounds[0] > 0 or bounds[1] < 0
    return Change(
        figure=figure,
        detectable=seen,
        significant=real and clear and abs(float(one.draws[0])) >= MIN_CHANGE,
    )
