"""What 50 to 300 labels of a person are worth to the judgements of a brand that no training saw (`folate adapt`).

``python -m benchmarks.adapt --data DATA`` reads up to 800 texts a brand with names hidden as in use, draws labels at
random, again and again, adapts to them where cross-validation says so, and scores the other texts of the brand. What
is in `nlp.stats.adaptation` was chosen on the brands of ``--brands choose``; those of ``report`` were looked at once.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from folate.core.config import Brand
from folate.core.labels import SENTIMENT_LABELS
from nlp.extract.brands import BrandLinker
from nlp.model import Reader, load_reader
from nlp.model.name_hiding import Passage, read_without_names
from nlp.stats.adaptation import cross_validate, fit_label_factors, rescale_posteriors
from nlp.stats.estimation import Floats, Ints
from training.sets.sources import entity_part

LABEL_COUNTS = (50, 100, 300)  # labels of a person
MAX_TEXTS = 800  # texts read of a brand
MIN_TEST_TEXTS = 60  # texts to score
APPLE_NAMES = ("apple", "ipad", "iphone")
GOOGLE_NAMES = ("google", "android")


@dataclass(frozen=True)
class AdaptationBrand:
    """A brand of a set that is kept out of training: its texts with their labels, 0 to 2, and the names it goes by."""

    name: str
    names: tuple[str, ...]
    texts: list[str]
    labels: list[int]


def selection_brands(data: Path) -> Iterator[AdaptationBrand]:
    """Half of the entities of Twitter, Apple and Google at SXSW, two shops."""
    yield from _entities(data, half=0)
    tweets = pd.read_csv(data / "more/sxsw_brand_emotion/all.csv")
    tweets = tweets[tweets["label"].isin(SENTIMENT_LABELS)]
    of_google = tweets["target"].fillna("").str.contains("Google|Android")
    named_apple = tweets["text"].str.contains("|".join(APPLE_NAMES), case=False)
    named_google = tweets["text"].str.contains("|".join(GOOGLE_NAMES), case=False)
    untold = tweets["target"].isna()
    yield _brand("sxsw apple", APPLE_NAMES, tweets[named_apple & (untold | ~of_google)])
    yield _brand(
        "sxsw google", GOOGLE_NAMES, tweets[named_google & ~named_apple & (untold | of_google)]
    )
    reviews = pd.read_csv(data / "online_shopping_10_cats/online_shopping_10_cats.csv")
    for category in ("水果", "蒙牛"):
        own = reviews[reviews["cat"] == category].assign(text=lambda rows: rows["review"])
        yield _brand(
            category,
            (category,),
            own.assign(label=own["label"].map({0: "negative", 1: "positive"})),
        )


def report_brands(data: Path) -> Iterator[AdaptationBrand]:
    """The other half of the entities, Apple in December 2014, reviews of the apps of three banks, comments on banks."""
    yield from _entities(data, half=1)
    tweets = pd.read_csv(data / "more/apple_tweets_dfe/all.csv")
    sure = tweets["label"].isin(SENTIMENT_LABELS) & (tweets["confidence"] >= 0.7)
    yield _brand("apple 2014", ("apple", "@apple", "iphone", "aapl"), tweets[sure])
    reviews = pd.read_csv(data / "bank_app_reviews/bank_reviews.csv").rename(
        columns={"review": "text"}
    )
    reviews = reviews[reviews["rating"] != 3]
    reviews["label"] = np.where(reviews["rating"] < 3, "negative", "positive")
    for bank, own in reviews.groupby("bank"):
        yield _brand(str(bank), (str(bank),), own)
    yield _brand("df529", ("银行",), pd.read_csv(data / "more/df529_bank_comments/all.csv.gz"))


def _entities(data: Path, half: int) -> Iterator[AdaptationBrand]:
    """Entities with an even SHA-1; ``half`` is the bit above. What is not about the entity counts as neutral."""
    tweets = pd.read_csv(data / "more/twitter_entity_sentiment/all.csv.gz")
    tweets["label"] = tweets["label"].replace("irrelevant", "neutral")
    for entity, own in tweets.groupby("entity"):
        if entity_part(str(entity)) == 2 * half:
            names = [part.strip() for part in re.split("[()]", str(entity)) if part.strip()]
            spaced = [re.sub("(?<=[a-z])(?=[A-Z0-9])", " ", name) for name in names]
            yield _brand(str(entity), tuple(dict.fromkeys([*spaced, *names])), own)


def _brand(name: str, names: tuple[str, ...], rows: pd.DataFrame) -> AdaptationBrand:
    some = rows.sample(min(len(rows), MAX_TEXTS), random_state=0)
    return AdaptationBrand(
        name,
        names,
        some["text"].astype(str).tolist(),
        [SENTIMENT_LABELS.index(label) for label in some["label"]],
    )


def predict_posteriors(reader: Reader, brand: AdaptationBrand) -> Floats:
    """Read the texts as a project with this brand does: probabilities (n, 3)."""
    linker = BrandLinker([Brand(id="brand", names=brand.names)])
    passages = []
    for text in brand.texts:
        spans = [(mention.start, mention.end) for mention in linker.find_mentions(text)]
        passages.append(Passage(text, {"brand": spans} if spans else {}))
    judged = [
        reading.targets[0] if reading.targets else reading.post
        for reading in read_without_names(reader, passages)
    ]
    return np.array([(each.negative, each.neutral, each.positive) for each in judged])


def score_posteriors(posteriors: Floats, labels: Ints) -> NDArray[np.float64]:
    """Accuracy, macro F1, mean log loss and mean error of the three shares in points."""
    given = posteriors.argmax(axis=1)
    f1 = []
    for label in np.unique(labels):
        hits = ((given == label) & (labels == label)).sum()
        f1.append(2 * hits / ((given == label).sum() + (labels == label).sum()))
    loss = -np.log(np.maximum(posteriors[np.arange(len(labels)), labels], 1e-4)).mean()
    error = 100 * np.abs(posteriors.mean(axis=0) - np.eye(3)[labels].mean(axis=0)).mean()
    return np.array([(given == labels).mean(), np.mean(f1), loss, error])


def main() -> None:
    """Print a line a number of labels: scores before and after, how often it was adapted, how often for the worse."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adapt", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--brands", choices=("choose", "report"), default="report")
    parser.add_argument("--model", default="", help="model folder (default: the one that ships)")
    parser.add_argument("--trials", type=int, default=20, help="draws of labels a brand")
    options = parser.parse_args()

    reader = load_reader(options.model, threads=1)
    brands = list((selection_brands if options.brands == "choose" else report_brands)(options.data))
    read = [(predict_posteriors(reader, brand), np.array(brand.labels)) for brand in brands]
    print(
        "labels brands trials  accuracy       macro F1       log loss       share error    adapted  for the worse"
    )
    for size in LABEL_COUNTS:
        enough = [
            (posteriors, labels)
            for posteriors, labels in read
            if len(labels) >= size + MIN_TEST_TEXTS
        ]
        found = [_trial(*pair, size, trial) for pair in enough for trial in range(options.trials)]
        before, after, adapted = (np.array(column) for column in zip(*found, strict=True))
        figures = "  ".join(
            f"{old:6.3f} {new:6.3f}" for old, new in zip(before.mean(0), after.mean(0), strict=True)
        )
        worse = (after[:, 2] > before[:, 2]).mean()
        print(
            f"{size:6} {len(enough):6} {len(found):6}  {figures}  {adapted.mean():7.2f}  {worse:13.2f}"
        )


def _trial(posteriors: Floats, labels: Ints, size: int, trial: int) -> tuple[Floats, Floats, bool]:
    """Scores before and after adapting to ``size`` labels drawn at random, of the other texts; whether it was adapted."""
    order = np.random.Generator(np.random.PCG64([trial, size])).permutation(len(labels))
    drawn, rest = order[:size], order[size:]
    weights = np.ones(size)
    before = score_posteriors(posteriors[rest], labels[rest])
    if not cross_validate(posteriors[drawn], labels[drawn], weights).helps:
        return before, before, False
    factors = fit_label_factors(posteriors[drawn], labels[drawn], weights)
    return (
        before,
        score_posteriors(rescale_posteriors(posteriors[rest], factors), labels[rest]),
        True,
    )


if __name__ == "__main__":
    main()
