"""`make demo`: start the demo web, crawl it, and write the weekly report, with the commands that a person would type."""

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
    """Run one command, its bars and notes going to the terminal; returns what it prints. Stops when it fails."""
    sys.stderr.write(f"\n$ folate {' '.join(arguments)}\n")
    done = subprocess.run(
        [sys.executable, "-m", "folate.cli", *arguments, "--project", str(PROJECT_FOLDER)],
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"demo: 'folate {arguments[0]}' ended with exit code {done.returncode}")
    return done.stdout


def start_web(folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    """The server and its address. Raises SystemExit when it does not come up within twenty seconds."""
    port = folder / "port"
    command = [
        sys.executable,
        "-m",
        "demo.serve",
        "--port",
        "0",
        "--port-file",
        str(port),
        "--truth",
        str(folder / "truth.jsonl"),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    for _ in range(200):
        if port.exists() and port.read_text().strip():
            return server, f"http://127.0.0.1:{port.read_text().strip()}"
        time.sleep(0.1)
    server.terminate()
    raise SystemExit("demo: the demo web did not start within 20 seconds")


def make_project(url: str) -> None:
    """A new project that knows the address of the demo web; an earlier demo's is removed."""
    shutil.rmtree(PROJECT_FOLDER, ignore_errors=True)
    PROJECT_FOLDER.mkdir()
    (PROJECT_FOLDER / "folate.toml").write_text(
        (DEMO_FOLDER / "folate.toml.in").read_text(encoding="utf-8").replace("{url}", url),
        encoding="utf-8",
    )


def read_opinions(truth: Path) -> dict[str, dict[str, str]]:
    """What each text of the demo web says of each brand, by its letters and digits."""
    with truth.open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return {
        text_key(f"{record['title'] or ''}{record['text']}"): record["opinions"]
        for record in records
    }


def text_key(text: str) -> str:
    """The letters and digits of a text: what its page and its record have in common."""
    return "".join(character for character in text if character.isalnum())


def audit_brand(brand: str, opinions: dict[str, dict[str, str]]) -> None:
    """Judge 50 texts of a brand, as a person would in a spreadsheet: here by what the demo web knows of its posts."""
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
    with tempfile.TemporaryDirectory() as folder:
        server, url = start_web(Path(folder))
        said = read_opinions(Path(folder) / "truth.jsonl")
        try:
            sys.stderr.write(f"the demo web is at {url}\n")
            make_project(url)
            sys.stdout.write(run_folate("crawl"))
        finally:
            server.terminate()
            server.wait()
    run_folate("annotate")
    for brand in BRANDS:
        audit_brand(brand, said)
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
