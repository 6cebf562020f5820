"""Every query of docs/query-language.md is parsed, and run on the posts that the page shows."""

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest

from corpora.index.build import DOCUMENT_SCHEMA, build_segment
from corpora.index.lexicon import Lexicon
from corpora.index.segment import Segment
from corpora.query.canonical import canonical
from corpora.query.fields import FIELDS, known_values
from corpora.query.json_form import NODE_CLASSES
from corpora.query.parse import parse_query
from corpora.query.syntax import Filter
from corpora.search.engine import search_segments
from folate.core.config import parse_config
from folate.core.errors import InputError
from nlp.text.segment import Segmenter
from nlp.text.tagging import WordTagger

PAGE = Path(__file__).parents[2] / "docs" / "query-language.md"
TEXT = PAGE.read_text(encoding="utf-8")
CONFIG = parse_config({"name": "x", "brands": [{"id": "kraft", "names": ["卡夫", "Kraft"]}]})
_CELL = re.compile(r"(?<!\\)\|")

Cells = dict[str, str]


def tables(first_column: str) -> Iterator[list[Cells]]:
    """Yield the tables of the page whose first column has this name, as rows of cells."""
    for block in re.findall(r"(?m)(?:^\|.*\n)+", TEXT):
        lines = [_split(line) for line in block.splitlines()]
        if lines[0][0] == first_column:
            yield [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]


def _split(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _CELL.split(line.strip())[1:-1]]


def code(cell: str) -> str:
    assert cell.startswith("`"), cell
    assert cell.endswith("`"), cell
    return cell[1:-1]


def rows_of(first_column: str) -> list[Cells]:
    return [row for table in tables(first_column) for row in table]


QUERIES = rows_of("query")
REFUSED = rows_of("refused")
SAVED = tomllib.loads("\n".join(re.findall(r"(?m)^    (\w+ = ['\"@].*)$", TEXT)))


@cache
def posts() -> pa.Table:
    """Return the posts of the page as documents of an index, with the words of Folate."""
    rows = []
    tagger = WordTagger(Segmenter(CONFIG.vocabulary), ["卡夫", "Kraft"])
    for cells in rows_of("id"):
        words = tagger.segmenter.locate_words(cells["text"])
        tags = {(word.start, word.end): word for word in tagger.tag_words([cells["text"]])[0]}
        spans = zip(words.starts, words.lengths, strict=True)
        tokens = [tags.get((start, start + length)) for start, length in spans]
        conditions = _conditions(cells["is also"])
        day = date.fromisoformat(cells["day"])
        rows.append(
            {
                "id": cells["id"],
                "author": cells["author"],
                "published_at": datetime(day.year, day.month, day.day, tzinfo=UTC),
                "day": (day - date(1970, 1, 1)) // timedelta(days=1),
                "rating": _stars(conditions),
                "body": cells["text"],
                "words": words.words,
                "starts": words.starts,
                "lengths": words.lengths,
                "lemmas": [token.lemma or "" if token else "" for token in tokens],
                "parts": [token.pos or "" if token else "" for token in tokens],
                "fields": [
                    f"{node.field}:{node.value}" for node in conditions if node.field != "rating"
                ]
                + [f"source:{cells['source']}"],
            }
        )
    return pa.Table.from_pylist(rows, schema=DOCUMENT_SCHEMA)


def _conditions(text: str) -> list[Filter]:
    tree = parse_query(f"{text} is:annotated", known=known_values(CONFIG)).tree
    return [node for node in tree.items if isinstance(node, Filter)]


def _stars(conditions: list[Filter]) -> float | None:
    stars = [float(node.value) / 5 for node in conditions if node.field == "rating"]
    return stars[0] if stars else None


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Segment], Lexicon]:
    folder = tmp_path_factory.mktemp("segment")
    lexicon = Lexicon()
    build_segment(folder, posts(), lexicon)
    return [Segment(folder, None)], lexicon


@pytest.mark.parametrize("cells", QUERIES, ids=[cells["query"] for cells in QUERIES])
def test_a_query_of_the_page_finds_what_the_page_says(cells, index):
    query = parse_query(code(cells["query"]), SAVED, known_values(CONFIG))
    if "canonical form" in cells:
        assert query.canonical == code(cells["canonical form"])
    else:
        assert query.canonical == code(cells["query"])
    result = search_segments(*index, query.tree)
    assert str(result.hit_count) == cells["hits"]
    assert "posts" not in cells or str(result.post_count) == cells["posts"]
    again = search_segments(*index, parse_query(canonical(query.tree)).tree)
    assert again.hit_count == result.hit_count


@pytest.mark.parametrize("cells", REFUSED, ids=[cells["refused"] for cells in REFUSED])
def test_a_query_that_the_page_refuses_is_refused_for_its_reason(cells):
    with pytest.raises(InputError, match=re.escape(cells["because"])) as caught:
        parse_query(code(cells["refused"]), SAVED, known_values(CONFIG))
    assert str(caught.value).startswith(f"query, character {cells['at character']}: ")


def test_the_error_of_the_page_is_printed_like_that():
    with pytest.raises(InputError) as caught:
        parse_query('"a"{0,100000}')
    printed = [f"folate: {caught.value}", *caught.value.__notes__[0].splitlines()]
    assert "\n".join(f"    {line}" for line in printed) in TEXT


def test_every_query_of_the_last_column_for_experts_is_a_query():
    for cells in rows_of("in BlackLab"):
        for text in re.findall(r"`([^`]*)`", cells["in Folate"]):
            if text not in ("%c", "(?-i)", "(?c)", "(?i)", "<text/>", "<doc/>"):
                parse_query(text, SAVED, known_values(CONFIG))


def test_the_page_has_every_field_and_every_node_of_the_tree():
    fields = {code(row["field"]).removesuffix(":"): row for row in rows_of("field")}
    assert list(fields) == list(FIELDS)
    for name, row in fields.items():
        assert row["selects"] == FIELDS[name].selects
        assert row["value"] == FIELDS[name].values
        assert code(row["example"]) == FIELDS[name].example
    types = " ".join(row["type"] for row in rows_of("type"))
    assert set(re.findall(r"`(\w+)`", types)) == set(NODE_CLASSES)


def test_there_are_as_many_chinese_queries_as_english_ones():
    chinese = [cells for cells in QUERIES if re.search("[一-鿿]", cells["query"])]
    english = [cells for cells in QUERIES if re.search(r"[\"= (][a-z]{3,}", cells["query"])]
    assert len(chinese) * 2 >= len(english)
