"""The questions of the benchmark, put to Folate, and the words that they are about."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.corpus.peers import Stopwatch, Tasks
from benchmarks.corpus.posts import make_posts
from corpora import Corpus
from corpora.corpus import Corpus as OpenCorpus
from folate.core.text import contains_chinese
from folate.pipeline.project import Project

RARE_HITS = 100
PHRASE_HITS = 200
CONCORDANCE_HITS = 10_000
WORDS_PER_TASK = 5
"""Repetitions of a question, each about another word."""

REPETITIONS = 3
"""Repetitions of a question about no word."""

NEW_POSTS = 100
PARTS = {"a": "source:forum", "b": "source:weibo"}
"""Queries of the two subcorpora of keyness."""

_OPENING = """
import sys, time
start = time.perf_counter()
from corpora import Corpus
corpus = Corpus.open(sys.argv[1])
opened = time.perf_counter()
corpus.count("叶酸")
sys.stdout.write(f"{opened - start} {time.perf_counter() - opened}")
"""


def time_index(folder: Path, watch: Stopwatch) -> None:
    """Time the building of the index, its opening in a new process, and how it follows commits."""
    if not (folder / "index").exists():
        watch.measure("build", lambda: post_count(Corpus.open(folder)))
    for repetition in range(REPETITIONS):
        word = add_posts(folder, repetition)
        watch.measure("new posts found", lambda word=word: count_posts(folder, word))
        command = [sys.executable, "-c", _OPENING, str(folder)]
        output = subprocess.run(  # noqa: S603
            command, check=True, capture_output=True, text=True
        ).stdout
        opened, counted = map(float, output.split())
        watch.add("open in a new process", opened)
        watch.add("first count of a process", counted)


def add_posts(folder: Path, number: int) -> str:
    """Add posts that share a new word to a project, and return the word."""
    word = f"newword{time.time_ns()}"
    posts = make_posts(NEW_POSTS, [f"{word} is here and so are several other words today"], number)
    store = Project.open(folder).store
    store.upsert_posts([replace(post, id=f"{post.id}-{word}") for post in posts])
    return word


def count_posts(folder: Path, word: str) -> int:
    """Open a corpus and return in how many posts a word is."""
    return int(Corpus.open(folder).count(word).rows[0]["posts"])


def post_count(corpus: OpenCorpus) -> int:
    """Return the number of posts of a corpus."""
    return sum(len(segment.live_documents) for segment in corpus.segments)


def choose_words(corpus: OpenCorpus) -> Tasks:
    """Choose words and phrases by their frequency; they are of letters or Chinese characters."""
    counts = np.zeros(len(corpus.lexicon), np.int64)
    for segment in corpus.segments:
        counts[segment.words.keys] += np.diff(segment.words.offsets)
    largest = max(corpus.segments, key=lambda segment: len(segment.array("words")))
    words = np.asarray(largest.array("words"), np.uint64)
    pairs, pair_counts = np.unique(words[:-1] << np.uint64(32) | words[1:], return_counts=True)
    return {
        "rare": list(_words_near(corpus, counts, RARE_HITS)),
        "frequent": list(_words_near(corpus, counts, CONCORDANCE_HITS)),
        "phrase": list(_phrases_near(corpus, pairs, pair_counts, PHRASE_HITS)),
    }


def _words_near(corpus: OpenCorpus, counts: npt.NDArray[np.int64], wanted: int) -> Iterator[str]:
    """Yield words whose frequency is about `wanted`."""
    chosen = 0
    for number in np.argsort(np.abs(counts - wanted), kind="stable"):
        [word] = corpus.lexicon.strings(np.array([number]))
        if _is_plain(word):
            chosen += 1
            yield word
        if chosen == WORDS_PER_TASK:
            return


def _phrases_near(
    corpus: OpenCorpus,
    pairs: npt.NDArray[np.uint64],
    counts: npt.NDArray[np.int64],
    wanted: int,
) -> Iterator[str]:
    """Yield phrases of two words whose frequency is about `wanted`."""
    chosen = 0
    for index in np.argsort(np.abs(counts - wanted), kind="stable"):
        pair = int(pairs[index])
        words = corpus.lexicon.strings(np.array([pair >> 32, pair & 0xFFFFFFFF]))
        if all(map(_is_plain, words)):
            chosen += 1
            yield " ".join(words)
        if chosen == WORDS_PER_TASK:
            return


def _is_plain(word: str) -> bool:
    """Return whether every engine takes a word for one token."""
    is_chinese = len(word) > 1 and all(map(contains_chinese, word))
    return is_chinese or (word.isascii() and word.isalpha())


def write_words(corpus: OpenCorpus, path: Path) -> None:
    """Write the words of each post, joined by blanks, for the peers."""
    tables = []
    for segment in corpus.segments:
        ids = np.asarray(segment.array("words"))
        offsets = pa.array(np.asarray(segment.array("word_offsets"), np.int32))
        used, codes = np.unique(ids, return_inverse=True)
        words = [word.replace(" ", "_") for word in corpus.lexicon.strings(used)]
        flat = pa.array(words, pa.string()).take(pa.array(codes))
        joined = pc.binary_join(pa.ListArray.from_arrays(offsets, flat), " ")
        weeks = ((np.asarray(segment.array("days")) + 3) // 7).astype(np.int32)
        parts = np.full(segment.document_count, "", dtype=object)
        for part, query in PARTS.items():
            parts[segment.documents_with(query)] = part
        table = pa.table({"words": joined, "week": weeks, "part": pa.array(parts, pa.string())})
        tables.append(table.take(pa.array(segment.live_documents)))
    pq.write_table(pa.concat_tables(tables), path)


def time_questions(corpus: OpenCorpus, tasks: Tasks, watch: Stopwatch) -> None:
    """Put every question to a corpus once to warm it up, and then time it."""
    corpus.keyness(*PARTS.values(), limit=0)
    corpus.collocates(tasks["frequent"][0])
    for word in tasks["rare"]:
        query = _as_word(word)
        watch.measure("rare word", lambda query=query: _hits(corpus, query))
        watch.measure("rare string", lambda word=word: _hits(corpus, f'"{word}"'))
    for phrase in tasks["phrase"]:
        query = " ".join(map(_as_word, phrase.split()))
        watch.measure("phrase", lambda query=query: _hits(corpus, query))
    for word in tasks["frequent"]:
        query = _as_word(word)
        watch.measure("concordance", lambda query=query: _line_count(corpus, query, "date"))
        watch.measure(
            "concordance, sorted", lambda query=query: _line_count(corpus, query, "right")
        )
        watch.measure("collocates", lambda query=query: len(corpus.collocates(query)))
        watch.measure("trend by week", lambda query=query: len(corpus.trend(query)))
    for _ in range(REPETITIONS):
        watch.measure("keyness", lambda: len(corpus.keyness(*PARTS.values(), limit=0)))
        watch.measure(
            "count by week and brand",
            lambda: len(corpus.count("is:annotated", by=["week", "brand"])),
        )


def _as_word(word: str) -> str:
    return f"[word=l{json.dumps(word, ensure_ascii=False)}]"


def _hits(corpus: OpenCorpus, query: str) -> int:
    return int(corpus.count(query).rows[0]["hits"])


def _line_count(corpus: OpenCorpus, query: str, sort: str) -> int:
    return len(list(corpus.kwic(query, sort=sort)))
