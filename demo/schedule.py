"""When who speaks of what: the slots that the ten weeks are made of, planted themes included."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.catalog import BRANDS, FIRST_MONDAY, PRODUCTS, WEEKS, DemoBrand, Product, load_phrases

SITES = ("forum", "microblog", "shop", "gym")
FEELINGS = ("positive", "neutral", "negative")
ORGANIC_POSTS_PER_WEEK = 235  # posts a week
SURGE_WEEK, SURGE_FACTOR = 5, 1.5
COMPARISON_SHARE = 0.11  # share of the organic posts that name two brands
CRISIS_BRAND = "warmfield"
CRISIS_MOOD = {9: (0.25, 0.22, 0.53), 10: (0.38, 0.24, 0.38)}
PREGNANCY_SITE_SHARES = {"forum": 0.44, "microblog": 0.34, "shop": 0.22}
SITE_SHARES = {"forum": 0.39, "microblog": 0.34, "shop": 0.27}
REGULAR_ACCOUNTS = {
    "forum": 420,
    "microblog": 560,
    "shop": 620,
    "gym": 90,
}  # accounts that come back
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
)  # weights by hour of the day
WEEKDAY_WEIGHTS = {  # weights Monday to Sunday
    "forum": (10, 10, 10, 10, 9, 13, 14),
    "microblog": (9, 9, 9, 9, 11, 15, 15),
    "shop": (11, 11, 11, 11, 10, 8, 8),
    "gym": (13, 11, 11, 10, 9, 8, 7),
}


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Something planted: how many posts in which week, in which languages and on which sites."""

    name: str
    weeks: dict[int, int]
    chinese_share: float  # share of posts in Chinese
    sites: dict[str, float]
    brands: dict[str, float] | None = None  # None: as in the organic talk
    kinds: tuple[str, ...] = ("cereal", "biscuit", "hot")  # of product
    feelings: tuple[float, float, float] = (0.4, 0.6, 0)
    days: tuple[int, ...] | None = None  # weights; None: as on the site
    authors: str = "regular"  # regular; new: one each; single: one for all


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
    """One post to be written."""

    site: str
    language: str
    time: datetime
    author: Account
    product: Product
    feeling: str
    theme: str | None = None
    rival: Product | None = None
    theme_index: int = 0  # which of its theme


