"""Prints the HTML page of a report to PDF with a headless Chromium."""

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
# Where browsers are installed that are not in PATH.
BROWSER_PATHS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
TIMEOUT_SECONDS = 120.0  # a page takes two seconds on an idle machine


class PrintError(FolateError):
    """The browser did not print the page."""


def find_browser() -> str:
    """Return the path of a Chromium, Chrome or Edge.

    Raises MissingExtra, which says how to install one.
    """
    for name in BROWSER_NAMES:
        path = shutil.which(name)
        if path:
            return path
    for path in BROWSER_PATHS:
        if Path(path).exists():
            return path
    raise MissingExtra(
        "a PDF is printed by Chromium, Chrome or Edge, and none is installed: "
        "'apt install chromium', 'brew install --cask chromium' "
        "or https://www.chromium.org gives one; any browser can also print the HTML."
    )


def print_page(page: Path, target: Path) -> None:
    """Print the HTML file `page` to the PDF file `target`, without access to the network.

    Raises MissingExtra without a browser, PrintError if it fails.
    """
    browser = find_browser()
    with tempfile.TemporaryDirectory(prefix="folate-") as folder:
        output = Path(folder) / "page.pdf"
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            f"--user-data-dir={folder}/profile",
            "--no-first-run",
            "--disable-extensions",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--no-pdf-header-footer",
            f"--print-to-pdf={output}",
            *_sandbox_options(),
            page.resolve().as_uri(),
        ]
        try:
            process = subprocess.run(  # noqa: S603  # options and paths of our own
                command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise PrintError(
                f"{browser} did not print {page} within {TIMEOUT_SECONDS:.0f} seconds."
            ) from error
        if process.returncode or not output.exists():
            raise PrintError(f"{browser} did not print {page}: {_failure_reason(process)}.")
        write_atomically(target, output.read_bytes())


def _failure_reason(process: subprocess.CompletedProcess[bytes]) -> str:
    """Return the last line of the browser's error output, or else its exit code."""
    error_lines = process.stderr.decode("utf-8", "replace").strip().splitlines()
    return error_lines[-1] if error_lines else f"exit code {process.returncode}"


def _sandbox_options() -> list[str]:
    """Return the option that turns the sandbox off for root, for whom Chromium refuses it.

    Containers run as root, and the page allows no scripts.
    """
    is_root = sys.platform != "win32" and os.geteuid() == 0
    return ["--no-sandbox"] if is_root else []
