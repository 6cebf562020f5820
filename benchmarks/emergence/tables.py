"""The results as tables of plain text."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from benchmarks.emergence.judging import IntervalEstimate

FinderResults = Mapping[str, Mapping[str, Any]]  # by finder: `judging.Tally.summary`
Cell = Callable[[Mapping[str, Any]], object]


def render_tables(results: FinderResults, heading: str) -> str:
    """Markdown tables: recall and false alarms, conditions and decoys, the daily run, stability and cost."""
    first = next(iter(results.values()))
    tables = [
        _table("finder", results, {
            **{f"recall, {posts} posts": _estimate("recall", posts) for posts in first["recall"]},
            "precision@5": _estimate("precision_at_5"), "false alarms a brand-week": _estimate("false_alarms_a_brand_week"),
            "terms, brand-weeks": _counts(("recall", next(iter(first["recall"]))), ("false_alarms_a_brand_week",)),
        }),
        _table("recall, all supports", results, {name: _estimate("recall_by_language", name) for name in first["recall_by_language"]}),
        _table("recall of 10 posts", results, {name: _estimate("conditions", name) for name in first["conditions"]}),
        _table("decoys that pass", results, {name: _estimate("decoys_passed", name) for name in first["decoys_passed"]}),
        _table("daily run", results, {
            "found at all": _estimate("found_daily"), "by the day of the tenth post": _estimate("found_by_the_tenth_post"),
            "days before it": _estimate("days_of_lead"), "false alarms a brand-day": _estimate("false_alarms_a_brand_day"),
            "terms, brand-days": _counts(("found_daily",), ("false_alarms_a_brand_day",)),
        }),
        _table("the same posts in another order", results, {
            "same alarms": _estimate("same_when_shuffled"), "alarms kept": _estimate("alarms_kept_when_shuffled"),
            "streams": _counts(("same_when_shuffled",)), "CPU seconds a window": _estimate("seconds"),
        }),
    ]  # fmt: skip
    return "\n\n".join([heading, *tables])


def _table(title: str, results: FinderResults, columns: dict[str, Cell]) -> str:
    rows = [
        (name, *(str(cell(result)) for cell in columns.values()))
        for name, result in results.items()
    ]
    return "\n".join(map(_row, [(title, *columns), ["---"] * (len(columns) + 1), *rows]))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _estimate(*path: str) -> Cell:
    def cell(result: Mapping[str, Any]) -> IntervalEstimate | str:
        found = _at(result, path)
        return IntervalEstimate(**found) if found else "-"

    return cell


def _counts(*paths: tuple[str, ...]) -> Cell:
    return lambda result: ", ".join(str((_at(result, path) or {"n": 0})["n"]) for path in paths)


def _at(result: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    for key in path:
        result = result.get(key, {})
    return result
