"""Regular expressions of words: checked by RE2, so that no pattern takes more than linear time."""

import re
from functools import lru_cache

import re2

from corpora.query.syntax import Flag, Flags
from folate.core.labels import PARTS_OF_SPEECH

FLAG_LETTERS: dict[str, Flag] = {
    "c": "case",
    "d": "no_diacritics",
    "w": "width",
    "s": "script",
}
"""Letters of the flags behind a word or string, such as `%cd`."""

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# BlackLab's switches at the beginning of a pattern: both mean that case matters.
_CASE_SWITCH = re.compile(r"\(\?(?:-i|c)\)")
_FOLD_SWITCH = re.compile(r"\(\?i\)")
_BACK_REFERENCE = re.compile(r"\\[1-9k]|\(\?P=")
_LOOK_AROUND = re.compile(r"\(\?<?[=!]")


def read_flags(letters: str) -> Flags | None:
    """Return the flags of the letters behind `%`; None if one of them is no flag."""
    flags = [FLAG_LETTERS.get(letter) for letter in letters]
    return frozenset(flag for flag in flags if flag) if all(flags) else None


def write_flags(flags: Flags) -> str:
    """Return flags as they are written behind a word: `%cd`, or nothing."""
    letters = [letter for letter, flag in FLAG_LETTERS.items() if flag in flags]
    return f"%{''.join(letters)}" if letters else ""


def unescape_text(text: str) -> str:
    r"""Return the inside of a quoted text: `\"` is a quote, `\\` a backslash.

    A backslash before another character stands for itself.
    """
    return _ESCAPE.sub(lambda match: match[1] if match[1] in "\"'\\" else match[0], text)


def escape_text(text: str) -> str:
    """Return a text as it is written in double quotes: the inverse of `unescape_text`."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def unescape_pattern(text: str) -> str:
    r"""Return the inside of a quoted pattern: `\"` is a quote; other escapes are the pattern's."""
    return _ESCAPE.sub(lambda match: match[1] if match[1] in "\"'" else match[0], text)


def escape_pattern(pattern: str) -> str:
    """Return a pattern as it is written in double quotes: the inverse of `unescape_pattern`."""
    return re.sub(r'\\.|"', lambda match: r"\"" if match[0] == '"' else match[0], pattern)


def split_switches(pattern: str) -> tuple[str, Flags]:
    """Return a pattern without BlackLab's switches of case, and the flags that they mean."""
    if match := _CASE_SWITCH.match(pattern):
        return pattern[match.end() :], frozenset({"case"})
    if match := _FOLD_SWITCH.match(pattern):
        return pattern[match.end() :], frozenset()
    return pattern, frozenset()


@lru_cache(maxsize=1024)
def pattern_problem(pattern: str) -> tuple[int, str] | None:
    """Return where and why RE2 does not take a pattern; None for a good one."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        return _explain(pattern, _error_text(error))
    return None


@lru_cache(maxsize=1024)
def matches_part_of_speech(pattern: str, is_literal: bool) -> bool:
    """Return whether some part of speech, or none at all, is what a good pattern says."""
    expression = re2.escape(pattern) if is_literal else pattern
    compiled = re2.compile(f"(?i)(?:{expression})")
    return any(compiled.fullmatch(part) for part in ("", *PARTS_OF_SPEECH))


def _error_text(error: Exception) -> str:
    detail = error.args[0] if error.args else ""
    return detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)


def _explain(pattern: str, detail: str) -> tuple[int, str]:
    if match := _BACK_REFERENCE.search(pattern):
        return match.start(), (
            f"wanted a pattern without backreferences such as {match[0]}, which no engine can "
            "match in linear time; possible: captures, as in A:[] B:[] :: A.word = B.word."
        )
    if match := _LOOK_AROUND.search(pattern):
        return match.start(), (
            f"wanted a pattern without {match[0]}, which no engine can match in linear time; "
            'possible: looking around between words, as in [] (?= "b").'
        )
    reason, _, fragment = detail.partition(": ")
    position = max(0, pattern.find(fragment)) if fragment else 0
    return position, f"wanted a regular expression that RE2 takes, got {reason} {fragment[:40]!r}."
