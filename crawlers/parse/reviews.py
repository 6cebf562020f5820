"""Parser of product reviews.

Reviews are read from schema.org data, else by `crawlers.parse.shop_profiles` and `.shop_payloads`.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from hashlib import blake2b
from itertools import chain, islice
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from lxml import html

from crawlers.parse.markup import html_to_text, link_urls, next_page_url, select_css, visible_text
from crawlers.parse.page import (
    NESTING_PROBLEM,
    DroppedItem,
    Link,
    Page,
    ParsedPage,
    RequestContext,
    SourceInfo,
    infer_date_order,
)
from crawlers.parse.schema_org import (
    Thing,
    extract_structured_data,
    first_value,
    iterate_things,
    text_value,
    thing_id,
    thing_types,
)
from crawlers.parse.shop_payloads import (
    PAYLOAD_FORMATS,
    PayloadFormat,
    coerce_to_list,
    value_at_path,
)
from crawlers.parse.shop_profiles import SHOP_PROFILES, ShopProfile
from folate.core.counts import CountError, parse_count_or_none, parse_rating
from folate.core.dates import DateError, DateOrder, TimestampWithPrecision, find_date
from folate.core.post import TIME_PRECISIONS

# The start of the path of a product; a digit follows it.
_PRODUCT_PATH = re.compile(
    r"/(?:products?|items?|goods|catalogue|dp|subject|reviews?|shop|p)/", re.I
)
_DIGIT = re.compile(r"\d")
_OTHER_PATH = re.compile(
    r"/(?:basket|cart|checkout|accounts?|login|search|add|category|categories)(?:/|$)", re.I
)
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_ANY_AUTHOR = "*"  # key of reviews by text alone
_MAX_CANDIDATES = 50  # reviews of equal text that are compared with one review
_ELLIPSIS = "..."  # NFKC turns an ellipsis into it, too
_MIN_TRUNCATED_LENGTH = 15  # characters without spaces; sites cut texts after some dozens
_REVIEW_TYPES = frozenset({"Review", "UserReview", "CriticReview"})
_SUBJECT_TYPES = frozenset({"Product", "LodgingBusiness", "Restaurant", "LocalBusiness", "Recipe"})
_ANONYMOUS_AUTHOR = re.compile(r"anonymous( user)?|guest|匿名(用户|评论|买家)?|游客", re.I)
_ASCII_PUNCTUATION = str.maketrans("‘’“”‐‑–—", "''\"\"----")
_NAME_MASK = "**"  # in a name that the site shows in part: 木***子
_TRAILING_NUMBER = re.compile(r"(?<!\d)(\d+)/?$")


def parse_review_page(page: Page, source_info: SourceInfo, context: RequestContext) -> ParsedPage:
    """Parse a page of a shop to its reviews and the pages to request next.

    A `start` page without reviews is treated as a list of products: its links that look like
    products are followed, and the sitemap when there are none or the page is the site's front page.
    """
    if re.match(rb"\s*(<\?xml[^>]*>\s*)?<(urlset|sitemapindex)\b", page.body):
        return _parse_sitemap(page, context)
    parsed = ParsedPage()
    if page.json is not None:
        _add_payload_reviews(parsed, page, source_info)
        return parsed
    product = {
        "role": "product",
        "query": context["query"],
        "product": context.get("product", page.url),
    }
    _add_schema_reviews(parsed, page, source_info)
    if not parsed.posts:
        _add_shop_reviews(parsed, page, source_info)
    if page.too_deep:
        parsed.problems.append(NESTING_PROBLEM)
    next_url = next_page_url(page)
    if next_url:
        next_page = context.get("page", 1) + 1
        next_context = {**context, "product": product["product"], "page": next_page}
        parsed.links.append(Link(next_url, next_context))
    for shop in SHOP_PROFILES:
        review_urls = link_urls(page, shop.all_reviews_link)
        parsed.links += [Link(url, product) for url in review_urls]
    if context["role"] == "start" and not parsed.listed_ids:
        product_urls = _product_urls(page)
        parsed.links += [Link(url, {**product, "product": url}) for url in product_urls]
        if not product_urls or urlsplit(context["query"]).path in ("", "/"):
            sitemap_url = urljoin(page.url, "/sitemap.xml")
            parsed.links.append(Link(sitemap_url, {"role": "sitemap", "query": context["query"]}))
    return parsed


def _parse_sitemap(page: Page, context: RequestContext) -> ParsedPage:
    """Parse a sitemap to links to products, or to the sitemaps that an index lists.

    Addresses get the host that served the sitemap: a sitemap may list no other host (sitemaps.org),
    and a shop without a configured name writes example.com.
    """
    page_parts = urlsplit(page.url)
    parsed = ParsedPage()
    is_index = b"<sitemapindex" in page.body[:1000]
    for location in re.findall(r"<loc>\s*([^<\s]+)\s*</loc>", page.text):
        url_parts = urlsplit(location.replace("&amp;", "&"))
        url = urlunsplit(url_parts._replace(scheme=page_parts.scheme, netloc=page_parts.netloc))
        if is_index or _is_product_url(url):
            role = "sitemap" if is_index else "product"
            parsed.links.append(
                Link(url, {"role": role, "query": context["query"], "product": url})
            )
    return parsed


def _product_urls(page: Page) -> list[str]:
    """Return the links of a list page to products: below its own path, else of a product's form."""
    path = urlsplit(page.url).path
    urls = [url for url in link_urls(page) if not _OTHER_PATH.search(urlsplit(url).path)]
    urls_below = [url for url in urls if _is_path_below(urlsplit(url).path, path)]
    return urls_below or [url for url in urls if _is_product_url(url)]


