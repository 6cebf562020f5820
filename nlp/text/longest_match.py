"""A list of words as one regular expression that finds the longest of them at each offset."""

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

_Node: TypeAlias = dict[str, "_Node"]

SPACED_LETTERS = "a-z_\u00df-\u00f6\u00f8-\u024f\u0370-\u03ff\u0400-\u052f"
"""Inside of a character class: lower-case letters of scripts that put spaces between words."""

_IS_LETTER = re.compile(f"[{SPACED_LETTERS}]")
_GROUP_SIZE = 48
_BEFORE = f"(?<![{SPACED_LETTERS}0-9])"


def longest_match_pattern(words: Iterable[str]) -> str:
    """Return an expression that matches the longest of the words at an offset; "" without words.

    Words and text must be folded (`nlp.text.normalize.fold_text`). A word that begins or ends in a
    Latin, Greek or Cyrillic letter or in a digit begins and ends there in the text too, except that
    a digit may follow a letter and a letter a digit: `iphone` is in `iphone12`, `iphone 1` is not.
    A space in a word matches any number of spaces, none included.
    """
    bounded: _Node = {}
    free: _Node = {}
    for word in sorted(set(words)):
        node = bounded if _IS_LETTER.match(word) or word[:1].isdecimal() else free
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return "|".join([_BEFORE + group for group in _group_patterns(bounded)] + _group_patterns(free))


def _group_patterns(trie: _Node) -> list[str]:
    """Return expressions for the words of a trie, each for some of the first characters.

    One test for a set of first characters passes over thousands of words.
    """
    first_characters = sorted(trie)
    chunks = (
        first_characters[start : start + _GROUP_SIZE]
        for start in range(0, len(first_characters), _GROUP_SIZE)
    )
    patterns = []
    for chunk in chunks:
        words = {character: trie[character] for character in chunk}
        patterns.append(f"(?=[{re.escape(''.join(chunk))}]){_node_pattern(words, '')}")
    return patterns


def _node_pattern(node: _Node, last_character: str) -> str:
    """Return what may follow at a node, reached by `last_character`; longer words first."""
    branches = list(_branch_patterns(node, last_character))
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def _branch_patterns(node: _Node, last_character: str) -> Iterator[str]:
    for character, following in node.items():
        if character:
            yield (" *" if character == " " else re.escape(character)) + _node_pattern(
                following, character
            )
    if "" in node:
        yield _end_pattern(last_character)


def _end_pattern(last_character: str) -> str:
    """Return the expression for the boundary after a word."""
    if _IS_LETTER.match(last_character):
        return f"(?![{SPACED_LETTERS}])"
    return "(?![0-9])" if last_character.isdecimal() else ""
