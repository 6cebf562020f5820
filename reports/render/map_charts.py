"""The perceptual map, and the network of brands mentioned together, as inline SVG."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, sin, sqrt
from typing import Any, NamedTuple

import altair as alt
from rich.cells import cell_len

from folate.core.text import printable_text
from reports.render.charts import INK, LINE, MUTED, brand_colour, render_svg, truncate_label
from reports.sections.perception.map import MapPoint, PerceptualMap
from reports.sections.perception.moves import CoMention

# Width and height of the plot, in CSS pixels.
MAP_WIDE_SIZE_PX = (720, 460)
MAP_NARROW_SIZE_PX = (340, 400)
RING_SIZE_PX = (340, 260)
_LETTER_WIDTH = 6.6  # pixels of a Latin letter
_LINE_HEIGHT = 16.0  # pixels of a line of text
_LABEL_DISTANCE = 9  # pixels between a point and its name
_MAX_LINE_SHIFT = 39  # lines by which a name is moved up or down at most
_MARGIN = 1.12  # size of the plane, in units of the extent of its points
_RING_MARGIN = 30  # pixels between the ring and the nearer edges of the plot
_MAX_TIE_WIDTH = 14  # pixels of the line between the brands mentioned together most often


class _Domain(NamedTuple):
    """The range of coordinates along one axis of the map."""

    start: float
    end: float


def perceptual_map_chart(
    map_data: PerceptualMap,
    brands: Sequence[str],
    names: Mapping[str, str],
    size_px: tuple[int, int],
) -> str:
    """Render the map as SVG: brands with their 95 % regions, and aspects.

    `brands` has the ids of brands in the order of their colours, `names` the labels of brands and
    aspects by id.
    """
    domains = _map_domains(map_data, size_px)
    x_scale, y_scale = (alt.Scale(domain=list(d), nice=False, zero=False) for d in domains)
    x = alt.X("x:Q", scale=x_scale, axis=None)
    y = alt.Y("y:Q", scale=y_scale, axis=None)
    colour = alt.Color("brand:N", scale=_brand_scale(brands), legend=None)
    origin = alt.Chart(alt.Data(values=[{"at": 0}]))
    outlines = alt.Chart(alt.Data(values=_outline_corners(map_data.brands)))
    aspect_points = [{"x": point.across.value, "y": point.up.value} for point in map_data.aspects]
    brand_points = [
        {"x": point.across.value, "y": point.up.value, "brand": point.name}
        for point in map_data.brands
    ]
    layers = [
        origin.mark_rule(color=LINE).encode(x=alt.X("at:Q", scale=x_scale, axis=None)),
        origin.mark_rule(color=LINE).encode(y=alt.Y("at:Q", scale=y_scale, axis=None)),
        outlines.mark_line(strokeWidth=1.5, filled=True, fillOpacity=0.14).encode(
            x=x, y=y, order="corner:Q", color=colour, detail="brand:N"
        ),
        alt.Chart(alt.Data(values=aspect_points))
        .mark_point(shape="cross", size=22, color=MUTED, filled=True)
        .encode(x="x:Q", y="y:Q"),
        alt.Chart(alt.Data(values=brand_points))
        .mark_point(filled=True, size=90, opacity=1)
        .encode(x="x:Q", y="y:Q", color=colour),
        *_label_layers(map_data, names, domains, size_px),
    ]
    return render_svg(alt.layer(*layers), size_px)


def _brand_scale(brands: Sequence[str]) -> Any:
    colours = [brand_colour(index) for index in range(len(brands))]
    return alt.Scale(domain=list(brands), range=colours)


def _outline_corners(brand_points: Iterable[MapPoint]) -> list[dict[str, Any]]:
    """Return the corners of the regions of all brands; each outline ends where it begins."""
    corners = []
    for point in brand_points:
        for corner_index, (x, y) in enumerate([*point.outline, point.outline[0]]):
            corners.append({"x": x, "y": y, "corner": corner_index, "brand": point.name})
    return corners


def _point_coordinates(point: MapPoint) -> tuple[float, float]:
    return point.across.value or 0.0, point.up.value or 0.0


def _map_domains(map_data: PerceptualMap, size_px: tuple[int, int]) -> tuple[_Domain, _Domain]:
    """Return the ranges of both axes, which contain all points and regions.

    One unit has the same length on both axes, as otherwise angles and distances would be
    distorted.
    """
    points = [_point_coordinates(point) for point in (*map_data.brands, *map_data.aspects)]
    for point in map_data.brands:
        points.extend(point.outline)
    extents = [(min(coordinates), max(coordinates)) for coordinates in zip(*points, strict=True)]
    units_per_pixel = max(
        (high - low) * _MARGIN / pixels
        for (low, high), pixels in zip(extents, size_px, strict=True)
    )
    units_per_pixel = units_per_pixel or 1.0  # all points are in one place
    x_domain, y_domain = (
        _centered_domain(low, high, units_per_pixel * pixels)
        for (low, high), pixels in zip(extents, size_px, strict=True)
    )
    return x_domain, y_domain


def _centered_domain(low: float, high: float, length: float) -> _Domain:
    centre = (low + high) / 2
    return _Domain(centre - length / 2, centre + length / 2)


def _label_layers(
    map_data: PerceptualMap,
    names: Mapping[str, str],
    domains: tuple[_Domain, _Domain],
    size_px: tuple[int, int],
) -> list[Any]:
    """Return the layers with the names of aspects and brands."""
    points = [*map_data.brands, *map_data.aspects]
    labels = _place_labels(points, names, domains, size_px)
    brand_count = len(map_data.brands)
    return [
        _label_layer(labels[brand_count:], font_weight=400, colour=MUTED),
        _label_layer(labels[:brand_count], font_weight=700, colour=INK),
    ]


def _label_layer(labels: list[dict[str, Any]], font_weight: int, colour: str) -> Any:
    marks = alt.Chart(alt.Data(values=labels)).mark_text(
        align="left", baseline="middle", fontSize=13, fontWeight=font_weight, color=colour
    )
    return marks.encode(x=alt.X("x:Q", scale=None), y=alt.Y("y:Q", scale=None), text="name:N")


@dataclass(frozen=True)
class _LabelBox:
    """The place of a name: its left and right end and its middle, in pixels."""

    left: float
    right: float
    y: float

    def overlaps(self, other: "_LabelBox") -> bool:
        is_beside = self.right <= other.left or other.right <= self.left
        return not is_beside and abs(self.y - other.y) < _LINE_HEIGHT

    def shift_by(self, distance: float) -> "_LabelBox":
        return _LabelBox(self.left, self.right, self.y + distance)


def _place_labels(
    points: Sequence[MapPoint],
    names: Mapping[str, str],
    domains: tuple[_Domain, _Domain],
    size_px: tuple[int, int],
) -> list[dict[str, Any]]:
    """Return the names of the points and where they begin, in pixels.

    A name is at the right of its point, or at the left near the edge, and moved to the nearest
    line in which it overlaps no earlier name.
    """
    x_domain, y_domain = domains
    width, height = size_px
    boxes: list[_LabelBox] = []
    labels = []
    for point in points:
        name = truncate_label(printable_text(names.get(point.name, point.name)))
        label_width = _LETTER_WIDTH * cell_len(name)
        x, y = _point_coordinates(point)
        point_x = (x - x_domain.start) / (x_domain.end - x_domain.start) * width
        point_y = (y_domain.end - y) / (y_domain.end - y_domain.start) * height
        left = point_x + _LABEL_DISTANCE
        if left + label_width > width:
            left = point_x - _LABEL_DISTANCE - label_width
        box = _find_free_box(_LabelBox(left, left + label_width, point_y), boxes)
        boxes.append(box)
        labels.append({"x": round(box.left, 1), "y": round(box.y, 1), "name": name})
    return labels


def _find_free_box(box: _LabelBox, occupied: Sequence[_LabelBox]) -> _LabelBox:
    """Return `box`, moved down or up by the fewest lines after which it overlaps no other."""
    shifts = [0.0]
    for line_count in range(1, _MAX_LINE_SHIFT + 1):
        shifts += [_LINE_HEIGHT * line_count, -_LINE_HEIGHT * line_count]
    for shift in shifts:
        candidate = box.shift_by(shift)
        if not any(candidate.overlaps(other) for other in occupied):
            return candidate
    raise ValueError(f"wanted a free line for a name, got {len(occupied)} names around it.")


def co_mention_chart(
    co_mentions: Sequence[CoMention], brands: Sequence[str], names: Mapping[str, str]
) -> str:
    """Render brands on a ring as SVG, with lines between brands mentioned in the same posts.

    The width of a line is proportional to the root of the number of posts. `brands` has the ids
    of brands in the order of their colours, `names` their labels by id.
    """
    positions = _ring_positions(brands)
    x = alt.X("x:Q", scale=None, axis=None)
    y = alt.Y("y:Q", scale=None, axis=None)
    label_y = alt.Y("up:Q", scale=None, axis=None)
    tie_width = alt.StrokeWidth("wide:Q", scale=None, legend=None)
    colour = alt.Color("brand:N", scale=_brand_scale(brands), legend=None)
    ties = alt.Chart(alt.Data(values=_ring_ties(co_mentions, positions)))
    nodes = alt.Chart(alt.Data(values=_ring_nodes(positions, names)))
    layers = [
        ties.mark_rule(color=MUTED, opacity=0.45, strokeCap="round").encode(
            x=x, y=y, x2="x2:Q", y2="y2:Q", strokeWidth=tie_width
        ),
        nodes.mark_point(filled=True, size=160, opacity=1).encode(x=x, y=y, color=colour),
        nodes.mark_text(fontSize=13, fontWeight=600, color=INK).encode(
            x=x, y=label_y, text="name:N"
        ),
    ]
    return render_svg(alt.layer(*layers), RING_SIZE_PX)


def _ring_positions(brands: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return the position of each brand in pixels, clockwise from the top."""
    width, height = RING_SIZE_PX
    radius = min(width, height) / 2 - _RING_MARGIN
    positions = {}
    for index, brand in enumerate(brands):
        angle = 2 * pi * index / len(brands) - pi / 2
        positions[brand] = (width / 2 + radius * cos(angle), height / 2 + radius * sin(angle))
    return positions


def _ring_ties(
    co_mentions: Sequence[CoMention], positions: Mapping[str, tuple[float, float]]
) -> list[dict[str, float]]:
    max_posts = max((pair.posts.value or 0) for pair in co_mentions)
    ties = []
    for pair in co_mentions:
        x, y = positions[pair.one]
        x2, y2 = positions[pair.other]
        width = _MAX_TIE_WIDTH * sqrt((pair.posts.value or 0) / max_posts)
        ties.append({"x": x, "y": y, "x2": x2, "y2": y2, "wide": width})
    return ties


def _ring_nodes(
    positions: Mapping[str, tuple[float, float]], names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the brands with their positions and names, the names outside of the ring."""
    _, height = RING_SIZE_PX
    nodes = []
    for brand, (x, y) in positions.items():
        label_y = y + 24 if y >= height / 2 else y - 20
        name = truncate_label(printable_text(names.get(brand, brand)))
        nodes.append({"x": x, "y": y, "brand": brand, "up": label_y, "name": name})
    return nodes
