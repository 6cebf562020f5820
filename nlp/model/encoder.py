"""The encoder under all heads: BERT, with less overhead on a CPU.

The same arithmetic as ``BertModel`` of transformers (Devlin et al. 2019, arXiv:1810.04805; the
tests compare the two), with the three projections of attention in one product, and without a mask
where all sequences of a batch have one length: both save time and change no result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from folate.core.errors import ConfigError

DROPOUT = 0.1
"""Dropout rate of the residual branches, in training."""


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of an encoder. Raises ConfigError for an impossible number of early layers."""

    # Number of token ids.
    vocabulary: int
    # Width of the token states.
    hidden: int
    layers: int
    heads: int
    # Width of the feed-forward layers.
    inner: int
    # Longest sequence in tokens, the two special ones included.
    positions: int = 512
    # Added to the variance in layer normalization.
    eps: float = 1e-12
    # Number of layers below the early heads, from 1 to `layers`; 0, as in old folders, is half of
    # them, rounded up.
    early: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.early <= self.layers:
            raise ConfigError(
                f"wanted 1 to {self.layers} early layers (0 for half of them), got {self.early}."
            )
        object.__setattr__(self, "early", self.early or (self.layers + 1) // 2)


class EncoderLayer(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """A transformer layer with layer normalization after each residual sum."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        hidden = config.hidden
        self.heads = config.heads
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)
        self.norm_attention = nn.LayerNorm(hidden, eps=config.eps)
        self.up = nn.Linear(hidden, config.inner)
        self.down = nn.Linear(config.inner, hidden)
        self.norm_output = nn.LayerNorm(hidden, eps=config.eps)

    def forward(self, states: Tensor, bias: Tensor | None) -> Tensor:
        """Transform states (n, t, hidden); ``bias`` (n, 1, 1, t) is added to attention scores."""
        attended = self.out(self.attend(states, bias))
        states = self.norm_attention(states + self.apply_dropout(attended))
        inner = functional.gelu(self.up(states))
        normalized: Tensor = self.norm_output(states + self.apply_dropout(self.down(inner)))
        return normalized

    def apply_dropout(self, states: Tensor) -> Tensor:
        return functional.dropout(states, DROPOUT, self.training)

    def attend(self, states: Tensor, bias: Tensor | None) -> Tensor:
        return multi_head_attention(
            self.qkv(states), self.heads, bias, fused=states.is_cuda or not self.training
        )


def multi_head_attention(
    qkv: Tensor, heads: int, bias: Tensor | None, fused: bool = True
) -> Tensor:
    """Compute attention: projections (n, t, 3 * hidden) to weighted values (n, t, hidden).

    ``fused`` uses the kernel of torch, which is slower in the backward pass on a CPU.
    """
    n, t, width = qkv.shape
    query, key, value = qkv.view(n, t, 3, heads, width // 3 // heads).permute(2, 0, 3, 1, 4)
    if fused:
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    else:
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        if bias is not None:
            scores = scores + bias
        mixed = scores.softmax(-1, dtype=torch.float32).to(value.dtype) @ value
    return mixed.transpose(1, 2).reshape(n, t, width // 3)


def _make_embedding(rows: int, width: int) -> nn.Embedding:
    """Make a table of random vectors.

    On the meta device none are drawn: torch would load its compiler for that, which takes 4 s.
    """
    weight = torch.empty(rows, width)
    if not weight.is_meta:
        nn.init.normal_(weight)
    return nn.Embedding.from_pretrained(weight, freeze=False)


class Encoder(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """An encoder of token ids to contextual states, in two halves for early exit."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.words = _make_embedding(config.vocabulary, config.hidden)
        self.positions = _make_embedding(config.positions, config.hidden)
        self.norm = nn.LayerNorm(config.hidden, eps=config.eps)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Encode ids (n, t) to states (n, t, hidden).

        ``mask`` (n, t) is true at tokens, false at padding; None without padding.
        """
        return self.forward_late(self.forward_early(ids, mask), mask)

    def forward_early(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Encode ids (n, t) to the states after the early layers."""
        states = self.norm(self.words(ids) + self.positions.weight[: ids.shape[1]])
        return self._apply_layers(self.layers[: self.config.early], states, mask)

    def forward_late(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Transform the states after the early layers to those after the last layer."""
        return self._apply_layers(self.layers[self.config.early :], states, mask)

    @staticmethod
    def _apply_layers(layers: Iterable[nn.Module], states: Tensor, mask: Tensor | None) -> Tensor:
        bias = None
        if mask is not None:
            lowest = torch.finfo(states.dtype).min
            bias = states.new_zeros(mask.shape).masked_fill(~mask, lowest)[:, None, None]
        for layer in layers:
            states = layer(states, bias)
        return states


def encoder_from_bert(
    state: Mapping[str, Tensor], config: EncoderConfig, layers: list[int]
) -> Encoder:
    """Make an encoder of the state dict of a ``BertModel`` of transformers.

    ``layers`` are the indices of the layers to keep, in their order.
    """
    encoder = Encoder(config)
    prefix = "embeddings."
    renamed = {
        "words.weight": state[prefix + "word_embeddings.weight"],
        # There is one segment, whose embedding is the same for every token: add it once.
        "positions.weight": state[prefix + "position_embeddings.weight"]
        + state[prefix + "token_type_embeddings.weight"][0],
        "norm.weight": state[prefix + "LayerNorm.weight"],
        "norm.bias": state[prefix + "LayerNorm.bias"],
    }
    for target, source in enumerate(layers):
        renamed |= _rename_layer(state, f"encoder.layer.{source}.", f"layers.{target}.")
    encoder.load_state_dict(renamed)
    return encoder


def _rename_layer(state: Mapping[str, Tensor], source: str, target: str) -> dict[str, Tensor]:
    """Rename the weights of a layer from the prefix `source` to `target`; join the projections."""
    names = {
        "out": "attention.output.dense",
        "norm_attention": "attention.output.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "norm_output": "output.LayerNorm",
    }
    renamed = {}
    for kind in ("weight", "bias"):
        projections = [
            state[f"{source}attention.self.{name}.{kind}"] for name in ("query", "key", "value")
        ]
        renamed[f"{target}qkv.{kind}"] = torch.cat(projections)
        for new_name, old_name in names.items():
            renamed[f"{target}{new_name}.{kind}"] = state[f"{source}{old_name}.{kind}"]
    return renamed
