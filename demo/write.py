"""Writing of posts from banks of phrases, joined in the manner of each site."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from demo.catalog import BRANDS, Product, load_phrases
from demo.schedule import PostSlot

# Weights of the aspects; "texture" means the kind of the product.
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
STORY_SHARE = 0.2  # of the posts that are not replies
PACKAGING_COMPLAINT_SHARE = 0.4  # of the complaints about the project's own brand
_PUNCTUATION = "，。：？！,.:?!"
# English endings of a clause that the next clause continues.
_OPEN_ENDINGS = (",", ":", " but", " and", "Over here", "Honestly")
_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")  # [one|another] in a phrase


@dataclass(frozen=True)
class PostStructure:
    """The structure of posts of one role."""

    # Of a clause about the place of the author.
    scene_probability: float
    # Numbers of follow-up clauses, to draw from.
    follow_up_counts: tuple[int, ...]
    # Of a closing clause.
    closer_probability: float


# Reposts are comments and have no structure.
POST_STRUCTURES = {
    "opening": PostStructure(0.7, (1, 2, 2, 3), 0.6),
    "reply": PostStructure(0.0, (0, 1, 1, 2), 0.0),
    "review": PostStructure(0.25, (0, 1, 2, 2, 3), 0.6),
    "status": PostStructure(0.4, (0, 0, 1, 1, 2), 0.35),
}


class PostWriter:
    """Writes posts.

    Phrases of a bank are drawn without replacement until it is empty, so that they seldom repeat.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._decks: dict[tuple[str, ...], list[str]] = {}

    def draw_phrase(self, *path: str) -> str:
        """Return the next phrase of a bank, with its choices made.

        `path` names the bank, such as ("zh", "claims", "price", "positive").
        """
        deck = self._decks.setdefault(path, [])
        if not deck:
            deck.extend(_load_bank(path))
            self.rng.shuffle(deck)
        return _CHOICE.sub(lambda match: self.rng.choice(match[1].split("|")), deck.pop())

    def happens(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.rng.random() < probability

    def write_title(self, slot: PostSlot) -> str:
        """Return the title of a post."""
        language = slot.language
        theme = slot.theme
        planted = load_phrases("plants").get(theme or "", {}).get(language, {})
        if "titles" in planted:
            phrase = self.draw_phrase("plants", str(theme), language, "titles")
        elif theme in ("crisis", "versus") and (theme == "crisis" or slot.rival):
            phrase = self.draw_phrase(language, "titles", theme)
        else:
            phrase = self.draw_phrase(language, "titles", slot.feeling)
        return _capitalize(self._fill_phrase(phrase, slot, generic=False))

    def write_text(self, slot: PostSlot, role: str) -> str:
        """Return the text of a post; `role` is a key of POST_STRUCTURES, or `repost`."""
        if slot.theme == "ad":
            return self._write_advertisement(slot)
        clauses = (
            self._write_repost_comment(slot)
            if role == "repost"
            else self._write_statement(slot, role)
        )
        text = self._join_clauses(clauses, slot)
        return (
            self._decorate(text, slot, tagged=role == "status")
            if slot.site == "microblog"
            else self._add_emoji(text, slot)
        )

    def _write_advertisement(self, slot: PostSlot) -> str:
        planted = load_phrases("plants")["ad"][slot.language]
        return str(planted["text"]).format(
            edit=self.rng.choice(planted["edits"]), k=self.rng.randint(1000, 9999)
        )

    def _write_statement(self, slot: PostSlot, role: str) -> list[str]:
        """Return clauses in order; a clause that ends in punctuation keeps it."""
        structure = POST_STRUCTURES[role]
        lead = (
            [*self._write_reaction(slot, 0.5), *self._write_core(slot)]
            if role == "reply"
            else self._write_lead(slot, structure.scene_probability)
        )
        return (
            lead
            + self._write_follow_ups(slot, self.rng.choice(structure.follow_up_counts))
            + self._write_closer(slot, structure.closer_probability)
        )

    def _write_repost_comment(self, slot: PostSlot) -> list[str]:
        comment = self._fill_phrase(self.draw_phrase(slot.language, "reposts", slot.feeling), slot)
        return [comment, *(self._write_core(slot) if self.happens(0.45) else [])]

    def _write_lead(self, slot: PostSlot, scene_probability: float) -> list[str]:
        """Return a story, or the message, which may follow a scene.

        Planted themes have scenes of their own.
        """
        if slot.theme is None and self.happens(STORY_SHARE):
            return [
                self._fill_phrase(self.draw_phrase(slot.language, "stories", slot.feeling), slot)
            ]
        has_scene = slot.theme not in load_phrases("plants") and self.happens(scene_probability)
        return [
            *([self.draw_phrase(slot.language, "scenes")] if has_scene else []),
            *self._write_core(slot),
        ]

    def _write_reaction(self, slot: PostSlot, probability: float) -> list[str]:
        if "self" in load_phrases("plants").get(slot.theme or "", {}).get(slot.language, {}):
            return []
        feeling = "neutral" if slot.theme in load_phrases("plants") else slot.feeling
        return (
            [self.draw_phrase(slot.language, "reactions", feeling)]
            if self.happens(probability)
            else []
        )

    def _write_core(self, slot: PostSlot) -> list[str]:
        """Return the clauses with the message."""
        language = slot.language
        theme = slot.theme
        if theme in load_phrases("plants"):
            return self._write_planted_core(slot)
        if theme == "crisis":
            path: tuple[str, ...] = (language, "crisis", "claims")
        elif theme == "versus":
            path = (language, "versus", "neutral" if slot.feeling == "neutral" else "claims")
        else:
            path = (language, "claims", self._draw_aspect(slot), slot.feeling)
        return [self._fill_phrase(self.draw_phrase(*path), slot, generic=path[1] == "claims")]

    def _write_planted_core(self, slot: PostSlot) -> list[str]:
        theme, language = str(slot.theme), slot.language
        core = self._fill_phrase(
            self.draw_phrase("plants", theme, language, "core"), slot, generic=False
        )
        if "self" not in load_phrases("plants")[theme][language]:
            return [core]
        self_clause = self._fill_phrase(self.draw_phrase("plants", theme, language, "self"), slot)
        return [self_clause, core] if self.happens(0.75) else [core, self_clause.rstrip("，")]

    def _write_follow_ups(self, slot: PostSlot, count: int) -> list[str]:
        """Return follow-up clauses without a subject."""
        language = slot.language
        theme = slot.theme
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
        aspects = list(dict.fromkeys(self._draw_aspect(slot) for _ in range(count)))
        return [
            self._fill_phrase(self.draw_phrase(language, "more", aspect, slot.feeling), slot)
            for aspect in aspects
        ]

    def _write_closer(self, slot: PostSlot, probability: float) -> list[str]:
        if slot.theme in load_phrases("plants") or not self.happens(probability):
            return []
        return [self.draw_phrase(slot.language, "closers", slot.feeling)]

    def _draw_aspect(self, slot: PostSlot) -> str:
        if (
            slot.product.brand == "morngrain"
            and slot.feeling == "negative"
            and self.happens(PACKAGING_COMPLAINT_SHARE)
        ):
            return "pack"
        aspect = self.rng.choices(list(ASPECT_SHARES), list(ASPECT_SHARES.values()))[0]
        return slot.product.kind if aspect == "texture" else aspect

    def _fill_phrase(self, phrase: str, slot: PostSlot, generic: bool = True) -> str:
        """Fill the slots of a phrase; a slot that occurs twice gets the same word."""
        fillings: dict[str, Any] = load_phrases(slot.language)["slots"]
        words: dict[str, str] = {
            name: self.rng.choice(fillings[name])
            for name in ("who", "n", "shop", "when", "yuan", "price")
            if name in fillings
        }
        words["fl"] = self.rng.choice(fillings[slot.product.kind])
        words["b"] = BRANDS[slot.product.brand].name(slot.language)
        has_particle = "的{p}" in phrase or "{p}的" in phrase  # then the name needs no 的
        words["p"] = self._mention_product(slot.product, slot, generic, has_particle)
        words["q"] = self._mention_product(slot.rival or slot.product, slot)
        return phrase.format(**words, k=slot.theme_index)

    def _mention_product(
        self, product: Product, slot: PostSlot, generic: bool = False, has_particle: bool = True
    ) -> str:
        """Return a product's name as users of a site write it.

        Statuses always name the brand, because they are searched by it.
        """
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
        names = (f"{brand}{name}", f"{brand}{'' if has_particle else '的'}{name}", brand, brand)
        return self.rng.choice(names if slot.site == "microblog" else (*names, name, name, name))

    def _join_clauses(self, clauses: Sequence[str], slot: PostSlot) -> str:
        text = (
            self._join_zh(clauses, slot) if slot.language == "zh" else self._join_en(clauses, slot)
        )
        return _add_typo(text, slot.language) if self.happens(0.06) else text

    def _join_zh(self, clauses: Sequence[str], slot: PostSlot) -> str:
        separators = "，，。。！ ～" if slot.site == "microblog" else "，，，。。。；"
        text = ""
        for clause in clauses:
            text += (
                clause
                if not text or text[-1] in _PUNCTUATION
                else self.rng.choice(separators) + clause
            )
        return (
            text
            if text[-1] in _PUNCTUATION or self.happens(0.35)
            else text + self._draw_stop(slot, "。", "！")
        )

    def _join_en(self, clauses: Sequence[str], slot: PostSlot) -> str:
        text = ""
        for clause in clauses:
            leading = clause.endswith(_OPEN_ENDINGS)
            text += f" {clause}" if text.endswith(_OPEN_ENDINGS) else f" {_capitalize(clause)}"
            if not leading and text[-1] not in _PUNCTUATION:
                text += self._draw_stop(slot, ".", "!")
        return _capitalize(text.strip())

    def _draw_stop(self, slot: PostSlot, calm: str, loud: str) -> str:
        return loud if slot.feeling != "neutral" and self.happens(0.2) else calm

    def _add_emoji(self, text: str, slot: PostSlot) -> str:
        """Add an emoji to a few forum posts and reviews."""
        if not self.happens(0.06):
            return text
        return (
            text
            + ("" if slot.language == "zh" else " ")
            + self.draw_phrase(slot.language, "emoji", slot.feeling)
        )

    def _decorate(self, text: str, slot: PostSlot, tagged: bool) -> str:
        """Add emoji and, to some posts if `tagged`, a hashtag, as in a microblog."""
        chinese = slot.language == "zh"
        if not chinese and self.happens(0.25):
            text = text.lower()
        if self.happens(0.5):
            emoji = self.draw_phrase(slot.language, "emoji", slot.feeling)
            is_doubled = self.happens(0.25) and (emoji.startswith("[") or len(emoji) == 1)
            text += ("" if chinese else " ") + emoji * (2 if is_doubled else 1)
        if tagged and self.happens(0.14):
            tag = self.draw_phrase(slot.language, "slots", "hashtags")
            text = f"{tag}{text}" if chinese and self.happens(0.5) else f"{text} {tag}"
        return text


def _load_bank(path: Sequence[str]) -> list[str]:
    node: Any = load_phrases(path[0])
    for key in path[1:]:
        node = node[key]
    return list(node)


def _add_typo(text: str, language: str) -> str:
    """Return a text with one typing error, where one fits."""
    for right, wrong in load_phrases(language)["typos"].items():
        if right in text:
            return text.replace(right, str(wrong), 1)
    return text


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]
