"""Detection of the encoding of a file or a page from its bytes.

A wrong encoding that decodes is worse than none: Big5 decoded as GB18030 gives Chinese characters
that nobody wrote. So an encoding is accepted only where no other that gives another text fits about
as well.
"""

import codecs
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import inf
from unicodedata import category, name

import chardet

from folate.core.errors import ConfigError, suggestion

# Encodings that are distinguished, by Python's name of the widest of each family: gb18030 includes
# GBK and GB2312, cp932 Shift-JIS, cp949 EUC-KR.
MULTI_BYTE = ("gb18030", "big5hkscs", "cp932", "euc_jis_2004", "cp949")
SINGLE_BYTE = ("cp1252", "cp1250", "iso8859-2", "cp1251", "koi8-r", "iso8859-5")
# mac-roman is for English only: its accents are too like those of cp1252.
ENCODINGS = ("utf-8", "utf-16", *MULTI_BYTE, *SINGLE_BYTE, "mac-roman")
# Never accepted: one that fits as well as the best of the above leaves the encoding open.
_RIVALS = (
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "cp1258",
    "koi8-u",
    "iso8859-7",
    "iso8859-8",
    "iso8859-9",
    "iso8859-15",
    "iso8859-16",
    "mac-roman",
    "cp866",
    "cp437",
    "cp850",
    "cp874",
)
_CANDIDATES = (*MULTI_BYTE, "euc_kr", *SINGLE_BYTE, *_RIVALS)
# The widest encoding of the family of each encoding.
_WIDEST = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "cp950": "big5hkscs",
    "shift_jis": "cp932",
    "shift_jis_2004": "cp932",
    "shift_jisx0213": "cp932",
    "euc_jp": "euc_jis_2004",
    "euc_jisx0213": "euc_jis_2004",
    "euc_kr": "cp949",
    "ascii": "utf-8",
    "iso8859-1": "cp1252",
}
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before that of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# An escape of ISO 2022 that switches to two bytes per character.
_ISO_2022_ESCAPE = re.compile(rb"\x1b\$(?:[@AB]|\([A-Z]|\)[A-Z])")
# Bytes for the detection: more don't change the result and take chardet seconds.
_MAX_SAMPLE_BYTES = 8_000
_UP_TO_A_BREAK = re.compile(rb"(?s).{0,%d}[\x00-\x2f]" % _MAX_SAMPLE_BYTES)
# Characters of every text. Letters are not: U+4E00 一 is N in the other byte order.
_UBIQUITOUS = '\n\r\t ,:;-"<>0123456789'
# Share of NULs in UTF-16 that is mostly ASCII.
_MIN_NUL_SHARE = 0.25
# Share of bytes beyond ASCII in other UTF-16.
_MIN_NON_ASCII_SHARE = 0.05
# Ubiquitous characters per byte of UTF-16: even long Chinese texts have commas and line breaks.
_MIN_UBIQUITOUS_SHARE = 0.005
# Share of the pieces of a damaged text that must be valid in its encoding.
_MIN_VALID_SHARE = 0.9

# Confidence of chardet 7.7 in the best encoding, and its ratio to that in the next one that gives
# another text; for encodings with several bytes per character (True), and with one.
# Calibrated on texts of 20 to 5,000 bytes in 22 languages and 35 encodings: docs/store.md,
# "Encodings".
_MIN_CONFIDENCE = {True: 0.03, False: 0.1}
_MIN_RATIO = {True: 1.5, False: 1.25}
# Characters of several bytes: two accents and signs in a row often form one.
_MIN_MULTI_BYTE_CHARACTERS = 3
# Share of characters between two Latin letters, where accents are.
_MAX_BETWEEN_LATIN_SHARE = 0.25
_FOREIGN_WORD = re.compile(r"[^\W\d_a-zA-Z]{3}")
# Ratio of the confidence of another encoding to that of the declared one that overrules it.
_OVERRULING_RATIO = 3.0
# Share of the characters beyond ASCII of a text in an encoding with one byte per character.
_MAX_MISPLACED_SHARE = 0.05

