"""Reviews that shops serve as JSON or JSONP: under which keys things stand. Adding a shop means adding a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PayloadFormat:
    """Dotted paths: `reviews` from the top to the list, the others within one review."""

    name: str
    reviews_path: str
    native_id: str
    text: str
    date: str
    author: str
    title: str = ""
    subject: str = ""
    score: str = ""  # of 1 to 5
    likes: str = ""
    non_review_marker: str = ""  # in an entry of the list that is no review
    missing_list_is_empty: bool = False  # whether a missing list is an empty one


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
    """What stands under the dotted `path` in nested mappings; None when it is not there or the path is empty."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def coerce_to_list(value: Any) -> list[Any]:
    """The elements of a list; what a server that drops or turns lists sends instead: its one element, or {"0": …, "1": …}."""
    if isinstance(value, Mapping):
        return (
            list(value.values())
            if value and all(key.isdecimal() for key in value)
            else [value]
            if value
            else []
        )
    return value if isinstance(value, list) else []
