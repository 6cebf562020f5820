"""The training command, end to end, on a tiny encoder and a small set in a public set's format."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from nlp.model import load_reader
from training import __main__, run

TEXTS = [("1", f"第{number}天，很好喝，喜欢[爱你]") for number in range(60)] + [
    ("0", f"第{number}次，太难喝了，讨厌") for number in range(60)
]


def encoder(folder: Path) -> Path:
    characters = sorted({char for _, text in TEXTS for char in text})
    unigram = Tokenizer(
        models.Unigram(
            [(piece, 0.0) for piece in ("<s>", "<pad>", "</s>", "<unk>", "▁")]
            + [(c, -1.0) for c in characters],
            unk_id=3,
        )
    )
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    unigram.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    torch.manual_seed(0)
    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 160,
    }
    BertModel(
        BertConfig(vocab_size=unigram.get_vocab_size(), **sizes), add_pooling_layer=False
    ).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=unigram).save_pretrained(folder)
    return folder


def test_from_a_data_folder_to_a_model_that_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train", "test"):
        path = tmp_path / "data" / "weibo2018" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [
                    ("mid", "label", "text"),
                    *(("1", *row) for row in (TEXTS if name == "train" else TEXTS[::9])),
                ]
            )
    monkeypatch.setattr(run, "BRAND_SAMPLE_COUNT", 20)
    monkeypatch.setattr(run, "TASK_SAMPLE_COUNT", 20)
    threads = torch.get_num_threads()
    options = {
        "data": tmp_path / "data",
        "encoder": encoder(tmp_path / "encoder"),
        "out": tmp_path / "made",
        "layers": "0,2",
        "epochs": 3,
    }
    monkeypatch.setattr(
        sys,
        "argv",
        [
            "training",
            *(word for name, value in options.items() for word in (f"--{name}", str(value))),
        ],
    )
    torch.set_num_threads(1)
    try:
        __main__.main()
    finally:
        torch.set_num_threads(threads)
    reader = load_reader(str(tmp_path / "made"))
    assert reader.name == "folate-small"
    assert reader.read(["很好喝"])[0].post.positive > 0
    assert reader.embed(["很好喝"]).shape == (1, 32)
    assert (tmp_path / "made.work" / "checkpoint.pt").is_file()
    assert "batches of about 4,096 tokens in" in capsys.readouterr().err
