"""Communities of people who answer and repost each other."""

from collections.abc import Mapping

import networkx as nx

SEED = 7  # of Louvain's order of visits: any fixed number, the same graph must give the same communities
Ties = Mapping[tuple[str, str], int]
"""(who answers, who is answered) -> how often."""


def graph(ties: Ties) -> nx.DiGraph:
    """The people and their ties, in a fixed order whatever the order of `ties`."""
    made = nx.DiGraph()
    made.add_nodes_from(sorted({person for tie in ties for person in tie}))
    made.add_weighted_edges_from((one, other, ties[one, other]) for one, other in sorted(ties))
    return made


def communities(ties: Ties) -> dict[str, int]:
    """Community of each person, 0 for the largest; those with equally many people by their first member.

    Louvain (Blondel et al. 2008) on the undirected ties, weights added.
    """
    whole = graph(ties)
    undirected = nx.Graph()
    undirected.add_nodes_from(whole)
    for one, other, weight in whole.edges(data="weight"):
        before = undirected.get_edge_data(one, other, {"weight": 0})["weight"]
        undirected.add_edge(one, other, weight=before + weight)
    if not undirected:
        return {}
    found = sorted(
        nx.community.louvain_communities(undirected, seed=SEED),
        key=lambda people: (-len(people), min(people)),
    )
    return {person: number for number, people in enumerate(found) for person in people}


def graphml(ties: Ties, about: Mapping[str, Mapping[str, str | int | float]]) -> str:
    """The graph as GraphML, for Gephi and its like; `about` gives attributes of people. People are hashes, never names."""
    made = graph(ties)
    nx.set_node_attributes(made, {person: dict(about.get(person, {})) for person in made})
    return "\n".join(nx.generate_graphml(made)) + "\n"
