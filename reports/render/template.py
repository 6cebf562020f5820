"""The Jinja templates of reports and their style sheet."""

from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def create_template_environment(**options: Any) -> Environment:
    """Create a Jinja environment for the templates of reports; undefined names are errors."""
    return Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )


def load_style_sheet() -> Markup:
    """Return the style sheet of pages as markup, which is inserted without escaping."""
    style = files("reports").joinpath("templates", "style.css").read_text(encoding="utf-8")
    return Markup(style)  # noqa: S704  # our own file
