"""The command `folate adapt`."""

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
    help="Id of a brand in folate.toml; default: all with at least 50 labels.",
)
@click.option("--undo", is_flag=True, help="Remove adaptations instead of making them.")
@project_option
@format_option(*DATA_FORMATS)
@click.pass_context
def adapt(ctx: click.Context, brands: tuple[str, ...], undo: bool, folder: Path, form: str) -> None:
    """Adapt the model's sentiment for a brand to the labels given in 'folate audit'.

    The probabilities of negative, neutral and positive are multiplied by one factor each, which is
    fitted to the labels of the brand. No post is read again. The adaptation is cross-validated
    first, and refused if the log loss on other labels does not fall by more than its standard
    error, or if the error of the shares does not fall. Posts that are annotated later are adapted
    too, until another model annotates them.
    """
    if ctx.invoked_subcommand:
        return
    from folate.core.errors import NotFound
    from folate.pipeline.adapt import adapt_brand, audited_brands, remove_adaptations
    from folate.pipeline.project import Project
    from nlp.stats.adaptation import MIN_LABELS

    project = Project.open(folder)
    if undo:
        removed = remove_adaptations(project, brands)
        if removed:
            print_stderr(f"the adaptation of {', '.join(removed)} is taken back.")
        else:
            print_stderr("nothing was adapted.")
        return
    brand_ids = brands or audited_brands(project)
    if not brand_ids:
        raise NotFound(
            f"wanted a brand with {MIN_LABELS} labels of people, got none: "
            "'folate audit' asks for them."
        )
    rows = [adapt_brand(project, brand_id) for brand_id in brand_ids]
    print_rows(rows, form)
    for row in rows:
        print_stderr(_describe_outcome(row))


@adapt.command(short_help="Show which brands are adapted, to how many labels, and with what gain.")
@project_option
@format_option(*DATA_FORMATS)
def status(folder: Path, form: str) -> None:
    """Show for each brand how many labels it has, whether it is adapted, and the measured gain."""
    from folate.pipeline.adapt import adaptation_notes, adaptation_status
    from folate.pipeline.project import Project

    project = Project.open(folder)
    print_rows(adaptation_status(project), form)
    for note in adaptation_notes(project):
        print_stderr(note)


def _describe_outcome(row: dict[str, Any]) -> str:
    """Say in one sentence whether a brand was adapted, with the figures that decided it."""
    share_error_before = 100 * row["share_error_before"]
    share_error_after = 100 * row["share_error_after"]
    figures = (
        "on labels it was not fitted to, "
        f"log loss {row['loss_before']:.3f} -> {row['loss_after']:.3f} "
        f"(standard error of the difference {row['standard_error']:.3f}), "
        f"mean error of shares {share_error_before:.1f} -> {share_error_after:.1f} points"
    )
    brand = repr(row["brand"])
    if row["state"] == "adapted":
        return f"{brand} is adapted to {row['labels']} labels: {figures}."
    return (
        f"{brand} is not adapted, since {row['labels']} labels show no gain beyond chance: "
        f"{figures}."
    )
