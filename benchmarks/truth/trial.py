"""The comparison of the reports of one trade with the labels, with and without an audit."""

from pathlib import Path

import numpy as np

from benchmarks.truth.compare import (
    AUDITED,
    CARRIED,
    UNAUDITED,
    MeasureEstimate,
    compare_peers,
    compare_report,
)
from benchmarks.truth.project import build_trade_project
from benchmarks.truth.sets import Trade
from benchmarks.truth.weeks import WEEKS, draw_brand_weeks
from nlp.model import model_class_prior

AUDITED_WEEKS = (WEEKS[0], WEEKS[3])
"""Each is audited in a copy of the project of its own, and carried to the weeks after it."""


def compare_trade(trade: Trade, work: Path, seed: int, threads: int) -> list[MeasureEstimate]:
    """Make the project of a trade under `work` and compare its reports with the labels.

    The project is reported as it is, and once more for each of AUDITED_WEEKS after that week was
    audited in a copy.
    """
    common_fields = {"trade": trade.name, "part": trade.part}
    weeks = {brand.id: draw_brand_weeks(brand, seed) for brand in trade.brands}
    project = build_trade_project(trade, weeks, work, threads)
    counted = project.counted_posts()
    estimates = list(compare_peers(counted, np.array(model_class_prior()), common_fields))
    for week in WEEKS:
        estimates += compare_report(
            project.write_report(week), counted, common_fields | {"method": UNAUDITED}
        )
    for audited_week in AUDITED_WEEKS:
        copy = project.make_audited_copy(work / f"{project.folder.name}-audited", audited_week)
        for week in WEEKS[WEEKS.index(audited_week) :]:
            method = AUDITED if week == audited_week else CARRIED
            estimates += compare_report(
                copy.write_report(week),
                counted,
                common_fields | {"method": method, "audited": str(audited_week)},
            )
    return estimates