def _is_path_below(path: str, parent: str) -> bool:
    return len(parent) > 1 and path.startswith(parent) and path != parent


def _is_product_url(url: str) -> bool:
    path = urlsplit(url).path
    folder = _PRODUCT_PATH.search(path)
    return bool(folder and _DIGIT.search(path, folder.end())) and not _OTHER_PATH.search(path)


def normalized_rating(value: Any, best: Any = None, worst: Any = None) -> float | None:
    """Return a rating as a share of `best`, which is 5 by default.

    Returns None for 0, for a missing rating, and for one that is not between `worst`, which is 1
    by default, and `best`.

    >>> normalized_rating("4", 5, 1), normalized_rating(0), normalized_rating("7,9", 10, 1)
    (0.8, None, 0.79)
    """
    top = _scale_end(best, 5.0)
    bottom = _scale_end(worst, 1.0)
    try:
        return round(parse_rating(first_value(value), top, bottom), 4) or None
    except CountError:
        return None


def _scale_end(value: Any, default: float) -> float:
    """Return one end of a page's rating scale, or `default` where the page has none."""
    text = text_value(value) if value is not None else None
    match = _NUMBER.search(text or "")
    end = float(match[0].replace(",", ".")) if match else default
    return end if math.isfinite(end) else default


@dataclass(frozen=True, kw_only=True)
class Review:
    """A review as the page shows it, before its date and author are resolved."""

    # The site's own id.
    native_id: str | None
    author: str | None
    date: str | None
    text: str | None
    title: str | None
    # The name of the product.
    subject: str | None
    # As a share of the best possible rating.
    rating: float | None
    # The number of readers who found it useful.
    likes: int | None
    url: str | None = None


def _add_schema_reviews(parsed: ParsedPage, page: Page, source_info: SourceInfo) -> None:
    """Add the reviews in a page's schema.org data; a review in several syntaxes is added once."""
    data = extract_structured_data(page)
    parsed.dropped += [DroppedItem("broken JSON-LD")] * data.broken_json_ld_blocks
    syntaxes = [
        list(iterate_things(things)) for things in (data.json_ld, data.microdata, data.rdfa)
    ]
    parsed.reported_total = next(filter(None, map(_reported_total, syntaxes)), None)
    subject = _first_subject_name(chain.from_iterable(syntaxes))
    reviews: list[Review] = []
    for syntax in syntaxes:
        merge_reviews(reviews, _reviews_of_syntax(syntax, subject), page, source_info)
    _add_reviews(parsed, page, source_info, reviews)


def _first_subject_name(things: Iterable[tuple[Thing, Thing | None]]) -> str | None:
    """Return the name of the first thing that can be the subject of a review."""
    for thing, _ in things:
        name = text_value(thing.get("name")) if thing_types(thing) & _SUBJECT_TYPES else None
        if name:
            return name
    return None


