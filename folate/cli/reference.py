"""Writes docs/cli.md, the reference of the command line, from the help texts: `make docs`."""

import click

from folate.cli import COMMANDS, cli


def render_reference() -> str:
    """Return the help text of every command in Markdown, as `folate COMMAND --help` prints it."""
    parent = click.Context(cli, info_name="folate", terminal_width=110, **cli.context_settings)
    sections = [
        "# The command line",
        "",
        "Made by `make docs` from the commands themselves.",
        "",
        _code_block(cli.get_help(parent)),
    ]
    for name in COMMANDS:
        command = cli.get_command(parent, name)
        if command is None:
            raise LookupError(name)
        context = click.Context(command, info_name=name, parent=parent, terminal_width=110)
        sections += ["", f"## folate {name}", "", _code_block(command.get_help(context))]
        if isinstance(command, click.Group):
            sections += _subcommand_sections(command, context)
    return "\n".join(sections) + "\n"


def _subcommand_sections(group: click.Group, parent: click.Context) -> list[str]:
    sections = []
    for name, command in group.commands.items():
        context = click.Context(command, info_name=name, parent=parent, terminal_width=110)
        heading = f"### {context.command_path}"
        sections += ["", heading, "", _code_block(command.get_help(context))]
    return sections


def _code_block(text: str) -> str:
    return f"```text\n{text}\n```"


if __name__ == "__main__":
    click.echo(render_reference(), nl=False)
