"""Every pattern that the packages run on foreign text takes linear time on its worst inputs.

The worst inputs of a pattern are derived from its parsed form: each of its open repeats is fed
with what it accepts, after what reaches it and before what makes it fail. A child process runs them
and reports its progress. A pattern is at fault when one search of 150,000 characters (in the slow
test 1,000,000) takes longer than MAX_SECONDS: linear patterns take milliseconds,
quadratic ones minutes and more.
"""

import ast
import dataclasses
import importlib
import json
import pkgutil
import re
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from queue import Empty, Queue
from types import ModuleType
from typing import Any, NamedTuple

import pytest

PACKAGES = ("folate", "crawlers", "corpora", "nlp", "reports")
# Characters of an input.
FAST = 150_000
SLOW = 1_000_000
FROM_RULES = "(from its rules)"  # patterns of thousands of words, for the slow test
# Inputs of each pattern in the fast test.
FAST_INPUT_COUNT = 8
# For one search.
MAX_SECONDS = 20.0
METHODS = ("search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")
OWN_TEXT = {
    "corpora.store.snapshot": "our own SQL",
    "reports.render.charts": "the SVG that vl-convert writes from our own specification",
    "training": "files of the training data, read once on the developer's machine",
}
"""Modules whose patterns never see foreign text, and why."""

GENERIC = (*" \n1aA的<@('\"/.-[#&_\\", "//@a:", "\u3000", "a ", "1.", "😀")
"""Units of inputs that are bad for many patterns."""


class Job(NamedTuple):
    """A pattern and the method with which the product runs it."""

    where: str
    pattern: str | bytes
    flags: int
    method: str


def import_modules() -> list[ModuleType]:
    """Import all modules whose patterns are run on foreign text."""
    modules = []
    for package in PACKAGES:
        root = importlib.import_module(package)
        names = [
            info.name
            for info in pkgutil.walk_packages(root.__path__, f"{package}.")
            if not info.name.endswith("__main__")
        ]
        modules += [root, *map(importlib.import_module, names)]
    skipped = tuple(OWN_TEXT)
    return [module for module in modules if not module.__name__.startswith(skipped)]


def find_patterns(value: Any, visited_ids: set[int]) -> Iterator[re.Pattern[Any]]:
    """Yield the patterns in a value of a module, also in containers and fields."""
    if id(value) in visited_ids:
        return
    visited_ids.add(id(value))
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from find_patterns(inner, visited_ids)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from find_patterns(inner, visited_ids)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from find_patterns(getattr(value, field.name, None), visited_ids)


def cached_results(module: ModuleType) -> Iterator[Any]:
    """Yield the results of cached functions without parameters: many compile patterns of rules."""
    for value in vars(module).values():
        is_own = getattr(value, "__module__", "") == module.__name__
        if is_own and hasattr(value, "cache_info") and not value.__wrapped__.__code__.co_argcount:
            yield value()


def find_method_calls(module: ModuleType) -> Iterator[tuple[ast.Call, str, ast.expr]]:
    """Yield calls of methods that patterns have: the call, the method's name, and its object."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in METHODS
        ):
            yield node, node.func.attr, node.func.value


def collect_jobs() -> list[Job]:
    """Return a job for each distinct pattern and method of the packages."""
    all_jobs: dict[Job, None] = {}
    methods: dict[str, set[str]] = defaultdict(set)
    everything = import_modules()
    for module in everything:
        for _, method, target in find_method_calls(module):
            if isinstance(target, ast.Name):
                methods[target.id].add(method)
    for module in everything:
        for job in (*inline_jobs(module), *module_level_jobs(module, methods)):
            all_jobs[job] = None
    distinct_jobs = {(job.pattern, job.flags, job.method): job for job in reversed(all_jobs)}
    return sorted(distinct_jobs.values(), key=lambda job: job.where)


def inline_jobs(module: ModuleType) -> Iterator[Job]:
    """Yield the patterns that are written in the call that runs them: re.sub(r"…", …)."""
    names = vars(module)
    for node, method, target in find_method_calls(module):
        if isinstance(target, ast.Name) and target.id == "re" and node.args:
            pattern = evaluate_constants(node.args[0], names)
            if isinstance(pattern, str | bytes):
                yield Job(
                    f"{module.__name__}:{node.lineno}", pattern, evaluate_flags(node, names), method
                )


def module_level_jobs(module: ModuleType, methods: Mapping[str, set[str]]) -> Iterator[Job]:
    for name, value in list(vars(module).items()):
        for pattern in find_patterns(value, set()):
            for method in sorted(methods.get(name) or {"search"}):
                yield Job(f"{module.__name__}.{name}", pattern.pattern, pattern.flags, method)
    for rules in cached_results(module):
        for pattern in find_patterns(rules, set()):
            yield Job(f"{module.__name__} {FROM_RULES}", pattern.pattern, pattern.flags, "search")


def evaluate_constants(expression: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return the value of an expression of a module's constants, or None for any other."""
    try:
        return eval(compile(ast.Expression(expression), "pattern", "eval"), dict(names))  # noqa: S307
    except (NameError, AttributeError, TypeError):
        return None


