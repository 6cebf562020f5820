"""Sentences: phrases of the banks, drawn without replacement, joined as people of each site join them."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from demo.catalog import BRANDS, Product, bank

# share of the talk that goes to each aspect; "texture" stands for the kind of the product
ASPECTS = {
    "texture": 0.36,
    "price": 0.12,
    "pack": 0.11,
    "sweet": 0.1,
    "mix": 0.09,
    "ship": 0.06,
    "full": 0.05,
    "kids": 0.05,
    "date": 0.05,
    "service": 0.03,
}
PACKAGING_COMPLAINTS = 0.4  # share of the complaints about our own brand
_QUESTION = re.compile(  # read at the end of a text, so that a full stop or a question mark follows
    r"[吗呢]$|^(?!.*[，。]).*(怎么|哪个|多久|多少|有没有|谁有|谁能)|^(has|have|is|does|did|can (you|i)|who|what's|which|how|when|why|anyone)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Brief:
    """What a post is to say, where, and in which role: opening, reply, review, status, repost."""

    site: str
    language: str
    role: str
    product: Product
    feeling: str  # positive, neutral, negative
    theme: str | None = None
    rival: Product | None = None
    count: int = 0  # which post of its theme


class Writer:
    """Writes posts. Every bank is a deck that is shuffled again only when it is used up, so that phrases seldom repeat."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._decks: dict[tuple[str, ...], list[str]] = {}

    def draw(self, *path: str) -> str:
        """The next phrase of the bank at `path`, such as ("zh", "claims", "price", "positive")."""
        deck = self._decks.setdefault(path, [])
        if not deck:
            deck.extend(_phrases(path))
            self.rng.shuffle(deck)
        return deck.pop()

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def title(self, brief: Brief) -> str:
        language, theme = brief.language, brief.theme
        planted = bank("plants").get(theme or "", {}).get(language, {})
        if "titles" in planted:
            phrase = self.draw("plants", str(theme), language, "titles")
        elif theme in ("crisis", "versus") and (theme == "crisis" or brief.rival):
            phrase = self.draw(language, "titles", theme)
        else:
            phrase = self.draw(language, "titles", brief.feeling)
        return _capital(self._fill(phrase, brief, generic=False))

    def text(self, brief: Brief) -> str:
        """The whole text of a post."""
        if brief.theme == "ad":
            return self._advertisement(brief)
        clauses = getattr(self, f"_{brief.role}")(brief)
        return self._finish(self._join(clauses, brief), brief)

    def _advertisement(self, brief: Brief) -> str:
        planted = bank("plants")["ad"][brief.language]
        return str(planted["text"]).format(edit=self.rng.choice(planted["edits"]), k=self.rng.randint(1000, 9999))

    # Roles: each gives clauses in order; a clause that ends in punctuation keeps it.

    def _opening(self, brief: Brief) -> list[str]:
        return self._scene(brief, 0.7) + self._core(brief) + self._more(brief, self.rng.choice((1, 2, 2, 3))) + self._closer(brief, 0.6)

    def _reply(self, brief: Brief) -> list[str]:
        return self._reaction(brief, 0.5) + self._core(brief) + self._more(brief, self.rng.choice((0, 1, 1, 2)))

    def _review(self, brief: Brief) -> list[str]:
        return self._scene(brief, 0.25) + self._core(brief) + self._more(brief, self.rng.choice((0, 1, 2, 2, 3))) + self._closer(brief, 0.6)

    def _status(self, brief: Brief) -> list[str]:
        return self._scene(brief, 0.4) + self._core(brief) + self._more(brief, self.rng.choice((0, 0, 1, 1, 2))) + self._closer(brief, 0.35)

    def _repost(self, brief: Brief) -> list[str]:
        comment = self._fill(self.draw(brief.language, "reposts", brief.feeling), brief)
        return [comment, *(self._core(brief) if self.chance(0.45) else [])]

    def _scene(self, brief: Brief, probability: float) -> list[str]:
        """Where the author is; whoever speaks of a planted theme has a scene of their own."""
        if brief.theme in bank("plants") or not self.chance(probability):
            return []
        return [self.draw(brief.language, "scenes")]

    def _reaction(self, brief: Brief, probability: float) -> list[str]:
        feeling = "neutral" if brief.theme in bank("plants") else brief.feeling
        return [self.draw(brief.language, "reactions", feeling)] if self.chance(probability) else []

    def _core(self, brief: Brief) -> list[str]:
        """The clauses that carry the message."""
        language, theme = brief.language, brief.theme
        if theme in bank("plants"):
            return self._planted(brief)
        if theme == "crisis":
            path: tuple[str, ...] = (language, "crisis", "claims")
        elif theme == "versus":
            path = (language, "versus", "neutral" if brief.feeling == "neutral" else "claims")
        else:
            path = (language, "claims", self._aspect(brief), brief.feeling)
        return [self._fill(self.draw(*path), brief, generic=path[1] == "claims")]

    def _planted(self, brief: Brief) -> list[str]:
        theme, language = str(brief.theme), brief.language
        core = self._fill(self.draw("plants", theme, language, "core"), brief, generic=False)
        if "self" not in bank("plants")[theme][language]:
            return [core]
        own = self.draw("plants", theme, language, "self")
        return [own, core] if self.chance(0.75) else [core, own.rstrip("，")]

    def _more(self, brief: Brief, count: int) -> list[str]:
        """Follow-up clauses without a subject."""
        language, theme = brief.language, brief.theme
        if theme in bank("plants"):
            tails = bank("plants")[str(theme)][language]
            return [self.draw("plants", str(theme), language, "tail") for _ in range(min(count, 1))] if "tail" in tails else []
        if theme == "crisis":
            return [self.draw(language, "crisis", "more") for _ in range(min(count, 2))]
        aspects = list(dict.fromkeys(self._aspect(brief) for _ in range(count)))
        return [self._fill(self.draw(language, "more", aspect, brief.feeling), brief) for aspect in aspects]

    def _closer(self, brief: Brief, probability: float) -> list[str]:
        if brief.theme in bank("plants") or not self.chance(probability):
            return []
        return [self.draw(brief.language, "closers", brief.feeling)]

    def _aspect(self, brief: Brief) -> str:
        if brief.product.brand == "morngrain" and brief.feeling == "negative" and self.chance(PACKAGING_COMPLAINTS):
            return "pack"
        aspect = self.rng.choices(list(ASPECTS), list(ASPECTS.values()))[0]
        return brief.product.kind if aspect == "texture" else aspect

    def _fill(self, phrase: str, brief: Brief, generic: bool = True) -> str:
        """`phrase` with its slots filled; the same slot twice gets the same filling."""
        slots: dict[str, Any] = bank(brief.language)["slots"]
        words: dict[str, str] = {
            name: self.rng.choice(slots[name]) for name in ("who", "n", "shop", "when", "yuan", "price") if name in slots
        }
        words["fl"] = self.rng.choice(slots[brief.product.kind])
        words["b"] = BRANDS[brief.product.brand].name(brief.language)
        words["p"] = self._mention(brief.product, brief, generic)
        words["q"] = self._mention(brief.rival or brief.product, brief, generic=False)
        return phrase.format(**words, k=brief.count)

    def _mention(self, product: Product, brief: Brief, generic: bool) -> str:
        """How people of a site name a product. Microblogs are found by the brand's name, so there it is always said."""
        brand, name = BRANDS[product.brand].name(brief.language), product.name(brief.language)
        if brief.site == "shop" and generic and self.chance(0.45):
            return self.draw(brief.language, "generic", product.kind)
        if brief.language == "en":
            full = f"{brand} {name}"
            return self.rng.choice((full, full, brand) if brief.site == "microblog" else (full, brand, name, name))
        if self.chance(0.03):
            brand = BRANDS[product.brand].en
        named = (f"{brand}{name}", f"{brand}的{name}", brand, brand)
        return self.rng.choice(named if brief.site == "microblog" else (*named, name, name, name))

    def _join(self, clauses: Sequence[str], brief: Brief) -> str:
        return self._join_zh(clauses, brief) if brief.language == "zh" else self._join_en(clauses)

    def _join_zh(self, clauses: Sequence[str], brief: Brief) -> str:
        separators = "，，。。！ ～" if brief.site == "microblog" else "，，，。。。；！"
        text = ""
        for clause in clauses:
            if text and text[-1] not in "，：。！？":
                last = text.rsplit("，", 1)[-1]
                text += "？" if _QUESTION.search(last) else self.rng.choice(separators)
            text += clause
        end = "？" if _QUESTION.search(clauses[-1].rsplit("，", 1)[-1]) else self.rng.choice("。。！") if self.chance(0.65) else ""
        return text if text[-1] in "，。！？" else text + end

    def _join_en(self, clauses: Sequence[str]) -> str:
        text = ""
        for clause in clauses:
            open_ended = text.endswith((",", ":", " but", " and", "Over here", "Honestly"))
            text += clause if not text else f" {clause}" if open_ended else f" {_capital(clause)}"
            if not text.endswith((",", ".", "!", "?", ":")) and not clause.endswith((" but", " and", "Over here", "Honestly")):
                text += "?" if _QUESTION.search(clause) else self.rng.choice("....!")
        return _capital(text)

    def _finish(self, text: str, brief: Brief) -> str:
        """Slips of the finger, and what people put around their words."""
        if self.chance(0.06):
            text = self._mistype(text, brief.language)
        if brief.site != "microblog":
            return text + self.draw(brief.language, "emoji", brief.feeling) if self.chance(0.06) else text
        if brief.language == "en" and self.chance(0.25):
            text = text.lower()
        if self.chance(0.5):
            text += ("" if brief.language == "zh" else " ") + self.draw(brief.language, "emoji", brief.feeling) * self.rng.choice(
                (1, 1, 1, 2)
            )
        if brief.role == "status" and self.chance(0.14):
            tag = self.draw(brief.language, "slots", "hashtags")
            text = f"{tag}{text}" if self.chance(0.5) else f"{text} {tag}"
        return text

    def _mistype(self, text: str, language: str) -> str:
        for right, wrong in bank(language)["typos"].items():
            if right in text:
                return text.replace(right, wrong, 1)
        return text


def _phrases(path: Sequence[str]) -> list[str]:
    node: Any = bank(path[0])
    for key in path[1:]:
        node = node[key]
    return list(node)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
