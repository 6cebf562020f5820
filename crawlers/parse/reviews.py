"""Product reviews: schema.org `Review` in JSON-LD or microdata, else the shops of `crawlers.parse.shop_profiles` and `.payloads`."""

import math
import re
import unicodedata
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from hashlib import blake2b
from itertools import islice
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

_PRODUCT = re.compile(
    r"/(?:products?|items?|goods|catalogue|dp|subject|reviews?|shop|p)/", re.I
)  # and a digit behind it
_DIGIT = re.compile(r"\d")
_NOT_PRODUCT = re.compile(
    r"/(?:basket|cart|checkout|accounts?|login|search|add|category|categories)(?:/|$)", re.I
)
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_ANYONE = "*"
_MOST_CANDIDATES = 50  # reviews of equal text that one is compared with
_DOTS = "..."  # what NFKC makes of an ellipsis, too
_SHORTEST_BEGINNING = (
    15  # characters without spaces by which a cut text is told; sites cut behind some dozens
)
_REVIEWS = frozenset({"Review", "UserReview", "CriticReview"})
_SUBJECTS = frozenset({"Product", "LodgingBusiness", "Restaurant", "LocalBusiness", "Recipe"})
_ANONYMOUS = re.compile(r"anonymous( user)?|guest|匿名(用户|评论|买家)?|游客", re.I)
_TYPEWRITTEN = str.maketrans("‘’“”‐‑–—", "''\"\"----")
_MASK = "**"  # in a name of which the site shows only the ends: 木***子
_TRAILING_NUMBER = re.compile(r"(?<!\d)(\d+)/?$")


def parse_review_page(page: Page, site: SourceInfo, context: RequestContext) -> ParsedPage:
    """Reviews on the page and the pages to read next.

    A `start` page without reviews is taken for a list of products: its links that look like products are followed, and
    the sitemap when there are none or when it is the front page of the site.
    """
    if re.match(rb"\s*(<\?xml[^>]*>\s*)?<(urlset|sitemapindex)\b", page.body):
        return _sitemap(page, context)
    parsed = ParsedPage()
    if page.json is not None:
        _payload_reviews(parsed, page, site)
        return parsed
    product = {
        "role": "product",
        "query": context["query"],
        "product": context.get("product", page.url),
    }
    _schema_reviews(parsed, page, site)
    if not parsed.posts:
        _shop_reviews(parsed, page, site)
    if page.too_deep:
        parsed.problems.append(NESTING_PROBLEM)
    following = next_page_url(page)
    if following:
        parsed.links.append(
            Link(
                following,
                {**context, "product": product["product"], "page": context.get("page", 1) + 1},
            )
        )
    parsed.links += [
        Link(url, product)
        for shop in SHOP_PROFILES
        for url in link_urls(page, shop.all_reviews_link)
    ]
    if context["role"] == "start" and not parsed.listed_ids:
        found = _products(page)
        parsed.links += [Link(url, {**product, "product": url}) for url in found]
        if not found or urlsplit(context["query"]).path in ("", "/"):
            parsed.links.append(
                Link(
                    urljoin(page.url, "/sitemap.xml"),
                    {"role": "sitemap", "query": context["query"]},
                )
            )
    return parsed


def _sitemap(page: Page, context: RequestContext) -> ParsedPage:
    """Products that a sitemap names. Its entries are read as of the host that served it: a sitemap may name no other
    (sitemaps.org), and a shop whose own name is not configured writes example.com."""
    here = urlsplit(page.url)
    parsed = ParsedPage()
    index = b"<sitemapindex" in page.body[:1000]
    for location in re.findall(r"<loc>\s*([^<\s]+)\s*</loc>", page.text):
        parts = urlsplit(location.replace("&amp;", "&"))
        url = urlunsplit(parts._replace(scheme=here.scheme, netloc=here.netloc))
        if index or _is_product(url):
            parsed.links.append(
                Link(
                    url,
                    {
                        "role": "sitemap" if index else "product",
                        "query": context["query"],
                        "product": url,
                    },
                )
            )
    return parsed


def _products(page: Page) -> list[str]:
    """Links of a list page that lead to products: those below its own path, else those that look like one."""
    path = urlsplit(page.url).path
    found = [url for url in link_urls(page) if not _NOT_PRODUCT.search(urlsplit(url).path)]
    below = [
        url
        for url in found
        if len(path) > 1 and urlsplit(url).path.startswith(path) and urlsplit(url).path != path
    ]
    return below or [url for url in found if _is_product(url)]


