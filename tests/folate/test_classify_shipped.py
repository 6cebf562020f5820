"""`folate classify` with the shipped model and a foreign one: hostile and very long texts."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from folate.cli import run_command

UNREADABLE = {
    "empty": "",
    "only emoji": "😀😀🎉👨‍👩‍👧",
    "only a link": "https://shop.example/item?id=42&from=feed",
    "a bare host": "taobao.com/abc",
    "control characters": "\x00\x07\x1b[31m\x7f",
    "a lone surrogate": "\ud800",
    "Arabic": "خدمة سيئة جدا ولن أشتري مرة أخرى",
    "Spanish": "Muy bueno, me gusta mucho",
    "German": "Das ist leider gar nicht gut für mich gewesen",
}
LONG = ("Absolutely wonderful headphones, comfortable and recommended. " * 1613)[:100_000]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What one run of the command, outside any project, says of each text."""
    texts = UNREADABLE | {"long": LONG}
    completed = subprocess.run(
        [sys.executable, "-m", "folate.cli", "classify"],
        input="".join(json.dumps({"text": text}) + "\n" for text in texts.values()),
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=tmp_path_factory.mktemp("nowhere"),
        # two threads wait for each other where cores are busy
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert (completed.returncode, completed.stderr) == (0, "")
    return dict(zip(texts, map(json.loads, completed.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_chinese_or_english_is_other_and_neutral_without_confidence(
    answers: dict[str, dict[str, Any]], name: str
) -> None:
    answer = answers[name]
    sentiment = answer["sentiment"]
    assert (answer["language"], sentiment["label"]) == ("other", "neutral")
    assert max(sentiment[label] for label in ("negative", "neutral", "positive")) <= 0.5
    assert (answer["aspects"], answer["emotion"], answer["intent"], answer["tags"]) == (
        [],
        {},
        {},
        [],
    )


def test_a_hundred_thousand_characters_are_read(answers: dict[str, dict[str, Any]]) -> None:
    answer = answers["long"]
    sentiment = answer["sentiment"]
    assert len(LONG) == 100_000
    assert (answer["language"], sentiment["label"]) == ("en", "positive")
    assert sum(sentiment[label] for label in ("negative", "neutral", "positive")) == pytest.approx(
        1, abs=2e-4
    )  # four decimals each
    assert sum(answer["emotion"].values()) == pytest.approx(1, abs=4e-4)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a transformers model that predicts positive for all texts, with odds e^2."""
    import torch  # with transformers: seconds, and no other test here needs them
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    characters = Tokenizer(models.WordLevel({"<pad>": 0, "<unk>": 1, "好": 2}, unk_token="<unk>"))
    characters.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    config = BertConfig(
        vocab_size=3,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=32,
        id2label={0: "POSITIVE", 1: "NEGATIVE"},
        label2id={"POSITIVE": 0, "NEGATIVE": 1},
        pad_token_id=0,
    )
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([2.0, 0.0]))
    model.save_pretrained(tmp_path / "model")
    PreTrainedTokenizerFast(
        tokenizer_object=characters, model_max_length=32, pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(tmp_path / "model")
    (tmp_path / "folate.toml").write_text(
        f"name = 'Test'\n[nlp]\nmodel = '{(tmp_path / 'model').as_posix()}'\n", encoding="utf-8"
    )
    return tmp_path


def test_a_project_names_its_own_classifier(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = '{"text": "晨谷很好吃", "target": "晨谷"}\nno object\n{"text": "خدمة سيئة"}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    exit_code = run_command(["classify", "--project", str(project)])
    assert exit_code == 3  # one line can't be parsed
    read, unreadable, other = map(json.loads, capsys.readouterr().out.splitlines())
    positive = {"label": "positive", "negative": 0.1192, "neutral": 0.0, "positive": 0.8808}
    assert read == {
        "language": "zh",
        "sentiment": positive,
        "target_sentiment": positive,
        "aspects": [],
        "emotion": {},
        "intent": {},
        "tags": [],
    }
    assert [*unreadable] == ["error"]
    assert (other["language"], other["sentiment"]["label"]) == ("other", "neutral")
