"""The reader of Folate's own models, on a tiny random one: training does not matter here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedTokenizerFast,
)

import nlp.model.encoder
from folate.core.errors import ConfigError
from folate.core.labels import ASPECTS, EMOTIONS, INTENTS
from nlp.model import FALLBACK_PROBABILITIES, Reader, SentimentProbabilities, load_reader
from nlp.model.checkpoint import (
    DepthCalibration,
    EarlyExitCalibration,
    ModelCalibration,
    save_checkpoint,
)
from nlp.model.encoder import Encoder, EncoderConfig, encoder_from_bert
from nlp.model.folate_reader import WINDOW_TOKENS, FolateReader
from nlp.model.heads import HeadOutputs, MultiTaskModel, mean_pool
from nlp.model.pooling import PooledLogits
from nlp.model.windows import (
    MAX_CHARACTERS_READ,
    TokenWindow,
    sample_text_parts,
    split_into_windows,
)
from nlp.text.clauses import split_clauses, target_clauses
from nlp.text.language import is_readable, replace_surrogates

pytestmark = pytest.mark.usefixtures("one_thread")

WORDS = "我喜欢安康的奶粉，但佳泰的太甜了。really like Ankang but not"


def tokenizer() -> Tokenizer:
    """One piece a character: enough to follow offsets."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "▁"]
    vocabulary = [(piece, 0.0) for piece in special] + [
        (char, -1.0) for char in sorted(set(WORDS) - {" "})
    ]
    made = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("tiny")
    tokenizer().save(str(where / "from.json"))
    torch.manual_seed(7)
    model = MultiTaskModel(Encoder(EncoderConfig(64, 24, 2, 2, 48, positions=160)))
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    warm = DepthCalibration({"zh": 2.0, "en": 1.0}, {"zh": 1.0, "en": 1.0})
    save_checkpoint(
        model,
        ModelCalibration(warm, warm, {"zh": 0.7, "en": 0.7}),
        name="tiny",
        tokenizer=where / "from.json",
        folder=where / "model",
    )
    return where / "model"


@pytest.fixture(scope="module")
def reader(folder: Path) -> FolateReader:
    return FolateReader(folder, torch.float32)


def close(one: SentimentProbabilities, other: SentimentProbabilities) -> bool:
    return all(
        abs(getattr(one, name) - getattr(other, name)) < 1e-4
        for name in ("negative", "neutral", "positive")
    )


def test_encoder_is_the_bert_of_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nlp.model.encoder, "DROPOUT", 0.0)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=50,
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=32,
        attn_implementation="eager",
    )
    theirs = BertModel(config, add_pooling_layer=False).eval()
    ours = encoder_from_bert(theirs.state_dict(), EncoderConfig(50, 24, 3, 2, 48, 32), [0, 1, 2])
    ids, mask = torch.randint(0, 50, (3, 9)), torch.arange(9) < torch.tensor([[9], [4], [7]])
    with torch.no_grad():
        expected = theirs(input_ids=ids, attention_mask=mask.long()).last_hidden_state[mask]
        for mode in (ours.eval(), ours.train()):  # the two ways to attend agree
            assert torch.allclose(mode(ids, mask)[mask], expected, atol=1e-5)


def test_early_heads_read_after_as_many_layers_as_the_config_says() -> None:
    torch.manual_seed(5)
    assert EncoderConfig(30, 24, 3, 2, 48, 32).early == 2
    model = MultiTaskModel(Encoder(EncoderConfig(30, 24, 3, 2, 48, 32, early=1))).eval()
    ids = torch.randint(4, 30, (2, 6))
    with torch.no_grad():
        states = model.forward_early(ids, None)[1]
        encoder = model.encoder
        embedded = encoder.norm(encoder.words(ids) + encoder.positions.weight[:6])
        assert torch.equal(states, encoder.layers[0](embedded, None))
        assert torch.equal(encoder.forward_late(states), encoder(ids))