def _is_product(url: str) -> bool:
    path = urlsplit(url).path
    folder = _PRODUCT.search(path)
    return bool(folder and _DIGIT.search(path, folder.end())) and not _NOT_PRODUCT.search(path)


def normalized_rating(value: Any, best: Any = None, worst: Any = None) -> float | None:
    """A rating as a share of the `best` (5 when not said); None for 0, for none, and for what is not between `worst` (1) and `best`.

    >>> rating("4", 5, 1), rating(0), rating("7,9", 10, 1)
    (0.8, None, 0.79)
    """
    top, bottom = _bound(best, 5.0), _bound(worst, 1.0)
    try:
        return round(parse_rating(first_value(value), top, bottom), 4) or None
    except CountError:
        return None


def _bound(value: Any, default: float) -> float:
    """The end of a page's scale, or `default` when it does not say."""
    match = _NUMBER.search((text_value(value) if value is not None else None) or "")
    number = float(match[0].replace(",", ".")) if match else default
    return number if math.isfinite(number) else default


@dataclass(frozen=True, kw_only=True)
class Review:
    """A review as the page shows it, before dates and authors are resolved."""

    native: str | None  # the site's own id
    author: str | None
    date: str | None
    text: str | None
    title: str | None
    subject: str | None
    rating: float | None
    likes: int | None
    url: str | None = None


def _schema_reviews(parsed: ParsedPage, page: Page, site: SourceInfo) -> None:
    told = extract_structured_data(page)
    parsed.dropped += [DroppedItem("broken JSON-LD")] * told.broken_json_ld_blocks
    syntaxes = [
        list(iterate_things(syntax)) for syntax in (told.json_ld, told.microdata, told.rdfa)
    ]
    everything = [thing for syntax in syntaxes for thing, _ in syntax]
    parsed.reported_total = next(filter(None, map(_total, syntaxes)), None)
    subject = next(
        filter(
            None,
            (
                text_value(thing.get("name"))
                for thing in everything
                if thing_types(thing) & _SUBJECTS
            ),
        ),
        None,
    )
    reviews: list[Review] = []
    for syntax in syntaxes:
        merge_reviews(reviews, _told_once(syntax, subject), page, site)
    _add_all(parsed, page, site, reviews)


def _total(syntax: Iterable[tuple[Thing, Thing | None]]) -> int | None:
    """How many reviews the product has, as one syntax tells; None when it tells of several products: a list of them."""
    totals = [
        parse_count_or_none(text_value(thing.get("reviewCount")))
        for thing, _ in syntax
        if "AggregateRating" in thing_types(thing)
    ]
    return totals[0] if len(totals) == 1 else None


def _told_once(syntax: Iterable[tuple[Thing, Thing | None]], subject: str | None) -> list[Review]:
    """The reviews that one syntax tells of."""
    held = [(thing, holder) for thing, holder in syntax if thing_types(thing) & _REVIEWS]
    ids = Counter(
        thing_id(thing) for thing, _ in held
    )  # one that several reviews share is the product's
    reviews = []
    for thing, holder in held:
        own = thing_id(thing)
        about = (
            text_value(thing.get("itemReviewed"))
            or text_value((holder or {}).get("name"))
            or subject
        )
        reviews.append(_schema_review(thing, own if ids[own] == 1 else None, about))
    return reviews


def merge_reviews(
    reviews: list[Review], others: list[Review], page: Page, site: SourceInfo
) -> None:
    """Add to `reviews` what another part of the page tells: a review that both tell is one, with the fields of both.

    They are the same by the site's id, else by text, author and day, where both name them. Of one author, the beginning of a
    text that ends in dots stands for the whole. Each review is matched once.
    """
    by_id = {review.native: i for i, review in enumerate(reviews) if review.native}
    waiting: dict[tuple[str, str | None], deque[int]] = defaultdict(
        deque
    )  # by text and author; _ANYONE: by text alone
    by_author: dict[str | None, deque[int]] = defaultdict(deque)
    for i, review in enumerate(reviews):
        by_author[_name(review)].append(i)
        waiting[_squeezed(review), _name(review)].append(i)
        waiting[_squeezed(review), _ANYONE].append(i)
    matched: set[int] = set()
    for other in others:
        match = by_id.get(other.native) if other.native else None
        if match is None and _squeezed(other):
            names = (_name(other), None) if _name(other) else (None, _ANYONE)
            candidates = [
                i for name in names for i in _first_open(waiting[_squeezed(other), name], matched)
            ]
            by_same = _first_open(by_author[_name(other)], matched) if _name(other) else []
            candidates += [
                i for i in by_same if _begins(reviews[i], other) or _begins(other, reviews[i])
            ]
            match = next(
                (i for i in candidates if _may_be_same(reviews[i], other, page, site)), None
            )
        if match is None or match in matched:
            reviews.append(other)
        else:
            matched.add(match)
            reviews[match] = _united(reviews[match], other, page, site)


