"""Benchmark of text annotation: `python -m benchmarks.text`.

Each figure is printed beside a peer's in the same run, on generated texts or on those of a file.

--texts FILE         one text a line, instead of made ones --segmented FILE     gold segmentation,
words with spaces between them, to score against --languages FILE     CSV with columns lang and
text, to score against --treebanks DIR      folder of the public sets: parts of speech, lemmas and
words on their dev splits
"""

import argparse
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.text.scores import copy_scores, language_accuracy, word_f1
from benchmarks.text.sentences import make_copies, make_posts
from folate.core.config import Brand
from nlp.annotate import annotate_texts
from nlp.extract.brands import BrandLinker
from nlp.extract.segments import SegmentDetector
from nlp.text.duplicates import cluster_duplicates
from nlp.text.language import identify_language
from nlp.text.segment import Segmenter

BatchFunction = Callable[[Sequence[str]], object]

SEED = 7
TEXT_COUNT = 10_000
SLOW_COUNT = 300  # texts for SnowNLP
COPY_GROUPS = 1_000
COPIES_PER_GROUP = 4
BRANDS = [
    Brand(id="apple", names=("苹果", "Apple"), products=("iPhone",)),
    Brand(id="huawei", names=("华为", "Huawei")),
]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("--texts", "--segmented", "--languages", "--treebanks"):
        parser.add_argument(name, type=Path)
    paths = parser.parse_args()
    logging.getLogger("jieba").setLevel(logging.WARNING)
    texts = (
        paths.texts.read_text(encoding="utf-8").splitlines()[:TEXT_COUNT]
        if paths.texts
        else make_posts(TEXT_COUNT, SEED)
    )
    segmenter = Segmenter(alias for brand in BRANDS for alias in brand.aliases)
    tools = (segmenter, BrandLinker(BRANDS), SegmentDetector())
    annotate_texts(["it's 好"], *tools)  # load the dictionaries first
    _speeds(texts, *tools)
    _scores(texts, segmenter, paths.segmented, paths.languages)
    if paths.treebanks:
        _words(paths.treebanks)


def _speeds(
    texts: Sequence[str], segmenter: Segmenter, linker: BrandLinker, detector: SegmentDetector
) -> None:
    import jieba
    from rjieba import Jieba
    from snownlp import SnowNLP  # type: ignore[import-untyped]

    from nlp.text.batches import fold_texts

    def each(cut: Callable[[str], object]) -> BatchFunction:
        return lambda batch: [cut(text) for text in batch]

    print(f"{len(texts)} texts, {sum(map(len, texts)) / len(texts):.0f} characters each")
    peer = _megabytes_a_second(each(jieba.lcut), texts)
    print(f"segmentation      jieba          {peer:8.3f} MB/s   1.00x")
    for name, cut, batch in (
        ("SnowNLP", lambda text: SnowNLP(text).words, texts[:SLOW_COUNT]),
        ("folate words", segmenter.words, texts),
        ("folate tokens", segmenter.tokens, texts),
    ):
        speed = _megabytes_a_second(each(cut), batch)
        print(f"segmentation      {name:14} {speed:8.3f} MB/s {speed / peer:6.2f}x")
    folded = fold_texts(texts)
    for name, work in (
        ("rjieba", each(partial(Jieba().cut, hmm=False))),
        ("folate batch", lambda _: segmenter.locate_words_of_batch(folded)),
        ("with folding", lambda batch: segmenter.locate_words_of_batch(fold_texts(batch))),
    ):
        speed = _megabytes_a_second(work, texts)
        print(f"segmentation      {name:14} {speed:8.3f} MB/s {speed / peer:6.2f}x")
    cutting = _posts_a_second(each(jieba.lcut), texts)
    for name, work in (
        ("annotate", lambda batch: annotate_texts(batch, segmenter, linker, detector)),
        (
            "clusters",
            lambda batch: cluster_duplicates(
                [f"{index:07d}" for index in range(len(batch))], batch
            ),
        ),
    ):
        speed = _posts_a_second(work, texts)
        print(
            f"whole {name:11} folate         {speed:8.0f} posts/s {speed / cutting:4.2f}x "
            "of jieba only cutting words"
        )


def _scores(
    texts: Sequence[str], segmenter: Segmenter, segmented: Path | None, languages: Path | None
) -> None:
    import jieba

    long = [text for text in dict.fromkeys(texts) if len(text) >= 30]
    precision, recall, f1 = copy_scores(
        make_copies(long[:COPY_GROUPS], COPIES_PER_GROUP, SEED), long[COPY_GROUPS:], SEED
    )
    print(
        f"planted copies    pairs: precision {precision:.4f}, recall {recall:.4f}, F1 {f1:.4f} "
        "(texts of 30 characters and more)"
    )
    if segmented:
        for name, cut in (
            ("jieba", jieba.lcut),
            ("folate", lambda text: [token.text for token in segmenter.tokens(text)]),
        ):
            print(f"words of {segmented.name}: {name} F1 {100 * word_f1(segmented, cut):.2f}")
    if languages:
        print(
            f"languages of {languages.name}:",
            ", ".join(
                f"{k} {v:.3f}" for k, v in language_accuracy(languages, identify_language).items()
            ),
        )


def _words(data: Path) -> None:
    from training.words import score_word_analysis

    for row in score_word_analysis(data):
        score = row.score
        aligned = ""
        if row.aligned_share is not None:
            aligned = f", {row.aligned_share:.3f} of the gold words cut alike"
        beside = ", ".join(f"{name} {value:.3f}" for name, value in row.baselines.items())
        print(
            f"{score.name:25} {score.value:.3f} ({score.low:.3f} to {score.high:.3f}, "
            f"n={score.n}{aligned}); {beside}"
        )


def _seconds(work: BatchFunction, texts: Sequence[str]) -> float:
    """Return the seconds of the fastest of three runs: other programs only make a run slower."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work(texts)
        times.append(time.perf_counter() - start)
    return min(times)


def _megabytes_a_second(work: BatchFunction, texts: Sequence[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6 / _seconds(work, texts)


def _posts_a_second(work: BatchFunction, texts: Sequence[str]) -> float:
    return len(texts) / _seconds(work, texts)


if __name__ == "__main__":
    main()