@pytest.mark.parametrize("early", [-1, 4])
def test_more_early_layers_than_there_are_is_refused(early: int) -> None:
    with pytest.raises(ConfigError, match="wanted 1 to 3 early layers"):
        EncoderConfig(30, 24, 3, 2, 48, 32, early=early)


def test_padding_changes_nothing() -> None:
    torch.manual_seed(2)
    model = MultiTaskModel(Encoder(EncoderConfig(30, 24, 2, 2, 48, 32))).eval()
    ids = torch.randint(4, 30, (1, 6))
    wide, mask = torch.nn.functional.pad(ids, (0, 5), value=1), torch.arange(11)[None] < 6
    with torch.no_grad():
        for narrow, padded in zip(model(ids, None), model(wide, mask), strict=True):
            assert torch.allclose(narrow.post, padded.post, atol=1e-5)
        assert torch.allclose(
            mean_pool(model.encoder(ids), None),
            mean_pool(model.encoder(wide, mask), mask),
            atol=1e-5,
        )


def test_packed_weights_come_back(folder: Path, reader: FolateReader) -> None:
    assert (
        folder / "model.safetensors"
    ).stat().st_size < 60_000  # two bytes a weight of the heads, one of the encoder
    assert reader.name == "tiny"
    assert reader.version == FolateReader(folder, torch.float32).version != ""
    assert reader.calibration.late.post["zh"] == 2.0


@pytest.mark.parametrize(
    ("text", "mention", "expected"),
    [
        ("我喜欢安康，但佳泰太甜了。", "安康", "我喜欢安康"),
        ("我喜欢安康，但佳泰太甜了。", "佳泰", "佳泰太甜了"),
        ("安康好喝但是佳泰不好喝", "安康", "安康好喝"),
        ("安康好喝不过佳泰不好喝", "佳泰", "佳泰不好喝"),
        ("安康、佳泰都好", "佳泰", "安康、佳泰都好"),
        ("安康不但便宜而且好喝", "安康", "安康不但便宜而且好喝"),
        ("Ankang is fine but Jiatai is not", "Jiatai", " Jiatai is not"),
        ("I like Ankang while Jiatai is awful", "Ankang", "I like Ankang "),
        ("Ankang was good for a while", "Ankang", "Ankang was good for a while"),
        ("Ankang costs 1,000.50 in Butte", "Ankang", "Ankang costs 1,000.50 in Butte"),
        ("但家真好", "但家", "但家真好"),
    ],
)
def test_clause(text: str, mention: str, expected: str) -> None:
    [[(start, end)]] = target_clauses(
        text, [[(text.index(mention), text.index(mention) + len(mention))]]
    )
    assert text[start:end] == expected


def test_windows_hold_every_token_once() -> None:
    text = "我喜欢安康" * 200
    parts = split_into_windows([text, "", "安康"], tokenizer(), WINDOW_TOKENS)
    covered = [span for part in parts if part.text_index == 0 for span in part.offsets[1:-1]]
    assert {index for start, end in covered for index in range(start, end)} == set(range(len(text)))
    assert all(
        len(part.ids) <= WINDOW_TOKENS and part.ids[0] == 0 and part.ids[-1] == 2 for part in parts
    )
    assert [part.text_index for part in parts].count(1) == 1


