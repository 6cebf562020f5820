"""The index of a corpus: brought up to date with the store, and opened at one version of it."""

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import numpy as np
import pyarrow as pa
from filelock import FileLock, Timeout

from corpora.index import changes, documents, merge
from corpora.index.build import index_documents
from corpora.index.file_ids import FileIds
from corpora.index.layout import INDEX_FOLDER
from corpora.index.lexicon import Lexicon
from corpora.index.locking import LOCK_FILE, locked_folder
from corpora.index.manifest import (
    Manifest,
    SegmentEntry,
    UnusableIndex,
    check_sizes,
    read_manifest,
)
from corpora.index.segment import Segment
from corpora.index.versions import parse_version_name, version_name
from corpora.index.writing import AT_FOLDER, IndexWriter, delete_unnamed, read_dead
from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.config import Config
from folate.core.errors import NotFound, StoreError
from folate.core.progress import track_progress

KEPT_OLD_VERSIONS = 3
"""Indexes of old versions that are kept."""

MAX_CHANGED_SHARE = 0.3
"""Of the documents: when more changed, the index is built anew."""

_MAX_ATTEMPTS = 20
_FEW_POSTS = 1_000


@dataclass(frozen=True)
class OpenIndex:
    """Segments, lexicon and snapshot of one version. Later writers do not disturb them."""

    segments: tuple[Segment, ...]
    lexicon: Lexicon
    # of every table that the snapshot has
    versions: Mapping[str, int]
    snapshot: Snapshot
    # why the index was built anew, if it was: a sentence
    note: str | None = None


def open_index(
    project_folder: Path, store: Store, config: Config, at: str | None = None
) -> OpenIndex:
    """Bring the index of a project up to date with the store, and open it.

    Given `at`, a name that `version_name` gave, the corpus is opened as it was then. Raises
    StoreError, and NotFound for a version that is gone.
    """
    folder = project_folder / INDEX_FOLDER
    if at is None:
        return _open_newest(folder, store, config.timezone)
    return _open_version(folder, store, config.timezone, parse_version_name(at))


def _open_newest(folder: Path, store: Store, timezone: str) -> OpenIndex:
    note = None
    snapshot: Snapshot | None = None
    for _ in range(_MAX_ATTEMPTS):
        present_versions = store.versions()
        manifest = load_manifest(folder, timezone)
        wanted = changes.table_versions(store.root, present_versions)
        if manifest is None or manifest.versions != wanted:
            manifest, snapshot, new_note = refresh_index(folder, store, timezone)
            note = new_note or note
        try:
            segments, lexicon = open_files(folder, manifest)
        except FileNotFoundError:
            # another process has merged segments or refreshed the index since
            continue
        except UnusableIndex as problem:
            note = f"the index is built anew, as {problem}."
            _build_newest(folder, store, timezone)
            continue
        if snapshot is None or not _is_of(snapshot, manifest):
            versions = _other_versions(present_versions) | manifest.version_numbers
            # most questions read the index alone
            snapshot = store.snapshot(versions, is_lazy=True)
        if merge.find_merge(manifest.segments, folder):
            merge_in_background(folder.parent, timezone)
        return OpenIndex(segments, lexicon, snapshot.versions, snapshot, note)
    raise StoreError(f"the index in {folder} changed {_MAX_ATTEMPTS} times while it was opened.")


def _is_of(snapshot: Snapshot, manifest: Manifest) -> bool:
    """Return whether an index has the documents of a snapshot."""
    numbers = {k: v for k, v in snapshot.versions.items() if k in changes.COMPARED_COLUMNS}
    return numbers == manifest.version_numbers


def _other_versions(versions: Mapping[str, int]) -> dict[str, int]:
    """Return the versions of the tables that no document is made of."""
    return {
        name: version for name, version in versions.items() if name not in changes.COMPARED_COLUMNS
    }


def _open_version(
    folder: Path, store: Store, timezone: str, versions: Mapping[str, int]
) -> OpenIndex:
    """Open an old version: the newest index where it is of that version, else one of its own."""
    snapshot = _old_snapshot(store, versions)
    wanted = changes.table_versions(store.root, versions)
    numbers = {table: version.number for table, version in wanted.items()}
    old_folder = folder / AT_FOLDER / version_name(numbers)
    for place in (folder, old_folder, old_folder):
        manifest = load_manifest(place, timezone)
        if manifest is None or manifest.versions != wanted:
            if place == folder:
                continue
            with _locked(place):
                manifest = build_index(place, store, snapshot, timezone, Manifest(timezone))
        try:
            segments, lexicon = open_files(place, manifest)
        except (FileNotFoundError, UnusableIndex):
            continue
        _forget_old_versions(folder / AT_FOLDER, old_folder)
        return OpenIndex(segments, lexicon, dict(versions), snapshot)
    raise StoreError(f"the index in {old_folder} was deleted while it was opened.")


