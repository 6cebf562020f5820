"""The sets that the model learns from on a GPU: those of the manifest and some forty more.

Each set has a reader that yields Samples. Sets whose targets are names (a brand, a person, a place)
have ``has_names`` set: their names are replaced before training, so that no name carries a
sentiment. The texts of `HELD_OUT_SOURCES` are never learnt: the report is measured on them.
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
"""Categories of online_shopping that are never learnt: each represents an unlabelled brand."""

_POST_LABELS = {"negative": NEGATIVE, "neutral": NEUTRAL, "positive": POSITIVE}
_TOPIC_LABELS = _POST_LABELS | {
    "-2": NEGATIVE,
    "-1": NEGATIVE,
    "0": NEUTRAL,
    "1": POSITIVE,
    "2": POSITIVE,
}
_STAR_LABELS = {"1": NEGATIVE, "2": NEGATIVE, "4": POSITIVE, "5": POSITIVE}
_EMOTION_INDEX = {name: index for index, name in enumerate(EMOTIONS)}
_EKMAN = {
    "happy": "admiration amusement approval caring desire excitement gratitude joy love optimism"
    " pride relief",
    "angry": "anger annoyance disapproval disgust",
    "sad": "sadness disappointment embarrassment grief remorse",
    "fear": "fear nervousness",
    "surprise": "realization surprise curiosity confusion",
    "neutral": "neutral",
}
"""GoEmotions' own grouping of its 28 emotions (Demszky et al. 2020), with disgust as anger."""

_EMOTION_POLARITY = {
    "happy": POSITIVE,
    "angry": NEGATIVE,
    "sad": NEGATIVE,
    "fear": NEGATIVE,
    "neutral": NEUTRAL,
}
_COMPLAIN, _ASK, _BUY = (INTENTS.index(name) for name in ("complain", "ask", "buy"))


@dataclass(frozen=True)
class TrainingSet:
    """One set and how it is used in training."""

    source: DatasetSource
    # its targets are names
    has_names: bool = False
    # probability that a post label is right, below 1 where annotators did not give it
    label_reliability: float = 1.0
    # sets of one group are left out together, because they share authors or texts
    group: str = ""
    # labels that their texts contradict are dropped (`training.sets.clean`)
    drops_contradicted: bool = False


def _extra_file(name: str) -> tuple[str, ...]:
    return (f"more/{name}",)


def _extra_source(
    name: str,
    language: str,
    read: readers.DatasetReader,
    file: str,
    limit: int,
    *,
    reviews: bool = False,
) -> DatasetSource:
    return DatasetSource(
        name, language, "see data manifest", read, _extra_file(file), limit=limit, reviews=reviews
    )


def post_label_reader(
    mapping: Mapping[str, int], classes: tuple[int, ...] = THREE_WAY, column: str = "label"
) -> readers.DatasetReader:
    """Return a reader of one post label a row; rows with unmapped labels are left out."""

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.read_dataset_rows(path):
            label = mapping.get(row[column])
            text = row["text"].strip().replace("`", "'")
            if label is not None and text and not row.get("seen_in"):
                yield Sample(text, label, classes)

    return read


def emotion_reader(mapping: Mapping[str, str], *, polarity: bool) -> readers.DatasetReader:
    """Return a reader of emotions; rows with several that disagree are left out.

    ``polarity``: whether the emotion also determines the polarity of the post.
    """

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.read_dataset_rows(path):
            names = {mapping.get(name) for name in row["label"].split(";")}
            if len(names) != 1 or None in names or row.get("seen_in"):
                continue
            (name,) = names
            label = _EMOTION_POLARITY.get(str(name)) if polarity else None
            yield Sample(row["text"].strip(), label, emotion=_EMOTION_INDEX[str(name)])

    return read


def read_vader(path: Path) -> Iterator[Sample]:
    """Read the mean of ten raters from -4 to 4; beyond .5 it is polar, as its authors cut it."""
    for row in readers.read_dataset_rows(path):
        score = float(row["score"])
        label = POSITIVE if score > 0.5 else NEGATIVE if score < -0.5 else NEUTRAL
        if not row.get("seen_in"):
            yield Sample(row["text"].strip(), label)


