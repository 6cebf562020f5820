"""The perceptual map: brands near the aspects that they are liked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from nlp.stats.correspondence import (
    MAP_DIMENSIONS,
    CorrespondenceMap,
    bootstrap_row_coordinates,
    confidence_ellipse,
    correspondence_analysis,
    positions_differ,
    procrustes_rotation,
)
from nlp.stats.estimation import Floats, Ints
from reports.context import ReportContext
from reports.figures import Figure
from reports.sections.perception.mentions import AspectMentions

MIN_MAP_POSTS = 20
"""Posts of an aspect over all brands, and of a brand, that a point on the map needs."""

_MAP_QUERY = """
SELECT brand, aspect, count(*) AS posts, sum(a.positive) AS favourable FROM ({rows}) r \
JOIN aspects a USING (id, brand) WHERE counted
GROUP BY ALL ORDER BY ALL
""".strip()


@dataclass(frozen=True, kw_only=True)
class MapPoint:
    """The position of a brand or an aspect on the map."""

    name: str
    across: Figure
    up: Figure
    outline: tuple[tuple[float, float], ...] = ()
    """Corners of a brand's 95 % region; empty for an aspect."""


@dataclass(frozen=True, kw_only=True)
class PerceptualMap:
    """The points of the map, or the reason why there is none."""

    brands: tuple[MapPoint, ...] = ()
    aspects: tuple[MapPoint, ...] = ()
    shown: tuple[Figure, ...] = ()
    """Share of the differences between brands that each axis shows."""
    why: str = ""
    """A key of [map] in the messages; empty where there is a map."""


def compute_perceptual_map(
    current: AspectMentions, previous: AspectMentions, context: ReportContext
) -> PerceptualMap:
    """Compute a correspondence analysis of favourable posts, rotated onto the previous map.

    There is no map for fewer than three brands or aspects with enough posts, nor where no two
    brands differ beyond chance.
    """
    favourable = current.favourable_counts
    counts = np.asarray(current.aspect_counts[0])
    brands, aspects = _select_points(favourable[0], counts)
    if min(len(brands), len(aspects)) <= MAP_DIMENSIONS:
        return PerceptualMap(why="small")
    draws = favourable[:, brands][:, :, aspects]
    plane = correspondence_analysis(draws[0])
    plane = plane.rotated(_rotation_onto_previous(plane, previous, brands, aspects))
    positions = bootstrap_row_coordinates(draws[1:], plane)
    brand_pairs = combinations(range(len(brands)), 2)
    if not any(positions_differ(positions[:, a], positions[:, b]) for a, b in brand_pairs):
        return PerceptualMap(why="overlap")
    query = _MAP_QUERY.format(rows=context.mentions_query(current.weeks, current.brands))
    figures = _MapFigures(context, query, int(counts.sum()))
    return PerceptualMap(
        brands=tuple(_brand_points(figures, current, brands, plane, positions)),
        aspects=tuple(_aspect_points(figures, current, aspects, plane)),
        shown=tuple(
            figures.figure("map_shown", axis, share, current.sample_post_ids())
            for axis, share in zip(("across", "up"), plane.inertia_shares.tolist(), strict=True)
        ),
    )


def _brand_points(
    figures: "_MapFigures",
    mentions: AspectMentions,
    brands: Ints,
    plane: CorrespondenceMap,
    positions: Floats,
) -> Iterator[MapPoint]:
    """Yield the points of brands; `positions` (draws, brands, 2) are those of the bootstrap."""
    for row, brand in enumerate(brands):
        position = plane.row_coordinates[row]
        outline = confidence_ellipse(positions[:, row], position)
        posts = mentions.sample_post_ids(brand)
        yield figures.point(mentions.brands[brand], position, posts, outline)


def _aspect_points(
    figures: "_MapFigures", mentions: AspectMentions, aspects: Ints, plane: CorrespondenceMap
) -> Iterator[MapPoint]:
    for column, aspect in enumerate(aspects):
        posts = mentions.sample_post_ids(aspect=aspect)
        yield figures.point(mentions.aspects[aspect], plane.column_coordinates[column], posts)


@dataclass(frozen=True)
class _MapFigures:
    """Makes the figures of a map, which have their query and their n in common."""

    context: ReportContext
    query: str
    n: int

    def figure(self, measure: str, subject: str, value: float, posts: tuple[str, ...]) -> Figure:
        return self.context.figure(
            measure, value, n=self.n, query=self.query, subject=subject, posts=posts
        )

    def point(
        self, name: str, position: Floats, posts: tuple[str, ...], outline: Floats | None = None
    ) -> MapPoint:
        """Make the point at a position (2,), with an outline (corners, 2)."""
        corners = [] if outline is None else outline.tolist()
        return MapPoint(
            name=name,
            across=self.figure("map_across", name, float(position[0]), posts),
            up=self.figure("map_up", name, float(position[1]), posts),
            outline=tuple((round(x, 4), round(y, 4)) for x, y in corners),
        )


def _select_points(favourable: Floats, counts: Floats) -> tuple[Ints, Ints]:
    """Return the brands and aspects with MIN_MAP_POSTS, some of them favourable, as indices.

    Both tables are (brands, aspects).
    """
    brands = np.flatnonzero((counts.sum(1) >= MIN_MAP_POSTS) & (favourable.sum(1) > 0))
    has_posts = counts[brands].sum(0) >= MIN_MAP_POSTS
    aspects = np.flatnonzero(has_posts & (favourable[brands].sum(0) > 0))
    return brands, aspects


def _rotation_onto_previous(
    plane: CorrespondenceMap, previous: AspectMentions, brands: Ints, aspects: Ints
) -> Floats:
    """Return the rotation (2, 2) that keeps the map in place from week to week.

    It is none where some brand or aspect has no favourable post in the previous weeks.
    """
    if not len(previous.brand):
        return np.eye(MAP_DIMENSIONS)
    favourable = previous.favourable_counts[0][np.ix_(brands, aspects)]
    if not ((favourable.sum(0) > 0).all() and (favourable.sum(1) > 0).all()):
        return np.eye(MAP_DIMENSIONS)
    return procrustes_rotation(plane.coordinates, correspondence_analysis(favourable).coordinates)
