"""Normalization of characters and Chinese numerals for the grammars of dates and counts."""

import re
import unicodedata

# Numerals of one number: 一千二百三十 has six, 二〇二六 four.
_MAX_NUMERALS = 8
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
_RANKS = {"十": 10, "百": 100, "千": 1000}
_TRADITIONAL = "時點鐘鍾兩個剛週禮後國號間幾淩萬億贊讚評論覆轉發瀏覽閱讀喜歡滿數條關於"
_SIMPLIFIED = "时点钟钟两个刚周礼后国号间几凌万亿赞赞评论复转发浏览阅读喜欢满数条关于"
_PLAIN = str.maketrans(
    {
        **dict(zip(_TRADITIONAL, _SIMPLIFIED, strict=True)),
        **dict.fromkeys("○〇", "零"),
        **dict.fromkeys("−‐‑‒–—", "-"),
        **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"),
        "廿": "二十",
        "卅": "三十",
    }
)
_NUMERALS = re.compile(
    # 周三 is a day, 几十 no number.
    "(?<![0-9.周期拜几数])[零一二两三四五六七八九十百千]+(?![几多])"
    "|(?<=周)[一二两三四五六](?=天.{0,6}前)"
)


def normalize_numerals(text: str) -> str:
    """Convert `text` to half-width, simplified characters, single spaces and Arabic digits.

    >>> normalize_numerals("二〇二六年三月八日　晚上８點半"), normalize_numerals("十萬+")
    ('2026年3月8日 晚上8点半', '10万+')
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.replace("½", "半")).translate(_PLAIN)
        text = _NUMERALS.sub(lambda match: _numerals_to_digits(match[0]), text)
    return " ".join(text.split())


def _numerals_to_digits(numerals: str) -> str:
    """Convert Chinese numerals to digits: 二〇二六 one by one, 二十三 by powers of ten.

    Numerals that are not one number are returned unchanged: 两三天 means two or three days.
    """
    if len(numerals) > _MAX_NUMERALS:
        return numerals
    if not any(char in _RANKS for char in numerals):
        is_approximate = len(numerals) in (2, 3) and "零" not in numerals
        return numerals if is_approximate else "".join(str(_DIGITS[char]) for char in numerals)
    total = 0
    digit = None
    last_rank = 10_000
    for char in numerals:
        if char in _RANKS:
            if _RANKS[char] >= last_rank:  # 十百
                return numerals
            last_rank = _RANKS[char]
            total += (1 if digit is None else digit) * last_rank
            digit = None
        elif digit:  # 二三十
            return numerals
        else:
            digit = _DIGITS[char]
    return str(total + (digit or 0))
