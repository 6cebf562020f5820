"""Charts as inline SVG, by Altair and vl-convert.

They have no scripts and no fonts of their own, and take their colours from the style sheet.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
from rich.cells import get_character_cell_size
from vl_convert import vegalite_to_svg

from folate.core.text import printable_text
from reports.figures import Figure
from reports.measures.brands import BrandMeasures

# Width and height of the plot, in CSS pixels.
WIDE_SIZE_PX = (720, 250)
NARROW_SIZE_PX = (300, 230)
PANEL_SIZE_PX = (230, 110)
# For how many brands the style sheet has colours; further brands repeat them with other dashes.
BRAND_COLOUR_COUNT = 8
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2, 1, 2])
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
# Placeholders of colours, replaced by those of the page in _apply_page_style.
INK = "#010101"
MUTED = "#010102"
LINE = "#010103"
_FONT = "inherit"
_MAX_LABEL_WIDTH = 16  # Latin letters
_MIN_LABEL_DISTANCE = 15  # pixels between the names at the ends of lines
_POINT_LABELS = "datum.value > 0 ? '+100' : datum.value < 0 ? '\N{MINUS SIGN}100' : '0'"


def share_of_voice_chart(brands: Sequence[BrandMeasures], size_px: tuple[int, int]) -> str:
    """Render the share of voice by week as SVG, one line for each brand.

    Each line ends with the name of its brand; colour, dash and marker distinguish the brands.
    """
    points: list[dict[str, Any]] = []
    for brand_index, brand in enumerate(brands):
        points += [_chart_point(figure, brand_index) for figure in brand.trend["share_of_voice"]]
    values = [point["value"] for point in points if point["value"] is not None]
    top = max([*values, 0.1]) * 1.1
    width, height = size_px
    lines = alt.Chart(alt.Data(values=points)).encode(
        x=_week_axis(),
        y=alt.Y(
            "value:Q",
            scale=alt.Scale(domain=[0, top], nice=False),
            axis=axis(format=".0%", tickCount=4),
        ),
        color=_encode_brand(alt.Color, brands, brand_colour),
    )
    labels = alt.Chart(alt.Data(values=line_ends(brands, top, height)))
    label_marks = labels.mark_text(align="left", dx=8, fontSize=13, fontWeight=600)
    layers = [
        lines.mark_line(strokeWidth=2.5).encode(
            strokeDash=_encode_brand(alt.StrokeDash, brands, _brand_dash)
        ),
        lines.mark_point(filled=True, size=46, opacity=1).encode(
            shape=_encode_brand(alt.Shape, brands, _brand_shape)
        ),
        label_marks.encode(
            x=alt.value(width),
            y="y:Q",
            text="name:N",
            color=_encode_brand(alt.Color, brands, brand_colour),
        ),
    ]
    return render_svg(alt.layer(*layers), size_px)


def net_sentiment_chart(brand: BrandMeasures, brand_index: int) -> str:
    """Render the net sentiment of one brand by week as SVG, with its interval as a band.

    `brand_index` is the position of the brand in the report, which decides its colour.
    """
    points = [_chart_point(figure, brand_index) for figure in brand.trend["net_sentiment_polar"]]
    colour = brand_colour(brand_index)
    scale = alt.Scale(domain=[-1, 1])
    value_axis = axis(values=[-1, 0, 1], labelExpr=_POINT_LABELS)
    base = alt.Chart(alt.Data(values=points)).encode(x=_week_axis(label_step=2))
    intervals = base.transform_filter("isValid(datum.low)")
    layers = [
        intervals.mark_area(opacity=0.22, color=colour).encode(
            y=alt.Y("low:Q", scale=scale, axis=value_axis), y2="high:Q"
        ),
        intervals.mark_rule(strokeWidth=3, opacity=0.22, color=colour).encode(
            y=alt.Y("low:Q", scale=scale), y2="high:Q"
        ),
        base.mark_line(strokeWidth=2.5, color=colour).encode(y=alt.Y("value:Q", scale=scale)),
        base.mark_point(filled=True, size=34, opacity=1, color=colour).encode(
            y=alt.Y("value:Q", scale=scale)
        ),
    ]
    return render_svg(alt.layer(*layers), PANEL_SIZE_PX)


def hit_rate_chart(trend: Sequence[Figure]) -> str:
    """Render the hits per million of one query by week as SVG, with its interval as a band.

    A week without posts leaves a gap.
    """
    points = [_chart_point(figure, 0) for figure in trend]
    bounds = [point["high"] or point["value"] for point in points]
    top = max([bound for bound in bounds if bound is not None], default=0) or 1
    scale = alt.Scale(domain=[0, top * 1.1], nice=True)
    value_axis = axis(format="~s", tickCount=3)
    base = alt.Chart(alt.Data(values=points)).encode(x=_week_axis(label_step=2))
    intervals = base.transform_filter("isValid(datum.low)")
    value = alt.Y("value:Q", scale=scale, axis=value_axis)
    layers = [
        intervals.mark_rule(strokeWidth=6, opacity=0.22, color=INK).encode(
            y=alt.Y("low:Q", scale=scale, axis=value_axis), y2="high:Q"
        ),
        base.mark_line(strokeWidth=2.5, color=INK).encode(y=value),
        base.mark_point(filled=True, size=34, opacity=1, color=INK).encode(y=value),
    ]
    return render_svg(alt.layer(*layers), PANEL_SIZE_PX)


def _chart_point(figure: Figure, brand_index: int) -> dict[str, Any]:
    return {
        "week": figure.week,
        "brand": str(brand_index),
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
    }


def line_ends(brands: Sequence[BrandMeasures], top: float, height: int) -> list[dict[str, Any]]:
    """Return the name of each brand and its position: the last value, or above the name below.

    `top` is the value at the upper end of the axis, `height` that of the plot in pixels. Brands
    without a last value are left out.
    """
    last_values = []
    for brand_index, brand in enumerate(brands):
        value = brand.trend["share_of_voice"][-1].value
        if value is not None:
            last_values.append((value, brand_index))
    distance = _MIN_LABEL_DISTANCE / height * top
    lowest_free = 0.0
    labels = []
    for value, brand_index in sorted(last_values):
        y = max(value, lowest_free)
        name = truncate_label(printable_text(brands[brand_index].label))
        labels.append({"brand": str(brand_index), "name": name, "y": y})
        lowest_free = y + distance
    return labels


def truncate_label(name: str) -> str:
    """Cut `name` to the space beside a plot; a Chinese character is as wide as two letters."""
    free_width = _MAX_LABEL_WIDTH
    truncated = ""
    for char in name:
        free_width -= get_character_cell_size(char)
        if free_width < 0:
            return f"{truncated.rstrip()}…"
        truncated += char
    return truncated


def _week_axis(label_step: int = 1) -> Any:
    """Create the axis of weeks, which labels every `label_step`-th week without its year.

    Its values are whole names of weeks, which sort chronologically across the turn of the year.
    """
    label = f"indexof(domain('x'), datum.value) % {label_step} ? '' : slice(datum.value, 5)"
    return alt.X("week:O", axis=axis(grid=False, labelAngle=0, labelExpr=label))


def axis(**options: Any) -> Any:
    """Create an axis in the style of the page, without a line and with a faint grid."""
    defaults = {
        "title": None,
        "domain": False,
        "ticks": False,
        "gridColor": LINE,
        "labelColor": MUTED,
        "labelPadding": 6,
    }
    return alt.Axis(**(defaults | options))


def _encode_brand(
    channel: Any, brands: Sequence[BrandMeasures], get_style: Callable[[int], Any]
) -> Any:
    """Encode brands in a channel of Altair, without a legend.

    `get_style` returns the value of the channel for the index of a brand.
    """
    indices = range(len(brands))
    domain = [str(index) for index in indices]
    scale = alt.Scale(domain=domain, range=[get_style(index) for index in indices])
    return channel("brand:N", scale=scale, legend=None)


def _brand_dash(brand_index: int) -> list[int]:
    return _DASHES[brand_index % len(_DASHES)]


def _brand_shape(brand_index: int) -> str:
    return _SHAPES[brand_index % len(_SHAPES)]


def brand_colour(brand_index: int) -> str:
    """Return the placeholder of a brand's colour, which _apply_page_style replaces."""
    return f"#0202{brand_index % BRAND_COLOUR_COUNT:02x}"


