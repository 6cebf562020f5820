"""Training: the manifest's splits, the readers of the sets' formats, the loop and resuming it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from folate.core.labels import ASPECTS
from nlp.model.encoder import Encoder, EncoderConfig
from nlp.model.heads import MultiTaskModel
from training.batches import NEUTRAL_SMOOTHING, collate, draw_epoch_samples, group_by_length
from training.calibrate import (
    calibrate_and_save,
    calibration_digests,
    fit_early_exit_logits,
    fit_exit_threshold,
    fit_temperature,
    select_calibration_samples,
    select_evaluation_samples,
)
from training.distil import EmbeddingTeacher, fit_embedding_head
from training.evaluate import describe_floor_failures, format_score_table, raise_floors
from training.predictions import ScoreRow
from training.run import average_with_checkpoints
from training.scores import (
    Score,
    accuracy,
    bootstrap_score,
    calibration_error,
    macro_recall,
    post_score,
    target_score,
)
from training.sets import readers
from training.sets.composed import compose_brand_samples
from training.sets.manifest import (
    DatasetSource,
    DatasetSplit,
    is_dev_text,
    load_splits,
    text_digest,
)
from training.sets.samples import (
    NEGATIVE,
    NEUTRAL,
    NOT_ABOUT,
    POSITIVE,
    TWO_WAY,
    LabelledTarget,
    Sample,
)
from training.train import (
    TrainingProgress,
    TrainingSettings,
    _make_optimizer,
    run_training_loop,
    task_losses,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def write(path: Path, header: str, rows: Iterable[tuple[str, ...]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return path


def test_key_sees_through_width_case_and_marks() -> None:
    assert text_digest("好吃！ＯＫ") == text_digest("好吃 ok") != text_digest("难吃 ok")
    assert text_digest("！！") != text_digest("？？")


REVIEW = readers.labelled_csv_reader("review", "label", {"0": NEGATIVE, "1": POSITIVE})


def test_no_text_is_in_training_and_in_a_dev_split(tmp_path: Path) -> None:
    texts = [f"第{number}个苹果很好吃" for number in range(300)]
    write(tmp_path / "one/train.csv", "label,review", [("1", text) for text in texts])
    write(tmp_path / "two/train.csv", "label,review", [("0", text + "！") for text in texts])
    write(tmp_path / "two/dev.csv", "label,review", [("0", text.upper()) for text in texts[:40]])
    sources = (
        DatasetSource("one", "zh", "", REVIEW, ("one/train.csv",)),
        DatasetSource("two", "zh", "", REVIEW, ("two/train.csv",), ("two/dev.csv",)),
    )
    splits = load_splits(
        tmp_path, (*sources, DatasetSource("absent", "zh", "", REVIEW, ("absent/train.csv",)))
    )
    assert [split.source.name for split in splits] == ["one", "two"]
    dev_digests = {text_digest(sample.text) for split in splits for sample in split.dev}
    training_digests = {text_digest(sample.text) for split in splits for sample in split.train}
    assert not dev_digests & training_digests
    assert dev_digests == {
        text_digest(text) for number, text in enumerate(texts) if number < 40 or is_dev_text(text)
    }
    assert len(splits[0].train) + sum(splits[0].dropped_counts.values()) == 300


def test_texts_of_a_set_that_repeats_a_hidden_test_are_not_learnt(tmp_path: Path) -> None:
    write(tmp_path / "chnsenticorp/train.csv", "label,text", [("1", "房间很干净")])
    hotel = [("酒店", "1", "房间很干净"), ("酒店", "0", "早餐太差了"), ("水果", "1", "苹果很甜")]
    file = "online_shopping_10_cats/online_shopping_10_cats.csv"
    write(tmp_path / file, "cat,label,review", hotel)
    [split] = load_splits(tmp_path, (DatasetSource("shopping", "zh", "", REVIEW, (file,)),))
    assert "早餐太差了" not in {sample.text for sample in split.train}


def test_target_rows_of_one_sentence_become_one_sample(tmp_path: Path) -> None:
    rows = [
        ("The $T$ is bad but the tea is good", "cake", "Negative"),
        ("The cake is bad but the $T$ is good", "tea", "Positive"),
    ]
    rows += [("$T$ 很 靓 哦", "图 标", "Positive"), ("no place", "x", "Neutral")]
    path = write(tmp_path / "t.csv", "text_with_$T$,aspect,polarity", rows)
    first_sample, second_sample = readers.pyabsa_reader((NEGATIVE, NEUTRAL, POSITIVE))(path)
    assert first_sample.label is None
    assert [
        (first_sample.text[slice(*target.spans[0])], target.label)
        for target in first_sample.targets
    ] == [
        ("cake", NEGATIVE),
        ("tea", POSITIVE),
    ]
    assert (second_sample.text, second_sample.label, second_sample.targets[0].spans) == (
        "图标很靓哦",
        POSITIVE,
        ((0, 2),),
    )


def test_quads(tmp_path: Path) -> None:
    path = tmp_path / "q.txt"
    path.write_text(
        "面 包 好 吃 ， 茶 一 般 。####"
        "[((0, 1), (2, 3), 'POS'), ((5, 5), (6, 7), 'NEU'), ((-1, -1), (2, 3), 'POS')]\n",
        encoding="utf-8",
    )
    [sample] = readers.read_zhang_triplets(path)
    assert [(sample.text[slice(*target.spans[0])], target.label) for target in sample.targets] == [
        ("面包", POSITIVE),
        ("茶", NEUTRAL),
    ]


def test_cars_and_stars(tmp_path: Path) -> None:
    rows = [
        ("1", "油耗高", "油耗", "-1"),
        ("2", "好看但贵", "外观", "1"),
        ("2", "好看但贵", "价格", "-1"),
    ]
    cars = list(
        readers.read_ccf2018_cars(
            write(tmp_path / "c.csv", "content_id,content,subject,sentiment_value", rows)
        )
    )
    assert [(sample.text, sample.label) for sample in cars] == [
        ("油耗高", NEGATIVE),
        ("好看但贵", None),
    ]
    assert [(ASPECTS[aspect.index], aspect.label) for aspect in cars[1].aspects] == [
        ("price", NEGATIVE),
        ("appearance", POSITIVE),
    ]
    path = write(tmp_path / "s.csv", "text,star", [("a", "1"), ("b", "3.0"), ("c", "5"), ("d", "")])
    assert [sample.label for sample in readers.star_rating_reader("text", "star")(path)] == [
        NEGATIVE,
        NEUTRAL,
        POSITIVE,
    ]


def test_composed_sentences_judge_what_they_name() -> None:
    samples = list(compose_brand_samples(400, 1))
    assert samples == list(compose_brand_samples(400, 1)) != list(compose_brand_samples(400, 2))
    assert {target.label for sample in samples for target in sample.targets} == {
        NEGATIVE,
        NEUTRAL,
        POSITIVE,
        NOT_ABOUT,
    }
    opposite = [
        sample
        for sample in samples
        if {target.label for target in sample.targets} == {NEGATIVE, POSITIVE}
    ]
    assert opposite
    assert all(sample.label is None for sample in opposite)
    assert all(
        0 <= start < end <= len(sample.text)
        for sample in samples
        for target in sample.targets
        for start, end in target.spans
    )


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    characters = sorted(
        {char for sample in compose_brand_samples(400, 1) for char in sample.text if char != " "}
    )
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
    return unigram


def test_a_set_without_neutral_leaves_it_a_small_part(tokenizer: Tokenizer) -> None:
    two = Sample("好用", POSITIVE, TWO_WAY, (LabelledTarget(((0, 1),), NEGATIVE),))
    two_way, three_way = (
        collate(group_by_length([sample], tokenizer, 100, 32, "0")[0])
        for sample in (two, Sample("一般", NEUTRAL))
    )
    assert two_way.post[0].tolist() == pytest.approx([0, NEUTRAL_SMOOTHING, 1 - NEUTRAL_SMOOTHING])
    assert two_way.target[0].tolist() == pytest.approx(
        [1 - NEUTRAL_SMOOTHING, NEUTRAL_SMOOTHING, 0, 0]
    )
    assert three_way.post[0].tolist() == [0, 1, 0]


def test_what_has_no_label_weighs_nothing(tokenizer: Tokenizer) -> None:
    [group] = group_by_length(
        [Sample("好用", POSITIVE), Sample("难用", None)], tokenizer, 100, 32, "0"
    )
    batch = collate(group)
    labelled = collate([pair for pair in group if pair[0].label is not None])
    torch.manual_seed(0)
    model = MultiTaskModel(Encoder(EncoderConfig(1000, 24, 1, 2, 48, 32))).eval()
    off = torch.autocast("cpu", enabled=False)
    both, alone = (
        task_losses(model, a_batch, off, torch.device("cpu")) for a_batch in (batch, labelled)
    )
    assert both.keys() == {"post", "early post", "distilled post"}
    assert both["post"].item() == pytest.approx(alone["post"].item(), rel=1e-4)


def test_a_target_beyond_the_cut_is_left_out(tokenizer: Tokenizer) -> None:
    sample = Sample(
        "好" * 50 + "坏",
        None,
        targets=(LabelledTarget(((0, 1),), POSITIVE), LabelledTarget(((50, 51),), NEGATIVE)),
    )
    assert collate(group_by_length([sample], tokenizer, 100, 16, "0")[0]).target.tolist() == [
        [0, 0, 1, 0],
        [0, 0, 0, 0],
    ]


def small_run(
    tokenizer: Tokenizer, work: Path, epochs: int, start: Path | None = None
) -> tuple[MultiTaskModel, TrainingProgress]:
    torch.manual_seed(0)
    model = MultiTaskModel(Encoder(EncoderConfig(1000, 32, 1, 2, 64, 96)))
    encoder = Encoder(EncoderConfig(1000, 32, 1, 2, 64, 96))
    off = torch.autocast("cpu", enabled=False)
    samples = list(compose_brand_samples(160, 1))
    split = DatasetSplit(DatasetSource("own", "zh", "", REVIEW), samples, samples[:40], {})
    teacher = EmbeddingTeacher(encoder, tokenizer, [sample.text for sample in samples], off)
    settings = TrainingSettings(
        epochs=epochs,
        batch_tokens=600,
        max_tokens=64,
        rate=3e-3,
        head_rate=3e-3,
        checkpoint_minutes=0,
        start=start,
    )
    progress = run_training_loop(
        model, teacher, tokenizer, [split], [], settings=settings, work=work
    )
    return model, progress


def test_training_learns_and_a_resumed_run_ends_where_an_unbroken_one_does(
    tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken, state = small_run(tokenizer, tmp_path / "whole", 3)
    steps = state.step
    batch = collate(
        group_by_length(list(compose_brand_samples(60, 9)), tokenizer, 4000, 64, "0")[0]
    )
    loss = task_losses(
        unbroken.eval(), batch, torch.autocast("cpu", enabled=False), torch.device("cpu")
    )["target"].item()
    assert loss < 1.3  # log 4 = 1.39 is knowing nothing
    from training import train as module

    real = module._train_step
    count = 0

    def cut(*arguments: object, **options: object) -> None:
        nonlocal count
        count += 1
        if count > steps // 2:
            raise KeyboardInterrupt
        real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_train_step", cut)
    with pytest.raises(KeyboardInterrupt):
        small_run(tokenizer, tmp_path / "cut", 3)
    monkeypatch.setattr(module, "_train_step", real)
    resumed, state = small_run(tokenizer, tmp_path / "cut", 3)
    assert state.step == steps
    assert all(
        torch.equal(weight, other_weight)
        for weight, other_weight in zip(
            unbroken.state_dict().values(), resumed.state_dict().values(), strict=True
        )
    )


def test_a_run_starts_from_the_weights_of_another(tokenizer: Tokenizer, tmp_path: Path) -> None:
    first, first_progress = small_run(tokenizer, tmp_path / "first", 1)
    second, state = small_run(
        tokenizer, tmp_path / "second", 0, tmp_path / "first" / "checkpoint.pt"
    )
    assert all(
        torch.equal(weight, other_weight)
        for weight, other_weight in zip(
            first.state_dict().values(), second.state_dict().values(), strict=True
        )
    )
    assert (state.before, state.step) == (first_progress.step, 0)
    assert state.describe_training(TrainingSettings()).startswith(
        f"after {first_progress.step:,} batches of another run 0 batches"
    )


def test_weights_of_runs_are_averaged(tokenizer: Tokenizer, tmp_path: Path) -> None:
    first, _ = small_run(tokenizer, tmp_path / "first", 1)
    second, _ = small_run(tokenizer, tmp_path / "second", 1, tmp_path / "first" / "checkpoint.pt")
    middle = [
        (weight + other_weight) / 2
        for weight, other_weight in zip(
            first.state_dict().values(), second.state_dict().values(), strict=True
        )
    ]
    average_with_checkpoints(second, [tmp_path / "first" / "checkpoint.pt"])
    assert all(
        torch.allclose(weight, other_weight)
        for weight, other_weight in zip(middle, second.state_dict().values(), strict=True)
    )


def test_lower_layers_learn_more_slowly(tokenizer: Tokenizer) -> None:
    model, settings = (
        MultiTaskModel(Encoder(EncoderConfig(1000, 32, 3, 2, 64, 96))),
        TrainingSettings(rate=1.0, head_rate=9.0, layer_decay=0.5),
    )
    optimizer = _make_optimizer(model, settings)
    peaks = {
        id(weight): group["peak"] for group in optimizer.param_groups for weight in group["params"]
    }
    layers = (
        model.late.post[0],
        model.encoder.layers[2].up,
        model.encoder.layers[0].up,
        model.encoder.norm,
    )
    assert [peaks[id(module.weight)] for module in layers] == [9.0, 1.0, 0.25, 0.125]
    assert len(peaks) == len(list(model.parameters()))


def test_the_embedding_is_fitted_to_the_teacher(tokenizer: Tokenizer) -> None:
    torch.manual_seed(4)
    student, body = (
        MultiTaskModel(Encoder(EncoderConfig(1000, 32, 1, 2, 64, 96))),
        Encoder(EncoderConfig(1000, 32, 1, 2, 64, 96)),
    )
    texts = [sample.text for sample in compose_brand_samples(300, 5)]
    teacher = EmbeddingTeacher(body, tokenizer, texts, torch.autocast("cpu", enabled=False))
    before = teacher.embedding_loss(student.eval(), 0).item()
    fit_embedding_head(student, teacher, texts[100:])
    assert (
        teacher.embedding_loss(student.eval(), 0).item() < before - 0.2
    )  # its first texts are not among those it was fitted to


def test_epochs_cut_large_sets_and_repeat_small_ones() -> None:
    many = DatasetSplit(
        DatasetSource("many", "zh", "", REVIEW, limit=10),
        [Sample(f"{n}", POSITIVE) for n in range(50)],
        [],
        {},
    )
    few = DatasetSplit(
        DatasetSource("few", "zh", "", REVIEW, repeat=3), [Sample("x", POSITIVE)], [], {}
    )
    first, second = (draw_epoch_samples([many, few], [], 1, number) for number in (0, 1))
    assert len(first) == 13
    assert {sample.text for sample in first} != {sample.text for sample in second}
    assert first == draw_epoch_samples([many, few], [], 1, 0)


def test_temperature_cools_what_is_too_sure() -> None:
    sure = [(np.array([8.0, 0.0, 0.0]), [0 if number % 4 else 1]) for number in range(40)]
    assert fit_temperature(sure) > 2
    assert fit_temperature([(np.array([1.0, 0.0, 0.0]), [0])] * 10) < 1


def test_what_stands_is_on_average_as_probable_as_the_late_depth_finds_it() -> None:
    rng = np.random.default_rng(5)
    late = rng.normal(size=(400, 3)) * 3
    early = late / 2 + rng.normal(size=(400, 3)) + np.array([0.5, 0.0, 0.0])
    factor, *shift = fit_early_exit_logits(early, late)
    early_means, late_means = (
        torch.tensor(logits).softmax(-1).mean(0)
        for logits in (factor * early + np.array(shift), late)
    )
    assert torch.allclose(early_means, late_means, atol=1e-3)
    assert fit_early_exit_logits(early[:0], late[:0]) == [1.0, 0.0, 0.0, 0.0]


def test_early_answers_stand_from_where_they_lose_nothing() -> None:
    alike = [(0.6 + number / 100, True, True) for number in range(30)]
    assert fit_exit_threshold(alike) == 0.5
    assert fit_exit_threshold([(chance, False, True) for chance, *_ in alike]) >= 0.89
    assert fit_exit_threshold([*alike, *[(0.55, False, True)] * 30]) == pytest.approx(
        0.555, abs=0.006
    )
    assert fit_exit_threshold([(1.0, False, True)]) > 1
    assert fit_exit_threshold([]) == 0.5


def test_calibration_is_fitted_on_other_texts_than_scores_are_of() -> None:
    dev = [Sample(f"第{number}次", POSITIVE) for number in range(1000)]
    assert len(select_calibration_samples(dev)) == 250
    assert not {sample.text for sample in select_calibration_samples(dev)} & {
        sample.text for sample in select_evaluation_samples(dev, 500)
    }
    assert len(select_calibration_samples(dev[:30])) == 15
    assert (
        calibration_digests(DatasetSplit(DatasetSource("own", "zh", "", REVIEW), [], dev, {}))
        == set()
    )  # never trained on: nothing fitted


def test_finish_writes_a_folder_that_reads(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    torch.manual_seed(0)
    model = MultiTaskModel(Encoder(EncoderConfig(1000, 24, 1, 2, 48, 130))).eval()
    samples = list(compose_brand_samples(40, 3))
    calibrate_and_save(
        model,
        [DatasetSplit(DatasetSource("own", "zh", "", REVIEW), samples, samples, {})],
        tmp_path / "tokenizer.json",
        tmp_path / "out",
    )
    config = json.loads((tmp_path / "out/config.json").read_text(encoding="utf-8"))
    assert config["calibration"]["early"]["post"].keys() == {"zh", "en"}


def test_metrics() -> None:
    labels, predictions = np.array([0, 0, 0, 2]), np.array([0, 0, 2, 2])
    assert accuracy(labels, predictions) == 0.75
    assert macro_recall(labels, predictions) == pytest.approx((2 / 3 + 1) / 2)
    score = bootstrap_score("s", accuracy, [0] * 90 + [2] * 10, [0] * 100)
    assert score.low < score.value == 0.9 < score.high
    assert calibration_error([0, 0], np.array([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1]])) == pytest.approx(
        0.2
    )


def test_two_way_sets_are_asked_two_way() -> None:
    probabilities = np.array([[0.2, 0.5, 0.3]])
    two, three = (
        post_score("a", [Sample("x", POSITIVE, TWO_WAY)], probabilities),
        post_score("b", [Sample("x", POSITIVE)], probabilities),
    )
    assert two is not None
    assert three is not None
    assert (two.value, three.value) == (1, 0)
    assert post_score("c", [Sample("x", None)], probabilities) is None
    target = target_score(
        "d", [Sample("x", None, targets=(LabelledTarget(((0, 1),), NOT_ABOUT),))], [probabilities]
    )
    assert target is not None
    assert (target.name, target.value) == ("d targets", 1)


def test_floors_hold_and_fall_only_when_told() -> None:
    rows = [
        ScoreRow(
            Score("a", "accuracy", 200, 0.9, 0.88, 0.92),
            "zh",
            False,
            {"TF-IDF": 0.8, "SnowNLP": 0.7},
            0.25,
        )
    ]
    assert describe_floor_failures(rows, {"a": 0.85}) == []
    assert len(describe_floor_failures(rows, {"a": 0.95, "gone": 0.5})) == 2
    assert raise_floors(rows, {"a": 0.95}, allow_lower=False) == {"a": 0.95}
    assert raise_floors(rows, {"a": 0.95}, allow_lower=True) == {"a": 0.87}
    assert "a *" in format_score_table(rows)
    assert "0.250  TF-IDF 0.800, SnowNLP 0.700" in format_score_table(rows)
