"""Bytes as text: the encoding of a file or of a page, told from its bytes, or refused by name.

A wrong encoding that decodes is worse than none: Big5 read as GB18030 gives Chinese characters that nobody wrote. So an encoding
is taken only where no other that gives another text fits about as well.
"""

import codecs
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import inf
from unicodedata import category, name

import chardet

from folate.core.errors import ConfigError, suggestion

# What is told apart, under Python's name of the widest of each family: gb18030 holds GBK and GB2312, cp932 Shift-JIS, cp949 EUC-KR.
MULTI_BYTE = ("gb18030", "big5hkscs", "cp932", "euc_jis_2004", "cp949")
SINGLE_BYTE = ("cp1252", "cp1250", "iso8859-2", "cp1251", "koi8-r", "iso8859-5")
ENCODINGS = (
    "utf-8",
    "utf-16",
    *MULTI_BYTE,
    *SINGLE_BYTE,
    "mac-roman",
)  # the last of English only: other accents are too like those of cp1252
# Never taken, but a reason to doubt: one that fits as well as the best of the above leaves the encoding open.
_RIVALS = (
    "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "koi8-u", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-15",
    "iso8859-16", "mac-roman", "cp866", "cp437", "cp850", "cp874",
)  # fmt: skip
_JUDGED = (*MULTI_BYTE, "euc_kr", *SINGLE_BYTE, *_RIVALS)
_WIDEST = {
    "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "cp950": "big5hkscs",
    "shift_jis": "cp932", "shift_jis_2004": "cp932", "shift_jisx0213": "cp932",
    "euc_jp": "euc_jis_2004", "euc_jisx0213": "euc_jis_2004", "euc_kr": "cp949",
    "ascii": "utf-8", "iso8859-1": "cp1252",
}  # fmt: skip
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before that of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SHIFT = re.compile(
    rb"\x1b\$(?:[@AB]|\([A-Z]|\)[A-Z])"
)  # ISO 2022 goes over to two bytes a character
_JUDGED_BYTES = 8_000  # more of them change no verdict and take chardet seconds
_UP_TO_A_BREAK = re.compile(rb"(?s).{0,%d}[\x00-\x2f]" % _JUDGED_BYTES)
_IN_EVERY_TEXT = (
    '\n\r\t ,:;-"<>0123456789'  # letters not: U+4E00 一 is an N in the other order of bytes
)
_LEAST_NULS_OF_ASCII = 0.25  # of the bytes of UTF-16 that is mostly ASCII
_LEAST_BEYOND = 0.05  # of the bytes of UTF-16 that is not
_LEAST_MARKS = 0.005  # of the bytes of UTF-16: even long Chinese texts come with commas, digits and line breaks
_MOSTLY = (
    0.9  # of the pieces of a text: so many must be whole in an encoding, the others are damaged
)

# Least confidence of chardet 7.7 in the best encoding, and least ratio of it to that in the next one that gives another text.
# Calibrated on texts of 20 to 5,000 bytes in 22 languages and 35 encodings: docs/store.md, "Encodings".
_LEAST_CONFIDENCE = {
    True: 0.03,
    False: 0.1,
}  # of encodings with several bytes a character, of those with one
_LEAST_RATIO = {True: 1.5, False: 1.25}
_LEAST_CHARACTERS = 3  # of several bytes; a pair of accents and signs often makes one
_MOST_AMID_LATIN = 0.25  # of the characters stand between two Latin letters, as accents do
_FOREIGN_WORD = re.compile(r"[^\W\d_a-zA-Z]{3}")
_OVERRULING = 3.0  # ratio of the confidence of another encoding to that of the declared one which overrules a declaration
_MOST_IMPLAUSIBLE = (
    0.05  # of the characters beyond ASCII of a text in an encoding with one byte a character
)

