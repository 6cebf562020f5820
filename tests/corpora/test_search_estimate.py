"""The cost of a query is known before it runs, and what it can't do is said."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from corpora.index.lexicon import Lexicon
from corpora.index.segment import Segment
from corpora.query.parse import parse_query
from corpora.search import engine
from corpora.search.engine import search_segments
from corpora.search.estimate import estimate_cost
from folate.core.errors import InputError
from tests.corpora.naive_search import Row
from tests.corpora.test_search import build_segments

TEXTS = ["folic acid or folate", "folic", "acid acid acid acid", "叶酸片 吃叶酸"]


def row(number: int, body: str) -> Row:
    words = body.split()
    starts = [sum(map(len, words[:place])) + place for place in range(len(words))]
    return {
        "id": f"p{number}",
        "author": None,
        "published_at": datetime(2026, 1, 1, tzinfo=UTC),
        "day": 20454,
        "rating": None,
        "body": body,
        "words": words if number else None,
        "starts": starts if number else None,
        "lengths": list(map(len, words)) if number else None,
        "lemmas": None,
        "parts": None,
        "fields": ["brand:kraft"] if number % 2 else [],
    }


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[list[Segment], Lexicon]:
    # the first text has no words yet
    rows = [row(number, text) for number, text in enumerate([TEXTS[0], *TEXTS])]
    return build_segments([(post, 0, True) for post in rows], tmp_path)


def test_estimate_names_the_costly_parts(corpus: tuple[list[Segment], Lexicon]) -> None:
    estimate = estimate_cost(*corpus, parse_query('叶酸 [word="acid"] []{0,3} "folate"').tree)
    assert estimate.parts == {"叶酸": 2, '[word="acid"] []{0,3} [word="folate"]': 1}
    assert estimate.postings == 3
    assert 0 < estimate.seconds < 1


def test_estimate_of_metadata_reads_no_postings(corpus: tuple[list[Segment], Lexicon]) -> None:
    assert estimate_cost(*corpus, parse_query("brand:kraft").tree).postings == 0


def test_posts_without_words_are_said(corpus: tuple[list[Segment], Lexicon]) -> None:
    result = search_segments(*corpus, parse_query('[word="folic"]').tree)
    assert result.notes == ("1 of 5 posts have no words yet: run 'folate annotate'",)
    assert result.hit_count == 2
    assert search_segments(*corpus, parse_query("folic").tree).hit_count == 3
    assert search_segments(*corpus, parse_query("folic").tree).notes == ()


def test_posts_without_tags_are_said(corpus: tuple[list[Segment], Lexicon]) -> None:
    notes = search_segments(*corpus, parse_query('[pos="NOUN"] brand:kraft').tree).notes
    assert notes[0].startswith("2 of 2 posts have no lemmas and parts of speech yet")
    assert notes[1].startswith("1 of 5 posts are not annotated yet, and brand: finds none of them")


def test_too_many_hits_are_refused(
    corpus: tuple[list[Segment], Lexicon], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MAX_HITS", 5)
    with pytest.raises(InputError, match="wanted at most 5 hits"):
        search_segments(*corpus, parse_query("[]{1,2}").tree)


def test_positions_are_not_compared_with_texts(corpus: tuple[list[Segment], Lexicon]) -> None:
    with pytest.raises(InputError, match="possible"):
        search_segments(*corpus, parse_query("A:[] B:[] :: A.word < B.word").tree)
