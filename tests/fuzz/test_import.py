"""A damaged file ends in one sentence or in its rows: never in a traceback, without end, or with more memory than a machine has."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

IMPORTER = Path(__file__).with_name("importer.py")
MEMORY = 1500  # MB; an import of a damaged small file needs some 300
TIMEOUT = 1200  # seconds; a chunk takes some 20 on a machine that does nothing else


def outcomes(first: int, last: int) -> list[dict[str, Any]]:
    """What became of the cases of these seeds, in a process whose end by a signal does not end the tests."""
    root = str(IMPORTER.parents[2])
    done = subprocess.run(
        [sys.executable, str(IMPORTER), str(first), str(last)],
        capture_output=True, text=True, timeout=TIMEOUT, check=False, env=os.environ | {"PYTHONPATH": root},
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (
        f"ended with {done.returncode} after {lines[-1:]}: {done.stderr[-2000:]}"
    )
    return lines


def check(first: int, last: int) -> None:
    *cases, memory = outcomes(first, last)
    assert len(cases) == last - first
    assert [case for case in cases if case["fault"]] == []
    assert memory["peak"] < MEMORY


def test_damaged_files_end_in_a_sentence_or_in_their_rows():
    check(0, 200)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 11_000, 500))
def test_many_damaged_files_end_in_a_sentence_or_in_their_rows(first: int):
    check(first, first + 500)
