"""Shops that write no schema.org reviews: where in their markup a review stands. Adding a shop means adding a row."""

from collections.abc import Callable
from dataclasses import dataclass

from lxml import html

from crawlers.parse.markup import select_css

_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


@dataclass(frozen=True)
class ShopProfile:
    """CSS selectors inside one review (`review` finds the reviews, `subject` and `all_reviews` are looked up in the page)."""

    name: str
    review: str
    read_score: Callable[[html.HtmlElement], int | None]
    author: str
    date: str  # an element whose text holds the date
    body: str
    title: str
    permalink: str
    subject: str
    all_reviews_link: str  # links from a product to all its reviews
    votes: str = ""
    likes: str = ""  # the number of those who found it useful, in the text of `votes`


def _class_word(node: html.HtmlElement) -> int | None:
    """Oscar writes the score as a class: `star-rating Four`."""
    for element in select_css(node, ".star-rating"):
        for name in str(element.get("class")).lower().split():
            if name in _WORDS:
                return _WORDS[name]
    return None


SHOP_PROFILES = (
    ShopProfile(
        "django-oscar",
        review="article.review",
        read_score=_class_word,
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
