import itertools

import networkx as nx

from nlp.stats.communities import detect_communities, to_graphml

CIRCLES = [[f"a{n}" for n in range(6)], [f"b{n}" for n in range(4)]]
TIES = {tie: 2 for circle in CIRCLES for tie in itertools.combinations(circle, 2)} | {
    ("a0", "b0"): 1
}


def test_those_who_answer_each_other_are_together_and_the_largest_comes_first() -> None:
    found = detect_communities(TIES)
    assert {person for person, number in found.items() if number == 0} == set(CIRCLES[0])
    assert {person for person, number in found.items() if number == 1} == set(CIRCLES[1])


def test_the_order_of_ties_changes_nothing() -> None:
    backwards = dict(reversed(TIES.items()))
    assert detect_communities(backwards) == detect_communities(TIES)
    assert to_graphml(backwards, {}) == to_graphml(TIES, {})


def test_nobody() -> None:
    assert detect_communities({}) == {}


def test_graphml_comes_back_with_weights_and_attributes() -> None:
    back = nx.parse_graphml(to_graphml(TIES, {"a0": {"community": 3}}))
    assert back.edges["a0", "b0"]["weight"] == 1
    assert back.nodes["a0"]["community"] == 3
