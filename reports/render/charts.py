"""Charts as inline SVG, by Altair and vl-convert: no script, no font of their own, colours from the page's style sheet."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from unicodedata import east_asian_width

import altair as alt
from vl_convert import vegalite_to_svg

from folate.core.text import printable_text
from reports.figures import Figure
from reports.measures.brands import BrandMeasures

WIDE_SIZE_PX, NARROW_SIZE_PX, PANEL_SIZE_PX = (
    (720, 250),
    (300, 230),
    (230, 110),
)  # width and height of the plot, CSS pixels
BRAND_COLOUR_COUNT = (
    8  # brands that the style sheet has a colour for; later ones begin again with another dash
)
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2, 1, 2])
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
INK, MUTED, LINE = (
    "#010101",
    "#010102",
    "#010103",
)  # stand for colours of the page, put in by _dressed
_FONT = "inherit"
_NAME_ROOM = 16  # letters
_LABEL_GAP = 15  # pixels between the names at the ends of lines


def share_of_voice_chart(brands: Sequence[BrandMeasures], size_px: tuple[int, int]) -> str:
    """Share of voice over the weeks, a line a brand with its name at the end; colour, dash and marker tell brands apart."""
    points = [
        _point(figure, place)
        for place, brand in enumerate(brands)
        for figure in brand.trend["share_of_voice"]
    ]
    top = max([point["value"] for point in points if point["value"] is not None] + [0.1]) * 1.1
    base = alt.Chart(alt.Data(values=points)).encode(
        x=_weeks(), y=alt.Y("value:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=axis(format=".0%", tickCount=4)),
        color=_by_brand(alt.Color, brands, brand_colour),
    )  # fmt: skip
    names = alt.Chart(alt.Data(values=line_ends(brands, top, size_px[1]))).mark_text(
        align="left", dx=8, fontSize=13, fontWeight=600
    )
    layers = [
        base.mark_line(strokeWidth=2.5).encode(strokeDash=_by_brand(alt.StrokeDash, brands, _dash)),
        base.mark_point(filled=True, size=46, opacity=1).encode(
            shape=_by_brand(alt.Shape, brands, _shape)
        ),
        names.encode(
            x=alt.value(size_px[0]),
            y="y:Q",
            text="name:N",
            color=_by_brand(alt.Color, brands, brand_colour),
        ),
    ]
    return render_svg(alt.layer(*layers), size_px)


def net_sentiment_chart(brand: BrandMeasures, brand_index: int) -> str:
    """Net sentiment of one brand over the weeks, with its interval as a band. `place` is the brand's, for its colour."""
    points = [_point(figure, brand_index) for figure in brand.trend["net_sentiment_polar"]]
    scale = alt.Scale(domain=[-1, 1])
    ends = axis(
        values=[-1, 0, 1],
        labelExpr="datum.value > 0 ? '+100' : datum.value < 0 ? '\N{MINUS SIGN}100' : '0'",
    )
    base = alt.Chart(alt.Data(values=points)).encode(x=_weeks(every=2))
    banded = base.transform_filter("isValid(datum.low)")
    layers = [
        banded.mark_area(opacity=0.22, color=brand_colour(brand_index)).encode(
            y=alt.Y("low:Q", scale=scale, axis=ends), y2="high:Q"
        ),
        banded.mark_rule(strokeWidth=3, opacity=0.22, color=brand_colour(brand_index)).encode(
            y=alt.Y("low:Q", scale=scale), y2="high:Q"
        ),
        base.mark_line(strokeWidth=2.5, color=brand_colour(brand_index)).encode(
            y=alt.Y("value:Q", scale=scale)
        ),
        base.mark_point(filled=True, size=34, opacity=1, color=brand_colour(brand_index)).encode(
            y=alt.Y("value:Q", scale=scale)
        ),
    ]
    return render_svg(alt.layer(*layers), PANEL_SIZE_PX)


