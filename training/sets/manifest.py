"""The public sets for training and measuring, and how copies of texts are kept out of training.

A text is identified by the digest of its normalised form. Any text in a dev split, of any set, is
dropped from training in every set; sets without a dev split use the texts whose digest falls in one
part of ten. So no copy of a dev text is learnt in another set.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from folate.core.labels import EMOTIONS
from training.sets import readers
from training.sets.samples import NEGATIVE, NEUTRAL, POSITIVE, THREE_WAY, TWO_WAY, Sample

_BINARY = {"0": NEGATIVE, "1": POSITIVE}
_TERNARY = {"0": NEGATIVE, "1": NEUTRAL, "2": POSITIVE}
_SMP = {"angry": NEGATIVE, "sad": NEGATIVE, "fear": NEGATIVE, "happy": POSITIVE, "neutral": NEUTRAL}
_NLPCC = {"none": NEUTRAL, "like": POSITIVE, "happiness": POSITIVE} | dict.fromkeys(
    ("disgust", "anger", "sadness", "fear"), NEGATIVE
)
_TWEET_EMOTION = {"0": NEGATIVE, "1": POSITIVE, "2": POSITIVE, "3": NEGATIVE}

_SIX = {name: index for index, name in enumerate(EMOTIONS)}
# NLPCC's eight emotions, and the names in sets derived from them
_EIGHT = _SIX | {
    "like": _SIX["happy"],
    "happiness": _SIX["happy"],
    "disgust": _SIX["angry"],
    "anger": _SIX["angry"],
    "sadness": _SIX["sad"],
    "none": _SIX["neutral"],
}
_FOUR = {"0": _SIX["angry"], "1": _SIX["happy"], "2": _SIX["happy"], "3": _SIX["sad"]}


@dataclass(frozen=True)
class DatasetSource:
    """One public set and the files of its splits."""

    name: str
    language: str
    licence: str
    read: readers.DatasetReader
    # files; without any the set is never learnt, only measured
    train: tuple[str, ...] = ()
    # files; without any a part of ``train``, chosen by digest
    dev: tuple[str, ...] = ()
    # training samples an epoch at most, so that one large set does not drown the rest
    limit: int = 1 << 30
    # how often the training samples are repeated in an epoch
    repeat: int = 1
    # one text in so many is a dev text where ``dev`` is empty
    dev_one_in: int = 10
    # texts were stripped to Chinese characters: copies are found by those, and there is no dev part
    han_only: bool = False
    # labels come from the emoticons in the text
    emoticon_labelled: bool = False
    # reviews of something bought: a negative one is a complaint
    reviews: bool = False
    # a label that means something else in this set than in others: measured, never learnt
    eval_only_label: int | None = None


def _absa_source(
    name: str,
    language: str,
    *,
    classes: tuple[int, ...] = THREE_WAY,
    dev: tuple[str, ...] = (),
    repeat: int = 2,
    eval_only_label: int | None = None,
) -> DatasetSource:
    licence = (
        "repository MIT; SemEval and ACL-14 for research, MAMS Apache-2.0"
        if language == "en"
        else "repository MIT; set not stated"
    )
    read = readers.pyabsa_reader(classes)
    train = (f"absa/{name}/train.csv",)
    return DatasetSource(
        f"absa/{name}",
        language,
        licence,
        read,
        train,
        dev,
        repeat=repeat,
        eval_only_label=eval_only_label,
    )


def _emotion_reader(
    mapping: dict[str, int], emotions: dict[str, int], text: str = "text"
) -> readers.DatasetReader:
    return readers.labelled_csv_reader(text, "label", mapping, THREE_WAY, emotions)


_REVIEW = readers.labelled_csv_reader("review", "label", _BINARY)
_TEXT = readers.labelled_csv_reader("text", "label", _BINARY)
_TWEET = _emotion_reader(_TERNARY, {"1": _SIX["neutral"]})
_SMP_ROWS = _emotion_reader(_SMP, _SIX, "content")
SHOPPING_FILE = "online_shopping_10_cats/online_shopping_10_cats.csv"

DATASET_SOURCES = (
    DatasetSource(
        "online_shopping", "zh", "not stated", _REVIEW, (SHOPPING_FILE,), limit=20_000, reviews=True
    ),
    DatasetSource(
        "chnsenticorp",
        "zh",
        "research",
        _TEXT,
        ("chnsenticorp/train.csv",),
        ("chnsenticorp/dev.csv",),
        reviews=True,
    ),
    DatasetSource(
        "weibo2018", "zh", "not stated", _TEXT, ("weibo2018/train.csv",), ("weibo2018/test.csv",)
    ),
    DatasetSource(
        "smp2020_usual",
        "zh",
        "research",
        _SMP_ROWS,
        ("smp2020_ewect/usual_eval_labeled.csv",),
        repeat=2,
        dev_one_in=4,
    ),
    DatasetSource(
        "smp2020_virus",
        "zh",
        "research",
        _SMP_ROWS,
        ("smp2020_ewect/virus_train.csv",),
        ("smp2020_ewect/virus_eval_labeled.csv",),
    ),
    DatasetSource(
        "nlpcc2013",
        "zh",
        "research",
        _emotion_reader(_NLPCC, _EIGHT),
        ("nlpcc2013_weibo_emotion/train.csv",),
        limit=6_000,
    ),
    DatasetSource(
        "weibo_moods",
        "zh",
        "not stated",
        _emotion_reader({}, _EIGHT),
        ("weibo_8_moods_mix/all.csv",),
        limit=4_000,
        han_only=True,
    ),
    DatasetSource(
        "ccf2018_car",
        "zh",
        "not stated",
        readers.read_ccf2018_cars,
        ("ccf2018_car/train_v1.csv", "ccf2018_car/train_2.csv"),
        limit=4_000,
    ),
    DatasetSource(
        "absa/zh_quad",
        "zh",
        "repository MIT; set not stated",
        readers.read_zhang_triplets,
        ("absa/zh_quad_zhang/train.txt",),
        ("absa/zh_quad_zhang/dev.txt",),
        limit=7_000,
    ),
    # by inspection, most of its neutral texts complain: "never buy this"
    _absa_source("zh_absa_shampoo", "zh", eval_only_label=NEUTRAL),
    *(
        _absa_source(f"zh_absa_{name}", "zh", classes=TWO_WAY)
        for name in ("camera", "car", "notebook", "phone")
    ),
    DatasetSource("sst2", "en", "research", _TEXT, ("sst2/train.csv",), ("sst2/dev.csv",)),
    DatasetSource(
        "umsab",
        "en",
        "not stated",
        _TWEET,
        ("umsab_xlmt/english_train.csv",),
        ("umsab_xlmt/english_val.csv",),
    ),
    DatasetSource("tweeteval", "en", "research", _TWEET, ("tweeteval_sentiment/val.csv",)),
    DatasetSource(
        "tweeteval_emotion",
        "en",
        "research",
        readers.labelled_csv_reader("text", "label", _TWEET_EMOTION, emotions=_FOUR),
        ("tweeteval_emotion/train.csv",),
        ("tweeteval_emotion/val.csv",),
    ),
    _absa_source("mams", "en", dev=("absa/mams/valid.csv",), repeat=2),
    _absa_source("acl14_twitter", "en", repeat=1),
    *(
        _absa_source(f"semeval{name}", "en", repeat=2)
        for name in ("2014_laptop", "2014_restaurant", "2015_restaurant", "2016_restaurant")
    ),
    _absa_source("absa_television", "en"),
    DatasetSource(
        "asap_sample",
        "zh",
        "Apache-2.0",
        readers.read_asap_restaurants,
        dev=tuple(f"asap_sample/{part}_sample.csv" for part in ("train", "dev", "test")),
    ),
    DatasetSource(
        "weibo_senti_sample",
        "zh",
        "not stated",
        _REVIEW,
        dev=("weibo_senti_100k_sample/weibo_senti_100k.csv",),
        emoticon_labelled=True,
    ),
    DatasetSource(
        "amazon_fine_food",
        "en",
        "CC0",
        readers.star_rating_reader("Text", "Score"),
        dev=("amazon_fine_food_1k/fine_food_reviews_1k.csv",),
    ),
    DatasetSource(
        "bank_app_reviews",
        "en",
        "not stated",
        readers.star_rating_reader("review", "rating"),
        dev=("bank_app_reviews/bank_reviews.csv",),
    ),
)

_CHNSENTICORP_COPIES = (SHOPPING_FILE, ("书籍", "计算机", "酒店"))
"""A file and its categories that repeat ChnSentiCorp, its test split included.

