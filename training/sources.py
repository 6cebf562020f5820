"""The sets that the model learns from on a GPU: those of `training.manifest` and some forty more.

Each set has a reader that yields Samples. Sets that judge something by name (a brand, a person, a place) have
`named` set: their names are exchanged before training, so that no name carries a feeling. Sets in
`KEPT_OUT` are never learnt from: the report is measured on them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from folate.core.labels import EMOTIONS, INTENTS
from training import readers
from training.manifest import SHOPPING, SOURCES, Source, Split, splits
from training.samples import (
    NEGATIVE,
    NEUTRAL,
    NOT_ABOUT,
    POSITIVE,
    THREE_WAY,
    TWO_WAY,
    Sample,
    Target,
)

KEPT_CATEGORIES = ("水果", "蒙牛")
"""Categories of online_shopping that stand for two brands nobody labelled."""

CHOICE_SETS = ("sxsw", "shop_kept", "entities_choice")
"""Kept-out sets on which quantifiers and rules may be chosen; the others are only reported on."""

_THREE = {"negative": NEGATIVE, "neutral": NEUTRAL, "positive": POSITIVE}
_TOPIC = _THREE | {"-2": NEGATIVE, "-1": NEGATIVE, "0": NEUTRAL, "1": POSITIVE, "2": POSITIVE}
_STARS = {"1": NEGATIVE, "2": NEGATIVE, "4": POSITIVE, "5": POSITIVE}
_EMOTION = {name: index for index, name in enumerate(EMOTIONS)}
_EKMAN = {
    "happy": "admiration amusement approval caring desire excitement gratitude joy love optimism pride relief",
    "angry": "anger annoyance disapproval disgust",
    "sad": "sadness disappointment embarrassment grief remorse",
    "fear": "fear nervousness",
    "surprise": "realization surprise curiosity confusion",
    "neutral": "neutral",
}
"""GoEmotions' own grouping of its 28 emotions (Demszky et al. 2020), with disgust as anger."""

_POLARITY = {
    "happy": POSITIVE,
    "angry": NEGATIVE,
    "sad": NEGATIVE,
    "fear": NEGATIVE,
    "neutral": NEUTRAL,
}
_COMPLAIN, _ASK, _BUY = (INTENTS.index(name) for name in ("complain", "ask", "buy"))


@dataclass(frozen=True)
class Learnt:
    """One set and how it is learnt.

    ``named``: its targets are names. ``weak``: the probability that its post labels are right, where they are not
    given by annotators. ``group``: sets of one group are left out together, because they share writers or texts.
    ``clean``: labels that the texts contradict are dropped (`training.clean`).
    """

    source: Source
    named: bool = False
    weak: float = 1.0
    group: str = ""
    clean: bool = False


def _file(name: str) -> tuple[str, ...]:
    return (f"more/{name}",)


def _source(
    name: str, language: str, read: readers.Reader, file: str, limit: int, *, reviews: bool = False
) -> Source:
    return Source(
        name, language, "see data manifest", read, _file(file), limit=limit, reviews=reviews
    )


def labels(
    mapping: Mapping[str, int], classes: tuple[int, ...] = THREE_WAY, column: str = "label"
) -> readers.Reader:
    """Read a post label a row; rows whose label is not in ``mapping`` are left out."""

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.rows(path):
            label = mapping.get(row[column])
            text = row["text"].strip().replace("`", "'")
            if label is not None and text and not row.get("seen_in"):
                yield Sample(text, label, classes)

    return read


def emotions(mapping: Mapping[str, str], *, polarity: bool) -> readers.Reader:
    """Read emotions, of which a row may have several; those that disagree are left out.

    ``polarity``: whether the emotion also tells the polarity of the post.
    """

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.rows(path):
            names = {mapping.get(name) for name in row["label"].split(";")}
            if len(names) != 1 or None in names or row.get("seen_in"):
                continue
            (name,) = names
            label = _POLARITY.get(str(name)) if polarity else None
            yield Sample(row["text"].strip(), label, emotion=_EMOTION[str(name)])

    return read


