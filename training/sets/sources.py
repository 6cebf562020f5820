"""The sets that the model learns from on a GPU: those of `training.sets.manifest` and some forty more.

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
from training.sets import readers
from training.sets.manifest import (
    DATASET_SOURCES,
    SHOPPING_FILE,
    DatasetSource,
    DatasetSplit,
    load_splits,
)
from training.sets.samples import (
    NEGATIVE,
    NEUTRAL,
    NOT_ABOUT,
    POSITIVE,
    THREE_WAY,
    TWO_WAY,
    LabelledTarget,
    Sample,
)

HELD_OUT_CATEGORIES = ("水果", "蒙牛")
"""Categories of online_shopping that stand for two brands nobody labelled."""

SELECTION_SETS = ("sxsw", "shop_kept", "entities_choice")
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
class TrainingSet:
    """One set and how it is learnt.

    ``named``: its targets are names. ``weak``: the probability that its post labels are right, where they are not
    given by annotators. ``group``: sets of one group are left out together, because they share writers or texts.
    ``clean``: labels that the texts contradict are dropped (`training.sets.clean`).
    """

    source: DatasetSource
    has_names: bool = False
    label_reliability: float = 1.0
    group: str = ""
    drops_contradicted: bool = False


def _file(name: str) -> tuple[str, ...]:
    return (f"more/{name}",)


def _source(
    name: str,
    language: str,
    read: readers.DatasetReader,
    file: str,
    limit: int,
    *,
    reviews: bool = False,
) -> DatasetSource:
    return DatasetSource(
        name, language, "see data manifest", read, _file(file), limit=limit, reviews=reviews
    )


def post_label_reader(
    mapping: Mapping[str, int], classes: tuple[int, ...] = THREE_WAY, column: str = "label"
) -> readers.DatasetReader:
    """Read a post label a row; rows whose label is not in ``mapping`` are left out."""

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.read_dataset_rows(path):
            label = mapping.get(row[column])
            text = row["text"].strip().replace("`", "'")
            if label is not None and text and not row.get("seen_in"):
                yield Sample(text, label, classes)

    return read


def emotion_reader(mapping: Mapping[str, str], *, polarity: bool) -> readers.DatasetReader:
    """Read emotions, of which a row may have several; those that disagree are left out.

    ``polarity``: whether the emotion also tells the polarity of the post.
    """

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.read_dataset_rows(path):
            names = {mapping.get(name) for name in row["label"].split(";")}
            if len(names) != 1 or None in names or row.get("seen_in"):
                continue
            (name,) = names
            label = _POLARITY.get(str(name)) if polarity else None
            yield Sample(row["text"].strip(), label, emotion=_EMOTION[str(name)])

    return read


def read_vader(path: Path) -> Iterator[Sample]:
    """Read the mean of ten raters from -4 to 4: beyond .5 either way is polar, as the set's authors cut it."""
    for row in readers.read_dataset_rows(path):
        score = float(row["score"])
        label = POSITIVE if score > 0.5 else NEGATIVE if score < -0.5 else NEUTRAL
        if not row.get("seen_in"):
            yield Sample(row["text"].strip(), label)


def read_dialogue(path: Path) -> Iterator[Sample]:
    """Read turns of dialogue with their sentiment; of their emotions those that need no voice."""
    for row in readers.read_dataset_rows(path):
        if len(row["text"].split()) >= 4 and not row.get("seen_in"):
            yield Sample(row["text"].strip(), _THREE[row["sentiment"]])


def read_debate(path: Path) -> Iterator[Sample]:
    """Read tweets on a debate whose annotators mostly agreed."""
    for row in readers.read_dataset_rows(path):
        if float(row["confidence"] or 0) >= 0.65:
            yield Sample(row["text"].strip(), _THREE[row["label"]])


def find_occurrences(text: str, name: str) -> tuple[tuple[int, int], ...]:
    """Find every place of ``name`` in ``text``, whatever the case, as spans of code points."""
    if len(text.lower()) != len(text) or not name:
        return ()
    pattern = re.compile(re.escape(name.lower()))
    return tuple(match.span() for match in pattern.finditer(text.lower()))


