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
STORIES = 0.2  # share of the posts, replies apart, that tell a story
PACKAGING_COMPLAINTS = 0.4  # share of the complaints about our own brand
_STOPS = "，。：？！,.:?!"
_LEADS = (",", ":", " but", " and", "Over here", "Honestly")  # English beginnings that the next clause goes on from
_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")  # [one|another] in a phrase


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
        """The next phrase of the bank at `path`, such as ("zh", "claims", "price", "positive"), its choices made."""
        deck = self._decks.setdefault(path, [])
        if not deck:
            deck.extend(_phrases(path))
            self.rng.shuffle(deck)
        return _CHOICE.sub(lambda match: self.rng.choice(match[1].split("|")), deck.pop())

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
        if "self" in bank("plants").get(brief.theme or "", {}).get(brief.language, {}):
            return []
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
        elif brief.role != "reply" and self.chance(STORIES):
            path = (language, "stories", brief.feeling)
        else:
            path = (language, "claims", self._aspect(brief), brief.feeling)
        return [self._fill(self.draw(*path), brief, generic=path[1] in ("claims", "stories"))]

    def _planted(self, brief: Brief) -> list[str]:
        theme, language = str(brief.theme), brief.language
        core = self._fill(self.draw("plants", theme, language, "core"), brief, generic=False)
        if "self" not in bank("plants")[theme][language]:
            return [core]
        own = self._fill(self.draw("plants", theme, language, "self"), brief)
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
        plain = "的{p}" in phrase or "{p}的" in phrase  # one 的 is enough
        words["p"] = self._mention(brief.product, brief, generic, plain)
        words["q"] = self._mention(brief.rival or brief.product, brief)
        return phrase.format(**words, k=brief.count)

    def _mention(self, product: Product, brief: Brief, generic: bool = False, plain: bool = True) -> str:
        """How people of a site name a product. Microblogs are found by the brand's name, so there it is always said."""
        brand, name = BRANDS[product.brand].name(brief.language), product.name(brief.language)
        if brief.site == "shop" and generic and self.chance(0.45):
            return self.draw(brief.language, "generic", product.kind)
        if brief.language == "en":
            full = f"{brand} {name}"
            return self.rng.choice((full, full, brand) if brief.site == "microblog" else (full, brand, name, name))
        if self.chance(0.03):
            brand = BRANDS[product.brand].en
        named = (f"{brand}{name}", f"{brand}{'' if plain else '的'}{name}", brand, brand)
        return self.rng.choice(named if brief.site == "microblog" else (*named, name, name, name))

    def _join(self, clauses: Sequence[str], brief: Brief) -> str:
        return self._join_zh(clauses, brief) if brief.language == "zh" else self._join_en(clauses, brief)

    def _join_zh(self, clauses: Sequence[str], brief: Brief) -> str:
        separators = "，，。。！ ～" if brief.site == "microblog" else "，，，。。。；"
        text = ""
        for clause in clauses:
            text += clause if not text or text[-1] in _STOPS else self.rng.choice(separators) + clause
        return text if text[-1] in _STOPS or self.chance(0.35) else text + self._stop(brief, "。", "！")

    def _join_en(self, clauses: Sequence[str], brief: Brief) -> str:
        text = ""
        for clause in clauses:
            leading = clause.endswith(_LEADS)
            text += f" {clause}" if text.endswith(_LEADS) else f" {_capital(clause)}"
            if not leading and text[-1] not in _STOPS:
                text += self._stop(brief, ".", "!")
        return _capital(text.strip())

    def _stop(self, brief: Brief, calm: str, loud: str) -> str:
        return loud if brief.feeling != "neutral" and self.chance(0.2) else calm

    def _finish(self, text: str, brief: Brief) -> str:
        """Slips of the finger, and what people put around their words."""
        if self.chance(0.06):
            text = self._mistype(text, brief.language)
        if brief.site != "microblog":
            return text + self.draw(brief.language, "emoji", brief.feeling) if self.chance(0.06) else text
        if brief.language == "en" and self.chance(0.25):
            text = text.lower()
        if self.chance(0.5):
            emoji = self.draw(brief.language, "emoji", brief.feeling)
            twice = self.chance(0.25) and (emoji.startswith("[") or len(emoji) == 1)
            text += ("" if brief.language == "zh" else " ") + emoji * (2 if twice else 1)
        if brief.role == "status" and self.chance(0.14):
            tag = self.draw(brief.language, "slots", "hashtags")
            text = f"{tag}{text}" if self.chance(0.5) and brief.language == "zh" else f"{text} {tag}"
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
