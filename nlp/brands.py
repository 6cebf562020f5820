"""Where a text names a brand."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from folate.config import Brand
from nlp.lexicon import longest
from nlp.markup import cleaned
from nlp.normalize import fold, normalize
from nlp.spans import NAME, URL


class Mention(NamedTuple):
    """A brand's id and the span of code points that names it."""

    brand: str
    start: int
    end: int


class Linker:
    """Finds names and products of brands, however wide, traditional or capital they are written."""

    def __init__(self, brands: Sequence[Brand]) -> None:
        owners: defaultdict[str, list[str]] = defaultdict(list)
        for brand in brands:
            for alias in filter(None, dict.fromkeys(map(normalize, brand.aliases))):
                if brand.id not in owners[alias.replace(" ", "")]:
                    owners[alias.replace(" ", "")].append(brand.id)
        self._owners = dict(owners)
        aliases = longest(filter(None, (normalize(alias) for brand in brands for alias in brand.aliases)))
        self._pattern = re.compile(f"{URL}|{NAME}|(?P<alias>{aliases})") if aliases else None

    def find(self, body: str) -> list[Mention]:
        """Mentions in order; the longest alias wins where several begin, and an alias of two brands mentions both.

        Nothing inside of a URL or an @name is a mention: an account spoken to is not a brand spoken of. Spans count
        code points of `body`, markup included.
        """
        if self._pattern is None:
            return []
        plain = cleaned(body)
        found = (match for match in self._pattern.finditer(fold(plain.text)) if match["alias"])
        return [Mention(brand, *plain.span(*match.span())) for match in found for brand in self._owners[match[0].replace(" ", "")]]