def _old_snapshot(store: Store, versions: Mapping[str, int]) -> Snapshot:
    """Return the snapshot of old versions. Raises NotFound where their files were deleted."""
    name = version_name(versions)
    present_versions = store.versions()
    for table, version in versions.items():
        if version > present_versions.get(table, -1):
            raise NotFound(
                f"wanted the corpus at {name}, got a store whose newest version is "
                f"{version_name(present_versions)}."
            )
    try:
        return store.snapshot(versions)
    except StoreError as error:
        # of damage, the present version tells as well
        store.snapshot(present_versions)
        raise NotFound(
            f"the version {name} is gone, as 'folate compact' deleted files that only it needs; "
            f"the present one is {version_name(present_versions)}."
        ) from error


def _forget_old_versions(at_folder: Path, opened: Path) -> None:
    """Delete all but the indexes of old versions that were opened last."""
    if not opened.exists():
        return
    (opened / LOCK_FILE).touch()
    folders = [path for path in at_folder.iterdir() if (path / LOCK_FILE).exists()]
    folders.sort(key=lambda path: (path / LOCK_FILE).stat().st_mtime, reverse=True)
    for folder in folders[KEPT_OLD_VERSIONS:]:
        shutil.rmtree(folder, ignore_errors=True)


def load_manifest(folder: Path, timezone: str) -> Manifest | None:
    """Return the manifest of a usable index, or None."""
    try:
        return usable_manifest(folder, timezone)
    except UnusableIndex:
        return None


def usable_manifest(folder: Path, timezone: str) -> Manifest:
    """Return the manifest of an index whose files are all there. Raises UnusableIndex."""
    manifest = read_manifest(folder)
    if manifest.timezone != timezone:
        raise UnusableIndex(f"its days are those of {manifest.timezone}")
    check_sizes(folder, manifest)
    return manifest


def open_files(folder: Path, manifest: Manifest) -> tuple[tuple[Segment, ...], Lexicon]:
    """Map all files of an index into memory, so that they may be deleted.

    Raises FileNotFoundError, UnusableIndex.
    """
    try:
        lexicon = Lexicon.load(*(folder / name for name in manifest.lexicon))
        segments = tuple(_open_segment(folder, entry) for entry in manifest.segments)
    except (ValueError, AssertionError) as error:
        raise UnusableIndex("one of its files is damaged") from error
    return segments, lexicon


def _open_segment(folder: Path, entry: SegmentEntry) -> Segment:
    live = None
    if entry.dead_documents:
        live = np.ones(entry.documents, bool)
        live[read_dead(folder, entry)] = False
    segment = Segment(folder / entry.name, live)
    segment.map_arrays()
    return segment


def _locked(folder: Path) -> AbstractContextManager[None]:
    """Let no other process write the index in `folder` during a block. Raises StoreError."""
    waiting = "waiting for another command that updates the index"
    return locked_folder(folder, "the index", waiting)


def refresh_index(
    folder: Path, store: Store, timezone: str
) -> tuple[Manifest, Snapshot, str | None]:
    """Bring the index in `folder` up to date with the store as it is now.

    Returns its manifest, the snapshot that it is of, and why it was built anew, if it was. Raises
    StoreError.
    """
    with _locked(folder):
        snapshot = store.snapshot()
        try:
            manifest = usable_manifest(folder, timezone)
        except UnusableIndex as problem:
            is_new = not (folder / "manifest.json").exists()
            note = None if is_new else f"the index is built anew, as {problem}."
            manifest = build_index(folder, store, snapshot, timezone, Manifest(timezone))
            return manifest, snapshot, note
        delete_unnamed(folder, manifest)
        wanted = changes.table_versions(store.root, snapshot.versions)
        if manifest.versions == wanted:
            return manifest, snapshot, None
        try:
            ids = changes.find_changed_posts(store.root, snapshot, manifest.versions)
        except changes.UnknownChanges:
            note = "the index is built anew, as the store's history is not that which it was of."
            return build_index(folder, store, snapshot, timezone, manifest), snapshot, note
        document_count = sum(entry.documents for entry in manifest.segments)
        if len(ids) > max(_FEW_POSTS, MAX_CHANGED_SHARE * document_count):
            return build_index(folder, store, snapshot, timezone, manifest), snapshot, None
        writer = IndexWriter(folder, manifest)
        if ids:
            writer.remove_posts(ids)
            writer.add_documents(_read_changed(folder, store, snapshot, timezone, ids))
            merge_small_segments(writer, folder)
        return writer.commit(wanted), snapshot, None


