"""Each brand's measures for one week as figures: levels, their changes and their trends."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from folate.core.config import Config
from folate.core.measures import BRAND_MEASURES, CHANGE_UNITS, TREND_MEASURES, BrandMeasure
from nlp.stats.domains import DomainErrors
from nlp.stats.estimation import (
    Floats,
    benjamini_hochberg,
    min_detectable_change,
    percentile_interval,
    two_sided_p_value,
)
from reports.context import NO_INTERVAL, Interval, ReportContext
from reports.figures import (
    CHANGE_SUFFIX,
    DETECTABLE_SUFFIX,
    MAX_SAMPLE_POSTS,
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
    SourceMask,
    ratio,
)
from reports.measures.formulas import (
    BRAND_FORMULAS,
    MeasureLevel,
    MeasureScope,
    measure_levels,
    measure_query,
)
from reports.measures.mentions import BrandMentions

MIN_AUTHORS = 5
"""Authors below which no interval is given: a bootstrap of four people says nothing of a fifth."""

MIN_TRAILING_WEEKS = 4
"""Trailing weeks with a value that their mean needs."""

MIN_CHANGE = 0.02
"""Smallest change that is significant, whatever its interval."""

FALSE_DISCOVERY_RATE = 0.1
"""Share of false ones tolerated among all significant changes of a report."""

MIN_REPORTED_COPY_SHARE = 0.2
"""Share of copies among a brand's mentions from which a report warns of them."""


@dataclass(frozen=True, kw_only=True)
class BrandMeasures:
    """The figures of one brand in one week; those without a value could not be measured."""

    id: str
    label: str
    own: bool
    method: str
    """How sentiment was quantified: tempered, or empty when nothing is annotated."""
    figures: Mapping[str, Figure]
    changes: Mapping[str, Change] = field(default_factory=dict)
    """To the week before."""
    trailing: Mapping[str, Change] = field(default_factory=dict)
    """To the mean of the trailing weeks."""
    trend: Mapping[str, tuple[Figure, ...]] = field(default_factory=dict)
    """All weeks, oldest first."""


def fixed_weights(mentions: BrandMentions, config: Config) -> Floats:
    """Return the weight of each source in share of voice, for all weeks.

    It is `weight` of folate.toml times the source's distinct authors in the window.
    """
    configured = {source.name: source.weight for source in config.sources}
    weights = np.array([configured.get(name, 1.0) for name in mentions.sources])
    author_rows = mentions.source[mentions.is_author_first]
    return weights * np.bincount(author_rows, minlength=len(mentions.sources))


def measure_brands(
    mentions: BrandMentions,
    context: ReportContext,
    domain_errors: DomainErrors = CALIBRATED_DOMAIN_ERRORS,
) -> tuple[BrandMeasures, ...]:
    """Measure every brand for the last week of `mentions`, in the order of folate.toml.

    `domain_errors` are those of the model in domains without labels.
    """
    weights = fixed_weights(mentions, context.config)
    estimates = Estimates(mentions, weights, domain_errors)
    figures = _LevelFigures(estimates, measure_levels(estimates), context)
    changes = _find_changes(estimates, context)
    last_week = len(mentions.weeks) - 1
    brands = []
    for index, brand in enumerate(context.config.brands):
        trend = {}
        for name in TREND_MEASURES:
            weeks = range(last_week + 1)
            trend[name] = tuple(figures.figure(name, index, week) for week in weeks)
        brands.append(
            BrandMeasures(
                id=brand.id,
                label=brand.label,
                own=brand.own,
                method=str(estimates.sentiment_shares.method[index, -1]),
                figures={name: figures.figure(name, index, last_week) for name in figures.levels},
                changes=changes[index].to_week_before,
                trailing=changes[index].to_trailing_weeks,
                trend=trend,
            )
        )
    return tuple(brands)


_BRAND_MEASURES = {measure.name: measure for measure in BRAND_MEASURES}


