"""The command `folate crawl`."""

from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.core.errors import CrawlError

LEDGER_COLUMNS = ("source", "query", "status", "reason", "requests", "posts", "dropped")


@click.command()
@click.argument("sources", nargs=-1)
@project_option
@format_option(*DATA_FORMATS)
def crawl(sources: tuple[str, ...], folder: Path, form: str) -> int:
    """Crawl SOURCES, or all sources of the project, and store their posts.

    Prints one row per source and query: whether everything was fetched, and if not, why. The exit
    code is 6 when a source gave nothing.
    """
    from folate.pipeline.crawl import crawl_sources
    from folate.pipeline.project import Project

    rows = crawl_sources(Project.open(folder), sources)
    print_rows([{name: row[name] for name in LEDGER_COLUMNS} for row in rows], form)
    failed = any(row["status"] == "failed" for row in rows)
    return CrawlError.exit_code if failed else 0
