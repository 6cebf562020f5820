"""Counts and ratings as people, sites and spreadsheets write them, in Chinese and in English."""

import math
import re
from decimal import Decimal

from folate.core.numerals import normalize_numerals

_MAX_COUNT = 10**12
_MAX_LENGTH = 100  # characters of a count or a rating
_MAX_SHOWN_LENGTH = 60  # characters of a value in a message
_HUGE_NUMBER = 10**60  # Python refuses to write numbers of thousands of digits

_UNITS = {
    "": 1,
    "千": 10**3,
    "k": 10**3,
    "thousand": 10**3,
    "万": 10**4,
    "w": 10**4,
    "百万": 10**6,
    "m": 10**6,
    "million": 10**6,
    "千万": 10**7,
    "亿": 10**8,
    "b": 10**9,
    "billion": 10**9,
}
_UNIT = "|".join(sorted(filter(None, _UNITS), key=len, reverse=True))
# Words for what is counted.
_NOUN = (
    r"(?:likes?|loves?|comments?|repl(?:y|ies)|answers?|shares?|reposts?|retweets?|quotes?|views?|plays?"
    r"|reads?|followers?|fans|subscribers?|votes?|upvotes?|points?|reviews?|ratings?|reactions?"
    r"|people|persons?|others|times|helpful|found this|helpful votes?|customer"
    r"|赞同?|点赞|喜欢|评论|评价|回复|回帖|回答|跟帖|转发|转帖|分享|收藏|阅读|浏览|播放|观看|查看|点击"
    r"|粉丝|关注者?|关注|热度|人气|有用|有帮助|数量?|量|次|人|个|条|篇|回|位|票|者|觉得|认为|参与|已有|已|共|约)"
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
_PLAIN_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,20})?", re.ASCII)
_OWN_SCALE = re.compile(
    rf"(?<![\d.,/-])(?P<score>{_SCORE}) ?(?:星|分|颗星|stars?)? ?"
    r"(?:out of|of|/|／|[(,]? ?(?:满分|总分|共))"
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
    """A count or a rating that can't be parsed; the message says what was wanted and got."""


class RatingRangeError(CountError):
    """A rating outside its scale."""


def parse_count(value: object) -> int | None:
    """Parse a count: 1234, "1,234", "1.2万", "10万+", "3k", "12 likes".

    Returns None for a bare label (赞), which sites show in place of zero. Raises CountError, also
    for what is no whole number ("1.5", "1.234"): a point may separate thousands.

    >>> parse_count("1.2万次播放"), parse_count("1.234.567"), parse_count("赞")
    (12000, 1234567, None)
    """
    count = _parse_integer(value)
    if count is not None and not 0 <= count <= _MAX_COUNT:
        raise CountError(f"wanted a count, got {_shorten_value(value)}")
    return count


def parse_count_or_none(value: object) -> int | None:
    """Parse a count; return None for a missing value and for one that can't be parsed."""
    try:
        return None if value is None else parse_count(value)
    except CountError:
        return None


def parse_rating(value: object, best: float, worst: float = 0.0) -> float:
    """Parse a rating as a share of the best possible one, 0 to 1.

    A rating with a scale of its own (4 out of 5, 4/5, 80%, ★★★★☆) is taken on that; another (4.5,
    "4,5", 四星半) on the scale from `worst` to `best`. Raises RatingRangeError for one outside its
    scale, CountError for what is no rating.

    >>> parse_rating("4.0 out of 5 stars", 10), parse_rating("四星半", 5), parse_rating("★★★★☆", 1)
    (0.8, 0.9, 0.8)
    """
    if not isinstance(value, str):
        return _share_of_best(_parse_finite_number(value), best, worst, value)
    if _PLAIN_NUMBER.fullmatch(value):  # nearly all ratings of a file
        return _share_of_best(float(value), best, worst, value)
    text = _normalize_value(value)
    score_and_best = _parse_own_scale(text)
    if score_and_best:
        score, own_best = score_and_best
        return _share_of_best(score, own_best, 0.0, value)
    return _share_of_best(_parse_score(text, value), best, worst, value)


def _share_of_best(score: float, best: float, worst: float, value: object) -> float:
    if not max(worst, 0.0) <= score <= best or not best > 0:
        raise RatingRangeError(f"wanted {worst:g} to {best:g}, got {_shorten_value(value)}")
    return score / best


def _shorten_value(value: object) -> str:
    """Format a value for a message."""
    if isinstance(value, int) and abs(value) >= _HUGE_NUMBER:
        return "a number of more than 60 digits"
    return repr(str(value)[:_MAX_SHOWN_LENGTH])


def _normalize_value(value: str) -> str:
    if len(value) > _MAX_LENGTH:
        raise CountError(f"wanted a number, got {len(value)} characters")
    # U+FE0F requests the coloured form of an emoji.
    return normalize_numerals(value).replace("\ufe0f", "")


def _parse_integer(value: object) -> int | None:
    """Parse a whole number of any size; None for a bare label. Raises CountError."""
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
    text = _normalize_value(value)
    match = _COUNT.fullmatch(text)
    if match is None:
        if _LABEL.fullmatch(text):
            return None
        raise CountError(f"wanted a count, got {value[:60]!r}")
    unit = (match["unit"] or "").lower()
    number = _parse_decimal(match["number"], has_unit=bool(unit))
    if number is not None:
        number *= _UNITS[unit] * Decimal(10) ** int(match["exponent"] or 0)
    if number is None or number != number.to_integral_value():
        raise CountError(f"wanted a whole number, got {value[:60]!r}")
    return int(number)


def _parse_decimal(digits: str, *, has_unit: bool) -> Decimal | None:
    """Parse digits with points and commas; None when a separator is ambiguous."""
    if re.fullmatch(r"\d{1,3}(?:[, ']\d{3})+(?:\.\d+)?", digits):
        return Decimal(re.sub("[, ']", "", digits))
    if digits.count(".") > 1:
        return Decimal(digits.replace(".", ""))
    integer, _, fraction = digits.replace(",", ".").partition(".")
    if not has_unit and len(fraction) == 3:  # 1.234 may be 1234
        return None
    if "," in digits and not has_unit:
        return None
    return Decimal(f"{integer}.{fraction}" if fraction else integer)


def _parse_own_scale(text: str) -> tuple[float, float] | None:
    """Parse a rating that includes its scale: the score and the best one; None for another."""
    if match := _PERCENT.fullmatch(text):
        return _parse_float(match["score"]), 100.0
    matches = list(_OWN_SCALE.finditer(text))
    if len(matches) == 1:
        return _parse_float(matches[0]["score"]), _parse_float(matches[0]["top"])
    match = _STARS.fullmatch(text)
    if match and match["empty"] and (match["full"] or match["empty"]):
        score = len(match["full"]) + 0.5 * bool(match["half"])
        return score, len(match["full"]) + bool(match["half"]) + len(match["empty"])
    return None


def _parse_score(text: str, value: str) -> float:
    """Parse the score of a rating without a scale; `value` is the text for messages."""
    stars = _STARS.fullmatch(text)
    if stars and stars["full"]:
        return len(stars["full"]) + 0.5 * bool(stars["half"])
    match = _PLAIN_SCORE.fullmatch(text)
    if match is None:
        raise CountError(f"wanted a rating, got {value[:60]!r}")
    score = 0.5 if match["score"] == "半" else _parse_float(match["score"])
    return score + 0.5 * bool(match["half"] or match["half_after"])


def _parse_float(digits: str) -> float:
    return float(digits.replace(",", "."))


def _parse_finite_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise CountError(f"wanted a rating, got a {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError as error:
        raise CountError("wanted a rating, got a number out of range") from error
    if not math.isfinite(number):
        raise CountError(f"wanted a finite number, got {number}")
    return number
