"""Counts and ratings as people, sites and spreadsheets write them, in Chinese and in English."""

import math
import re
from decimal import Decimal

from folate.core.numerals import normalize_numerals

_LARGEST = 10**12  # more is no count, and no table holds it
_LONGEST = 100  # characters

_UNITS = {
    "": 1, "千": 10**3, "k": 10**3, "thousand": 10**3, "万": 10**4, "w": 10**4, "百万": 10**6,
    "m": 10**6, "million": 10**6, "千万": 10**7, "亿": 10**8, "b": 10**9, "billion": 10**9,
}  # fmt: skip
_UNIT = "|".join(sorted(filter(None, _UNITS), key=len, reverse=True))
_NOUN = (  # what is counted
    r"(?:likes?|loves?|comments?|repl(?:y|ies)|answers?|shares?|reposts?|retweets?|quotes?|views?|plays?"
    r"|reads?|followers?|fans|subscribers?|votes?|upvotes?|points?|reviews?|ratings?|reactions?"
    r"|people|persons?|others|times|helpful|found this|helpful votes?|customer"
    r"|赞同?|点赞|喜欢|评论|评价|回复|回帖|回答|跟帖|转发|转帖|分享|收藏|阅读|浏览|播放|观看|查看|点击|粉丝|关注者?|关注"
    r"|热度|人气|有用|有帮助|数量?|量|次|人|个|条|篇|回|位|票|者|觉得|认为|参与|已有|已|共|约)"
)
_NUMBER = (
    r"\d{1,3}(?:[, ']\d{3}){1,4}(?:\.\d{1,6})?|\d{1,3}(?:\.\d{3}){2,4}|\d{1,15}(?:[.,]\d{1,20})?"
)
_DIGITS = re.compile(r"\d{1,13}", re.ASCII)
_LABEL = re.compile(rf"(?:{_NOUN}[ :()]{{0,2}}){{1,4}}", re.IGNORECASE | re.ASCII)
_COUNT = re.compile(
    rf"(?:{_NOUN}[ :()]{{0,2}}){{0,4}}(?P<number>{_NUMBER})(?:e\+?(?P<exponent>\d{{1,2}}))?"
    rf" ?(?P<unit>{_UNIT})?(?![a-z\d]) ?\+?余?(?:[ :()]{{0,2}}{_NOUN}){{0,5}}[ )]?",
    re.IGNORECASE | re.ASCII,
)

_SCORE = r"(?:\d{1,6}(?:[.,]\d{1,20})?|\.\d{1,20})"
_SIMPLE = re.compile(r"\d{1,6}(?:\.\d{1,20})?", re.ASCII)
_OF = re.compile(
    rf"(?<![\d.,/-])(?P<score>{_SCORE}) ?(?:星|分|颗星|stars?)? ?(?:out of|of|/|／|[(,]? ?(?:满分|总分|共))"
    rf" ?(?:为|是|:)? ?(?P<top>{_SCORE})(?![\d.,/-]*\d)",
    re.IGNORECASE | re.ASCII,
)
_PERCENT = re.compile(rf"(?P<score>{_SCORE}) ?%", re.ASCII)
_STARS = re.compile(r"(?P<full>[★⭐🌟]{0,10})(?P<half>半)?(?P<empty>☆{0,10})")
_PLAIN_SCORE = re.compile(
    rf"(?:(?:rated|rating|score|stars?|评分|评价|得分|打分|星级)[ :]{{0,2}})?(?P<score>-?{_SCORE}"
    r"(?:e[+-]?\d{1,2})?|半)(?P<half>半)? ?(?:(?:颗?星|stars?|分|points?)(?P<half_after>半)?)?",
    re.IGNORECASE | re.ASCII,
)


class CountError(ValueError):
    """A count or a rating that can't be read; the message says what was wanted and what came."""


class RatingRangeError(CountError):
    """A rating that lies outside its scale."""


def parse_count(value: object) -> int | None:
    """Read a count: 1234, "1,234", "1.2万", "10万+", "3k", "12 likes".

    Returns None for a bare label (赞), which sites show where nobody has pressed it. What is no
    whole number ("1.5", "1.234") is not read: a point may part thousands. Raises CountError.

    >>> read_count("1.2万次播放"), read_count("1.234.567"), read_count("赞")
    (12000, 1234567, None)
    """
    number = _count(value)
    if number is not None and not 0 <= number <= _LARGEST:
        raise CountError(f"wanted a count, got {_told(value)}")
    return number


def parse_count_or_none(value: object) -> int | None:
    """The count that a value tells; None when it tells none or can't be read."""
    try:
        return None if value is None else parse_count(value)
    except CountError:
        return None


