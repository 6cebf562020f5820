"""Number formats of matrix products on a CPU: torch.float32, bfloat16 or int8."""

from __future__ import annotations

import torch

PRECISION_NAMES = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.int8: "int8"}
# CPU features, as torch names them, that make a format fast.
_CPU_FEATURES = {
    torch.float32: (),
    torch.bfloat16: ("amx_bf16", "avx512_bf16"),
    torch.int8: ("avx512_vnni",),
}


def supported_dtypes() -> list[torch.dtype]:
    """Return the formats that the CPU has hardware for, the fastest last.

    Without it, bfloat16 is a hundred times slower than fp32, int8 a thousand times.
    """
    capabilities = torch.cpu.get_capabilities()
    dtypes = []
    for dtype, features in _CPU_FEATURES.items():
        if not features or any(capabilities.get(feature) for feature in features):
            dtypes.append(dtype)
    return dtypes


def fastest_dtype() -> torch.dtype:
    """Return the format that annotates most posts a second, the same on every run of a machine.

    CPU features are looked up, nothing is timed. With tiles (AMX) bfloat16 is as fast as int8, by
    the figures of the manufacturer, and rounds less.
    """
    if torch.cpu.get_capabilities().get("amx_bf16"):
        return torch.bfloat16
    return supported_dtypes()[-1]