@dataclass(frozen=True)
class _LevelFigures:
    """Makes the figures of levels of brands and weeks, by index."""

    estimates: Estimates
    levels: Mapping[str, MeasureLevel]
    context: ReportContext

    def figure(self, name: str, brand: int, week: int) -> Figure:
        """Make the figure of a measure; a level may have the newest weeks only."""
        measure = _BRAND_MEASURES[name]
        level = self.levels[name]
        mentions = self.estimates.mentions
        column = week - len(mentions.weeks)
        draws = level.draws[:, brand, column]
        has_few_authors = measure.has_interval and self._has_few_authors(brand, week)
        is_unmeasurable = self._is_unmeasurable(measure, brand, week)
        flags = list(self._flags(measure, brand, week))
        if has_few_authors:
            flags.append("few")
        if is_unmeasurable:
            flags.append(UNMEASURABLE_FLAG)
        is_unread = str(mentions.weeks[week]) in self.context.unread_weeks
        is_known = not is_unmeasurable and (measure.family == "labels" or not is_unread)
        has_interval = measure.has_interval and not has_few_authors and not is_unmeasurable
        return self.context.figure(
            name,
            draws[0] if is_known else None,
            n=int(level.n[brand, column]),
            query=self._query(measure, brand, week),
            brand=mentions.brands[brand],
            interval=_draws_interval(measure, draws) if has_interval else NO_INTERVAL,
            posts=mentions.sample_post_ids.get((brand, week), ()),
            flags=tuple(flags),
            week=mentions.weeks[week],
        )

    def _has_few_authors(self, brand: int, week: int) -> bool:
        return bool(self.estimates.authors[0, brand, week].sum() < MIN_AUTHORS)

    def _is_audited(self, brand: int) -> bool:
        return bool(self.estimates.audit_label_counts[brand] >= MIN_AUDIT_LABELS)

    def _is_unmeasurable(self, measure: BrandMeasure, brand: int, week: int) -> bool:
        """Return whether sentiment needs an audit: its interval is too wide, or too few wrote."""
        if measure.family != "sentiment":
            return False
        if self.estimates.unmeasurable[brand, week]:
            return True
        is_annotated = bool(self.estimates.sentiment_shares.n[brand, week] > 0)
        has_few_authors = self._has_few_authors(brand, week)
        return is_annotated and has_few_authors and not self._is_audited(brand)

    def _flags(self, measure: BrandMeasure, brand: int, week: int) -> Iterator[str]:
        """Yield the caveats of a level: keys of [flag] in the messages."""
        mentions = self.estimates.mentions
        period = mentions.weeks[week]
        if measure.family == "sentiment":
            if not self._is_audited(brand):
                yield "unaudited"
            if mentions.has_mixed_models(brand, [week]):
                yield "models"
        if measure.name == "mentions":
            copy_share = self.estimates.copy_share[0, brand, week]
            if copy_share >= MIN_REPORTED_COPY_SHARE:
                yield "copies"
        is_in_campaign = self.context.has_campaign(mentions.brands[brand], [period])
        if is_in_campaign and not measure.spans_all_weeks:
            yield "campaign"
        if measure.coverage and str(period) in self.context.partly_read_weeks:
            yield "unread"
        if period == self.context.week:
            yield from self._coverage_flags(measure)

    def _coverage_flags(self, measure: BrandMeasure) -> Iterator[str]:
        if measure.coverage == "total":
            yield from self.context.flags
        elif measure.coverage == "share":
            # half a week shows shares as well as a whole one
            yield from (flag for flag in self.context.flags if flag != "partial")

    def _query(self, measure: BrandMeasure, brand: int, week: int) -> str:
        mentions = self.estimates.mentions
        weeks = mentions.weeks if measure.spans_all_weeks else [mentions.weeks[week]]
        return measure_query(
            measure.name,
            mentions.brands[brand],
            mentions.brands,
            weeks,
            timezone=self.context.timezone,
            source_weights=_weights_by_source(self.estimates),
        )


def _weights_by_source(estimates: Estimates) -> dict[str, float]:
    sources = estimates.mentions.sources
    return dict(zip(sources, estimates.source_weights.tolist(), strict=True))


