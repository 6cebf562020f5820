"""A cell that holds nothing but markup is no text."""

from pathlib import Path

import pytest

from corpora.files import ImportOptions, Reject, read_post_file


@pytest.mark.parametrize("cell", ["<br />", "<p></p>", "&nbsp;", "<b>&nbsp;</b>", "<u></u>"])
def test_a_cell_of_markup_alone_is_no_text(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        f"text,published_at\n{cell},2026-03-02\n晨谷好喝,2026-03-02\n", encoding="utf-8"
    )
    first, second = read_post_file(path, ImportOptions(source="s"))
    assert isinstance(first, Reject)
    assert first.reason == "no text"
    assert not isinstance(second, Reject)
