"""A report as one HTML file that needs nothing else: no script, no request, styles and charts inside."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from reports import charts
from reports.build import Report
from reports.catalogue import Catalogue, catalogue
from reports.figures import Figure, Name, Shown
from reports.summary import subject, untracked

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

VOICE_COLUMNS = ("authors", "mentions", "share_of_voice", "share_of_voice_raw")


def render(report: Report) -> str:
    """The page. The same report gives the same bytes. Whatever came from the web is escaped and set apart by <bdi>."""
    from markupsafe import Markup

    say = catalogue(report.language)
    environment = _environment(report.language)
    word = untracked(report.topics)
    return environment.get_template("report.html.j2").render(
        report=report,
        say=say,
        style=Markup(_style()),  # noqa: S704  # ours
        about=subject(report.brands),
        word=word,
        word_place=report.topics.index(word) if word else None,
        charts={} if report.empty else _charts(report),
        weeks=str(len(report.brands[0].trend["share_of_voice"])) if report.brands else "",
        voice_columns=VOICE_COLUMNS,
        posts={brand.id: [post for post in report.posts if post.brand == brand.id] for brand in report.brands},
        place={brand.id: place for place, brand in enumerate(report.brands)},
        labels={brand.id: brand.label for brand in report.brands},
    )


def _charts(report: Report) -> dict[str, Any]:
    from markupsafe import Markup

    return {
        "wide": Markup(charts.voice(report.brands, charts.WIDE)),  # noqa: S704  # escaped by vl-convert
        "narrow": Markup(charts.voice(report.brands, charts.NARROW)),  # noqa: S704
        "panels": [Markup(charts.net(brand, place)) for place, brand in enumerate(report.brands)],  # noqa: S704
    }


@cache
def _environment(language: str) -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    say = catalogue(language)
    environment = Environment(
        loader=PackageLoader("reports", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "number": lambda figure: _link(figure, say.number(figure), say),
        "size": lambda figure: _link(figure, say.size(figure), say),
        "interval": lambda figure: _link(figure, say.interval(figure), say),
        "words": lambda parts: _words(parts, say),
        "names": lambda names: _names(names, say),
    }
    return environment


@cache
def _style() -> str:
    from importlib.resources import files

    return files("reports").joinpath("templates", "style.css").read_text(encoding="utf-8")


def _link(figure: Figure, text: str, say: Catalogue) -> "Markup":
    """A number as a link to its evidence. Only a Figure can be printed this way."""
    from markupsafe import Markup

    if not text:
        return Markup("")
    if figure.value is None:
        return Markup('<a class="n missing" href="#e-{}">{}</a>').format(figure.id, text)
    return Markup('<a class="n" href="#e-{}" title="n = {:,}">{}</a>').format(figure.id, figure.n, text)


def _words(parts: Iterable[str | Name | Shown], say: Catalogue) -> "Markup":
    from markupsafe import Markup, escape

    def one(part: str | Name | Shown) -> Markup:
        if isinstance(part, Shown):
            return _link(part.figure, part.text, say)
        return Markup("<bdi>{}</bdi>").format(part.text) if isinstance(part, Name) else escape(part)

    return Markup("").join(one(part) for part in parts)


def _names(names: Iterable[str], say: Catalogue) -> "Markup":
    from markupsafe import Markup

    return Markup(say("join.list")).join(Markup("<bdi>{}</bdi>").format(name) for name in names)
