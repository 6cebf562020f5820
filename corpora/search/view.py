"""What answers see of a corpus: one version of its posts, their index, and the search in it."""

from collections.abc import Iterable

from corpora.index.lexicon import Lexicon
from corpora.index.segment import Segment
from corpora.query.syntax import Query
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
        raise NotImplementedError

    def search(self, query: str | Query) -> SearchResult:
        """Return the hits of a query. Raises InputError."""
        raise NotImplementedError

    def estimate(self, query: str | Query) -> CostEstimate:
        """Estimate what a query will cost, without running it. Raises InputError."""
        raise NotImplementedError
