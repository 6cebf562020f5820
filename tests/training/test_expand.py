"""A packed encoder comes back as the folder that transformers reads."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from training.expand import PACKED_ENCODER_FILE, unpack_encoder

SIZES = {
    "hidden": "8",
    "layers": "1",
    "heads": "2",
    "inner": "16",
    "positions": "32",
    "eps": "1e-12",
}


def test_blocks_are_unpacked_in_order_and_scaled(tmp_path: Path) -> None:
    expected = (np.arange(64).reshape(2, 32) % 16 - 8).astype(np.float32) * np.array(
        [[0.5], [2.0]], np.float32
    )
    codes = (np.arange(64).reshape(2, 32) % 16).astype(np.uint8)
    name = "embeddings.word_embeddings.weight"
    stored = {
        f"{name}.nibbles": codes[:, :16] | codes[:, 16:] << 4,
        f"{name}.scale": np.array([0.5, 2.0], np.float16),
        f"{name}.shape": np.array([8, 8]),
        "embeddings.LayerNorm.bias": np.ones(8, np.float16),
    }
    save_file(stored, tmp_path / PACKED_ENCODER_FILE, SIZES)
    (tmp_path / "tokenizer.json").write_text("{}")
    folder = unpack_encoder(tmp_path, tmp_path / "out")
    weights = load_file(folder / "model.safetensors")
    np.testing.assert_array_equal(weights[name], expected.reshape(8, 8))
    assert weights["embeddings.LayerNorm.bias"].dtype == np.float32
    assert '"vocab_size": 8' in (folder / "config.json").read_text()
    assert (folder / "tokenizer.json").exists()
