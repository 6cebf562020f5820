"""An index that is damaged, half-written or of another kind is noticed, and built anew."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import corpora
from corpora.corpus import Corpus
from corpora.index import layout, manifest
from corpora.index.check import find_index_faults
from corpora.index.index import rebuild_index
from corpora.store.store import Store
from folate.core.errors import StoreError
from tests.corpora.index.index_checks import annotate, live_documents, make_post, make_project

ROOT = Path(corpora.__file__).parents[1]
OPEN = "import sys; from corpora.corpus import Corpus; Corpus.open(sys.argv[1])"
READ = """
import sys
from corpora.corpus import Corpus
for _ in range(int(sys.argv[2])):
    corpus = Corpus.open(sys.argv[1])
    stored = set(corpus.snapshot.sql("SELECT id || text AS post FROM posts")["post"].to_pylist())
    indexed = set()
    for segment in corpus.segments:
        documents = segment.live_documents
        offsets = segment.array("char_offsets")
        starts, ends = (offsets[documents + shift].astype(int) for shift in (0, 1))
        texts = segment.texts(starts, ends - 1)
        indexed |= {a + b for a, b in zip(segment.ids(documents), texts)}
    assert indexed == stored, (len(indexed), len(stored))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    store = make_project(tmp_path)
    posts = [make_post(number, f"叶酸 片 {number}") for number in range(6)]
    store.upsert_posts(posts[:4])
    annotate(store, posts[:4])
    Corpus.open(tmp_path)
    store.upsert_posts([*posts[4:], make_post(0, "other")])
    Corpus.open(tmp_path)
    return tmp_path


def store_of(project: Path) -> Store:
    return Store(project / "corpus")


def index_files(project: Path) -> list[Path]:
    folder = project / "index"
    names = [*manifest.read_manifest(folder).files, layout.MANIFEST_FILE]
    return sorted(folder / name for name in names)


def faults(project: Path) -> list[str]:
    return list(find_index_faults(project, store_of(project), "Asia/Shanghai"))


def test_a_sound_index_has_no_faults(project: Path) -> None:
    assert faults(project) == []


@pytest.mark.parametrize("seed", range(6))
def test_truncated_and_deleted_files_are_noticed(project: Path, seed: int) -> None:
    expected = live_documents(Corpus.open(project))
    chance = random.Random(seed)
    path = chance.choice(index_files(project))
    if seed % 2:
        path.unlink()
    else:
        os.truncate(path, chance.randrange(path.stat().st_size))
    assert faults(project) != []
    corpus = Corpus.open(project)
    assert live_documents(corpus) == expected
    assert faults(project) == []


@pytest.mark.parametrize("seed", range(6))
def test_a_flipped_bit_is_found_by_the_check(project: Path, seed: int) -> None:
    expected = live_documents(Corpus.open(project))
    chance = random.Random(seed)
    path = chance.choice([path for path in index_files(project) if path.stat().st_size])
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    assert faults(project) != []
    rebuild_index(project, store_of(project), "Asia/Shanghai")
    assert faults(project) == []
    assert live_documents(Corpus.open(project)) == expected


@pytest.mark.parametrize("place", [0, 20])
def test_a_file_that_is_no_array_is_built_anew(project: Path, place: int) -> None:
    expected = live_documents(Corpus.open(project))
    path = next(path for path in index_files(project) if path.name == "folded.npy")
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    corpus = Corpus.open(project)
    assert corpus.index_note == "the index is built anew, as one of its files is damaged."
    assert live_documents(corpus) == expected


def test_every_byte_of_the_manifest_counts(project: Path) -> None:
    path = project / "index" / layout.MANIFEST_FILE
    data = path.read_bytes()
    for place in range(0, len(data) - 1, max(1, len(data) // 50)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            read = manifest.read_manifest(path.parent)
        except manifest.UnusableIndex:
            continue
        path.write_bytes(data)
        assert read == manifest.read_manifest(path.parent)


def test_another_format_is_built_anew(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = live_documents(Corpus.open(project))
    monkeypatch.setattr(manifest, "FORMAT_VERSION", layout.FORMAT_VERSION + 1)
    corpus = Corpus.open(project)
    assert corpus.index_note == (
        "the index is built anew, as it was made by another version of Folate."
    )
    assert live_documents(corpus) == expected


def test_another_time_zone_is_built_anew(project: Path) -> None:
    days = {id: row["days"] for id, row in live_documents(Corpus.open(project)).items()}
    make_project(project, "America/New_York")
    corpus = Corpus.open(project)
    assert corpus.index_note == "the index is built anew, as its days are those of Asia/Shanghai."
    assert {id: row["days"] for id, row in live_documents(corpus).items()} != days


def test_what_a_killed_writer_left_is_deleted(project: Path) -> None:
    folder = project / "index"
    (folder / "segment-00000099.part").mkdir()
    (folder / "words-00000098.arrow").write_bytes(b"half")
    store_of(project).upsert_posts([make_post(9, "new")])
    assert len(live_documents(Corpus.open(project))) == 7
    assert not (folder / "segment-00000099.part").exists()
    assert not (folder / "words-00000098.arrow").exists()


def test_a_full_disk_is_said_and_the_old_index_stays(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    store_of(project).upsert_posts([make_post(9, "new")])
    monkeypatch.setattr("corpora.index.writing.sync", fail)
    with pytest.raises(StoreError, match="can't be written"):
        Corpus.open(project)
    monkeypatch.undo()
    assert faults(project) == []
    assert len(live_documents(Corpus.open(project))) == 7


@pytest.mark.slow
def test_an_index_that_is_killed_at_any_moment_is_built(project: Path) -> None:
    expected = live_documents(Corpus.open(project))
    chance = random.Random(5)
    for attempt in range(12):
        if attempt % 2:
            shutil.rmtree(project / "index")
        else:
            store_of(project).upsert_posts([make_post(1, f"again {attempt}")])
        process = start(OPEN, project)
        time.sleep(chance.uniform(0.3, 1.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
        corpus = Corpus.open(project)
        assert faults(project) == []
        assert live_documents(corpus).keys() == expected.keys()


@pytest.mark.slow
def test_queries_never_mix_versions_while_others_write(project: Path) -> None:
    readers = [start(READ, project, 12) for _ in range(2)]
    store = store_of(project)
    for number in range(40):
        store.upsert_posts([make_post(number % 9, f"text {number}"), make_post(10 + number, "x")])
        if number % 5 == 4:
            store.compact()
        if all(reader.poll() is not None for reader in readers):
            break
    for reader in readers:
        assert reader.wait() == 0
    assert faults(project) == []


def test_two_processes_at_once_make_one_index(project: Path) -> None:
    expected = live_documents(Corpus.open(project))
    shutil.rmtree(project / "index")
    processes = [start(OPEN, project) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert faults(project) == []
    corpus = Corpus.open(project)
    assert corpus.index_note is None
    assert live_documents(corpus) == expected


def start(code: str, *arguments: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT)


def test_the_manifest_is_json(project: Path) -> None:
    text = (project / "index" / layout.MANIFEST_FILE).read_text(encoding="utf-8")
    assert set(json.loads(text)) == {"checksum", "contents"}
