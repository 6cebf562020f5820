"""Checks of an index against the checksums of its files and against the store, and its size."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.index.index import open_files, usable_manifest
from corpora.index.layout import INDEX_FOLDER
from corpora.index.lexicon import Lexicon
from corpora.index.manifest import UnusableIndex, find_changed_files
from corpora.index.segment import Segment
from corpora.index.strings import hash_texts
from corpora.store.store import Store
from folate.core.progress import show_elapsed_time

_STORED_WORDS = """
SELECT coalesce(sum(len(words)), 0)::BIGINT AS words FROM texts
WHERE len(starts) = len(words) AND len(lengths) = len(words)
""".strip()


def find_index_faults(project_folder: Path, store: Store, timezone: str) -> Iterator[str]:
    """Yield what is wrong with the index of a project, in sentences; nothing is changed.

    It may be of an earlier version of the store than the newest. Raises StoreError.
    """
    folder = project_folder / INDEX_FOLDER
    try:
        manifest = usable_manifest(folder, timezone)
        segments, lexicon = open_files(folder, manifest)
    except (UnusableIndex, FileNotFoundError) as problem:
        yield f"the index can't be used: {problem}."
        return
    with show_elapsed_time("reading the index"):
        changed_files = list(find_changed_files(folder, manifest))
    for path in changed_files:
        yield f"the file {path} does not have the contents that were written."
    if changed_files:
        return
    snapshot = store.snapshot(manifest.version_numbers)
    stored = np.sort(hash_texts(snapshot.sql("SELECT id FROM posts")["id"].combine_chunks()))
    indexed = _indexed_ids(segments)
    missing = len(stored) - np.isin(stored, indexed).sum()
    surplus = len(indexed) - np.isin(indexed, stored).sum()
    if missing or surplus or len(stored) != len(indexed):
        yield (
            f"of the {len(stored):,} posts of the store {missing:,} are not in the index, and "
            f"{surplus:,} of the {len(indexed):,} posts in the index are not in the store."
        )
    stored_words = snapshot.sql(_STORED_WORDS)["words"][0].as_py()
    indexed_words = count_contents(segments, lexicon)["words"]
    # fewer are no fault: words that are not in the text have no place
    if indexed_words > stored_words:
        yield f"the index has {indexed_words:,} words and the store {stored_words:,}."


def _indexed_ids(segments: Sequence[Segment]) -> npt.NDArray[np.uint64]:
    """Return the sorted hashes of the ids of all live posts."""
    hashes = [np.empty(0, np.uint64)]
    for segment in segments:
        keys = segment.array("id_keys")
        if segment.live is None:
            hashes.append(keys)
        else:
            hashes.append(keys[segment.live[segment.array("id_documents")]])
    return np.sort(np.concatenate(hashes))


def count_contents(segments: Sequence[Segment], lexicon: Lexicon) -> dict[str, Any]:
    """Count the live posts of an index, their words and characters, and the words it knows."""
    counts = dict.fromkeys(("posts", "posts_without_words", "words", "characters"), 0)
    for segment in segments:
        live = segment.live_documents
        counts["posts"] += len(live)
        counts["posts_without_words"] += int(np.count_nonzero(~segment.has_words[live]))
        counts["words"] += int(np.diff(segment.array("word_offsets"))[live].sum())
        counts["characters"] += int((np.diff(segment.array("char_offsets")) - 1)[live].sum())
    return counts | {"lexicon": len(lexicon), "segments": len(segments)}


def measure_bytes(project_folder: Path) -> int:
    """Return the bytes of all files of the index of a project."""
    paths = (project_folder / INDEX_FOLDER).rglob("*")
    return sum(path.stat().st_size for path in paths if path.is_file())
