"""Seeded texts of words from jieba's dictionary, and planted copies of them."""

import random
from collections.abc import Callable, Sequence
from itertools import accumulate

Edit = Callable[[str, random.Random], str]
# Of a post of the speed target.
TOKENS_PER_POST = 24


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
    words = [word for word, _ in frequencies]
    weights = list(accumulate(frequency for _, frequency in frequencies))
    rnd = random.Random(seed)
    posts = []
    for _ in range(count):
        length = round(rnd.gauss(TOKENS_PER_POST, TOKENS_PER_POST / 4)) + 4
        post_words = rnd.choices(words, cum_weights=weights, k=length)
        posts.append(_join_post(rnd, post_words))
    return posts


def _join_post(rnd: random.Random, words: list[str]) -> str:
    for index in range(7, len(words), 8):
        words[index] = rnd.choice("，，，。！？")
    if rnd.random() < 0.1:
        words[3] = rnd.choice(["iPhone", "3.5kg", "https://example.com/a1", "😀", "[赞]"])
    return "".join(words)


def make_copies(texts: Sequence[str], copies: int, seed: int) -> list[list[str]]:
    """Return groups of a text and its copies, each with one to three edits as campaigns make."""
    rnd = random.Random(seed)
    groups = []
    for text in texts:
        edited_texts = [_edit(text, rnd, rnd.randint(1, 3)) for _ in range(copies)]
        groups.append([text, *edited_texts])
    return groups


def _edit(text: str, rnd: random.Random, times: int) -> str:
    for edit in rnd.sample(_EDITS, times):
        text = edit(text, rnd)
    return text


def _substitute_character(text: str, rnd: random.Random) -> str:
    index = rnd.randrange(len(text))
    return text[:index] + rnd.choice("好大新真多美快") + text[index + 1 :]


def _drop_character(text: str, rnd: random.Random) -> str:
    index = rnd.randrange(len(text))
    return text[:index] + text[index + 1 :]


def _widen_ascii(text: str, rnd: random.Random) -> str:
    return "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and "://" not in text else c for c in text
    )


def _convert_to_traditional(text: str, rnd: random.Random) -> str:
    from opencc import OpenCC

    return str(OpenCC("s2t").convert(text))


_EDITS: tuple[Edit, ...] = (
    _substitute_character,
    _drop_character,
    _widen_ascii,
    _convert_to_traditional,
    lambda text, rnd: f"{text}{rnd.choice('！～。？')}{rnd.choice(['😀', '👍', '[赞]', ''])}",
    lambda text, rnd: f"@用户{rnd.randrange(1000)} {text}",
    lambda text, rnd: f"{text} https://example.com/{rnd.randrange(10**6)}",
    lambda text, rnd: f"{text} //@用户{rnd.randrange(1000)}: 说得对",
    lambda text, rnd: f"{rnd.choice(['转发', '推荐', '真的'])} {text}",
    lambda text, rnd: text.replace("，", rnd.choice([" ", "！", "、"])),
)
