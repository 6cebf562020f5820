"""Aspects by brand: how much they are spoken of and how well, what people like about others and not about us, and the map."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from corpora.store.snapshot import sql_literal
from nlp.stats.correspondence import (
    MAP_DIMENSIONS,
    CorrespondenceMap,
    bootstrap_row_coordinates,
    confidence_ellipse,
    correspondence_analysis,
    positions_differ,
    procrustes_rotation,
)
from nlp.stats.estimation import (
    Floats,
    Ints,
    benjamini_hochberg,
    percentile_interval,
    two_sided_p_value,
)
from reports import queries
from reports.figures import Figure
from reports.measures.brands import FALSE_DISCOVERY_RATE, MIN_AUTHORS, MIN_CHANGE, ReportContext
from reports.measures.estimates import ratio
from reports.sections.perception.mentions import AspectMentions

MIN_MAP_POSTS = 20  # that speak of an aspect, over all brands, for it to have a place on the map
_ASPECT = """
SELECT id, r.author, a.negative, a.positive FROM ({rows}) r JOIN aspects a USING (id, brand) WHERE counted AND aspect = {aspect} ORDER BY id
""".strip()

_SHARE = """
SELECT count(a.aspect) / count(*) AS share FROM ({rows}) r
LEFT JOIN (SELECT id, brand, aspect FROM aspects WHERE aspect = {aspect}) a USING (id, brand) WHERE counted
""".strip()
_MAPPED = """
SELECT brand, aspect, count(*) AS posts, sum(a.positive) AS favourable FROM ({rows}) r JOIN aspects a USING (id, brand) WHERE counted
GROUP BY ALL ORDER BY ALL
""".strip()


@dataclass(frozen=True, kw_only=True)
class AspectMeasures:
    """An aspect of a brand. A figure's value is None where nobody spoke of it."""

    brand: str
    aspect: str
    share: Figure  # of the brand's mentions that speak of it
    net: Figure  # (P - N) / (P + N) of what they say


@dataclass(frozen=True, kw_only=True)
class AspectGap:
    """An aspect that people like about a competitor and not, or less, about us."""

    brand: str
    aspect: str
    gap: Figure  # the competitor's net less ours


@dataclass(frozen=True, kw_only=True)
class MapPoint:
    """Where a brand or an aspect stands on the map; a brand with the outline of its 95 % region."""

    name: str
    across: Figure
    up: Figure
    outline: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class PerceptualMap:
    """The perceptual map. Where it can't be drawn honestly `why` says the reason and there are no places."""

    brands: tuple[MapPoint, ...] = ()
    aspects: tuple[MapPoint, ...] = ()
    shown: tuple[Figure, ...] = ()  # share of the differences that each axis shows
    why: str = ""  # a key of [map] in the messages