def read_topic_tweets(path: Path) -> Iterator[Sample]:
    """Read tweets about a topic that is a name; the post has the label of its only topic."""
    for row in readers.read_dataset_rows(path):
        label = _TOPIC.get(row["label"])
        text = row["text"].strip()
        if label is None or row.get("seen_in"):
            continue
        spans = find_occurrences(text, row["topic"]) or _only_handle(text)
        if spans:
            yield Sample(text, None, targets=(LabelledTarget(spans, label),))


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


def entity_reader(parts: tuple[int, ...]) -> readers.DatasetReader:
    """Read tweets about an entity (a game, a company) of some parts of the set; 'irrelevant' is not about it."""
    mapping = _THREE | {"irrelevant": NOT_ABOUT}

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.read_dataset_rows(path):
            if entity_part(row["entity"]) not in parts or row.get("seen_in"):
                continue
            text, label = row["text"].strip(), mapping[row["label"]]
            spans = next(
                (
                    spans
                    for name in entity_names(row["entity"])
                    if (spans := find_occurrences(text, name))
                ),
                (),
            )
            spans = spans or _only_handle(text)
            if spans:
                yield Sample(text, None, targets=(LabelledTarget(spans, label),))
            elif label != NOT_ABOUT and text:
                yield Sample(text, label)

    return read


def read_complaints(path: Path) -> Iterator[Sample]:
    """Read tweets to companies that complain or do not; a complaint is negative about whom it addresses."""
    for row in readers.read_dataset_rows(path):
        text = row["text"].strip()
        complains = row["label"] == "complaint"
        spans = _only_handle(text)
        label = NEGATIVE if complains else None
        targets = (LabelledTarget(spans, NEGATIVE),) if complains and spans else ()
        if not row.get("seen_in"):
            yield Sample(text, label, targets=targets, intents=((_COMPLAIN, complains),))


def read_sentihood(path: Path) -> Iterator[Sample]:
    """Read posts on places of a town; a place with aspects of one polarity has it, one without opinions is neutral."""
    rows: dict[str, dict[str, set[str]]] = {}
    for row in readers.read_dataset_rows(path):
        rows.setdefault(row["text"].strip(), {}).setdefault(row["target"], set()).add(row["label"])
    for text, judged in rows.items():
        targets = []
        for name, words in judged.items():
            polar = words - {"none"} or {"neutral"}
            spans = find_occurrences(text, name)
            if spans and len(polar) == 1:
                targets.append(LabelledTarget(spans, _THREE[polar.pop()]))
        if targets:
            yield Sample(text, None, targets=tuple(targets))


def opinion_reader(classes: tuple[int, ...] = THREE_WAY) -> readers.DatasetReader:
    """Read rows of a text, the aspect term in it and its polarity, to one Sample a text.

    A term that stands in the text twice, or is judged in two ways, is left out; the post has the label of all
    of its terms where they agree.
    """

    def read(path: Path) -> Iterator[Sample]:
        rows: dict[str, list[tuple[str, int]]] = {}
        for row in readers.read_dataset_rows(path):
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
                LabelledTarget(spans, labels.pop())
                for term, labels in terms.items()
                if len(labels) == 1 and len(spans := find_occurrences(text, term)) == 1
            ]
            overall = every.pop() if len(every) == 1 else None
            if targets or overall is not None:
                yield Sample(text, overall, classes, targets=tuple(targets))

    return read


def intent_reader(
    mapping: Mapping[str, tuple[int, bool]], column: str = "label"
) -> readers.DatasetReader:
    """Read one intent a row."""

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.read_dataset_rows(path):
            known = mapping.get(row[column], mapping.get("*"))
            if known is not None and not row.get("seen_in"):
                yield Sample(row["text"].strip(), None, intents=(known,))

    return read


def shopping_reader(*, held_out: bool) -> readers.DatasetReader:
    """Read online_shopping: the categories that are kept out, or the others."""

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.read_dataset_rows(path):
            if (row["cat"] in HELD_OUT_CATEGORIES) == held_out and row["review"].strip():
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
_stars = post_label_reader(_STARS, TWO_WAY, "star")

