"""Seeded texts of words from jieba's dictionary, and planted copies of them."""

import random
from collections.abc import Callable, Sequence
from itertools import accumulate

Edit = Callable[[str, random.Random], str]
TOKENS_PER_POST = 24  # a post of the speed target


def make_posts(count: int, seed: int) -> list[str]:
    """Return Chinese texts of about 24 words and signs.

    One in ten has a Latin name, a number, a link or an emoji.
    """
    import jieba

    jieba.initialize()
    frequencies = sorted(
        ((word, n) for word, n in jieba.dt.FREQ.items() if n > 50 and word.isalpha()),
        key=lambda pair: (-pair[1], pair[0]),
    )
    words, weights = [word for word, _ in frequencies], list(accumulate(n for _, n in frequencies))
    rnd = random.Random(seed)
    return [
        _post(
            rnd,
            rnd.choices(
                words,
                cum_weights=weights,
                k=round(rnd.gauss(TOKENS_PER_POST, TOKENS_PER_POST / 4)) + 4,
            ),
        )
        for _ in range(count)
    ]


def _post(rnd: random.Random, words: list[str]) -> str:
    for place in range(7, len(words), 8):
        words[place] = rnd.choice("，，，。！？")
    if rnd.random() < 0.1:
        words[3] = rnd.choice(["iPhone", "3.5kg", "https://example.com/a1", "😀", "[赞]"])
    return "".join(words)


def make_copies(texts: Sequence[str], copies: int, seed: int) -> list[list[str]]:
    """Return groups of a text and its copies, each with one to three edits as campaigns make."""
    rnd = random.Random(seed)
    return [
        [text, *(_edited(text, rnd, rnd.randint(1, 3)) for _ in range(copies))] for text in texts
    ]


def _edited(text: str, rnd: random.Random, times: int) -> str:
    for edit in rnd.sample(_EDITS, times):
        text = edit(text, rnd)
    return text


def _substituted(text: str, rnd: random.Random) -> str:
    place = rnd.randrange(len(text))
    return text[:place] + rnd.choice("好大新真多美快") + text[place + 1 :]


def _dropped(text: str, rnd: random.Random) -> str:
    place = rnd.randrange(len(text))
    return text[:place] + text[place + 1 :]


def _wide(text: str, rnd: random.Random) -> str:
    return "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and "://" not in text else c for c in text
    )


def _traditional(text: str, rnd: random.Random) -> str:
    from opencc import OpenCC

    return str(OpenCC("s2t").convert(text))


_EDITS: tuple[Edit, ...] = (
    _substituted,
    _dropped,
    _wide,
    _traditional,
    lambda text, rnd: f"{text}{rnd.choice('！～。？')}{rnd.choice(['😀', '👍', '[赞]', ''])}",
    lambda text, rnd: f"@用户{rnd.randrange(1000)} {text}",
    lambda text, rnd: f"{text} https://example.com/{rnd.randrange(10**6)}",
    lambda text, rnd: f"{text} //@用户{rnd.randrange(1000)}: 说得对",
    lambda text, rnd: f"{rnd.choice(['转发', '推荐', '真的'])} {text}",
    lambda text, rnd: text.replace("，", rnd.choice([" ", "！", "、"])),
)
