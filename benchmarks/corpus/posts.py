"""Posts for the benchmark: pieces of real texts, joined anew; or words of jieba's dictionary."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.pipeline import jieba_cumulative_frequencies
from folate.core.post import Post
from folate.core.text import HAN_RANGES, contains_chinese

BRANDS = ("晨谷", "暖禾", "Morngrain", "Warmfield")
SOURCES = ("forum", "weibo", "shop")
BRAND_MENTION_SHARE = 0.3
"""Share of posts that name a brand."""

CHINESE_SHARE = 0.6
FIRST_DAY = datetime(2025, 3, 3, tzinfo=UTC)
DAYS = 364
POSTS_PER_AUTHOR = 4
WORDS = 24
"""Words of a post, about; those that are no words (links, @names) are not counted."""
CHINESE_CHARACTERS = 42
"""Characters of as many Chinese words, with the marks between them."""

_MIN_TEXT_CHARACTERS = 12
_WORD = f"[{HAN_RANGES}]|[ ]"


def read_texts(paths: Sequence[Path]) -> list[str]:
    """Return the texts of CSV and TSV files: the column of each with the most words."""
    import pandas as pd

    texts: list[str] = []
    for path in paths:
        separator = "\t" if path.suffix == ".tsv" else ","
        table = pd.read_csv(path, sep=separator, dtype=str, on_bad_lines="skip", quoting=0)
        word_counts = table.apply(lambda column: column.str.count(_WORD).mean())
        texts += table[word_counts.idxmax()].dropna().tolist()
    return [text for text in texts if len(text) >= _MIN_TEXT_CHARACTERS]


def make_texts(count: int, texts: Sequence[str], seed: int = 7) -> Iterator[str]:
    """Yield texts of about 24 words.

    They are pieces of given texts, each post of one language; without any, words of jieba's
    dictionary drawn by their frequency.
    """
    rnd = random.Random(seed)
    if not texts:
        words, frequencies = jieba_cumulative_frequencies()
        for _ in range(count):
            yield "".join(rnd.choices(words, cum_weights=frequencies, k=WORDS))
        return
    chinese = [text for text in texts if contains_chinese(text)]
    english = [text.split() for text in texts if not contains_chinese(text)]
    for _ in range(count):
        if not english or (chinese and rnd.random() < CHINESE_SHARE):
            yield "，".join(_chinese_pieces(rnd, chinese))
        else:
            yield ". ".join(_english_pieces(rnd, english))


def _chinese_pieces(rnd: random.Random, texts: Sequence[str]) -> list[str]:
    pieces: list[str] = []
    while sum(map(len, pieces)) < CHINESE_CHARACTERS:
        text = rnd.choice(texts)
        start = rnd.randrange(max(1, len(text) - CHINESE_CHARACTERS // 2))
        pieces.append(text[start : start + CHINESE_CHARACTERS // 2])
    return pieces


def _english_pieces(rnd: random.Random, texts: Sequence[Sequence[str]]) -> list[str]:
    pieces: list[str] = []
    while sum(piece.count(" ") + 1 for piece in pieces) < WORDS:
        words = rnd.choice(texts)
        start = rnd.randrange(max(1, len(words) - WORDS // 2))
        pieces.append(" ".join(words[start : start + WORDS // 2]))
    return pieces


def make_posts(count: int, texts: Sequence[str], seed: int = 7) -> Iterator[Post]:
    """Yield posts of a year: three sources, four posts an author, a third about a brand."""
    rnd = random.Random(seed)
    for number, text in enumerate(make_texts(count, texts, seed)):
        brand = rnd.choice(BRANDS) if rnd.random() < BRAND_MENTION_SHARE else ""
        source = rnd.choice(SOURCES)
        moment = FIRST_DAY + timedelta(seconds=rnd.randrange(DAYS * 86_400))
        yield Post(
            id=f"{source}:{number}",
            source=source,
            kind="review" if source == "shop" else "forum",
            author=f"{rnd.randrange(max(1, count // POSTS_PER_AUTHOR)):016x}",
            published_at=moment,
            fetched_at=FIRST_DAY + timedelta(days=DAYS),
            text=f"{text} {brand}" if brand else text,
        )
