"""Unpacking of an encoder in 4-bit blocks to the transformers folder that training starts from.

A tensor `x` is stored as `x.nibbles` (rows of 16 bytes: 32 weights, the low halves first),
`x.scale` (one half-precision number a row) and `x.shape`; the block format is llama.cpp's Q4_0.
Other tensors are stored as they are; the metadata has the sizes of the model.
"""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import BertConfig

PACKED_ENCODER_FILE = "encoder_q4.safetensors"


def ensure_unpacked_encoder(encoder: Path, work: Path) -> Path:
    """Return the encoder's transformers folder, unpacked under ``work`` if it is packed."""
    return (
        unpack_encoder(encoder, work / "encoder")
        if (encoder / PACKED_ENCODER_FILE).exists()
        else encoder
    )


def unpack_encoder(packed: Path, out: Path) -> Path:
    """Unpack the folder ``packed`` (with its tokenizer.json) to ``out`` in fp32; return ``out``."""
    with safe_open(packed / PACKED_ENCODER_FILE, "np") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        sizes = file.metadata()
    weights = {
        name: torch.from_numpy(np.ascontiguousarray(value))
        for name, value in _unpack_tensors(stored)
    }
    config = BertConfig(
        vocab_size=len(weights["embeddings.word_embeddings.weight"]),
        hidden_size=int(sizes["hidden"]),
        type_vocab_size=2,
        num_hidden_layers=int(sizes["layers"]),
        num_attention_heads=int(sizes["heads"]),
        intermediate_size=int(sizes["inner"]),
        max_position_embeddings=int(sizes["positions"]),
        layer_norm_eps=float(sizes["eps"]),
        pad_token_id=1,
    )
    out.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(out)
    save_file(weights, out / "model.safetensors")
    copyfile(packed / "tokenizer.json", out / "tokenizer.json")
    return out


def _unpack_tensors(stored: dict[str, np.ndarray]) -> list[tuple[str, np.ndarray]]:
    plain = [
        (name, value.astype(np.float32))
        for name, value in stored.items()
        if not name.endswith((".nibbles", ".scale", ".shape"))
    ]
    blocks = [name.removesuffix(".nibbles") for name in stored if name.endswith(".nibbles")]
    return plain + [(name, _unpack_blocks(stored, name)) for name in blocks]


def _unpack_blocks(stored: dict[str, np.ndarray], name: str) -> np.ndarray:
    nibbles = stored[f"{name}.nibbles"]
    scale = stored[f"{name}.scale"].astype(np.float32)
    values = np.concatenate([nibbles & 15, nibbles >> 4], 1).astype(np.float32) - 8
    return (values * scale[:, None]).reshape(stored[f"{name}.shape"])