def read_dialogue(path: Path) -> Iterator[Sample]:
    """Read turns of dialogue of at least four words, with their sentiment."""
    for row in readers.read_dataset_rows(path):
        if len(row["text"].split()) >= 4 and not row.get("seen_in"):
            yield Sample(row["text"].strip(), _POST_LABELS[row["sentiment"]])


def read_debate(path: Path) -> Iterator[Sample]:
    """Read tweets on a debate whose annotators mostly agreed."""
    for row in readers.read_dataset_rows(path):
        if float(row["confidence"] or 0) >= 0.65:
            yield Sample(row["text"].strip(), _POST_LABELS[row["label"]])


def find_occurrences(text: str, name: str) -> tuple[tuple[int, int], ...]:
    """Find every occurrence of ``name`` in ``text``, ignoring case, as spans of code points."""
    if len(text.lower()) != len(text) or not name:
        return ()
    pattern = re.compile(re.escape(name.lower()))
    return tuple(match.span() for match in pattern.finditer(text.lower()))


def read_topic_tweets(path: Path) -> Iterator[Sample]:
    """Read tweets about a topic that is a name, each with one labelled target."""
    for row in readers.read_dataset_rows(path):
        label = _TOPIC_LABELS.get(row["label"])
        text = row["text"].strip()
        if label is None or row.get("seen_in"):
            continue
        spans = find_occurrences(text, row["topic"]) or _only_handle(text)
        if spans:
            yield Sample(text, None, targets=(LabelledTarget(spans, label),))


def _only_handle(text: str) -> tuple[tuple[int, int], ...]:
    """Return the span of the masked handle if there is exactly one: it may be the target's name."""
    handles = tuple(match.span() for match in re.finditer("@user", text))
    return handles if len(handles) == 1 else ()


def entity_part(entity: str) -> int:
    """Return the part of an entity: 0 and 2 are held out (to choose on, to report on)."""
    return int(hashlib.sha1(entity.encode(), usedforsecurity=False).hexdigest(), 16) % 4


def entity_names(entity: str) -> list[str]:
    """List the forms in which posts write an entity: PlayStation5(PS5) as PlayStation 5, PS5 …"""
    outside = re.sub(r"\(.*\)", "", entity)
    inside = re.findall(r"\((.*?)\)", entity)
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=&)|(?=&)", " ", outside)
    names = [spaced, outside, *inside]
    return list(dict.fromkeys(name for name in names if len(name) > 1))


def entity_reader(parts: tuple[int, ...]) -> readers.DatasetReader:
    """Return a reader of tweets about entities of some parts; 'irrelevant' is not about them."""
    mapping = _POST_LABELS | {"irrelevant": NOT_ABOUT}

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.read_dataset_rows(path):
            if entity_part(row["entity"]) not in parts or row.get("seen_in"):
                continue
            text = row["text"].strip()
            label = mapping[row["label"]]
            occurrences = (find_occurrences(text, name) for name in entity_names(row["entity"]))
            spans = next(filter(None, occurrences), ()) or _only_handle(text)
            if spans:
                yield Sample(text, None, targets=(LabelledTarget(spans, label),))
            elif label != NOT_ABOUT and text:
                yield Sample(text, label)

    return read


def read_complaints(path: Path) -> Iterator[Sample]:
    """Read tweets to companies, complaints or not; a complaint is negative about its addressee."""
    for row in readers.read_dataset_rows(path):
        text = row["text"].strip()
        complains = row["label"] == "complaint"
        spans = _only_handle(text)
        label = NEGATIVE if complains else None
        targets = (LabelledTarget(spans, NEGATIVE),) if complains and spans else ()
        if not row.get("seen_in"):
            yield Sample(text, label, targets=targets, intents=((_COMPLAIN, complains),))


