"""Sentence vectors in memory-mapped arrays, with short codes that bound every similarity.

A part holds vectors and, of each, what it is along the directions in which the vectors of the part
vary most (principal components, the strongest first), rounded to 8 bits: the *head* in the first
HEAD_DIMENSIONS, the *middle* in the next. What is left in the remaining directions is known by its
length. By Cauchy and Schwarz no similarity is more than head · head + middle · middle + the product
of these lengths, so a search computes exactly only what may still be among the nearest
(`corpora.search.nearest`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.index.build import WrittenFile, write_array

BLOCK = 1024
"""Rows of a block of head codes, whose values of one dimension are side by side."""
HEAD_DIMENSIONS = 32
MIDDLE_DIMENSIONS = 160

PART_ARRAYS: dict[str, str] = {
    # of each text: its key, its vector (zero where it has none), and whether it has one
    "keys": "uint64",
    "vectors": "float16",
    "has_vector": "bool",
    # columns: the directions of head and middle; the value of one step of a code along each
    "directions": "float32",
    "steps": "float32",
    # (blocks, dimensions, BLOCK) and (rows, dimensions); rows are filled up to whole blocks
    "head_codes": "int8",
    "middle_codes": "int8",
    # of each row: the length of what is behind the head, and of what is behind the middle
    "head_rests": "float32",
    "middle_rests": "float32",
    # the greatest length of what rounding took from a head, and from a middle
    "rounding": "float32",
}
_SAMPLED_ROWS = 20_000
_ROWS_AT_ONCE = 16 * BLOCK
_GREATEST_CODE = 127

Arrays = Mapping[str, npt.NDArray[Any]]
Float16Rows = npt.NDArray[np.float16]
FloatRows = npt.NDArray[np.float32]


class VectorPart:
    """Vectors of distinct texts, and their codes."""

    def __init__(self, arrays: Arrays) -> None:
        self.keys: npt.NDArray[np.uint64] = arrays["keys"]
        self.vectors: Float16Rows = arrays["vectors"]
        self.has_vector: npt.NDArray[np.bool_] = arrays["has_vector"]
        self.directions: FloatRows = arrays["directions"]
        self.steps: FloatRows = arrays["steps"]
        self.head_codes: npt.NDArray[np.int8] = arrays["head_codes"]
        self.middle_codes: npt.NDArray[np.int8] = arrays["middle_codes"]
        self.head_rests: FloatRows = arrays["head_rests"]
        self.middle_rests: FloatRows = arrays["middle_rests"]
        self.rounding: FloatRows = arrays["rounding"]

    @classmethod
    def load(cls, folder: Path) -> "VectorPart":
        """Map the arrays that `write_part` wrote into memory. Raises OSError."""
        return cls({name: load_array(folder / f"{name}.npy") for name in PART_ARRAYS})

    @property
    def row_count(self) -> int:
        """The number of texts."""
        return len(self.keys)


def load_array(path: Path) -> npt.NDArray[Any]:
    """Map an array into memory. Raises OSError."""
    array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array.view(np.ndarray)


def write_part(folder: Path, arrays: Arrays) -> dict[str, WrittenFile]:
    """Write the arrays of a part into an empty folder. Raises OSError."""
    return {
        f"{name}.npy": write_array(
            folder / f"{name}.npy", np.ascontiguousarray(arrays[name], dtype)
        )
        for name, dtype in PART_ARRAYS.items()
    }


def encode_part(keys: npt.NDArray[np.uint64], vectors: Float16Rows) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a part with these vectors of unit length; zero stands for none."""
    head_size, middle_size = _code_sizes(vectors.shape[1])
    directions = _principal_directions(vectors)[:, : head_size + middle_size]
    steps = _code_steps(vectors, directions)
    block_count = -(-len(vectors) // BLOCK)
    padded_count = block_count * BLOCK
    head_codes = np.zeros((block_count, head_size, BLOCK), np.int8)
    middle_codes = np.zeros((padded_count, middle_size), np.int8)
    rests = np.zeros((2, padded_count), np.float32)
    rounding = np.zeros(2, np.float32)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = slice(start, min(start + _ROWS_AT_ONCE, len(vectors)))
        exact = vectors[rows].astype(np.float32)
        values = exact @ directions
        codes = np.rint(values / steps)
        errors = values - codes * steps
        padded = np.zeros((-(-len(exact) // BLOCK) * BLOCK, head_size), np.int8)
        padded[: len(exact)] = codes[:, :head_size]
        blocks = padded.reshape(-1, BLOCK, head_size).transpose(0, 2, 1)
        head_codes[start // BLOCK :][: len(blocks)] = blocks
        middle_codes[rows] = codes[:, head_size:]
        squares = _row_squares(exact)
        for depth, part in enumerate((slice(None, head_size), slice(head_size, None))):
            squares = squares - _row_squares(values[:, part])
            rests[depth, rows] = np.sqrt(np.maximum(squares, 0))
            error = float(np.sqrt(_row_squares(errors[:, part]).max(initial=0)))
            rounding[depth] = max(float(rounding[depth]), error)
    return {
        "keys": keys,
        "vectors": vectors,
        "has_vector": vectors.any(1),
        "directions": directions,
        "steps": steps,
        "head_codes": head_codes,
        "middle_codes": middle_codes,
        "head_rests": rests[0],
        "middle_rests": rests[1],
        "rounding": rounding,
    }


def _code_sizes(dimension: int) -> tuple[int, int]:
    head_size = min(HEAD_DIMENSIONS, dimension)
    return head_size, min(MIDDLE_DIMENSIONS, dimension - head_size)


def _principal_directions(vectors: Float16Rows) -> FloatRows:
    """Return an orthogonal matrix whose columns are directions, the strongest first."""
    step = max(len(vectors) // _SAMPLED_ROWS, 1)
    sample = vectors[::step].astype(np.float64)
    _, directions = np.linalg.eigh(sample.T @ sample)
    return np.ascontiguousarray(directions[:, ::-1], np.float32)


def _code_steps(vectors: Float16Rows, directions: FloatRows) -> FloatRows:
    """Return the step of each direction with which no code exceeds 8 bits."""
    greatest = np.zeros(directions.shape[1], np.float32)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        values = vectors[start : start + _ROWS_AT_ONCE].astype(np.float32) @ directions
        greatest = np.maximum(greatest, np.abs(values).max(0))
    return np.maximum(greatest / _GREATEST_CODE, np.float32(1e-12))


def _row_squares(rows: FloatRows) -> FloatRows:
    squares: FloatRows = np.einsum("ij,ij->i", rows, rows)
    return squares
