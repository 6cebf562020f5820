"""The command `folate sql`."""

from pathlib import Path

import click

from folate.cli.corpus_options import at_option, stops_at_once
from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option


@click.command()
@click.argument("query", metavar="SELECT", required=False)
@click.option("--tables", "is_list", is_flag=True, help="List the tables and their columns.")
@at_option
@project_option
@format_option(*DATA_FORMATS)
@stops_at_once
def sql(query: str | None, is_list: bool, at: str | None, folder: Path, form: str) -> None:
    """Answer one SELECT in DuckDB's dialect; nothing else can be run, and nothing is written.

    'folate sql --tables' lists what can be asked.
    """
    from corpora.answers.sql import select_rows, table_columns
    from corpora.index.versions import parse_version_name
    from folate.pipeline.project import Project

    if (query is None) != is_list:
        raise click.UsageError("wanted a SELECT or --tables, one of them.")
    if query is None:
        print_rows(table_columns(), form)
        return
    store = Project.open(folder).store
    snapshot = store.snapshot(None if at is None else parse_version_name(at))
    print_rows(select_rows(snapshot, query), form)
