"""Posts a second of the shipped reader on one core, beside transformers' BertModel of the same size in fp32, in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import BertConfig, BertModel

from nlp.sentiment import SHIPPED
from nlp.sentiment.shipped import ShippedReader

_POSTS = 128
_ROUNDS = 5


class Speed(NamedTuple):
    """Posts of about 32 tokens a second, tokenising included; the best of five rounds."""

    name: str
    posts: float

    def __str__(self) -> str:
        return f"{self.name}: {self.posts:.0f} posts/s on one core"


def speed(model: str) -> list[Speed]:
    """The reader in fp32, in bfloat16 where the CPU has units for it, and the peer."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        folder = Path(model) if model else SHIPPED
        readers = {"read, fp32": ShippedReader(folder, torch.float32), "read, bfloat16": ShippedReader(folder, torch.bfloat16)}
        texts = _posts(readers["read, fp32"])
        if not torch.cpu.get_capabilities().get("avx512_bf16"):
            del readers["read, bfloat16"]
        work: dict[str, Callable[[], object]] = {name: partial(reader.read, texts) for name, reader in readers.items()}
        seconds = _best(work | {"transformers BertModel, fp32": _peer(readers["read, fp32"], texts)})
        return [Speed(name, _POSTS / spent) for name, spent in seconds.items()]
    finally:
        torch.set_num_threads(threads)


def _posts(reader: ShippedReader) -> list[str]:
    """Distinct posts of 32 tokens, the special ones included, half in each language."""
    words = {
        "zh": "这款奶粉味道不错但是物流太慢包装也破了客服态度很好",
        "en": " the milk tastes good but delivery was slow and the box broke",
    }
    posts = []
    for number in range(_POSTS):
        stem = words[("zh", "en")[number % 2]] * 6
        encoding = reader.tokenizer.encode(f"{number} {stem}", add_special_tokens=False)
        posts.append(f"{number} {stem}"[: encoding.offsets[29][1]])
    return posts


def _peer(reader: ShippedReader, texts: list[str]) -> Callable[[], object]:
    config = reader.model.encoder.config
    bert = BertModel(
        BertConfig(
            vocab_size=config.vocabulary, hidden_size=config.hidden, num_hidden_layers=config.layers, num_attention_heads=config.heads,
            intermediate_size=config.inner, max_position_embeddings=config.positions,
        ),
        add_pooling_layer=False,
    ).eval()  # fmt: skip

    def run() -> None:
        for start in range(0, len(texts), 32):
            encoded = reader.tokenizer.encode_batch(texts[start : start + 32])
            width = max(len(encoding.ids) for encoding in encoded)
            for encoding in encoded:
                encoding.pad(width, pad_id=1)
            ids, mask = (torch.tensor([getattr(encoding, part) for encoding in encoded]) for part in ("ids", "attention_mask"))
            with torch.inference_mode():
                bert(input_ids=ids, attention_mask=mask)

    return run


def _best(work: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds of the fastest round of each, after one to warm up; turn by turn, so that a busy moment strikes all alike."""
    seconds: dict[str, float] = {}
    for turn in range(_ROUNDS + 1):
        for name, run in work.items():
            began = time.perf_counter()
            run()
            spent = time.perf_counter() - began
            seconds[name] = min(spent, seconds.get(name, spent)) if turn > 1 else spent
    return seconds
