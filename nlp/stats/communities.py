"""Communities of authors who answer and repost each other."""

from collections.abc import Mapping
from itertools import chain

import networkx as nx

LOUVAIN_SEED = 7  # any fixed number: the same graph must give the same communities
InteractionCounts = Mapping[tuple[str, str], int]
"""(author who answers, author who is answered) -> how often."""


def interaction_graph(interactions: InteractionCounts) -> nx.DiGraph:
    """Return the graph of authors and interactions, in an order that the input does not change."""
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(set(chain.from_iterable(interactions))))
    graph.add_weighted_edges_from(
        (answering, answered, interactions[answering, answered])
        for answering, answered in sorted(interactions)
    )
    return graph


def detect_communities(interactions: InteractionCounts) -> dict[str, int]:
    """Return the community of each author, 0 for the largest.

    Communities of equal size are in the order of their first member. Louvain (Blondel et al. 2008)
    on undirected edges, with the weights of both directions added.
    """
    directed = interaction_graph(interactions)
    undirected = nx.Graph()
    undirected.add_nodes_from(directed)
    for answering, answered, weight in directed.edges(data="weight"):
        before = undirected.get_edge_data(answering, answered, {"weight": 0})["weight"]
        undirected.add_edge(answering, answered, weight=before + weight)
    if not undirected:
        return {}
    communities = sorted(
        nx.community.louvain_communities(undirected, seed=LOUVAIN_SEED),
        key=lambda authors: (-len(authors), min(authors)),
    )
    community_of = {}
    for number, authors in enumerate(communities):
        community_of.update(dict.fromkeys(authors, number))
    return community_of


def to_graphml(
    interactions: InteractionCounts, attributes: Mapping[str, Mapping[str, str | int | float]]
) -> str:
    """Return the graph as GraphML, for Gephi and similar programs.

    `attributes` has the attributes of authors. Authors are hashes, never names.
    """
    graph = interaction_graph(interactions)
    nx.set_node_attributes(graph, {author: dict(attributes.get(author, {})) for author in graph})
    return "\n".join(nx.generate_graphml(graph)) + "\n"
