"""Communities of people who answer and repost each other."""

from collections.abc import Mapping

import networkx as nx

LOUVAIN_SEED = 7  # of Louvain's order of visits: any fixed number, the same graph must give the same communities
InteractionCounts = Mapping[tuple[str, str], int]
"""(who answers, who is answered) -> how often."""


def interaction_graph(interactions: InteractionCounts) -> nx.DiGraph:
    """The people and their ties, in a fixed order whatever the order of `ties`."""
    made = nx.DiGraph()
    made.add_nodes_from(sorted({person for tie in interactions for person in tie}))
    made.add_weighted_edges_from(
        (one, other, interactions[one, other]) for one, other in sorted(interactions)
    )
    return made


def detect_communities(interactions: InteractionCounts) -> dict[str, int]:
    """Community of each person, 0 for the largest; those with equally many people by their first member.

    Louvain (Blondel et al. 2008) on the undirected ties, weights added.
    """
    whole = interaction_graph(interactions)
    undirected = nx.Graph()
    undirected.add_nodes_from(whole)
    for one, other, weight in whole.edges(data="weight"):
        before = undirected.get_edge_data(one, other, {"weight": 0})["weight"]
        undirected.add_edge(one, other, weight=before + weight)
    if not undirected:
        return {}
    found = sorted(
        nx.community.louvain_communities(undirected, seed=LOUVAIN_SEED),
        key=lambda people: (-len(people), min(people)),
    )
    return {person: number for number, people in enumerate(found) for person in people}


def to_graphml(
    interactions: InteractionCounts, attributes: Mapping[str, Mapping[str, str | int | float]]
) -> str:
    """The graph as GraphML, for Gephi and its like; `about` gives attributes of people. People are hashes, never names."""
    made = interaction_graph(interactions)
    nx.set_node_attributes(made, {person: dict(attributes.get(person, {})) for person in made})
    return "\n".join(nx.generate_graphml(made)) + "\n"