@dataclass(frozen=True)
class AspectEstimates:
    """Figures of a window and the draws behind them."""

    aspect_mentions: AspectMentions
    context: ReportContext

    def aspect_measures(self) -> Iterator[AspectMeasures]:
        share, net = self.shares, self.nets
        for brand, name in enumerate(self.aspect_mentions.brands):
            for aspect, aspect_name in enumerate(self.aspect_mentions.aspects):
                mentions, spoken = (
                    int(self.aspect_mentions.mention_counts[0, brand]),
                    int(self.counts[0, brand, aspect]),
                )
                yield AspectMeasures(
                    brand=name,
                    aspect=aspect_name,
                    share=self._figure("aspect_share", share, brand, aspect, mentions),
                    net=self._figure("aspect_net", net, brand, aspect, spoken),
                )

    @cached_property
    def counts(self) -> Floats:
        """Mentions that speak of an aspect (draws, brands, aspects)."""
        return self.aspect_mentions.sum_by_aspect(np.ones(len(self.aspect_mentions.brand)))

    @cached_property
    def shares(self) -> Floats:
        return ratio(self.counts, self.aspect_mentions.mention_counts[..., None])

    @cached_property
    def nets(self) -> Floats:
        negative, positive = (
            self.aspect_mentions.sum_by_aspect(self.aspect_mentions.polarity[:, side])
            for side in (0, 1)
        )
        return ratio(positive - negative, positive + negative)

    def authors(self, brand: int, aspect: int) -> int:
        spoken = self.aspect_mentions
        return len(np.unique(spoken.author[(spoken.brand == brand) & (spoken.aspect == aspect)]))

    def _figure(self, measure: str, draws: Floats, brand: int, aspect: int, n: int) -> Figure:
        values, few = draws[:, brand, aspect], self.authors(brand, aspect) < MIN_AUTHORS
        sure = not few and bool(np.isfinite(values).all())
        low, high = percentile_interval(values[1:]) if sure else (None, None)
        return self.figure(
            measure,
            brand,
            aspect,
            float(values[0]),
            n,
            low,
            high,
            ("few",) if few and np.isfinite(values[0]) else (),
        )

    def figure(
        self,
        measure: str,
        brand: int,
        aspect: int,
        value: float,
        n: int,
        low: float | None,
        high: float | None,
        flags: tuple[str, ...],
    ) -> Figure:
        spoken = self.aspect_mentions
        rows = queries.mentions_query(
            [spoken.brands[brand]], spoken.weeks, self.context.config.timezone
        )
        query = (_SHARE if measure == "aspect_share" else _ASPECT).format(
            rows=rows, aspect=sql_literal(spoken.aspects[aspect])
        )
        return Figure(
            measure=measure, week=str(self.context.week), brand=spoken.brands[brand], subject=spoken.aspects[aspect], value=value, n=n,
            low=low, high=high, query=query, versions=self.context.versions, flags=("unaudited", *flags),
            posts=spoken.sample_post_ids(brand, aspect) or spoken.sample_post_ids(brand),
        )  # fmt: skip

    def gaps(self, own: int) -> tuple[AspectGap, ...]:
        """Aspects on which a competitor's net is above ours beyond chance, largest first: interval without 0, 2 points at least,
        Benjamini-Hochberg over all of them.
        """
        nets, found = self.nets, []
        for brand in (place for place in range(len(self.aspect_mentions.brands)) if place != own):
            for aspect in range(len(self.aspect_mentions.aspects)):
                draws = nets[:, brand, aspect] - nets[:, own, aspect]
                if (
                    min(self.authors(brand, aspect), self.authors(own, aspect)) >= MIN_AUTHORS
                    and np.isfinite(draws).all()
                ):
                    found.append((brand, aspect, draws))
        kept = benjamini_hochberg(
            np.array(
                [two_sided_p_value(float(draws[0]), float(draws[1:].std())) for *_, draws in found]
            ),
            FALSE_DISCOVERY_RATE,
        )
        gaps = [
            self._gap(own, *one)
            for one, real in zip(found, kept, strict=True)
            if real and one[2][0] >= MIN_CHANGE
        ]
        return tuple(
            sorted(
                (gap for gap in gaps if (gap.gap.low or 0) > 0),
                key=lambda gap: (-(gap.gap.value or 0), gap.brand, gap.aspect),
            )
        )

    def _gap(self, own: int, brand: int, aspect: int, draws: Floats) -> AspectGap:
        n = int(min(self.counts[0, brand, aspect], self.counts[0, own, aspect]))
        figure = self.figure(
            "aspect_gap", brand, aspect, float(draws[0]), n, *percentile_interval(draws[1:]), ()
        )
        return AspectGap(brand=figure.brand or "", aspect=figure.subject or "", gap=figure)


