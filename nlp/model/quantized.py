"""The encoder's linear layers in 8-bit integers, for CPUs that multiply those fastest.

Weights have a scale for each output (Wu et al. 2020, arXiv:2004.09602). Inputs have a static range
for each channel, observed once when a model is saved: inputs of these layers come from normalized
states, so that their ranges hardly depend on the text, and a prediction does not depend on the rest
of a batch. Wide channels share their width with their weights (SmoothQuant: Xiao et al. 2023,
arXiv:2211.10438); the mean error of rounded weights is subtracted from the bias (Nagel et al. 2019,
arXiv:1906.04721); the few neurons of a feed-forward layer with outlying values remain in fp32
(LLM.int8(): Dettmers et al. 2022, arXiv:2208.07339).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from nlp.model.encoder import Encoder, EncoderLayer, multi_head_attention

_MAX_UINT8 = 255
_MAX_INT8 = 127
# Share of an observed range that is added on either side, for other texts.
_RANGE_MARGIN = 0.25
# Exponent of SmoothQuant: the part of a channel's width that its inputs have, not its weights.
_SMOOTHING = 0.7
# Neurons of a feed-forward layer in fp32.
_FP32_NEURONS = 16
_GELU_MINIMUM = -0.17


class ActivationRange(NamedTuple):
    """Lowest value, highest value and mean of each channel (k,) of the inputs of a linear layer."""

    low: Tensor
    high: Tensor
    mean: Tensor


ActivationRanges = list[dict[str, ActivationRange]]
"""For each layer, the ranges of its linear layers by their names (`LINEAR_LAYERS`)."""

LINEAR_LAYERS = ("qkv", "out", "up", "down")


class QuantizedWeights(NamedTuple):
    """A linear layer with n outputs and k inputs in int8."""

    # (n, k), packed for the kernel.
    packed: Tensor
    # (n,) each.
    scales: Tensor
    zero_points: Tensor
    bias: Tensor


class QuantizedLinear(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """A linear layer over fp32 inputs of an observed range."""

    def __init__(self, linear: nn.Linear, observed: ActivationRange) -> None:
        super().__init__()
        width = (1 + 2 * _RANGE_MARGIN) * (observed.high - observed.low).clamp(min=1e-6)
        weight_width = linear.weight.abs().amax(0).clamp(min=1e-6)
        share = width**_SMOOTHING / weight_width ** (1 - _SMOOTHING)
        step = share * (width / share).max() / _MAX_UINT8  # covers the width of every channel
        low = (observed.low + observed.high - step * _MAX_UINT8) / 2
        self.scale = 1 / step
        self.shift = 0.5 - low / step  # 0.5: conversion to integers truncates
        self.integers = _quantize_weights(
            linear.weight * step, (observed.mean - low) / step, linear(observed.mean)
        )

    def forward(self, states: Tensor) -> Tensor:
        """Map states (..., k) to (..., n)."""
        return _integer_product(self.quantize_input(states), self.integers)

    def quantize_input(self, states: Tensor) -> Tensor:
        rounded = torch.addcmul(self.shift, states, self.scale).clamp_(0, _MAX_UINT8)
        # torch has no fast direct conversion from float to unsigned bytes.
        return rounded.to(torch.int16).to(torch.uint8)


class QuantizedLayer(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """A transformer layer with integer products. The GELU writes bytes directly."""

    def __init__(self, layer: EncoderLayer, ranges: dict[str, ActivationRange]) -> None:
        super().__init__()
        self.heads = layer.heads
        self.norm_attention = layer.norm_attention
        self.norm_output = layer.norm_output
        self.qkv = QuantizedLinear(layer.qkv, ranges["qkv"])
        self.out = QuantizedLinear(layer.out, ranges["out"])
        self.up = QuantizedLinear(layer.up, ranges["up"])
        inner = ranges["down"]
        by_height = inner.high.argsort(descending=True, stable=True)
        outliers = by_height[:_FP32_NEURONS]
        quantized_columns = by_height[_FP32_NEURONS:]
        self.fp32_up = layer.up.weight[outliers].contiguous(), layer.up.bias[outliers].contiguous()
        self.fp32_down = layer.down.weight[:, outliers].contiguous()
        highest = (1 + _RANGE_MARGIN) * inner.high[quantized_columns].amax().clamp(min=1e-3)
        self.step = float(highest - _GELU_MINIMUM) / _MAX_UINT8
        self.zero = round(-_GELU_MINIMUM / self.step)
        weight = layer.down.weight.index_fill(1, outliers, 0)
        self.down = _quantize_weights(
            weight * self.step,
            inner.mean / self.step,
            functional.linear(inner.mean, weight, layer.down.bias),
        )

    def forward(self, states: Tensor, bias: Tensor | None) -> Tensor:
        """Transform states (n, t, hidden); ``bias`` (n, 1, 1, t) is added to attention scores."""
        attended = multi_head_attention(self.qkv(states), self.heads, bias)
        states = self.norm_attention(states + self.out(attended))
        normalized: Tensor = self.norm_output(states + self.feed_forward(states))
        return normalized

    def feed_forward(self, states: Tensor) -> Tensor:
        inner = _integer_product_with_gelu(
            self.up.quantize_input(states), self.up.integers, self.step, self.zero
        )
        fp32_inner = functional.gelu(functional.linear(states, *self.fp32_up))
        product = _integer_product(inner, self.down, self.zero)
        return product.add_(functional.linear(fp32_inner, self.fp32_down))


def _quantize_weights(
    weight: Tensor, mean_inputs: Tensor, mean_outputs: Tensor
) -> QuantizedWeights:
    """Round ``weight`` (n, k), with the bias that maps ``mean_inputs`` to ``mean_outputs``."""
    scales = weight.abs().amax(1).clamp(min=1e-8) / _MAX_INT8
    rounded = (weight / scales[:, None]).round()
    bias = mean_outputs - scales * (rounded @ mean_inputs)
    packed = torch.ops.onednn.qlinear_prepack(rounded.to(torch.int8), None)
    return QuantizedWeights(packed, scales, torch.zeros(len(weight), dtype=torch.int32), bias)


def _integer_product(inputs: Tensor, weights: QuantizedWeights, zero_point: int = 0) -> Tensor:
    """Multiply unsigned bytes (..., k), less ``zero_point``, by ``weights``: fp32 (..., n)."""
    product: Tensor = torch.ops.onednn.qlinear_pointwise(
        inputs, 1.0, zero_point, *weights, 1.0, 0, torch.float32, "none", [], ""
    )
    return product


def _integer_product_with_gelu(
    inputs: Tensor, weights: QuantizedWeights, step: float, zero_point: int
) -> Tensor:
    """Multiply unsigned bytes (..., k) by ``weights`` and apply GELU: unsigned bytes (..., n).

    One unit of the outputs is ``step``, and ``zero_point`` stands for 0.
    """
    product: Tensor = torch.ops.onednn.qlinear_pointwise(
        inputs, 1.0, 0, *weights, step, zero_point, torch.uint8, "gelu", [], "none"
    )
    return product


def quantize_encoder(encoder: Encoder, ranges: ActivationRanges) -> None:
    """Replace the layers of an encoder in fp32 by quantized ones, by the ranges of their inputs."""
    for index, layer_ranges in enumerate(ranges):
        encoder.layers[index] = QuantizedLayer(encoder.layers[index], layer_ranges).eval()


def observe_activation_ranges(encoder: Encoder, sequences: Iterable[Tensor]) -> ActivationRanges:
    """Observe the inputs of the linear layers while ``sequences`` of ids (1, t) are encoded."""
    statistics: list[dict[str, list[Tensor]]] = []
    hooks = []
    for layer in encoder.layers:
        layer_statistics: dict[str, list[Tensor]] = {name: [] for name in LINEAR_LAYERS}
        for name, linear_statistics in layer_statistics.items():
            hook = partial(_append_statistics, linear_statistics)
            hooks.append(getattr(layer, name).register_forward_pre_hook(hook))
        statistics.append(layer_statistics)
    with torch.no_grad():
        for ids in sequences:
            encoder(ids)
    for hook in hooks:
        hook.remove()
    return [_merge_layer_statistics(layer_statistics) for layer_statistics in statistics]


def _append_statistics(statistics: list[Tensor], _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Append minimum, maximum, sum and count (4, k) of the inputs of a layer."""
    rows = inputs[0].flatten(0, -2)
    count = torch.full_like(rows[0], len(rows))
    statistics.append(torch.stack([rows.amin(0), rows.amax(0), rows.sum(0), count]))


def _merge_layer_statistics(statistics: dict[str, list[Tensor]]) -> dict[str, ActivationRange]:
    return {name: _merge_statistics(rows) for name, rows in statistics.items()}


def _merge_statistics(statistics: list[Tensor]) -> ActivationRange:
    low, high, total, count = torch.stack(statistics).unbind(1)
    return ActivationRange(low.amin(0), high.amax(0), total.sum(0) / count.sum(0))
