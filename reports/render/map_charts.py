"""The perceptual map and the network of brands named together, as inline SVG."""

from collections.abc import Mapping, Sequence
from math import cos, pi, sin, sqrt
from typing import Any
from unicodedata import east_asian_width

import altair as alt

from folate.core.text import printable_text
from reports.render.charts import INK, LINE, MUTED, brand_colour, render_svg, truncate_label
from reports.sections.perception.map import MapPoint, PerceptualMap
from reports.sections.perception.moves import CoMention

MAP_WIDE_SIZE_PX, MAP_NARROW_SIZE_PX, RING_SIZE_PX = (
    (720, 460),
    (340, 400),
    (340, 260),
)  # of the plot, CSS pixels
_LETTER, _LINE = 6.6, 16.0  # room of a Latin letter and of a line of text, pixels
_MARGIN = 1.12  # of the plane around the outermost place


def perceptual_map_chart(
    map_data: PerceptualMap,
    brands: Sequence[str],
    names: Mapping[str, str],
    size_px: tuple[int, int],
) -> str:
    """Brands with their 95 % regions and the aspects near those whom they are liked in. `brands` in the order of their colours;
    `names` are the labels of brands and aspects.
    """
    x, y = _scales(map_data, size_px)
    outlines = [
        {"x": at[0], "y": at[1], "corner": corner, "brand": place.name}
        for place in map_data.brands
        for corner, at in enumerate([*place.outline, place.outline[0]])
    ]
    colours = alt.Scale(
        domain=list(brands), range=[brand_colour(number) for number in range(len(brands))]
    )
    points = [
        {"x": place.across.value, "y": place.up.value, "brand": place.name}
        for place in map_data.brands
    ]
    dots = [{"x": place.across.value, "y": place.up.value} for place in map_data.aspects]
    layers = [
        alt.Chart(alt.Data(values=[{"at": 0}])).mark_rule(color=LINE).encode(x=alt.X("at:Q", scale=x, axis=None)),
        alt.Chart(alt.Data(values=[{"at": 0}])).mark_rule(color=LINE).encode(y=alt.Y("at:Q", scale=y, axis=None)),
        alt.Chart(alt.Data(values=outlines)).mark_line(strokeWidth=1.5, filled=True, fillOpacity=0.14).encode(
            x=alt.X("x:Q", scale=x, axis=None), y=alt.Y("y:Q", scale=y, axis=None), order="corner:Q",
            color=alt.Color("brand:N", scale=colours, legend=None), detail="brand:N",
        ),
        alt.Chart(alt.Data(values=dots)).mark_point(shape="cross", size=22, color=MUTED, filled=True).encode(x="x:Q", y="y:Q"),
        alt.Chart(alt.Data(values=points)).mark_point(filled=True, size=90, opacity=1).encode(
            x="x:Q", y="y:Q", color=alt.Color("brand:N", scale=colours, legend=None)
        ),
        *_labels(map_data, names, x, y, size_px),
    ]  # fmt: skip
    return render_svg(alt.layer(*layers), size_px)


def _scales(drawn: PerceptualMap, size: tuple[int, int]) -> tuple[Any, Any]:
    """One unit is as long across as it is up, else angles and distances would lie."""
    places = [*drawn.brands, *drawn.aspects]
    corners = [(place.across.value or 0.0, place.up.value or 0.0) for place in places] + [
        corner for place in drawn.brands for corner in place.outline
    ]
    low, high = (
        [min(axis) for axis in zip(*corners, strict=True)],
        [max(axis) for axis in zip(*corners, strict=True)],
    )
    unit = (
        max(
            (end - start) * _MARGIN / pixels
            for start, end, pixels in zip(low, high, size, strict=True)
        )
        or 1.0
    )
    return tuple(
        alt.Scale(
            domain=[(start + end) / 2 - unit * pixels / 2, (start + end) / 2 + unit * pixels / 2],
            nice=False,
            zero=False,
        )
        for start, end, pixels in zip(low, high, size, strict=True)
    )


