"""Aspects, emotions and intents in training: word lists, rules, composition, batches, scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from folate.core.labels import ASPECTS, EMOTIONS, INTENTS
from nlp.model import AspectPrediction, SentimentProbabilities, TextPrediction
from nlp.model.encoder import Encoder, EncoderConfig
from nlp.model.heads import MultiTaskModel
from nlp.model.reader import TargetSpans
from training.batches import RULE_LABEL_WEIGHT, collate, group_by_length
from training.calibrate import fit_platt_scaling
from training.predictions import (
    calibration_error_lines,
    predict_dev_sets,
    score_intents,
    score_rows,
)
from training.scores import f1, macro_f1
from training.sets import aspects, readers, weak
from training.sets.composed import compose_brand_samples
from training.sets.manifest import DatasetSource, DatasetSplit, han_digest, load_splits, text_digest
from training.sets.samples import (
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    THREE_WAY,
    TWO_WAY,
    LabelledAspect,
    LabelledTarget,
    Sample,
)
from training.sets.sentences import compose_task_samples
from training.train import LOSS_WEIGHTS, task_losses

pytestmark = pytest.mark.usefixtures("one_thread")

TASTE, PRICE, SERVICE = (ASPECTS.index(name) for name in ("taste", "price", "service"))


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("味道", "taste"),
        ("服务态度", "service"),
        ("上菜速度", "service"),
        ("酸菜鱼", "taste"),
        ("Battery Life", "performance"),
        ("老板", None),
    ],
)
def test_terms_are_about_the_aspect_of_their_longest_word(term: str, name: str | None) -> None:
    index = aspects.aspect_of_term(term)
    assert (None if index is None else ASPECTS[index]) == name


def test_latin_words_are_whole_and_chinese_ones_wherever_they_stand() -> None:
    assert aspects.aspect_term_spans("the pricelist") == {}
    assert aspects.aspect_term_spans("the price") == {PRICE: ((4, 9),)}
    assert aspects.aspect_term_spans("它价格高") == {PRICE: ((1, 3),)}
    assert aspects.aspect_term_spans("İ价格") == {
        PRICE: ((1, 3),)
    }  # a letter that two stand for in lower case


def test_annotated_terms_become_aspects_and_what_nothing_hints_at_is_absent() -> None:
    text = "味道好，香味重，价格高，老板快"
    targets = (
        LabelledTarget(((0, 2),), POSITIVE),
        LabelledTarget(((4, 6),), NEGATIVE),
        LabelledTarget(((8, 10),), NEGATIVE),
        LabelledTarget(((12, 14),), POSITIVE),
    )
    labelled = aspects.label_aspects_by_targets(Sample(text, None, targets=targets))
    assert labelled.aspects == (
        LabelledAspect(TASTE, None, ((0, 2), (4, 6))),
        LabelledAspect(PRICE, NEGATIVE, ((8, 10),)),
    )
    assert not {TASTE, PRICE, SERVICE} & set(
        labelled.absent_aspects
    )  # 快 hints at delivery, 老板 at service
    assert ASPECTS.index("safety") in labelled.absent_aspects


@pytest.mark.parametrize(
    ("text", "intent", "expected"),
    [
        ("准备入手一台", "buy", True),
        ("不想买了", "buy", None),
        ("天气很好", "buy", False),
        ("already switched from it to Ankang", "switch", True),
        ("switched on the light", "switch", None),
        ("请问几点开门", "ask", True),
        ("难道不是吗", "ask", None),
        ("我要投诉", "complain", True),
        ("nice day", "complain", False),
    ],
)
def test_rules_are_sure_or_silent(text: str, intent: str, expected: bool | None) -> None:
    assert weak.detect_intent(text, intent) is expected


def test_a_negative_review_complains_and_a_mixed_one_gives_its_aspects_no_polarity() -> None:
    bad = weak.add_rule_labels(Sample("价格太贵", NEGATIVE, TWO_WAY), is_review=True)
    assert dict(bad.intents)[INTENTS.index("complain")] is True
    assert bad.aspects == (LabelledAspect(PRICE, NEGATIVE, ((0, 2), (3, 4))),)
    mixed = weak.add_rule_labels(Sample("味道不错，就是价格高", POSITIVE, TWO_WAY), is_review=True)
    assert {aspect.label for aspect in mixed.aspects} == {None}
    assert set(mixed.rule_labelled) == {"aspects", "intents"}


def test_composed_sentences_say_what_their_labels_say() -> None:
    samples = list(compose_task_samples(400, 1))
    assert samples == list(compose_task_samples(400, 1)) != list(compose_task_samples(400, 2))
    assert {
        INTENTS[index] for sample in samples for index, has_intent in sample.intents if has_intent
    } == set(INTENTS)
    assert {EMOTIONS[sample.emotion] for sample in samples if sample.emotion is not None} == set(
        EMOTIONS
    )
    aspect_samples = [sample for sample in samples if sample.aspects]
    assert {aspect.index for sample in aspect_samples for aspect in sample.aspects} == set(
        range(len(ASPECTS))
    )
    assert all(
        len(sample.aspects) + len(sample.absent_aspects) == len(ASPECTS)
        for sample in aspect_samples
    )
    assert any(
        {aspect.label for aspect in sample.aspects} == {NEGATIVE, POSITIVE}
        for sample in aspect_samples
    )
    assert all(
        sample.text[start:end].strip()
        for sample in aspect_samples
        for aspect in sample.aspects
        for start, end in aspect.spans
    )
    assert not any("{" in sample.text for sample in samples)


def test_no_sentence_of_the_gate_is_composed() -> None:
    gate_digests = {
        text_digest(json.loads(line)["text"])
        for name in ("sentences", "intents")
        for line in own(name)
    }
    assert not gate_digests & {
        text_digest(sample.text)
        for sample in (*compose_task_samples(3000, 3), *compose_brand_samples(1000, 3))
    }


def own(name: str) -> list[str]:
    return (
        (Path(__file__).parents[1] / "eval" / f"{name}.jsonl")
        .read_text(encoding="utf-8")
        .splitlines()
    )


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    characters = sorted(
        {char for sample in compose_task_samples(200, 1) for char in sample.text if char != " "}
    )
    pieces = [(piece, 0.0) for piece in ("<s>", "<pad>", "</s>", "<unk>", "▁")] + [
        (char, -1.0) for char in characters
    ]
    unigram = Tokenizer(models.Unigram(pieces, unk_id=3))
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    unigram.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return unigram


def test_batches_weigh_what_rules_said_less_and_what_is_unknown_nothing(
    tokenizer: Tokenizer,
) -> None:
    annotated = Sample(
        "价格高，味道好",
        None,
        aspects=(LabelledAspect(PRICE, NEGATIVE, ((0, 2),)),),
        absent_aspects=(SERVICE,),
        intents=((2, True),),
    )
    ruled = Sample(
        "价格高，味道坏",
        None,
        aspects=annotated.aspects,
        intents=((2, True),),
        rule_labelled=("aspects", "intents"),
    )
    batch = collate(
        [group_by_length([sample], tokenizer, 400, 32, "0")[0][0] for sample in (annotated, ruled)]
    )
    assert batch.spoken[:, PRICE].tolist() == [[1, 1], [1, pytest.approx(RULE_LABEL_WEIGHT)]]
    assert batch.spoken[0, SERVICE].tolist() == [0, pytest.approx(RULE_LABEL_WEIGHT)]
    assert batch.spoken[:, TASTE].any().item() is False
    assert batch.intent[:, 2, 1].tolist() == [1, pytest.approx(RULE_LABEL_WEIGHT)]
    assert batch.place[0, PRICE].nonzero().flatten().tolist() == [
        1,
        2,
        3,
        4,
    ]  # the clause: a space and three characters, after <s>


def test_every_head_learns(tokenizer: Tokenizer) -> None:
    torch.manual_seed(0)
    model = MultiTaskModel(
        Encoder(EncoderConfig(tokenizer.get_vocab_size(), 16, 1, 2, 32, 96))
    ).train()
    off, cpu = torch.autocast("cpu", enabled=False), torch.device("cpu")
    batch = collate(group_by_length(list(compose_task_samples(40, 1)), tokenizer, 8000, 64, "0")[0])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    before = task_losses(model, batch, off, cpu)
    assert before.keys() == LOSS_WEIGHTS.keys() | {f"early {name}" for name in LOSS_WEIGHTS} | {
        "distilled post",
        "distilled target",
    }
    for _ in range(15):
        optimizer.zero_grad()
        torch.stack(list(task_losses(model, batch, off, cpu).values())).sum().backward()
        optimizer.step()
    after = task_losses(model, batch, off, cpu)
    assert all(
        after[f"{depth}{name}"] < before[f"{depth}{name}"]
        for name in LOSS_WEIGHTS
        for depth in ("", "early ")
    )
    assert all(
        after[f"distilled {name}"] < before[f"distilled {name}"] for name in ("post", "target")
    )


def test_the_late_depth_is_not_taught_by_the_early_one(tokenizer: Tokenizer) -> None:
    torch.manual_seed(0)
    model = MultiTaskModel(
        Encoder(EncoderConfig(tokenizer.get_vocab_size(), 16, 2, 2, 32, 96))
    ).train()
    batch = collate(group_by_length(list(compose_task_samples(40, 1)), tokenizer, 8000, 64, "0")[0])
    losses = task_losses(model, batch, torch.autocast("cpu", enabled=False), torch.device("cpu"))
    (losses["distilled post"] + losses["distilled target"]).backward()
    assert all(weight.grad is None for weight in model.late.parameters())
    assert any(weight.grad is not None for weight in model.early.parameters())


def test_a_label_that_means_something_else_in_a_set_is_asked_and_not_learnt(tmp_path: Path) -> None:
    rows = [
        "text_with_$T$,aspect,polarity",
        *(f"第{n}次$T$,洗发水,{('Positive', 'Neutral')[n % 2]}" for n in range(60)),
    ]
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    [split] = load_splits(
        tmp_path,
        (
            DatasetSource(
                "shampoo",
                "zh",
                "",
                readers.pyabsa_reader(THREE_WAY),
                ("a.csv",),
                eval_only_label=NEUTRAL,
            ),
        ),
    )
    assert {target.label for sample in split.train for target in sample.targets} == {POSITIVE}
    assert {target.label for sample in split.dev for target in sample.targets} == {
        POSITIVE,
        NEUTRAL,
    }


def test_readers_of_emotions_and_of_restaurants(tmp_path: Path) -> None:
    mood = tmp_path / "m.csv"
    mood.write_text("label,text\nsurprise,没想到\nhappy,好\nother,嗯\n", encoding="utf-8")
    read = readers.labelled_csv_reader(
        "text", "label", {"happy": POSITIVE}, emotions={"happy": 0, "surprise": 4}
    )
    assert [(sample.label, sample.emotion) for sample in read(mood)] == [(None, 4), (POSITIVE, 0)]
    eaten = tmp_path / "r.csv"
    scored = {"dish_taste": "1", "price_level": "-1", "price_discount": "1"}
    names = list(readers._ASPECT_BY_CATEGORY)
    eaten.write_text(
        f"reviewbody,star,{','.join(names)}\n"
        f"很好吃,4,{','.join(scored.get(name, '-2') for name in names)}\n",
        encoding="utf-8",
    )
    [sample] = readers.read_asap_restaurants(eaten)
    assert {ASPECTS[aspect.index]: aspect.label for aspect in sample.aspects} == {
        "taste": POSITIVE,
        "price": None,
    }
    assert {ASPECTS[index] for index in sample.absent_aspects} == {
        "service",
        "environment",
        "appearance",
    }


def test_copies_in_a_set_stripped_to_characters_are_known(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("label,text\n0,今天(真的)好开心！abc\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text(
        "label,text\n0,今天真的好开心\n0,别的一句话在这里\n", encoding="utf-8"
    )
    read = readers.labelled_csv_reader("text", "label", {"0": NEGATIVE})
    sources = (
        DatasetSource("asked", "zh", "", read, dev=("a.csv",)),
        DatasetSource("bare", "zh", "", read, ("b.csv",), han_only=True),
    )
    assert [sample.text for sample in load_splits(tmp_path, sources)[1].train] == [
        "别的一句话在这里"
    ]
    assert han_digest("短abc") == text_digest("短ABC")


def test_platt_finds_where_yes_begins() -> None:
    scale, shift = fit_platt_scaling([(value, value > 1) for value in np.linspace(-4, 4, 80)])
    assert 1 / (1 + np.exp(-(scale * 2 + shift))) > 0.5 > 1 / (1 + np.exp(-(scale * 0 + shift)))
    assert fit_platt_scaling([(1.0, True)]) == (1.0, 0.0)


def test_f1() -> None:
    labels, predictions = np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0])
    assert f1(labels, predictions) == 0.5
    assert macro_f1(labels, labels) == 1
    assert f1(np.zeros(2, int), np.zeros(2, int)) == 0


class Fixed:
    """A reader that finds the price bad, and everything sad and asked."""

    name, version = "fixed", "1"
    bad = SentimentProbabilities(0.8, 0.1, 0.1)

    def read(
        self, texts: Sequence[str], targets: TargetSpans | None = None
    ) -> list[TextPrediction]:
        emotion = dict.fromkeys(EMOTIONS, 0.1) | {"sad": 0.5}
        intent = dict.fromkeys(INTENTS, 0.1) | {"ask": 0.9}
        price_aspects = (AspectPrediction("price", self.bad, 0.9, 0, 1),)
        target_spans = targets if targets is not None else [()] * len(texts)
        return [
            TextPrediction(self.bad, (self.bad,) * len(text_spans), price_aspects, emotion, intent)
            for text_spans in target_spans
        ]


def test_every_head_is_scored_and_a_set_of_emoticons_without_them_too(tmp_path: Path) -> None:
    price = (LabelledAspect(PRICE, NEGATIVE),)
    samples = [
        Sample(
            f"{number}号[怒]",
            NEGATIVE,
            emotion=number % 3,
            aspects=price if number % 2 else (),
            absent_aspects=() if number % 2 else (PRICE,),
        )
        for number in range(30)
    ]
    source = DatasetSource(
        "own", "zh", "", readers.star_rating_reader("a", "b"), emoticon_labelled=True
    )
    measured = predict_dev_sets(Fixed(), [DatasetSplit(source, [], samples, {})], 20)  # type: ignore[arg-type]  # it embeds nothing
    values = {row.score.name: row.score.value for row in score_rows(measured, baselines=False)}
    assert values["own"] == 1
    assert 0 < values["own emotion"] < 0.5
    assert values["own aspects"] == pytest.approx(2 / 3, abs=0.15)
    assert values["own aspects' polarity"] == 1
    assert "own bare" in values
    assert all("[" not in sample.text for sample in measured[1].samples)
    assert any("post" in line and "own" in line for line in calibration_error_lines(measured))
    path = tmp_path / "i.jsonl"
    path.write_text(
        '{"text": "请问", "intent": ["ask"]}\n{"text": "好", "intent": []}\n', encoding="utf-8"
    )
    rows_by_name = {row.score.name: row for row in score_intents(Fixed(), path)}  # type: ignore[arg-type]
    assert rows_by_name["own sentences, ask"].score.value == pytest.approx(2 / 3)
    assert rows_by_name["own sentences, ask"].baselines == {"rules": 1.0}
