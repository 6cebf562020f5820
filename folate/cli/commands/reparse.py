"""The command `folate reparse`."""

from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option


@click.command()
@click.argument("crawl_name", metavar="RUN")
@project_option
@format_option(*DATA_FORMATS)
def reparse(crawl_name: str, folder: Path, form: str) -> None:
    """Parse the stored pages of the crawl RUN again with the current parsers, without a request.

    RUN is the name of a folder in crawls/. Pages of sources that are no longer in folate.toml are
    left out.
    """
    from folate.pipeline.crawl import reparse_crawl
    from folate.pipeline.project import Project

    counts = reparse_crawl(Project.open(folder), crawl_name)
    row = {
        "run": crawl_name,
        "added": counts.inserted,
        "changed": counts.updated,
        "known": counts.unchanged,
    }
    print_rows([row], form)