def _point(figure: Figure, place: int) -> dict[str, Any]:
    return {
        "week": figure.week,
        "brand": str(place),
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
    }


def line_ends(brands: Sequence[BrandMeasures], top: float, height: int) -> list[dict[str, Any]]:
    """Where each brand's name stands: at its last value, pushed apart where names would touch."""
    last = {place: brand.trend["share_of_voice"][-1].value for place, brand in enumerate(brands)}
    ends = sorted((value, place) for place, value in last.items() if value is not None)
    gap, floor, found = _LABEL_GAP / height * top, 0.0, []
    for value, place in ends:
        floor = max(value, floor)
        found.append(
            {
                "brand": str(place),
                "name": truncate_label(printable_text(brands[place].label)),
                "y": floor,
            }
        )
        floor += gap
    return found


def truncate_label(name: str) -> str:
    """`name` cut to what stands beside the plot; a Chinese character takes the room of two letters."""
    room, kept = _NAME_ROOM, ""
    for char in name:
        room -= 2 if east_asian_width(char) in "WF" else 1
        if room < 0:
            return f"{kept.rstrip()}…"
        kept += char
    return kept


def _weeks(every: int = 1) -> Any:
    """The weeks by their whole names, which sort as time runs, also from one year into the next; the label leaves the year out."""
    label = f"indexof(domain('x'), datum.value) % {every} ? '' : slice(datum.value, 5)"
    return alt.X("week:O", axis=axis(grid=False, labelAngle=0, labelExpr=label))


def axis(**options: Any) -> Any:
    """An axis as the page draws them: no line, faint grid."""
    return alt.Axis(
        **{
            "title": None,
            "domain": False,
            "ticks": False,
            "gridColor": LINE,
            "labelColor": MUTED,
            "labelPadding": 6,
        }
        | options
    )


def _by_brand(channel: Any, brands: Sequence[BrandMeasures], style: Callable[[int], Any]) -> Any:
    """The encoding `channel` of the brand, `style` giving its value at each place; without a legend."""
    places = range(len(brands))
    scale = alt.Scale(
        domain=[str(place) for place in places], range=[style(place) for place in places]
    )
    return channel("brand:N", scale=scale, legend=None)


def _dash(place: int) -> list[int]:
    return _DASHES[place % len(_DASHES)]


def _shape(place: int) -> str:
    return _SHAPES[place % len(_SHAPES)]


def brand_colour(brand_index: int) -> str:
    """Stands for the colour of a brand, until the style sheet gives it."""
    return f"#0202{brand_index % BRAND_COLOUR_COUNT:02x}"


def render_svg(chart: Any, size_px: tuple[int, int]) -> str:
    """The chart drawn, with the page's colours and fonts."""
    spec = chart.properties(
        width=size_px[0], height=size_px[1], background="transparent"
    ).configure(
        font=_FONT, aria=False, view={"stroke": None}, axis={"labelFontSize": 12}, padding=4
    )
    return _dressed(
        vegalite_to_svg(spec.to_dict(validate=False))
    )  # checking against the schema takes most of the time


def _dressed(svg: str) -> str:
    """The SVG with the page's colours and fonts, scaling to the width that it is given."""
    svg = re.sub(r'"#0202(..)"', lambda match: f'"var(--brand-{int(match[1], 16)})"', svg)
    for stand_in, colour in ((INK, "currentColor"), (MUTED, "var(--muted)"), (LINE, "var(--line)")):
        svg = svg.replace(f'"{stand_in}"', f'"{colour}"')
    svg = re.sub(r' (font-family|aria-[a-z]+|role|pointer-events)="[^"]*"', "", svg)
    return re.sub(
        r'^<svg[^>]*width="([\d.]+)" height="([\d.]+)" viewBox="([^"]*)"[^>]*>',
        r'<svg viewBox="\3" aria-hidden="true">',
        svg,
    )
