"""Reviews that shops serve as JSON or JSONP: under which keys things stand. Adding a shop means adding a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Payload:
    """Dotted paths: `reviews` from the top to the list, the others within one review."""

    name: str
    reviews: str
    native: str
    text: str
    date: str
    author: str
    title: str = ""
    subject: str = ""
    score: str = ""  # of 1 to 5
    likes: str = ""


PAYLOADS = (
    Payload(
        "JD",
        reviews="comments",
        native="id",
        text="content",
        date="creationTime",
        author="nickname",
        subject="referenceName",
        score="score",
        likes="usefulVoteCount",
    ),
    Payload("Tmall", reviews="data.rateList", native="id", text="feedback", date="feedbackDate", author="userNick"),
    Payload(
        "App Store",
        reviews="feed.entry",
        native="id.label",
        text="content.label",
        date="updated.label",
        author="author.uri.label",
        title="title.label",
        score="im:rating.label",
        likes="im:voteSum.label",
    ),
)


def at(value: Any, path: str) -> Any:
    """What stands under the dotted `path` in nested mappings; None when it is not there or the path is empty."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
