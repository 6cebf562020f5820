"""English plurals in -s and their singulars, which topics and term queries count as one word."""

import re

UNCOUNTABLE_WORDS = ("customs", "goods", "means", "news")
"""Words in -s that mean something else than the same word without it."""

PLURAL_PATTERN = r"^([a-z]{2,}[^\W\dsui_'])s$"
"""A plural in lower case; its group is the singular. Words in -ss, -us, -is and -'s are none."""


def singularize(word: str) -> str:
    """Return the singular of an English plural in -s; any other word stays as it is.

    >>> singularize("oats"), singularize("news"), singularize("glass")
    ('oat', 'news', 'glass')
    """
    return word if word in UNCOUNTABLE_WORDS else re.sub(PLURAL_PATTERN, r"\1", word)
