"""The body that every head reads: a BERT encoder, lean enough for a CPU.

The same arithmetic as transformers' ``BertModel`` (Devlin et al. 2019, arXiv:1810.04805; the tests compare the two), with the three
projections of attention in one product and no mask where a batch has a single length: both cost time on a CPU, neither changes a result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from folate.core.errors import ConfigError

DROPOUT = 0.1  # of what a layer adds, in training


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of an encoder. ``positions`` is the longest sequence in tokens, the two special ones included.

    ``early``: the layers after which the early heads judge, from 1 to ``layers``; half of them, rounded up, where it
    is 0, as in folders written before it could be chosen. Raises ConfigError where it is no such number.
    """

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    inner: int
    positions: int = 512
    eps: float = 1e-12
    early: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.early <= self.layers:
            raise ConfigError(
                f"wanted 1 to {self.layers} early layers (0 for half of them), got {self.early}."
            )
        object.__setattr__(self, "early", self.early or (self.layers + 1) // 2)


class EncoderLayer(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """One transformer layer, normalised after each residual sum."""

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
        """States (n, t, hidden) to states; ``bias`` (n, 1, 1, t) is added to the attention scores."""
        states = self.norm_attention(
            states + self.apply_dropout(self.out(self.attend(states, bias)))
        )
        normed: Tensor = self.norm_output(
            states + self.apply_dropout(self.down(functional.gelu(self.up(states))))
        )
        return normed

    def apply_dropout(self, states: Tensor) -> Tensor:
        return functional.dropout(states, DROPOUT, self.training)

    def attend(self, states: Tensor, bias: Tensor | None) -> Tensor:
        return multi_head_attention(
            self.qkv(states), self.heads, bias, fused=states.is_cuda or not self.training
        )


def multi_head_attention(
    qkv: Tensor, heads: int, bias: Tensor | None, fused: bool = True
) -> Tensor:
    """Attention of each head: projections (n, t, 3 * hidden) to mixed values (n, t, hidden)."""
    n, t, width = qkv.shape
    query, key, value = qkv.view(n, t, 3, heads, width // 3 // heads).permute(2, 0, 3, 1, 4)
    if fused:
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    else:  # the fused kernel's backward pass takes half of a training step on a CPU; the plain one does not
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        if bias is not None:
            scores = scores + bias
        mixed = scores.softmax(-1, dtype=torch.float32).to(value.dtype) @ value
    return mixed.transpose(1, 2).reshape(n, t, width // 3)


def _embedding(rows: int, width: int) -> nn.Embedding:
    """Make a table of random vectors; on the meta device without drawing any, for which torch would load its compiler (4 s)."""
    weight = torch.empty(rows, width)
    if not weight.is_meta:
        nn.init.normal_(weight)
    return nn.Embedding.from_pretrained(weight, freeze=False)


class Encoder(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """Token ids to contextual states."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.words = _embedding(config.vocabulary, config.hidden)
        self.positions = _embedding(config.positions, config.hidden)
        self.norm = nn.LayerNorm(config.hidden, eps=config.eps)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Ids (n, t) to states (n, t, hidden). ``mask`` (n, t) is true at tokens, false at padding; None where there is no padding."""
        return self.forward_late(self.forward_early(ids, mask), mask)

    def forward_early(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Ids to the states that the early layers make of them."""
        states = self.norm(self.words(ids) + self.positions.weight[: ids.shape[1]])
        return self._through(self.layers[: self.config.early], states, mask)

    def forward_late(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """States of the early layers to those of the last layer."""
        return self._through(self.layers[self.config.early :], states, mask)

    @staticmethod
    def _through(layers: Iterable[nn.Module], states: Tensor, mask: Tensor | None) -> Tensor:
        bias = None
        if mask is not None:
            bias = states.new_zeros(mask.shape).masked_fill(~mask, torch.finfo(states.dtype).min)[
                :, None, None
            ]
        for layer in layers:
            states = layer(states, bias)
        return states


def encoder_from_bert(
    state: Mapping[str, Tensor], config: EncoderConfig, layers: list[int]
) -> Encoder:
    """An encoder filled from the weights of a transformers ``BertModel``, keeping the layers of the given indices in their order."""
    encoder = Encoder(config)
    prefix = "embeddings."
    renamed = {
        "words.weight": state[prefix + "word_embeddings.weight"],
        # one segment: its embedding is the same for every token, so it is added to the positions once
        "positions.weight": state[prefix + "position_embeddings.weight"]
        + state[prefix + "token_type_embeddings.weight"][0],
        "norm.weight": state[prefix + "LayerNorm.weight"],
        "norm.bias": state[prefix + "LayerNorm.bias"],
    }
    for target, source in enumerate(layers):
        renamed |= _layer(state, f"encoder.layer.{source}.", f"layers.{target}.")
    encoder.load_state_dict(renamed)
    return encoder


def _layer(state: Mapping[str, Tensor], source: str, target: str) -> dict[str, Tensor]:
    names = {
        "out": "attention.output.dense",
        "norm_attention": "attention.output.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "norm_output": "output.LayerNorm",
    }
    renamed = {}
    for part in ("weight", "bias"):
        fused = [
            state[f"{source}attention.self.{name}.{part}"] for name in ("query", "key", "value")
        ]
        renamed[f"{target}qkv.{part}"] = torch.cat(fused)
        renamed |= {
            f"{target}{ours}.{part}": state[f"{source}{theirs}.{part}"]
            for ours, theirs in names.items()
        }
    return renamed
