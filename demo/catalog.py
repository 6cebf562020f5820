"""The catalog of the demo web: three invented brands, their products, and the weeks."""

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

CHINA_TIMEZONE = timezone(timedelta(hours=8))
FIRST_MONDAY = datetime(2025, 12, 29, tzinfo=CHINA_TIMEZONE)  # of 2026-W01
WEEKS = 10
DEMO_NOW = FIRST_MONDAY + timedelta(weeks=WEEKS, hours=8)  # the current time on the demo web
LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Product:
    """A product of a brand."""

    number: int
    brand: str
    # cereal, biscuit or hot; it decides the phrases about its texture.
    kind: str
    zh: str
    en: str
    # The names in a shop's list, without the brand.
    full_zh: str
    full_en: str
    price: str

    def name(self, language: str) -> str:
        """Return the name in a language, `zh` or `en`."""
        return self.zh if language == "zh" else self.en

    def listing(self, language: str) -> str:
        """Return the name with the brand, as a shop prints it."""
        brand = BRANDS[self.brand]
        return f"{brand.zh} {self.full_zh}" if language == "zh" else f"{brand.en} {self.full_en}"


@dataclass(frozen=True)
class DemoBrand:
    """A brand and the sentiment of the posts about it."""

    id: str
    zh: str
    en: str
    # The share of organic posts about it.
    share: float
    # Probabilities of positive, neutral and negative posts in the first and in the last week.
    mood: tuple[tuple[float, float, float], tuple[float, float, float]]

    def name(self, language: str) -> str:
        """Return the name in a language, `zh` or `en`."""
        return self.zh if language == "zh" else self.en


BRANDS = {
    brand.id: brand
    for brand in (
        DemoBrand("morngrain", "晨谷", "Morngrain", 0.46, ((0.66, 0.20, 0.14), (0.63, 0.20, 0.17))),
        DemoBrand("warmfield", "暖禾", "Warmfield", 0.31, ((0.50, 0.25, 0.25), (0.47, 0.25, 0.28))),
        DemoBrand("tianduo", "田朵", "Tianduo", 0.23, ((0.40, 0.28, 0.32), (0.46, 0.28, 0.26))),
    )
}
PRODUCTS = (
    Product(
        1,
        "morngrain",
        "cereal",
        "麦朝脆",
        "Sunup Crunch",
        "麦朝脆烤燕麦片 350g",
        "Sunup Crunch Granola 350 g",
        "29.90",
    ),
    Product(
        2,
        "morngrain",
        "biscuit",
        "小谷饼",
        "Pebblegrain",
        "小谷饼全麦饼干 240g",
        "Pebblegrain Wholegrain Biscuits 240 g",
        "18.80",
    ),
    Product(
        3,
        "morngrain",
        "hot",
        "晨碗粥",
        "Dawnbowl",
        "晨碗粥速食燕麦杯 6杯装",
        "Dawnbowl Instant Oats, 6 cups",
        "39.00",
    ),
    Product(
        4,
        "warmfield",
        "cereal",
        "禾苗圈",
        "Hearth Hoops",
        "禾苗圈谷物圈 300g",
        "Hearth Hoops Cereal 300 g",
        "26.80",
    ),
    Product(
        5,
        "warmfield",
        "biscuit",
        "厚禾饼",
        "Warmsnap",
        "厚禾饼粗粮饼干 260g",
        "Warmsnap Oat Biscuits 260 g",
        "16.90",
    ),
    Product(
        6,
        "warmfield",
        "hot",
        "暖粥杯",
        "Cosypot",
        "暖粥杯冲泡粥 8杯装",
        "Cosypot Porridge, 8 cups",
        "42.00",
    ),
    Product(
        7,
        "tianduo",
        "cereal",
        "云朵燕麦",
        "Cloud Oats",
        "云朵燕麦水果麦片 400g",
        "Cloud Oats Fruit Muesli 400 g",
        "33.50",
    ),
    Product(
        8,
        "tianduo",
        "biscuit",
        "田心酥",
        "Petalsnap",
        "田心酥夹心饼干 200g",
        "Petalsnap Sandwich Biscuits 200 g",
        "15.50",
    ),
)
KIND_NAMES = {
    "cereal": ("谷物麦片", "Cereal"),
    "biscuit": ("饼干", "Biscuits"),
    "hot": ("冲泡粥", "Hot oats"),
}


@lru_cache
def load_phrases(name: str) -> dict[str, Any]:
    """Return the phrases of `banks/NAME.toml`."""
    path = Path(__file__).parent / "banks" / f"{name}.toml"
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return table
