"""Other engines on the same words: `python -m benchmarks.corpus.peers NAME WORDS.parquet TASKS`.

It needs only the peer and pyarrow, and runs in an environment of the peers' own (`make
bench-corpus` makes it). WORDS.parquet has the columns `words` (of one post, joined by blanks),
`week` and `part` ("a" or "b", the two subcorpora of keyness). TASKS is a JSON file of the words to
ask for. Prints JSON: for each task the seconds of each repetition and the number of hits.
"""

import json
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyarrow.csv import write_csv

Times = dict[str, dict[str, Any]]
Tasks = dict[str, list[str]]
MAX_HITS = 1_000_000
COLLOCATES = 50
"""Rows of a table of collocates, the most typical first."""


class Stopwatch:
    """Times of tasks, each of several repetitions with other words."""

    def __init__(self) -> None:
        self.times: Times = {}

    def measure(self, task: str, question: Callable[[], int]) -> None:
        """Time one repetition of a task; the question returns its number of hits or rows."""
        start = time.perf_counter()
        hits = question()
        self.add(task, time.perf_counter() - start, hits)

    def add(self, task: str, seconds: float, hits: int = 0) -> None:
        """Add one repetition of a task that was timed elsewhere."""
        entry = self.times.setdefault(task, {"seconds": [], "hits": []})
        entry["seconds"].append(seconds)
        entry["hits"].append(hits)


def run_conc(words: Path, tasks: Tasks, work: Path) -> Times:
    """Ask conc (Polars): its own tokens are the words, except for signs inside of them."""
    import pyarrow.compute as pc
    import spacy
    from conc.conc import Conc
    from conc.corpus import Corpus

    watch = Stopwatch()
    # A tokenizer alone: conc loads a pipeline by name and switches parts off that this one lacks.
    tokenizer = spacy.blank("xx")
    tokenizer.disable_pipes = lambda names: None
    spacy.load = lambda name: tokenizer
    table = pq.read_table(words)
    folders = {}
    for part in ("all", "a", "b"):
        rows = table if part == "all" else table.filter(pc.equal(table["part"], part))
        csv = work / f"{part}.csv"
        write_csv(rows.select(["words"]).rename_columns(["text"]), csv)

        def build(part: str = part, csv: Path = csv, count: int = len(rows)) -> int:
            corpus = Corpus(name=part, description=part)
            corpus.build_from_csv(source_path=str(csv), save_path=str(work), model="blank")
            folders[part] = corpus.corpus_path
            return count

        watch.measure("build" if part == "all" else f"build {part}", build)
    watch.measure("open", lambda: len(Corpus().load(folders["all"]).corpus_path))
    corpora = {part: Corpus().load(folder) for part, folder in folders.items()}
    conc = Conc(corpora["all"])
    for word in tasks["rare"]:
        watch.measure("rare word", lambda word=word: _conc_rows(conc, word))
    for phrase in tasks["phrase"]:
        watch.measure("phrase", lambda phrase=phrase: _conc_rows(conc, phrase))
    for word in tasks["frequent"]:
        watch.measure("concordance, sorted", lambda word=word: _conc_rows(conc, word))
        watch.measure(
            "collocates",
            lambda word=word: len(
                conc.collocates(word, context_length=5, page_size=COLLOCATES).to_frame()
            ),
        )
    focus = Conc(corpora["a"])
    focus.set_reference_corpus(corpora["b"])
    watch.measure("keyness", lambda: len(focus.keywords(page_size=MAX_HITS).to_frame()))
    return watch.times


def _conc_rows(conc: Any, word: str) -> int:
    return len(conc.concordance(word, context_length=5, page_size=MAX_HITS).to_frame())


def run_tantivy(words: Path, tasks: Tasks, work: Path) -> Times:
    """Ask tantivy (Rust): it finds posts; the places in them are sought in Python."""
    import tantivy

    watch = Stopwatch()
    texts = pq.read_table(words)["words"].to_pylist()
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("words", stored=True, tokenizer_name="whitespace")
    index = tantivy.Index(builder.build(), path=str(work))

    def build() -> int:
        writer = index.writer(heap_size=500_000_000)
        for text in texts:
            writer.add_document(tantivy.Document(words=text))
        writer.commit()
        writer.wait_merging_threads()
        return len(texts)

    watch.measure("build", build)
    watch.measure("open", lambda: tantivy.Index.open(str(work)).searcher().num_docs)
    index.reload()
    searcher = index.searcher()

    def count(text: str) -> int:
        query = index.parse_query(f'"{text}"', ["words"])
        return int(searcher.search(query, 1, count=True).count)

    def concordance(word: str) -> int:
        query = index.parse_query(f'"{word}"', ["words"])
        lines = 0
        for _, address in searcher.search(query, MAX_HITS, count=False).hits:
            tokens = searcher.doc(address)["words"][0].split(" ")
            for place, token in enumerate(tokens):
                if token == word:
                    " ".join(tokens[max(0, place - 5) : place + 6])
                    lines += 1
        return lines

    for word in tasks["rare"]:
        watch.measure("rare word", lambda word=word: count(word))
    for phrase in tasks["phrase"]:
        watch.measure("phrase", lambda phrase=phrase: count(phrase))
    for word in tasks["frequent"]:
        watch.measure("concordance", lambda word=word: concordance(word))
    return watch.times


