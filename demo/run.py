"""`make demo`: start the demo web, crawl it, and write the weekly report, with the commands that a person would type."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent / "demo-run"
WEEKS = [f"2026-W{number:02d}" for number in range(7, 11)]


def folate(*arguments: str) -> str:
    """Run one command, its bars and notes going to the terminal; returns what it prints. Stops when it fails."""
    sys.stderr.write(f"\n$ folate {' '.join(arguments)}\n")
    done = subprocess.run([sys.executable, "-m", "folate.cli", *arguments, "--project", str(PROJECT)], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"demo: 'folate {arguments[0]}' ended with exit code {done.returncode}")
    return done.stdout


def start_web(folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    """The server and its address. Raises SystemExit when it does not come up within twenty seconds."""
    port = folder / "port"
    server = subprocess.Popen([sys.executable, "-m", "demo.serve", "--port", "0", "--port-file", str(port)], stdout=subprocess.DEVNULL)
    for _ in range(200):
        if port.exists() and port.read_text().strip():
            return server, f"http://127.0.0.1:{port.read_text().strip()}"
        time.sleep(0.1)
    server.terminate()
    raise SystemExit("demo: the demo web did not start within 20 seconds")


def make_project(url: str) -> None:
    """A new project that knows the address of the demo web; an earlier demo's is removed."""
    shutil.rmtree(PROJECT, ignore_errors=True)
    PROJECT.mkdir()
    (PROJECT / "folate.toml").write_text((HERE / "folate.toml.in").read_text(encoding="utf-8").replace("{url}", url), encoding="utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server, url = start_web(Path(folder))
        try:
            sys.stderr.write(f"the demo web is at {url}\n")
            make_project(url)
            sys.stdout.write(folate("crawl"))
        finally:
            server.terminate()
            server.wait()
    folate("annotate")
    for week in WEEKS:
        sys.stdout.write(f"\nEmerging in {week}\n{folate('topics', '--week', week)}")
    for language in ("zh", "en"):
        sys.stdout.write(folate("report", "--week", WEEKS[-1], "--language", language, "-o", str(PROJECT / "reports" / language)))


if __name__ == "__main__":
    main()
