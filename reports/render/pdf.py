"""A report as PDF, printed by a headless Chromium from the page that stands alone."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from folate.core.errors import FolateError, MissingExtra
from folate.core.files import write_atomically

BROWSER_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
)
ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge", "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)  # fmt: skip
TIMEOUT = 120.0  # seconds; a page takes two on an idle machine


class PrintError(FolateError):
    """The browser did not print the page."""


def find_browser() -> str:
    """The path of a Chromium. Raises MissingExtra with how to get one."""
    found = next(filter(None, map(shutil.which, BROWSER_NAMES)), None) or next(
        (path for path in ELSEWHERE if Path(path).exists()), None
    )
    if found is None:
        raise MissingExtra(
            "a PDF is printed by Chromium, Chrome or Edge, and none is installed: 'apt install chromium', 'brew install --cask chromium' "
            "or https://www.chromium.org gives one; any browser can also print the HTML."
        )
    return found


def print_page(page: Path, target: Path) -> None:
    """Print the HTML file `page` to the PDF `target`, offline; the page itself allows no script. Raises MissingExtra, PrintError."""
    program = find_browser()
    with tempfile.TemporaryDirectory(prefix="folate-") as folder:
        made = Path(folder) / "page.pdf"
        command = [
            program, "--headless", "--disable-gpu", f"--user-data-dir={folder}/profile", "--no-first-run", "--disable-extensions",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer",
            f"--print-to-pdf={made}", *_as_root(), page.resolve().as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)  # noqa: S603  # our own words and paths
        except subprocess.TimeoutExpired as error:
            raise PrintError(
                f"{program} did not print {page} within {TIMEOUT:.0f} seconds."
            ) from error
        if done.returncode or not made.exists():
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise PrintError(
                f"{program} did not print {page}: {said[-1] if said else f'exit code {done.returncode}'}."
            )
        write_atomically(target, made.read_bytes())


def _as_root() -> list[str]:
    """Chromium refuses its sandbox to root, as which containers run; the page has no script to lock in."""
    return ["--no-sandbox"] if sys.platform != "win32" and os.geteuid() == 0 else []