def vader(path: Path) -> Iterator[Sample]:
    """Read the mean of ten raters from -4 to 4: beyond .5 either way is polar, as the set's authors cut it."""
    for row in readers.rows(path):
        score = float(row["score"])
        label = POSITIVE if score > 0.5 else NEGATIVE if score < -0.5 else NEUTRAL
        if not row.get("seen_in"):
            yield Sample(row["text"].strip(), label)


def dialogue(path: Path) -> Iterator[Sample]:
    """Read turns of dialogue with their sentiment; of their emotions those that need no voice."""
    for row in readers.rows(path):
        if len(row["text"].split()) >= 4 and not row.get("seen_in"):
            yield Sample(row["text"].strip(), _THREE[row["sentiment"]])


def debate(path: Path) -> Iterator[Sample]:
    """Read tweets on a debate whose annotators mostly agreed."""
    for row in readers.rows(path):
        if float(row["confidence"] or 0) >= 0.65:
            yield Sample(row["text"].strip(), _THREE[row["label"]])


def occurrences(text: str, name: str) -> tuple[tuple[int, int], ...]:
    """Find every place of ``name`` in ``text``, whatever the case, as spans of code points."""
    if len(text.lower()) != len(text) or not name:
        return ()
    pattern = re.compile(re.escape(name.lower()))
    return tuple(match.span() for match in pattern.finditer(text.lower()))


def topics(path: Path) -> Iterator[Sample]:
    """Read tweets about a topic that is a name; the post has the label of its only topic."""
    for row in readers.rows(path):
        label = _TOPIC.get(row["label"])
        text = row["text"].strip()
        if label is None or row.get("seen_in"):
            continue
        spans = occurrences(text, row["topic"]) or _only_handle(text)
        if spans:
            yield Sample(text, None, targets=(Target(spans, label),))


def _only_handle(text: str) -> tuple[tuple[int, int], ...]:
    """Find the masked handle of a text that has exactly one: it may stand for the name that was asked about."""
    handles = tuple(match.span() for match in re.finditer("@user", text))
    return handles if len(handles) == 1 else ()


def entity_part(entity: str) -> int:
    """Number the parts of the entities: 0 and 2 are kept out (to choose on, to report on), 1 and 3 are learnt."""
    return int(hashlib.sha1(entity.encode(), usedforsecurity=False).hexdigest(), 16) % 4


def entity_names(entity: str) -> list[str]:
    """List the ways in which posts write an entity of the set: 'PlayStation5(PS5)' as PlayStation 5, PS5 …"""
    outside = re.sub(r"\(.*\)", "", entity)
    inside = re.findall(r"\((.*?)\)", entity)
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=&)|(?=&)", " ", outside)
    names = [spaced, outside, *inside]
    return list(dict.fromkeys(name for name in names if len(name) > 1))


def entities(parts: tuple[int, ...]) -> readers.Reader:
    """Read tweets about an entity (a game, a company) of some parts of the set; 'irrelevant' is not about it."""
    mapping = _THREE | {"irrelevant": NOT_ABOUT}

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.rows(path):
            if entity_part(row["entity"]) not in parts or row.get("seen_in"):
                continue
            text, label = row["text"].strip(), mapping[row["label"]]
            spans = next(
                (
                    spans
                    for name in entity_names(row["entity"])
                    if (spans := occurrences(text, name))
                ),
                (),
            )
            spans = spans or _only_handle(text)
            if spans:
                yield Sample(text, None, targets=(Target(spans, label),))
            elif label != NOT_ABOUT and text:
                yield Sample(text, label)

    return read


def complaints(path: Path) -> Iterator[Sample]:
    """Read tweets to companies that complain or do not; a complaint is negative about whom it addresses."""
    for row in readers.rows(path):
        text = row["text"].strip()
        complains = row["label"] == "complaint"
        spans = _only_handle(text)
        label = NEGATIVE if complains else None
        targets = (Target(spans, NEGATIVE),) if complains and spans else ()
        if not row.get("seen_in"):
            yield Sample(text, label, targets=targets, intents=((_COMPLAIN, complains),))


