"""Which public sets a model learns from and is measured on, and how texts are kept from straddling the two.

A text is known by the digest of its normalised form. Any text in a dev split, of any set, is dropped from training in every set; sets
without a dev split give the texts whose digest falls in one part of ten. So no copy can be learnt in one set and asked in another.
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
_EIGHT = _SIX | {  # NLPCC's eight, and what was made of them
    "like": _SIX["happy"], "happiness": _SIX["happy"], "disgust": _SIX["angry"], "anger": _SIX["angry"], "sadness": _SIX["sad"],
    "none": _SIX["neutral"],
}  # fmt: skip
_FOUR = {"0": _SIX["angry"], "1": _SIX["happy"], "2": _SIX["happy"], "3": _SIX["sad"]}


@dataclass(frozen=True)
class DatasetSource:
    """One set. ``dev`` empty: a part of ``train`` by digest. ``train`` empty: never trained on, all of it is asked."""

    name: str
    language: str
    licence: str
    read: readers.DatasetReader
    train: tuple[str, ...] = ()
    dev: tuple[str, ...] = ()
    limit: int = 1 << 30  # training samples an epoch, so that one large set does not drown the rest
    repeat: int = 1
    dev_one_in: int = 10  # one in so many is the dev part where ``dev`` is empty
    han_only: bool = (
        False  # to Chinese characters: copies are known by those, and there is no dev part
    )
    emoticon_labelled: bool = False  # labelled by those in the text
    reviews: bool = False  # of something bought: what is negative complains
    eval_only_label: int | None = (
        None  # a label that means something else in this set than in others: asked, never learnt
    )


def _absa(
    name: str,
    language: str,
    *,
    classes: tuple[int, ...] = THREE_WAY,
    dev: tuple[str, ...] = (),
    repeat: int = 2,
    unlearnt: int | None = None,
) -> DatasetSource:
    licence = (
        "repository MIT; SemEval and ACL-14 for research, MAMS Apache-2.0"
        if language == "en"
        else "repository MIT; set not stated"
    )
    read, train = readers.pyabsa_reader(classes), (f"absa/{name}/train.csv",)
    return DatasetSource(
        f"absa/{name}", language, licence, read, train, dev, repeat=repeat, eval_only_label=unlearnt
    )


def _emotion(
    mapping: dict[str, int], emotions: dict[str, int], text: str = "text"
) -> readers.DatasetReader:
    return readers.labelled_csv_reader(text, "label", mapping, THREE_WAY, emotions)


_REVIEW = readers.labelled_csv_reader("review", "label", _BINARY)
_TEXT = readers.labelled_csv_reader("text", "label", _BINARY)
_TWEET = _emotion(_TERNARY, {"1": _SIX["neutral"]})
_SMP_ROWS = _emotion(_SMP, _SIX, "content")
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
        _emotion(_NLPCC, _EIGHT),
        ("nlpcc2013_weibo_emotion/train.csv",),
        limit=6_000,
    ),
    DatasetSource(
        "weibo_moods",
        "zh",
        "not stated",
        _emotion({}, _EIGHT),
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
    _absa(
        "zh_absa_shampoo", "zh", unlearnt=NEUTRAL
    ),  # read by eye, most of its neutral complains: "never buy this"
    *(
        _absa(f"zh_absa_{name}", "zh", classes=TWO_WAY)
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
    _absa("mams", "en", dev=("absa/mams/valid.csv",), repeat=2),
    _absa("acl14_twitter", "en", repeat=1),
    *(
        _absa(f"semeval{name}", "en", repeat=2)
        for name in ("2014_laptop", "2014_restaurant", "2015_restaurant", "2016_restaurant")
    ),
    _absa("absa_television", "en"),
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

# Two sets repeat ChnSentiCorp, its test split included: of them only what its training split has may be learnt, through that split.
_REPEATS = (SHOPPING_FILE, ("书籍", "计算机", "酒店"))


@lru_cache(maxsize=1 << 18)  # asked of each text several times
def text_digest(text: str) -> str:
    """Digest of a text's letters and digits after NFKC and lower-casing: what makes two texts the same text."""
    normal = unicodedata.normalize("NFKC", text).lower()
    letters = re.sub(r"[\W_]+", "", normal) or normal
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest()


