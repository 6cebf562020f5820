"""What a CPU multiplies matrices in: torch.float32, bfloat16 or int8."""

from __future__ import annotations

import torch

PRECISION_NAMES = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.int8: "int8"}
_UNITS = {
    torch.float32: (),
    torch.bfloat16: ("amx_bf16", "avx512_bf16"),
    torch.int8: ("avx512_vnni",),
}


def supported_dtypes() -> list[torch.dtype]:
    """Those that the CPU has units for: bfloat16 without them is a hundred times slower than fp32, integers a thousand times."""
    units = torch.cpu.get_capabilities()
    return [
        dtype
        for dtype, names in _UNITS.items()
        if not names or any(units.get(name) for name in names)
    ]


def fastest_dtype() -> torch.dtype:
    """The one that reads most posts a second. It is the same on every run: units are looked up, nothing is timed.

    With tiles (AMX) bfloat16 is as good as integers, by their makers' figures, and rounds less.
    """
    if torch.cpu.get_capabilities().get("amx_bf16"):
        return torch.bfloat16
    return supported_dtypes()[-1]
