"""The words of a report in Chinese and English, and how numbers are written in them."""

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
_PERCENT: frozenset[Unit] = frozenset(
    {"share", "net", "rating", "points", "net points", "rating points", "relative"}
)
_SIGNED: frozenset[Unit] = frozenset({"net", "relative"})
MessageParts = tuple[str | ExternalText | FigureText, ...]


@dataclass(frozen=True)
class Messages:
    """Messages of one language."""

    language: str
    sections: Mapping[str, Any]

    def __call__(self, key: str, **values: str) -> str:
        """The message `key` (`section.name`), its placeholders filled. Raises KeyError for a key that is not in the catalogue."""
        section, _, name = key.partition(".")
        return str(self.sections[section][name]).format(**values)

    def word(self, section: str, name: str) -> str:
        """A state, a flag or another word that data brings; one that the catalogue does not know is shown as it is."""
        return str(self.sections[section].get(name, name))

    def measure(self, measure: str, what: str = "name") -> str:
        """Name or definition of a measure, or of its change."""
        name, _, difference = measure.partition(".")
        plain = str(self.sections["measure"][name][what])
        if not difference:
            return plain
        return str(self.sections["difference"][difference][what]).format(
            measure=plain, definition=plain
        )

    def number(self, figure: Figure) -> str:
        """The value with its unit, or why there is none."""
        if UNMEASURABLE_FLAG in figure.flags:
            return self("unit.few" if "few" in figure.flags else "unit.unmeasurable")
        return self._value(figure.value, figure.unit)

    def size(self, figure: Figure) -> str:
        """The value without its sign, for "up by"."""
        return self._value(
            None if figure.value is None else abs(figure.value), figure.unit, signed=False
        )

    def signed(self, figure: Figure) -> str:
        """The value with its sign, of a difference."""
        if figure.value is None:
            return self("unit.missing")
        return self(
            f"unit.{figure.unit.replace(' ', '_')}", value=_digits(figure.value, figure.unit, True)
        )

    def interval(self, figure: Figure) -> str:
        """`28.9 to 33.5`, without the unit; empty when the figure has none."""
        if figure.low is None or figure.high is None:
            return ""
        signed = figure.unit in _SIGNED or min(figure.low, 0) < 0
        low, high = (_digits(bound, figure.unit, signed) for bound in (figure.low, figure.high))
        return self("join.interval", low=low, high=high)

    def _value(self, value: float | None, unit: Unit, signed: bool = True) -> str:
        if value is None:
            return self("unit.missing")
        return self(
            f"unit.{unit.replace(' ', '_')}", value=_digits(value, unit, signed and unit in _SIGNED)
        )

    def sentence(
        self, key: str, **values: "Figure | ExternalText | MessageParts"
    ) -> FigureSentence:
        """The message `sentence.KEY` with figures and names in it. Raises NoEvidence when it has no figure."""
        return FigureSentence(key, tuple(self.parts(f"sentence.{key}", **values)))

    def parts(
        self, key: str, **values: "Figure | ExternalText | MessageParts"
    ) -> Iterator[str | ExternalText | FigureText]:
        """The message `key` cut at its placeholders; `{x:interval}` is the interval of the figure x, `{x:n}` its n."""
        section, _, name = key.partition(".")
        for before, field, style, _ in Formatter().parse(self.sections[section][name]):
            if before:
                yield before
            if field is not None:
                yield from self._part(values[field], style or "")

    def _part(self, value: "Figure | ExternalText | MessageParts", style: str) -> MessageParts:
        if isinstance(value, tuple):
            return value
        if isinstance(value, ExternalText):
            return (value,)
        if style == "interval":
            return (FigureText(self.interval(value), value),)
        if style == "n":
            return (FigureText(f"{value.n:,}", value),)
        return (
            FigureText(self.size(value) if "." in value.measure else self.number(value), value),
        )

    def day(self, moment: date) -> str:
        """`2 March 2026`, `2026年3月2日`."""
        if self.language == "zh":
            return f"{moment.year}年{moment.month}月{moment.day}日"
        return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"

    def days(self, period: Period) -> str:
        """First and last day of a week or of seven days."""
        last = last_day(period)
        return self("join.interval", low=self.day(last - timedelta(days=6)), high=self.day(last))


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _digits(value: float, unit: Unit, signed: bool) -> str:
    scaled = 100 * value if unit in _PERCENT else value
    if unit == "count":
        text = f"{scaled:,.0f}"
    elif unit == "relative":
        text = f"{scaled:.0f}"
    elif unit == "position":
        text = f"{scaled:.2f}"
    else:
        text = f"{scaled:.1f}"
    text = text.lstrip("-") if float(text.replace(",", "")) == 0 else text
    return f"+{text}" if signed and scaled > 0 and text.strip("0.") else text.replace("-", MINUS)


@cache
def load_messages(language: str) -> Messages:
    """The messages of `language`. Raises ConfigError when there are none."""
    if language not in REPORT_LANGUAGES:
        raise ConfigError(
            f"wanted a report in {' or '.join(REPORT_LANGUAGES)}, got {language!r}; {suggestion(language, REPORT_LANGUAGES)}"
        )
    text = files("reports").joinpath("messages", f"{language}.toml").read_text(encoding="utf-8")
    return Messages(language, tomllib.loads(text))