def compute_perceptual_map(
    current: AspectMentions, previous: AspectMentions, context: ReportContext
) -> PerceptualMap:
    """Correspondence analysis of what brands are liked for (expected favourable posts), turned onto the map of a week before.

    No map for fewer than three brands or aspects with enough posts, nor where no two brands stand apart.
    """
    liked = _liked(current)
    brands, aspects = _enough(liked[0], _counts(current))
    if min(len(brands), len(aspects)) <= MAP_DIMENSIONS:
        return PerceptualMap(why="small")
    draws = liked[:, brands][:, :, aspects]
    kept = correspondence_analysis(draws[0])
    kept = kept.rotated(_held(kept, previous, brands, aspects))
    places = bootstrap_row_coordinates(draws[1:], kept)
    if not any(
        positions_differ(places[:, one], places[:, other])
        for one in range(len(brands))
        for other in range(one)
    ):
        return PerceptualMap(why="overlap")
    axes = _Axes(
        context,
        _MAPPED.format(
            rows=queries.mentions_query(current.brands, current.weeks, context.config.timezone)
        ),
        int(_counts(current).sum()),
    )
    return PerceptualMap(
        brands=tuple(
            axes.place(
                current.brands[brand],
                kept.row_coordinates[at],
                current.sample_post_ids(brand),
                confidence_ellipse(places[:, at], kept.row_coordinates[at]),
            )
            for at, brand in enumerate(brands)
        ),
        aspects=tuple(
            axes.place(
                current.aspects[aspect],
                kept.column_coordinates[at],
                current.sample_post_ids(aspect=aspect),
            )
            for at, aspect in enumerate(aspects)
        ),
        shown=tuple(
            axes.figure("map_shown", name, share, current.sample_post_ids())
            for name, share in zip(("across", "up"), kept.inertia_shares.tolist(), strict=True)
        ),
    )


@dataclass(frozen=True)
class _Axes:
    """What all places on one map rest on."""

    asked: ReportContext
    query: str
    n: int

    def figure(self, measure: str, subject: str, value: float, posts: tuple[str, ...]) -> Figure:
        return Figure(
            measure=measure,
            week=str(self.asked.week),
            subject=subject,
            value=value,
            n=self.n,
            query=self.query,
            versions=self.asked.versions,
            posts=posts,
        )

    def place(
        self, name: str, at: Floats, posts: tuple[str, ...], outline: Floats | None = None
    ) -> MapPoint:
        corners = (
            ()
            if outline is None
            else tuple((round(float(x), 4), round(float(y), 4)) for x, y in outline)
        )
        across, up = (
            self.figure(measure, name, float(value), posts)
            for measure, value in zip(("map_across", "map_up"), at, strict=True)
        )
        return MapPoint(name=name, across=across, up=up, outline=corners)


def _liked(spoken: AspectMentions) -> Floats:
    return spoken.sum_by_aspect(spoken.polarity[:, 1])


def _counts(spoken: AspectMentions) -> Floats:
    return np.asarray(spoken.sum_by_aspect(np.ones(len(spoken.brand)))[0])


def _enough(liked: Floats, counts: Floats) -> tuple[Ints, Ints]:
    """Brands and aspects with FEWEST_POSTS, told of in a favourable way by somebody."""
    brands = np.flatnonzero((counts.sum(1) >= MIN_MAP_POSTS) & (liked.sum(1) > 0))
    aspects = np.flatnonzero((counts[brands].sum(0) >= MIN_MAP_POSTS) & (liked[brands].sum(0) > 0))
    return brands, aspects


def _held(kept: CorrespondenceMap, before: AspectMentions, brands: Ints, aspects: Ints) -> Floats:
    """The turn that holds the map in place from week to week; none where the week before had another set of places."""
    then = (
        _liked(before)[0][np.ix_(brands, aspects)]
        if len(before.brand)
        else np.zeros((len(brands), len(aspects)))
    )
    if not ((then.sum(0) > 0).all() and (then.sum(1) > 0).all()):
        return np.eye(MAP_DIMENSIONS)
    return procrustes_rotation(kept.coordinates, correspondence_analysis(then).coordinates)
