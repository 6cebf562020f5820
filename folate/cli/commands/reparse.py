"""The command `folate reparse`."""

from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option


@click.command()
@click.argument("name", metavar="RUN")
@project_option
@format_option(*DATA_FORMATS)
def reparse(name: str, folder: Path, form: str) -> None:
    """Read a crawl's kept pages again with today's parsers; nothing is asked of a site.

    RUN is the name of a folder in crawls/. Pages of sources that folate.toml no longer has are left out.
    """
    from folate.pipeline.crawl import reparse_crawl
    from folate.pipeline.project import Project

    done = reparse_crawl(Project.open(folder), name)
    print_rows(
        [{"run": name, "added": done.inserted, "changed": done.updated, "known": done.unchanged}],
        form,
    )
