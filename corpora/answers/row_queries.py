"""Queries of rows: trees whose posts are those that a row of an answer counts."""

from corpora.answers.words import WordForm
from corpora.query.build import all_of, any_of
from corpora.query.syntax import And, Filter, Near, Node, Not, Or, Sequence, Word, WordMatch


def word_node(word: str, form: WordForm = "word") -> Word:
    """Return the tree that matches a word as the index has it: `[word="a"]`."""
    return Word(WordMatch(form, word, is_literal=True))


def words_node(words: tuple[str, ...]) -> Node:
    """Return the tree that matches words in a row: `[word="a"] [word="b"]`."""
    nodes = tuple(word_node(word) for word in words)
    return nodes[0] if len(nodes) == 1 else Sequence(nodes)


def both_nodes(*nodes: Node | None) -> Node:
    """Return the tree of posts that all of the trees select; None selects all."""
    return all_of([node for node in nodes if node is not None])


def near_node(node: Node, word: Word, before: int, after: int) -> Node | None:
    """Return the tree of posts of `node` that have a word near one of its hits.

    None where it has no hits: it is a condition on posts only. The hits that count are those of
    `node`, so that each side of an OR keeps its own conditions.
    """
    match node:
        case And(items):
            near_items = [near_node(item, word, before, after) for item in items]
            found = tuple(near for near in near_items if near is not None)
            if len(found) == 1:
                # what is near a hit implies the hit
                pairs = zip(items, near_items, strict=True)
                return all_of([item if near is None else near for item, near in pairs])
            return all_of([*items, any_of(found)]) if found else None
        case Or(items):
            near_items = [near_node(item, word, before, after) for item in items]
            found = tuple(near for near in near_items if near is not None)
            return any_of(found) if found else None
        case Not() | Filter():
            return None
    return Near(node, word, before, after)
