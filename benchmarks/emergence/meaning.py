"""Evaluation of an encoder: the similarity of Chinese and English topics that are the same.

    python -m benchmarks.emergence.meaning ENCODER_FOLDER|shipped [CHINESE_STREAM ENGLISH_STREAM]

For several ways to make a vector, prints the cosines of pairs that are one topic and of pairs that
are not, how many topics have their counterpart as the nearest of the other language, and what a
threshold would accept. With two streams of posts the centres of the languages are those of samples
of them, as in `nlp.topics.grouping`, else those of the pairs. `shipped` is Folate's own model.
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
Embed = Callable[[list[str]], Floats]
"""Texts -> vectors, (texts, dimensions)."""

# Thresholds of the cosine that are evaluated.
THRESHOLDS = (0.35, 0.4, 0.45, 0.5)
# Tokens of a text that an encoder other than Folate's reads.
MAX_TOKENS = 96
# Characters of a post from which names are sampled.
_EXCERPT_LENGTH = 100


def load_embedder(folder: str) -> Embed:
    """Load an encoder: Folate's own ("shipped") or a transformers folder.

    The vectors of a folder are mean-pooled, with the prefix that the e5 models were trained with.
    """
    if folder == "shipped":
        reader = load_reader("", 1)
        return lambda texts: reader.embed(texts).astype(float)
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()

    def embed_texts(texts: list[str]) -> Floats:
        batch = tokenizer(
            [f"query: {text}" for text in texts],
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_tensors="pt",
        )
        with torch.inference_mode():
            output = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
        states = output.last_hidden_state
        mask = batch["attention_mask"][..., None]
        pooled: Floats = ((states * mask).sum(1) / mask.sum(1)).numpy().astype(float)
        return pooled

    return embed_texts


def normalize_rows(vectors: Floats) -> Floats:
    """Scale vectors to unit length."""
    scaled: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return scaled


def main() -> None:
    """Print the similarities of the pairs in `pairs.toml`."""
    embed = load_embedder(sys.argv[1])
    text = files("benchmarks.emergence").joinpath("pairs.toml").read_text(encoding="utf-8")
    pairs = tomllib.loads(text)["pair"]
    names = [normalize_rows(embed([pair[side] for pair in pairs])) for side in ("zh", "en")]
    contexts = [
        np.array([_mean_vector(embed, pair[side]) for pair in pairs])
        for side in ("zh_posts", "en_posts")
    ]
    print_similarities("names", *names)
    print_similarities("names, centred", *(_centre_rows(vectors) for vectors in names))
    print_similarities("contexts", *map(normalize_rows, contexts))
    print_similarities(
        "contexts, centred by language", *(_centre_rows(vectors) for vectors in contexts)
    )
    if len(sys.argv) > 2:
        stream_paths = [Path(name) for name in sys.argv[2:4]]
        _print_similarities_by_stream(embed, names, contexts, stream_paths)


def _print_similarities_by_stream(
    embed: Embed, names: list[Floats], contexts: list[Floats], stream_paths: list[Path]
) -> None:
    """Print the similarities with the means of two streams, Chinese and English, subtracted."""
    centred_contexts = []
    centred_names = []
    for path, name_vectors, context_vectors in zip(stream_paths, names, contexts, strict=True):
        context_centre = _mean_vector(embed, _sample_texts(path))
        centred_contexts.append(normalize_rows(context_vectors - context_centre))
        name_centre = _mean_vector(embed, sample_words(path))
        centred_names.append(normalize_rows(name_vectors - name_centre))
    print_similarities("contexts, centred by streams", *centred_contexts)
    joined = [
        np.hstack(vectors) / 2**0.5 for vectors in zip(centred_names, centred_contexts, strict=True)
    ]
    print_similarities("names and contexts, centred by streams", *joined)


def _mean_vector(embed: Embed, texts: list[str]) -> Floats:
    mean: Floats = normalize_rows(embed(texts)).mean(axis=0)
    return mean


def _centre_rows(vectors: Floats) -> Floats:
    return normalize_rows(vectors - vectors.mean(axis=0))


def _sample_texts(stream: Path) -> list[str]:
    """Return `LANGUAGE_SAMPLE_POSTS` texts of a stream."""
    texts = [text for _, text in read_dated_texts(stream)]
    return Random(LANGUAGE_SAMPLE_POSTS).sample(texts, LANGUAGE_SAMPLE_POSTS)


def sample_words(stream: Path) -> list[str]:
    """Draw `LANGUAGE_SAMPLE_POSTS` words of a stream.

    The mean of their embeddings stands for the mean embedding of all names.
    """
    words: set[str] = set()
    for _, text in read_dated_texts(stream):
        excerpt_words = Segmenter().words(text[:_EXCERPT_LENGTH])
        words.update(word for word in excerpt_words if len(word) > 1)
    return Random(LANGUAGE_SAMPLE_POSTS).sample(sorted(words), LANGUAGE_SAMPLE_POSTS)


def print_similarities(title: str, zh: Floats, en: Floats) -> None:
    """Print the cosines of pairs that are one topic (same row) and of those that are two."""
    cosines = zh @ en.T
    same = np.diag(cosines)
    different = cosines[~np.eye(len(cosines), dtype=bool)]
    is_nearest_en = cosines.argmax(axis=1) == np.arange(len(zh))
    is_nearest_zh = cosines.argmax(axis=0) == np.arange(len(en))
    n_mutual = (is_nearest_en & is_nearest_zh).sum()
    print(
        f"{title}: one topic {same.min():.2f} to {same.max():.2f} "
        f"(median {np.median(same):.2f}), "
        f"two topics up to {different.max():.2f} (median {np.median(different):.2f}), "
        f"nearest of each other {n_mutual} of {len(zh)}"
    )
    accepted = []
    for threshold in THRESHOLDS:
        n_same = (same >= threshold).sum()
        n_different = (different >= threshold).sum()
        accepted.append(f"at {threshold}: {n_same}/{len(same)} and {n_different}/{len(different)};")
    print("   ", *accepted)


if __name__ == "__main__":
    main()
