"""`make demo`: crawl the demo web and write the weekly report, with the usual commands."""

import csv
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DEMO_FOLDER = Path(__file__).parent
PROJECT_FOLDER = DEMO_FOLDER.parent / "demo-run"
WEEKS = [f"2026-W{number:02d}" for number in range(7, 11)]
BRANDS = ("morngrain", "warmfield", "tianduo")
AUDIT_LABELS = {"negative": "n", "neutral": "0", "positive": "p", None: "0"}


def run_folate(*arguments: str) -> str:
    """Run one command of Folate and return its output. Raises SystemExit when it fails."""
    sys.stderr.write(f"\n$ folate {' '.join(arguments)}\n")
    process = subprocess.run(
        [sys.executable, "-m", "folate.cli", *arguments, "--project", str(PROJECT_FOLDER)],
        stdout=subprocess.PIPE,
        text=True,
    )
    if process.returncode:
        raise SystemExit(f"demo: 'folate {arguments[0]}' ended with exit code {process.returncode}")
    return process.stdout


def start_web(folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    """Start the demo web; return its process and address. Raises SystemExit after 20 seconds."""
    port_file = folder / "port"
    command = [
        sys.executable,
        "-m",
        "demo.serve",
        "--port",
        "0",
        "--port-file",
        str(port_file),
        "--truth",
        str(folder / "truth.jsonl"),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    for _ in range(200):
        if port_file.exists() and port_file.read_text().strip():
            return server, f"http://127.0.0.1:{port_file.read_text().strip()}"
        time.sleep(0.1)
    server.terminate()
    raise SystemExit("demo: the demo web did not start within 20 seconds")


def make_project(url: str) -> None:
    """Make a new project with the address of the demo web; remove that of an earlier demo."""
    shutil.rmtree(PROJECT_FOLDER, ignore_errors=True)
    PROJECT_FOLDER.mkdir()
    template = (DEMO_FOLDER / "folate.toml.in").read_text(encoding="utf-8")
    (PROJECT_FOLDER / "folate.toml").write_text(template.replace("{url}", url), encoding="utf-8")


def read_opinions(truth: Path) -> dict[str, dict[str, str]]:
    """Return the sentiment of each text about each brand, by the text's `text_key`."""
    with truth.open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return {
        text_key(f"{record['title'] or ''}{record['text']}"): record["opinions"]
        for record in records
    }


def text_key(text: str) -> str:
    """Return the letters and digits of a text, which its page and its record have in common."""
    return "".join(character for character in text if character.isalnum())


def audit_brand(brand: str, opinions: dict[str, dict[str, str]]) -> None:
    """Label the audit sheet of a brand with the true sentiments of the demo web."""
    sheet = PROJECT_FOLDER / f"audit-{brand}.csv"
    sys.stdout.write(
        run_folate(
            "audit", "--brand", brand, "--week", WEEKS[-1], "--weeks", "4", "--export", str(sheet)
        )
    )
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["label"] = AUDIT_LABELS[opinions.get(text_key(row["text"]), {}).get(brand)]
    with sheet.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    sys.stdout.write(run_folate("audit", "--import", str(sheet)))


def main() -> None:
    """Run the demo."""
    with tempfile.TemporaryDirectory() as folder:
        server, url = start_web(Path(folder))
        opinions = read_opinions(Path(folder) / "truth.jsonl")
        try:
            sys.stderr.write(f"the demo web is at {url}\n")
            make_project(url)
            sys.stdout.write(run_folate("crawl"))
        finally:
            server.terminate()
            server.wait()
    run_folate("annotate")
    for brand in BRANDS:
        audit_brand(brand, opinions)
    for week in WEEKS:
        sys.stdout.write(f"\nEmerging in {week}\n{run_folate('topics', '--week', week)}")
    for language in ("zh", "en"):
        sys.stdout.write(
            run_folate(
                "report",
                "--week",
                WEEKS[-1],
                "--language",
                language,
                "-o",
                str(PROJECT_FOLDER / "reports" / language),
            )
        )


if __name__ == "__main__":
    main()
