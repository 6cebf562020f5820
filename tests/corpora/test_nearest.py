"""The nearest vectors equal those of a comparison with every vector."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.index.vector_parts import BLOCK, VectorPart, encode_part
from corpora.search import nearest
from corpora.search.nearest import nearest_in_parts, nearest_rows


def unit_vectors(count: int, dimension: int, seed: int, spread: float = 0.7) -> np.ndarray:
    """Random vectors whose directions matter ever less, as those of sentences do."""
    generator = np.random.default_rng(seed)
    weights = spread ** np.arange(dimension) + 0.02
    vectors = generator.standard_normal((count, dimension)) * weights + weights
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def make_part(vectors: np.ndarray) -> VectorPart:
    return VectorPart(encode_part(np.arange(len(vectors), dtype=np.uint64), vectors))


def allow(part: VectorPart, rows: np.ndarray) -> np.ndarray:
    allowed = np.zeros(len(part.head_codes) * BLOCK, bool)
    allowed[rows] = True
    return allowed


def compare_with_all(vectors: np.ndarray, rows: np.ndarray, question: np.ndarray) -> np.ndarray:
    """The similarities of rows, falling."""
    return np.sort(vectors[rows].astype(np.float64) @ question.astype(np.float64))[::-1]


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(1, 5_000),
    dimension=st.sampled_from([1, 3, 32, 40, 200, 230]),
    top=st.integers(1, 30),
    spread=st.sampled_from([0.5, 0.95, 1.0]),
    share=st.floats(0, 1),
    seed=st.integers(0, 1_000),
)
def test_the_nearest_rows_are_those_of_a_full_comparison(
    count: int, dimension: int, top: int, spread: float, share: float, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    vectors = unit_vectors(count, dimension, seed, spread)
    rows = np.flatnonzero(generator.random(count) <= share)
    part = make_part(vectors)
    question = unit_vectors(1, dimension, seed + 1, spread)[0].astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "MAX_ROWS_WITHOUT_BOUNDS", 50)
        found = nearest_rows(part, allow(part, rows), question, top)
    assert set(found.rows.tolist()) <= set(rows.tolist())
    assert len(found.rows) == min(top, len(rows))
    expected = compare_with_all(vectors, rows, question)[:top]
    np.testing.assert_allclose(found.similarities, expected, atol=1e-6)


def test_equal_vectors_are_all_found_in_the_order_of_their_rows() -> None:
    vectors = np.repeat(unit_vectors(3, 64, 1), 1_000, axis=0)
    part = make_part(vectors)
    found = nearest_rows(
        part, allow(part, np.arange(3_000)), vectors[1_500].astype(np.float32), 1_005
    )
    assert found.rows[:1_000].tolist() == list(range(1_000, 2_000))
    assert found.rows[1_000:].tolist() in ([*range(5)], [*range(2_000, 2_005)])


def test_the_nearest_rows_of_several_parts_are_those_of_all_together() -> None:
    vectors = unit_vectors(9_000, 100, 5)
    parts = [
        make_part(vectors[:4_000]),
        make_part(vectors[4_000:4_010]),
        make_part(vectors[4_010:]),
    ]
    question = unit_vectors(1, 100, 6)[0].astype(np.float32)
    allowed = [allow(part, np.arange(part.row_count)) for part in parts]
    found = nearest_in_parts(parts, allowed, question, 20)
    similarities = np.sort(np.concatenate([part.similarities for part in found]))[::-1][:20]
    expected = compare_with_all(vectors, np.arange(9_000), question)[:20]
    np.testing.assert_allclose(similarities, expected, atol=1e-6)


def test_most_rows_are_never_compared_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit_vectors(20_000, 384, 2)
    part = make_part(vectors)
    compared = []
    exact = nearest._exact_similarities

    def count_rows(part: VectorPart, rows: np.ndarray, question: np.ndarray) -> np.ndarray:
        compared.append(len(rows))
        return exact(part, rows, question)

    monkeypatch.setattr(nearest, "_exact_similarities", count_rows)
    question = unit_vectors(1, 384, 3)[0].astype(np.float32)
    nearest_rows(part, allow(part, np.arange(20_000)), question, 20)
    assert sum(compared) < 5_000