def read_sentihood(path: Path) -> Iterator[Sample]:
    """Read posts on neighbourhoods, which are targets with the polarity that their aspects share.

    A neighbourhood without opinions is neutral; one whose aspects disagree is left out.
    """
    labels_by_text: dict[str, dict[str, set[str]]] = {}
    for row in readers.read_dataset_rows(path):
        labels_by_text.setdefault(row["text"].strip(), {}).setdefault(row["target"], set()).add(
            row["label"]
        )
    for text, labels_by_target in labels_by_text.items():
        targets = []
        for name, labels in labels_by_target.items():
            polarities = labels - {"none"} or {"neutral"}
            spans = find_occurrences(text, name)
            if spans and len(polarities) == 1:
                targets.append(LabelledTarget(spans, _POST_LABELS[polarities.pop()]))
        if targets:
            yield Sample(text, None, targets=tuple(targets))


def opinion_reader(classes: tuple[int, ...] = THREE_WAY) -> readers.DatasetReader:
    """Return a reader of rows of a text, an aspect term in it and its polarity, one Sample a text.

    A term that occurs twice in the text, or has two labels, is left out; the post has the label of
    its terms where all agree.
    """

    def read(path: Path) -> Iterator[Sample]:
        terms_by_text: dict[str, list[tuple[str, int]]] = {}
        for row in readers.read_dataset_rows(path):
            if not row.get("seen_in"):
                terms_by_text.setdefault(row["text"].strip(), []).append(
                    (row["aspect"], _POST_LABELS[row["label"]])
                )
        for text, labelled_terms in terms_by_text.items():
            all_labels = {label for _, label in labelled_terms}
            terms: dict[str, set[int]] = {}
            for term, label in labelled_terms:
                terms.setdefault(term, set()).add(label)
            targets = [
                LabelledTarget(spans, labels.pop())
                for term, labels in terms.items()
                if len(labels) == 1 and len(spans := find_occurrences(text, term)) == 1
            ]
            overall = all_labels.pop() if len(all_labels) == 1 else None
            if targets or overall is not None:
                yield Sample(text, overall, classes, targets=tuple(targets))

    return read


def intent_reader(
    mapping: Mapping[str, tuple[int, bool]], column: str = "label"
) -> readers.DatasetReader:
    """Return a reader of one intent a row."""

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.read_dataset_rows(path):
            intent = mapping.get(row[column], mapping.get("*"))
            if intent is not None and not row.get("seen_in"):
                yield Sample(row["text"].strip(), None, intents=(intent,))

    return read


def shopping_reader(*, held_out: bool) -> readers.DatasetReader:
    """Return a reader of online_shopping: the held-out categories, or the others."""

    def read(path: Path) -> Iterator[Sample]:
        for row in readers.read_dataset_rows(path):
            if (row["cat"] in HELD_OUT_CATEGORIES) == held_out and row["review"].strip():
                yield Sample(
                    row["review"].strip(), POSITIVE if row["label"] == "1" else NEGATIVE, TWO_WAY
                )

    return read


_GOEMOTIONS = {name: group for group, names in _EKMAN.items() for name in names.split()}
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
    "happiness": "happy",
    "like": "happy",
    "sadness": "sad",
    "anger": "angry",
    "disgust": "angry",
    "fear": "fear",
    "surprise": "surprise",
    "optimism": "happy",
    "gratitude": "happy",
}
_SMILE = {
    "happy": "happy",
    "angry": "angry",
    "surprise": "surprise",
    "sad": "sad",
    "disgust": "angry",
}
_read_stars = post_label_reader(_STAR_LABELS, TWO_WAY, "star")

