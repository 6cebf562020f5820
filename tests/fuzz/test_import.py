"""The import of a damaged file ends with one sentence or with its rows.

It never ends with a traceback, never hangs, and never exhausts the memory.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

IMPORTER = Path(__file__).with_name("importer.py")
# An import of a damaged small file needs some 300 MB.
MAX_MEGABYTES = 1500
# A chunk takes some 20 seconds on an idle machine.
MAX_SECONDS = 1200


def import_cases(first: int, last: int) -> list[dict[str, Any]]:
    """Import the cases of these seeds in a process that may be killed without ending the tests."""
    root = str(IMPORTER.parents[2])
    process = subprocess.run(
        [sys.executable, str(IMPORTER), str(first), str(last)],
        capture_output=True,
        text=True,
        timeout=MAX_SECONDS,
        check=False,
        env=os.environ | {"PYTHONPATH": root},
    )
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    assert process.returncode == 0, (
        f"ended with {process.returncode} after {lines[-1:]}: {process.stderr[-2000:]}"
    )
    return lines


def check_cases(first: int, last: int) -> None:
    *cases, memory = import_cases(first, last)
    assert len(cases) == last - first
    assert [case for case in cases if case["fault"]] == []
    assert memory["peak"] < MAX_MEGABYTES


def test_damaged_files_end_in_a_sentence_or_in_their_rows():
    check_cases(0, 200)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 11_000, 500))
def test_many_damaged_files_end_in_a_sentence_or_in_their_rows(first: int):
    check_cases(first, first + 500)