def merge_small_segments(writer: IndexWriter, folder: Path) -> None:
    """Merge segments as far as that is quick."""
    while (entries := merge.find_merge(writer.segments, folder)) and merge.is_quick(entries):
        merge.merge_entries(writer, folder, entries)


def merge_in_background(project_folder: Path, timezone: str) -> Thread:
    """Merge the segments of a project's index in a thread that ends with the program.

    It gives way to other writers. Who has the index open goes on reading what it has.
    """
    thread = Thread(
        target=merge_all_segments, args=(project_folder / INDEX_FOLDER, timezone), daemon=True
    )
    thread.start()
    return thread


def merge_all_segments(folder: Path, timezone: str) -> None:
    """Merge the segments of an index, unless another process writes it or the disk is full."""
    with suppress(OSError, UnusableIndex, Timeout), FileLock(folder / LOCK_FILE, timeout=0):
        manifest = usable_manifest(folder, timezone)
        while entries := merge.find_merge(manifest.segments, folder):
            writer = IndexWriter(folder, manifest)
            merge.merge_entries(writer, folder, entries)
            manifest = writer.commit(manifest.versions)


def rebuild_index(project_folder: Path, store: Store, timezone: str) -> Manifest:
    """Build the index of a project anew, and delete those of old versions. Raises StoreError."""
    folder = project_folder / INDEX_FOLDER
    shutil.rmtree(folder / AT_FOLDER, ignore_errors=True)
    return _build_newest(folder, store, timezone)


def _build_newest(folder: Path, store: Store, timezone: str) -> Manifest:
    with _locked(folder):
        return build_index(folder, store, store.snapshot(), timezone, Manifest(timezone))


def _read_changed(
    folder: Path, store: Store, snapshot: Snapshot, timezone: str, ids: Sequence[str]
) -> pa.Table:
    """Return the documents of posts, read from those files that have rows of them."""
    try:
        files = FileIds(folder).files_with(document_files(snapshot), ids)
    except pa.ArrowInvalid as error:
        raise StoreError(f"a file of the store can't be read ({error}): run 'folate check'.") from (
            error
        )
    few_files = Snapshot(store.root, snapshot.versions, files=files)
    return documents.read_documents(few_files, timezone, ids)


def document_files(snapshot: Snapshot) -> dict[str, list[str]]:
    """Return the data files of the tables that documents are made of."""
    return {
        name: list(files)
        for name, files in snapshot.files_by_table.items()
        if name in changes.COMPARED_COLUMNS
    }


def build_index(
    folder: Path, store: Store, snapshot: Snapshot, timezone: str, old: Manifest
) -> Manifest:
    """Build the index of a snapshot in `folder`, whose lock is held, and replace the old one."""
    total = snapshot.sql("SELECT count(*) AS posts FROM posts")["posts"][0].as_py()
    next_number = max([old.next_number, *map(_name_number, folder.iterdir())])
    writer = IndexWriter(folder, Manifest(timezone, next_number=next_number))
    with (
        track_progress("indexing posts", total) as progress,
        # beside the folding of texts, of which Python does one at a time
        ThreadPoolExecutor(1) as executor,
    ):
        pending = executor.submit(FileIds(folder).prepare, document_files(snapshot))
        for batch in documents.read_all_documents(snapshot, timezone, folder):
            contents = index_documents(batch, writer.lexicon)
            pending.result()
            pending = executor.submit(writer.add_contents, contents)
            progress.advance(batch.num_rows)
            del batch, contents
        pending.result()
    return writer.commit(changes.table_versions(store.root, snapshot.versions))


def _name_number(path: Path) -> int:
    """Return a number above that in the name of a file or folder of an index."""
    digits = path.name.partition("-")[2][:8]
    return int(digits) + 1 if digits.isdecimal() else 0
