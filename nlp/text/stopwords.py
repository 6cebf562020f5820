"""Function words."""

from functools import cache
from importlib.resources import files


@cache
def stopwords() -> frozenset[str]:
    """Function words of Chinese and English: they can't be a term, nor begin or end one."""
    text = files("nlp.text").joinpath("stopwords.txt").read_text(encoding="utf-8")
    return frozenset(
        word for line in text.splitlines() if not line.startswith("#") for word in line.split()
    )