def run_fts5(words: Path, tasks: Tasks, work: Path) -> Times:
    """Ask SQLite FTS5 on the words as separated by blanks."""
    watch = Stopwatch()
    texts = pq.read_table(words)["words"].to_pylist()
    path = work / "fts.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE VIRTUAL TABLE posts USING fts5(words, tokenize = 'unicode61')")

    def build() -> int:
        rows = ((text,) for text in texts)
        connection.executemany("INSERT INTO posts VALUES (?)", rows)
        connection.commit()
        return len(texts)

    watch.measure("build", build)
    watch.measure(
        "open", lambda: len(sqlite3.connect(path).execute("PRAGMA user_version").fetchall())
    )
    counting = "SELECT count(*) FROM posts WHERE posts MATCH ?"
    lines = "SELECT snippet(posts, 0, '[', ']', '…', 11) FROM posts WHERE posts MATCH ?"

    def count(text: str) -> int:
        return int(connection.execute(counting, (f'"{text}"',)).fetchone()[0])

    for word in tasks["rare"]:
        watch.measure("rare word", lambda word=word: count(word))
    for phrase in tasks["phrase"]:
        watch.measure("phrase", lambda phrase=phrase: count(phrase))
    for word in tasks["frequent"]:
        watch.measure(
            "concordance",
            lambda word=word: len(connection.execute(lines, (f'"{word}"',)).fetchall()),
        )
    return watch.times


def run_duckdb(words: Path, tasks: Tasks, work: Path) -> Times:
    """Ask plain DuckDB, which scans the words of all posts."""
    import duckdb

    watch = Stopwatch()
    path = work / "corpus.duckdb"
    connection = duckdb.connect(str(path))
    create = (
        "CREATE TABLE posts AS SELECT string_split(words, ' ') AS words, week, part "
        "FROM read_parquet(?)"
    )

    def build() -> int:
        connection.execute(create, [str(words)])
        return int(connection.execute("SELECT count(*) FROM posts").fetchone()[0])

    watch.measure("build", build)
    single = "SELECT count(*) FROM posts WHERE list_contains(words, ?)"
    phrase_query = (
        "SELECT count(*) FROM posts WHERE contains(' ' || array_to_string(words, ' ') || ' ', ?)"
    )
    lines = """
        SELECT words[greatest(1, place - 5) : place - 1], words[place], words[place + 1 : place + 5]
        FROM (SELECT words, unnest(list_where(range(1, len(words) + 1),
              list_transform(words, lambda word: word = $word))) AS place
              FROM posts WHERE list_contains(words, $word))
    """
    trend = "SELECT week, count(*) FROM posts WHERE list_contains(words, ?) GROUP BY week"
    collocates = f"""
        SELECT near, count(*) AS observed FROM (SELECT unnest(left_words || right_words) AS near
        FROM ({lines}) AS l(left_words, hit, right_words)) GROUP BY near HAVING observed >= 3
    """
    keyness = """
        SELECT word, count(*) FILTER (WHERE part = 'a'), count(*) FILTER (WHERE part = 'b')
        FROM (SELECT DISTINCT part, unnest(words) AS word, rowid FROM posts) GROUP BY word
    """
    for word in tasks["rare"]:
        watch.measure("rare word", lambda word=word: _rows(connection, single, [word])[0][0])
    for phrase in tasks["phrase"]:
        watch.measure(
            "phrase", lambda phrase=phrase: _rows(connection, phrase_query, [f" {phrase} "])[0][0]
        )
    for word in tasks["frequent"]:
        parameters = {"word": word}
        watch.measure(
            "concordance", lambda parameters=parameters: len(_rows(connection, lines, parameters))
        )
        watch.measure(
            "collocates",
            lambda parameters=parameters: len(_rows(connection, collocates, parameters)),
        )
        watch.measure("trend by week", lambda word=word: len(_rows(connection, trend, [word])))
    watch.measure("keyness", lambda: len(_rows(connection, keyness, [])))
    return watch.times


def _rows(connection: Any, query: str, parameters: Any) -> list[Any]:
    rows: list[Any] = connection.execute(query, parameters).fetchall()
    return rows


PEERS = {"conc": run_conc, "tantivy": run_tantivy, "fts5": run_fts5, "duckdb": run_duckdb}


def main() -> None:
    name, words, tasks = sys.argv[1:4]
    work = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    try:
        times = PEERS[name](Path(words), json.loads(Path(tasks).read_text("utf-8")), work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    sys.stdout.write(json.dumps(times) + "\n")


if __name__ == "__main__":
    main()
