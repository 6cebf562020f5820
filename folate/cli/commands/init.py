"""The command `folate init`."""

from importlib.resources import files
from pathlib import Path

import click

from folate.cli.options import project_option
from folate.cli.terminal import print_stderr
from folate.core.config import CONFIG_FILE
from folate.core.errors import ConfigError


@click.command()
@click.argument("directory", required=False, type=click.Path(path_type=Path, file_okay=False))
@project_option
def init(directory: Path | None, folder: Path) -> None:
    """Make DIRECTORY (or --project DIR, or this folder) a project: a commented folate.toml to fill in."""
    directory = directory or folder
    path = directory / CONFIG_FILE
    if path.exists():
        raise ConfigError(f"{path} is there already; wanted a folder without one.")
    directory.mkdir(parents=True, exist_ok=True)
    path.write_text(
        (files("folate") / "template.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    keep_out = directory / ".gitignore"
    if not keep_out.exists():
        keep_out.write_text(
            "# the secret that hides authors, and what people wrote\n"
            ".salt\ncorpus/\ncopies.parquet*\ncrawls/\nrejects/\ndeliveries.sqlite*\n",
            encoding="utf-8",
        )
    print_stderr(f"{path} is ready: fill in your brands, then 'folate import' or 'folate crawl'.")
