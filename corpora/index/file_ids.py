"""Which data files of the store have rows of given posts, so that only these are read.

For each file the hashes of its ids are kept, sorted, in a file of their own beside the index. Data
files never change, so neither do these; one that is missing or damaged is made again.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.index.strings import hash_texts
from corpora.store.schema import TABLES
from folate.core.files import open_atomically

FILES_FOLDER = "files"


class FileIds:
    """The ids of posts in each data file."""

    def __init__(self, index_folder: Path) -> None:
        self._folder = index_folder / FILES_FOLDER

    def files_with(
        self, files_by_table: Mapping[str, Sequence[str]], ids: Sequence[str]
    ) -> dict[str, list[str]]:
        """Return the files of each table that may have rows of these posts.

        Tables whose rows are not those of posts have all their files. Raises OSError and
        pyarrow.ArrowInvalid for a file that can't be read.
        """
        hashes = np.sort(hash_texts(pa.array(ids, pa.string())))
        return {
            name: [path for path in files if not _has_ids(name) or self._contains(path, hashes)]
            for name, files in files_by_table.items()
        }

    def prepare(self, files_by_table: Mapping[str, Sequence[str]]) -> None:
        """Read the ids of all files that were not read yet, and forget those of other files.

        Raises as `files_with` does.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        wanted: set[str] = set()
        for name, files in files_by_table.items():
            if _has_ids(name):
                wanted.update(files)
        names = {self._path(path).name for path in wanted}
        _delete(path for path in self._folder.iterdir() if path.name not in names)
        for path in sorted(wanted):
            if not self._path(path).exists():
                self._read_ids(path)

    def _contains(self, data_file: str, hashes: npt.NDArray[np.uint64]) -> bool:
        stored = self._hashes(data_file)
        places = np.searchsorted(stored, hashes)
        is_inside = places < len(stored)
        return bool((stored[places[is_inside]] == hashes[is_inside]).any())

    def _hashes(self, data_file: str) -> npt.NDArray[np.uint64]:
        try:
            hashes: npt.NDArray[np.uint64] = np.load(self._path(data_file), mmap_mode="r")
        except (OSError, ValueError):
            return self._read_ids(data_file)
        return hashes

    def _read_ids(self, data_file: str) -> npt.NDArray[np.uint64]:
        """Read the ids of a data file, and keep their hashes."""
        ids = pq.ParquetFile(data_file).read(columns=["id"])["id"].combine_chunks()
        hashes = np.sort(hash_texts(ids))
        self._folder.mkdir(parents=True, exist_ok=True)
        with open_atomically(self._path(data_file)) as file:
            np.save(file, hashes)
        return hashes

    def _path(self, data_file: str) -> Path:
        return self._folder / f"{blake2b(data_file.encode(), digest_size=12).hexdigest()}.npy"


def _has_ids(table: str) -> bool:
    """Return whether the column `id` of a table is that of posts."""
    return TABLES[table].key_columns[0] == "id"


def _delete(paths: Iterable[Path]) -> None:
    for path in list(paths):
        path.unlink(missing_ok=True)