# English is ASCII with a few typographic marks and accents. They are too rare for chardet, which reads pairs of letters, to tell
# cp1252 from its likes; what stands around each of them tells.
_WRITE_ENGLISH = (
    "cp1252",
    "mac-roman",
    "cp437",
    "cp850",
    "iso8859-15",
    *MULTI_BYTE,
)  # “ and ’ are in the Chinese ones too
_ENGLISH = frozenset(
    b"and are be been but by can could did does for from had has have he her his how if it its just more my not of or our out she "
    b"than that the their them there they this to very was we were what when which will with would you your".split()
)
_WORD = re.compile(rb"[a-z]+")
_LEAST_ENGLISH = 0.06  # of the words are among these, and two at least
# Natural logarithms of how often a character beyond ASCII in English posts is one of these, roughly.
_LIKELIHOODS = {
    **dict.fromkeys("‘’“”–—…\xa0", -2.3), **dict.fromkeys("£€°©®™½¼¾«»·•×", -4.6),
    "é": -3.9, **dict.fromkeys("àáâãäåæçèêëìíîïñòóôõöøùúûüýœ", -5.8), **dict.fromkeys("ÀÁÂÄÅÇÉÈÑÓÖØÜ", -7.6),
}  # fmt: skip
_UNLIKELY = -13.8
_LEAST_LIKELY = -6.0  # of the mean of a text
_LEAST_LEAD = 3.0  # of the sum, before that of every other text: 20 to 1


class UnknownEncodingError(UnicodeError):
    """No encoding fits the bytes, or several fit them alike; the message says which were tried."""


def encoding_from_bom(start: bytes) -> str | None:
    """The encoding that a byte order mark at the start names, or None."""
    return next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)


def canonical_encoding(name: str) -> str | None:
    """Python's name of the encoding called `name`, or of the one that holds it (gb2312: gb18030); None for what is no encoding."""
    try:
        codec = codecs.lookup(name.strip())
    except (LookupError, ValueError):
        return None
    if not codec._is_text_encoding:  # base64 and the like
        return None
    return _WIDEST.get(codec.name, codec.name)


def require_encoding(name: str) -> str:
    """The encoding that a person names. Raises ConfigError for an unknown one."""
    if encoding := canonical_encoding(name):
        return encoding
    raise ConfigError(
        f"wanted the name of an encoding, got {name[:60]!r}; {suggestion(name, ENCODINGS)}"
    )


def can_decode(data: bytes, encoding: str) -> bool:
    """Whether every byte of `data` belongs to this encoding."""
    try:
        data.decode(encoding)
    except UnicodeError:
        return False
    return True


def is_mostly_utf8(pieces: Sequence[bytes]) -> bool:
    """Whether these pieces, none of them ASCII alone, are UTF-8: half of them whole, or nearly all of their characters."""
    if 2 * sum(can_decode(piece, "utf-8") for piece in pieces) >= len(pieces):
        return True
    text = "".join(piece.decode("utf-8", "replace") for piece in pieces)
    foreign = sum(not char.isascii() for char in text)
    return text.count("\ufffd") <= (1 - _MOSTLY) * foreign