def parse_rating(value: object, best: float, worst: float = 0.0) -> float:
    """Read a rating as a share of the best possible one, 0 to 1.

    A rating with a scale of its own (4 out of 5, 4/5, 80%, ★★★★☆) is read on that; another
    (4.5, "4,5", 四星半) on the scale from `worst` to `best`. Raises RatingRangeError for one
    outside its scale, CountError for what is no rating.

    >>> read_rating("4.0 out of 5 stars", 10), read_rating("四星半", 5), read_rating("★★★★☆", 1)
    (0.8, 0.9, 0.8)
    """
    if isinstance(value, str):
        if _SIMPLE.fullmatch(value):  # nearly all ratings of a file
            return _share(float(value), best, worst, value)
        shown = _shown(value)
        own = _own_scale(shown)
        score, top = own or (_score(shown, value), best)
        least = 0.0 if own else worst
        return _share(score, top, least, value)
    return _share(_finite(value), best, worst, value)


def _share(score: float, top: float, least: float, value: object) -> float:
    if not max(least, 0.0) <= score <= top or not top > 0:
        raise RatingRangeError(f"wanted {least:g} to {top:g}, got {_told(value)}")
    return score / top


def _told(value: object) -> str:
    """A value for a message; Python writes no number of thousands of digits."""
    is_huge = isinstance(value, int) and abs(value) >= 10**60
    return "a number of more than 60 digits" if is_huge else repr(str(value)[:60])


def _shown(value: str) -> str:
    if len(value) > _LONGEST:
        raise CountError(f"wanted a number, got {len(value)} characters")
    return normalize_numerals(value).replace("\ufe0f", "")  # which asks for an emoji in colour


def _count(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float | Decimal):
        if not math.isfinite(value) or value != int(value):
            raise CountError(f"wanted a count, got {value}")
        return int(value)
    if not isinstance(value, str):
        raise CountError(f"wanted a count, got a {type(value).__name__}")
    if _DIGITS.fullmatch(value):  # nearly all counts of a file
        return int(value)
    shown = _shown(value)
    match = _COUNT.fullmatch(shown)
    if match is None:
        if _LABEL.fullmatch(shown):
            return None
        raise CountError(f"wanted a count, got {value[:60]!r}")
    unit = (match["unit"] or "").lower()
    number = _decimal(match["number"], has_unit=bool(unit))
    if number is not None:
        number *= _UNITS[unit] * Decimal(10) ** int(match["exponent"] or 0)
    if number is None or number != number.to_integral_value():
        raise CountError(f"wanted a whole number, got {value[:60]!r}")
    return int(number)


def _decimal(written: str, *, has_unit: bool) -> Decimal | None:
    """The number that digits, points and commas write; None when a mark may mean two things."""
    if re.fullmatch(r"\d{1,3}(?:[, ']\d{3})+(?:\.\d+)?", written):
        return Decimal(re.sub("[, ']", "", written))
    if written.count(".") > 1:
        return Decimal(written.replace(".", ""))
    whole, _, fraction = written.replace(",", ".").partition(".")
    if not has_unit and len(fraction) == 3:  # 1.234: a thousand and more, or one and a bit
        return None
    if "," in written and not has_unit:
        return None
    return Decimal(f"{whole}.{fraction}" if fraction else whole)


def _own_scale(shown: str) -> tuple[float, float] | None:
    """Score and top of a rating that tells its own scale; None when it tells none."""
    if match := _PERCENT.fullmatch(shown):
        return _float(match["score"]), 100.0
    ofs = list(_OF.finditer(shown))
    if len(ofs) == 1:
        return _float(ofs[0]["score"]), _float(ofs[0]["top"])
    match = _STARS.fullmatch(shown)
    if match and match["empty"] and (match["full"] or match["empty"]):
        score = len(match["full"]) + 0.5 * bool(match["half"])
        return score, len(match["full"]) + bool(match["half"]) + len(match["empty"])
    return None


def _score(shown: str, value: str) -> float:
    """The score of a rating that does not tell its scale."""
    stars = _STARS.fullmatch(shown)
    if stars and stars["full"]:
        return len(stars["full"]) + 0.5 * bool(stars["half"])
    match = _PLAIN_SCORE.fullmatch(shown)
    if match is None:
        raise CountError(f"wanted a rating, got {value[:60]!r}")
    score = 0.5 if match["score"] == "半" else _float(match["score"])
    return score + 0.5 * bool(match["half"] or match["half_after"])


def _float(written: str) -> float:
    return float(written.replace(",", "."))


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise CountError(f"wanted a rating, got a {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError as error:
        raise CountError("wanted a rating, got a number out of range") from error
    if not math.isfinite(number):
        raise CountError(f"wanted a finite number, got {number}")
    return number
