"""JSON lines in, judgements out: `folate classify`, without a project."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from folate.config import Brand
from folate.errors import InputError
from folate.post import storable
from nlp.brands import Linker
from nlp.language import identify
from nlp.sentiment import Probabilities, Reader, load

Span = tuple[int, int]


@dataclass(frozen=True)
class Question:
    """One line of input, understood."""

    text: str
    target: str | None = None

    @classmethod
    def parse(cls, line: str) -> "Question":
        """Raises InputError."""
        wanted = 'wanted {"text": …} or {"text": …, "target": …}'
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:  # ValueError: also a number of thousands of digits
            raise InputError(f"{wanted}, got {line[:60]!r}.") from error
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            raise InputError(f"{wanted}, got {line[:60]!r}.")
        target = value.get("target")
        if target is not None and not isinstance(target, str):
            raise InputError(f"wanted target to be a string, got {target!r}.")
        return cls(storable(value["text"]) or "", storable(target))

    def spans(self) -> list[Span]:
        """Where the text names the target: as a brand would be found, else as plain text."""
        target = (self.target or "").strip()
        if not target:
            return []
        found = [(m.start, m.end) for m in Linker([Brand(id="target", names=(target,))]).find(self.text)]
        return found or _occurrences(self.text.lower(), target.lower())


def classify_lines(batches: Iterable[Sequence[str]], model: str = "", threads: int = 0) -> Iterator[dict[str, Any]]:
    """One answer a line, in order, a batch at a time. The model is loaded when the first lines have come."""
    reader: Reader | None = None
    for lines in batches:
        reader = reader or load(model, threads)
        yield from _answers(lines, reader)


def _answers(lines: Sequence[str], reader: Reader) -> Iterator[dict[str, Any]]:
    questions = [_parsed(line) for line in lines]
    good = [q for q in questions if isinstance(q, Question)]
    spans = [q.spans() for q in good]
    readings = iter(reader.read([q.text for q in good], [[s] if s else [] for s in spans]))
    for question in questions:
        if isinstance(question, InputError):
            yield {"error": str(question)}
            continue
        reading = next(readings)
        target = reading.targets[0] if reading.targets else None
        yield {
            "language": identify(question.text),
            "sentiment": as_dict(reading.post),
            "target_sentiment": as_dict(target) if target else None,
        }


def _parsed(line: str) -> Question | InputError:
    try:
        return Question.parse(line)
    except InputError as error:
        return error


def as_dict(p: Probabilities) -> dict[str, Any]:
    """The label, which is the most probable one, and the three probabilities."""
    return {"label": p.label, "negative": round(p.negative, 4), "neutral": round(p.neutral, 4), "positive": round(p.positive, 4)}


def _occurrences(text: str, part: str) -> list[Span]:
    found, at = [], text.find(part)
    while at >= 0:
        found.append((at, at + len(part)))
        at = text.find(part, at + len(part))
    return found
