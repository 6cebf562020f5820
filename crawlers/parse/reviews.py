"""Product reviews: schema.org `Review` in JSON-LD or microdata, else the shops of `crawlers.parse.shops` and `.payloads`."""

import re
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from lxml import html

from crawlers.parse.markup import links, next_page, select, text_of
from crawlers.parse.page import Context, Dropped, Link, Page, Parsed, Site, order_shown
from crawlers.parse.payloads import PAYLOADS, Payload, at
from crawlers.parse.schema import Thing, first, kinds, own_id, things, walk, words
from crawlers.parse.shops import SHOPS, Shop
from folate.core.counts import CountError, count, read_rating
from folate.core.dates import Order

_PRODUCT = re.compile(r"/(?:products?|items?|goods|catalogue|dp|subject|reviews?|shop|p)/[^?#]*\d", re.I)
_NOT_PRODUCT = re.compile(r"/(?:basket|cart|checkout|accounts?|login|search|add|category|categories)(?:/|$)", re.I)
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_REVIEWS = frozenset({"Review", "UserReview", "CriticReview"})
_SUBJECTS = frozenset({"Product", "LodgingBusiness", "Restaurant", "LocalBusiness", "Recipe"})
_ANONYMOUS = re.compile(r"anonymous( user)?|guest|匿名(用户|评论|买家)?|游客|.*\*\*.*", re.I)


def read(page: Page, site: Site, context: Context) -> Parsed:
    """Reviews on the page and the pages to read next.

    A `start` page without reviews is taken for a list of products: its links that look like products are followed, and
    the sitemap when there are none or when it is the front page of the site.
    """
    if re.match(rb"\s*(<\?xml[^>]*>\s*)?<(urlset|sitemapindex)\b", page.body):
        return _sitemap(page, context)
    parsed = Parsed()
    if page.json is not None:
        _payload_reviews(parsed, page, site)
        return parsed
    product = {"role": "product", "query": context["query"], "product": context.get("product", page.url)}
    _schema_reviews(parsed, page, site)
    if not parsed.posts:
        _shop_reviews(parsed, page, site)
    following = next_page(page)
    if following:
        parsed.links.append(Link(following, {**context, "product": product["product"], "page": context.get("page", 1) + 1}))
    parsed.links += [Link(url, product) for shop in SHOPS for url in links(page, shop.all_reviews)]
    if context["role"] == "start" and not parsed.listed:
        found = _products(page)
        parsed.links += [Link(url, {**product, "product": url}) for url in found]
        if not found or urlsplit(context["query"]).path in ("", "/"):
            parsed.links.append(Link(urljoin(page.url, "/sitemap.xml"), {"role": "sitemap", "query": context["query"]}))
    return parsed


def _sitemap(page: Page, context: Context) -> Parsed:
    """Products that a sitemap names. Its entries are read as of the host that served it: a sitemap may name no other
    (sitemaps.org), and a shop whose own name is not configured writes example.com."""
    here = urlsplit(page.url)
    parsed = Parsed()
    index = b"<sitemapindex" in page.body[:1000]
    for location in re.findall(r"<loc>\s*([^<\s]+)\s*</loc>", page.text):
        parts = urlsplit(location.replace("&amp;", "&"))
        url = urlunsplit(parts._replace(scheme=here.scheme, netloc=here.netloc))
        if index or _is_product(url):
            parsed.links.append(Link(url, {"role": "sitemap" if index else "product", "query": context["query"], "product": url}))
    return parsed


def _products(page: Page) -> list[str]:
    """Links of a list page that lead to products: those below its own path, else those that look like one."""
    path = urlsplit(page.url).path
    found = [url for url in links(page) if not _NOT_PRODUCT.search(urlsplit(url).path)]
    below = [url for url in found if len(path) > 1 and urlsplit(url).path.startswith(path) and urlsplit(url).path != path]
    return below or [url for url in found if _is_product(url)]


def _is_product(url: str) -> bool:
    path = urlsplit(url).path
    return bool(_PRODUCT.search(path)) and not _NOT_PRODUCT.search(path)


def rating(value: Any, best: Any = None, worst: Any = None) -> float | None:
    """A rating as a share of the `best` (5 when not said); None for 0, for none, and for what is not between `worst` (1) and `best`.

    >>> rating("4", 5, 1), rating(0), rating("7,9", 10, 1)
    (0.8, None, 0.79)
    """
    top, bottom = _bound(best, 5.0), _bound(worst, 1.0)
    try:
        return round(read_rating(first(value), top, bottom), 4) or None
    except CountError:
        return None


def _bound(value: Any, default: float) -> float:
    """The end of a page's scale, or `default` when it does not say."""
    match = _NUMBER.search(str(first(value) if value is not None else ""))
    return float(match[0].replace(",", ".")) if match else default


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


