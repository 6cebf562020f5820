"""The shop of the demo web: categories, products and reviews in JSON-LD or microdata."""

import json
from collections import defaultdict
from html import escape
from statistics import fmean
from typing import Any

from demo.catalog import BRANDS, KIND_NAMES, PRODUCTS, Product
from demo.generate import DemoPost, World
from demo.markup import (
    absolute_time,
    next_link_tag,
    page_count,
    page_items,
    render_page,
    render_pager,
)

REVIEWS_PER_PAGE = 20


class Shop:
    """The products and their reviews."""

    def __init__(self, world: World) -> None:
        self._reviews: dict[int, list[DemoPost]] = defaultdict(list)
        for post in reversed(world.posts_on("shop")):
            self._reviews[post.slot.product.number].append(post)
        self._products = {product.number: product for product in PRODUCTS}

    def index_page(self) -> str:
        """Return the page of all products."""
        shelves = "".join(
            f'<h2><a href="/shop/c/{kind}/">{zh} {en}</a></h2><ul>{self._render_rows(kind)}</ul>'
            for kind, (zh, en) in KIND_NAMES.items()
        )
        return render_page(
            "燕麦镇商店 Oatville Shop", f"<h1>燕麦镇商店 Oatville Shop</h1>{shelves}"
        )

    def category_page(self, kind: str) -> str | None:
        """Return the page of the products of a kind; None for an unknown kind."""
        if kind not in KIND_NAMES:
            return None
        name = " ".join(KIND_NAMES[kind])
        return render_page(
            f"{name} | Oatville Shop", f"<h1>{name}</h1><ul>{self._render_rows(kind)}</ul>"
        )

    def product_page(self, number: int, page_number: int) -> str | None:
        """Return a page of a product's reviews; None for a product or page that does not exist."""
        product = self._products.get(number)
        reviews = self._reviews[number]
        last = page_count(len(reviews), REVIEWS_PER_PAGE)
        if product is None or not 1 <= page_number <= last:
            return None
        next_url = f"/shop/p/{number}/?page={page_number + 1}" if page_number < last else None
        page_reviews = page_items(reviews, page_number, REVIEWS_PER_PAGE)
        rating = f"{fmean(post.rating or 0 for post in reviews):.1f}"
        head = next_link_tag(next_url)
        if has_json_ld(product):
            head += _render_json_ld(product, page_reviews, rating, len(reviews))
        body = _render_product(
            product,
            rating,
            len(reviews),
            "".join(_render_review(post, has_json_ld(product)) for post in page_reviews),
        )
        return render_page(
            f"{listing_title(product)} | Oatville Shop",
            body + render_pager(page_number, last, next_url, "zh"),
            head=head,
        )

    def review_path(self, post: DemoPost) -> str:
        """Return the address of a review, without the host."""
        number = post.slot.product.number
        page_number = self._reviews[number].index(post) // REVIEWS_PER_PAGE + 1
        page_query = f"?page={page_number}" if page_number > 1 else ""
        return f"/shop/p/{number}/{page_query}#review-{post.number}"

    def _render_rows(self, kind: str) -> str:
        return "".join(self._render_row(product) for product in PRODUCTS if product.kind == kind)

    def _render_row(self, product: Product) -> str:
        count = len(self._reviews[product.number])
        name = f'<a href="/shop/p/{product.number}/">{escape(listing_title(product))}</a>'
        return (
            f'<li class="card row">{name} <span class="soft">¥{product.price} · {count} '
            f"条评价</span></li>"
        )


def has_json_ld(product: Product) -> bool:
    """Return whether the page of a product has JSON-LD; otherwise it has microdata."""
    return product.number % 2 == 1


def listing_title(product: Product) -> str:
    """Return the name of a product with its brand, in both languages."""
    return f"{product.listing('zh')} {product.listing('en')}"