EXTRA_TRAINING_SETS = (
    TrainingSet(
        _source(
            "semeval_tweets",
            "en",
            post_label_reader(_THREE),
            "semeval_task_a_2013_2016/tweets.csv.gz",
            50_000,
        ),
        group="tweets",
    ),
    TrainingSet(
        _source(
            "semeval_topics",
            "en",
            read_topic_tweets,
            "semeval_task_a_2013_2016/topic_5point.csv.gz",
            30_000,
        ),
        has_names=True,
        group="tweets",
    ),
    TrainingSet(
        _source(
            "kaggle_tweets",
            "en",
            post_label_reader(_THREE),
            "kaggle_tweet_sentiment/all.csv.gz",
            20_000,
        )
    ),
    TrainingSet(
        _source(
            "entities", "en", entity_reader((1, 3)), "twitter_entity_sentiment/all.csv.gz", 20_000
        ),
        has_names=True,
    ),
    TrainingSet(
        _source("sts_gold", "en", post_label_reader(_THREE, TWO_WAY), "sts_gold/all.csv", 5_000)
    ),
    TrainingSet(_source("gop_debate", "en", read_debate, "gop_debate_2015/all.csv.gz", 3_000)),
    TrainingSet(
        _source(
            "financial", "en", post_label_reader(_THREE), "financial_phrasebank/all.csv", 2_500
        ),
        label_reliability=0.9,
    ),
    TrainingSet(_source("vader", "en", read_vader, "vader_ground_truth/all.csv.gz", 9_000)),
    TrainingSet(
        _source("amazon_7cat", "en", _stars, "amazon_reviews_7cat/all.csv.gz", 9_000, reviews=True),
        label_reliability=0.9,
        group="amazon",
    ),
    TrainingSet(
        _source(
            "fdu_mtl",
            "en",
            post_label_reader(_THREE, TWO_WAY),
            "fdu_mtl_15_domains/all.csv.gz",
            6_000,
            reviews=True,
        ),
        group="amazon",
    ),
    TrainingSet(
        _source(
            "clothing", "en", _stars, "womens_clothing_reviews/all.csv.gz", 3_500, reviews=True
        ),
        label_reliability=0.9,
    ),
    TrainingSet(
        _source("yelp", "en", _stars, "yelp_10k/all.csv.gz", 3_500, reviews=True),
        label_reliability=0.9,
    ),
    TrainingSet(
        _source("blitzer", "en", _stars, "blitzer_mds_4_domains/all.csv.gz", 3_000, reviews=True),
        label_reliability=0.9,
        group="amazon",
    ),
    TrainingSet(
        _source("alexa", "en", _stars, "amazon_alexa_reviews/all.csv", 2_000, reviews=True),
        label_reliability=0.9,
        group="amazon",
    ),
    TrainingSet(
        _source("drugs", "en", post_label_reader(_THREE), "drug_reviews_demo/all.csv", 1_000)
    ),
    TrainingSet(
        _source(
            "nlpcc2014",
            "zh",
            post_label_reader(_THREE, TWO_WAY),
            "nlpcc2014_sc_zh/all.csv.gz",
            12_000,
            reviews=True,
        ),
        drops_contradicted=True,
    ),
    TrainingSet(
        _source("cosmetics", "zh", opinion_reader(), "zhijiang_cosmetics_absa/train.csv", 3_000)
    ),
    TrainingSet(
        _source(
            "clue_emotion",
            "zh",
            emotion_reader(_WEIBO, polarity=False),
            "clue_emotion_weibo/all.csv.gz",
            4_000,
        )
    ),
    TrainingSet(
        _source(
            "covid_emotion",
            "zh",
            emotion_reader(_WEIBO, polarity=False),
            "covid_weibo_7emotion/all.csv.gz",
            4_000,
        )
    ),
    TrainingSet(
        _source(
            "goemotions", "en", emotion_reader(_GO, polarity=True), "goemotions/all.csv.gz", 22_000
        ),
        label_reliability=0.95,
    ),
    TrainingSet(
        _source(
            "carer", "en", emotion_reader(_CARER, polarity=False), "carer_emotion/all.csv.gz", 2_500
        )
    ),
    TrainingSet(
        _source("isear", "en", emotion_reader(_ISEAR, polarity=False), "isear/all.csv", 2_500)
    ),
    TrainingSet(
        _source("meld", "en", read_dialogue, "meld_dialogue/all.csv", 2_500), label_reliability=0.9
    ),
    TrainingSet(
        _source(
            "smile",
            "en",
            emotion_reader(_SMILE, polarity=False),
            "smile_museum_emotion/all.csv",
            1_400,
        )
    ),
    TrainingSet(
        _source("dmaste", "en", opinion_reader(), "dmaste_8_domains/all.csv.gz", 6_000),
        group="amazon",
    ),
    TrainingSet(_source("muse_car", "en", opinion_reader(), "muse_car_aste/all.csv.gz", 1_200)),
    TrainingSet(
        _source("sentihood", "en", read_sentihood, "sentihood/all.csv", 5_000), has_names=True
    ),
    TrainingSet(_source("acos", "en", opinion_reader(), "acos_quads/all.csv.gz", 4_000)),
    TrainingSet(
        _source("complaints", "en", read_complaints, "complaints_tweets/all.csv", 4_000),
        has_names=True,
        label_reliability=0.9,
    ),
    TrainingSet(
        _source(
            "purchase_intent",
            "en",
            intent_reader({"yes": (_BUY, True), "no": (_BUY, False)}),
            "purchase_intent_tweets/all.csv",
            1_200,
        )
    ),
    TrainingSet(
        _source(
            "banking",
            "en",
            intent_reader({"*": (_ASK, True)}, "intent"),
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

HELD_OUT_SOURCES = (
    DatasetSource(
        "sxsw", "en", "public", post_label_reader(_THREE), dev=_file("sxsw_brand_emotion/all.csv")
    ),
    DatasetSource(
        "apple_dfe",
        "en",
        "public",
        post_label_reader(_THREE),
        dev=_file("apple_tweets_dfe/all.csv"),
    ),
    DatasetSource(
        "entities_choice",
        "en",
        "not stated",
        entity_reader((0,)),
        dev=_file("twitter_entity_sentiment/all.csv.gz"),
    ),
    DatasetSource(
        "entities_report",
        "en",
        "not stated",
        entity_reader((2,)),
        dev=_file("twitter_entity_sentiment/all.csv.gz"),
    ),
    DatasetSource(
        "df529",
        "zh",
        "not stated",
        post_label_reader(_THREE),
        dev=_file("df529_bank_comments/all.csv.gz"),
    ),
    DatasetSource(
        "shop_kept", "zh", "not stated", shopping_reader(held_out=True), dev=(SHOPPING_FILE,)
    ),
)
"""Sets whose texts are never learnt, in any set; bank_app_reviews is the manifest's own."""


def training_sets() -> list[TrainingSet]:
    """List every set that is learnt, those of the manifest first."""
    sets = []
    for source in DATASET_SOURCES:
        name = source.name
        if name == "online_shopping":
            source = replace(source, read=shopping_reader(held_out=False))
        if source.train:
            limit = _LIMITS.get(name, source.limit)
            repeat = _REPEATS.get(name, source.repeat)
            source = replace(source, limit=limit, repeat=repeat)
            sets.append(
                TrainingSet(
                    source,
                    name in _NAMED,
                    group=_GROUPS.get(name, ""),
                    drops_contradicted=source.reviews,
                )
            )
    return [
        *sets,
        *(
            replace(one, group=one.group or _GROUPS.get(one.source.name, ""))
            for one in EXTRA_TRAINING_SETS
        ),
    ]


def load_all_splits(data: Path) -> list[DatasetSplit]:
    """Split all sets together: those that are learnt, those kept out, those that are only asked."""
    asked_only = tuple(source for source in DATASET_SOURCES if not source.train)
    return load_splits(
        data, tuple(each.source for each in training_sets()) + HELD_OUT_SOURCES + asked_only
    )


UNLABELLED_FILES: tuple[tuple[str, str, int], ...] = (
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