def evaluate_flags(node: ast.Call, names: Mapping[str, Any]) -> int:
    for keyword in node.keywords:
        if keyword.arg == "flags":
            return int(evaluate_constants(keyword.value, names) or 0)
    return 0


# Worst inputs, made in the child


def sample_text(items: Sequence[Any]) -> str:
    """Return a text that the items of a parsed pattern match."""
    return "".join(sample_item(op, value) for op, value in items)


def sample_item(op: Any, value: Any) -> str:
    name = str(op)
    if name == "LITERAL":
        return chr(value)
    if name == "NOT_LITERAL":
        return "a" if value != ord("a") else "b"
    if name == "ANY":
        return "a"
    if name == "IN":
        return next(iter(accepted_characters(value)), "a")
    if name == "BRANCH":
        return sample_text(value[1][0])
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return sample_text(value[2]) * value[0]
    if name == "SUBPATTERN":
        return sample_text(value[3])
    if name == "ATOMIC_GROUP":
        return sample_text(value)
    if name == "ASSERT" and value[0] < 0:
        return sample_text(value[1])
    return ""


CANDIDATES = "1a的 \n-_.,:/@#<>()[]\"'!?~。，！A\t\u3000é😀\u200b"


def accepted_characters(ranges: Sequence[Any]) -> list[str]:
    """Return some of the characters that a set accepts."""
    negated = bool(ranges) and str(ranges[0][0]) == "NEGATE"
    firsts = [
        chr(value if str(op) == "LITERAL" else value[0])
        for op, value in ranges
        if str(op) in ("LITERAL", "RANGE")
    ]
    pattern = "".join(character_set_part(op, value) for op, value in ranges)
    matches = re.compile(f"[{pattern}]").match
    return [
        char
        for char in dict.fromkeys([*([] if negated else firsts[:2]), *CANDIDATES])
        if matches(char)
    ]


CATEGORIES = {
    "DIGIT": r"\d",
    "NOT_DIGIT": r"\D",
    "SPACE": r"\s",
    "NOT_SPACE": r"\S",
    "WORD": r"\w",
    "NOT_WORD": r"\W",
}


def character_set_part(op: Any, value: Any) -> str:
    name = str(op)
    if name == "NEGATE":
        return "^"
    if name == "LITERAL":
        return re.escape(chr(value))
    if name == "RANGE":
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    return CATEGORIES[str(value).removeprefix("CATEGORY_")]


def pump_texts(items: Sequence[Any]) -> list[str]:
    """Return texts that the body of a repeat accepts any number of times."""
    if len(items) == 1 and str(items[0][0]) == "IN":
        return accepted_characters(items[0][1])[:3]
    if len(items) == 1 and str(items[0][0]) == "BRANCH":
        return [sample_text(branch) for branch in items[0][1][1]][:3]
    return [sample_text(items)]