# English is ASCII with a few typographic marks and accents. They are too rare for chardet, which
# counts pairs of letters, to distinguish cp1252 from similar encodings: their neighbours are used.
# “ and ’ are in the Chinese encodings too.
_ENGLISH_ENCODINGS = ("cp1252", "mac-roman", "cp437", "cp850", "iso8859-15", *MULTI_BYTE)
_ENGLISH_WORDS = frozenset(
    b"and are be been but by can could did does for from had has have he her his how if it its "
    b"just more my not of or our out she than that the their them there they this to very was "
    b"we were what when which will with would you your".split()
)
_WORD = re.compile(rb"[a-z]+")
# Share of these among the words of an English text, which has at least two of them.
_MIN_ENGLISH_SHARE = 0.06
_MIN_ENGLISH_WORDS = 2
# Natural logarithm of the share of each character among those beyond ASCII in English posts.
_LOG_LIKELIHOODS = {
    **dict.fromkeys("‘’“”–—…\xa0", -2.3),
    **dict.fromkeys("£€°©®™½¼¾«»·•×", -4.6),
    "é": -3.9,
    **dict.fromkeys("àáâãäåæçèêëìíîïñòóôõöøùúûüýœ", -5.8),
    **dict.fromkeys("ÀÁÂÄÅÇÉÈÑÓÖØÜ", -7.6),
}
_UNLIKELY = -13.8
# Mean over a text.
_MIN_MEAN_LOG_LIKELIHOOD = -6.0
# Difference of the sum to that of every other text: 20 to 1.
_MIN_LOG_LIKELIHOOD_LEAD = 3.0


class UnknownEncodingError(UnicodeError):
    """No encoding fits the bytes, or several fit equally; the message lists those tried."""


def encoding_from_bom(start: bytes) -> str | None:
    """Return the encoding of the byte order mark at the start, or None."""
    return next((encoding for mark, encoding in _BYTE_ORDER_MARKS if start.startswith(mark)), None)


def canonical_encoding(name: str) -> str | None:
    """Return Python's name of an encoding, or of the widest of its family (gb2312: gb18030).

    Returns None for an unknown one.
    """
    try:
        codec = codecs.lookup(name.strip())
    except (LookupError, ValueError):
        return None
    if not codec._is_text_encoding:  # base64 and the like
        return None
    return _WIDEST.get(codec.name, codec.name)


def require_encoding(name: str) -> str:
    """Return the canonical name of an encoding. Raises ConfigError for an unknown one."""
    if encoding := canonical_encoding(name):
        return encoding
    raise ConfigError(
        f"wanted the name of an encoding, got {name[:60]!r}; {suggestion(name, ENCODINGS)}"
    )


def can_decode(data: bytes, encoding: str) -> bool:
    """Return whether `data` is valid in this encoding."""
    try:
        data.decode(encoding)
    except UnicodeError:
        return False
    return True


def is_mostly_utf8(pieces: Sequence[bytes]) -> bool:
    """Return whether pieces, none of them pure ASCII, are UTF-8.

    Half of the pieces must be valid, or nearly all of their characters.
    """
    if 2 * sum(can_decode(piece, "utf-8") for piece in pieces) >= len(pieces):
        return True
    text = "".join(piece.decode("utf-8", "replace") for piece in pieces)
    foreign = sum(not char.isascii() for char in text)
    return text.count("\ufffd") <= (1 - _MIN_VALID_SHARE) * foreign


