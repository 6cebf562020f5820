"""Do an encoder's vectors tell that a Chinese and an English topic are one?

    python -m benchmarks.emergence.meaning ENCODER_FOLDER|shipped [CHINESE_STREAM ENGLISH_STREAM]

Prints, for several ways to make a vector, the cosines of pairs that are one topic and of those that are not, how many of each
language's topics find their own as the nearest, and what a threshold would accept. With two streams of posts the centres of the two
languages are those of a sample of them, as in `nlp.topics.grouping`, else those of the pairs themselves. `shipped` is Folate's own model.
"""

import sys
import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt

from benchmarks.emergence.streams import read_dated_texts
from nlp.model import load_reader
from nlp.text.segment import Segmenter
from nlp.topics.grouping import LANGUAGE_SAMPLE_POSTS

Floats = npt.NDArray[np.float64]
THRESHOLDS = (0.35, 0.4, 0.45, 0.5)


def load_embedder(folder: str) -> Callable[[list[str]], Floats]:
    """The vectors of Folate's own model, or the mean-pooled ones of a transformers folder with the prefix that e5 was trained with."""
    if folder == "shipped":
        reader = load_reader("", 1)
        return lambda texts: reader.embed(texts).astype(float)
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = (
        AutoTokenizer.from_pretrained(folder),
        AutoModel.from_pretrained(folder).eval(),
    )

    def embed(texts: list[str]) -> Floats:
        batch = tokenizer(
            [f"query: {text}" for text in texts],
            padding=True,
            truncation=True,
            max_length=96,
            return_tensors="pt",
        )
        with torch.inference_mode():
            states = model(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
            ).last_hidden_state
        mask = batch["attention_mask"][..., None]
        pooled: Floats = ((states * mask).sum(1) / mask.sum(1)).numpy().astype(float)
        return pooled

    return embed


def normalize_rows(vectors: Floats) -> Floats:
    scaled: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return scaled


def main() -> None:
    embed = load_embedder(sys.argv[1])
    pairs = tomllib.loads(
        files("benchmarks.emergence").joinpath("pairs.toml").read_text(encoding="utf-8")
    )["pair"]
    names = [normalize_rows(embed([p[side] for p in pairs])) for side in ("zh", "en")]
    contexts = [
        np.array([normalize_rows(embed(p[side])).mean(axis=0) for p in pairs])
        for side in ("zh_posts", "en_posts")
    ]
    print_similarities("names", *names)
    print_similarities("names, centred", *(normalize_rows(v - v.mean(axis=0)) for v in names))
    print_similarities("contexts", *map(normalize_rows, contexts))
    print_similarities(
        "contexts, centred by language", *(normalize_rows(v - v.mean(axis=0)) for v in contexts)
    )
    if len(sys.argv) > 2:
        samples = [
            Random(LANGUAGE_SAMPLE_POSTS).sample(
                [text for _, text in read_dated_texts(Path(path))], LANGUAGE_SAMPLE_POSTS
            )
            for path in sys.argv[2:4]
        ]
        centres = [normalize_rows(embed(sample)).mean(axis=0) for sample in samples]
        said = [normalize_rows(v - centre) for v, centre in zip(contexts, centres, strict=True)]
        print_similarities("contexts, centred by streams", *said)
        called = [
            normalize_rows(v - normalize_rows(embed(sample_words(Path(path)))).mean(axis=0))
            for v, path in zip(names, sys.argv[2:4], strict=True)
        ]
        print_similarities(
            "names and contexts, centred by streams",
            *(np.hstack(both) / 2**0.5 for both in zip(called, said, strict=True)),
        )


def sample_words(stream: Path) -> list[str]:
    """`SAMPLE` words of a stream, whose mean is that of its language's names."""
    words = sorted(
        {
            word
            for _, text in read_dated_texts(stream)
            for word in Segmenter().words(text[:100])
            if len(word) > 1
        }
    )
    return Random(LANGUAGE_SAMPLE_POSTS).sample(words, LANGUAGE_SAMPLE_POSTS)


def print_similarities(what: str, zh: Floats, en: Floats) -> None:
    cosines = zh @ en.T
    same, other = np.diag(cosines), cosines[~np.eye(len(cosines), dtype=bool)]
    nearest = (cosines.argmax(axis=1) == np.arange(len(zh))) & (
        cosines.argmax(axis=0) == np.arange(len(en))
    )
    print(f"{what}: one topic {same.min():.2f} to {same.max():.2f} (median {np.median(same):.2f}), two topics up to {other.max():.2f} "
          f"(median {np.median(other):.2f}), nearest of each other {nearest.sum()} of {len(zh)}")  # fmt: skip
    print(
        "   ",
        *(
            f"at {t}: {(same >= t).sum()}/{len(same)} and {(other >= t).sum()}/{len(other)};"
            for t in THRESHOLDS
        ),
    )


if __name__ == "__main__":
    main()
