"""Speed of the shipped reader on one core, beside transformers' BertModel of half its layers.

``python -m training.speed`` prints posts a second for posts of 16, 32, 64 and 128 tokens, the time
to load and the peak of memory. The BertModel has MiniLM-L6's size and is measured in the same run.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import BertConfig, BertModel

from nlp.model import DEFAULT_MODEL_FOLDER
from nlp.model.cpu import PRECISION_NAMES, fastest_dtype, supported_dtypes
from nlp.model.folate_reader import FolateReader
from nlp.text.clauses import TextSpan

POST_LENGTHS_TOKENS = (16, 32, 64, 128)
_ROUND_TOKENS = 2048
"""Tokens of a round."""

_ROUNDS = 3
_CLAUSES = {
    "安康": (
        "奶粉味道不错，",
        "物流太慢了，",
        "包装也破了。",
        "孩子很喜欢喝，",
        "已经第三次买了，",
        "客服态度很好，",
        "就是价格有点贵，",
        "有没有人也这样？",
        "打开一股怪味，",
        "冲泡没有结块。",
        "日期很新鲜，",
    ),
    "Ankang": (
        " tastes great,",
        " delivery was slow,",
        " the box was broken.",
        " my son loves it,",
        " third time I buy it,",
        " staff were kind,",
        " a bit expensive though,",
        " has anyone else seen this?",
        " it smelled off when I opened it,",
        " no lumps at all.",
        " fresh date,",
    ),
}


class ReadingSpeed(NamedTuple):
    """Posts of a length that a reader predicts in a second of one core's time."""

    name: str
    # tokens of a post, the two special ones included
    tokens: int
    posts_per_second: float

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.posts_per_second:.0f} posts/s of {self.tokens} tokens on one core"
        )


def main() -> int:
    """Print the figures; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.speed", description=__doc__)
    parser.add_argument("--model", default="", help="model folder (default: the one that ships)")
    options = parser.parse_args()
    folder = Path(options.model) if options.model else DEFAULT_MODEL_FOLDER
    torch.set_num_threads(1)
    began = time.process_time()
    reader = FolateReader(folder)
    print(f"loading {reader.version}: {time.process_time() - began:.1f} s of processor time")
    reader.read(["好吃又不贵" * 20_000, *(f"{number} posts" for number in range(512))])
    peak_megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory with a text of 100,000 characters among 512: {peak_megabytes:.0f} MB")
    for tokens in POST_LENGTHS_TOKENS:
        print(*measure_speed(options.model, tokens), sep="\n", flush=True)
    return 0


def measure_speed(model: str, tokens: int = 32) -> list[ReadingSpeed]:
    """Measure the reader in each precision and depth that the CPU supports, and the peer.

    One brand is mentioned in each post.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        folder = Path(model) if model else DEFAULT_MODEL_FOLDER
        readers = {_reader_name(dtype): FolateReader(folder, dtype) for dtype in supported_dtypes()}
        readers |= {
            f"read, {depth}": FolateReader(folder, depth=depth) for depth in ("half", "all")
        }
        if fastest_dtype() != torch.float32:
            readers["read, half, fp32"] = FolateReader(folder, torch.float32, depth="half")
        fp32_reader = readers[_reader_name(torch.float32)]
        texts, spans = zip(*_compose_posts(fp32_reader, tokens), strict=True)
        target_spans = [[[span]] for span in spans]
        tasks: dict[str, Callable[[], object]] = {
            name: partial(reader.read, texts, target_spans) for name, reader in readers.items()
        }
        seconds = _fastest_seconds(
            tasks | {"transformers BertModel, fp32": _bert_task(fp32_reader, texts)}
        )
        return [
            ReadingSpeed(name, tokens, len(texts) / duration) for name, duration in seconds.items()
        ]
    finally:
        torch.set_num_threads(threads)


def _reader_name(dtype: torch.dtype) -> str:
    return f"read, {PRECISION_NAMES[dtype]}" + (
        " (chosen here)" if dtype == fastest_dtype() else ""
    )


def _compose_posts(reader: FolateReader, tokens: int) -> list[tuple[str, TextSpan]]:
    """Compose distinct posts of ``tokens`` tokens, each with the span of its brand.

    Half are in each language. They are made of clauses as people write them, in an order that
    differs from post to post, so that posts vary in sentiment.
    """
    posts = []
    for number in range(_ROUND_TOKENS // tokens):
        brand, clauses = list(_CLAUSES.items())[number % 2]
        stride = number % 5 + 1
        order = ((number + step * stride) % len(clauses) for step in range(32))
        text = f"{brand}{number}" + "".join(clauses[index] for index in order)
        encoding = reader.tokenizer.encode(text, add_special_tokens=False)
        posts.append((text[: encoding.offsets[tokens - 3][1]], (0, len(brand))))
    return posts


def _bert_task(reader: FolateReader, texts: Sequence[str]) -> Callable[[], object]:
    config = reader.model.encoder.config
    bert = BertModel(
        BertConfig(
            vocab_size=config.vocabulary,
            hidden_size=config.hidden,
            num_hidden_layers=(config.layers + 1) // 2,
            num_attention_heads=config.heads,
            intermediate_size=config.inner,
            max_position_embeddings=config.positions,
        ),
        add_pooling_layer=False,
    ).eval()

    def run() -> None:
        for start in range(0, len(texts), 32):
            encoded = reader.tokenizer.encode_batch(texts[start : start + 32])
            max_length = max(len(encoding.ids) for encoding in encoded)
            for encoding in encoded:
                encoding.pad(max_length, pad_id=1)
            ids, mask = (
                torch.tensor([getattr(encoding, encoding_field) for encoding in encoded])
                for encoding_field in ("ids", "attention_mask")
            )
            with torch.inference_mode():
                bert(input_ids=ids, attention_mask=mask)

    return run


def _fastest_seconds(tasks: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the seconds of processor time of the fastest round of each, after one warm-up round.

    Rounds take turns, so that other load on the machine affects all alike.
    """
    seconds: dict[str, float] = {}
    for round_number in range(_ROUNDS + 1):
        for name, run in tasks.items():
            began = time.process_time()
            run()
            duration = time.process_time() - began
            seconds[name] = (
                min(duration, seconds.get(name, duration)) if round_number > 1 else duration
            )
    return seconds


if __name__ == "__main__":
    raise SystemExit(main())
