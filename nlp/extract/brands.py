"""Brand mentions: where a text names a brand."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from folate.core.config import CONFIG_FILE, Brand
from folate.core.errors import ConfigError
from nlp.text.longest_match import longest_match_pattern
from nlp.text.normalize import FoldedText, fold_once, normalize_text
from nlp.text.patterns import HANDLE, URL

if TYPE_CHECKING:
    from nlp.text.batches import FoldedBatch


class Mention(NamedTuple):
    """A brand's id and the span of code points that names it."""

    brand: str
    start: int
    end: int


class BrandLinker:
    """Finds names, products and handles of brands in any width, case and Chinese script.

    A name that begins with `@` is a handle, found only as a whole account name. A name that is an
    address (`Booking.com`) is found where it is a word, not within a longer address.
    """

    def __init__(self, brands: Sequence[Brand]) -> None:
        """Compile the names of the brands. Raises ConfigError when two brands share one."""
        self._brand_by_name = _brands_by_name(brands)
        names = {normalize_text(alias) for brand in brands for alias in brand.aliases} - {""}
        handles = {name for name in names if name.startswith("@")}
        addresses = {name for name in names - handles if _URL.fullmatch(name)}
        plain_names = names - handles - addresses
        self._pattern = _mention_pattern(handles, addresses, plain_names) if names else None
        self._first_characters = {name[0] for name in names}

    def find_mentions(self, text: str | FoldedText) -> list[Mention]:
        """Return the mentions in a text in order; where several names begin, the longest one.

        Nothing inside of a URL is a mention, nor inside of an @name that is no handle of a brand: a
        post that addresses an account does not speak of the brand. Spans count code points of the
        text as published, markup included.
        """
        if self._pattern is None:
            return []
        text = fold_once(text)
        mentions = []
        for match in self._pattern.finditer(text.folded):
            if match.lastgroup:
                brand = self._brand_by_name[match[0].replace(" ", "")]
                mentions.append(Mention(brand, *text.plain.original_span(*match.span())))
        return mentions

    def find_mentions_of_batch(self, batch: "FoldedBatch") -> list[list[Mention]]:
        """Return the mentions in many texts as `find_mentions` does, by compiled code."""
        mentions: list[list[Mention]] = [[] for _ in batch.texts]
        if self._pattern is None:
            return mentions
        for match in batch.find_all(self._pattern, self._first_characters):
            if match.lastgroup:
                index = bisect_right(batch.starts, match.start()) - 1
                start = match.start() - batch.starts[index]
                end = match.end() - batch.starts[index]
                brand = self._brand_by_name[match[0].replace(" ", "")]
                span = batch.texts[index].plain.original_span(start, end)
                mentions[index].append(Mention(brand, *span))
        return mentions


_URL = re.compile(URL)
_HANDLE = re.compile(HANDLE)
_NEVER = "(?!)"


def _brands_by_name(brands: Sequence[Brand]) -> dict[str, str]:
    """Return normalised name without spaces -> id of its brand."""
    brand_by_name: dict[str, str] = {}
    for brand in brands:
        for alias in brand.aliases:
            name = normalize_text(alias).replace(" ", "")
            owner = brand_by_name.setdefault(name, brand.id)
            if owner != brand.id:
                raise ConfigError(
                    f"{CONFIG_FILE}: the name {alias!r} belongs to two brands, {owner!r} and "
                    f"{brand.id!r}, however it is written: leave it with one of them."
                )
    return brand_by_name


def _mention_pattern(handles: set[str], addresses: set[str], names: set[str]) -> re.Pattern[str]:
    """Return one expression for names, in named groups, and for addresses and accounts to skip."""
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
        linker = BrandLinker([brand])
        for alias in brand.aliases:
            name = normalize_text(alias)
            mentions = linker.find_mentions(name)
            is_found = any((mention.start, mention.end) == (0, len(name)) for mention in mentions)
            is_whole_handle = not name.startswith("@") or _HANDLE.fullmatch(name)
            if not is_found or not is_whole_handle:
                raise ConfigError(
                    f"{CONFIG_FILE}: the name {alias!r} of brand {brand.id!r} would never be "
                    "found: wanted words as people write them, or a handle such as '@name' "
                    "without spaces."
                )