def detect_utf16_without_bom(start: bytes) -> str | None:
    """Detect UTF-16 without a mark by the digits, commas and line breaks of tables or markup.

    Returns None for another encoding. ASCII has a NUL in every other byte of UTF-16, and other
    scripts have many bytes beyond ASCII: without either, NULs are stray ones.
    """
    beyond = sum(byte >= 0x80 for byte in start)
    if start.count(0) < _MIN_NUL_SHARE * len(start) and beyond < _MIN_NON_ASCII_SHARE * len(start):
        return None
    marks = {}
    for encoding in ("utf-16-le", "utf-16-be"):
        text = start[: len(start) // 2 * 2].decode(encoding, "replace")
        marks[encoding] = sum(map(text.count, _UBIQUITOUS)) - text.count("\ufffd")
    best = max(marks, key=marks.__getitem__)
    return (
        best
        if marks[best] >= max(1, _MIN_UBIQUITOUS_SHARE * len(start), 2 * min(marks.values()))
        else None
    )


def detect_text_encoding(pieces: Iterable[bytes], declared: str | None = None) -> str:
    """Detect the encoding of a text in pieces that split no character (lines; text between tags).

    `declared` (as `canonical_encoding` returns it) is accepted unless the bytes clearly contradict
    it. Raises UnknownEncodingError where no encoding fits, or another fits about as well.
    """
    plain: list[bytes] = []
    foreign: list[bytes] = []
    for piece in pieces:
        (plain if piece.isascii() else foreign).append(piece)
    if not foreign:
        return _ascii_encoding(b"\n".join(plain))
    if is_mostly_utf8(foreign):
        return "utf-8"
    foreign = _sample_pieces(foreign)
    # chardet takes English for other languages in Latin script.
    if _is_english([*_sample_pieces(plain), *foreign]):
        encoding = _english_encoding(foreign, declared) or _best_encoding(
            foreign, MULTI_BYTE, declared
        )
    else:
        encoding = _best_encoding(foreign, (*MULTI_BYTE, *SINGLE_BYTE), declared)
    encoding = (
        encoding
        or _encoding_of_damaged(foreign)
        or (declared if _may_be_declared(foreign, declared) else None)
    )
    if encoding is None:
        raise UnknownEncodingError(
            f"its encoding can't be told for certain (tried {', '.join(ENCODINGS)})"
        )
    return encoding


def _sample_pieces(pieces: Sequence[bytes]) -> list[bytes]:
    """Select pieces from all over a text, enough for the detection."""
    step = max(1, sum(map(len, pieces)) // _MAX_SAMPLE_BYTES)
    return [_truncate_piece(piece) for piece in pieces[::step]]


def _truncate_piece(piece: bytes) -> bytes:
    """Truncate a piece at a byte below the digits, which is never part of a longer character."""
    if len(piece) <= _MAX_SAMPLE_BYTES:
        return piece
    start = _UP_TO_A_BREAK.match(piece)
    return start[0] if start else piece[:_MAX_SAMPLE_BYTES]


def _ascii_encoding(data: bytes) -> str:
    """Return UTF-8, or an encoding of ISO 2022, which switches to two bytes by escapes."""
    if not _ISO_2022_ESCAPE.search(data):
        return "utf-8"
    return "iso2022_kr" if b"\x1b$)C" in data else "iso2022_jp_2"


def _best_encoding(
    pieces: Sequence[bytes], candidates: Sequence[str], declared: str | None
) -> str | None:
    """Return the encoding among `candidates` that fits clearly better than any other.

    Encodings that give the same text count as one. Returns None where none fits clearly better.
    """
    data = b"\n".join(pieces)
    guesses = chardet.detect_all(
        data, ignore_threshold=True, include_encodings=_CANDIDATES, compat_names=False
    )
    fits: list[tuple[float, str, str]] = []  # confidence, encoding, text; the best first
    for guess in guesses:
        if fits and _OVERRULING_RATIO * guess["confidence"] < fits[0][0]:
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
        encoding == declared and confidence < _OVERRULING_RATIO * stated
        for stated, encoding, _ in fits
    ):
        return declared
    encoding = next(
        (encoding for _, encoding, same in fits if same == text and encoding in candidates), None
    )
    rival = max((score for score, _, rival_text in fits if rival_text != text), default=0.0)
    several = best in MULTI_BYTE
    clear = confidence >= _MIN_CONFIDENCE[several] and confidence >= _MIN_RATIO[several] * rival
    return encoding if clear else None


def _encoding_of_damaged(pieces: Sequence[bytes]) -> str | None:
    """Return the multi-byte encoding in which most pieces are valid, if it fits these clearly."""
    for encoding in MULTI_BYTE:
        valid_pieces = [piece for piece in pieces if can_decode(piece, encoding)]
        if (
            _MIN_VALID_SHARE * len(pieces) <= len(valid_pieces) < len(pieces)
            and _best_encoding(valid_pieces, MULTI_BYTE, None) == encoding
        ):
            return encoding
    return None


def _may_be_declared(pieces: Sequence[bytes], declared: str | None) -> bool:
    """Return whether pieces may be in the encoding that is declared for them."""
    data = b"\n".join(pieces)
    if declared is None or declared.startswith("utf") or not can_decode(data, declared):
        return False
    text = data.decode(declared)
    return len(text) < len(data) or _is_plausible(text, several=False)


def _is_plausible(text: str, several: bool) -> bool:
    """Return whether there are enough characters beyond ASCII, in places where people write them.

    A wrong encoding with one byte per character gives signs and capitals within words. `several`
    says that the encoding has several bytes per character.
    """
    places = [n for n, char in enumerate(text) if not char.isascii()]
    if several:
        amid_latin = sum(
            _is_latin_letter(text[n - 1 : n]) and _is_latin_letter(text[n + 1 : n + 2])
            for n in places
        )
        return len(
            places
        ) >= _MIN_MULTI_BYTE_CHARACTERS and amid_latin <= _MAX_BETWEEN_LATIN_SHARE * len(places)
    letters = [text[n] for n in places if text[n].isalpha()]
    if not letters:
        return False  # signs alone are the same in every language
    if any(_script_of_letter(letter) != "LATIN" for letter in letters) and not _FOREIGN_WORD.search(
        text
    ):
        return False  # a Cyrillic letter alone among Latin words is an accent in another encoding
    faults = sum(_is_misplaced(text, n) for n in places)
    return faults <= _MAX_MISPLACED_SHARE * len(places)


def _is_misplaced(text: str, n: int) -> bool:
    """Return whether the character at `n` is implausible there.

    It is a control character, a capital after a small letter, a sign within a word, or of another
    script.
    """
    char = text[n]
    before = text[n - 1 : n]
    after = text[n + 1 : n + 2]
    kind = category(char)
    if kind in ("Cc", "Cn", "Co"):
        return True
    if kind[0] == "L":
        if kind == "Lu" and before.islower():
            return True
        neighbours = [neighbour for neighbour in (before, after) if neighbour.isalpha()]
        script = _script_of_letter(char)
        return any(_script_of_letter(neighbour) != script for neighbour in neighbours)
    return kind[0] in "SN" and before.isalpha() and after.isalpha()


def _is_latin_letter(letter: str) -> bool:
    return letter.isascii() and letter.isalpha()


@lru_cache(maxsize=10_000)
def _script_of_letter(letter: str) -> str:
    return name(letter, "").partition(" ")[0] if not letter.isascii() else "LATIN"


def _is_english(pieces: Sequence[bytes]) -> bool:
    words = _WORD.findall(b"\n".join(pieces).lower())
    common = sum(word in _ENGLISH_WORDS for word in words)
    return common >= _MIN_ENGLISH_WORDS and common >= _MIN_ENGLISH_SHARE * len(words)


def _english_encoding(pieces: Sequence[bytes], declared: str | None) -> str | None:
    """Return the encoding in which the marks and accents of English are where English has them."""
    data = b"\n".join(pieces)
    likelihoods: dict[str, float] = {}
    encodings: dict[str, str] = {}
    for encoding in _ENGLISH_ENCODINGS:
        if can_decode(data, encoding) and (text := data.decode(encoding)) not in encodings:
            places = [n for n, char in enumerate(text) if not char.isascii()]
            likelihoods[text] = sum(_log_likelihood_at(text, n) for n in places)
            encodings[text] = (
                encoding if likelihoods[text] >= _MIN_MEAN_LOG_LIKELIHOOD * len(places) else ""
            )
            if encoding == declared and encodings[text]:
                return declared
    ranked_texts = sorted(likelihoods, key=likelihoods.__getitem__, reverse=True)
    best, second, *_ = *ranked_texts, "", ""
    lead = likelihoods.get(best, -inf) - likelihoods.get(second, -inf)
    return (
        encodings[best]
        if lead >= _MIN_LOG_LIKELIHOOD_LEAD and encodings[best] in ENCODINGS
        else None
    )


def _log_likelihood_at(text: str, n: int) -> float:
    """Return the log likelihood of the character at `n` in English, given its neighbours."""
    char = text[n]
    before = text[n - 1 : n]
    after = text[n + 1 : n + 2]
    if char.isalpha():
        amid = (before + after).strip()
        if not amid.isascii() or not any(map(str.isalpha, amid)):
            return _UNLIKELY
    return _UNLIKELY if _is_misplaced(text, n) else _LOG_LIKELIHOODS.get(char, _UNLIKELY)
