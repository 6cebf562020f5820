"""Writing an index: new segments, new words, and what is no longer live, under the lock.

Everything is written into files of new names first, and the manifest that names them last. What an
interrupted writer left is in no manifest, and is deleted by the next one.
"""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.index.build import (
    Arrays,
    WrittenFile,
    index_documents,
    write_array,
    write_segment,
)
from corpora.index.file_ids import FILES_FOLDER
from corpora.index.layout import MANIFEST_FILE
from corpora.index.lexicon import Lexicon
from corpora.index.locking import LOCK_FILE
from corpora.index.manifest import (
    Manifest,
    SegmentEntry,
    TableVersion,
    file_record,
    sync,
    write_manifest,
)
from corpora.index.segment import Segment

MAX_LEXICON_FILES = 8
AT_FOLDER = "at"
KEPT_FOLDERS = (AT_FOLDER, FILES_FOLDER)
"""Folders of an index that its manifest does not name."""

_PARTIAL_SUFFIX = ".part"


class IndexWriter:
    """Changes to an index, which `commit` makes visible. Its user holds the lock."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Begin with what `manifest` names; what it does not name is deleted."""
        self._folder = folder
        self._manifest = manifest
        self._files = dict(manifest.files)
        self._segments = list(manifest.segments)
        self._lexicon_files = list(manifest.lexicon)
        self._next_number = manifest.next_number
        self.lexicon = Lexicon.load(*(folder / name for name in manifest.lexicon))
        if not len(self.lexicon):
            # number 0: the lemma of a word that is not tagged
            self.lexicon.add([""])

    @property
    def segments(self) -> Sequence[SegmentEntry]:
        """The segments as they will be."""
        return self._segments

    def add_documents(self, documents: pa.Table) -> None:
        """Add a segment of documents (`corpora.index.build.DOCUMENT_SCHEMA`)."""
        if documents.num_rows:
            self.add_contents(index_documents(documents, self.lexicon))

    def add_contents(self, contents: Arrays) -> None:
        """Add a segment of what documents contain (`corpora.index.build.index_documents`)."""
        self.add_segment(len(contents["days"]), lambda folder: write_segment(folder, contents))

    def add_segment(
        self, documents: int, write: Callable[[Path], Mapping[str, WrittenFile]]
    ) -> None:
        """Add a segment whose files `write` puts into an empty folder."""
        name = self._take_name("segment")
        partial_folder = self._folder / (name + _PARTIAL_SUFFIX)
        partial_folder.mkdir()
        files = write(partial_folder)
        for file_name in files:
            sync(partial_folder / file_name)
        sync(partial_folder)
        partial_folder.rename(self._folder / name)
        for file_name, file in files.items():
            self._files[f"{name}/{file_name}"] = file
        self._segments.append(SegmentEntry(name, documents))

    def remove_posts(self, ids: Sequence[str]) -> None:
        """Make the documents of these posts no longer live."""
        wanted = pa.array(ids, pa.string())
        for entry in list(self._segments):
            documents = Segment(self._folder / entry.name).documents_of_ids(wanted)
            if len(documents):
                self.remove_documents(entry, documents)

    def remove_documents(self, entry: SegmentEntry, documents: npt.NDArray[Any]) -> None:
        """Make documents of a segment no longer live; without live ones it is removed."""
        dead = np.union1d(read_dead(self._folder, entry), documents).astype(np.uint32)
        if len(dead) == entry.dead_documents:
            return
        place = self._segments.index(entry)
        if entry.dead_file:
            del self._files[entry.dead_file]
        if len(dead) == entry.documents:
            self.remove_segment(entry.name)
            return
        name = self._take_name("dead") + ".npy"
        self._files[name] = write_array(self._folder / name, dead)
        sync(self._folder / name)
        self._segments[place] = replace(entry, dead_file=name, dead_documents=len(dead))

    def remove_segment(self, name: str) -> None:
        """Take a segment out of the index."""
        self._segments = [entry for entry in self._segments if entry.name != name]
        self._files = {
            path: file for path, file in self._files.items() if not path.startswith(f"{name}/")
        }

    def commit(self, versions: Mapping[str, TableVersion]) -> Manifest:
        """Make the changes visible, as those of `versions`, and delete what is not needed."""
        self._save_words()
        manifest = Manifest(
            timezone=self._manifest.timezone,
            versions=versions,
            lexicon=tuple(self._lexicon_files),
            segments=tuple(self._segments),
            files=self._files,
            next_number=self._next_number,
        )
        sync(self._folder)
        write_manifest(self._folder, manifest)
        delete_unnamed(self._folder, manifest)
        return manifest

    def _save_words(self) -> None:
        if not self.lexicon.new_word_count:
            return
        name = self._take_name("words") + ".arrow"
        path = self._folder / name
        if len(self._lexicon_files) < MAX_LEXICON_FILES:
            self.lexicon.save_new_words(path)
        else:
            self.lexicon.save(path)
            for old_name in self._lexicon_files:
                del self._files[old_name]
            self._lexicon_files = []
        sync(path)
        self._files[name] = file_record(path)
        self._lexicon_files.append(name)

    def _take_name(self, kind: str) -> str:
        name = f"{kind}-{self._next_number:08}"
        self._next_number += 1
        return name


def read_dead(folder: Path, entry: SegmentEntry) -> npt.NDArray[np.uint32]:
    """Return the documents of a segment that are not live."""
    if entry.dead_file is None:
        return np.empty(0, np.uint32)
    dead: npt.NDArray[np.uint32] = np.load(folder / entry.dead_file, allow_pickle=False)
    return dead


def delete_unnamed(folder: Path, manifest: Manifest) -> None:
    """Delete what is in the folder of an index and is not named by its manifest.

    Who has the files open can go on reading them.
    """
    kept = {MANIFEST_FILE, LOCK_FILE, *KEPT_FOLDERS}
    kept |= {path.partition("/")[0] for path in manifest.files}
    _delete(path for path in folder.iterdir() if path.name not in kept)


def _delete(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
