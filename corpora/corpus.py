"""The corpus of a project: one object that answers a researcher's questions."""

from pathlib import Path

from corpora.search.view import CorpusView


class Corpus(CorpusView):
    """The questions that can be asked of a corpus. `Corpus.open` makes one for a project."""

    @classmethod
    def open(cls, folder: str | Path, at: str | None = None) -> "Corpus":
        """Open the corpus of the project in `folder`, at a version or as it is now.

        The index is brought up to date first. Raises ConfigError, StoreError, NotFound (a version
        that is gone).
        """
        raise NotImplementedError
