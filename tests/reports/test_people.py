"""Voices, communities, the path of a topic and unanswered questions, on small corpora."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from corpora.store.snapshot import Snapshot
from folate.core.config import Config
from folate.core.weeks import Week
from reports.context import ReportContext
from reports.sections.people.find import People, find_people, interaction_graphml
from reports.sections.topics import load_topics


@pytest.fixture
def corpus_of_answers(blank: Any, monday: datetime) -> Any:
    """One loud author whom twelve answer, one with followers, and a quiet one with a question."""
    loud = blank.add(
        "禾叶真香", monday, author="loud", likes=5, replies=12, reposts=0, shares=(0.1, 0.1, 0.8)
    )
    for number in range(12):
        at = monday + timedelta(hours=number + 1)
        blank.add(f"同感 {number}", at, author=f"fan{number:02}", parent=loud.id)
    blank.add(
        "禾叶一般",
        monday,
        author="famous",
        followers=9000,
        likes=3,
        replies=0,
        shares=(0.6, 0.3, 0.1),
    )
    question = blank.add("禾叶有无糖的吗？", monday + timedelta(days=1), author="quiet", replies=0)
    answered = blank.add("禾叶哪里买？", monday + timedelta(days=2), author="asker", replies=1)
    blank.add("禾叶的官网在哪里看？", monday, source="shop", author="unseen")
    blank.tables["judgements"] = [
        {"id": post.id, "text_hash": post.text_hash, "annotator": "t", "version": "1", "ask": 0.9}
        for post in (question, answered, blank.posts[-1])
    ]
    return blank


@pytest.fixture
def section(corpus_of_answers: Any, tmp_path: Path, config: Config, week: Week) -> People:
    return find_people(ReportContext(corpus_of_answers.snapshot(tmp_path), config, week), ())


def test_voices_are_by_reach_times_engagement_with_opinion_apart(section: People) -> None:
    famous, loud = section.voices
    assert (famous.author, famous.reach.value, famous.engagement.value, famous.opinion.value) == (
        "famous",
        9000,
        3,
        -0.5,
    )
    assert (loud.author, loud.reach.value, loud.engagement.value, loud.opinion.value) == (
        "loud",
        12,
        17,
        0.7,
    )


def test_a_community_of_ten_or_more(section: People) -> None:
    [group] = section.communities
    assert (group.people.value, group.centre, group.brands) == (13, "loud", ("heye",))


def test_unanswered_among_those_whose_answers_can_be_seen(section: People) -> None:
    assert section.questions is not None
    assert (
        section.questions.asked.value,
        section.questions.unanswered.value,
        section.questions.unanswered.n,
    ) == (3, 0.5, 2)
    assert [quote.text for quote in section.questions.quotes] == ["禾叶有无糖的吗？"]


def test_the_network_as_graphml(
    corpus_of_answers: Any, tmp_path: Path, config: Config, week: Week
) -> None:
    context = ReportContext(corpus_of_answers.snapshot(tmp_path), config, week)
    graph = nx.parse_graphml(interaction_graphml(context))
    assert graph.in_degree("loud") == 12
    assert graph.nodes["loud"]["community"] == graph.nodes["fan03"]["community"]


def test_who_was_first_on_a_topic(snapshot: Snapshot, config: Config, week: Week) -> None:
    context = ReportContext(snapshot, config, week)
    [spread] = find_people(context, load_topics(context)).spreads
    assert spread.topic == "t-folic"
    assert spread.spreader is None  # nobody answered


def test_no_own_brand_has_no_questions(snapshot: Snapshot, config: Config, week: Week) -> None:
    others = Config(name="none", timezone=config.timezone, brands=config.brands[1:])
    assert find_people(ReportContext(snapshot, others, week), ()).questions is None
