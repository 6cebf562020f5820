"""The corpus of the tests of answers."""

from pathlib import Path

import pytest

from corpora.corpus import Corpus
from tests.corpora.answers.answers_project import make_project


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project with the invented corpus."""
    return make_project(tmp_path_factory.mktemp("answers") / "project").root


@pytest.fixture(scope="session")
def corpus(corpus_folder: Path) -> Corpus:
    """The invented corpus."""
    return Corpus.open(corpus_folder)