def _labels(
    drawn: PerceptualMap, names: Mapping[str, str], x: Any, y: Any, size: tuple[int, int]
) -> list[Any]:
    """The names beside their places, moved up or down where two would touch."""
    placed = _apart([*drawn.brands, *drawn.aspects], names, (x.domain, y.domain), size)
    brands, aspects = placed[: len(drawn.brands)], placed[len(drawn.brands) :]
    layers = []
    for rows, weight, ink in ((aspects, 400, MUTED), (brands, 700, INK)):
        data = alt.Chart(alt.Data(values=rows))
        text = {
            "align": "left",
            "baseline": "middle",
            "fontSize": 13,
            "fontWeight": weight,
            "color": ink,
        }
        layers.append(
            data.mark_text(**text).encode(
                x=alt.X("x:Q", scale=None), y=alt.Y("y:Q", scale=None), text="name:N"
            )
        )
    return layers


def _apart(
    places: Sequence[MapPoint],
    names: Mapping[str, str],
    domains: tuple[Any, Any],
    size: tuple[int, int],
) -> list[dict[str, Any]]:
    """Where each name stands, in pixels: right of its place, or left of it near the edge, in the nearest free line."""
    (left, right), (bottom, top) = domains
    taken: list[tuple[float, float, float]] = []
    found = []
    for place in places:
        name = truncate_label(printable_text(names.get(place.name, place.name)))
        room = _LETTER * sum(2 if east_asian_width(letter) in "WF" else 1 for letter in name)
        across = ((place.across.value or 0.0) - left) / (right - left) * size[0]
        down = (top - (place.up.value or 0.0)) / (top - bottom) * size[1]
        start = across + 9 if across + 9 + room <= size[0] else across - 9 - room
        shift = next(
            step for step in (0.0, *(sign * _LINE * lines for lines in range(1, 40) for sign in (1, -1)))
            if not any(start < end and start + room > begin and abs(down + step - height) < _LINE for begin, end, height in taken)
        )  # fmt: skip
        taken.append((start, start + room, down + shift))
        found.append({"x": round(start, 1), "y": round(down + shift, 1), "name": name})
    return found


def co_mention_chart(
    co_mentions: Sequence[CoMention], brands: Sequence[str], names: Mapping[str, str]
) -> str:
    """Brands on a circle, joined by lines as wide as the root of the number of posts that name both."""
    width, height = RING_SIZE_PX
    radius = min(width, height) / 2 - 30
    angle = {brand: 2 * pi * number / len(brands) - pi / 2 for number, brand in enumerate(brands)}
    at = {
        brand: (width / 2 + radius * cos(turn), height / 2 + radius * sin(turn))
        for brand, turn in angle.items()
    }
    most = max((pair.posts.value or 0) for pair in co_mentions)
    ends = [
        (*at[pair.one], *at[pair.other], 14 * sqrt((pair.posts.value or 0) / most))
        for pair in co_mentions
    ]
    lines = [dict(zip(("x", "y", "x2", "y2", "wide"), end, strict=True)) for end in ends]
    points = [
        {
            "x": x,
            "y": y,
            "brand": brand,
            "up": y + (24 if y >= height / 2 else -20),
            "name": truncate_label(printable_text(names.get(brand, brand))),
        }
        for brand, (x, y) in at.items()
    ]
    colours = alt.Scale(
        domain=list(brands), range=[brand_colour(number) for number in range(len(brands))]
    )
    flat: dict[str, Any] = {
        "x": alt.X("x:Q", scale=None, axis=None),
        "y": alt.Y("y:Q", scale=None, axis=None),
    }
    nodes = alt.Chart(alt.Data(values=points))
    layers = [
        alt.Chart(alt.Data(values=lines)).mark_rule(color=MUTED, opacity=0.45, strokeCap="round").encode(
            **flat, x2="x2:Q", y2="y2:Q", strokeWidth=alt.StrokeWidth("wide:Q", scale=None, legend=None)
        ),
        nodes.mark_point(filled=True, size=160, opacity=1).encode(**flat, color=alt.Color("brand:N", scale=colours, legend=None)),
        nodes.mark_text(fontSize=13, fontWeight=600, color=INK).encode(
            x=flat["x"], y=alt.Y("up:Q", scale=None, axis=None), text="name:N"
        ),
    ]  # fmt: skip
    return render_svg(alt.layer(*layers), RING_SIZE_PX)
