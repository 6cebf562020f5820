"""The corpus of a project: one object that answers a researcher's questions."""

from pathlib import Path

from corpora.index.index import open_index
from corpora.index.versions import version_name
from corpora.search.view import CorpusView
from corpora.store.store import STORE_FOLDER, Store
from folate.core.config import load_config


class Corpus(CorpusView):
    """The questions that can be asked of a corpus. `Corpus.open` makes one for a project."""

    index_note: str | None = None
    """Why the index was built anew when the corpus was opened, if it was."""

    @classmethod
    def open(cls, folder: str | Path, at: str | None = None) -> "Corpus":
        """Open the corpus of the project in `folder`, at a version or as it is now.

        The index is brought up to date first. Raises ConfigError, StoreError, NotFound (a version
        that is gone).
        """
        project_folder = Path(folder)
        config = load_config(project_folder)
        store = Store(project_folder / STORE_FOLDER)
        index = open_index(project_folder, store, config, at)
        version = version_name(index.versions)
        corpus = cls(config, index.snapshot, index.segments, index.lexicon, version)
        corpus.index_note = index.note
        return corpus
