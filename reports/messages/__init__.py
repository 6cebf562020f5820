"""Messages of reports in Chinese and English, and the format of numbers and dates in them."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

from folate.core.config import REPORT_LANGUAGES
from folate.core.errors import ConfigError, suggestion
from folate.core.measures import Unit
from folate.core.weeks import Period, last_day
from reports.figures import (
    UNMEASURABLE_FLAG,
    ExternalText,
    Figure,
    FigureSentence,
    FigureText,
)

MINUS = "\N{MINUS SIGN}"
# Units whose values are fractions, written as percentages or points.
_PERCENT_UNITS: frozenset[Unit] = frozenset(
    {"share", "net", "rating", "points", "net points", "rating points", "relative"}
)
# Units whose positive values have a plus sign.
_SIGNED_UNITS: frozenset[Unit] = frozenset({"net", "relative"})
_FORMATS: dict[Unit, str] = {
    "count": ",.0f",
    "per million": ",.1f",
    "relative": ".0f",
    "position": ".2f",
}
_DEFAULT_FORMAT = ".1f"
_MONTH_NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
MessageParts = tuple[str | ExternalText | FigureText, ...]
"""A message cut into our own text, text from outside, and figures."""


@dataclass(frozen=True)
class Messages:
    """The messages of one language, and numbers and dates as that language writes them."""

    language: str
    # The content of the TOML file, by section and key.
    sections: Mapping[str, Any]

    def __call__(self, key: str, **values: str) -> str:
        """Return the message `section.name` with its placeholders replaced by `values`.

        Raises KeyError for an unknown key.
        """
        section, _, name = key.partition(".")
        return str(self.sections[section][name]).format(**values)

    def word(self, section: str, name: str) -> str:
        """Return the translation of a state, flag or other name in the data, or else `name`."""
        return str(self.sections[section].get(name, name))

    def measure(self, measure: str, what: str = "name") -> str:
        """Return the `name` or `definition` of a measure, or of its change (`measure.change`)."""
        name, _, difference = measure.partition(".")
        text = str(self.sections["measure"][name][what])
        if not difference:
            return text
        template = str(self.sections["difference"][difference][what])
        return template.format(measure=text, definition=text)

    def number(self, figure: Figure) -> str:
        """Return the value with its unit, or the reason why there is none."""
        if UNMEASURABLE_FLAG in figure.flags:
            return self("unit.few" if "few" in figure.flags else "unit.unmeasurable")
        return self._format_value(
            figure.value, figure.unit, has_plus_sign=figure.unit in _SIGNED_UNITS
        )

    def size(self, figure: Figure) -> str:
        """Return the absolute value with its unit, as in "up by 3 points"."""
        size = None if figure.value is None else abs(figure.value)
        return self._format_value(size, figure.unit, has_plus_sign=False)

    def signed(self, figure: Figure) -> str:
        """Return the value of a difference with its sign and unit."""
        return self._format_value(figure.value, figure.unit, has_plus_sign=True)

    def interval(self, figure: Figure) -> str:
        """Return the interval without its unit, as `28.9 to 33.5`; empty if there is none."""
        if figure.low is None or figure.high is None:
            return ""
        has_plus_sign = figure.unit in _SIGNED_UNITS or figure.low < 0
        low = _format_digits(figure.low, figure.unit, has_plus_sign)
        high = _format_digits(figure.high, figure.unit, has_plus_sign)
        return self("join.interval", low=low, high=high)

    def _format_value(self, value: float | None, unit: Unit, has_plus_sign: bool) -> str:
        if value is None:
            return self("unit.missing")
        digits = _format_digits(value, unit, has_plus_sign)
        return self(f"unit.{unit.replace(' ', '_')}", value=digits)

    def sentence(
        self, key: str, **values: "Figure | ExternalText | MessageParts"
    ) -> FigureSentence:
        """Return the message `sentence.KEY` with its placeholders replaced by `values`.

        Raises NoEvidence if none of them is a figure.
        """
        return FigureSentence(key, tuple(self.parts(f"sentence.{key}", **values)))

    def parts(
        self, key: str, **values: "Figure | ExternalText | MessageParts"
    ) -> Iterator[str | ExternalText | FigureText]:
        """Yield the parts of the message `section.name`, its placeholders replaced by `values`.

        `{x:interval}` is replaced by the interval of the figure `x`, `{x:n}` by its n.
        """
        section, _, name = key.partition(".")
        for text, placeholder, style, _ in Formatter().parse(self.sections[section][name]):
            if text:
                yield text
            if placeholder is not None:
                yield from self._value_parts(values[placeholder], style or "")

    def _value_parts(
        self, value: "Figure | ExternalText | MessageParts", style: str
    ) -> MessageParts:
        if isinstance(value, tuple):
            return value
        if isinstance(value, ExternalText):
            return (value,)
        if style == "interval":
            text = self.interval(value)
        elif style == "n":
            text = f"{value.n:,}"
        elif "." in value.measure:  # a difference, whose direction the message itself names
            text = self.size(value)
        else:
            text = self.number(value)
        return (FigureText(text, value),)

    def day(self, moment: date) -> str:
        """Return a date as `2 March 2026` or `2026年3月2日`."""
        if self.language == "zh":
            return f"{moment.year}年{moment.month}月{moment.day}日"
        return f"{moment.day} {_MONTH_NAMES[moment.month - 1]} {moment.year}"

    def days(self, period: Period) -> str:
        """Return the first and the last day of a week or of seven days."""
        last = last_day(period)
        first = last - timedelta(days=6)
        return self("join.interval", low=self.day(first), high=self.day(last))


def _format_digits(value: float, unit: Unit, has_plus_sign: bool) -> str:
    """Format a number without its unit; what is rounded to zero has no sign."""
    scaled = 100 * value if unit in _PERCENT_UNITS else value
    text = format(scaled, _FORMATS.get(unit, _DEFAULT_FORMAT))
    if not text.strip("-0."):
        return text.lstrip("-")
    if has_plus_sign and scaled > 0:
        return f"+{text}"
    return text.replace("-", MINUS)


@cache
def load_messages(language: str) -> Messages:
    """Return the messages of a language. Raises ConfigError for an unknown one."""
    if language not in REPORT_LANGUAGES:
        raise ConfigError(
            f"wanted a report in {' or '.join(REPORT_LANGUAGES)}, got {language!r}; "
            f"{suggestion(language, REPORT_LANGUAGES)}"
        )
    text = files("reports").joinpath("messages", f"{language}.toml").read_text(encoding="utf-8")
    return Messages(language, tomllib.loads(text))
