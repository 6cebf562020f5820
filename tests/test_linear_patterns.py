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


def modules() -> list[ModuleType]:
    found = []
    for package in PACKAGES:
        root = importlib.import_module(package)
        names = [
            info.name
            for info in pkgutil.walk_packages(root.__path__, f"{package}.")
            if not info.name.endswith("__main__")
        ]
        found += [root, *map(importlib.import_module, names)]
    return [
        module for module in found if not any(module.__name__.startswith(name) for name in OWN_TEXT)
    ]


def compiled(value: Any, seen: set[int]) -> Iterator[re.Pattern[Any]]:
    """The patterns in a value of a module: in containers and fields, too."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from compiled(inner, seen)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from compiled(inner, seen)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from compiled(getattr(value, field.name, None), seen)


def cached(module: ModuleType) -> Iterator[Any]:
    """Yield the results of cached functions without parameters: many compile patterns of rules."""
    for value in vars(module).values():
        own = getattr(value, "__module__", "") == module.__name__
        if own and hasattr(value, "cache_info") and not value.__wrapped__.__code__.co_argcount:
            yield value()


def calls(module: ModuleType) -> Iterator[tuple[ast.Call, str, ast.expr]]:
    """Calls of a method that a pattern has, with its name and what it is called on."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in METHODS
        ):
            yield node, node.func.attr, node.func.value


def jobs() -> list[Job]:
    found: dict[Job, None] = {}
    methods: dict[str, set[str]] = defaultdict(set)
    everything = modules()
    for module in everything:
        for _, method, target in calls(module):
            if isinstance(target, ast.Name):
                methods[target.id].add(method)
    for module in everything:
        for job in (*inline(module), *at_module_level(module, methods)):
            found[job] = None
    once = {(job.pattern, job.flags, job.method): job for job in reversed(found)}
    return sorted(once.values(), key=lambda job: job.where)


def inline(module: ModuleType) -> Iterator[Job]:
    """Patterns that stand in the call that runs them: re.sub(r"…", …)."""
    names = vars(module)
    for node, method, target in calls(module):
        if isinstance(target, ast.Name) and target.id == "re" and node.args:
            pattern = evaluated(node.args[0], names)
            if isinstance(pattern, str | bytes):
                yield Job(
                    f"{module.__name__}:{node.lineno}", pattern, inline_flags(node, names), method
                )


def at_module_level(module: ModuleType, methods: Mapping[str, set[str]]) -> Iterator[Job]:
    for name, value in list(vars(module).items()):
        for pattern in compiled(value, set()):
            for method in sorted(methods.get(name) or {"search"}):
                yield Job(f"{module.__name__}.{name}", pattern.pattern, pattern.flags, method)
    for rules in cached(module):
        for pattern in compiled(rules, set()):
            yield Job(f"{module.__name__} {FROM_RULES}", pattern.pattern, pattern.flags, "search")