@pytest.mark.parametrize("size", [8_000, 100_000, 1_000_000])
def test_of_a_very_long_text_as_many_windows_are_read_as_of_a_long_one(size: int) -> None:
    text = "我喜欢安康，" * (size // 6)
    mentions = [
        [(size // 2, size // 2 + 2)],
        [(place, place + 2) for place in range(0, size - 6, 600)],
    ]
    parts = split_into_windows([text], tokenizer(), WINDOW_TOKENS, [mentions])
    most = len(split_into_windows([text[:MAX_CHARACTERS_READ]], tokenizer(), WINDOW_TOKENS))
    assert most - 3 <= len(parts) <= most
    assert parts[0].window_count > most
    assert parts[0].offsets[1][0] == 0
    assert parts[-1].offsets[-2][1] == len(text)
    assert any(part.offsets[1][0] <= size // 2 < part.offsets[-2][1] for part in parts)
    assert split_into_windows([text], tokenizer(), WINDOW_TOKENS, [mentions]) == parts


def test_a_text_of_five_thousand_characters_is_read_whole() -> None:
    text = "我喜欢安康" * 1_000
    parts = split_into_windows([text], tokenizer(), WINDOW_TOKENS)
    assert {part.window_count for part in parts} == {len(parts)}
    assert sum(part.weight for part in parts) >= 3_000


@pytest.fixture
def tokens_read(reader: FolateReader, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Predict; return the number of tokens, with padding, in the first half of the layers."""
    counted: list[int] = []
    first = reader.model.forward_early

    def counting(ids: torch.Tensor, *rest: Any) -> tuple[HeadOutputs, torch.Tensor]:
        counted.append(ids.numel())
        return first(ids, *rest)

    monkeypatch.setattr(reader.model, "forward_early", counting)

    def read(text: str, targets: list[list[tuple[int, int]]]) -> int:
        counted.clear()
        reader.read([text], [targets])
        return sum(counted)

    return read


UNITS = {
    "Chinese": "我喜欢安康，",
    "Chinese without punctuation": "我喜欢安康的奶粉",
    "English": "I really like the milk powder of Ankang and buy it again. ",
    "both": "really喜欢，like it ",
    "one word": "really",
}


@pytest.mark.parametrize("name", UNITS)
def test_the_encoder_reads_no_more_tokens_of_200000_characters_than_of_5000(
    tokens_read: Callable[..., int], name: str
) -> None:
    text = UNITS[name] * (200_000 // len(UNITS[name]))
    assert 0 < tokens_read(text, []) <= tokens_read(text[:MAX_CHARACTERS_READ], [])


@pytest.mark.parametrize("brands", [1, 3])
def test_a_thousand_mentions_in_200000_characters_cost_the_encoder_no_more(
    tokens_read: Callable[..., int], brands: int
) -> None:
    unit = "我喜欢安康，" * 33
    text = unit * 1_000
    places = [place * len(unit) + 3 for place in range(1_000)]
    mentions = [[(place, place + 2) for place in places[brand::brands]] for brand in range(brands)]
    inside = [[span for span in spans if span[1] <= MAX_CHARACTERS_READ] for spans in mentions]
    assert 0 < tokens_read(text, mentions) <= tokens_read(text[:MAX_CHARACTERS_READ], inside)


def test_a_reading_says_what_share_of_the_text_was_read(reader: Reader) -> None:
    [reading] = reader.read(["我喜欢安康，" * 166_000], [[[(3, 5)], [(600_003, 600_005), (3, 5)]]])
    assert reading.share_read == pytest.approx(MAX_CHARACTERS_READ / (6 * 166_000), rel=0.1)
    assert len(reading.targets) == 2
    assert reader.read(["我喜欢安康，"])[0].share_read == 1


def test_of_a_very_long_text_as_many_parts_are_chosen_as_5000_characters_have() -> None:
    assert sample_text_parts(100, MAX_CHARACTERS_READ) == list(range(100))
    assert sample_text_parts(100, 10 * MAX_CHARACTERS_READ) == [
        0,
        11,
        22,
        33,
        44,
        55,
        66,
        77,
        88,
        99,
    ]
    assert sample_text_parts(1, 100 * MAX_CHARACTERS_READ) == [0]


def test_batch_equals_one_by_one(reader: Reader) -> None:
    texts = [
        "我喜欢安康",
        "佳泰太甜了。",
        "really like Ankang",
        "我",
        "我喜欢安康的奶粉，但佳泰的太甜了。" * 30,
    ]
    targets = [[[(3, 5)]], [[(0, 2)], [(2, 4), (0, 1)]], [], [], [[(3, 5)]]]
    together = reader.read(texts, targets)
    for text, target, reading in zip(texts, targets, together, strict=True):
        alone = reader.read([text], [target])[0]
        assert close(alone.post, reading.post)
        assert all(close(a, b) for a, b in zip(alone.targets, reading.targets, strict=True))
        assert len(reading.targets) == len(target)
        assert abs(reading.post.negative + reading.post.neutral + reading.post.positive - 1) < 1e-6


def test_a_long_text_is_read_to_its_end(reader: Reader) -> None:
    start = "我喜欢安康的奶粉，" * 40
    assert not close(reader.read([start + "佳泰太甜了" * 40])[0].post, reader.read([start])[0].post)


def test_target_spans_matter(reader: Reader) -> None:
    text = "我喜欢安康的奶粉，但佳泰的太甜了。"
    first, second = reader.read([text], [[[(3, 5)], [(10, 12)]]])[0].targets
    assert not close(first, second)


def test_a_target_without_a_place_is_judged_as_the_post(reader: Reader) -> None:
    reading = reader.read(["我喜欢安康"], [[[]]])[0]
    assert reading.targets == (reading.post,)


def test_copies_are_computed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = FolateReader(folder, torch.float32)
    seen: list[int] = []
    whole: Callable[..., object] = reader.pool_logits
    monkeypatch.setattr(
        reader,
        "pool_logits",
        lambda texts, asked: (seen.append(len(texts)), whole(texts, asked))[1],
    )
    readings = reader.read(["我喜欢"] * 50 + ["佳泰"])
    assert seen == [2]
    assert len(readings) == 51
    assert readings[0] == readings[49]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "😀😀😀",
        "https://a.example/b?c=d",
        "taobao.com/abc",
        "@some_one",
        "Muy bueno, me gusta mucho",
        "とても美味しいです",
        "خدمة سيئة جدا",
        "12345",
        "\x00\x01",
        "\ud800",
    ],
)
def test_nothing_to_read_is_neutral_without_confidence(reader: Reader, text: str) -> None:
    assert not is_readable(text)
    reading = reader.read([text], [[[(0, 1)]]])[0]
    assert reading.post == FALLBACK_PROBABILITIES == reading.targets[0]
    assert reading.post.label == "neutral"
    assert (reading.aspects, reading.emotion, reading.intent, reading.embedding) == (
        (),
        {},
        {},
        None,
    )


def test_one_pass_judges_everything(reader: Reader) -> None:
    text = "我喜欢安康的奶粉，但佳泰的太甜了。"
    long = text * 30
    for given, reading in zip((text, long), reader.read([text, long]), strict=True):
        assert tuple(reading.emotion) == EMOTIONS
        assert sum(reading.emotion.values()) == pytest.approx(1)
        assert tuple(reading.intent) == INTENTS
        assert all(0 <= chance <= 1 for chance in reading.intent.values())
        assert reading.embedding is not None
        assert np.allclose(reading.embedding, reader.embed([given])[0], atol=1e-5)
        assert {aspect.name for aspect in reading.aspects} <= set(ASPECTS)
        assert all(
            given[aspect.start : aspect.end].strip() and aspect.confidence >= 0.5
            for aspect in reading.aspects
        )
        assert [aspect.confidence for aspect in reading.aspects] == sorted(
            (a.confidence for a in reading.aspects), reverse=True
        )


def outputs(aspect: int, spoken: float, polarity: list[float], token: int) -> HeadOutputs:
    """Outputs of a window of four tokens, with an aspect that attends to one of the tokens."""
    chances, poles, attention = (
        torch.full((len(ASPECTS),), -9.0),
        torch.zeros(len(ASPECTS), 3),
        torch.full((len(ASPECTS), 4), 0.1),
    )
    chances[aspect], poles[aspect], attention[aspect, token] = spoken, torch.tensor(polarity), 0.7
    few = [torch.zeros(size) for size in (3, 0, 8, len(EMOTIONS))]
    return HeadOutputs(
        few[0],
        few[1].view(0, 4),
        few[2],
        few[3],
        torch.tensor([spoken, 0, 0, 0]),
        chances,
        poles,
        attention,
    )


def test_of_a_long_text_the_surest_window_judges_an_aspect_and_any_window_shows_an_intent() -> None:
    text = "甜，贵。苦，酸"
    total = PooledLogits(0, 8)
    for start, spoken, polarity, token in ((0, 1.0, [0.0, 0, 5], 1), (4, 3.0, [5.0, 0, 0], 2)):
        offsets = [(0, 0), *((start + place, start + place + 1) for place in (0, 2)), (0, 0)]
        out = HeadOutputs(*(values.numpy() for values in outputs(0, spoken, polarity, token)))
        total.add_window(TokenWindow(0, [0, 5, 6, 2], offsets), out, np.zeros(0, np.float32))
    [aspect] = total.predicted_aspects(text)
    assert (aspect.name, aspect.polarity.label, text[aspect.start : aspect.end]) == (
        ASPECTS[0],
        "negative",
        "酸",
    )
    assert total.intent[0] == 3
    total.spoken -= 9
    assert total.predicted_aspects(text) == ()


def test_clauses_of_a_text() -> None:
    text = "好吃，但是贵！ but cheap"
    assert [text[start:end] for start, end in split_clauses(text)] == ["好吃", "贵", " cheap"]
    assert split_clauses("，，") == [(0, 2)]
    assert split_clauses("") == [(0, 0)]


def test_several_threads_read_as_one_does(reader: FolateReader) -> None:
    texts = ["我喜欢安康" * (size % 60) + "really like Ankang" * (size % 7) for size in range(300)]
    targets = [[[(1, 3)]] * (size % 3) for size in range(300)]
    alone, vectors = reader.read(texts, targets), reader.embed(texts)
    torch.set_num_threads(2)
    together, again = reader.read(texts, targets), reader.embed(texts)
    torch.set_num_threads(1)
    assert all(close(one.post, other.post) for one, other in zip(alone, together, strict=True))
    assert [len(one.targets) for one in alone] == [len(one.targets) for one in together]
    assert np.allclose(vectors, again, atol=1e-6)


def test_lone_surrogates_keep_offsets(reader: Reader) -> None:
    assert len(replace_surrogates("安\ud83d康")) == 3
    assert reader.read(["我喜欢\ud83d安康\udc00"], [[[(4, 6)]]])[0].post.label in {
        "negative",
        "neutral",
        "positive",
    }


def test_hundred_thousand_characters(reader: Reader) -> None:
    clause = "我喜欢安康，"
    long, short = reader.read(
        [clause * 16_700, clause * 1_670], [[[(3, 5)], [(99_993, 99_995)]], []]
    )
    assert len(long.targets) == 2
    assert long.targets[1] != long.post  # what has no place in what was read is judged as the post
    for judged in (long.post, *long.targets):
        assert judged.negative + judged.neutral + judged.positive == pytest.approx(1)
        assert judged != FALLBACK_PROBABILITIES
    assert long.post.negative == pytest.approx(
        short.post.negative, abs=0.02
    )  # the same windows, more of them


def test_embeddings(reader: Reader) -> None:
    texts = ["我喜欢安康", "", "Ankang", "我喜欢安康"]
    vectors = reader.embed(texts)
    assert vectors.shape == (4, 24)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 0, 1, 1], atol=1e-5)
    assert np.array_equal(vectors[0], vectors[3])
    assert reader.embed([]).shape == (0, 24)


def test_label_ties_are_neutral() -> None:
    assert SentimentProbabilities(0.4, 0.2, 0.4).label == "neutral"
    assert SentimentProbabilities(0.4, 0.4, 0.2).label == "neutral"
    assert SentimentProbabilities(0.5, 0.3, 0.2).label == "negative"


@pytest.fixture
def foreign(tmp_path: Path) -> Callable[[dict[int, str]], str]:
    def make(labels: dict[int, str]) -> str:
        torch.manual_seed(3)
        config = BertConfig(
            vocab_size=64,
            hidden_size=24,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=48,
            max_position_embeddings=40,
            num_labels=len(labels),
            id2label=labels,
            label2id={name: index for index, name in labels.items()},
            pad_token_id=1,
        )
        BertForSequenceClassification(config).save_pretrained(tmp_path / "other")
        special = {
            "bos": "<s>",
            "eos": "</s>",
            "cls": "<s>",
            "sep": "</s>",
            "pad": "<pad>",
            "unk": "<unk>",
        }
        named = {f"{name}_token": piece for name, piece in special.items()}
        PreTrainedTokenizerFast(
            tokenizer_object=tokenizer(), model_max_length=40, **named
        ).save_pretrained(tmp_path / "other")
        return str(tmp_path / "other")

    return make


def test_any_classifier_of_transformers(foreign: Callable[[dict[int, str]], str]) -> None:
    reader = load_reader(foreign({0: "POSITIVE", 1: "NEGATIVE"}))
    texts = ["我喜欢安康，但佳泰太甜了。" * 10, "", "Ankang"]
    readings = reader.read(texts, [[[(3, 5)], []], [], []])
    assert readings[0].post.neutral == 0
    assert readings[0].targets[1] == readings[0].post
    assert readings[1].post == FALLBACK_PROBABILITIES
    assert (
        readings[0].aspects,
        readings[0].emotion,
        readings[0].intent,
        readings[0].embedding,
    ) == ((), {}, {}, None)
    assert reader.name == "other"
    assert len(reader.version) == 12
    assert reader.embed(texts).shape == (3, 24)


def test_a_foreign_model_reads_no_more_of_200000_characters_than_of_5000(
    foreign: Callable[[dict[int, str]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = load_reader(foreign({0: "POSITIVE", 1: "NEGATIVE"}))
    counted: list[int] = []
    model = reader.model  # type: ignore[attr-defined]

    def counting(**batch: Any) -> Any:
        counted.append(batch["input_ids"].numel())
        return model(**batch)

    monkeypatch.setattr(reader, "model", counting)
    text = "我喜欢安康，买过很多次。" * 16_000
    costs = []
    for part in (text[:5_000], text[:200_000]):
        counted.clear()
        [reading] = reader.read([part], [[[(at, at + 2) for at in range(3, len(part) - 12, 192)]]])
        costs.append(sum(counted))
    assert 0 < costs[1] <= costs[0]
    assert reading.share_read == pytest.approx(0.025, rel=0.1)


def test_labels_that_can_not_be_mapped(foreign: Callable[[dict[int, str]], str]) -> None:
    with pytest.raises(ConfigError, match=r"negative, neutral and positive.*'LABEL_0', 'LABEL_1'"):
        load_reader(foreign({0: "LABEL_0", 1: "LABEL_1"}))


def test_models_that_can_not_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be loaded"):
        load_reader(str(tmp_path / "nowhere" / "at" / "all"))
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="JSON"):
        load_reader(str(tmp_path))
    with pytest.raises(ConfigError, match="threads"):
        load_reader(threads=-1)
    with pytest.raises(
        ConfigError, match="depth should be one of half, enough, all, and is 'careful'"
    ):
        load_reader(depth="careful")


def test_what_the_first_half_is_sure_of_stands_and_the_rest_goes_on(folder: Path) -> None:
    texts = [
        "我喜欢安康",
        "佳泰太甜了。",
        "really like Ankang",
        "我",
        "我喜欢安康的奶粉，但佳泰的太甜了。",
    ]
    asked = [[[(3, 5)]], [[(0, 2)]], [], [], [[(3, 5)], [(10, 12)]]]
    reader, careful = (
        FolateReader(folder, torch.float32),
        FolateReader(folder, torch.float32, depth="all"),
    )
    assert reader.exit_thresholds == {"zh": 0.7, "en": 0.7}
    quick = FolateReader(folder, torch.float32, depth="half")
    early, late = quick.read(texts, asked), careful.read(texts, asked)
    chances = [
        [max(its.negative, its.neutral, its.positive) for its in (one.post, *one.targets)]
        for one in early
    ]
    least = sorted(chance for its in chances for chance in its)[4]
    reader.exit_thresholds = {"zh": least, "en": least}
    for one, first, second, its in zip(
        reader.read(texts, asked), early, late, chances, strict=True
    ):
        assert not close(first.post, second.post)
        judged = zip(
            *((reading.post, *reading.targets) for reading in (one, first, second)),
            its,
            strict=True,
        )
        assert all(
            close(given, shallow if chance >= least else deep)
            for given, shallow, deep, chance in judged
        )
    assert careful.version == f"{reader.version}-all"


def test_only_what_stands_is_read_as_it_stands(folder: Path) -> None:
    texts = ["我喜欢安康", "really like Ankang"]
    reader, plain = (
        FolateReader(folder, torch.float32),
        FolateReader(folder, torch.float32, depth="half"),
    )
    reader.exit_thresholds = {"zh": 0.0, "en": 2.0}
    late = FolateReader(folder, torch.float32, depth="all").read(texts)[1].post
    surer, same = (3.0, 0.5, 0.0, -0.5), (1.0, 0.0, 0.0, 0.0, 0.0)
    reader.early_exit_calibration = EarlyExitCalibration(
        {"zh": surer, "en": surer}, {"zh": same, "en": same}
    )
    early = plain.read(texts)[0].post
    logits = surer[0] * np.log([early.negative, early.neutral, early.positive]) + np.array(
        surer[1:]
    )
    first, second = (reading.post for reading in reader.read(texts))
    assert close(first, SentimentProbabilities(*(np.exp(logits) / np.exp(logits).sum())))
    assert close(second, late)


def test_a_post_is_read_the_same_whatever_is_asked_beside(reader: FolateReader) -> None:
    text = "我喜欢安康的奶粉，但佳泰的太甜了。"
    alone, asked = reader.read([text])[0], reader.read([text], [[[(3, 5)], [(10, 12)]]])[0]
    assert close(alone.post, asked.post)
    assert alone.emotion == pytest.approx(asked.emotion, abs=1e-4)


def test_windows_of_a_long_text_leave_at_depths_of_their_own(folder: Path) -> None:
    text = "我喜欢安康的奶粉。" * 20 + "佳泰的太甜了，really not。" * 20
    careful, early = (
        FolateReader(folder, torch.float32, depth="all"),
        FolateReader(folder, torch.float32, depth="half"),
    )
    posts = [early.read([text])[0].post, careful.read([text])[0].post]
    early.exit_thresholds = {"zh": 0.7, "en": 0.7}
    totals = [its.pool_logits([text], [()])[0] for its in (early, careful)]
    assert totals[0].weight == totals[1].weight
    assert not close(*posts)


def test_an_embedding_needs_half_of_the_layers_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = FolateReader(folder, torch.float32, depth="all")
    expected = reader.read(["我喜欢安康"])[0].embedding
    monkeypatch.setattr(
        reader.model.encoder, "forward_late", lambda *_: pytest.fail("the second half was asked")
    )
    assert np.allclose(reader.embed(["我喜欢安康"])[0], expected, atol=1e-5)


def test_a_folder_of_an_older_layout_is_refused_in_one_sentence(
    folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "old")
    about = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "old/config.json").write_text(
        json.dumps(about | {"calibration": about["calibration"]["early"]}), encoding="utf-8"
    )
    lacking = (
        "lacks early, late, prior, standing, threshold, which this version of Folate reads: "
        "train the model again"
    )
    with pytest.raises(ConfigError, match=lacking):
        load_reader(str(tmp_path / "old"))
