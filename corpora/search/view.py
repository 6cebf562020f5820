"""What answers see of a corpus: one version of its posts, their index, and the search in it."""

from collections.abc import Iterable

from corpora.index.lexicon import Lexicon
from corpora.index.segment import Segment
from corpora.query.fields import known_values
from corpora.query.parse import parse_query
from corpora.query.syntax import Query
from corpora.search.engine import search_segments
from corpora.search.estimate import estimate_cost
from corpora.search.hits import CostEstimate, SearchResult
from corpora.store.snapshot import Snapshot
from folate.core.config import Config


class CorpusView:
    """Posts of one version and their index.

    `snapshot` and the segments have the same version, which `version` names in short.
    """

    def __init__(
        self,
        config: Config,
        snapshot: Snapshot,
        segments: Iterable[Segment],
        lexicon: Lexicon,
        version: str,
    ) -> None:
        self.config = config
        self.snapshot = snapshot
        self.segments = tuple(segments)
        self.lexicon = lexicon
        self.version = version

    def parse(self, text: str) -> Query:
        """Parse a query; saved queries of folate.toml may be part of it. Raises InputError."""
        return parse_query(text, self.config.queries, known_values(self.config))

    def search(self, query: str | Query) -> SearchResult:
        """Return the hits of a query. Raises InputError."""
        parsed = self.parse(query) if isinstance(query, str) else query
        return search_segments(self.segments, self.lexicon, parsed.tree)

    def estimate(self, query: str | Query) -> CostEstimate:
        """Estimate what a query will cost, without running it. Raises InputError."""
        parsed = self.parse(query) if isinstance(query, str) else query
        return estimate_cost(self.segments, self.lexicon, parsed.tree)
