"""The shipped model through transformers' own classes: the same labels as through ours."""

from __future__ import annotations

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

import nlp.model.transformers_auto  # noqa: F401 - registers the model
from nlp.model import DEFAULT_MODEL_FOLDER
from nlp.model.folate_reader import FolateReader

TEXTS = [
    "很好喝，孩子非常喜欢，会回购",
    "The tin arrived broken and nobody answers my mails.",
    "今天星期三。",
]


def test_pipelines_take_the_model_that_ships() -> None:
    answers = pipeline("text-classification", model=str(DEFAULT_MODEL_FOLDER), device="cpu")(
        TEXTS, batch_size=3
    )
    assert [answer["label"] for answer in answers] == ["positive", "negative", "neutral"]


def test_the_tokenizer_is_the_same() -> None:
    tokenizer, ours = (
        AutoTokenizer.from_pretrained(str(DEFAULT_MODEL_FOLDER)),
        FolateReader(DEFAULT_MODEL_FOLDER, torch.float32).tokenizer,
    )
    for text in (*TEXTS, "Ｆｕｌｌ  width 叶酸\n[二哈]"):
        assert tokenizer(text)["input_ids"] == ours.encode(text).ids


def test_logits_are_those_of_all_layers() -> None:
    model, tokenizer = (
        auto.from_pretrained(str(DEFAULT_MODEL_FOLDER))
        for auto in (AutoModelForSequenceClassification, AutoTokenizer)
    )
    with torch.inference_mode():
        logits = model(**tokenizer(TEXTS[:2], padding=True, return_tensors="pt")).logits
    reader = FolateReader(DEFAULT_MODEL_FOLDER, torch.float32, depth="all")
    its = reader.calibration.late.post
    calibrated = (logits / torch.tensor([[its["zh"]], [its["en"]]])).softmax(-1)
    wanted = torch.tensor(
        [
            [*map(float, (one.post.negative, one.post.neutral, one.post.positive))]
            for one in reader.read(TEXTS[:2])
        ]
    )
    assert torch.allclose(calibrated, wanted, atol=1e-4)
