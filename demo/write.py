"""Sentences: phrases of the banks, drawn without replacement, joined as people of each site join them."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from demo.catalog import BRANDS, Product, load_phrases
from demo.schedule import PostSlot

# share of the talk that goes to each aspect; "texture" stands for the kind of the product
ASPECT_SHARES = {
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
STORY_SHARE = 0.2  # share of the posts, replies apart, that tell a story
PACKAGING_COMPLAINT_SHARE = 0.4  # share of the complaints about our own brand
_STOPS = "，。：？！,.:?!"
_LEADS = (
    ",",
    ":",
    " but",
    " and",
    "Over here",
    "Honestly",
)  # English beginnings that the next clause goes on from
_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")  # [one|another] in a phrase


@dataclass(frozen=True)
class PostStructure:
    """How a post of one role is built: how often it says where the author is and how often it closes, and how much more it says."""

    scene_probability: float
    follow_up_counts: tuple[int, ...]
    closer_probability: float


POST_STRUCTURES = {  # reposts are comments and have none
    "opening": PostStructure(0.7, (1, 2, 2, 3), 0.6),
    "reply": PostStructure(0.0, (0, 1, 1, 2), 0.0),
    "review": PostStructure(0.25, (0, 1, 2, 2, 3), 0.6),
    "status": PostStructure(0.4, (0, 0, 1, 1, 2), 0.35),
}


class PostWriter:
    """Writes posts. Every bank is a deck that is shuffled again only when it is used up, so that phrases seldom repeat."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._decks: dict[tuple[str, ...], list[str]] = {}

    def draw_phrase(self, *path: str) -> str:
        """The next phrase of the bank at `path`, such as ("zh", "claims", "price", "positive"), its choices made."""
        deck = self._decks.setdefault(path, [])
        if not deck:
            deck.extend(_phrases(path))
            self.rng.shuffle(deck)
        return _CHOICE.sub(lambda match: self.rng.choice(match[1].split("|")), deck.pop())

    def happens(self, probability: float) -> bool:
        return self.rng.random() < probability

    def write_title(self, slot: PostSlot) -> str:
        language, theme = slot.language, slot.theme
        planted = load_phrases("plants").get(theme or "", {}).get(language, {})
        if "titles" in planted:
            phrase = self.draw_phrase("plants", str(theme), language, "titles")
        elif theme in ("crisis", "versus") and (theme == "crisis" or slot.rival):
            phrase = self.draw_phrase(language, "titles", theme)
        else:
            phrase = self.draw_phrase(language, "titles", slot.feeling)
        return _capital(self._fill(phrase, slot, generic=False))

    def write_text(self, slot: PostSlot, role: str) -> str:
        """The whole text of a post; `role` is one of MANNERS, or repost."""
        if slot.theme == "ad":
            return self._advertisement(slot)
        clauses = self._repost(slot) if role == "repost" else self._statement(slot, role)
        text = self._join(clauses, slot)
        return (
            self._decorate(text, slot, tagged=role == "status")
            if slot.site == "microblog"
            else self._sign(text, slot)
        )

    def _advertisement(self, slot: PostSlot) -> str:
        planted = load_phrases("plants")["ad"][slot.language]
        return str(planted["text"]).format(
            edit=self.rng.choice(planted["edits"]), k=self.rng.randint(1000, 9999)
        )

    def _statement(self, slot: PostSlot, role: str) -> list[str]:
        """Clauses in order; a clause that ends in punctuation keeps it."""
        manner = POST_STRUCTURES[role]
        lead = (
            [*self._reaction(slot, 0.5), *self._core(slot)]
            if role == "reply"
            else self._lead(slot, manner.scene_probability)
        )
        return (
            lead
            + self._more(slot, self.rng.choice(manner.follow_up_counts))
            + self._closer(slot, manner.closer_probability)
        )

    def _repost(self, slot: PostSlot) -> list[str]:
        comment = self._fill(self.draw_phrase(slot.language, "reposts", slot.feeling), slot)
        return [comment, *(self._core(slot) if self.happens(0.45) else [])]

    def _lead(self, slot: PostSlot, scene: float) -> list[str]:
        """A story; or the message, with probability `scene` after where the author is (planted themes bring their own)."""
        if slot.theme is None and self.happens(STORY_SHARE):
            return [self._fill(self.draw_phrase(slot.language, "stories", slot.feeling), slot)]
        here = slot.theme not in load_phrases("plants") and self.happens(scene)
        return [*([self.draw_phrase(slot.language, "scenes")] if here else []), *self._core(slot)]

    def _reaction(self, slot: PostSlot, probability: float) -> list[str]:
        if "self" in load_phrases("plants").get(slot.theme or "", {}).get(slot.language, {}):
            return []
        feeling = "neutral" if slot.theme in load_phrases("plants") else slot.feeling
        return (
            [self.draw_phrase(slot.language, "reactions", feeling)]
            if self.happens(probability)
            else []
        )

    def _core(self, slot: PostSlot) -> list[str]:
        """The clauses that carry the message."""
        language, theme = slot.language, slot.theme
        if theme in load_phrases("plants"):
            return self._planted(slot)
        if theme == "crisis":
            path: tuple[str, ...] = (language, "crisis", "claims")
        elif theme == "versus":
            path = (language, "versus", "neutral" if slot.feeling == "neutral" else "claims")
        else:
            path = (language, "claims", self._aspect(slot), slot.feeling)
        return [self._fill(self.draw_phrase(*path), slot, generic=path[1] == "claims")]

    def _planted(self, slot: PostSlot) -> list[str]:
        theme, language = str(slot.theme), slot.language
        core = self._fill(self.draw_phrase("plants", theme, language, "core"), slot, generic=False)
        if "self" not in load_phrases("plants")[theme][language]:
            return [core]
        own = self._fill(self.draw_phrase("plants", theme, language, "self"), slot)
        return [own, core] if self.happens(0.75) else [core, own.rstrip("，")]

    def _more(self, slot: PostSlot, count: int) -> list[str]:
        """Follow-up clauses without a subject."""
        language, theme = slot.language, slot.theme
        if theme in load_phrases("plants"):
            tails = load_phrases("plants")[str(theme)][language]
            return (
                [
                    self.draw_phrase("plants", str(theme), language, "tail")
                    for _ in range(min(count, 1))
                ]
                if "tail" in tails
                else []
            )
        if theme == "crisis":
            return [self.draw_phrase(language, "crisis", "more") for _ in range(min(count, 2))]
        aspects = list(dict.fromkeys(self._aspect(slot) for _ in range(count)))
        return [
            self._fill(self.draw_phrase(language, "more", aspect, slot.feeling), slot)
            for aspect in aspects
        ]

    def _closer(self, slot: PostSlot, probability: float) -> list[str]:
        if slot.theme in load_phrases("plants") or not self.happens(probability):
            return []
        return [self.draw_phrase(slot.language, "closers", slot.feeling)]

    def _aspect(self, slot: PostSlot) -> str:
        if (
            slot.product.brand == "morngrain"
            and slot.feeling == "negative"
            and self.happens(PACKAGING_COMPLAINT_SHARE)
        ):
            return "pack"
        aspect = self.rng.choices(list(ASPECT_SHARES), list(ASPECT_SHARES.values()))[0]
        return slot.product.kind if aspect == "texture" else aspect

    def _fill(self, phrase: str, slot: PostSlot, generic: bool = True) -> str:
        """`phrase` with its slots filled; the same slot twice gets the same filling."""
        fillings: dict[str, Any] = load_phrases(slot.language)["slots"]
        words: dict[str, str] = {
            name: self.rng.choice(fillings[name])
            for name in ("who", "n", "shop", "when", "yuan", "price")
            if name in fillings
        }
        words["fl"] = self.rng.choice(fillings[slot.product.kind])
        words["b"] = BRANDS[slot.product.brand].name(slot.language)
        plain = "的{p}" in phrase or "{p}的" in phrase  # one 的 is enough
        words["p"] = self._mention(slot.product, slot, generic, plain)
        words["q"] = self._mention(slot.rival or slot.product, slot)
        return phrase.format(**words, k=slot.theme_index)

    def _mention(
        self, product: Product, slot: PostSlot, generic: bool = False, plain: bool = True
    ) -> str:
        """How people of a site name a product. Microblogs are found by the brand's name, so there it is always said."""
        brand, name = BRANDS[product.brand].name(slot.language), product.name(slot.language)
        if slot.site == "shop" and generic and self.happens(0.45):
            return self.draw_phrase(slot.language, "generic", product.kind)
        if slot.language == "en":
            full = f"{brand} {name}"
            return self.rng.choice(
                (full, full, brand) if slot.site == "microblog" else (full, brand, name, name)
            )
        if self.happens(0.03):
            brand = BRANDS[product.brand].en
        named = (f"{brand}{name}", f"{brand}{'' if plain else '的'}{name}", brand, brand)
        return self.rng.choice(named if slot.site == "microblog" else (*named, name, name, name))

    def _join(self, clauses: Sequence[str], slot: PostSlot) -> str:
        text = (
            self._join_zh(clauses, slot) if slot.language == "zh" else self._join_en(clauses, slot)
        )
        return _mistype(text, slot.language) if self.happens(0.06) else text

    def _join_zh(self, clauses: Sequence[str], slot: PostSlot) -> str:
        separators = "，，。。！ ～" if slot.site == "microblog" else "，，，。。。；"
        text = ""
        for clause in clauses:
            text += (
                clause if not text or text[-1] in _STOPS else self.rng.choice(separators) + clause
            )
        return (
            text
            if text[-1] in _STOPS or self.happens(0.35)
            else text + self._stop(slot, "。", "！")
        )

    def _join_en(self, clauses: Sequence[str], slot: PostSlot) -> str:
        text = ""
        for clause in clauses:
            leading = clause.endswith(_LEADS)
            text += f" {clause}" if text.endswith(_LEADS) else f" {_capital(clause)}"
            if not leading and text[-1] not in _STOPS:
                text += self._stop(slot, ".", "!")
        return _capital(text.strip())

    def _stop(self, slot: PostSlot, calm: str, loud: str) -> str:
        return loud if slot.feeling != "neutral" and self.happens(0.2) else calm

    def _sign(self, text: str, slot: PostSlot) -> str:
        """Few people put an emoji under a forum post or a review."""
        if not self.happens(0.06):
            return text
        return (
            text
            + ("" if slot.language == "zh" else " ")
            + self.draw_phrase(slot.language, "emoji", slot.feeling)
        )

    def _decorate(self, text: str, slot: PostSlot, tagged: bool) -> str:
        """What people of a microblog put around their words; `tagged` posts may carry a hashtag."""
        chinese = slot.language == "zh"
        if not chinese and self.happens(0.25):
            text = text.lower()
        if self.happens(0.5):
            emoji = self.draw_phrase(slot.language, "emoji", slot.feeling)
            twice = self.happens(0.25) and (emoji.startswith("[") or len(emoji) == 1)
            text += ("" if chinese else " ") + emoji * (2 if twice else 1)
        if tagged and self.happens(0.14):
            tag = self.draw_phrase(slot.language, "slots", "hashtags")
            text = f"{tag}{text}" if chinese and self.happens(0.5) else f"{text} {tag}"
        return text


def _phrases(path: Sequence[str]) -> list[str]:
    node: Any = load_phrases(path[0])
    for key in path[1:]:
        node = node[key]
    return list(node)


def _mistype(text: str, language: str) -> str:
    """The text with one slip of the finger, where one fits."""
    for right, wrong in load_phrases(language)["typos"].items():
        if right in text:
            return text.replace(right, str(wrong), 1)
    return text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
