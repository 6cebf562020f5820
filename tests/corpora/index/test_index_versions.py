import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.index.versions import INDEXED_TABLES, parse_version_name, version_name
from corpora.store.schema import TABLES
from folate.core.errors import NotFound

VERSIONS = st.dictionaries(st.sampled_from(INDEXED_TABLES), st.integers(0, 10**18 - 1))


@settings(deadline=None)
@given(VERSIONS)
def test_a_name_gives_back_the_versions(versions: dict[str, int]) -> None:
    assert parse_version_name(version_name(versions)) == versions


def test_a_missing_table_is_a_dash_and_other_tables_are_left_out() -> None:
    name = version_name({"posts": 12, "word_tags": 0, "evidence": 4})
    assert name == "v12.-.0.-.-.-.-.-.-.-.-.-.-.-"


def test_every_table_of_a_name_is_a_table_of_the_store() -> None:
    assert set(INDEXED_TABLES) <= TABLES.keys()
    assert len(set(INDEXED_TABLES)) == len(INDEXED_TABLES)


@pytest.mark.parametrize("name", ["", "v", "12", "v1.2", "v1" + ".x" * 13, "v1" + ".2" * 14, "v٣"])
def test_a_name_of_no_version_is_refused(name: str) -> None:
    with pytest.raises(NotFound, match="wanted a version such as"):
        parse_version_name(name)