def _name(review: Review) -> str | None:
    """The author's name for comparisons; None for nobody in particular."""
    if not review.author or _ANONYMOUS.fullmatch(review.author):
        return None
    return review.author.casefold()


def _first_open(waiting: deque[int], matched: set[int]) -> list[int]:
    """The first few reviews of a queue that are not matched yet; the matched ones at its head leave it."""
    while waiting and waiting[0] in matched:
        waiting.popleft()
    return [i for i in islice(waiting, _MOST_CANDIDATES) if i not in matched]


def _squeezed(review: Review) -> str:
    """What a review says, without what markup and typesetting change."""
    text = unicodedata.normalize(
        "NFKC", (review.text or review.title or "").translate(_TYPEWRITTEN)
    )
    return "".join(text.split()).casefold()


def _begins(one: Review, other: Review) -> bool:
    """Whether `one` shows only the beginning of the text of `other`, and dots behind it."""
    shown, whole = _squeezed(one), _squeezed(other)
    beginning = shown.rstrip(".")
    return (
        shown.endswith(_DOTS)
        and len(beginning) >= _SHORTEST_BEGINNING
        and len(whole) > len(shown)
        and whole.startswith(beginning)
    )


def _may_be_same(one: Review, other: Review, page: Page, site: SourceInfo) -> bool:
    """Whether nothing that both reviews of equal text tell sets them apart."""
    if one.native and other.native and one.native != other.native:
        return False
    if _name(one) and _name(other) and _name(one) != _name(other):
        return False
    days = [_published(review, page, site) for review in (one, other)]
    return days[0] is None or days[1] is None or abs(days[0][0] - days[1][0]) <= timedelta(days=1)


def _united(one: Review, other: Review, page: Page, site: SourceInfo) -> Review:
    """`one` with what only `other` tells, the more exact date of the two and the whole text."""
    told = {field.name: getattr(one, field.name) for field in fields(Review)}
    if _begins(one, other):
        told["text"] = other.text
    told |= {name: getattr(other, name) for name, value in told.items() if value is None}
    exact = [_published(review, page, site) for review in (one, other)]
    if (
        exact[0] is not None
        and exact[1] is not None
        and TIME_PRECISIONS.index(exact[1][1]) < TIME_PRECISIONS.index(exact[0][1])
    ):
        told["date"] = other.date
    return Review(**told)


def _published(review: Review, page: Page, site: SourceInfo) -> TimestampWithPrecision | None:
    """The date that a review tells, even one that no post can have; None where it tells none that can be read."""
    try:
        return find_date(review.date, site.timezone, page.fetched_at)
    except DateError:
        return None


def _schema_review(thing: Thing, native: str | None, subject: str | None) -> Review:
    told = first_value(thing.get("reviewRating"))
    scale = told if isinstance(told, dict) else {"ratingValue": told}
    return Review(
        native=native,
        author=text_value(thing.get("author")),
        date=text_value(thing.get("datePublished")) or text_value(thing.get("dateCreated")),
        text=_clean(thing.get("reviewBody")) or _clean(thing.get("description")),
        title=_clean(thing.get("headline")) or _clean(thing.get("name")),
        subject=subject,
        rating=normalized_rating(
            scale.get("ratingValue"), scale.get("bestRating"), scale.get("worstRating")
        ),
        likes=parse_count_or_none(text_value(thing.get("upvoteCount"))),
    )


def _clean(value: Any) -> str | None:
    """Text of a value that may hold markup."""
    text = text_value(value)
    return (html_to_text(text) or None if "<" in text or "&" in text else text) if text else None


