"""The schedule of the demo web's posts: ten weeks of slots, with planted themes."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.catalog import BRANDS, FIRST_MONDAY, PRODUCTS, WEEKS, DemoBrand, Product, load_phrases

SITES = ("forum", "microblog", "shop", "gym")
FEELINGS = ("positive", "neutral", "negative")
ORGANIC_POSTS_PER_WEEK = 235
SURGE_WEEK = 5
SURGE_FACTOR = 1.5
COMPARISON_SHARE = 0.11  # of the organic posts name two brands
CRISIS_BRAND = "warmfield"
CRISIS_MOOD = {9: (0.25, 0.22, 0.53), 10: (0.38, 0.24, 0.38)}
PREGNANCY_SITE_SHARES = {"forum": 0.44, "microblog": 0.34, "shop": 0.22}
SITE_SHARES = {"forum": 0.39, "microblog": 0.34, "shop": 0.27}
# The number of accounts that post more than once.
REGULAR_ACCOUNTS = {"forum": 420, "microblog": 560, "shop": 620, "gym": 90}
# Of the hours of a day.
HOUR_WEIGHTS = (
    2,
    1,
    1,
    1,
    1,
    2,
    6,
    11,
    10,
    7,
    6,
    6,
    8,
    7,
    5,
    5,
    5,
    6,
    7,
    8,
    10,
    11,
    9,
    5,
)
# Monday to Sunday.
WEEKDAY_WEIGHTS = {
    "forum": (10, 10, 10, 10, 9, 13, 14),
    "microblog": (9, 9, 9, 9, 11, 15, 15),
    "shop": (11, 11, 11, 11, 10, 8, 8),
    "gym": (13, 11, 11, 10, 9, 8, 7),
}


@dataclass(frozen=True, kw_only=True)
class Theme:
    """A planted theme: its number of posts by week, and their distribution."""

    name: str
    # The number of posts by week.
    weeks: dict[int, int]
    # The share of posts in Chinese.
    chinese_share: float
    # Weights of the sites.
    sites: dict[str, float]
    # Weights of the brands; None means those of organic posts.
    brands: dict[str, float] | None = None
    # Kinds of product.
    kinds: tuple[str, ...] = ("cereal", "biscuit", "hot")
    # Weights of positive, neutral and negative posts.
    feelings: tuple[float, float, float] = (0.4, 0.6, 0)
    # Weights of Monday to Sunday; None means those of the site.
    days: tuple[int, ...] | None = None
    # `regular`; `new`: another account for each post; `single`: one account for all.
    authors: str = "regular"


THEMES = (
    Theme(
        name="folate",
        weeks={7: 14, 8: 26, 9: 40, 10: 60},
        chinese_share=0.6,
        sites={**PREGNANCY_SITE_SHARES, "gym": 0.05},
        authors="new",
        kinds=("cereal", "hot"),
        brands={"morngrain": 0.66, "warmfield": 0.19, "tianduo": 0.15},
    ),
    Theme(name="stray", weeks={4: 1}, chinese_share=1, sites={"forum": 1}, brands={"morngrain": 1}),
    Theme(
        name="pregnant",
        weeks=dict.fromkeys(range(1, WEEKS + 1), 6),
        chinese_share=0.6,
        sites=PREGNANCY_SITE_SHARES,
    ),
    Theme(
        name="crisis",
        weeks={9: 44, 10: 16},
        chinese_share=0.65,
        sites=SITE_SHARES,
        brands={CRISIS_BRAND: 1},
        feelings=(0, 0, 1),
        days=(1, 5, 7, 6, 4, 4, 3),
    ),
    Theme(
        name="gym",
        weeks={8: 42, 9: 48, 10: 54},
        chinese_share=0.62,
        sites={"gym": 1},
        kinds=("cereal", "hot"),
    ),
    Theme(
        name="nianhuo",
        weeks={5: 5, 6: 12, 7: 18},
        chinese_share=1,
        sites=SITE_SHARES,
        feelings=(0.6, 0.4, 0),
    ),
    Theme(
        name="chunjie",
        weeks={7: 10, 8: 30, 9: 5},
        chinese_share=0.75,
        sites=SITE_SHARES,
        feelings=(0.5, 0.5, 0),
    ),
    Theme(
        name="valentine",
        weeks={7: 11},
        chinese_share=0,
        sites=SITE_SHARES,
        feelings=(0.7, 0.3, 0),
        days=(1, 1, 1, 2, 4, 9, 3),
    ),
    Theme(
        name="yuanxiao",
        weeks={9: 2, 10: 9},
        chinese_share=1,
        sites=SITE_SHARES,
        feelings=(0.5, 0.5, 0),
        days=(4, 9, 3, 1, 1, 1, 1),
    ),
    Theme(
        name="loud",
        weeks={8: 9, 9: 10, 10: 11},
        chinese_share=1,
        sites={"microblog": 1},
        brands={"morngrain": 1},
        feelings=(0, 0, 1),
        authors="single",
    ),
    Theme(
        name="ad",
        weeks={8: 34, 10: 26},
        chinese_share=0.8,
        sites={"microblog": 0.8, "forum": 0.2},
        brands={"tianduo": 1},
        feelings=(1, 0, 0),
        days=(0, 5, 6, 1, 0, 0, 0),
        authors="new",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account of one site."""

    number: int
    site: str
    language: str
    name: str
    followers: int
    verified: bool


