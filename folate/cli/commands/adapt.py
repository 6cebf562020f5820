"""`folate adapt`: the model's judgements of a brand follow the labels of a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr


@click.group(invoke_without_command=True)
@click.option(
    "--brand",
    "brands",
    multiple=True,
    help="Id of a brand, as in folate.toml; default: all with 50 labels.",
)
@click.option("--undo", is_flag=True, help="Take adaptations back in place of making them.")
@project_option
@format_option(*DATA_FORMATS)
@click.pass_context
def adapt(ctx: click.Context, brands: tuple[str, ...], undo: bool, folder: Path, form: str) -> None:
    """Adapt the model's judgements of brands to the labels of 'folate audit'; no post is read again.

    A brand's probabilities of negative, neutral and positive are each multiplied by a factor fitted to its labels. First
    it is cross-validated: where the log loss of labels that were not fitted to does not fall by more than its standard
    error, or the error of the shares does not fall, it is refused, with the figures. Posts that are read later are adapted
    as well, until another model reads them.
    """
    if ctx.invoked_subcommand:
        return
    from folate.core.errors import NotFound
    from folate.pipeline import adapt as steps
    from folate.pipeline.project import Project
    from nlp.stats.adaptation import MIN_LABELS

    project = Project.open(folder)
    if undo:
        undone = steps.remove_adaptations(project, brands)
        print_stderr(
            f"the adaptation of {', '.join(undone)} is taken back."
            if undone
            else "nothing was adapted."
        )
        return
    chosen = brands or steps.audited_brands(project)
    if not chosen:
        raise NotFound(
            f"wanted a brand with {MIN_LABELS} labels of people, got none: 'folate audit' asks for them."
        )
    rows = [steps.adapt_brand(project, brand) for brand in chosen]
    print_rows(rows, form)
    for row in rows:
        print_stderr(_sentence(row))


@adapt.command(short_help="Show which brands are adapted, to how many labels, with what gain.")
@project_option
@format_option(*DATA_FORMATS)
def status(folder: Path, form: str) -> None:
    """Show of each brand how many labels it has, whether it is adapted, and what cross-validation found."""
    from folate.pipeline import adapt as steps
    from folate.pipeline.project import Project

    project = Project.open(folder)
    print_rows(steps.adaptation_status(project), form)
    for note in steps.adaptation_notes(project):
        print_stderr(note)


def _sentence(row: dict[str, Any]) -> str:
    """What was done with a brand, and why."""
    figures = (
        f"on labels it was not fitted to, log loss {row['loss_before']:.3f} -> {row['loss_after']:.3f} "
        f"(standard error of the difference {row['standard_error']:.3f}), "
        f"mean error of shares {100 * row['share_error_before']:.1f} -> {100 * row['share_error_after']:.1f} points"
    )
    if row["state"] == "adapted":
        return f"{row['brand']!r} is adapted to {row['labels']} labels: {figures}."
    return f"{row['brand']!r} is not adapted, since {row['labels']} labels show no gain beyond chance: {figures}."
