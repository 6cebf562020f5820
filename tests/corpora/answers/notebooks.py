"""Running notebooks without Jupyter, and writing what their cells show into them.

python -m tests.corpora.answers.notebooks runs those of docs/notebooks and stores their outputs.
"""

import ast
import json
import os
import sys
import tempfile
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from demo.corpus import make_corpus

FOLDER = Path(__file__).parents[3] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CORPUS_NAME = "demo-corpus"
"""The folder that the first cell of a notebook makes."""

Cell = dict[str, Any]


def run_notebook(path: Path, folder: Path) -> dict[str, Any]:
    """Run the cells of a notebook in `folder`, and return it with the outputs of now."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    number = 0
    paths = list(sys.path)
    with chdir(folder):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                number += 1
                cell["execution_count"] = number
                cell["outputs"] = _run_cell(cell, names, number)
    sys.path[:] = paths
    return notebook


def to_text(notebook: dict[str, Any]) -> str:
    """Return the text of the file of a notebook."""
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def _run_cell(cell: Cell, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = StringIO()
    value = None
    with redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)  # noqa: S102
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        text = printed.getvalue().splitlines(keepends=True)
        outputs.append({"name": "stdout", "output_type": "stream", "text": text})
    if value is not None:
        outputs.append(_shown(value, number))
    return outputs


def _shown(value: Any, number: int) -> dict[str, Any]:
    """Return what a notebook shows of the value of a cell."""
    data = {}
    if hasattr(value, "_repr_svg_"):
        data["image/svg+xml"] = value._repr_svg_().splitlines(keepends=True)
        data["text/plain"] = ["a picture"]
    else:
        if hasattr(value, "_repr_html_"):
            data["text/html"] = value._repr_html_().splitlines(keepends=True)
        text = str(value) if "text/html" in data else repr(value)
        data["text/plain"] = text.splitlines(keepends=True)
    return {
        "data": data,
        "execution_count": number,
        "metadata": {},
        "output_type": "execute_result",
    }


def main() -> None:
    """Store the outputs of all notebooks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_corpus(folder / CORPUS_NAME)
        for path in NOTEBOOKS:
            path.write_text(to_text(run_notebook(path, folder)), encoding="utf-8")
            sys.stdout.write(f"{os.path.relpath(path)}\n")


if __name__ == "__main__":
    main()
