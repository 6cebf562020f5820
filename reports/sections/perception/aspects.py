"""Aspects by brand: how much they are spoken of and how well, what people like about others and not about us, and the map."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from corpora.store.snapshot import sql_literal
from nlp.stats.correspondence import PLANE, Plane, apart, ellipse, onto, plane, spread
from nlp.stats.estimation import Codes, Floats, benjamini_hochberg, interval, p_value
from reports.measures import queries
from reports.measures.brands import FALSE_DISCOVERIES, FEWEST_AUTHORS, LEAST_CHANGE, Asked
from reports.measures.estimates import ratio
from reports.measures.figures import Figure
from reports.sections.perception.mentions import Spoken

FEWEST_POSTS = 20  # that speak of an aspect, over all brands, for it to have a place on the map
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
class Cell:
    """An aspect of a brand. A figure's value is None where nobody spoke of it."""

    brand: str
    aspect: str
    share: Figure  # of the brand's mentions that speak of it
    net: Figure  # (P - N) / (P + N) of what they say


@dataclass(frozen=True, kw_only=True)
class Gap:
    """An aspect that people like about a competitor and not, or less, about us."""

    brand: str
    aspect: str
    gap: Figure  # the competitor's net less ours


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a brand or an aspect stands on the map; a brand with the outline of its 95 % region."""

    name: str
    across: Figure
    up: Figure
    outline: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Map:
    """The perceptual map. Where it can't be drawn honestly `why` says the reason and there are no places."""

    brands: tuple[Place, ...] = ()
    aspects: tuple[Place, ...] = ()
    shown: tuple[Figure, ...] = ()  # share of the differences that each axis shows
    why: str = ""  # a key of [map] in the messages


@dataclass(frozen=True)
class Table:
    """Figures of a window and the draws behind them."""

    spoken: Spoken
    asked: Asked

    def cells(self) -> Iterator[Cell]:
        share, net = self.shares, self.nets
        for brand, name in enumerate(self.spoken.brands):
            for aspect, aspect_name in enumerate(self.spoken.aspects):
                mentions, spoken = (
                    int(self.spoken.mentions[0, brand]),
                    int(self.counts[0, brand, aspect]),
                )
                yield Cell(
                    brand=name,
                    aspect=aspect_name,
                    share=self._figure("aspect_share", share, brand, aspect, mentions),
                    net=self._figure("aspect_net", net, brand, aspect, spoken),
                )

    @cached_property
    def counts(self) -> Floats:
        """Mentions that speak of an aspect (draws, brands, aspects)."""
        return self.spoken.spoken(np.ones(len(self.spoken.brand)))

    @cached_property
    def shares(self) -> Floats:
        return ratio(self.counts, self.spoken.mentions[..., None])

    @cached_property
    def nets(self) -> Floats:
        negative, positive = (self.spoken.spoken(self.spoken.polarity[:, side]) for side in (0, 1))
        return ratio(positive - negative, positive + negative)

    def authors(self, brand: int, aspect: int) -> int:
        spoken = self.spoken
        return len(np.unique(spoken.author[(spoken.brand == brand) & (spoken.aspect == aspect)]))

    def _figure(self, measure: str, draws: Floats, brand: int, aspect: int, n: int) -> Figure:
        values, few = draws[:, brand, aspect], self.authors(brand, aspect) < FEWEST_AUTHORS
        sure = not few and bool(np.isfinite(values).all())
        low, high = interval(values[1:]) if sure else (None, None)
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
        spoken = self.spoken
        rows = queries.mentions([spoken.brands[brand]], spoken.weeks, self.asked.config.timezone)
        query = (_SHARE if measure == "aspect_share" else _ASPECT).format(
            rows=rows, aspect=sql_literal(spoken.aspects[aspect])
        )
        return Figure(
            measure=measure, week=str(self.asked.week), brand=spoken.brands[brand], subject=spoken.aspects[aspect], value=value, n=n,
            low=low, high=high, query=query, versions=self.asked.versions, flags=("unaudited", *flags),
            posts=spoken.posts(brand, aspect) or spoken.posts(brand),
        )  # fmt: skip

    def gaps(self, own: int) -> tuple[Gap, ...]:
        """Aspects on which a competitor's net is above ours beyond chance, largest first: interval without 0, 2 points at least,
        Benjamini-Hochberg over all of them.
        """
        nets, found = self.nets, []
        for brand in (place for place in range(len(self.spoken.brands)) if place != own):
            for aspect in range(len(self.spoken.aspects)):
                draws = nets[:, brand, aspect] - nets[:, own, aspect]
                if (
                    min(self.authors(brand, aspect), self.authors(own, aspect)) >= FEWEST_AUTHORS
                    and np.isfinite(draws).all()
                ):
                    found.append((brand, aspect, draws))
        kept = benjamini_hochberg(
            np.array([p_value(float(draws[0]), float(draws[1:].std())) for *_, draws in found]),
            FALSE_DISCOVERIES,
        )
        gaps = [
            self._gap(own, *one)
            for one, real in zip(found, kept, strict=True)
            if real and one[2][0] >= LEAST_CHANGE
        ]
        return tuple(
            sorted(
                (gap for gap in gaps if (gap.gap.low or 0) > 0),
                key=lambda gap: (-(gap.gap.value or 0), gap.brand, gap.aspect),
            )
        )

    def _gap(self, own: int, brand: int, aspect: int, draws: Floats) -> Gap:
        n = int(min(self.counts[0, brand, aspect], self.counts[0, own, aspect]))
        figure = self.figure(
            "aspect_gap", brand, aspect, float(draws[0]), n, *interval(draws[1:]), ()
        )
        return Gap(brand=figure.brand or "", aspect=figure.subject or "", gap=figure)


