"""The results of the benchmark as Markdown tables."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from benchmarks.emergence.judging import IntervalEstimate

FinderResults = Mapping[str, Mapping[str, Any]]
"""Finder -> its results (see `judging.FinderTally.summary`)."""
Cell = Callable[[Mapping[str, Any]], object]
"""Results of one finder -> the content of a table cell."""


def render_tables(results: FinderResults, heading: str) -> str:
    """Render all results as Markdown tables under a heading.

    The tables are recall and false alarms, recall by language and by condition, decoys, the daily
    run, and stability and cost.
    """
    first = next(iter(results.values()))
    main_columns: dict[str, Cell] = {
        f"recall, {posts} posts": _estimate_cell("recall", posts) for posts in first["recall"]
    }
    main_columns |= {
        "precision@5": _estimate_cell("precision_at_5"),
        "false alarms a brand-week": _estimate_cell("false_alarms_a_brand_week"),
        "terms, brand-weeks": _count_cell(
            ("recall", next(iter(first["recall"]))), ("false_alarms_a_brand_week",)
        ),
    }
    daily_columns: dict[str, Cell] = {
        "found at all": _estimate_cell("found_daily"),
        "by the day of the tenth post": _estimate_cell("found_by_the_tenth_post"),
        "days before it": _estimate_cell("days_of_lead"),
        "false alarms a brand-day": _estimate_cell("false_alarms_a_brand_day"),
        "terms, brand-days": _count_cell(("found_daily",), ("false_alarms_a_brand_day",)),
    }
    stability_columns: dict[str, Cell] = {
        "same alarms": _estimate_cell("same_when_shuffled"),
        "alarms kept": _estimate_cell("alarms_kept_when_shuffled"),
        "streams": _count_cell(("same_when_shuffled",)),
        "CPU seconds a window": _estimate_cell("seconds"),
    }
    tables = [
        _render_table("finder", results, main_columns),
        _render_group("recall, all supports", results, "recall_by_language"),
        _render_group("recall of 10 posts", results, "conditions"),
        _render_group("decoys that pass", results, "decoys_passed"),
        _render_table("daily run", results, daily_columns),
        _render_table("the same posts in another order", results, stability_columns),
    ]
    return "\n\n".join([heading, *tables])


def _render_group(title: str, results: FinderResults, group: str) -> str:
    """Render one table with a column for each name of a group of figures."""
    first = next(iter(results.values()))
    columns = {name: _estimate_cell(group, name) for name in first[group]}
    return _render_table(title, results, columns)


def _render_table(title: str, results: FinderResults, columns: dict[str, Cell]) -> str:
    lines = [_render_row([title, *columns]), _render_row(["---"] * (len(columns) + 1))]
    for finder, result in results.items():
        cells = [str(cell(result)) for cell in columns.values()]
        lines.append(_render_row([finder, *cells]))
    return "\n".join(lines)


def _render_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _estimate_cell(*path: str) -> Cell:
    """Return a cell with the estimate at a path of keys, "-" if missing."""

    def render_estimate(result: Mapping[str, Any]) -> IntervalEstimate | str:
        estimate = _value_at(result, path)
        return IntervalEstimate(**estimate) if estimate else "-"

    return render_estimate


def _count_cell(*paths: tuple[str, ...]) -> Cell:
    """Return a cell with the number of observations of the estimates at some paths."""

    def render_counts(result: Mapping[str, Any]) -> str:
        estimates = [_value_at(result, path) or {"n": 0} for path in paths]
        return ", ".join(str(estimate["n"]) for estimate in estimates)

    return render_counts


def _value_at(result: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    for key in path:
        result = result.get(key, {})
    return result
