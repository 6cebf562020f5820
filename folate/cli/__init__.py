"""The command line. Commands are imported when they are called, so that `folate --help` is immediate."""

import sys
from importlib import import_module

import click

from folate.cli.progress import enable_progress_bars
from folate.core.errors import FolateError

COMMANDS = {
    "init": "folate.cli.commands.init:init",
    "import": "folate.cli.commands.import_:import_",
    "crawl": "folate.cli.commands.crawl:crawl",
    "reparse": "folate.cli.commands.reparse:reparse",
    "annotate": "folate.cli.commands.annotate:annotate",
    "topics": "folate.cli.commands.topics:topics",
    "audit": "folate.cli.commands.audit:audit",
    "adapt": "folate.cli.commands.adapt:adapt",
    "tags": "folate.cli.commands.tags:tags",
    "leads": "folate.cli.commands.leads:leads",
    "campaign": "folate.cli.commands.campaign:campaign",
    "network": "folate.cli.commands.network:network",
    "report": "folate.cli.commands.report:report",
    "send": "folate.cli.commands.send:send",
    "watch": "folate.cli.commands.watch:watch",
    "evidence": "folate.cli.commands.evidence:evidence",
    "export": "folate.cli.commands.export:export",
    "classify": "folate.cli.commands.classify:classify",
    "segment": "folate.cli.commands.segment:segment",
    "status": "folate.cli.commands.status:status",
    "check": "folate.cli.commands.check:check",
    "compact": "folate.cli.commands.compact:compact",
    "migrate": "folate.cli.commands.migrate:migrate",
}
COMMAND_SUMMARIES = {
    "init": "Make a project: a folder with a commented folate.toml.",
    "import": "Import posts from CSV, JSONL, XLSX or Parquet files.",
    "crawl": "Crawl the sources of the project.",
    "reparse": "Read a crawl's kept pages again with today's parsers.",
    "annotate": "Read the posts: language, words, brands, duplicates, sentiment.",
    "topics": "Find the emerging topics of a week or a day; the life of one.",
    "audit": "Judge a blind sample, which the report's shares then rest on.",
    "adapt": "Adapt the model's judgements of brands to the labels of 'folate audit'.",
    "tags": "Learn the thresholds of tags from posts that a person judges.",
    "leads": "Score purchase intent by author and brand.",
    "campaign": "Measure a campaign before, during and after.",
    "network": "Write who answers and reposts whom as GraphML.",
    "report": "Write the report of a week.",
    "send": "Mail the report of a week.",
    "watch": "Look for what the alerts of folate.toml describe, and tell of it once.",
    "evidence": "Show what is behind a number or a sentence of a report: query, versions, posts.",
    "export": "Write posts or annotations to standard output.",
    "classify": "Classify JSON lines from standard input; needs no project.",
    "segment": "Segment lines from standard input into words; needs no project.",
    "status": "Show what the project holds, by source and week.",
    "check": "Look for damage: what is damaged, what is lost, what to do.",
    "compact": "Merge small files of the store and remove what no report names.",
    "migrate": "Bring an older store to this version's schema.",
}
EPILOG = (
    "Exit codes: 0 done; 1 failed; 2 wrong option or project file; 3 unreadable input; 4 the store refused; 5 not found; "
    "6 a crawl got nothing from a source; 7 an optional package is missing; 8 something could not be delivered; 130 interrupted."
)


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own, imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name].split(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            from folate.core.errors import suggestion

            raise click.UsageError(f"no command {args[0]!r}; {suggestion(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMAND_SUMMARIES.items()))


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="folate", message="%(prog)s %(version)s")
def cli() -> None:
    """Folate reads what people say about a brand, in Chinese and in English."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exits with the code that the epilog documents."""
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(run_command(arguments))


def run_command(arguments: list[str]) -> int:
    """Run one command and return its exit code. Errors become one sentence, unless --debug asks for the traceback."""
    enable_progress_bars()
    try:
        code = cli.main(arguments or ["--help"], prog_name="folate", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.Abort:
        return _fail("interrupted.", 130)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone: nothing left to say, and Python would complain once more at exit
        return 0
    except (FolateError, OSError) as error:
        if "--debug" in arguments:
            raise
        return _fail(str(error), getattr(error, "exit_code", 1))
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    from folate.cli.terminal import print_stderr

    print_stderr(f"folate: {message}")
    return code