def perceptual_map(now: Spoken, before: Spoken, asked: Asked) -> Map:
    """Correspondence analysis of what brands are liked for (expected favourable posts), turned onto the map of a week before.

    No map for fewer than three brands or aspects with enough posts, nor where no two brands stand apart.
    """
    liked = _liked(now)
    brands, aspects = _enough(liked[0], _counts(now))
    if min(len(brands), len(aspects)) <= PLANE:
        return Map(why="small")
    draws = liked[:, brands][:, :, aspects]
    kept = plane(draws[0])
    kept = kept.turned(_held(kept, before, brands, aspects))
    places = spread(draws[1:], kept)
    if not any(
        apart(places[:, one], places[:, other])
        for one in range(len(brands))
        for other in range(one)
    ):
        return Map(why="overlap")
    axes = _Axes(
        asked,
        _MAPPED.format(rows=queries.mentions(now.brands, now.weeks, asked.config.timezone)),
        int(_counts(now).sum()),
    )
    return Map(
        brands=tuple(
            axes.place(
                now.brands[brand],
                kept.rows[at],
                now.posts(brand),
                ellipse(places[:, at], kept.rows[at]),
            )
            for at, brand in enumerate(brands)
        ),
        aspects=tuple(
            axes.place(now.aspects[aspect], kept.columns[at], now.posts(aspect=aspect))
            for at, aspect in enumerate(aspects)
        ),
        shown=tuple(
            axes.figure("map_shown", name, share, now.posts())
            for name, share in zip(("across", "up"), kept.shown.tolist(), strict=True)
        ),
    )


@dataclass(frozen=True)
class _Axes:
    """What all places on one map rest on."""

    asked: Asked
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
    ) -> Place:
        corners = (
            ()
            if outline is None
            else tuple((round(float(x), 4), round(float(y), 4)) for x, y in outline)
        )
        across, up = (
            self.figure(measure, name, float(value), posts)
            for measure, value in zip(("map_across", "map_up"), at, strict=True)
        )
        return Place(name=name, across=across, up=up, outline=corners)


def _liked(spoken: Spoken) -> Floats:
    return spoken.spoken(spoken.polarity[:, 1])


def _counts(spoken: Spoken) -> Floats:
    return np.asarray(spoken.spoken(np.ones(len(spoken.brand)))[0])


def _enough(liked: Floats, counts: Floats) -> tuple[Codes, Codes]:
    """Brands and aspects with FEWEST_POSTS, told of in a favourable way by somebody."""
    brands = np.flatnonzero((counts.sum(1) >= FEWEST_POSTS) & (liked.sum(1) > 0))
    aspects = np.flatnonzero((counts[brands].sum(0) >= FEWEST_POSTS) & (liked[brands].sum(0) > 0))
    return brands, aspects


def _held(kept: Plane, before: Spoken, brands: Codes, aspects: Codes) -> Floats:
    """The turn that holds the map in place from week to week; none where the week before had another set of places."""
    then = (
        _liked(before)[0][np.ix_(brands, aspects)]
        if len(before.brand)
        else np.zeros((len(brands), len(aspects)))
    )
    if not ((then.sum(0) > 0).all() and (then.sum(1) > 0).all()):
        return np.eye(PLANE)
    return onto(kept.points, plane(then).points)
