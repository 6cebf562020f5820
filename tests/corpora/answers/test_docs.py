"""What docs/corpus.md and the notebooks show is what the code does."""

import json
import re
import shlex
from pathlib import Path

import pytest

from demo.corpus import make_corpus
from folate.cli import run_command
from tests.corpora.answers.notebooks import CORPUS_NAME, NOTEBOOKS, run_notebook, to_text

PAGE = Path(__file__).parents[3] / "docs" / "corpus.md"
_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of the page in a language."""
    found = _FENCED.findall(PAGE.read_text(encoding="utf-8"))
    return [text for name, text in found if name == language]


def commands() -> list[str]:
    """Return every command of the page."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("folate ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's corpus."""
    folder = tmp_path_factory.mktemp("docs")
    make_corpus(folder / CORPUS_NAME)
    return folder


def test_the_page_has_commands_and_python() -> None:
    assert len(commands()) > 10
    assert blocks("python")


def test_every_command_of_the_page_works(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder / CORPUS_NAME)
    assert run_command(["count", "叶酸", "--format", "json"]) == 0
    version = json.loads(capsys.readouterr().out)[0]["version"]
    for command in commands():
        without_file = command.partition(" > ")[0]
        _, *arguments = shlex.split(without_file.replace("VERSION", version))
        assert run_command(arguments) == 0, command
        captured = capsys.readouterr()
        assert captured.out, command


def test_the_python_of_the_page_works(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_outputs_of_a_notebook_are_those_of_its_cells(path: Path, folder: Path) -> None:
    assert to_text(run_notebook(path, folder)) == path.read_text(encoding="utf-8")