def detect_utf16_without_bom(start: bytes) -> str | None:
    """UTF-16 without a mark, told by the digits, commas and line breaks of any table or markup; None for what is something else.

    ASCII has a NUL in every other byte there, and of other scripts many bytes are beyond ASCII: else NULs are stray ones.
    """
    beyond = sum(byte >= 0x80 for byte in start)
    if start.count(0) < _LEAST_NULS_OF_ASCII * len(start) and beyond < _LEAST_BEYOND * len(start):
        return None
    marks = {}
    for encoding in ("utf-16-le", "utf-16-be"):
        text = start[: len(start) // 2 * 2].decode(encoding, "replace")
        marks[encoding] = sum(map(text.count, _IN_EVERY_TEXT)) - text.count("\ufffd")
    best = max(marks, key=marks.__getitem__)
    return (
        best if marks[best] >= max(1, _LEAST_MARKS * len(start), 2 * min(marks.values())) else None
    )


def detect_text_encoding(pieces: Iterable[bytes], declared: str | None = None) -> str:
    """The encoding of a text that is given in pieces which break amid no character (lines; what stands between tags).

    `declared` (as `widest` gives it) holds unless the bytes contradict it clearly.
    Raises UnknownEncodingError where no encoding fits, or another fits about as well.
    """
    plain: list[bytes] = []
    foreign: list[bytes] = []
    for piece in pieces:
        (plain if piece.isascii() else foreign).append(piece)
    if not foreign:
        return _of_ascii(b"\n".join(plain))
    if is_mostly_utf8(foreign):
        return "utf-8"
    foreign = _sample(foreign)
    if _is_english(
        [*_sample(plain), *foreign]
    ):  # what chardet takes for another Latin-written language is none
        encoding = _english(foreign, declared) or _best(foreign, MULTI_BYTE, declared)
    else:
        encoding = _best(foreign, (*MULTI_BYTE, *SINGLE_BYTE), declared)
    encoding = (
        encoding or _damaged(foreign) or (declared if _is_possible(foreign, declared) else None)
    )
    if encoding is None:
        raise UnknownEncodingError(
            f"its encoding can't be told for certain (tried {', '.join(ENCODINGS)})"
        )
    return encoding


def _sample(pieces: Sequence[bytes]) -> list[bytes]:
    """Pieces from all over a text, enough to judge it by."""
    step = max(1, sum(map(len, pieces)) // _JUDGED_BYTES)
    return [_beginning(piece) for piece in pieces[::step]]


def _beginning(piece: bytes) -> bytes:
    """A piece cut where no character is: bytes below the digits are never part of one of several bytes."""
    if len(piece) <= _JUDGED_BYTES:
        return piece
    start = _UP_TO_A_BREAK.match(piece)
    return start[0] if start else piece[:_JUDGED_BYTES]


def _of_ascii(data: bytes) -> str:
    """UTF-8, or one of ISO 2022, which write in ASCII and go over to two bytes a character by escapes."""
    if not _SHIFT.search(data):
        return "utf-8"
    return "iso2022_kr" if b"\x1b$)C" in data else "iso2022_jp_2"


def _best(pieces: Sequence[bytes], wanted: Sequence[str], declared: str | None) -> str | None:
    """The encoding among `wanted` that fits clearly better than all, wanted or not, that give another text; or None."""
    data = b"\n".join(pieces)
    guesses = chardet.detect_all(
        data, ignore_threshold=True, include_encodings=_JUDGED, compat_names=False
    )
    fits: list[tuple[float, str, str]] = []  # confidence, encoding, text; the best first
    for guess in guesses:
        if fits and _OVERRULING * guess["confidence"] < fits[0][0]:
            break  # too unlikely to matter
        encoding = canonical_encoding(guess["encoding"] or "")
        if encoding and can_decode(data, encoding):
            text = data.decode(encoding)
            if _is_plausible(text, encoding in MULTI_BYTE):
                fits.append((guess["confidence"], encoding, text))
    if not fits:
        return None
    confidence, best, text = fits[0]
    if any(
        encoding == declared and confidence < _OVERRULING * stated for stated, encoding, _ in fits
    ):
        return declared
    encoding = next(
        (encoding for _, encoding, same in fits if same == text and encoding in wanted), None
    )
    rival = max((other for other, _, differing in fits if differing != text), default=0.0)
    several = best in MULTI_BYTE
    clear = confidence >= _LEAST_CONFIDENCE[several] and confidence >= _LEAST_RATIO[several] * rival
    return encoding if clear else None


def _damaged(pieces: Sequence[bytes]) -> str | None:
    """The encoding with several bytes a character in which most pieces are whole, and which these pieces are clearly in."""
    for encoding in MULTI_BYTE:
        whole = [piece for piece in pieces if can_decode(piece, encoding)]
        if (
            _MOSTLY * len(pieces) <= len(whole) < len(pieces)
            and _best(whole, MULTI_BYTE, None) == encoding
        ):
            return encoding
    return None


def _is_possible(pieces: Sequence[bytes], declared: str | None) -> bool:
    """Whether these pieces may be in the encoding that is declared for them."""
    data = b"\n".join(pieces)
    if declared is None or declared.startswith("utf") or not can_decode(data, declared):
        return False
    text = data.decode(declared)
    return len(text) < len(data) or _is_plausible(text, several=False)


def _is_plausible(text: str, several: bool) -> bool:
    """Whether there is enough to judge by, and characters beyond ASCII stand where people put them.

    A wrong encoding of one byte a character puts signs and capitals amid words. `several`: the encoding has several bytes for one.
    """
    places = [n for n, char in enumerate(text) if not char.isascii()]
    if several:
        amid_latin = sum(
            _is_latin(text[n - 1 : n]) and _is_latin(text[n + 1 : n + 2]) for n in places
        )
        return len(places) >= _LEAST_CHARACTERS and amid_latin <= _MOST_AMID_LATIN * len(places)
    letters = [text[n] for n in places if text[n].isalpha()]
    if not letters:
        return False  # signs alone are the same in every language
    if any(_script(letter) != "LATIN" for letter in letters) and not _FOREIGN_WORD.search(text):
        return False  # a Cyrillic letter alone among Latin words is an accent in another encoding
    faults = sum(_is_misplaced(text, n) for n in places)
    return faults <= _MOST_IMPLAUSIBLE * len(places)


def _is_misplaced(text: str, n: int) -> bool:
    """Whether the character at `n` is a control, a capital after a small letter, a sign amid a word, or of another script."""
    char, before, after = text[n], text[n - 1 : n], text[n + 1 : n + 2]
    kind = category(char)
    if kind in ("Cc", "Cn", "Co"):
        return True
    if kind[0] == "L":
        neighbours = [other for other in (before, after) if other.isalpha()]
        return (kind == "Lu" and before.islower()) or any(
            _script(other) != _script(char) for other in neighbours
        )
    return kind[0] in "SN" and before.isalpha() and after.isalpha()


def _is_latin(letter: str) -> bool:
    return letter.isascii() and letter.isalpha()


@lru_cache(maxsize=10_000)
def _script(letter: str) -> str:
    return name(letter, "").partition(" ")[0] if not letter.isascii() else "LATIN"


def _is_english(pieces: Sequence[bytes]) -> bool:
    words = _WORD.findall(b"\n".join(pieces).lower())
    common = sum(word in _ENGLISH for word in words)
    return common >= 2 and common >= _LEAST_ENGLISH * len(words)


def _english(pieces: Sequence[bytes], declared: str | None) -> str | None:
    """The encoding in which English text has its typographic marks and accents where English has them, or None."""
    data = b"\n".join(pieces)
    likelihoods: dict[str, float] = {}
    encodings: dict[str, str] = {}
    for encoding in _WRITE_ENGLISH:
        if can_decode(data, encoding) and (text := data.decode(encoding)) not in encodings:
            places = [n for n, char in enumerate(text) if not char.isascii()]
            likelihoods[text] = sum(_likelihood(text, n) for n in places)
            encodings[text] = encoding if likelihoods[text] >= _LEAST_LIKELY * len(places) else ""
            if encoding == declared and encodings[text]:
                return declared
    best, second, *_ = *sorted(likelihoods, key=likelihoods.__getitem__, reverse=True), "", ""
    lead = likelihoods.get(best, -inf) - likelihoods.get(second, -inf)
    return encodings[best] if lead >= _LEAST_LEAD and encodings[best] in ENCODINGS else None


def _likelihood(text: str, n: int) -> float:
    """Logarithm of how likely English has the character at `n`, unlikely where its neighbours don't fit."""
    char, before, after = text[n], text[n - 1 : n], text[n + 1 : n + 2]
    if char.isalpha():
        amid = (before + after).strip()
        if not amid.isascii() or not any(map(str.isalpha, amid)):
            return _UNLIKELY
    return _UNLIKELY if _is_misplaced(text, n) else _LIKELIHOODS.get(char, _UNLIKELY)
