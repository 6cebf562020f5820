"""Labelled sets that no training ever sees, as trades: brands and what people say of them.

A trade is a project of its own. Trades whose `part` is CHOOSE may be looked at while a method is
chosen; those of REPORT only tell what the choice is worth.
"""

import csv
import gzip
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from folate.core.config import Brand
from folate.core.errors import InputError
from folate.core.labels import SENTIMENT_LABELS, SentimentLabel
from nlp.extract.brands import BrandLinker
from nlp.text.normalize import normalize_text
from training.sets.sources import entity_part

SELECTION_PART = "choose"
REPORT_PART = "report"
MASKED_HANDLE = "@user"  # what the sets of tweets have in place of every account


@dataclass(frozen=True)
class LabelledText:
    """What somebody wrote, and what a person says of it."""

    text: str
    label: SentimentLabel


@dataclass(frozen=True)
class LabelledBrand:
    """A brand as folate.toml has it, and its texts.

    `subject` is what the page is about on which the texts stand; without it each text names the
    brand itself.
    """

    id: str
    names: tuple[str, ...]
    texts: tuple[LabelledText, ...] = field(default=(), repr=False)
    subject: str | None = None


@dataclass(frozen=True)
class Trade:
    """Brands that one project compares.

    `kind` is that of its posts (`folate.core.post.POST_KINDS`).
    """

    name: str
    part: str
    kind: str
    brands: tuple[LabelledBrand, ...]


APPLE_NAMES = ("Apple", "AAPL", "iPhone", "iPad", "iTunes")
SXSW_BRANDS = {"apple": APPLE_NAMES, "google": ("Google", "Android")}
SXSW_PRODUCTS = {
    "iPad": "apple",
    "iPhone": "apple",
    "Apple": "apple",
    "Google": "google",
    "Android": "google",
}

ENTITY_TRADES: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "games A": (SELECTION_PART, {
        "ApexLegends": ("Apex Legends", "Apex", "@PlayApex"),
        "Hearthstone": ("Hearthstone", "@PlayHearthstone"),
        "RedDeadRedemption(RDR)": (
            "Red Dead Redemption",
            "Red Dead",
            "RDR",
            "RDR2",
            "@RockstarGames",
        ),
        "TomClancysRainbowSix": ("Rainbow Six", "Rainbow Six Siege", "R6", "R6S", "@Rainbow6Game"),
    }),
    "companies A": (SELECTION_PART, {
        "Google": ("Google", "@Google"),
        "HomeDepot": ("Home Depot", "@HomeDepot"),
        "Nvidia": ("Nvidia", "GeForce", "RTX", "@nvidia"),
        "PlayStation5(PS5)": ("PlayStation", "PS5", "@PlayStation"),
    }),
    "games B": (REPORT_PART, {
        "Battlefield": ("Battlefield", "@Battlefield"),
        "CS-GO": ("Counter-Strike", "CSGO", "CS:GO", "@CSGO"),
        "Cyberpunk2077": ("Cyberpunk 2077", "Cyberpunk", "@CyberpunkGame"),
        "Dota2": ("Dota 2", "Dota", "@DOTA2"),
        "LeagueOfLegends": ("League of Legends", "@LeagueOfLegends"),
        "TomClancysGhostRecon": ("Ghost Recon", "Breakpoint", "@GhostRecon"),
    }),
    "companies B": (REPORT_PART, {
        "Microsoft": ("Microsoft", "Windows", "Xbox", "@Microsoft"),
        "johnson&johnson": ("Johnson & Johnson", "Johnson and Johnson", "J&J", "JNJ", "@JNJNews"),
    }),
}  # fmt: skip
"""Trades of twitter_entity_sentiment: the entities, and how people write them."""

BANK_APPS = {
    "Commercial Bank of Ethiopia": ("Commercial Bank of Ethiopia", "CBE"),
    "Bank of Abyssinia": ("Bank of Abyssinia", "BOA"),
    "Dashen Bank": ("Dashen Bank", "Dashen"),
}
CHINESE_BANKS = {
    "cmb": ("招商银行", "招行"), "ccb": ("建设银行", "建行"), "icbc": ("工商银行", "工行"),
    "spd": ("浦发银行", "浦发"), "citic": ("中信银行", "中信"), "cmbc": ("民生银行", "民生"),
}  # fmt: skip
CARD_FORUM = "卡友论坛"  # a made-up page, for the comments that name no bank
SHOPPING_BRANDS = {"水果": ("四季鲜果",), "蒙牛": ("蒙牛",)}  # the first is a made-up shop


