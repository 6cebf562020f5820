"""The command `folate init`."""

from importlib.resources import files
from pathlib import Path

import click

from folate.cli.options import project_option
from folate.cli.terminal import print_stderr
from folate.core.config import CONFIG_FILE
from folate.core.errors import ConfigError

GITIGNORE = """\
# the secret that hides authors, and what people wrote
.salt
corpus/
copies.parquet*
crawls/
rejects/
deliveries.sqlite*
"""


@click.command()
@click.argument("directory", required=False, type=click.Path(path_type=Path, file_okay=False))
@project_option
def init(directory: Path | None, folder: Path) -> None:
    """Create a project in DIRECTORY (or --project DIR, or the current folder).

    Writes a folate.toml with comments, for you to fill in, and a .gitignore.
    """
    directory = directory or folder
    config_file = directory / CONFIG_FILE
    if config_file.exists():
        raise ConfigError(f"{config_file} is there already; wanted a folder without one.")
    directory.mkdir(parents=True, exist_ok=True)
    template = (files("folate") / "template.toml").read_text(encoding="utf-8")
    config_file.write_text(template, encoding="utf-8")
    gitignore = directory / ".gitignore"
    if not gitignore.exists():
        gitignore.write_text(GITIGNORE, encoding="utf-8")
    print_stderr(
        f"{config_file} is ready: fill in your brands, then 'folate import' or 'folate crawl'."
    )
