"""Cell styles of a workbook that show a number as a date or a time, and what the number means."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from corpora.files.bounds import OutOfBoundsError
from corpora.files.workbook.archive import ElementHandler

# Excel knows 65,490.
_MAX_STYLES = 65_536
# Numbers of built-in formats (ECMA-376 18.8.30), with those of Chinese.
_BUILT_IN_DATE_FORMATS = {*range(14, 18), *range(27, 32), 36, *range(50, 55), 57, 58}
_BUILT_IN_CLOCK_FORMATS = {*range(18, 23), *range(32, 36), 45, 46, 47, 55, 56}


class StyleHandler(ElementHandler):
    """Collects the number format of each cell style."""

    def __init__(self) -> None:
        self._format_codes: dict[str, str] = {}
        self._format_by_style: list[str] = []
        self._is_in_cell_styles = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self._format_codes) + len(self._format_by_style) > _MAX_STYLES:
            raise OutOfBoundsError(f"wanted at most {_MAX_STYLES:,} styles, got more")
        if name == "numFmt":
            self._format_codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._is_in_cell_styles = True
        elif name == "xf" and self._is_in_cell_styles:
            self._format_by_style.append(attributes.get("numFmtId", "0"))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._is_in_cell_styles = False

    def date_styles(self) -> dict[int, str]:
        """Return the styles that show a point in time: "date", or "moment" with a clock."""
        kinds: dict[int, str] = {}
        for style, format_id in enumerate(self._format_by_style):
            kind = _date_format_kind(format_id, self._format_codes.get(format_id))
            if kind:
                kinds[style] = kind
        return kinds


@lru_cache(maxsize=4_096)
def _date_format_kind(format_id: str, code: str | None) -> str | None:
    """Return "date" or "moment" for a number format, or None for one of no point in time."""
    from openpyxl.styles.numbers import STRIP_RE, is_date_format, is_timedelta_format

    if code is None:
        built_in = int(format_id) if is_short_number(format_id) else 0
        if built_in in _BUILT_IN_DATE_FORMATS:
            return "date"
        return "moment" if built_in in _BUILT_IN_CLOCK_FORMATS else None
    if not is_date_format(code) or is_timedelta_format(code):
        return None
    letters = STRIP_RE.sub("", code.split(";")[0]).lower()
    return "moment" if "h" in letters or "s" in letters else "date"


def serial_to_moment(number: float, epoch: datetime, kind: str) -> date | datetime | time | float:
    """Convert a number of days since `epoch`; `kind` is that of its style.

    A number without a point in time is returned as it is.
    """
    from openpyxl.utils.datetime import from_excel

    try:
        moment: datetime | time | timedelta = from_excel(number, epoch)
    except (ValueError, OverflowError):
        return number
    if isinstance(moment, datetime) and kind == "date" and number == int(number):
        return moment.date()
    return moment if isinstance(moment, datetime | time) else number


def is_short_number(text: str) -> bool:
    """Return whether an attribute is a number of at most seven ASCII digits."""
    return text.isascii() and text.isdigit() and len(text) < 8