def render_svg(chart: Any, size_px: tuple[int, int]) -> str:
    """Render an Altair chart as SVG with the colours and fonts of the page."""
    width, height = size_px
    spec = chart.properties(width=width, height=height, background="transparent").configure(
        font=_FONT, aria=False, view={"stroke": None}, axis={"labelFontSize": 12}, padding=4
    )
    # Validation against the schema would take most of the time.
    return _apply_page_style(vegalite_to_svg(spec.to_dict(validate=False)))


def _apply_page_style(svg: str) -> str:
    """Replace the placeholders of colours, remove fonts, and let the SVG scale to its container."""
    svg = re.sub(r'"#0202(..)"', lambda match: f'"var(--brand-{int(match[1], 16)})"', svg)
    page_colours = {INK: "currentColor", MUTED: "var(--muted)", LINE: "var(--line)"}
    for placeholder, colour in page_colours.items():
        svg = svg.replace(f'"{placeholder}"', f'"{colour}"')
    svg = re.sub(r' (font-family|aria-[a-z]+|role|pointer-events)="[^"]*"', "", svg)
    return re.sub(
        r'^<svg[^>]*width="([\d.]+)" height="([\d.]+)" viewBox="([^"]*)"[^>]*>',
        r'<svg viewBox="\3" aria-hidden="true">',
        svg,
    )