def _draws_interval(measure: BrandMeasure, draws: Floats) -> Interval:
    """Return the 95 % interval of draws, that of sentiment rounded outward to what is printed."""
    if not np.isfinite(draws).all():
        return NO_INTERVAL
    low, high = percentile_interval(draws[1:])
    if measure.family == "sentiment":
        # a tenth of a point
        return float(np.floor(low * 1000) / 1000), float(np.ceil(high * 1000) / 1000)
    return low, high


def measure_differences(
    estimates: Estimates, weeks_before: Sequence[int]
) -> dict[str, MeasureLevel]:
    """Compute how each measure of the last week differs from its mean over `weeks_before`.

    Draws are (1 + draws, brands, 1), in the unit of the measure; those of counts and rates are
    ratios less 1. Only sources that have mentions in all of these weeks take part, and sentiment
    has the same error of level in all of them.
    """
    weeks = [*weeks_before, len(estimates.mentions.weeks) - 1]
    sources, _ = common_sources(estimates, weeks)
    scope = MeasureScope(estimates, weeks, sources, is_comparison=True)
    differences = {}
    for measure in BRAND_MEASURES:
        is_known = measure.family != "emotion_intent" or len(weeks_before) == 1
        if measure.is_compared and is_known:
            level = BRAND_FORMULAS[measure.name].compute(scope)
            is_relative = CHANGE_UNITS[measure.unit] == "relative"
            differences[measure.name] = _difference_to_mean(level, is_relative)
    return differences


def _difference_to_mean(level: MeasureLevel, is_relative: bool) -> MeasureLevel:
    """Compare the last week with the mean of the others that have a value.

    n is that of the side with fewer observations.
    """
    current = level.draws[..., -1]
    previous = level.draws[..., :-1]
    has_value = np.isfinite(previous[0])  # (brands, weeks)
    week_count = has_value.sum(axis=1)
    mean = ratio(np.where(has_value, previous, 0).sum(axis=2), week_count.astype(float))
    mean[:, week_count < min(MIN_TRAILING_WEEKS, has_value.shape[1])] = np.nan
    draws = ratio(current, mean) - 1 if is_relative else current - mean
    observations = level.n if level.change_n is None else level.change_n
    n = np.minimum(observations[:, -1], observations[:, :-1].sum(axis=1))
    return MeasureLevel(draws[..., None], n[:, None])


def common_sources(estimates: Estimates, weeks: Sequence[int]) -> tuple[SourceMask, bool]:
    """Return the sources with mentions in all of these weeks, and whether no other has any."""
    is_present = estimates.authors[0].sum(axis=0)[list(weeks)] > 0
    in_all_weeks = is_present.all(axis=0)
    return in_all_weeks, bool((in_all_weeks == is_present.any(axis=0)).all())


@dataclass(frozen=True)
class _BrandChanges:
    """The changes of one brand by measure."""

    to_week_before: dict[str, Change] = field(default_factory=dict)
    to_trailing_weeks: dict[str, Change] = field(default_factory=dict)


@dataclass(frozen=True)
class _Difference:
    """A change before it is tested together with all others."""

    measure: str
    brand: int
    weeks_before: tuple[int, ...]
    draws: Floats
    n: int
    """Observations on the side that has fewer."""
    flags: tuple[str, ...]

    @property
    def is_trailing(self) -> bool:
        """Whether it is to the mean of several weeks."""
        return len(self.weeks_before) > 1

    @property
    def value(self) -> float:
        return float(self.draws[0])

    @property
    def standard_error(self) -> float:
        return float(self.draws[1:].std())


def _find_changes(estimates: Estimates, context: ReportContext) -> list[_BrandChanges]:
    """Return the changes of each brand, all tested together."""
    mentions = estimates.mentions
    last_week = len(mentions.weeks) - 1
    differences: list[_Difference] = []
    if last_week > 0:
        differences += _find_differences(estimates, (last_week - 1,), context)
    weeks_with_authors = [week for week in range(last_week) if estimates.authors[0, :, week].any()]
    if len(weeks_with_authors) >= MIN_TRAILING_WEEKS:
        differences += _find_differences(estimates, tuple(weeks_with_authors), context)
    p_values = [two_sided_p_value(change.value, change.standard_error) for change in differences]
    survives = benjamini_hochberg(np.array(p_values), FALSE_DISCOVERY_RATE)
    changes = [_BrandChanges() for _ in mentions.brands]
    for difference, survives_test in zip(differences, survives, strict=True):
        brand_changes = changes[difference.brand]
        by_measure = (
            brand_changes.to_trailing_weeks
            if difference.is_trailing
            else brand_changes.to_week_before
        )
        change = _change(difference, bool(survives_test), estimates, context)
        by_measure[difference.measure] = change
    return changes