def _schema_reviews(parsed: Parsed, page: Page, site: Site) -> None:
    found, broken = things(page)
    parsed.dropped += [Dropped("broken JSON-LD")] * broken
    everything = list(walk(found))
    totals = [count(words(thing.get("reviewCount"))) for thing, _ in everything if "AggregateRating" in kinds(thing)]
    parsed.total = totals[0] if len(totals) == 1 else None  # several: a list of products
    subjects = (words(thing.get("name")) for thing, _ in everything if kinds(thing) & _SUBJECTS)
    subject = next(filter(None, subjects), None)
    reviews = [(thing, holder) for thing, holder in everything if kinds(thing) & _REVIEWS]
    ids = Counter(own_id(thing) for thing, _ in reviews)  # one that several reviews share is the product's
    read = []
    for thing, holder in reviews:
        own = own_id(thing)
        about = words(thing.get("itemReviewed")) or words((holder or {}).get("name")) or subject
        read.append(_schema_review(thing, own if ids[own] == 1 else None, about))
    _add_all(parsed, page, site, read)


def _schema_review(thing: Thing, native: str | None, subject: str | None) -> Review:
    told = first(thing.get("reviewRating"))
    scale = told if isinstance(told, dict) else {"ratingValue": told}
    return Review(
        native=native,
        author=words(thing.get("author")),
        date=words(thing.get("datePublished") or thing.get("dateCreated")),
        text=_clean(thing.get("reviewBody") or thing.get("description")),
        title=_clean(thing.get("headline") or thing.get("name")),
        subject=subject,
        rating=rating(scale.get("ratingValue"), scale.get("bestRating"), scale.get("worstRating")),
        likes=count(words(thing.get("upvoteCount"))),
    )


def _clean(value: Any) -> str | None:
    """Text of a value that may hold markup."""
    text = words(value)
    return (text_of(html.fromstring(f"<div>{text}</div>")) if "<" in text or "&" in text else text) if text else None


def _shop_reviews(parsed: Parsed, page: Page, site: Site) -> None:
    for shop in SHOPS:
        nodes = select(page.tree, shop.review)
        if nodes:
            told = re.search(r"\d+", " ".join(text_of(link) for link in select(page.tree, shop.all_reviews)))
            parsed.total = count(told[0]) if told else None
            subject = select(page.tree, shop.subject)
            about = text_of(subject[0]) if subject else None
            _add_all(parsed, page, site, [_shop_review(page, shop, node, about) for node in nodes])
            return


def _shop_review(page: Page, shop: Shop, node: html.HtmlElement, subject: str | None) -> Review:
    def shown(selector: str) -> str | None:
        found = select(node, selector)
        return text_of(found[0]) or None if found else None

    permalink = page.absolute(next((str(link.get("href")) for link in select(node, shop.permalink)), None))
    number = re.search(r"(\d+)/?$", permalink or "")
    votes = re.search(shop.likes, shown(shop.votes) or "")
    return Review(
        native=number[1] if number else None,
        author=shown(shop.author),
        date=shown(shop.date),
        text=shown(shop.body),
        title=shown(shop.title),
        subject=subject,
        rating=rating(shop.score(node)),
        likes=count(next(filter(None, votes.groups()), None)) if votes else None,
        url=permalink,
    )


def _payload_reviews(parsed: Parsed, page: Page, site: Site) -> None:
    for payload in PAYLOADS:
        found = at(page.json, payload.reviews)
        items = found if isinstance(found, list) else []
        _add_all(parsed, page, site, [_payload_review(payload, item) for item in items])


def _payload_review(payload: Payload, item: Any) -> Review:
    return Review(
        native=words(at(item, payload.native)),
        author=words(at(item, payload.author)),
        date=words(at(item, payload.date)),
        text=_clean(at(item, payload.text)),
        title=_clean(at(item, payload.title)),
        subject=words(at(item, payload.subject)),
        rating=rating(at(item, payload.score)),
        likes=count(at(item, payload.likes)),
    )


def _add_all(parsed: Parsed, page: Page, site: Site, reviews: list[Review]) -> None:
    """The posts of the reviews of one page, whose dates tell together which of day and month comes first."""
    order = order_shown((review.date for review in reviews), page.fetched_at)
    for review in reviews:
        _add(parsed, page, site, review, order)


def _add(parsed: Parsed, page: Page, site: Site, review: Review, order: Order | None) -> None:
    """The post of a review, or why there is none."""
    when = site.date([review.date], page.fetched_at, order)
    author = None if not review.author or _ANONYMOUS.fullmatch(review.author) else site.author(review.author)
    native = review.native or _digest(page, review, author)
    parsed.listed.append(native)
    if isinstance(when, str) or not (review.text or review.title):
        parsed.dropped.append(Dropped(when if isinstance(when, str) else "no text", native))
        return
    parsed.add(
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
    parts = (urlsplit(page.url).path, review.subject, author, review.date, review.title, review.text)
    return "x" + blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