def load_trades(data: Path) -> list[Trade]:
    """Read every trade from the folder `data` of the public sets.

    Raises InputError where a set is missing.
    """
    readers = (
        _sxsw_trade,
        _entity_trades,
        _shopping_trade,
        _apple_trade,
        _bank_app_trade,
        _chinese_bank_trades,
    )
    return [_without_repeats(trade) for reader in readers for trade in reader(data)]


def part_of_entity(entity: str) -> str | None:
    """Return the part of an entity of twitter_entity_sentiment; None for a training entity."""
    return {0: SELECTION_PART, 2: REPORT_PART}.get(entity_part(entity))


def _read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file, compressed or not.

    Raises InputError where it is missing.
    """
    if not path.exists():
        raise InputError(
            f"wanted the set {path}, got no such file: --data is the folder of the public sets."
        )
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _yield_labelled(
    text: str, label: str, labels: Mapping[str, SentimentLabel]
) -> Iterator[LabelledText]:
    """Yield the text with its label among `labels`; nothing for another label ("unsure")."""
    if label in labels:
        yield LabelledText(text, labels[label])


THREE_WAY_LABELS: dict[str, SentimentLabel] = {label: label for label in SENTIMENT_LABELS}
STAR_LABELS: dict[str, SentimentLabel] = {
    "1": "negative",
    "2": "negative",
    "4": "positive",
    "5": "positive",
}


def _sxsw_trade(data: Path) -> Iterator[Trade]:
    """Yield a trade of tweets of one event.

    Tweets with a label of a product of the other brand are left out.
    """
    rows = list(_read_rows(data / "more/sxsw_brand_emotion/all.csv"))
    texts: dict[str, list[LabelledText]] = {}
    for brand in SXSW_BRANDS:
        texts[brand] = [
            labelled
            for row in rows
            if _sxsw_brand(row["target"]) in (brand, None)
            for labelled in _yield_labelled(row["text"], row["label"], THREE_WAY_LABELS)
        ]
    yield Trade("sxsw", SELECTION_PART, "microblog", _brands_by_name(SXSW_BRANDS, texts))


def _sxsw_brand(target: str) -> str | None:
    return next((brand for product, brand in SXSW_PRODUCTS.items() if product in target), None)


def _apple_trade(data: Path) -> Iterator[Trade]:
    texts = [
        labelled
        for row in _read_rows(data / "more/apple_tweets_dfe/all.csv")
        for labelled in _yield_labelled(row["text"], row["label"], THREE_WAY_LABELS)
    ]
    brands = {"apple": (*APPLE_NAMES, "@Apple")}
    yield Trade("apple", REPORT_PART, "microblog", _brands_by_name(brands, {"apple": texts}))


def _entity_trades(data: Path) -> Iterator[Trade]:
    """Yield trades of tweets on games and companies.

    "irrelevant" is not about the brand, which is neutral.
    """
    labels = THREE_WAY_LABELS | {"irrelevant": "neutral"}
    texts: dict[str, list[LabelledText]] = {}
    for row in _read_rows(data / "more/twitter_entity_sentiment/all.csv.gz"):
        texts.setdefault(row["entity"], []).extend(
            _yield_labelled(row["text"], row["label"], labels)
        )
    for name, (part, brands) in ENTITY_TRADES.items():
        yield Trade(name, part, "microblog", _brands_by_name(brands, texts))


def _bank_app_trade(data: Path) -> Iterator[Trade]:
    """Yield a trade of reviews of three apps, each on the page of its bank, without three stars."""
    rows = list(_read_rows(data / "bank_app_reviews/bank_reviews.csv"))
    texts: dict[str, list[LabelledText]] = {}
    for row in rows:
        texts.setdefault(row["bank"], []).extend(
            _yield_labelled(row["review"], row["rating"], STAR_LABELS)
        )
    brands = _brands_by_page(BANK_APPS, texts, "{} Mobile Banking")
    yield Trade("bank apps", REPORT_PART, "review", brands)


def _shopping_trade(data: Path) -> Iterator[Trade]:
    """Yield a trade of reviews of two categories, as those of two brands on their pages."""
    labels: dict[str, SentimentLabel] = {"0": "negative", "1": "positive"}
    texts: dict[str, list[LabelledText]] = {}
    for row in _read_rows(data / "online_shopping_10_cats/online_shopping_10_cats.csv"):
        if row["cat"] in SHOPPING_BRANDS:
            texts.setdefault(row["cat"], []).extend(
                _yield_labelled(row["review"], row["label"], labels)
            )
    yield Trade(
        "fruit and milk",
        SELECTION_PART,
        "review",
        _brands_by_page(SHOPPING_BRANDS, texts, "{}旗舰店"),
    )


def _chinese_bank_trades(data: Path) -> Iterator[Trade]:
    """Yield comments on bank cards: those that name a bank, and the others as a forum's page."""
    rows = _read_rows(data / "more/df529_bank_comments/all.csv.gz")
    texts = [
        labelled
        for row in rows
        for labelled in _yield_labelled(row["text"], row["label"], THREE_WAY_LABELS)
    ]
    yield Trade(
        "Chinese banks",
        REPORT_PART,
        "forum",
        _brands_by_name(CHINESE_BANKS, dict.fromkeys(CHINESE_BANKS, texts)),
    )
    linker = BrandLinker([Brand(id=key, names=names) for key, names in CHINESE_BANKS.items()])
    unnamed = tuple(labelled for labelled in texts if not linker.find_mentions(labelled.text))
    forum = LabelledBrand("forum", (CARD_FORUM,), unnamed, subject=CARD_FORUM)
    yield Trade("card forum", REPORT_PART, "forum", (forum,))