def _reported_total(syntax: Iterable[tuple[Thing, Thing | None]]) -> int | None:
    """Return the number of reviews that one syntax reports; None when it lists several products."""
    totals = [
        parse_count_or_none(text_value(thing.get("reviewCount")))
        for thing, _ in syntax
        if "AggregateRating" in thing_types(thing)
    ]
    return totals[0] if len(totals) == 1 else None


def _reviews_of_syntax(
    syntax: Iterable[tuple[Thing, Thing | None]], subject: str | None
) -> list[Review]:
    """Return the reviews of one syntax; `subject` is the subject of those that name none."""
    review_things = [
        (thing, parent) for thing, parent in syntax if thing_types(thing) & _REVIEW_TYPES
    ]
    id_counts = Counter(thing_id(thing) for thing, _ in review_things)
    reviews = []
    for thing, parent in review_things:
        native_id = thing_id(thing)
        if id_counts[native_id] > 1:  # an id that several reviews share is the product's
            native_id = None
        review_subject = text_value(thing.get("itemReviewed"))
        review_subject = review_subject or text_value((parent or {}).get("name")) or subject
        reviews.append(_review_from_thing(thing, native_id, review_subject))
    return reviews


def merge_reviews(
    reviews: list[Review], new_reviews: list[Review], page: Page, source_info: SourceInfo
) -> None:
    """Add the reviews of another part of the page to `reviews`; merge those that are the same.

    Two reviews are the same by the site's id, else by text, author and day, where both have them.
    With the same author, the start of a text that ends in dots matches the full text. Each review
    is matched once.
    """
    matcher = _ReviewMatcher(reviews, page, source_info)
    for new_review in new_reviews:
        index = matcher.find_match(new_review)
        if index is None:
            reviews.append(new_review)
        else:
            reviews[index] = _merge_fields(reviews[index], new_review, page, source_info)


class _ReviewMatcher:
    """An index over a list of reviews that finds the review equal to another one."""

    def __init__(self, reviews: list[Review], page: Page, source_info: SourceInfo) -> None:
        self._reviews = reviews
        self._page = page
        self._source_info = source_info
        self._matched: set[int] = set()
        # Positions in the list, by native id, by (text, author), and by author.
        self._by_id: dict[str, int] = {}
        self._by_text: dict[tuple[str, str | None], deque[int]] = defaultdict(deque)
        self._by_author: dict[str | None, deque[int]] = defaultdict(deque)
        for i, review in enumerate(reviews):
            if review.native_id:
                self._by_id[review.native_id] = i
            author = _author_key(review)
            self._by_author[author].append(i)
            self._by_text[_text_key(review), author].append(i)
            self._by_text[_text_key(review), _ANY_AUTHOR].append(i)

    def find_match(self, other: Review) -> int | None:
        """Return the position of the review that equals `other`, which then matches no more."""
        index = self._by_id.get(other.native_id) if other.native_id else None
        if index is None and _text_key(other):
            for candidate in self._list_candidates(other):
                review = self._reviews[candidate]
                if _may_be_same_review(review, other, self._page, self._source_info):
                    index = candidate
                    break
        if index is None or index in self._matched:
            return None
        self._matched.add(index)
        return index

    def _list_candidates(self, other: Review) -> list[int]:
        """Return positions of reviews with the same text, then with a truncated or full one."""
        text = _text_key(other)
        author = _author_key(other)
        if author is None:
            candidates = self._first_unmatched(self._by_text[text, None])
            return candidates + self._first_unmatched(self._by_text[text, _ANY_AUTHOR])
        candidates = self._first_unmatched(self._by_text[text, author])
        candidates += self._first_unmatched(self._by_text[text, None])
        for i in self._first_unmatched(self._by_author[author]):
            review = self._reviews[i]
            if _is_truncation_of(review, other) or _is_truncation_of(other, review):
                candidates.append(i)
        return candidates

    def _first_unmatched(self, queue: deque[int]) -> list[int]:
        """Return the first unmatched positions of a queue; drop matched ones from its head."""
        while queue and queue[0] in self._matched:
            queue.popleft()
        return [i for i in islice(queue, _MAX_CANDIDATES) if i not in self._matched]


