"""Many short texts as arrays: their bytes, their hashes, their place in a sorted list."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def string_array(text: str) -> pa.Array:
    """Return an Arrow array of one text; unlike `pyarrow.array`, this does not import pandas."""
    data = text.encode("utf-8", "surrogatepass")
    offsets = np.array([0, len(data)], np.int32)
    return pa.StringArray.from_buffers(1, pa.py_buffer(offsets), pa.py_buffer(data))


def number_array(values: pa.Array, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return numbers without nulls; unlike `Array.to_numpy`, this does not import pandas."""
    item_size = np.dtype(dtype).itemsize
    buffer = values.buffers()[1]
    if buffer is None:
        return np.empty(0, dtype)
    return np.frombuffer(buffer, dtype, len(values), values.offset * item_size)


def utf8_arrays(texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return the offsets (one more than the texts) and the UTF-8 bytes of texts without nulls."""
    texts = texts.cast(pa.large_string())
    _, offset_buffer, data_buffer = texts.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64)[texts.offset :][: len(texts) + 1]
    if not len(texts) or data_buffer is None:
        return np.zeros(len(texts) + 1, np.int64), np.empty(0, np.uint8)
    data = np.frombuffer(data_buffer, np.uint8)[offsets[0] : offsets[-1]]
    return offsets - offsets[0], data


def hash_texts(texts: pa.Array) -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of each text; it is the same on every machine.

    It is a polynomial in the bytes, mixed. Texts of one hash are told apart by their users.
    """
    offsets, data = utf8_arrays(texts)
    lengths = np.diff(offsets)
    hashes = lengths.astype(np.uint64)
    is_filled = lengths > 0
    if len(data):
        places = np.arange(len(data)) - np.repeat(offsets[:-1], lengths)
        powers = np.cumprod(np.full(int(lengths.max()), _MULTIPLIER), dtype=np.uint64)
        terms = (data.astype(np.uint64) + np.uint64(1)) * powers[places]
        hashes[is_filled] += np.add.reduceat(terms, offsets[:-1][is_filled])
    for shift, mixer in zip((30, 27), _MIXERS, strict=True):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * mixer
    mixed: npt.NDArray[np.uint64] = hashes ^ (hashes >> np.uint64(31))
    return mixed
