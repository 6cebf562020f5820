"""Parts of pictures: plain SVG that follows the reader's light or dark mode."""

from collections.abc import Iterable
from html import escape
from math import floor, log10

from folate.core.text import excerpt, printable_text

MAX_TITLE_LENGTH = 80

_STYLE = """
svg{--paper:#ffffff;--ink:#1f2328;--soft:#59636e;--grid:#e1e4e8;--mark:#0b62c4}
@media(prefers-color-scheme:dark){
svg{--paper:#0d1117;--ink:#e6edf3;--soft:#9aa4af;--grid:#2a3038;--mark:#6cb2ff}
}
text{font:12px system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;
fill:var(--soft)}
.title{font-size:15px;font-weight:600;fill:var(--ink)}
.name{font-size:13px;fill:var(--ink)}
.end{text-anchor:end} .middle{text-anchor:middle}
.grid{stroke:var(--grid)} .zero{stroke:var(--soft)}
.mark{fill:var(--mark)} .line{stroke:var(--mark);stroke-width:2}
""".strip()


def document(width: float, height: float, label: str, parts: Iterable[str]) -> str:
    """Return a picture of these parts; `label` is what a screen reader says."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-label="{_shown(label)}">'
    )
    paper = f'<rect width="{width:g}" height="{height:g}" style="fill:var(--paper)"/>'
    return "\n".join([head, f"<style>{_STYLE}</style>", paper, *parts, "</svg>", ""])


def text(x: float, y: float, content: str, css_class: str = "") -> str:
    """Return a line of text; `css_class` is one or more of the classes of the style."""
    named = f' class="{css_class}"' if css_class else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{named}>{_shown(content)}</text>'


def title(x: float, y: float, content: str) -> str:
    """Return the title of a picture, cut where it is long."""
    return text(x, y, excerpt(content, MAX_TITLE_LENGTH), "title")


def upright(x: float, top: float, bottom: float, css_class: str = "grid") -> str:
    """Return a vertical line."""
    return f'<path class="{css_class}" d="M{x:.1f} {top:.1f}V{bottom:.1f}"/>'


def level(y: float, left: float, right: float, css_class: str = "line") -> str:
    """Return a horizontal line."""
    return f'<path class="{css_class}" d="M{left:.1f} {y:.1f}H{right:.1f}"/>'


def dot(x: float, y: float, hover: str) -> str:
    """Return a dot, with the text that a pointer over it shows."""
    return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="4">{_hover(hover)}</circle>'


def arrow(x: float, y: float, direction: int) -> str:
    """Return the head of an arrow that begins at `x` and points right (1) or left (-1)."""
    tip = x + 7 * direction
    return f'<path class="mark" d="M{x:.1f} {y - 4:.1f}L{tip:.1f} {y:.1f}L{x:.1f} {y + 4:.1f}Z"/>'


def bar(x: float, y: float, width: float, height: float, hover: str) -> str:
    """Return a bar, with the text that a pointer over it shows."""
    return (
        f'<rect class="mark" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" '
        f'height="{height:.1f}">{_hover(hover)}</rect>'
    )


def round_values(lowest: float, highest: float, count: int = 5) -> list[float]:
    """Return about `count` round numbers from `lowest` to `highest`, 0 among them if it is."""
    span = highest - lowest
    if span <= 0:
        return [lowest]
    raw = span / count
    power = 10.0 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    first = floor(lowest / step)
    values = [step * number for number in range(first, first + 2 * count + 2)]
    return [value for value in values if lowest <= value <= highest]


def _hover(content: str) -> str:
    return f"<title>{_shown(content)}</title>"


def _shown(content: str) -> str:
    return escape(printable_text(content))
