"""The steps of a weekly run, in order: what each does, and which tables it reads and writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from folate.core.weeks import Week
    from folate.pipeline.project import Project

_REPORT_TABLES = frozenset({
    "posts", "texts", "mentions", "duplicates", "comparisons", "sentiments", "aspects",
    "judgements", "audits", "adaptations", "topics", "searches", "crawls",
})  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One step of a weekly run."""

    # also the name of the command that runs this step alone
    name: str
    # one line for help texts
    summary: str
    # tables of the store (`corpora.store.schema`); rows are only ever merged into written tables
    reads: frozenset[str]
    writes: frozenset[str]
    # runs the step; only some steps depend on the week
    run: Callable[[Project, Week], Any]

    @property
    def command(self) -> str:
        """The command that runs the step, such as "folate annotate"."""
        return f"folate {self.name}"


def _crawl(project: Project, week: Week) -> Any:
    from folate.pipeline.crawl import crawl_sources

    return crawl_sources(project)


def _annotate(project: Project, week: Week) -> Any:
    from folate.pipeline.annotate.run import annotate_corpus

    return annotate_corpus(project)


def _find_topics(project: Project, week: Week) -> Any:
    from folate.pipeline.topics.find import find_topics

    return find_topics(project, week)


def _write_report(project: Project, week: Week) -> Any:
    from folate.pipeline.report import write_report

    return write_report(project, week)


def _send_alerts(project: Project, week: Week) -> Any:
    from folate.pipeline.watch import evaluate_and_send_alerts

    return evaluate_and_send_alerts(project, week)


def _mail_report(project: Project, week: Week) -> Any:
    from folate.pipeline.mail_report import mail_report

    return mail_report(project, week)


STEPS = (
    Step(
        name="crawl",
        summary="Crawl the sources of the project.",
        reads=frozenset({"posts", "crawls"}),
        writes=frozenset({"posts", "crawls"}),
        run=_crawl,
    ),
    Step(
        name="annotate",
        summary="Annotate posts: language, words, brands, duplicates, sentiment.",
        # the last three only for notes on adaptations that are out of use
        reads=frozenset({
            "posts", "texts", "mentions", "duplicates", "judgements",
            "sentiments", "audits", "adaptations", "embeddings",
        }),
        writes=frozenset({
            "texts", "mentions", "comparisons", "duplicates", "sentiments", "aspects", "judgements",
            "embeddings", "word_tags",
        }),
        run=_annotate,
    ),
    Step(
        name="topics",
        summary="Find the emerging topics of a week or a day; show one topic's history.",
        reads=frozenset({
            "posts", "texts", "mentions", "duplicates", "sentiments", "aspects", "judgements",
            "topics",
        }),
        writes=frozenset({"topics", "searches"}),
        run=_find_topics,
    ),
    Step(
        name="report",
        summary="Write the report of a week.",
        reads=_REPORT_TABLES,
        writes=frozenset({"evidence"}),
        run=_write_report,
    ),
    Step(
        name="watch",
        summary="Evaluate the alert rules of folate.toml and send each alert once.",
        reads=_REPORT_TABLES,
        writes=frozenset({"evidence"}),
        run=_send_alerts,
    ),
    Step(
        name="send",
        summary="Mail the report of a week.",
        reads=frozenset(),
        writes=frozenset(),
        run=_mail_report,
    ),
)  # fmt: skip


def get_step(name: str) -> Step:
    """Return the step of this name. Raises KeyError."""
    return {step.name: step for step in STEPS}[name]