@dataclass(frozen=True, kw_only=True)
class PostSlot:
    """A post to be written."""

    site: str
    language: str
    time: datetime
    author: Account
    product: Product
    feeling: str
    theme: str | None = None
    rival: Product | None = None
    # Its number within the theme.
    theme_index: int = 0


class AccountPool:
    """The accounts: regular ones, and new ones with a single post."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._names: set[tuple[str, str]] = set()
        self._last_numbers = dict.fromkeys(SITES, 100)
        self._regulars = {
            (site, language): [
                self.create_account(site, language) for _ in range(round(size * share))
            ]
            for site, size in REGULAR_ACCOUNTS.items()
            for language, share in (("zh", 0.6), ("en", 0.4))
        }
        self._shared_accounts: dict[str, Account] = {}

    def pick_account(self, authors: str, theme: str | None, site: str, language: str) -> Account:
        """Return an account for a post; `authors` is that of `Theme`."""
        if authors == "new":
            return self.create_account(site, language)
        if authors == "single":
            if str(theme) not in self._shared_accounts:
                self._shared_accounts[str(theme)] = self.create_account(site, language)
            return self._shared_accounts[str(theme)]
        regulars = self._regulars[site, language]
        # Some accounts post more often than others.
        return regulars[int(len(regulars) * self._rng.random() ** 1.3)]

    def create_account(self, site: str, language: str) -> Account:
        """Create an account with a new name and number."""
        self._last_numbers[site] += self._rng.randint(1, 9)
        verified = self._rng.random() < 0.04
        followers = int(self._rng.lognormvariate(8.5 if verified else 4.6, 1.4))
        return Account(
            number=self._last_numbers[site],
            site=site,
            language=language,
            name=self._invent_name(site, language),
            followers=followers,
            verified=verified,
        )

    def _invent_name(self, site: str, language: str) -> str:
        """Return a name that is not used on the site."""
        name_parts = load_phrases("names")[language]
        while True:
            name: str = self._rng.choice(name_parts["first"]) + self._rng.choice(
                name_parts["second"]
            )
            if language == "en" or self._rng.random() < 0.3:
                name += str(self._rng.randint(2, 99))
            if (site, name) not in self._names:
                self._names.add((site, name))
                return name


def schedule_posts(rng: random.Random) -> list[PostSlot]:
    """Return all slots of the ten weeks, in order of time."""
    accounts = AccountPool(rng)
    slots = [
        *_schedule_organic(rng, accounts),
        *(slot for theme in THEMES for slot in _schedule_theme(rng, accounts, theme)),
    ]
    return sorted(slots, key=lambda slot: slot.time)


def _schedule_organic(rng: random.Random, accounts: AccountPool) -> Iterator[PostSlot]:
    for week in range(1, WEEKS + 1):
        for _ in range(round(ORGANIC_POSTS_PER_WEEK * (SURGE_FACTOR if week == SURGE_WEEK else 1))):
            site = _draw_key(rng, SITE_SHARES)
            language = rng.choices(("zh", "en"), (0.6, 0.4))[0]
            brand = _draw_brand(rng)
            feeling = rng.choices(FEELINGS, _feeling_probabilities(brand, week))[0]
            product = _draw_product(rng, brand.id)
            rival = (
                _draw_rival(rng, product)
                if rng.random() < COMPARISON_SHARE and feeling != "negative"
                else None
            )
            yield PostSlot(
                site=site,
                language=language,
                time=_draw_time(rng, week, WEEKDAY_WEIGHTS[site]),
                author=accounts.pick_account("regular", None, site, language),
                product=product,
                feeling=feeling,
                theme="versus" if rival else None,
                rival=rival,
            )


def _schedule_theme(rng: random.Random, accounts: AccountPool, theme: Theme) -> Iterator[PostSlot]:
    count = 0
    for week, posts in theme.weeks.items():
        sites = {site: share for site, share in theme.sites.items() if site != "gym" or week >= 8}
        for _ in range(posts):
            count += 1
            site = _draw_key(rng, sites)
            language = "zh" if rng.random() < theme.chinese_share else "en"
            brand = _draw_key(rng, theme.brands) if theme.brands else _draw_brand(rng).id
            yield PostSlot(
                site=site,
                language=language,
                time=_draw_time(rng, week, theme.days or WEEKDAY_WEIGHTS[site]),
                product=_draw_product(rng, brand, theme.kinds),
                author=accounts.pick_account(theme.authors, theme.name, site, language),
                feeling=rng.choices(FEELINGS, theme.feelings)[0],
                theme=theme.name,
                theme_index=count,
            )


def _feeling_probabilities(brand: DemoBrand, week: int) -> tuple[float, ...]:
    """Return the probabilities of positive, neutral and negative posts about a brand.

    They change linearly from the first week to the last, except in the crisis.
    """
    if brand.id == CRISIS_BRAND and week in CRISIS_MOOD:
        return CRISIS_MOOD[week]
    first, last = brand.mood
    return tuple(a + (b - a) * (week - 1) / (WEEKS - 1) for a, b in zip(first, last, strict=True))


def _draw_time(rng: random.Random, week: int, days: tuple[int, ...]) -> datetime:
    day = rng.choices(range(7), days)[0]
    hour = rng.choices(range(24), HOUR_WEIGHTS)[0]
    return FIRST_MONDAY + timedelta(
        weeks=week - 1, days=day, hours=hour, seconds=rng.randrange(3600)
    )


def _draw_key(rng: random.Random, weights: dict[str, float]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def _draw_brand(rng: random.Random) -> DemoBrand:
    return rng.choices(list(BRANDS.values()), [brand.share for brand in BRANDS.values()])[0]


def _draw_product(rng: random.Random, brand: str, kinds: tuple[str, ...] = Theme.kinds) -> Product:
    return rng.choice(
        [product for product in PRODUCTS if product.brand == brand and product.kind in kinds]
    )


def _draw_rival(rng: random.Random, product: Product) -> Product:
    """Return a product of another brand, of the same kind where there is one."""
    others = [other for other in PRODUCTS if other.brand != product.brand]
    return rng.choice([other for other in others if other.kind == product.kind] or others)
