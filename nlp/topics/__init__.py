"""Emerging topics: what more people write about this week than the weeks before let expect (docs/topics.md)."""

from nlp.topics.detect import MIN_WEEKS
from nlp.topics.discovery import discover, ranked
from nlp.topics.topic import Discovery, Topic

__all__ = ["MIN_WEEKS", "Discovery", "Topic", "discover", "ranked"]