def _author_key(review: Review) -> str | None:
    """Return the author's name for comparisons; None for an anonymous author."""
    if not review.author or _ANONYMOUS_AUTHOR.fullmatch(review.author):
        return None
    return review.author.casefold()


def _text_key(review: Review) -> str:
    """Return the text of a review for comparisons, without differences of typesetting."""
    text = (review.text or review.title or "").translate(_ASCII_PUNCTUATION)
    text = unicodedata.normalize("NFKC", text)
    return "".join(text.split()).casefold()


def _is_truncation_of(review: Review, other: Review) -> bool:
    """Return whether `review` shows the start of the text of `other`, followed by dots."""
    text = _text_key(review)
    full_text = _text_key(other)
    beginning = text.rstrip(".")
    return (
        text.endswith(_ELLIPSIS)
        and len(beginning) >= _MIN_TRUNCATED_LENGTH
        and len(full_text) > len(text)
        and full_text.startswith(beginning)
    )


def _may_be_same_review(review: Review, other: Review, page: Page, source_info: SourceInfo) -> bool:
    """Return whether the ids, authors and days of two reviews do not contradict one another."""
    if review.native_id and other.native_id and review.native_id != other.native_id:
        return False
    if _author_key(review) and _author_key(other) and _author_key(review) != _author_key(other):
        return False
    first = _published_at(review, page, source_info)
    second = _published_at(other, page, source_info)
    return first is None or second is None or abs(first[0] - second[0]) <= timedelta(days=1)


def _merge_fields(review: Review, other: Review, page: Page, source_info: SourceInfo) -> Review:
    """Return `review` with the fields only `other` has, the preciser date and the full text."""
    values = {field.name: getattr(review, field.name) for field in fields(Review)}
    if _is_truncation_of(review, other):
        values["text"] = other.text
    values |= {name: getattr(other, name) for name, value in values.items() if value is None}
    first = _published_at(review, page, source_info)
    second = _published_at(other, page, source_info)
    if first is not None and second is not None and _is_preciser(second, first):
        values["date"] = other.date
    return Review(**values)


def _is_preciser(timestamp: TimestampWithPrecision, other: TimestampWithPrecision) -> bool:
    return TIME_PRECISIONS.index(timestamp[1]) < TIME_PRECISIONS.index(other[1])


def _published_at(
    review: Review, page: Page, source_info: SourceInfo
) -> TimestampWithPrecision | None:
    """Return the date of a review, even one that no post can have; None without a readable date."""
    try:
        return find_date(review.date, source_info.timezone, page.fetched_at)
    except DateError:
        return None


def _review_from_thing(thing: Thing, native_id: str | None, subject: str | None) -> Review:
    rating = first_value(thing.get("reviewRating"))
    scale = rating if isinstance(rating, dict) else {"ratingValue": rating}
    return Review(
        native_id=native_id,
        author=text_value(thing.get("author")),
        date=text_value(thing.get("datePublished")) or text_value(thing.get("dateCreated")),
        text=_plain_text(thing.get("reviewBody")) or _plain_text(thing.get("description")),
        title=_plain_text(thing.get("headline")) or _plain_text(thing.get("name")),
        subject=subject,
        rating=normalized_rating(
            scale.get("ratingValue"), scale.get("bestRating"), scale.get("worstRating")
        ),
        likes=parse_count_or_none(text_value(thing.get("upvoteCount"))),
    )


def _plain_text(value: Any) -> str | None:
    """Return the text of a value that may contain markup."""
    text = text_value(value)
    if text and ("<" in text or "&" in text):
        return html_to_text(text) or None
    return text or None


def _add_shop_reviews(parsed: ParsedPage, page: Page, source_info: SourceInfo) -> None:
    """Add the reviews in the markup of the first shop profile that fits the page."""
    for shop in SHOP_PROFILES:
        nodes = select_css(page.tree, shop.review)
        if nodes:
            links = select_css(page.tree, shop.all_reviews_link)
            match = re.search(r"\d+", " ".join(map(visible_text, links)))
            parsed.reported_total = parse_count_or_none(match[0]) if match else None
            subject_elements = select_css(page.tree, shop.subject)
            subject = visible_text(subject_elements[0]) if subject_elements else None
            reviews = [_review_from_element(page, shop, node, subject) for node in nodes]
            _add_reviews(parsed, page, source_info, reviews)
            return


