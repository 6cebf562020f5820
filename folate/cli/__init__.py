"""The command line. A command's module is imported only when it is called."""

import sys
from importlib import import_module
from keyword import iskeyword

import click

from folate.cli.progress import enable_progress_bars
from folate.core.errors import FolateError, suggestion
from folate.pipeline.steps import get_step

COMMANDS = {
    "init": "Create a project: a folder with a commented folate.toml.",
    "import": "Import posts from CSV, JSONL, XLSX or Parquet files.",
    "crawl": get_step("crawl").summary,
    "reparse": "Parse the stored pages of a crawl again, with the current parsers.",
    "annotate": get_step("annotate").summary,
    "topics": get_step("topics").summary,
    "audit": "Label a blind sample by hand, to correct the shares of the report.",
    "adapt": "Adapt the model's sentiment for a brand to the labels of 'folate audit'.",
    "label": "Put lines of a concordance into named groups, alone or with others.",
    "tags": "Fit the thresholds of tags to posts that a person labels.",
    "leads": "Score purchase intent by author and brand.",
    "campaign": "Measure a campaign before, during and after.",
    "network": "Write who replies to and reposts whom, as GraphML.",
    "report": get_step("report").summary,
    "send": get_step("send").summary,
    "watch": get_step("watch").summary,
    "evidence": "Show the query, table versions and posts behind a number of a report.",
    "kwic": "Show the hits of a query with the text around them.",
    "count": "Count the posts, hits and authors of queries.",
    "trend": "Show how often a query occurs week by week.",
    "sample": "Show random posts that match a query.",
    "sql": "Answer one SELECT over the tables of the store.",
    "collocates": "Show the words that occur near the hits of a query.",
    "keyness": "Show the words that more authors use in some posts than in others.",
    "ngrams": "Show the most frequent stretches of words.",
    "dispersion": "Show how evenly a query is spread over authors, sources and weeks.",
    "cooccur": "Show which words are in the same posts, also as a network (GraphML).",
    "compare": "Compare how often queries match, in all posts and in sources and weeks.",
    "similar": "Show the posts that are the most similar in meaning to a text or a post.",
    "export": "Write posts or annotations to standard output.",
    "classify": "Classify JSON lines from standard input; needs no project.",
    "segment": "Segment lines from standard input into words; needs no project.",
    "parse": "Show how a query is understood; needs no project.",
    "corpus": "Look after the index that questions to the corpus are answered from.",
    "status": "Show what the project contains, by source and week.",
    "check": "Look for damaged files; say what is lost and what to do.",
    "compact": "Merge small files of the store and delete those that no report needs.",
    "migrate": "Update an older store to the schema of this version.",
}
"""Every command and its summary in `folate --help`; its code is in folate/cli/commands/NAME.py."""

EPILOG = (
    "Exit codes: 0 success; 1 failure; 2 invalid option or project file; 3 unreadable input; "
    "4 the store can't be used; 5 not found; 6 a source gave nothing; "
    "7 an optional package is missing; 8 a delivery failed; 130 interrupted."
)


class LazyGroup(click.Group):
    """A click group that imports the module of a command on its first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module_name = f"{name}_" if iskeyword(name) else name
        module = import_module(f"folate.cli.commands.{module_name}")
        command = getattr(module, module_name)
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            raise click.UsageError(f"no command {args[0]!r}; {suggestion(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="folate", message="%(prog)s %(version)s")
def cli() -> None:
    """Folate analyses what people write about a brand, in Chinese and in English."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with one of the codes in EPILOG."""
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(run_command(arguments))


def run_command(arguments: list[str]) -> int:
    """Run one command and return its exit code.

    An error is printed as one sentence; with --debug it is raised.
    """
    enable_progress_bars()
    try:
        exit_code = cli.main(arguments or ["--help"], prog_name="folate", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.Abort:
        return _print_error("interrupted.", 130)
    except click.ClickException as error:
        return _print_error(error.format_message(), error.exit_code)
    except BrokenPipeError:
        # whoever read our output has gone; Python would report that once more at exit
        sys.stderr.close()
        return 0
    except (FolateError, OSError) as error:
        if "--debug" in arguments:
            raise
        return _print_error(_message(error), getattr(error, "exit_code", 1), _notes(error))
    return exit_code if isinstance(exit_code, int) else 0


def _message(error: Exception) -> str:
    """Return the sentence of an error; of one of the system its reason behind the file's name."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}."
    return str(error)


def _notes(error: Exception) -> tuple[str, ...]:
    """Return the notes of an error, such as a query with a caret under the wrong character."""
    return tuple(getattr(error, "__notes__", ()))


def _print_error(message: str, exit_code: int, notes: tuple[str, ...] = ()) -> int:
    """Print an error and its notes to standard error and return the exit code."""
    from folate.cli.terminal import print_stderr, print_stderr_lines

    print_stderr(f"folate: {message}")
    for note in notes:
        print_stderr_lines(note)
    return exit_code
