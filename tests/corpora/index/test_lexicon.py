"""Words keep their numbers, in memory and in files."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.index import lexicon as lexicon_module
from corpora.index.lexicon import Lexicon
from corpora.index.sorting import COMPILED_FROM, stable_order

WORDS = st.lists(st.text(max_size=4), max_size=20)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_numbers_are_given_in_order_and_kept(first: list[str], second: list[str]) -> None:
    lexicon = Lexicon(first)
    numbers = lexicon.add(second)
    words = list(dict.fromkeys([*first, *second]))
    assert len(lexicon) == len(words)
    assert lexicon.strings(np.arange(len(words))) == words
    assert numbers.tolist() == [words.index(word) for word in second]
    assert [lexicon.id(word) for word in words] == list(range(len(words)))
    assert lexicon.id("not there") == -1


def test_words_of_several_files_follow_each_other(tmp_path: Path) -> None:
    lexicon = Lexicon(["", "叶酸", "folic"])
    lexicon.save(tmp_path / "1")
    loaded = Lexicon.load(tmp_path / "1")
    assert loaded.add(["片", "folic", "片"]).tolist() == [3, 2, 3]
    assert loaded.new_word_count == 1
    loaded.save_new_words(tmp_path / "2")
    again = Lexicon.load(tmp_path / "1", tmp_path / "2")
    assert again.strings(np.array([3, 0, 1])) == ["片", "", "叶酸"]
    assert [again.id(word) for word in ("片", "folic", "", "x")] == [3, 2, 0, -1]
    assert again.matching("f.*|片").tolist() == [False, False, True, True]


def test_words_of_one_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        lexicon_module, "hash_texts", lambda words: np.full(len(words), 7, np.uint64)
    )
    Lexicon(["a", "b", "c"]).save(tmp_path / "1")
    loaded = Lexicon.load(tmp_path / "1")
    assert [loaded.id(word) for word in "abcd"] == [0, 1, 2, -1]
    assert loaded.add(["d", "b"]).tolist() == [3, 1]


def test_a_wrong_expression_is_refused() -> None:
    with pytest.raises(pa.ArrowInvalid):
        Lexicon(["a"]).matching("(")


def test_compiled_sorting_sorts_as_numpy_does() -> None:
    generator = np.random.default_rng(3)
    first = generator.integers(0, 50, COMPILED_FROM).astype(np.uint32)
    second = generator.integers(0, 1000, COMPILED_FROM).astype(np.uint32)
    assert np.array_equal(stable_order(second, first), np.lexsort((second, first)))