def _brands_by_name(
    names: Mapping[str, tuple[str, ...]], texts: Mapping[str, list[LabelledText]]
) -> tuple[LabelledBrand, ...]:
    """Return brands with those of their texts that name them and no other brand of the trade.

    Where a text names none but has an account that the set hid, the first such account becomes the
    handle of the brand.
    """
    linker = BrandLinker([Brand(id=key, names=spelled) for key, spelled in names.items()])
    return tuple(
        LabelledBrand(key, spelled, tuple(_select_naming(key, spelled, texts[key], linker)))
        for key, spelled in names.items()
    )


def _select_naming(
    brand: str, names: tuple[str, ...], texts: Iterable[LabelledText], linker: BrandLinker
) -> Iterator[LabelledText]:
    handle = next((name for name in names if name.startswith("@")), None)
    for labelled in texts:
        named = {mention.brand for mention in linker.find_mentions(labelled.text)}
        if named == {brand}:
            yield labelled
        elif not named and handle and MASKED_HANDLE in labelled.text:
            yield replace(labelled, text=labelled.text.replace(MASKED_HANDLE, handle, 1))


def _brands_by_page(
    names: Mapping[str, tuple[str, ...]], texts: Mapping[str, list[LabelledText]], page: str
) -> tuple[LabelledBrand, ...]:
    """Make brands whose texts are on their own pages, without texts that name another brand."""
    linker = BrandLinker([Brand(id=key, names=spelled) for key, spelled in names.items()])
    return tuple(
        LabelledBrand(
            key,
            spelled,
            tuple(_select_of_page(key, texts[key], linker)),
            subject=page.format(spelled[0]),
        )
        for key, spelled in names.items()
    )


def _select_of_page(
    brand: str, texts: Iterable[LabelledText], linker: BrandLinker
) -> Iterator[LabelledText]:
    for labelled in texts:
        if {mention.brand for mention in linker.find_mentions(labelled.text)} <= {brand}:
            yield labelled


def _without_repeats(trade: Trade) -> Trade:
    """Return the trade with each text once, without texts that people labelled differently."""
    return replace(
        trade,
        brands=tuple(replace(brand, texts=_distinct_texts(brand.texts)) for brand in trade.brands),
    )


def _distinct_texts(texts: Iterable[LabelledText]) -> tuple[LabelledText, ...]:
    distinct: dict[str, LabelledText] = {}
    labels: dict[str, set[SentimentLabel]] = {}
    for labelled in texts:
        if key := normalize_text(labelled.text):
            distinct.setdefault(key, labelled)
            labels.setdefault(key, set()).add(labelled.label)
    return tuple(labelled for text, labelled in distinct.items() if len(labels[text]) == 1)


def count_labels(texts: Iterable[LabelledText]) -> tuple[int, int, int]:
    """Count the texts with each of SENTIMENT_LABELS."""
    counts = Counter(labelled.label for labelled in texts)
    negative, neutral, positive = (counts[label] for label in SENTIMENT_LABELS)
    return negative, neutral, positive
