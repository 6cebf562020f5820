"""Find where a text names a brand."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from folate.core.config import CONFIG_FILE, Brand
from folate.core.errors import ConfigError
from nlp.text.longest_match import longest_match_pattern
from nlp.text.markup import strip_markup_aligned
from nlp.text.normalize import fold_text, normalize_text
from nlp.text.patterns import HANDLE, URL


class Mention(NamedTuple):
    """A brand's id and the span of code points that names it."""

    brand: str
    start: int
    end: int


class BrandLinker:
    """Finds names, products and handles of brands, however wide, traditional or capital they are written.

    A name that begins with `@` is a handle, found only as a whole account name. A name that is an address
    (`Booking.com`) is found where it stands as a word, not within a longer address.
    """

    def __init__(self, brands: Sequence[Brand]) -> None:
        """Raises ConfigError when a name belongs to two brands."""
        self._owners: dict[str, str] = {}
        for brand in brands:
            for alias in brand.aliases:
                key = normalize_text(alias).replace(" ", "")
                owner = self._owners.setdefault(key, brand.id)
                if owner != brand.id:
                    raise ConfigError(
                        f"{CONFIG_FILE}: the name {alias!r} belongs to two brands, {owner!r} and {brand.id!r}, however it is "
                        "written: leave it with one of them."
                    )
        aliases = {normalize_text(alias) for brand in brands for alias in brand.aliases} - {""}
        handles = {alias for alias in aliases if alias.startswith("@")}
        addresses = {alias for alias in aliases - handles if _URL.fullmatch(alias)}
        self._pattern = (
            _pattern(handles, addresses, aliases - handles - addresses) if aliases else None
        )

    def find_mentions(self, body: str) -> list[Mention]:
        """Return the mentions in order; the longest name wins where several begin.

        Nothing inside of a URL is a mention, nor inside of an @name that is no handle of a brand: an account spoken
        to is not a brand spoken of. Spans count code points of `body`, markup included.
        """
        if self._pattern is None:
            return []
        plain = strip_markup_aligned(body)
        matches = (
            match for match in self._pattern.finditer(fold_text(plain.text)) if match.lastgroup
        )
        return [
            Mention(self._owners[match[0].replace(" ", "")], *plain.original_span(*match.span()))
            for match in matches
        ]


_URL, _HANDLE = re.compile(URL), re.compile(HANDLE)
_NEVER = "(?!)"


def _pattern(handles: set[str], addresses: set[str], names: set[str]) -> re.Pattern[str]:
    """One expression of what is found, in named groups, and of the addresses and accounts that are passed over."""
    handle = rf"(?<![\w@])(?:{longest_match_pattern(handles) or _NEVER})(?![\w-])"
    address = rf"(?<![\w@./-])(?:{longest_match_pattern(addresses) or _NEVER})(?![\w/@-]|[.?#]\w)"
    name = longest_match_pattern(names) or _NEVER
    return re.compile(
        f"(?P<handle>{handle})|(?P<address>{address})|{URL}|{HANDLE}|(?P<name>{name})"
    )


def check_brand_names(brands: Sequence[Brand]) -> None:
    """Raise ConfigError for a name that no text could match, or that two brands share."""
    BrandLinker(brands)
    for brand in brands:
        for alias in brand.aliases:
            written = normalize_text(alias)
            spans = [
                (mention.start, mention.end)
                for mention in BrandLinker([brand]).find_mentions(written)
            ]
            whole_handle = not written.startswith("@") or _HANDLE.fullmatch(written)
            if (0, len(written)) not in spans or not whole_handle:
                raise ConfigError(
                    f"{CONFIG_FILE}: the name {alias!r} of brand {brand.id!r} would never be found: wanted words as people "
                    "write them, or a handle such as '@name' without spaces."
                )