def _find_differences(
    estimates: Estimates, weeks_before: tuple[int, ...], context: ReportContext
) -> Iterator[_Difference]:
    """Yield every difference to these weeks with enough authors on both sides."""
    mentions = estimates.mentions
    weeks = [*weeks_before, len(mentions.weeks) - 1]
    periods = [mentions.weeks[week] for week in weeks]
    sources, are_all_sources = common_sources(estimates, weeks)
    has_authors = _has_enough_authors(estimates, sources, weeks)
    is_incomplete = "partial" in context.flags or any(
        str(period) in context.partly_read_weeks for period in periods
    )
    source_flags = () if are_all_sources else ("common_sources",)
    for name, level in measure_differences(estimates, weeks_before).items():
        if is_incomplete and _BRAND_MEASURES[name].coverage == "total":
            continue  # half a week against a whole one
        for brand, brand_id in enumerate(mentions.brands):
            draws = level.draws[:, brand, 0]
            if not has_authors[brand] or not np.isfinite(draws).all():
                continue
            campaign_flags = ("campaign",) if context.has_campaign(brand_id, periods) else ()
            yield _Difference(
                measure=name,
                brand=brand,
                weeks_before=weeks_before,
                draws=draws,
                n=int(level.n[brand, 0]),
                flags=source_flags + campaign_flags,
            )


def _has_enough_authors(
    estimates: Estimates, sources: SourceMask, weeks: Sequence[int]
) -> NDArray[np.bool_]:
    """Return by brand whether the last week, and the others on average, have MIN_AUTHORS."""
    authors = estimates.authors[0][..., sources].sum(axis=2)
    current = authors[:, weeks[-1]]
    previous = authors[:, list(weeks[:-1])].mean(axis=1)
    return np.asarray(np.minimum(current, previous) >= MIN_AUTHORS)


def _change(
    difference: _Difference, survives_test: bool, estimates: Estimates, context: ReportContext
) -> Change:
    """Make the change; `survives_test` says whether Benjamini-Hochberg keeps it."""
    mentions = estimates.mentions
    brand_id = mentions.brands[difference.brand]
    weeks = [*difference.weeks_before, len(mentions.weeks) - 1]
    suffix = TRAILING_SUFFIX if difference.is_trailing else CHANGE_SUFFIX
    detectable_suffix = TRAILING_DETECTABLE_SUFFIX if difference.is_trailing else DETECTABLE_SUFFIX
    posts: list[str] = []
    for week in (weeks[-1], weeks[-2]):
        sample = mentions.sample_post_ids.get((difference.brand, week), ())
        posts += sample[: MAX_SAMPLE_POSTS // 2]
    low, high = percentile_interval(difference.draws[1:])
    query = measure_query(
        difference.measure + suffix,
        brand_id,
        mentions.brands,
        [mentions.weeks[week] for week in weeks],
        timezone=context.timezone,
        source_weights=_weights_by_source(estimates),
    )
    figure = context.figure(
        difference.measure + suffix,
        difference.value,
        n=difference.n,
        query=query,
        brand=brand_id,
        interval=(low, high),
        posts=posts,
        flags=difference.flags,
    )
    smallest = max(MIN_CHANGE, min_detectable_change(difference.standard_error))
    detectable = replace(
        figure,
        measure=difference.measure + detectable_suffix,
        value=smallest,
        low=None,
        high=None,
    )
    excludes_zero = low > 0 or high < 0
    return Change(
        figure=figure,
        detectable=detectable,
        significant=survives_test and excludes_zero and abs(difference.value) >= MIN_CHANGE,
    )