EXTRA_TRAINING_SETS = (
    TrainingSet(
        _extra_source(
            "semeval_tweets",
            "en",
            post_label_reader(_POST_LABELS),
            "semeval_task_a_2013_2016/tweets.csv.gz",
            50_000,
        ),
        group="tweets",
    ),
    TrainingSet(
        _extra_source(
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
        _extra_source(
            "kaggle_tweets",
            "en",
            post_label_reader(_POST_LABELS),
            "kaggle_tweet_sentiment/all.csv.gz",
            20_000,
        )
    ),
    TrainingSet(
        _extra_source(
            "entities", "en", entity_reader((1, 3)), "twitter_entity_sentiment/all.csv.gz", 20_000
        ),
        has_names=True,
    ),
    TrainingSet(
        _extra_source(
            "sts_gold", "en", post_label_reader(_POST_LABELS, TWO_WAY), "sts_gold/all.csv", 5_000
        )
    ),
    TrainingSet(
        _extra_source("gop_debate", "en", read_debate, "gop_debate_2015/all.csv.gz", 3_000)
    ),
    TrainingSet(
        _extra_source(
            "financial",
            "en",
            post_label_reader(_POST_LABELS),
            "financial_phrasebank/all.csv",
            2_500,
        ),
        label_reliability=0.9,
    ),
    TrainingSet(_extra_source("vader", "en", read_vader, "vader_ground_truth/all.csv.gz", 9_000)),
    TrainingSet(
        _extra_source(
            "amazon_7cat", "en", _read_stars, "amazon_reviews_7cat/all.csv.gz", 9_000, reviews=True
        ),
        label_reliability=0.9,
        group="amazon",
    ),
    TrainingSet(
        _extra_source(
            "fdu_mtl",
            "en",
            post_label_reader(_POST_LABELS, TWO_WAY),
            "fdu_mtl_15_domains/all.csv.gz",
            6_000,
            reviews=True,
        ),
        group="amazon",
    ),
    TrainingSet(
        _extra_source(
            "clothing", "en", _read_stars, "womens_clothing_reviews/all.csv.gz", 3_500, reviews=True
        ),
        label_reliability=0.9,
    ),
    TrainingSet(
        _extra_source("yelp", "en", _read_stars, "yelp_10k/all.csv.gz", 3_500, reviews=True),
        label_reliability=0.9,
    ),
    TrainingSet(
        _extra_source(
            "blitzer", "en", _read_stars, "blitzer_mds_4_domains/all.csv.gz", 3_000, reviews=True
        ),
        label_reliability=0.9,
        group="amazon",
    ),
    TrainingSet(
        _extra_source(
            "alexa", "en", _read_stars, "amazon_alexa_reviews/all.csv", 2_000, reviews=True
        ),
        label_reliability=0.9,
        group="amazon",
    ),
    TrainingSet(
        _extra_source(
            "drugs", "en", post_label_reader(_POST_LABELS), "drug_reviews_demo/all.csv", 1_000
        )
    ),
    TrainingSet(
        _extra_source(
            "nlpcc2014",
            "zh",
            post_label_reader(_POST_LABELS, TWO_WAY),
            "nlpcc2014_sc_zh/all.csv.gz",
            12_000,
            reviews=True,
        ),
        drops_contradicted=True,
    ),
    TrainingSet(
        _extra_source(
            "cosmetics", "zh", opinion_reader(), "zhijiang_cosmetics_absa/train.csv", 3_000
        )
    ),
    TrainingSet(
        _extra_source(
            "clue_emotion",
            "zh",
            emotion_reader(_WEIBO, polarity=False),
            "clue_emotion_weibo/all.csv.gz",
            4_000,
        )
    ),
    TrainingSet(
        _extra_source(
            "covid_emotion",
            "zh",
            emotion_reader(_WEIBO, polarity=False),
            "covid_weibo_7emotion/all.csv.gz",
            4_000,
        )
    ),
    TrainingSet(
        _extra_source(
            "goemotions",
            "en",
            emotion_reader(_GOEMOTIONS, polarity=True),
            "goemotions/all.csv.gz",
            22_000,
        ),
        label_reliability=0.95,
    ),
    TrainingSet(
        _extra_source(
            "carer", "en", emotion_reader(_CARER, polarity=False), "carer_emotion/all.csv.gz", 2_500
        )
    ),
    TrainingSet(
        _extra_source("isear", "en", emotion_reader(_ISEAR, polarity=False), "isear/all.csv", 2_500)
    ),
    TrainingSet(
        _extra_source("meld", "en", read_dialogue, "meld_dialogue/all.csv", 2_500),
        label_reliability=0.9,
    ),
    TrainingSet(
        _extra_source(
            "smile",
            "en",
            emotion_reader(_SMILE, polarity=False),
            "smile_museum_emotion/all.csv",
            1_400,
        )
    ),
    TrainingSet(
        _extra_source("dmaste", "en", opinion_reader(), "dmaste_8_domains/all.csv.gz", 6_000),
        group="amazon",
    ),
    TrainingSet(
        _extra_source("muse_car", "en", opinion_reader(), "muse_car_aste/all.csv.gz", 1_200)
    ),
    TrainingSet(
        _extra_source("sentihood", "en", read_sentihood, "sentihood/all.csv", 5_000), has_names=True
    ),
    TrainingSet(_extra_source("acos", "en", opinion_reader(), "acos_quads/all.csv.gz", 4_000)),
    TrainingSet(
        _extra_source("complaints", "en", read_complaints, "complaints_tweets/all.csv", 4_000),
        has_names=True,
        label_reliability=0.9,
    ),
    TrainingSet(
        _extra_source(
            "purchase_intent",
            "en",
            intent_reader({"yes": (_BUY, True), "no": (_BUY, False)}),
            "purchase_intent_tweets/all.csv",
            1_200,
        )
    ),
    TrainingSet(
        _extra_source(
            "banking",
            "en",
            intent_reader({"*": (_ASK, True)}, "intent"),
            "banking77_intents/all.csv.gz",
            1_500,
        )
    ),
)

_SETS_WITH_NAMES = {"absa/acl14_twitter"}
_GROUPS = {
    "absa/semeval2014_restaurant": "restaurants",
    "absa/semeval2015_restaurant": "restaurants",
    "absa/semeval2016_restaurant": "restaurants",
    "absa/mams": "restaurants",
    "absa/semeval2014_laptop": "laptops",
    "acos": "laptops",
    "umsab": "tweets",
    "tweeteval": "tweets",
    "tweeteval_emotion": "tweets",
    "online_shopping": "shop",
    "chnsenticorp": "shop",
    "smp2020_usual": "smp",
    "smp2020_virus": "smp",
    "nlpcc2013": "moods",
    "weibo_moods": "moods",
    "absa/zh_quad": "zh_absa",
}
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
        "sxsw",
        "en",
        "public",
        post_label_reader(_POST_LABELS),
        dev=_extra_file("sxsw_brand_emotion/all.csv"),
    ),
    DatasetSource(
        "apple_dfe",
        "en",
        "public",
        post_label_reader(_POST_LABELS),
        dev=_extra_file("apple_tweets_dfe/all.csv"),
    ),
    DatasetSource(
        "entities_choice",
        "en",
        "not stated",
        entity_reader((0,)),
        dev=_extra_file("twitter_entity_sentiment/all.csv.gz"),
    ),
    DatasetSource(
        "entities_report",
        "en",
        "not stated",
        entity_reader((2,)),
        dev=_extra_file("twitter_entity_sentiment/all.csv.gz"),
    ),
    DatasetSource(
        "df529",
        "zh",
        "not stated",
        post_label_reader(_POST_LABELS),
        dev=_extra_file("df529_bank_comments/all.csv.gz"),
    ),
    DatasetSource(
        "shop_kept", "zh", "not stated", shopping_reader(held_out=True), dev=(SHOPPING_FILE,)
    ),
)
"""Sets whose texts are never learnt, in any set; bank_app_reviews is the manifest's own.

Quantifiers and rules may be chosen on sxsw, shop_kept and entities_choice; the others are only
reported on.
"""


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
                    name in _SETS_WITH_NAMES,
                    group=_GROUPS.get(name, ""),
                    drops_contradicted=source.reviews,
                )
            )
    for extra in EXTRA_TRAINING_SETS:
        group = extra.group or _GROUPS.get(extra.source.name, "")
        sets.append(replace(extra, group=group))
    return sets


def load_all_splits(data: Path) -> list[DatasetSplit]:
    """Load and split all sets together: learnt, held out and measured only."""
    learnt = tuple(training_set.source for training_set in training_sets())
    measured_only = tuple(source for source in DATASET_SOURCES if not source.train)
    return load_splits(data, learnt + HELD_OUT_SOURCES + measured_only)


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
