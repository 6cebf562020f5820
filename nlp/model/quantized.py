"""The encoder's linear layers in 8-bit integers, for CPUs that multiply those fastest.

Weights keep a scale for each output (Wu et al. 2020, arXiv:2004.09602). Inputs keep a range for each channel, observed once when a model is
packed: a linear layer here sees what comes of a normalised state, so its range hardly depends on the text, and a text is read the same in
any company. Wide channels share their width with their weights (SmoothQuant: Xiao et al. 2023, arXiv:2211.10438); what rounding the weights
adds on average is taken off the bias (Nagel et al. 2019, arXiv:1906.04721); the few neurons of a feed-forward layer whose values are far
from all others stay in fp32 (as in LLM.int8(): Dettmers et al. 2022, arXiv:2208.07339).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from nlp.model.encoder import Encoder, EncoderLayer, multi_head_attention

_LEVELS, _INT8 = 255, 127
_MARGIN = 0.25  # of an observed range, added on either side: other texts go further
_BALANCE = 0.7  # how much of a channel's width its inputs bear; its weights bear the rest
_KEPT = 16  # neurons of a feed-forward layer in fp32
_GELU_LOWEST = -0.17


class ActivationRange(NamedTuple):
    """The lowest and highest value and the mean of each channel (k,) of what a linear layer is given."""

    low: Tensor
    high: Tensor
    mean: Tensor


ActivationRanges = list[dict[str, ActivationRange]]
"""Of each layer, by the name of the linear layer in it (`LINEAR`)."""

LINEAR_LAYERS = ("qkv", "out", "up", "down")


class QuantizedWeights(NamedTuple):
    """A weight matrix (n, k) in int8, packed for the kernel; the scale and the zero point of each output, and the bias, (n,) each."""

    packed: Tensor
    scales: Tensor
    zero_points: Tensor
    bias: Tensor


class QuantizedLinear(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """A linear layer over fp32 inputs of an observed range."""

    def __init__(self, linear: nn.Linear, seen: ActivationRange) -> None:
        super().__init__()
        width = (1 + 2 * _MARGIN) * (seen.high - seen.low).clamp(min=1e-6)
        share = width**_BALANCE / linear.weight.abs().amax(0).clamp(min=1e-6) ** (1 - _BALANCE)
        step = share * (width / share).max() / _LEVELS  # no channel gets less than its width
        low = (seen.low + seen.high - step * _LEVELS) / 2
        self.scale, self.shift = 1 / step, 0.5 - low / step  # 0.5: conversion to integers truncates
        self.integers = _integers(linear.weight * step, (seen.mean - low) / step, linear(seen.mean))

    def forward(self, states: Tensor) -> Tensor:
        """States (..., k) to (..., n)."""
        return _product(self.quantize_input(states), self.integers)

    def quantize_input(self, states: Tensor) -> Tensor:
        rounded = torch.addcmul(self.shift, states, self.scale).clamp_(0, _LEVELS)
        return rounded.to(torch.int16).to(
            torch.uint8
        )  # torch has no fast way from float to unsigned bytes at once


class QuantizedLayer(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """A transformer layer with its products in integers. What leaves the GELU is bytes at once."""

    def __init__(self, layer: EncoderLayer, seen: dict[str, ActivationRange]) -> None:
        super().__init__()
        self.heads, self.norm_attention, self.norm_output = (
            layer.heads,
            layer.norm_attention,
            layer.norm_output,
        )
        self.qkv, self.out, self.up = (
            QuantizedLinear(getattr(layer, name), seen[name]) for name in ("qkv", "out", "up")
        )
        order, inner = seen["down"].high.argsort(descending=True, stable=True), seen["down"]
        kept, rest = order[:_KEPT], order[_KEPT:]
        self.kept_up = layer.up.weight[kept].contiguous(), layer.up.bias[kept].contiguous()
        self.kept_down = layer.down.weight[:, kept].contiguous()
        self.step = (
            float((1 + _MARGIN) * inner.high[rest].amax().clamp(min=1e-3) - _GELU_LOWEST) / _LEVELS
        )
        self.zero = round(-_GELU_LOWEST / self.step)
        weight = layer.down.weight.index_fill(1, kept, 0)
        self.down = _integers(
            weight * self.step,
            inner.mean / self.step,
            functional.linear(inner.mean, weight, layer.down.bias),
        )

    def forward(self, states: Tensor, bias: Tensor | None) -> Tensor:
        """States (n, t, hidden) to states; ``bias`` (n, 1, 1, t) is added to the attention scores."""
        states = self.norm_attention(
            states + self.out(multi_head_attention(self.qkv(states), self.heads, bias))
        )
        normed: Tensor = self.norm_output(states + self.feed_forward(states))
        return normed

    def feed_forward(self, states: Tensor) -> Tensor:
        inner = _gelu_product(
            self.up.quantize_input(states), self.up.integers, self.step, self.zero
        )
        kept = functional.gelu(functional.linear(states, *self.kept_up))
        return _product(inner, self.down, self.zero).add_(functional.linear(kept, self.kept_down))


def _integers(weight: Tensor, mean: Tensor, answer: Tensor) -> QuantizedWeights:
    """The integers of ``weight`` (n, k), with the bias under which inputs of ``mean`` (k,) give ``answer`` (n,)."""
    scales = weight.abs().amax(1).clamp(min=1e-8) / _INT8
    rounded = (weight / scales[:, None]).round()
    bias = answer - scales * (rounded @ mean)
    packed = torch.ops.onednn.qlinear_prepack(rounded.to(torch.int8), None)
    return QuantizedWeights(packed, scales, torch.zeros(len(weight), dtype=torch.int32), bias)


def _product(inputs: Tensor, by: QuantizedWeights, zero_in: int = 0) -> Tensor:
    """Unsigned bytes (..., k), less ``zero_in``, times ``by``: fp32 (..., n)."""
    product: Tensor = torch.ops.onednn.qlinear_pointwise(
        inputs, 1.0, zero_in, *by, 1.0, 0, torch.float32, "none", [], ""
    )
    return product


def _gelu_product(inputs: Tensor, by: QuantizedWeights, step: float, zero: int) -> Tensor:
    """Unsigned bytes (..., k) times ``by``, through a GELU: unsigned bytes (..., n) in steps of ``step`` from ``zero``."""
    product: Tensor = torch.ops.onednn.qlinear_pointwise(
        inputs, 1.0, 0, *by, step, zero, torch.uint8, "gelu", [], "none"
    )
    return product


def quantize_encoder(encoder: Encoder, ranges: ActivationRanges) -> None:
    """Turns the layers of an encoder in fp32 to integers, by the ranges of what their linear layers are given."""
    for index, layer_ranges in enumerate(ranges):
        encoder.layers[index] = QuantizedLayer(encoder.layers[index], layer_ranges).eval()


def observe_activation_ranges(encoder: Encoder, sequences: Iterable[Tensor]) -> ActivationRanges:
    """The ranges while the encoder reads ``sequences`` (ids, (1, t) each)."""
    seen: list[dict[str, list[Tensor]]] = [
        {name: [] for name in LINEAR_LAYERS} for _ in encoder.layers
    ]
    hooks = [
        getattr(layer, name).register_forward_pre_hook(partial(_add, inputs[name]))
        for layer, inputs in zip(encoder.layers, seen, strict=True)
        for name in inputs
    ]
    with torch.no_grad():
        for ids in sequences:
            encoder(ids)
    for hook in hooks:
        hook.remove()
    return [{name: _range(inputs) for name, inputs in layer.items()} for layer in seen]


def _add(seen: list[Tensor], _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    rows = inputs[0].flatten(0, -2)
    seen.append(
        torch.stack([rows.amin(0), rows.amax(0), rows.sum(0), torch.full_like(rows[0], len(rows))])
    )


def _range(seen: list[Tensor]) -> ActivationRange:
    low, high, total, count = torch.stack(seen).unbind(1)
    return ActivationRange(low.amin(0), high.amax(0), total.sum(0) / count.sum(0))
