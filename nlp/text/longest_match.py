"""A list of words as one regular expression that finds the longest of them at each place."""

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

_Node: TypeAlias = dict[str, "_Node"]

SPACED_LETTERS = "a-z_\u00df-\u00f6\u00f8-\u024f\u0370-\u03ff\u0400-\u052f"
"""Inside of a character class: lower-case letters of scripts that put spaces between words."""

_IS_LETTER = re.compile(f"[{SPACED_LETTERS}]")
_GROUP = 48
_BEFORE = f"(?<![{SPACED_LETTERS}0-9])"


def longest_match_pattern(words: Iterable[str]) -> str:
    """The source of an expression that matches the longest of `words` at a place; "" when there are none.

    Words and text are folded (`nlp.text.normalize.fold_text`). A word that begins or ends in a Latin, Greek or Cyrillic letter or in a
    digit begins and ends there in the text too, except that a digit may follow a letter and a letter a digit: `iphone` is
    in `iphone12`, `iphone 1` is not. A space in a word stands for any number of spaces, none included.
    """
    bounded: _Node = {}
    free: _Node = {}
    for word in sorted(set(words)):
        node = bounded if _IS_LETTER.match(word) or word[:1].isdecimal() else free
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return "|".join([_BEFORE + group for group in _groups(bounded)] + _groups(free))


def _groups(trie: _Node) -> list[str]:
    """Expressions of some first characters each: one look at a set of them passes over thousands of words."""
    firsts = sorted(trie)
    chunks = (firsts[start : start + _GROUP] for start in range(0, len(firsts), _GROUP))
    return [
        f"(?=[{re.escape(''.join(chunk))}]){_expression({c: trie[c] for c in chunk}, '')}"
        for chunk in chunks
    ]


def _expression(node: _Node, last: str) -> str:
    """What may follow at `node`, which the character `last` led to; longer words first."""
    branches = list(_branches(node, last))
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def _branches(node: _Node, last: str) -> Iterator[str]:
    for character, following in node.items():
        if character:
            yield (" *" if character == " " else re.escape(character)) + _expression(
                following, character
            )
    if "" in node:
        yield (
            f"(?![{SPACED_LETTERS}])"
            if _IS_LETTER.match(last)
            else "(?![0-9])"
            if last.isdecimal()
            else ""
        )
