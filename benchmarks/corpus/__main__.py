"""Time questions to a corpus beside other engines: `make bench-corpus`.

Makes a project of posts of about 24 words (pieces of the texts of --texts, or words of jieba's
dictionary), annotates it without a model, builds the index and asks Folate and each peer the same
questions about the same words, in one run. Prints milliseconds (the median), and for each peer how
many times Folate's it takes. The machine is noisy: ratios hold, times are rough.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.corpus.peers import PEERS, Stopwatch, Times
from benchmarks.corpus.posts import make_posts, read_texts
from benchmarks.corpus.project import create_project
from benchmarks.corpus.questions import choose_words, time_index, time_questions, write_words
from corpora import Corpus

# Task -> most milliseconds, for 1,000,000 posts.
TARGETS = {
    "rare word": 5,
    "rare string": 5,
    "phrase": 5,
    "concordance": 50,
    "concordance, sorted": 80,
    "collocates": 50,
    "trend by week": 50,
    "keyness": 1_000,
    "count by week and brand": 200,
    "open in a new process": 1_000,
    "new posts found": 1_000,
}
# What peers call a task that Folate has under another name.
_SAME_TASK = {"open in a new process": "open", "concordance": "concordance, sorted"}


def main() -> None:
    """Run the benchmark."""
    options = _parse_arguments()
    folder = options.work / f"posts-{options.posts}"
    watch = Stopwatch()
    if not folder.exists():
        posts = make_posts(options.posts, read_texts(options.texts))
        watch.measure("import and annotate", lambda: create_project(folder, posts))
    time_index(folder, watch)
    corpus = Corpus.open(folder)
    tasks = choose_words(corpus)
    time_questions(corpus, tasks, watch)
    times = {"folate": watch.times}
    words_file = options.work / "words.parquet"
    tasks_file = options.work / "tasks.json"
    tasks_file.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    if options.peers:
        write_words(corpus, words_file)
    for peer in filter(None, options.peers.split(",")):
        command = [options.peer_python, "-m", "benchmarks.corpus.peers", peer]
        output = subprocess.run(  # noqa: S603
            [*command, str(words_file), str(tasks_file)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        times[peer] = json.loads(output.splitlines()[-1])
    _print_times(times)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(times, indent=1), encoding="utf-8")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--texts", type=Path, nargs="*", default=[], help="CSV or TSV files")
    parser.add_argument("--work", type=Path, default=Path("runs/bench-corpus"))
    parser.add_argument(
        "--peers", default=",".join(PEERS), help="separated by commas; may be empty"
    )
    parser.add_argument("--peer-python", default=sys.executable, help="has the peers installed")
    parser.add_argument("--json", type=Path, help="also write all times to this file")
    return parser.parse_args()


def _print_times(times: dict[str, Times]) -> None:
    own = times["folate"]
    lines = [f"{'':28}{'target':>9}{'folate':>9}" + "".join(f"{name:>18}" for name in times)[18:]]
    for task, entry in own.items():
        milliseconds = statistics.median(entry["seconds"]) * 1_000
        target = f"{TARGETS[task]:,}" if task in TARGETS else ""
        line = f"{task:28}{target:>9}{milliseconds:>9,.1f}"
        for name, peer_times in times.items():
            if name != "folate":
                line += _peer_cell(peer_times, task, milliseconds)
        lines.append(line)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines.append(f"milliseconds (median), peers also as multiples of Folate; peak {peak:.2f} GB")
    sys.stdout.write("\n".join(lines) + "\n")


def _peer_cell(peer_times: Times, task: str, own_milliseconds: float) -> str:
    entry = peer_times.get(task) or peer_times.get(_SAME_TASK.get(task, ""))
    if entry is None:
        return f"{'-':>18}"
    milliseconds = statistics.median(entry["seconds"]) * 1_000
    return f"{milliseconds:>9,.1f} {f'({milliseconds / own_milliseconds:,.1f})':>8}"


if __name__ == "__main__":
    main()
