"""No number without evidence, no sentence without a number."""

from dataclasses import replace

import pytest

from reports.figures import (
    Change,
    Figure,
    FigureSentence,
    FigureText,
    NoEvidence,
    versions_json,
)

FIGURE = Figure(
    measure="mentions",
    week="2026-W10",
    brand="heye",
    value=3,
    n=3,
    query="SELECT 3",
    versions='{"posts": 1}',
    posts=("a:1",),
)


@pytest.mark.parametrize(
    ("field", "wanted"),
    [("query", "the query behind mentions of heye"), ("versions", "the versions behind")],
)
def test_a_number_needs_its_evidence(field: str, wanted: str) -> None:
    with pytest.raises(NoEvidence, match=wanted):
        replace(FIGURE, **{field: " "})


@pytest.mark.parametrize("measure", ["happiness", "mentions.trend", ""])
def test_a_number_needs_a_measure_that_is_defined(measure: str) -> None:
    with pytest.raises(NoEvidence, match=r"docs/measures\.md"):
        replace(FIGURE, measure=measure)


def test_a_sentence_needs_a_number() -> None:
    with pytest.raises(NoEvidence, match="behind the sentence 'boast'"):
        FigureSentence("boast", ("We are loved.",))
    assert FigureSentence("mentions", ("We had ", FigureText("3", FIGURE))).text == "We had 3"


def test_the_id_is_of_the_question_not_of_the_answer() -> None:
    assert replace(FIGURE, value=4, low=1, high=5).id == FIGURE.id
    for asked in (
        {"measure": "authors"},
        {"brand": "luva"},
        {"week": "2026-W11"},
        {"query": "SELECT 4"},
        {"versions": "{}"},
    ):
        assert replace(FIGURE, **asked).id != FIGURE.id


def test_missing_stays_missing_and_noise_of_the_processor_goes() -> None:
    assert replace(FIGURE, value=float("nan")).value is None
    assert replace(FIGURE, value=0.1 + 0.2).value == 0.3
    assert str(replace(FIGURE, value=-0.0).value) == "0.0"


def test_at_most_a_hundred_posts_are_kept() -> None:
    assert len(replace(FIGURE, posts=tuple(map(str, range(300)))).posts) == 100


def test_storing_evidence_does_not_change_the_ids() -> None:
    assert (
        versions_json({"posts": 2, "evidence": 9})
        == versions_json({"evidence": 3, "posts": 2})
        == '{"posts": 2}'
    )


@pytest.mark.parametrize(
    ("value", "significant", "direction"),
    [(0.1, True, "up"), (-0.1, True, "down"), (0.1, False, "none")],
)
def test_direction(value: float, significant: bool, direction: str) -> None:
    figure = replace(FIGURE, measure="share_of_voice.change", value=value)
    assert Change(figure=figure, detectable=figure, significant=significant).direction == direction
