"""The command `folate crawl`."""

from collections import Counter
from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.core.errors import CrawlError


@click.command()
@click.argument("sources", nargs=-1)
@project_option
@format_option(*DATA_FORMATS)
def crawl(sources: tuple[str, ...], folder: Path, form: str) -> int:
    """Crawl SOURCES, or all sources of the project, and ingest what they give.

    Prints the ledger: what was asked for and whether all of it was got.
    """
    from folate.pipeline.crawl import crawl_sources
    from folate.pipeline.project import Project

    rows = crawl_sources(Project.open(folder), sources)
    print_rows(
        [
            {
                k: row[k]
                for k in ("source", "query", "status", "reason", "requests", "posts", "dropped")
            }
            for row in rows
        ],
        form,
    )
    statuses = Counter(row["status"] for row in rows)
    return CrawlError.exit_code if statuses["failed"] else 0