Their texts are learnt only where ChnSentiCorp's training split has them, through that split.
"""


# called several times for each text
@lru_cache(maxsize=1 << 18)
def text_digest(text: str) -> str:
    """Return the digest of a text's letters and digits, after NFKC and lower-casing.

    Texts with the same digest count as copies of each other.
    """
    normal = unicodedata.normalize("NFKC", text).lower()
    letters = re.sub(r"[\W_]+", "", normal) or normal
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest()


def han_digest(text: str) -> str:
    """Return the digest of a text's Chinese characters, or its `text_digest` if it has under six.

    Sets that kept only Chinese characters are compared with others by it.
    """
    characters = re.sub("[^\u3400-\u9fff]+", "", text)
    return (
        hashlib.sha256(characters.encode()).hexdigest()
        if len(characters) >= 6
        else text_digest(text)
    )


def is_dev_text(text: str, one_in: int = 10) -> bool:
    """Return whether a text of a set without a dev split is a dev text: one in ``one_in``."""
    return int(text_digest(text)[:8], 16) % one_in == 0


@dataclass(frozen=True)
class DatasetSplit:
    """The training and dev samples of one set, and how many were dropped, by reason."""

    source: DatasetSource
    train: list[Sample]
    dev: list[Sample]
    dropped_counts: dict[str, int]


def load_splits(
    data: Path, sources: tuple[DatasetSource, ...] = DATASET_SOURCES
) -> list[DatasetSplit]:
    """Load and split every set whose files are in ``data``.

    Training texts that are in a dev split, or that repeat in their set, are dropped and counted.
    """
    present_sources = [
        source
        for source in sources
        if all((data / file).is_file() for file in source.train + source.dev)
    ]
    dev_samples = {source.name: list(_read_dev_samples(data, source)) for source in present_sources}
    texts = [sample.text for samples in dev_samples.values() for sample in samples]
    excluded_digests = {text_digest(text) for text in texts} | _chnsenticorp_copies(data)
    excluded_han_digests: set[str] = set()
    if any(source.han_only for source in present_sources):
        excluded_han_digests = {han_digest(text) for text in texts}
    return [
        _split_source(
            data,
            source,
            dev_samples[source.name],
            excluded_han_digests if source.han_only else excluded_digests,
        )
        for source in present_sources
    ]


def _read_samples(data: Path, source: DatasetSource, files: tuple[str, ...]) -> Iterator[Sample]:
    for file in files:
        yield from source.read(data / file)


def _read_dev_samples(data: Path, source: DatasetSource) -> Iterator[Sample]:
    if source.dev:
        yield from _read_samples(data, source, source.dev)
    elif not source.han_only:
        yield from (
            sample
            for sample in _read_samples(data, source, source.train)
            if is_dev_text(sample.text, source.dev_one_in)
        )


def _chnsenticorp_copies(data: Path) -> set[str]:
    """Return the digests of copies of ChnSentiCorp texts that are not in its training split.

    They may be its test texts.
    """
    file, categories = _CHNSENTICORP_COPIES
    train = data / "chnsenticorp/train.csv"
    if not (train.is_file() and (data / file).is_file()):
        return set()
    training_digests = {text_digest(row["text"]) for row in readers.read_dataset_rows(train)}
    copies = {
        text_digest(row["review"])
        for row in readers.read_dataset_rows(data / file)
        if row["cat"] in categories
    }
    return copies - training_digests


def _split_source(
    data: Path, source: DatasetSource, dev: list[Sample], excluded_digests: set[str]
) -> DatasetSplit:
    train: dict[str, Sample] = {}
    dropped_counts = {"in a dev split or a set's repeats": 0, "repeated in the set": 0}
    for sample in _read_samples(data, source, source.train):
        digest = (han_digest if source.han_only else text_digest)(sample.text)
        if digest in excluded_digests:
            dropped_counts["in a dev split or a set's repeats"] += 1
        elif digest in train:
            dropped_counts["repeated in the set"] += 1
        else:
            train[digest] = sample
    unique_dev = {text_digest(sample.text): sample for sample in dev}
    return DatasetSplit(
        source,
        [_without_label(sample, source.eval_only_label) for sample in train.values()],
        list(unique_dev.values()),
        dropped_counts,
    )


def _without_label(sample: Sample, eval_only_label: int | None) -> Sample:
    """Return a training sample without the annotations of one label."""
    if eval_only_label is None:
        return sample
    targets = tuple(target for target in sample.targets if target.label != eval_only_label)
    return replace(
        sample, label=None if sample.label == eval_only_label else sample.label, targets=targets
    )