def evaluated(expression: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of an expression of constants of its module; None when it takes anything else."""
    try:
        return eval(compile(ast.Expression(expression), "pattern", "eval"), dict(names))  # noqa: S307
    except (NameError, AttributeError, TypeError):
        return None


def inline_flags(node: ast.Call, names: Mapping[str, Any]) -> int:
    given = [keyword.value for keyword in node.keywords if keyword.arg == "flags"]
    return int(evaluated(given[0], names) or 0) if given else 0


# Worst inputs, made in the child


def samples(items: Sequence[Any]) -> str:
    """A text that the items match."""
    return "".join(sample(op, value) for op, value in items)


def sample(op: Any, value: Any) -> str:
    name = str(op)
    if name == "LITERAL":
        return chr(value)
    if name == "NOT_LITERAL":
        return "a" if value != ord("a") else "b"
    if name == "ANY":
        return "a"
    if name == "IN":
        return next(iter(accepted(value)), "a")
    if name == "BRANCH":
        return samples(value[1][0])
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return samples(value[2]) * value[0]
    if name == "SUBPATTERN":
        return samples(value[3])
    if name == "ATOMIC_GROUP":
        return samples(value)
    if name == "ASSERT" and value[0] < 0:
        return samples(value[1])
    return ""


CANDIDATES = "1a的 \n-_.,:/@#<>()[]\"'!?~。，！A\t\u3000é😀\u200b"


def accepted(ranges: Sequence[Any]) -> list[str]:
    """Characters that a set accepts."""
    negated = bool(ranges) and str(ranges[0][0]) == "NEGATE"
    firsts = [
        chr(value if str(op) == "LITERAL" else value[0])
        for op, value in ranges
        if str(op) in ("LITERAL", "RANGE")
    ]
    pattern = "".join(part(op, value) for op, value in ranges)
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


def part(op: Any, value: Any) -> str:
    name = str(op)
    if name == "NEGATE":
        return "^"
    if name == "LITERAL":
        return re.escape(chr(value))
    if name == "RANGE":
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    return CATEGORIES[str(value).removeprefix("CATEGORY_")]


def pumps(items: Sequence[Any]) -> list[str]:
    """Texts that the body of a repeat accepts, again and again."""
    if len(items) == 1 and str(items[0][0]) == "IN":
        return accepted(items[0][1])[:3]
    if len(items) == 1 and str(items[0][0]) == "BRANCH":
        return [samples(branch) for branch in items[0][1][1]][:3]
    return [samples(items)]


def repeats(items: Sequence[Any], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every repeat without a bound below 50, with what reaches it and what pumps it."""
    for op, value in items:
        name = str(op)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            if value[1] > 50:
                yield prefix, pumps(value[2])
            yield from repeats(value[2], prefix)
        elif name == "SUBPATTERN":
            yield from repeats(value[3], prefix)
        elif name == "ATOMIC_GROUP":
            yield from repeats(value, prefix)
        elif name in ("ASSERT", "ASSERT_NOT"):
            yield from repeats(value[1], prefix)
        elif name == "BRANCH":
            for branch in value[1]:
                yield from repeats(branch, prefix)
        prefix += sample(op, value)


def worst_inputs(pattern: str | bytes, flags: int, size: int) -> Iterator[str]:
    """Texts of `size` characters on which the pattern would take longest."""
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    units: dict[tuple[str, str, str], None] = {}
    parsed = list(re._parser.parse(text, flags & ~re.UNICODE & ~re.DEBUG))  # type: ignore[attr-defined]
    for prefix, bodies in repeats(parsed):
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


def slow_jobs(todo: list[Job], size: int) -> list[str]:
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
        self.said: Queue[str] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.put(line.strip())

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
        """The text on which the job hung, None when it came to its end."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        at = "its beginning"
        try:
            while (said := self.said.get(timeout=MAX_SECONDS)) != "done":
                at = said
        except Empty:
            self.stop()
            return at
        return None


@pytest.fixture(scope="module")
def all_jobs() -> list[Job]:
    return jobs()


def test_patterns_are_found(all_jobs: list[Job]) -> None:
    where = {job.where for job in all_jobs}
    assert len(all_jobs) > 100
    assert {"crawlers.parse.page._CALL", "crawlers.parse.stubs._FORUM"} <= where
    assert any(job.where.startswith("nlp.extract.segments") for job in all_jobs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern", [r"\s*\n", r"(\d+)$", r"<b>(.*?)</b>", r"(a|b)*c", r"x\s*;?\s*$"]
)
def test_a_quadratic_pattern_is_found(pattern: str) -> None:
    assert slow_jobs([Job("here", pattern, re.S, "search")], SLOW)


def test_a_sample_of_patterns_is_linear(all_jobs: list[Job]) -> None:
    cheap = [job for job in all_jobs if FROM_RULES not in job.where]
    assert not slow_jobs(cheap[::4], FAST)


@pytest.mark.slow
def test_every_pattern_is_linear_on_a_megabyte(all_jobs: list[Job]) -> None:
    assert not slow_jobs(all_jobs, SLOW)


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