class AccountPool:
    """The accounts: regulars who come back, and newcomers who speak once."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._names: set[tuple[str, str]] = set()
        self._count = dict.fromkeys(SITES, 100)
        self._regulars = {
            (site, language): [
                self.create_account(site, language) for _ in range(round(size * share))
            ]
            for site, size in REGULAR_ACCOUNTS.items()
            for language, share in (("zh", 0.6), ("en", 0.4))
        }
        self._single: dict[str, Account] = {}

    def pick_account(self, how: str, theme: str | None, site: str, language: str) -> Account:
        if how == "new":
            return self.create_account(site, language)
        if how == "single":
            if str(theme) not in self._single:
                self._single[str(theme)] = self.create_account(site, language)
            return self._single[str(theme)]
        regulars = self._regulars[site, language]
        return regulars[
            int(len(regulars) * self._rng.random() ** 1.3)
        ]  # some speak more often than others

    def create_account(self, site: str, language: str) -> Account:
        self._count[site] += self._rng.randint(1, 9)
        verified = self._rng.random() < 0.04
        followers = int(self._rng.lognormvariate(8.5 if verified else 4.6, 1.4))
        return Account(
            number=self._count[site],
            site=site,
            language=language,
            name=self._name(site, language),
            followers=followers,
            verified=verified,
        )

    def _name(self, site: str, language: str) -> str:
        """A name that the site has not given away yet."""
        parts = load_phrases("names")[language]
        while True:
            name: str = self._rng.choice(parts["first"]) + self._rng.choice(parts["second"])
            if language == "en" or self._rng.random() < 0.3:
                name += str(self._rng.randint(2, 99))
            if (site, name) not in self._names:
                self._names.add((site, name))
                return name


def schedule_posts(rng: random.Random) -> list[PostSlot]:
    """All slots of the ten weeks, in order of time."""
    crowd = AccountPool(rng)
    slots = [
        *_organic(rng, crowd),
        *(slot for theme in THEMES for slot in _planted(rng, crowd, theme)),
    ]
    return sorted(slots, key=lambda slot: slot.time)


def _organic(rng: random.Random, crowd: AccountPool) -> Iterator[PostSlot]:
    for week in range(1, WEEKS + 1):
        for _ in range(round(ORGANIC_POSTS_PER_WEEK * (SURGE_FACTOR if week == SURGE_WEEK else 1))):
            site, language, brand = (
                _pick(rng, SITE_SHARES),
                rng.choices(("zh", "en"), (0.6, 0.4))[0],
                _brand(rng),
            )
            feeling = rng.choices(FEELINGS, _mood(brand, week))[0]
            product = _product(rng, brand.id)
            rival = (
                _rival(rng, product)
                if rng.random() < COMPARISON_SHARE and feeling != "negative"
                else None
            )
            yield PostSlot(
                site=site,
                language=language,
                time=_moment(rng, week, WEEKDAY_WEIGHTS[site]),
                author=crowd.pick_account("regular", None, site, language),
                product=product,
                feeling=feeling,
                theme="versus" if rival else None,
                rival=rival,
            )


def _planted(rng: random.Random, crowd: AccountPool, theme: Theme) -> Iterator[PostSlot]:
    count = 0
    for week, posts in theme.weeks.items():
        sites = {site: share for site, share in theme.sites.items() if site != "gym" or week >= 8}
        for _ in range(posts):
            count += 1
            site = _pick(rng, sites)
            language = "zh" if rng.random() < theme.chinese_share else "en"
            brand = _pick(rng, theme.brands) if theme.brands else _brand(rng).id
            yield PostSlot(
                site=site,
                language=language,
                time=_moment(rng, week, theme.days or WEEKDAY_WEIGHTS[site]),
                product=_product(rng, brand, theme.kinds),
                author=crowd.pick_account(theme.authors, theme.name, site, language),
                feeling=rng.choices(FEELINGS, theme.feelings)[0],
                theme=theme.name,
                theme_index=count,
            )


def _mood(brand: DemoBrand, week: int) -> tuple[float, ...]:
    """How likely a post on `brand` is positive, neutral, negative: drifts from the first week to the last, falls in the crisis."""
    if brand.id == CRISIS_BRAND and week in CRISIS_MOOD:
        return CRISIS_MOOD[week]
    first, last = brand.mood
    return tuple(a + (b - a) * (week - 1) / (WEEKS - 1) for a, b in zip(first, last, strict=True))


def _moment(rng: random.Random, week: int, days: tuple[int, ...]) -> datetime:
    day = rng.choices(range(7), days)[0]
    hour = rng.choices(range(24), HOUR_WEIGHTS)[0]
    return FIRST_MONDAY + timedelta(
        weeks=week - 1, days=day, hours=hour, seconds=rng.randrange(3600)
    )


def _pick(rng: random.Random, weights: dict[str, float]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def _brand(rng: random.Random) -> DemoBrand:
    return rng.choices(list(BRANDS.values()), [brand.share for brand in BRANDS.values()])[0]


def _product(rng: random.Random, brand: str, kinds: tuple[str, ...] = Theme.kinds) -> Product:
    return rng.choice(
        [product for product in PRODUCTS if product.brand == brand and product.kind in kinds]
    )


def _rival(rng: random.Random, product: Product) -> Product:
    """A product of another brand, of the same kind where there is one."""
    others = [other for other in PRODUCTS if other.brand != product.brand]
    return rng.choice([other for other in others if other.kind == product.kind] or others)