def _render_json_ld(product: Product, reviews: Any, rating: str, count: int) -> str:
    data = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": listing_title(product),
        "sku": f"OV-{product.number:03d}",
        "brand": {"@type": "Brand", "name": BRANDS[product.brand].zh},
        "offers": {"@type": "Offer", "price": product.price, "priceCurrency": "CNY"},
        "aggregateRating": {
            "@type": "AggregateRating",
            "ratingValue": rating,
            "bestRating": "5",
            "worstRating": "1",
            "reviewCount": count,
        },
        "review": [_review_json_ld(post) for post in reviews],
    }
    # A review must not be able to end the script.
    escaped = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/ld+json">{escaped}</script>\n'


def _review_json_ld(post: DemoPost) -> dict[str, Any]:
    review: dict[str, Any] = {
        "@type": "Review",
        "@id": f"#review-{post.number}",
        "author": {"@type": "Person", "name": post.author.name},
        "datePublished": post.time.isoformat(),
        "inLanguage": post.slot.language,
        "reviewBody": post.text,
        "reviewRating": {
            "@type": "Rating",
            "ratingValue": post.rating,
            "bestRating": 5,
            "worstRating": 1,
        },
    }
    return {**review, "name": post.title} if post.title else review


def _render_product(product: Product, rating: str, count: int, reviews: str) -> str:
    scope = "" if has_json_ld(product) else ' itemscope itemtype="https://schema.org/Product"'
    properties = "" if has_json_ld(product) else _render_product_properties(product, rating, count)
    return (
        f"<div{scope}><h1{_itemprop('name', product)}>{escape(listing_title(product))}"
        f"</h1>{properties}"
        f'<p><span class="stars">★ {rating}</span> <span class="soft">{count} 条评价 · '
        f"¥{product.price}</span></p><ul>{reviews}</ul></div>"
    )


def _itemprop(name: str, product: Product) -> str:
    return "" if has_json_ld(product) else f' itemprop="{name}"'


def _render_product_properties(product: Product, rating: str, count: int) -> str:
    return (
        '<div itemprop="brand" itemscope itemtype="https://schema.org/Brand">'
        f'<meta itemprop="name" content="{BRANDS[product.brand].zh}"></div>'
        '<div itemprop="aggregateRating" itemscope itemtype="https://schema.org/AggregateRating">'
        f'<meta itemprop="ratingValue" content="{rating}"><meta itemprop="bestRating" content="5">'
        f'<meta itemprop="reviewCount" content="{count}"></div>'
    )


def _render_review(post: DemoPost, plain: bool) -> str:
    stars = "★" * (post.rating or 0) + "☆" * (5 - (post.rating or 0))
    heading = f"<h3>{escape(post.title)}</h3>" if post.title else ""
    if plain:
        inner = (
            f'<div class="row"><strong>{escape(post.author.name)}</strong> <span '
            f'class="stars">{stars}</span> '
            f"<time>{absolute_time(post)}</time></div>{heading}<p>{escape(post.text)}</p>"
        )
        return (
            f'<li class="card" id="review-{post.number}" lang="{post.slot.language}">{inner}</li>'
        )
    return _render_review_microdata(post, stars)


def _render_review_microdata(post: DemoPost, stars: str) -> str:
    heading = f'<h3 itemprop="name">{escape(post.title)}</h3>' if post.title else ""
    return (
        f'<li class="card" id="review-{post.number}" lang="{post.slot.language}" '
        f'itemprop="review" itemscope '
        f'itemtype="https://schema.org/Review" itemid="#review-{post.number}">'
        f'<link itemprop="url" href="#review-{post.number}"><div class="row"><span '
        f'itemprop="author" itemscope itemtype="https://schema.org/Person">'
        f'<strong itemprop="name">{escape(post.author.name)}</strong></span>'
        f'<span class="stars" itemprop="reviewRating" itemscope '
        f'itemtype="https://schema.org/Rating">{stars}'
        f'<meta itemprop="ratingValue" content="{post.rating}"><meta itemprop="bestRating" '
        f'content="5">'
        '<meta itemprop="worstRating" content="1"></span>'
        f'<time itemprop="datePublished" datetime'
        f'="{post.time.isoformat()}">{absolute_time(post)}</time></div>'
        f'{heading}<p itemprop="reviewBody">{escape(post.text)}</p></li>'
    )
