"""Every way to multiply matrices gives the answers of fp32, on sentences of our own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nlp.model import DEFAULT_MODEL_FOLDER, TextPrediction
from nlp.model.cpu import PRECISION_NAMES, fastest_dtype, supported_dtypes
from nlp.model.encoder import Encoder, EncoderConfig
from nlp.model.folate_reader import FolateReader
from nlp.model.quantized import observe_activation_ranges, quantize_encoder

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = [
    json.loads(line)["text"]
    for line in (Path(__file__).parents[1] / "eval" / "sentences.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]


def shares(readings: list[TextPrediction]) -> np.ndarray:
    return np.array(
        [
            [reading.post.negative, reading.post.neutral, reading.post.positive]
            for reading in readings
        ]
    )


@pytest.fixture(scope="module")
def exact() -> list[TextPrediction]:
    return FolateReader(DEFAULT_MODEL_FOLDER, torch.float32, depth="all").read(TEXTS)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.int8])
def test_the_fast_ways_agree_with_fp32(exact: list[TextPrediction], dtype: torch.dtype) -> None:
    if dtype not in supported_dtypes():
        pytest.skip(f"this CPU does not multiply in {dtype}")
    reader = FolateReader(DEFAULT_MODEL_FOLDER, dtype, depth="all")
    given = reader.read(TEXTS)
    differences = np.abs(shares(given) - shares(exact))
    assert differences.mean() < 0.01
    assert differences.max() < 0.1  # one of 264 texts: .08 to .09, by the kernels of the CPU
    assert np.abs(shares(given).mean(0) - shares(exact).mean(0)).max() < 0.003
    first, second = np.sort(shares(exact))[:, :0:-1].T
    sure = first - second > 0.18  # twice the largest difference that was seen
    assert np.array_equal(shares(given).argmax(1)[sure], shares(exact).argmax(1)[sure])
    vectors = [
        np.stack([reading.embedding for reading in readings if reading.embedding is not None])
        for readings in (given, exact)
    ]
    assert (vectors[0] * vectors[1]).sum(1).min() > 0.995
    assert reader.version.endswith(f"{PRECISION_NAMES[dtype]}-all")


@pytest.mark.skipif(
    torch.int8 not in supported_dtypes(), reason="this CPU does not multiply in integers"
)
def test_integers_read_a_text_the_same_in_any_company() -> None:
    torch.manual_seed(5)
    encoder = Encoder(EncoderConfig(64, 64, 2, 2, 128, 32)).eval().requires_grad_(False)
    ids, mask = torch.randint(0, 64, (3, 9)), torch.arange(9) < torch.tensor([[9], [4], [7]])
    before = encoder(ids, mask)[mask]
    quantize_encoder(
        encoder, observe_activation_ranges(encoder, [ids[:1], ids[1:2, :4], ids[2:, :7]])
    )
    among, alone = encoder(ids, mask), encoder(ids[1:2, :4])
    assert (among[mask] - before).norm() / before.norm() < 0.02
    assert torch.allclose(among[1, :4], alone[0], atol=0.02)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ({}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": True, "avx512_vnni": True}, torch.int8),
        ({"avx512_vnni": True}, torch.int8),
        ({"avx512_bf16": True, "avx512_vnni": True, "amx_bf16": True}, torch.bfloat16),
    ],
)
def test_the_way_goes_by_the_units_of_the_cpu(
    monkeypatch: pytest.MonkeyPatch, units: dict[str, bool], expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: units)
    assert fastest_dtype() == expected