def places(path: Path) -> Iterator[Sample]:
    """Read posts on places of a town; a place with aspects of one polarity has it, one without opinions is neutral."""
    rows: dict[str, dict[str, set[str]]] = {}
    for row in readers.rows(path):
        rows.setdefault(row["text"].strip(), {}).setdefault(row["target"], set()).add(row["label"])
    for text, judged in rows.items():
        targets = []
        for name, words in judged.items():
            polar = words - {"none"} or {"neutral"}
            spans = occurrences(text, name)
            if spans and len(polar) == 1:
                targets.append(Target(spans, _THREE[polar.pop()]))
        if targets:
            yield Sample(text, None, targets=tuple(targets))


def opinions(classes: tuple[int, ...] = THREE_WAY) -> readers.Reader:
    """Read rows of a text, the aspect term in it and its polarity, to one Sample a text.

    A term that stands in the text twice, or is judged in two ways, is left out; the post has the label of all
    of its terms where they agree.
    """

    def read(path: Path) -> Iterator[Sample]:
        rows: dict[str, list[tuple[str, int]]] = {}
        for row in readers.rows(path):
            if not row.get("seen_in"):
                rows.setdefault(row["text"].strip(), []).append(
                    (row["aspect"], _THREE[row["label"]])
                )
        for text, judged in rows.items():
            every = {label for _, label in judged}
            terms: dict[str, set[int]] = {}
            for term, label in judged:
                terms.setdefault(term, set()).add(label)
            targets = [
                Target(spans, labels.pop())
                for term, labels in terms.items()
                if len(labels) == 1 and len(spans := occurrences(text, term)) == 1
            ]
            overall = every.pop() if len(every) == 1 else None
            if targets or overall is not None:
                yield Sample(text, overall, classes, targets=tuple(targets))

    return read


def intents(mapping: Mapping[str, tuple[int, bool]], column: str = "label") -> readers.Reader:
    """Read one intent a row."""

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.rows(path):
            known = mapping.get(row[column], mapping.get("*"))
            if known is not None and not row.get("seen_in"):
                yield Sample(row["text"].strip(), None, intents=(known,))

    return read


def shop(*, kept: bool) -> readers.Reader:
    """Read online_shopping: the categories that are kept out, or the others."""

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.rows(path):
            if (row["cat"] in KEPT_CATEGORIES) == kept and row["review"].strip():
                yield Sample(
                    row["review"].strip(), POSITIVE if row["label"] == "1" else NEGATIVE, TWO_WAY
                )

    return read


_GO = {name: group for group, names in _EKMAN.items() for name in names.split()}
_CARER = {
    "joy": "happy",
    "love": "happy",
    "sadness": "sad",
    "anger": "angry",
    "fear": "fear",
    "surprise": "surprise",
}
_ISEAR = {"joy": "happy", "sadness": "sad", "anger": "angry", "disgust": "angry", "fear": "fear"}
_WEIBO = {
    "happiness": "happy", "like": "happy", "sadness": "sad", "anger": "angry", "disgust": "angry", "fear": "fear",
    "surprise": "surprise", "optimism": "happy", "gratitude": "happy",
}  # fmt: skip
_SMILE = {
    "happy": "happy",
    "angry": "angry",
    "surprise": "surprise",
    "sad": "sad",
    "disgust": "angry",
}
_stars = labels(_STARS, TWO_WAY, "star")

