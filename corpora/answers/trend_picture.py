"""The picture of a trend: lines with bands of their intervals, and gaps, as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from math import floor, log10
from typing import Any

from corpora.answers.answer import Answer
from corpora.answers.coverage import GAPS
from corpora.search.hits import Unit
from folate.core.text import excerpt, printable_text

MAX_LINES = 8
"""Lines of one picture; the others are in the table only, and the picture says so."""

_MAX_BANDS = 3
"""Lines up to which the bands of intervals are drawn: more of them hide each other."""

_WIDTH, _HEIGHT = 760, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 58, 50
_LEGEND_HEIGHT = 20
_LEGEND_WIDTH = 168
_LEGEND_COLUMNS = 4
_MAX_TIME_LABELS = 8
_MAX_NAME_LENGTH = 18
_MAX_TITLE_LENGTH = 80
# Highest bound that is drawn, as a multiple of the highest rate: a few weeks with few posts would
# make all others flat.
_MAX_BAND = 2.5

_COLOURS = (
    ("#0b62c4", "#6cb2ff"), ("#c2410c", "#ff9f5a"), ("#15803d", "#5fd38a"),
    ("#9333ea", "#c792ff"), ("#a16207", "#e6c04d"), ("#be185d", "#ff85b3"),
    ("#0e7490", "#56d1e0"), ("#4b5563", "#b4bcc8"),
)  # fmt: skip

_TEXTS = {
    "en": {
        "word": "hits per million words",
        "character": "hits per million characters",
        "post": "hits per million posts",
        "gap": "gap: not all posts were seen",
        "band": "band: 95 % interval, authors resampled",
        "no_band": "intervals are in the table",
        "more": "{count:,} more in the table",
        "empty": "no post",
        "separator": ": ",
    },
    "zh": {
        "word": "每百万词的命中数",
        "character": "每百万字的命中数",
        "post": "每百万帖的命中数",
        "gap": "缺口：未采全的时段",
        "band": "色带：按作者重抽样的 95% 区间",
        "no_band": "区间见表",
        "more": "另有 {count:,} 条见表",
        "empty": "没有帖子",
        "separator": "：",
    },
}

_STYLE = """
svg{{--paper:#ffffff;--ink:#1f2328;--soft:#59636e;--grid:#e1e4e8;--gap:#eceff2;{light}}}
@media(prefers-color-scheme:dark){{
svg{{--paper:#0d1117;--ink:#e6edf3;--soft:#9aa4af;--grid:#2a3038;--gap:#1d232b;{dark}}}
}}
text{{font:12px system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;
fill:var(--soft)}}
.title{{font-size:15px;font-weight:600;fill:var(--ink)}}
.end{{text-anchor:end}} .middle{{text-anchor:middle}}
.grid{{stroke:var(--grid)}} .gap{{fill:var(--gap)}}
.line{{fill:none;stroke-width:2;stroke-linejoin:round}}
.band{{opacity:.18}}
""".strip()


@dataclass(frozen=True)
class _Line:
    """One line: a name, and a row for each period."""

    name: str
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class _Scale:
    """Where periods and rates are in the picture."""

    period_count: int
    highest: float
    height: float

    def x(self, period: float) -> float:
        """Return the horizontal place of the middle of a period."""
        return _LEFT + (period + 0.5) * self.step

    @property
    def step(self) -> float:
        """The width of one period."""
        return (_WIDTH - _LEFT - _RIGHT) / max(self.period_count, 1)

    def y(self, rate: float) -> float:
        """Return the vertical place of a rate; rates above the highest are at the upper edge."""
        share = min(rate / self.highest, 1.0) if self.highest else 0.0
        return self.bottom - share * (self.bottom - _TOP)

    @property
    def bottom(self) -> float:
        """The vertical place of 0."""
        return self.height - _BOTTOM


def draw_trend(answer: Answer, step: str, by: str | None, unit: Unit, language: str) -> str:
    """Return the picture of a trend; `step` and `by` are the names of its first columns."""
    texts = _TEXTS["zh" if language == "zh" else "en"]
    lines = _lines(answer.rows, by)
    drawn = _without_unseen_ends(lines[:MAX_LINES])
    periods = [str(row[step]) for row in drawn[0].rows] if drawn else []
    legend_rows = 0 if by is None else -(-len(drawn) // _LEGEND_COLUMNS)
    height = _HEIGHT + legend_rows * _LEGEND_HEIGHT
    has_bands = len(drawn) <= _MAX_BANDS
    scale = _Scale(len(periods), _highest(drawn, has_bands), _HEIGHT)
    notes = [texts["band"] if has_bands else texts["no_band"]]
    if any(row["coverage"] in GAPS for line in drawn for row in line.rows):
        notes.append(texts["gap"])
    if len(lines) > len(drawn):
        notes.append(texts["more"].format(count=len(lines) - len(drawn)))
    parts = [
        *_frame(answer.canonical, texts[unit], " · ".join(notes), height),
        *_gaps(drawn, scale),
        *_rate_axis(scale),
        *_time_axis(periods, scale),
    ]
    for number, line in enumerate(drawn):
        if has_bands:
            parts += _bands(line, number, scale)
        parts += _line_parts(line, number, step, scale, texts["separator"])
    if by is not None:
        parts += _legend(drawn)
    if not periods:
        parts.append(_text(_WIDTH / 2, _HEIGHT / 2, texts["empty"], "middle"))
    return "\n".join([*parts, "</svg>", ""])


def _lines(rows: Sequence[Mapping[str, Any]], by: str | None) -> list[_Line]:
    """Return the lines, those with most hits first."""
    rows_by_name: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        rows_by_name.setdefault("" if by is None else str(row[by]), []).append(row)
    lines = [_Line(name, of_name) for name, of_name in rows_by_name.items()]
    return sorted(lines, key=lambda line: (-sum(row["hits"] or 0 for row in line.rows), line.name))


def _without_unseen_ends(lines: Sequence[_Line]) -> list[_Line]:
    """Return lines from the first to the last period with a post or a crawl of any of them."""
    periods = list(zip(*(line.rows for line in lines), strict=True))
    seen = [
        number
        for number, rows in enumerate(periods)
        if any(row["coverage"] != "none" for row in rows)
    ]
    if not seen:
        return list(lines)
    return [_Line(line.name, line.rows[seen[0] : seen[-1] + 1]) for line in lines]


def _highest(lines: Sequence[_Line], has_bands: bool) -> float:
    """Return the rate at the upper edge of the picture."""
    rows = [row for line in lines for row in line.rows if row["per_million"] is not None]
    rate: float = max((row["per_million"] for row in rows), default=0.0)
    bound: float = max((row["high"] for row in rows), default=0.0)
    if rate and not has_bands:
        return rate
    return min(bound, rate * _MAX_BAND) if rate else bound


def _frame(title: str, unit: str, notes: str, height: float) -> Iterator[str]:
    label = escape(printable_text(f"{title} · {unit}"))
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" aria-label="{label}">'
    )
    light = "".join(f"--c{number}:{pair[0]};" for number, pair in enumerate(_COLOURS))
    dark = "".join(f"--c{number}:{pair[1]};" for number, pair in enumerate(_COLOURS))
    yield f"<style>{_STYLE.format(light=light, dark=dark)}</style>"
    yield f'<rect width="{_WIDTH}" height="{height}" style="fill:var(--paper)"/>'
    yield _text(_LEFT, 24, excerpt(title, _MAX_TITLE_LENGTH), "title")
    yield _text(_LEFT, 44, unit)
    yield _text(_LEFT, _HEIGHT - 10, notes)


def _gaps(lines: Sequence[_Line], scale: _Scale) -> Iterator[str]:
    """Shade the periods that are gaps in every line, those in a row as one."""
    if not lines:
        return
    periods = zip(*(line.rows for line in lines), strict=True)
    are_gaps = [all(row["coverage"] in GAPS for row in rows) for rows in periods]
    number = 0
    for is_gap, run in groupby(are_gaps):
        count = len(list(run))
        if is_gap:
            left = scale.x(number) - scale.step / 2
            yield (
                f'<rect class="gap" x="{left:.1f}" y="{_TOP}" width="{count * scale.step:.1f}" '
                f'height="{scale.bottom - _TOP:.1f}"/>'
            )
        number += count


def _rate_axis(scale: _Scale) -> Iterator[str]:
    for rate in _round_rates(scale.highest):
        y = scale.y(rate)
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
        yield _text(_LEFT - 8, y + 4, f"{rate:,.6g}", "end")


def _round_rates(highest: float) -> list[float]:
    """Return 0 and up to five round numbers below `highest`."""
    if highest <= 0:
        return [0.0]
    raw = highest / 5
    power = 10.0 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    return [step * number for number in range(int(highest / step) + 1)]


def _time_axis(periods: Sequence[str], scale: _Scale) -> Iterator[str]:
    stride = max(1, -(-len(periods) // _MAX_TIME_LABELS))
    for number in range(0, len(periods), stride):
        yield _text(scale.x(number), scale.bottom + 18, periods[number], "middle")


def _bands(line: _Line, number: int, scale: _Scale) -> Iterator[str]:
    for run in _runs(line.rows):
        bounds = [(scale.x(place), scale.y(row["high"])) for place, row in run]
        bounds += [(scale.x(place), scale.y(row["low"])) for place, row in reversed(run)]
        yield f'<path class="band" style="fill:var(--c{number})" d="{_path(bounds)}Z"/>'


def _line_parts(
    line: _Line, number: int, step: str, scale: _Scale, separator: str
) -> Iterator[str]:
    colour = f"var(--c{number})"
    for run in _runs(line.rows):
        points = [(scale.x(place), scale.y(row["per_million"])) for place, row in run]
        yield f'<path class="line" style="stroke:{colour}" d="{_path(points)}"/>'
    for place, row in enumerate(line.rows):
        if row["per_million"] is not None:
            yield _point(line.name, row, step, (scale.x(place), scale, colour, separator))


def _point(
    name: str,
    row: Mapping[str, Any],
    step: str,
    where: tuple[float, _Scale, str, str],
) -> str:
    x, scale, colour, separator = where
    label = f"{name} {row[step]}".strip()
    figures = f"{row['per_million']:,.4g} [{row['low']:,.4g}, {row['high']:,.4g}]"
    return (
        f'<circle cx="{x:.1f}" cy="{scale.y(row["per_million"]):.1f}" r="2.5" '
        f'style="fill:{colour}"><title>{escape(printable_text(label + separator + figures))}'
        "</title></circle>"
    )


def _runs(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[tuple[int, Mapping[str, Any]]]]:
    """Yield each stretch of periods without a gap: numbers of periods, and their rows."""
    run: list[tuple[int, Mapping[str, Any]]] = []
    for number, row in enumerate(rows):
        if row["per_million"] is not None:
            run.append((number, row))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _legend(lines: Sequence[_Line]) -> Iterator[str]:
    for number, line in enumerate(lines):
        row, column = divmod(number, _LEGEND_COLUMNS)
        x = _LEFT + column * _LEGEND_WIDTH
        y = _HEIGHT + row * _LEGEND_HEIGHT + 8
        yield f'<rect x="{x}" y="{y - 9}" width="12" height="10" style="fill:var(--c{number})"/>'
        yield _text(x + 18, y, excerpt(line.name, _MAX_NAME_LENGTH))


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _text(x: float, y: float, text: str, css_class: str = "") -> str:
    shown = escape(printable_text(text))
    named = f' class="{css_class}"' if css_class else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{named}>{shown}</text>'
