"""Benchmark of `folate adapt`: the value of 50 to 300 labels for brands outside the training data.

``python -m benchmarks.adapt --data DATA`` predicts up to 800 texts of each brand with names hidden,
draws labels at random in many trials, adapts to them where cross-validation says so, and scores the
other texts of the brand. The method of `nlp.stats.adaptation` was chosen on the brands of
``--brands choose``; those of ``report`` were evaluated once.
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

LABEL_COUNTS = (50, 100, 300)
"""Numbers of labels to adapt to."""

MAX_TEXTS = 800
"""Texts of a brand."""

MIN_TEST_TEXTS = 60
"""Texts to score: brands with fewer are skipped."""

APPLE_NAMES = ("apple", "ipad", "iphone")
GOOGLE_NAMES = ("google", "android")


@dataclass(frozen=True)
class AdaptationBrand:
    """A brand outside the training data, with its names and its texts with their labels, 0 to 2."""

    name: str
    names: tuple[str, ...]
    texts: list[str]
    labels: list[int]


def selection_brands(data: Path) -> Iterator[AdaptationBrand]:
    """Yield half of the Twitter entities, Apple and Google at SXSW, and two shop categories."""
    yield from _twitter_entities(data, half=0)
    tweets = pd.read_csv(data / "more/sxsw_brand_emotion/all.csv")
    tweets = tweets[tweets["label"].isin(SENTIMENT_LABELS)]
    is_about_google = tweets["target"].fillna("").str.contains("Google|Android")
    named_apple = tweets["text"].str.contains("|".join(APPLE_NAMES), case=False)
    named_google = tweets["text"].str.contains("|".join(GOOGLE_NAMES), case=False)
    has_no_target = tweets["target"].isna()
    yield _brand(
        "sxsw apple", APPLE_NAMES, tweets[named_apple & (has_no_target | ~is_about_google)]
    )
    yield _brand(
        "sxsw google",
        GOOGLE_NAMES,
        tweets[named_google & ~named_apple & (has_no_target | is_about_google)],
    )
    reviews = pd.read_csv(data / "online_shopping_10_cats/online_shopping_10_cats.csv")
    for category in ("水果", "蒙牛"):
        rows = reviews[reviews["cat"] == category].rename(columns={"review": "text"})
        yield _brand(
            category,
            (category,),
            rows.assign(label=rows["label"].map({0: "negative", 1: "positive"})),
        )


def report_brands(data: Path) -> Iterator[AdaptationBrand]:
    """Yield the other Twitter entities, Apple in 2014, three bank apps, and comments on banks."""
    yield from _twitter_entities(data, half=1)
    tweets = pd.read_csv(data / "more/apple_tweets_dfe/all.csv")
    sure = tweets["label"].isin(SENTIMENT_LABELS) & (tweets["confidence"] >= 0.7)
    yield _brand("apple 2014", ("apple", "@apple", "iphone", "aapl"), tweets[sure])
    reviews = pd.read_csv(data / "bank_app_reviews/bank_reviews.csv").rename(
        columns={"review": "text"}
    )
    reviews = reviews[reviews["rating"] != 3]
    reviews["label"] = np.where(reviews["rating"] < 3, "negative", "positive")
    for bank, rows in reviews.groupby("bank"):
        yield _brand(str(bank), (str(bank),), rows)
    yield _brand("df529", ("银行",), pd.read_csv(data / "more/df529_bank_comments/all.csv.gz"))


def _twitter_entities(data: Path, half: int) -> Iterator[AdaptationBrand]:
    """Yield entities with an even SHA-1 whose next bit is ``half``.

    Tweets that are not about their entity count as neutral.
    """
    tweets = pd.read_csv(data / "more/twitter_entity_sentiment/all.csv.gz")
    tweets["label"] = tweets["label"].replace("irrelevant", "neutral")
    for entity, rows in tweets.groupby("entity"):
        if entity_part(str(entity)) == 2 * half:
            names = [name.strip() for name in re.split("[()]", str(entity)) if name.strip()]
            spaced = [re.sub("(?<=[a-z])(?=[A-Z0-9])", " ", name) for name in names]
            yield _brand(str(entity), tuple(dict.fromkeys([*spaced, *names])), rows)


def _brand(name: str, names: tuple[str, ...], rows: pd.DataFrame) -> AdaptationBrand:
    sample = rows.sample(min(len(rows), MAX_TEXTS), random_state=0)
    return AdaptationBrand(
        name,
        names,
        sample["text"].astype(str).tolist(),
        [SENTIMENT_LABELS.index(label) for label in sample["label"]],
    )


def predict_posteriors(reader: Reader, brand: AdaptationBrand) -> Floats:
    """Predict the texts as a project with this brand does: probabilities (n, 3)."""
    linker = BrandLinker([Brand(id="brand", names=brand.names)])
    passages = []
    for text in brand.texts:
        spans = [(mention.start, mention.end) for mention in linker.find_mentions(text)]
        passages.append(Passage(text, {"brand": spans} if spans else {}))
    posteriors = []
    for prediction in read_without_names(reader, passages):
        sentiment = prediction.targets[0] if prediction.targets else prediction.post
        posteriors.append((sentiment.negative, sentiment.neutral, sentiment.positive))
    return np.array(posteriors)


def score_posteriors(posteriors: Floats, labels: Ints) -> NDArray[np.float64]:
    """Compute accuracy, macro F1, mean log loss, and mean error of the three shares in points."""
    predicted = posteriors.argmax(axis=1)
    f1 = []
    for label in np.unique(labels):
        hits = ((predicted == label) & (labels == label)).sum()
        f1.append(2 * hits / ((predicted == label).sum() + (labels == label).sum()))
    loss = -np.log(np.maximum(posteriors[np.arange(len(labels)), labels], 1e-4)).mean()
    error = 100 * np.abs(posteriors.mean(axis=0) - np.eye(3)[labels].mean(axis=0)).mean()
    return np.array([(predicted == labels).mean(), np.mean(f1), loss, error])


def main() -> None:
    """Print for each number of labels the scores before and after, and how often they got worse."""
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
        "labels brands trials  accuracy       macro F1       log loss       "
        "share error    adapted  for the worse"
    )
    for size in LABEL_COUNTS:
        enough = [
            (posteriors, labels)
            for posteriors, labels in read
            if len(labels) >= size + MIN_TEST_TEXTS
        ]
        results = []
        for posteriors, labels in enough:
            trials = range(options.trials)
            results += [_run_trial(posteriors, labels, size, trial) for trial in trials]
        before, after, adapted = map(np.array, zip(*results, strict=True))
        figures = "  ".join(
            f"{old:6.3f} {new:6.3f}" for old, new in zip(before.mean(0), after.mean(0), strict=True)
        )
        worse = (after[:, 2] > before[:, 2]).mean()
        print(
            f"{size:6} {len(enough):6} {len(results):6}  {figures}  "
            f"{adapted.mean():7.2f}  {worse:13.2f}"
        )


def _run_trial(
    posteriors: Floats, labels: Ints, size: int, trial: int
) -> tuple[Floats, Floats, bool]:
    """Adapt to ``size`` random labels; return the scores of the other texts before and after.

    The third value says whether cross-validation was for the adaptation.
    """
    order = np.random.Generator(np.random.PCG64([trial, size])).permutation(len(labels))
    sampled = order[:size]
    held_out = order[size:]
    weights = np.ones(size)
    before = score_posteriors(posteriors[held_out], labels[held_out])
    if not cross_validate(posteriors[sampled], labels[sampled], weights).helps:
        return before, before, False
    factors = fit_label_factors(posteriors[sampled], labels[sampled], weights)
    after = score_posteriors(rescale_posteriors(posteriors[held_out], factors), labels[held_out])
    return before, after, True


if __name__ == "__main__":
    main()