MORE = (
    Learnt(
        _source(
            "semeval_tweets", "en", labels(_THREE), "semeval_task_a_2013_2016/tweets.csv.gz", 50_000
        ),
        group="tweets",
    ),
    Learnt(
        _source(
            "semeval_topics", "en", topics, "semeval_task_a_2013_2016/topic_5point.csv.gz", 30_000
        ),
        named=True,
        group="tweets",
    ),
    Learnt(
        _source("kaggle_tweets", "en", labels(_THREE), "kaggle_tweet_sentiment/all.csv.gz", 20_000)
    ),
    Learnt(
        _source("entities", "en", entities((1, 3)), "twitter_entity_sentiment/all.csv.gz", 20_000),
        named=True,
    ),
    Learnt(_source("sts_gold", "en", labels(_THREE, TWO_WAY), "sts_gold/all.csv", 5_000)),
    Learnt(_source("gop_debate", "en", debate, "gop_debate_2015/all.csv.gz", 3_000)),
    Learnt(
        _source("financial", "en", labels(_THREE), "financial_phrasebank/all.csv", 2_500), weak=0.9
    ),
    Learnt(_source("vader", "en", vader, "vader_ground_truth/all.csv.gz", 9_000)),
    Learnt(
        _source("amazon_7cat", "en", _stars, "amazon_reviews_7cat/all.csv.gz", 9_000, reviews=True),
        weak=0.9,
        group="amazon",
    ),
    Learnt(
        _source(
            "fdu_mtl",
            "en",
            labels(_THREE, TWO_WAY),
            "fdu_mtl_15_domains/all.csv.gz",
            6_000,
            reviews=True,
        ),
        group="amazon",
    ),
    Learnt(
        _source(
            "clothing", "en", _stars, "womens_clothing_reviews/all.csv.gz", 3_500, reviews=True
        ),
        weak=0.9,
    ),
    Learnt(_source("yelp", "en", _stars, "yelp_10k/all.csv.gz", 3_500, reviews=True), weak=0.9),
    Learnt(
        _source("blitzer", "en", _stars, "blitzer_mds_4_domains/all.csv.gz", 3_000, reviews=True),
        weak=0.9,
        group="amazon",
    ),
    Learnt(
        _source("alexa", "en", _stars, "amazon_alexa_reviews/all.csv", 2_000, reviews=True),
        weak=0.9,
        group="amazon",
    ),
    Learnt(_source("drugs", "en", labels(_THREE), "drug_reviews_demo/all.csv", 1_000)),
    Learnt(
        _source(
            "nlpcc2014",
            "zh",
            labels(_THREE, TWO_WAY),
            "nlpcc2014_sc_zh/all.csv.gz",
            12_000,
            reviews=True,
        ),
        clean=True,
    ),
    Learnt(_source("cosmetics", "zh", opinions(), "zhijiang_cosmetics_absa/train.csv", 3_000)),
    Learnt(
        _source(
            "clue_emotion",
            "zh",
            emotions(_WEIBO, polarity=False),
            "clue_emotion_weibo/all.csv.gz",
            4_000,
        )
    ),
    Learnt(
        _source(
            "covid_emotion",
            "zh",
            emotions(_WEIBO, polarity=False),
            "covid_weibo_7emotion/all.csv.gz",
            4_000,
        )
    ),
    Learnt(
        _source("goemotions", "en", emotions(_GO, polarity=True), "goemotions/all.csv.gz", 22_000),
        weak=0.95,
    ),
    Learnt(
        _source("carer", "en", emotions(_CARER, polarity=False), "carer_emotion/all.csv.gz", 2_500)
    ),
    Learnt(_source("isear", "en", emotions(_ISEAR, polarity=False), "isear/all.csv", 2_500)),
    Learnt(_source("meld", "en", dialogue, "meld_dialogue/all.csv", 2_500), weak=0.9),
    Learnt(
        _source(
            "smile", "en", emotions(_SMILE, polarity=False), "smile_museum_emotion/all.csv", 1_400
        )
    ),
    Learnt(
        _source("dmaste", "en", opinions(), "dmaste_8_domains/all.csv.gz", 6_000), group="amazon"
    ),
    Learnt(_source("muse_car", "en", opinions(), "muse_car_aste/all.csv.gz", 1_200)),
    Learnt(_source("sentihood", "en", places, "sentihood/all.csv", 5_000), named=True),
    Learnt(_source("acos", "en", opinions(), "acos_quads/all.csv.gz", 4_000)),
    Learnt(
        _source("complaints", "en", complaints, "complaints_tweets/all.csv", 4_000),
        named=True,
        weak=0.9,
    ),
    Learnt(
        _source(
            "purchase_intent",
            "en",
            intents({"yes": (_BUY, True), "no": (_BUY, False)}),
            "purchase_intent_tweets/all.csv",
            1_200,
        )
    ),
    Learnt(
        _source(
            "banking",
            "en",
            intents({"*": (_ASK, True)}, "intent"),
            "banking77_intents/all.csv.gz",
            1_500,
        )
    ),
)

