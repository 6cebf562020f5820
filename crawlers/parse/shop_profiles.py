"""Profiles of shops without schema.org reviews: CSS selectors. To add a shop, add a row."""

from collections.abc import Callable
from dataclasses import dataclass

from lxml import html

from crawlers.parse.markup import select_css

_NUMBER_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


@dataclass(frozen=True)
class ShopProfile:
    """CSS selectors within one review.

    `review`, `subject` and `all_reviews_link` are applied to the page.
    """

    name: str
    review: str
    read_score: Callable[[html.HtmlElement], int | None]
    author: str
    # An element whose text contains the date.
    date: str
    body: str
    title: str
    permalink: str
    subject: str
    # Links from a product to all its reviews.
    all_reviews_link: str
    votes: str = ""
    # A pattern whose groups match the number of helpful votes in the text of `votes`.
    likes: str = ""


def _score_from_class(node: html.HtmlElement) -> int | None:
    """Return the score that Oscar writes as a class, such as `star-rating Four`."""
    for element in select_css(node, ".star-rating"):
        for name in str(element.get("class")).lower().split():
            if name in _NUMBER_WORDS:
                return _NUMBER_WORDS[name]
    return None


SHOP_PROFILES = (
    ShopProfile(
        "django-oscar",
        review="article.review",
        read_score=_score_from_class,
        author="small strong",
        date="header + p + p small",
        body="header + p",
        title="header a",
        permalink="header a",
        subject=".content h2 a, .product_main h1",
        all_reviews_link='.star-rating small a[href$="/reviews/"]',
        votes="p:last-child small",
        likes=r"^(\d+) of \d+|中有(\d+)个",
    ),
)
