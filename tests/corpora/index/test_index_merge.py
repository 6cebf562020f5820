"""Segments that are merged, or built of many texts at once, are as one that is built by itself."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.index.build import DOCUMENT_SCHEMA, build_segment, write_segment
from corpora.index.folding import fold_bodies
from corpora.index.layout import ARRAYS
from corpora.index.lexicon import Lexicon
from corpora.index.merge import merge_contents
from corpora.index.segment import Segment
from nlp.text.normalize import fold_once
from nlp.text.sentences import sentence_starts

PIECES = st.sampled_from(
    ["叶酸", "乾坤", "沈默", "。", "!\n", "ok. ", "<br/>", "&hellip;", "\x00", "\t", "😀", "Ａb",
     "\n", "...", "收起全文d", "é", "　", "Read more", "@a 回复@b:", "…”", "\ufeff", "𠮷", "x", " "]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=8).map("".join)
WORDS = st.lists(st.sampled_from(["叶酸", "ok", "", "x", "folic"]), max_size=5)
FIELDS = st.lists(st.sampled_from(["source:f", "brand:a", "hashtag:叶酸", "lang:zh"]), max_size=4)


@st.composite
def documents(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for number in draw(st.permutations(range(draw(st.integers(0, 7))))):
        row: dict[str, Any] = dict.fromkeys(DOCUMENT_SCHEMA.names)
        row |= {"id": f"f:{number}", "body": draw(TEXTS), "fields": sorted(set(draw(FIELDS)))}
        row["author"] = draw(st.sampled_from(["a", None]))
        moment = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=draw(st.integers(0, 2)))
        row |= {"published_at": moment, "day": 20513, "rating": draw(st.sampled_from([None, 0.5]))}
        if draw(st.booleans()):
            words = draw(WORDS)
            bound = len(row["body"])
            row["words"] = words
            row["starts"] = sorted(draw(st.integers(0, bound)) for _ in words)
            row["lengths"] = [min(1, bound - start) for start in row["starts"]]
            if draw(st.booleans()):
                row |= {"lemmas": words, "parts": ["NOUN"] * len(words)}
        rows.append(row)
    return rows


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=12))
def test_texts_fold_together_as_they_fold_alone(texts: list[str]) -> None:
    folded = fold_bodies(pa.array(texts, pa.string()))
    for number, text in enumerate(texts):
        start, end = folded.offsets[number : number + 2].tolist()
        alone = fold_once(text)
        assert decode(folded.plain[start : end - 1]) == alone.plain.text
        assert decode(folded.folded[start : end - 1]) == alone.folded
        inside = folded.sentences[(folded.sentences >= start) & (folded.sentences < end - 1)]
        expected = [offset for offset in sentence_starts(alone.folded) if offset < end - 1 - start]
        assert (inside - start).tolist() == expected


def decode(code_points: Any) -> str:
    return "".join(map(chr, code_points.tolist()))


@settings(max_examples=60, deadline=None)
@given(documents(), st.lists(st.integers(0, 2), min_size=7, max_size=7), st.sets(st.integers(0, 6)))
def test_merged_segments_are_those_of_all_their_live_documents(
    rows: list[dict[str, Any]], places: list[int], dead_numbers: set[int]
) -> None:
    groups = [[row for row, at in zip(rows, places, strict=False) if at == n] for n in range(3)]
    dead_ids = {f"f:{number}" for number in dead_numbers}
    lexicon = Lexicon([""])
    with TemporaryDirectory() as name:
        folder = Path(name)
        segments = [
            build(folder / str(number), group, lexicon)
            for number, group in enumerate(groups)
            if group
        ]
        if not segments:
            return
        dead = [
            segment.documents_of_ids(pa.array(sorted(dead_ids), pa.string()))
            for segment in segments
        ]
        (folder / "merged").mkdir()
        write_segment(folder / "merged", merge_contents(segments, dead))
        merged = Segment(folder / "merged")
        fresh = build(folder / "fresh", [row for row in rows if row["id"] not in dead_ids], lexicon)
        for array in ARRAYS:
            np.testing.assert_array_equal(merged.array(array), fresh.array(array), array)


def build(folder: Path, rows: Sequence[dict[str, Any]], lexicon: Lexicon) -> Segment:
    folder.mkdir()
    build_segment(folder, pa.Table.from_pylist(list(rows), DOCUMENT_SCHEMA), lexicon)
    return Segment(folder)
