"""Audience segments: golden texts, and the project's own in place of the built-in ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folate.core.config import AudienceSegment
from nlp.extract.segments import SegmentDetector, strip_reposts

GOLDEN = Path(__file__).parents[1] / "golden" / "audience.tsv"
AUDIENCE = SegmentDetector()


def golden(part: str) -> list[tuple[str, set[str]]]:
    rows = (
        line.split("\t")
        for line in GOLDEN.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"{part}\t")
    )
    return [
        (text, set() if segments == "-" else set(segments.split())) for _, text, segments in rows
    ]


@pytest.mark.parametrize(("text", "wanted"), golden("rules"))
def test_golden(text: str, wanted: set[str]) -> None:
    assert set(AUDIENCE.find_segments(text)) == wanted


def test_texts_held_out_stay_above_the_floor() -> None:
    pairs = [(set(AUDIENCE.find_segments(text)), wanted) for text, wanted in golden("held")]
    right = sum(len(found & wanted) for found, wanted in pairs)
    assert right / sum(len(found) for found, _ in pairs) >= 0.95
    assert right / sum(len(wanted) for _, wanted in pairs) >= 0.75


def test_a_segment_of_the_project_takes_the_place_of_a_built_in_one() -> None:
    audience = SegmentDetector(
        [AudienceSegment(id="pregnant", names=("孕妈",), terms=("folic", "葉酸"))]
    )
    assert audience.find_segments("我怀孕了") == []
    assert audience.find_segments("吃叶酸") == audience.find_segments("FOLIC acid") == ["pregnant"]
    assert audience.find_segments("folicle") == []
    assert audience.display_names("pregnant") == ("孕妈",)
    assert audience.segment_ids[0] == "pregnant"
    assert audience.segment_ids.count("pregnant") == 1


def test_a_segment_without_terms_finds_nobody() -> None:
    assert "x" not in SegmentDetector(
        [AudienceSegment(id="x", names=("x",), terms=(" ",))]
    ).find_segments("x")


def test_built_in_segments_have_a_chinese_and_an_english_name() -> None:
    for segment in AUDIENCE.segment_ids:
        chinese, english = AUDIENCE.display_names(segment)
        assert english.isascii()
        assert not chinese.isascii()


def test_what_is_quoted_is_not_the_author_s() -> None:
    assert strip_reposts("好 //@a: 我怀孕了") == "好 "


@given(st.text(max_size=200))
def test_any_text_gives_known_segments_once(text: str) -> None:
    found = AUDIENCE.find_segments(text)
    assert sorted(set(found), key=AUDIENCE.segment_ids.index) == found
