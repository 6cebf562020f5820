"""The command `folate parse`."""

from pathlib import Path

import click

from folate.cli.corpus_options import query_argument
from folate.cli.options import format_option, project_option
from folate.cli.terminal import print_data, print_text


@click.command()
@query_argument
@click.option("--tree", is_flag=True, help="Print the tree of the query, one line for each part.")
@project_option
@format_option("text", "json")
def parse(query: str, tree: bool, folder: Path, form: str) -> None:
    """Print the canonical form of a query, which shows how it is understood.

    A project, if there is one, gives the saved queries and the names of brands.
    docs/query-language.md explains queries.
    """
    import json

    from corpora.query.fields import known_values
    from corpora.query.json_form import query_to_json, tree_lines
    from corpora.query.parse import parse_query
    from folate.core.config import CONFIG_FILE, load_config
    from folate.core.text import escape_json

    if (folder / CONFIG_FILE).exists():
        config = load_config(folder)
        parsed = parse_query(query, config.queries, known_values(config))
    else:
        parsed = parse_query(query)
    if form == "json":
        text = json.dumps(query_to_json(parsed), ensure_ascii=False, indent=2)
        print_data(escape_json(text) + "\n")
    elif tree:
        print_text("\n".join(tree_lines(parsed.tree)))
    else:
        print_text(parsed.canonical)