def _review_from_element(
    page: Page, shop: ShopProfile, node: html.HtmlElement, subject: str | None
) -> Review:
    def select_text(selector: str) -> str | None:
        elements = select_css(node, selector)
        return visible_text(elements[0]) or None if elements else None

    links = select_css(node, shop.permalink)
    permalink = page.absolute_url(str(links[0].get("href")) if links else None)
    number = _TRAILING_NUMBER.search(permalink or "")
    votes = re.search(shop.likes, select_text(shop.votes) or "")
    return Review(
        native_id=number[1] if number else None,
        author=select_text(shop.author),
        date=select_text(shop.date),
        text=select_text(shop.body),
        title=select_text(shop.title),
        subject=subject,
        rating=normalized_rating(shop.read_score(node)),
        likes=parse_count_or_none(next(filter(None, votes.groups()), None)) if votes else None,
        url=permalink,
    )


def _add_payload_reviews(parsed: ParsedPage, page: Page, source_info: SourceInfo) -> None:
    """Add the reviews in the JSON of a page, by every payload format that fits it."""
    for payload in PAYLOAD_FORMATS:
        parent_path, _, key = payload.reviews_path.rpartition(".")
        container = value_at_path(page.json, parent_path) if parent_path else page.json
        if not isinstance(container, Mapping):
            continue
        if key not in container and not payload.missing_list_is_empty:
            continue
        reviews = [
            _review_from_payload(payload, item)
            for item in coerce_to_list(container.get(key))
            if value_at_path(item, payload.non_review_marker) is None
        ]
        _add_reviews(parsed, page, source_info, reviews)
        if not reviews and parsed.reported_total is None:
            parsed.reported_total = 0  # the list is empty


def _review_from_payload(payload: PayloadFormat, item: Any) -> Review:
    return Review(
        native_id=text_value(value_at_path(item, payload.native_id)),
        author=text_value(value_at_path(item, payload.author)),
        date=text_value(value_at_path(item, payload.date)),
        text=_plain_text(value_at_path(item, payload.text)),
        title=_plain_text(value_at_path(item, payload.title)),
        subject=text_value(value_at_path(item, payload.subject)),
        rating=normalized_rating(value_at_path(item, payload.score)),
        likes=parse_count_or_none(value_at_path(item, payload.likes)),
    )


def _add_reviews(
    parsed: ParsedPage, page: Page, source_info: SourceInfo, reviews: list[Review]
) -> None:
    """Add the posts of the reviews of one page; their dates give the order of day and month."""
    order = infer_date_order((review.date for review in reviews), page.fetched_at)
    for review in reviews:
        _add_review(parsed, page, source_info, review, order)


def _add_review(
    parsed: ParsedPage, page: Page, source_info: SourceInfo, review: Review, order: DateOrder | None
) -> None:
    """Add the post of a review, or the reason why there is none."""
    timestamp = source_info.resolve_date([review.date], page.fetched_at, order)
    is_anonymous = (
        not review.author
        or _NAME_MASK in review.author
        or _ANONYMOUS_AUTHOR.fullmatch(review.author)
    )
    author = None if is_anonymous else source_info.author_pseudonym(review.author)
    native_id = review.native_id or _content_id(page, review, author)
    parsed.listed_ids.append(native_id)
    if isinstance(timestamp, str):
        parsed.dropped.append(DroppedItem(timestamp, native_id))
        return
    if not (review.text or review.title):
        parsed.dropped.append(DroppedItem("no text", native_id))
        return
    parsed.add_post(
        source_info,
        native_id,
        text=review.text or review.title,
        title=review.title if review.text else None,
        subject=review.subject,
        rating=review.rating,
        likes=review.likes,
        published_at=timestamp[0],
        precision=timestamp[1],
        author=author,
        url=review.url or page.url,
        fetched_at=page.fetched_at,
    )


def _content_id(page: Page, review: Review, author: str | None) -> str:
    """Return an id for a review without one, as stable as its product, author, date and text.

    It is computed from the keyed hash of the author: a digest of the name and the text could be
    guessed.
    """
    content = (
        urlsplit(page.url).path,
        review.subject,
        author,
        review.date,
        review.title,
        review.text,
    )
    return "x" + blake2b(repr(content).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