def find_open_repeats(items: Sequence[Any], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield every repeat without a bound below 50: a text before it, and texts for its body."""
    for op, value in items:
        name = str(op)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            if value[1] > 50:
                yield prefix, pump_texts(value[2])
            yield from find_open_repeats(value[2], prefix)
        elif name == "SUBPATTERN":
            yield from find_open_repeats(value[3], prefix)
        elif name == "ATOMIC_GROUP":
            yield from find_open_repeats(value, prefix)
        elif name in ("ASSERT", "ASSERT_NOT"):
            yield from find_open_repeats(value[1], prefix)
        elif name == "BRANCH":
            for branch in value[1]:
                yield from find_open_repeats(branch, prefix)
        prefix += sample_item(op, value)


def worst_inputs(pattern: str | bytes, flags: int, size: int) -> Iterator[str]:
    """Yield texts of `size` characters on which the pattern would take longest."""
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    units: dict[tuple[str, str, str], None] = {}
    parsed = list(re._parser.parse(text, flags & ~re.UNICODE & ~re.DEBUG))  # type: ignore[attr-defined]
    for prefix, bodies in find_open_repeats(parsed):
        for body in bodies:
            units[prefix, body, "\x00"] = None  # one long run that fails at its end
            units["", prefix + body, "\x00"] = None  # many beginnings
        units["", prefix, "\x00"] = None
    for unit in GENERIC if units else GENERIC[:3]:
        units["", unit, ""] = None
        units["", unit, "\x00"] = None
    for prefix, body, suffix in units:
        if body:
            yield (prefix + body * (size // len(body)))[:size] + suffix


def find_slow_jobs(todo: list[Job], size: int) -> list[str]:
    """Return the jobs that took longer than MAX_SECONDS for one text, with its beginning.

    Each is stopped, and the next one started.
    """
    faults = []
    for job in todo:
        encoded = job.pattern.decode("latin-1") if isinstance(job.pattern, bytes) else job.pattern
        line = json.dumps([encoded, job.flags, job.method, isinstance(job.pattern, bytes)])
        fault = Child.shared(size).run(line)
        if fault:
            faults.append(f"{job.where}.{job.method}({encoded[:60]!r}) on {fault}")
    Child.stop()
    return faults


class Child:
    """A process that runs jobs, started anew after one that hung."""

    _current: "Child | None" = None

    def __init__(self, size: int) -> None:
        command = [sys.executable, __file__, str(size)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.output: Queue[str] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.put(line.strip())

    @classmethod
    def shared(cls, size: int) -> "Child":
        cls._current = cls._current or cls(size)
        return cls._current

    @classmethod
    def stop(cls) -> None:
        if cls._current:
            cls._current.process.kill()
            cls._current.process.communicate()
            cls._current = None

    def run(self, line: str) -> str | None:
        """Run a job. Return the text on which it hung, or None when it ended."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        current_text = "its beginning"
        try:
            while (message := self.output.get(timeout=MAX_SECONDS)) != "done":
                current_text = message
        except Empty:
            self.stop()
            return current_text
        return None


@pytest.fixture(scope="module")
def all_jobs() -> list[Job]:
    return collect_jobs()


def test_patterns_are_found(all_jobs: list[Job]) -> None:
    where = {job.where for job in all_jobs}
    assert len(all_jobs) > 100
    assert {"crawlers.parse.page._JSONP_CALL", "crawlers.parse.stubs._FORUM_STUB"} <= where
    assert any(job.where.startswith("nlp.extract.segments") for job in all_jobs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern", [r"\s*\n", r"(\d+)$", r"<b>(.*?)</b>", r"(a|b)*c", r"x\s*;?\s*$"]
)
def test_a_quadratic_pattern_is_found(pattern: str) -> None:
    assert find_slow_jobs([Job("here", pattern, re.S, "search")], SLOW)


def test_a_sample_of_patterns_is_linear(all_jobs: list[Job]) -> None:
    cheap = [job for job in all_jobs if FROM_RULES not in job.where]
    assert not find_slow_jobs(cheap[::4], FAST)


@pytest.mark.slow
def test_every_pattern_is_linear_on_a_megabyte(all_jobs: list[Job]) -> None:
    assert not find_slow_jobs(all_jobs, SLOW)


def main() -> None:
    size = int(sys.argv[1])
    for line in sys.stdin:
        pattern, flags, method, is_bytes = json.loads(line)
        run_job(pattern, flags, method, is_bytes, size)
        print("done", flush=True)


def run_job(pattern: str, flags: int, method: str, is_bytes: bool, size: int) -> None:
    source = pattern.encode("latin-1") if is_bytes else pattern
    regex: re.Pattern[Any] = re.compile(source, flags)
    inputs = worst_inputs(pattern, flags, size)
    for text in inputs if size == SLOW else islice(inputs, FAST_INPUT_COUNT):
        print(repr(text[:30]), flush=True)
        subject = text.encode("utf-8") if is_bytes else text
        if method in ("sub", "subn"):
            regex.sub(lambda match: match[0][:0], subject)
        elif method == "finditer":
            for _ in regex.finditer(subject):
                pass
        else:
            getattr(regex, method)(subject)


if __name__ == "__main__":
    main()
