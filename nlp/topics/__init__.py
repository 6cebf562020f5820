"""Emerging topics: terms used by more distinct authors than the weeks before predict."""

from nlp.topics.alarms import MIN_BASELINE_WEEKS
from nlp.topics.discovery import discover_topics, rank_topics
from nlp.topics.topic import Discovery, Topic

__all__ = ["MIN_BASELINE_WEEKS", "Discovery", "Topic", "discover_topics", "rank_topics"]
