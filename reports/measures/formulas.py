"""How each measure of a brand is computed, and the SQL that is printed as its evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from corpora.store.snapshot import sql_literal
from folate.core.labels import SENTIMENT_LABELS
from folate.core.measures import BRAND_MEASURES, EMOTION_INTENT_MEASURES
from folate.core.weeks import Period
from nlp.stats.estimation import Floats, Ints
from reports import queries
from reports.measures.estimates import Estimates, SourceMask, net_sentiment, ratio


@dataclass(frozen=True)
class MeasureLevel:
    """A measure of every brand in some weeks, the newest last."""

    draws: Floats
    """(1 + draws, brands, weeks); draw 0 is the estimate."""
    n: Floats | Ints
    """Observations behind it, (brands, weeks)."""
    change_n: Floats | Ints | None = None
    """Observations behind a change of it, where they are others than `n`."""


@dataclass(frozen=True)
class MeasureScope:
    """The weeks and sources that measures are taken over."""

    estimates: Estimates
    weeks: Sequence[int]
    """Indices of weeks, oldest first."""
    sources: SourceMask
    is_comparison: bool
    """Whether weeks are compared: sentiment of different models then has no value."""

    @classmethod
    def of_all_weeks(cls, estimates: Estimates) -> "MeasureScope":
        """Take measures over all weeks and sources."""
        weeks = range(len(estimates.mentions.weeks))
        return cls(estimates, weeks, estimates.every_source, is_comparison=False)

    def sum_sources(self, values: Floats) -> Floats:
        """Sum (draws, brands, weeks, sources) over the sources: (draws, brands, weeks)."""
        selected = self.select_weeks(values)
        if not self.sources.all():
            selected = selected[..., self.sources]
        return np.asarray(selected.sum(axis=3))

    def select_weeks(self, values: Floats) -> Floats:
        """Return the weeks of the scope of (draws, brands, weeks, ...)."""
        if len(self.weeks) == len(self.estimates.mentions.weeks):
            return values
        return np.asarray(values[:, :, list(self.weeks)])

    @cached_property
    def authors(self) -> Floats:
        """Distinct authors, (draws, brands, weeks)."""
        return self.sum_sources(self.estimates.authors)

    @cached_property
    def counted_mentions(self) -> Floats:
        """Mentions without copies, (draws, brands, weeks)."""
        return self.sum_sources(self.estimates.mentions_without_copies)

    @cached_property
    def sentiment(self) -> tuple[Floats, Ints]:
        """Shares (draws, brands, weeks, 3) of the labels, and the number of posts behind each."""
        if not self.is_comparison:
            return self.estimates.sentiment_levels, self.estimates.sentiment_shares.n
        shares = self.estimates.sentiment_shares_for(self.weeks, self.sources)
        levels = self.estimates.sentiment_levels_for(shares, self.weeks)
        mentions = self.estimates.mentions
        has_mixed_models = [
            mentions.has_mixed_models(brand, self.weeks) for brand in range(len(mentions.brands))
        ]
        levels[:, has_mixed_models] = np.nan
        return levels, shares.n


@dataclass(frozen=True)
class BrandFormula:
    """The computation of a measure, and its query."""

    compute: Callable[[MeasureScope], MeasureLevel]
    query: str
    """Gives the value where SQL can, else the rows that it is computed from. {rows} is the SELECT
    of the mentions, {brand} a literal, {audited} the SELECT of the labels of audits."""
    level_query: str = ""
    """In place of `query` where no weeks are compared; {weights} are rows of source and weight."""


def _count_mentions(scope: MeasureScope) -> MeasureLevel:
    mentions = scope.sum_sources(scope.estimates.all_mentions)
    return MeasureLevel(mentions, mentions[0])


def _count_authors(scope: MeasureScope) -> MeasureLevel:
    return MeasureLevel(scope.authors, scope.counted_mentions[0], change_n=scope.authors[0])


def _share_of_voice(scope: MeasureScope) -> MeasureLevel:
    share = scope.select_weeks(scope.estimates.share_of_voice(scope.sources))
    return _share_level(scope, share)


def _raw_share_of_voice(scope: MeasureScope) -> MeasureLevel:
    return _share_level(scope, scope.select_weeks(scope.estimates.raw_share_of_voice))


def _share_level(scope: MeasureScope, share: Floats) -> MeasureLevel:
    """Return the level of a share of voice.

    Its number is that of the authors of all brands; its change has that of the brand's authors.
    """
    authors = scope.authors[0]
    all_authors = np.broadcast_to(authors.sum(axis=0), authors.shape)
    return MeasureLevel(share, all_authors, change_n=authors)


def _posts_per_author(scope: MeasureScope) -> MeasureLevel:
    mean = scope.select_weeks(scope.estimates.posts_per_author)
    return MeasureLevel(mean, scope.counted_mentions[0])


def _top_author_share(scope: MeasureScope) -> MeasureLevel:
    """Return the share of posts by the most active authors, for the newest week only."""
    last_week = scope.weeks[-1]
    share = scope.estimates.top_author_share(last_week)
    return MeasureLevel(share[..., None], scope.counted_mentions[0][:, -1:])


def _copy_share(scope: MeasureScope) -> MeasureLevel:
    mentions = scope.sum_sources(scope.estimates.all_mentions)
    return MeasureLevel(scope.select_weeks(scope.estimates.copy_share), mentions[0])


def _count_adapted_labels(scope: MeasureScope) -> MeasureLevel:
    mentions = scope.estimates.mentions
    counts = [mentions.adapted_labels.get(brand, 0) for brand in range(len(mentions.brands))]
    return _constant_level(np.array(counts))


def _count_labels(scope: MeasureScope) -> MeasureLevel:
    return _constant_level(scope.estimates.audit_label_counts)


def _constant_level(counts: Ints) -> MeasureLevel:
    """Return the level of a count (brands,) that is the same for all weeks and draws."""
    return MeasureLevel(counts[None, :, None].astype(float), counts[:, None])


def _mean_rating(scope: MeasureScope) -> MeasureLevel:
    ratings, rated = map(scope.sum_sources, scope.estimates.rating_sums)
    return MeasureLevel(ratio(ratings, rated), rated[0])


def _total_engagement(scope: MeasureScope) -> MeasureLevel:
    total, posts = map(scope.sum_sources, scope.estimates.engagement_sums)
    return MeasureLevel(np.where(posts > 0, total, np.nan), posts[0])


def _mean_engagement(scope: MeasureScope) -> MeasureLevel:
    total, posts = map(scope.sum_sources, scope.estimates.engagement_sums)
    return MeasureLevel(ratio(total, posts), posts[0])


def _polar_net_sentiment(scope: MeasureScope) -> MeasureLevel:
    shares, n = scope.sentiment
    return MeasureLevel(net_sentiment(shares)[0], n)


def _overall_net_sentiment(scope: MeasureScope) -> MeasureLevel:
    shares, n = scope.sentiment
    return MeasureLevel(net_sentiment(shares)[1], n)


def _sentiment_share(label: int) -> Callable[[MeasureScope], MeasureLevel]:
    """Return the formula of the share of a label, by its index in SENTIMENT_LABELS."""

    def compute(scope: MeasureScope) -> MeasureLevel:
        shares, n = scope.sentiment
        return MeasureLevel(shares[..., label], n)

    return compute


def _emotion_intent_mean(index: int) -> Callable[[MeasureScope], MeasureLevel]:
    """Return the formula of the mean probability of an emotion or intent, of the last two weeks."""

    def compute(scope: MeasureScope) -> MeasureLevel:
        means, n = scope.estimates.emotion_intent_means
        return MeasureLevel(means[..., index], n[..., index])

    return compute


_SENTIMENT_QUERY = (
    "SELECT id, source, author, negative, neutral, positive, label "
    "FROM ({rows}) LEFT JOIN ({audited}) USING (id, brand) "
    "WHERE counted AND negative IS NOT NULL AND brand = {brand} ORDER BY id"
)
_EMOTION_INTENT_QUERY = (
    "SELECT m.id, m.author, "
    "j.* EXCLUDE (id, text_hash, annotator, version, tags, share_read) "
    "FROM ({rows}) m JOIN judgements j ON j.id = m.id "
    "WHERE m.counted AND m.brand = {brand} ORDER BY m.id"
)
_STANDARDISED_SHARE_QUERY = """
WITH a AS (SELECT source, brand, count(DISTINCT author) AS authors FROM ({rows}) \
WHERE counted GROUP BY ALL),
s AS (SELECT source, sum(authors) AS authors FROM a GROUP BY source), w(source, weight) \
AS (VALUES {weights})
SELECT coalesce(sum(weight * a.authors / s.authors) FILTER (brand = {brand}), \
0) / (SELECT sum(weight) FROM s JOIN w USING (source))
FROM a JOIN s USING (source) JOIN w USING (source)
""".strip()
_COUNTED_OF_BRAND = "FROM ({rows}) WHERE counted AND brand = {brand}"

BRAND_FORMULAS: dict[str, BrandFormula] = {
    "mentions": BrandFormula(
        _count_mentions, "SELECT count(*) FROM ({rows}) WHERE brand = {brand}"
    ),
    "authors": BrandFormula(_count_authors, f"SELECT count(DISTINCT author) {_COUNTED_OF_BRAND}"),
    "share_of_voice": BrandFormula(
        _share_of_voice,
        "SELECT source, brand, count(DISTINCT author) AS authors "
        "FROM ({rows}) WHERE counted GROUP BY ALL ORDER BY ALL",
        level_query=_STANDARDISED_SHARE_QUERY,
    ),
    "share_of_voice_raw": BrandFormula(
        _raw_share_of_voice,
        "SELECT count(DISTINCT author) FILTER (brand = {brand}) "
        "/ count(DISTINCT (brand, author)) FROM ({rows}) WHERE counted",
    ),
    "posts_per_author": BrandFormula(
        _posts_per_author, f"SELECT count(*) / count(DISTINCT author) {_COUNTED_OF_BRAND}"
    ),
    "top_authors": BrandFormula(
        _top_author_share,
        f"SELECT author, count(*) AS posts {_COUNTED_OF_BRAND} GROUP BY author ORDER BY ALL",
    ),
    "copies": BrandFormula(
        _copy_share, "SELECT 1 - avg(counted::INT) FROM ({rows}) WHERE brand = {brand}"
    ),
    "adapted_labels": BrandFormula(
        _count_adapted_labels,
        f"SELECT coalesce(sum(labels), 0) FROM ({queries.ADAPTATIONS_QUERY}) "
        "WHERE brand = {brand}",
    ),
    "labels": BrandFormula(
        _count_labels,
        "SELECT count(*) FROM ({rows}) JOIN ({audited}) USING (id, brand) "
        "WHERE counted AND negative IS NOT NULL AND brand = {brand}",
    ),
    "rating": BrandFormula(_mean_rating, f"SELECT avg(rating) {_COUNTED_OF_BRAND}"),
    "engagement": BrandFormula(_total_engagement, f"SELECT sum(engagement) {_COUNTED_OF_BRAND}"),
    "engagement_per_post": BrandFormula(
        _mean_engagement, f"SELECT avg(engagement) {_COUNTED_OF_BRAND}"
    ),
    "net_sentiment_polar": BrandFormula(_polar_net_sentiment, _SENTIMENT_QUERY),
    "net_sentiment_all": BrandFormula(_overall_net_sentiment, _SENTIMENT_QUERY),
    **{
        label: BrandFormula(_sentiment_share(index), _SENTIMENT_QUERY)
        for index, label in enumerate(SENTIMENT_LABELS)
    },
    **{
        name: BrandFormula(_emotion_intent_mean(index), _EMOTION_INTENT_QUERY)
        for index, name in enumerate(EMOTION_INTENT_MEASURES)
    },
}
"""The formula of every brand measure by name."""


def measure_levels(estimates: Estimates) -> dict[str, MeasureLevel]:
    """Compute every measure of every brand and week, in the order of BRAND_MEASURES."""
    scope = MeasureScope.of_all_weeks(estimates)
    return {measure.name: BRAND_FORMULAS[measure.name].compute(scope) for measure in BRAND_MEASURES}


def measure_query(
    name: str,
    brand: str,
    brands: Sequence[str],
    weeks: Sequence[Period],
    *,
    timezone: str,
    source_weights: Mapping[str, float],
) -> str:
    """Return the query behind a measure of `brand`, or behind its change.

    `name` is a measure, with a suffix where it is a change. `source_weights` are those of share of
    voice.
    """
    measure, _, suffix = name.partition(".")
    formula = BRAND_FORMULAS[measure]
    query = _split_by_week(formula.query) if suffix else formula.level_query or formula.query
    return query.format(
        rows=queries.mentions_query(brands, weeks, timezone),
        brand=sql_literal(brand),
        audited=queries.audit_labels_query([brand]),
        weights=_weight_rows(source_weights),
    )


def _split_by_week(query: str) -> str:
    """Let a query give its values or rows by week."""
    by_week = query.replace("SELECT ", "SELECT week, ", 1)
    return by_week if "ORDER BY" in query else f"{by_week} GROUP BY week ORDER BY week"


def _weight_rows(source_weights: Mapping[str, float]) -> str:
    rows = [
        f"({sql_literal(source)}, {weight!r})" for source, weight in sorted(source_weights.items())
    ]
    return ", ".join(rows) or "('', 0)"