_NAMED = {"absa/acl14_twitter"}
_GROUPS = {
    "absa/semeval2014_restaurant": "restaurants", "absa/semeval2015_restaurant": "restaurants",
    "absa/semeval2016_restaurant": "restaurants", "absa/mams": "restaurants", "absa/semeval2014_laptop": "laptops",
    "acos": "laptops", "umsab": "tweets", "tweeteval": "tweets", "tweeteval_emotion": "tweets",
    "online_shopping": "shop", "chnsenticorp": "shop", "smp2020_usual": "smp", "smp2020_virus": "smp",
    "nlpcc2013": "moods", "weibo_moods": "moods", "absa/zh_quad": "zh_absa",
}  # fmt: skip
_REPEATS = {
    "sst2": 3,
    "smp2020_usual": 3,
    "umsab": 2,
    "tweeteval": 2,
    "absa/mams": 3,
    "chnsenticorp": 2,
}
_LIMITS = {
    "online_shopping": 30_000,
    "weibo_moods": 8_000,
    "nlpcc2013": 9_000,
    "ccf2018_car": 6_000,
    "absa/zh_quad": 12_000,
}

KEPT_OUT = (
    Source("sxsw", "en", "public", labels(_THREE), dev=_file("sxsw_brand_emotion/all.csv")),
    Source("apple_dfe", "en", "public", labels(_THREE), dev=_file("apple_tweets_dfe/all.csv")),
    Source(
        "entities_choice",
        "en",
        "not stated",
        entities((0,)),
        dev=_file("twitter_entity_sentiment/all.csv.gz"),
    ),
    Source(
        "entities_report",
        "en",
        "not stated",
        entities((2,)),
        dev=_file("twitter_entity_sentiment/all.csv.gz"),
    ),
    Source(
        "df529", "zh", "not stated", labels(_THREE), dev=_file("df529_bank_comments/all.csv.gz")
    ),
    Source("shop_kept", "zh", "not stated", shop(kept=True), dev=(SHOPPING,)),
)
"""Sets whose texts are never learnt, in any set; bank_app_reviews is the manifest's own."""


def learnt() -> list[Learnt]:
    """List every set that is learnt, those of the manifest first."""
    sets = []
    for source in SOURCES:
        name = source.name
        if name == "online_shopping":
            source = replace(source, read=shop(kept=False))
        if source.train:
            limit = _LIMITS.get(name, source.limit)
            repeat = _REPEATS.get(name, source.repeat)
            source = replace(source, limit=limit, repeat=repeat)
            sets.append(
                Learnt(source, name in _NAMED, group=_GROUPS.get(name, ""), clean=source.reviews)
            )
    return [
        *sets,
        *(replace(one, group=one.group or _GROUPS.get(one.source.name, "")) for one in MORE),
    ]


def every_split(data: Path) -> list[Split]:
    """Split all sets together: those that are learnt, those kept out, those that are only asked."""
    asked_only = tuple(source for source in SOURCES if not source.train)
    return splits(data, tuple(each.source for each in learnt()) + KEPT_OUT + asked_only)


UNLABELLED: tuple[tuple[str, str, int], ...] = (
    ("more/pretrain_zh_weibo_covid/all.csv.gz", "text", 30_000),
    ("more/pretrain_zh_misc/all.csv.gz", "text", 30_000),
    ("more/pretrain_en_reddit/all.csv.gz", "text", 18_000),
    ("more/cote_opinion_targets/all.csv.gz", "text", 14_000),
    ("more/tosarcasm_zh/all.csv", "text", 4_000),
    ("more/isarcasm_eval_en/all.csv", "text", 4_000),
    ("more/app_review_intents/all.csv", "text", 4_000),
    ("more/suggestion_mining_semeval19/all.csv.gz", "text", 4_000),
)
"""Files whose texts are read without labels: file, column, texts at most."""