def _shop_reviews(parsed: ParsedPage, page: Page, site: SourceInfo) -> None:
    for shop in SHOP_PROFILES:
        nodes = select_css(page.tree, shop.review)
        if nodes:
            told = re.search(
                r"\d+",
                " ".join(
                    visible_text(link) for link in select_css(page.tree, shop.all_reviews_link)
                ),
            )
            parsed.reported_total = parse_count_or_none(told[0]) if told else None
            subject = select_css(page.tree, shop.subject)
            about = visible_text(subject[0]) if subject else None
            _add_all(parsed, page, site, [_shop_review(page, shop, node, about) for node in nodes])
            return


def _shop_review(
    page: Page, shop: ShopProfile, node: html.HtmlElement, subject: str | None
) -> Review:
    def shown(selector: str) -> str | None:
        found = select_css(node, selector)
        return visible_text(found[0]) or None if found else None

    permalink = page.absolute_url(
        next((str(link.get("href")) for link in select_css(node, shop.permalink)), None)
    )
    number = _TRAILING_NUMBER.search(permalink or "")
    votes = re.search(shop.likes, shown(shop.votes) or "")
    return Review(
        native=number[1] if number else None,
        author=shown(shop.author),
        date=shown(shop.date),
        text=shown(shop.body),
        title=shown(shop.title),
        subject=subject,
        rating=normalized_rating(shop.read_score(node)),
        likes=parse_count_or_none(next(filter(None, votes.groups()), None)) if votes else None,
        url=permalink,
    )


def _payload_reviews(parsed: ParsedPage, page: Page, site: SourceInfo) -> None:
    for payload in PAYLOAD_FORMATS:
        holder, _, key = payload.reviews_path.rpartition(".")
        container = value_at_path(page.json, holder) if holder else page.json
        if not isinstance(container, Mapping) or (
            key not in container and not payload.missing_list_is_empty
        ):
            continue
        reviews = [
            item
            for item in coerce_to_list(container.get(key))
            if value_at_path(item, payload.non_review_marker) is None
        ]
        _add_all(parsed, page, site, [_payload_review(payload, item) for item in reviews])
        if not reviews and parsed.reported_total is None:
            parsed.reported_total = 0  # the list is there and empty


def _payload_review(payload: PayloadFormat, item: Any) -> Review:
    return Review(
        native=text_value(value_at_path(item, payload.native_id)),
        author=text_value(value_at_path(item, payload.author)),
        date=text_value(value_at_path(item, payload.date)),
        text=_clean(value_at_path(item, payload.text)),
        title=_clean(value_at_path(item, payload.title)),
        subject=text_value(value_at_path(item, payload.subject)),
        rating=normalized_rating(value_at_path(item, payload.score)),
        likes=parse_count_or_none(value_at_path(item, payload.likes)),
    )


def _add_all(parsed: ParsedPage, page: Page, site: SourceInfo, reviews: list[Review]) -> None:
    """The posts of the reviews of one page, whose dates tell together which of day and month comes first."""
    order = infer_date_order((review.date for review in reviews), page.fetched_at)
    for review in reviews:
        _add(parsed, page, site, review, order)


def _add(
    parsed: ParsedPage, page: Page, site: SourceInfo, review: Review, order: DateOrder | None
) -> None:
    """The post of a review, or why there is none."""
    when = site.resolve_date([review.date], page.fetched_at, order)
    unknown = not review.author or _MASK in review.author or _ANONYMOUS.fullmatch(review.author)
    author = None if unknown else site.author_pseudonym(review.author)
    native = review.native or _digest(page, review, author)
    parsed.listed_ids.append(native)
    if isinstance(when, str) or not (review.text or review.title):
        parsed.dropped.append(DroppedItem(when if isinstance(when, str) else "no text", native))
        return
    parsed.add_post(
        site,
        native,
        text=review.text or review.title,
        title=review.title if review.text else None,
        subject=review.subject,
        rating=review.rating,
        likes=review.likes,
        published_at=when[0],
        precision=when[1],
        author=author,
        url=review.url or page.url,
        fetched_at=page.fetched_at,
    )


def _digest(page: Page, review: Review, author: str | None) -> str:
    """An id for a review whose site gives none: the same as long as product, author, date and text are.

    It is made of the author's keyed hash, not of the name: a digest of a name beside its text could be guessed.
    """
    parts = (
        urlsplit(page.url).path,
        review.subject,
        author,
        review.date,
        review.title,
        review.text,
    )
    return "x" + blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
