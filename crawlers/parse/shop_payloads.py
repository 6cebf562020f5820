"""Formats of reviews as JSON or JSONP, as dotted paths. To add a shop, add a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PayloadFormat:
    """Dotted paths: `reviews_path` from the root to the list, the others within one review."""

    name: str
    reviews_path: str
    native_id: str
    text: str
    date: str
    author: str
    title: str = ""
    subject: str = ""
    # A score from 1 to 5.
    score: str = ""
    likes: str = ""
    # Present in entries of the list that are not reviews.
    non_review_marker: str = ""
    # Whether a missing list means that there are no reviews.
    missing_list_is_empty: bool = False


PAYLOAD_FORMATS = (
    PayloadFormat(
        "JD",
        reviews_path="comments",
        native_id="id",
        text="content",
        date="creationTime",
        author="nickname",
        subject="referenceName",
        score="score",
        likes="usefulVoteCount",
    ),
    PayloadFormat(
        "Tmall",
        reviews_path="data.rateList",
        native_id="id",
        text="feedback",
        date="feedbackDate",
        author="userNick",
    ),
    PayloadFormat(
        "App Store",
        reviews_path="feed.entry",
        native_id="id.label",
        text="content.label",
        date="updated.label",
        author="author.uri.label",
        title="title.label",
        score="im:rating.label",
        likes="im:voteSum.label",
        non_review_marker="im:name.label",  # the app itself, first in older feeds
        missing_list_is_empty=True,
    ),
)


def value_at_path(value: Any, path: str) -> Any:
    """Return the value at a dotted path in nested mappings; None when there is none."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def coerce_to_list(value: Any) -> list[Any]:
    """Return a list, also from its single element or from {"0": …, "1": …}, as some servers send.

    Any other value gives an empty list.
    """
    if isinstance(value, Mapping):
        if not value:
            return []
        is_numbered = all(key.isdecimal() for key in value)
        return list(value.values()) if is_numbered else [value]
    return value if isinstance(value, list) else []