def han_digest(text: str) -> str:
    """Digest of a text's Chinese characters, by which copies in sets that kept nothing else are known; its key where it has under six."""
    characters = re.sub("[^\u3400-\u9fff]+", "", text)
    return (
        hashlib.sha256(characters.encode()).hexdigest()
        if len(characters) >= 6
        else text_digest(text)
    )


def is_dev_text(text: str, one_in: int = 10) -> bool:
    """Whether a text of a set without a dev split is in its dev part: one in ``part``."""
    return int(text_digest(text)[:8], 16) % one_in == 0


@dataclass(frozen=True)
class DatasetSplit:
    """The samples of one set."""

    source: DatasetSource
    train: list[Sample]
    dev: list[Sample]
    dropped_counts: dict[str, int]


def load_splits(
    data: Path, sources: tuple[DatasetSource, ...] = DATASET_SOURCES
) -> list[DatasetSplit]:
    """Every set that ``data`` has, split; a training text that a dev split has, or that repeats in its set, is dropped and counted."""
    present = [
        source
        for source in sources
        if all((data / file).is_file() for file in source.train + source.dev)
    ]
    dev = {source.name: list(_dev(data, source)) for source in present}
    texts = [sample.text for samples in dev.values() for sample in samples]
    asked = {text_digest(text) for text in texts} | _repeated(data)
    stripped = (
        {han_digest(text) for text in texts}
        if any(source.han_only for source in present)
        else set()
    )
    return [
        _split(data, source, dev[source.name], stripped if source.han_only else asked)
        for source in present
    ]


def _samples(data: Path, source: DatasetSource, files: tuple[str, ...]) -> Iterator[Sample]:
    for file in files:
        yield from source.read(data / file)


def _dev(data: Path, source: DatasetSource) -> Iterator[Sample]:
    if source.dev:
        yield from _samples(data, source, source.dev)
    elif not source.han_only:
        yield from (
            sample
            for sample in _samples(data, source, source.train)
            if is_dev_text(sample.text, source.dev_one_in)
        )


def _repeated(data: Path) -> set[str]:
    """Texts of the sets that repeat ChnSentiCorp and that its own training split does not have: they may be its test texts."""
    file, categories = _REPEATS
    train = data / "chnsenticorp/train.csv"
    if not (train.is_file() and (data / file).is_file()):
        return set()
    learnt = {text_digest(row["text"]) for row in readers.read_dataset_rows(train)}
    return {
        text_digest(row["review"])
        for row in readers.read_dataset_rows(data / file)
        if row["cat"] in categories
    } - learnt


def _split(data: Path, source: DatasetSource, dev: list[Sample], asked: set[str]) -> DatasetSplit:
    train: dict[str, Sample] = {}
    dropped = {"in a dev split or a set's repeats": 0, "repeated in the set": 0}
    for sample in _samples(data, source, source.train):
        digest = (han_digest if source.han_only else text_digest)(sample.text)
        if digest in asked:
            dropped["in a dev split or a set's repeats"] += 1
        elif digest in train:
            dropped["repeated in the set"] += 1
        else:
            train[digest] = sample
    unique = {text_digest(sample.text): sample for sample in dev}
    return DatasetSplit(
        source,
        [_learnt(sample, source.eval_only_label) for sample in train.values()],
        list(unique.values()),
        dropped,
    )


def _learnt(sample: Sample, unlearnt: int | None) -> Sample:
    """A training sample without the judgements of one label."""
    if unlearnt is None:
        return sample
    targets = tuple(target for target in sample.targets if target.label != unlearnt)
    return replace(
        sample, label=None if sample.label == unlearnt else sample.label, targets=targets
    )
