"""One trade: its project made, reported, audited and reported again, each time beside the labels."""

from pathlib import Path

import numpy as np

from benchmarks.truth.compare import AUDITED, CARRIED, UNAUDITED, Estimate, of_peers, of_report
from benchmarks.truth.project import build
from benchmarks.truth.sets import Trade
from benchmarks.truth.weeks import WEEKS, draw
from nlp.model import prior

AUDITED_WEEKS = (WEEKS[0], WEEKS[3])
"""Each is audited in a copy of the project of its own, and carried to the weeks after it."""


def compare_trade(trade: Trade, work: Path, seed: int, threads: int) -> list[Estimate]:
    """Make the project of a trade under `work` and compare its reports with the labels.

    The project is reported as it is, and once more for each of AUDITED_WEEKS after that week was
    audited in a copy.
    """
    about = {"trade": trade.name, "part": trade.part}
    weeks = {brand.id: draw(brand, seed) for brand in trade.brands}
    project = build(trade, weeks, work, threads)
    counted = project.counted()
    estimates = list(of_peers(counted, np.array(prior()), about))
    for week in WEEKS:
        estimates += of_report(project.report(week), counted, about | {"method": UNAUDITED})
    for audited_week in AUDITED_WEEKS:
        copy = project.audited(work / f"{project.folder.name}-audited", audited_week)
        for week in (each for each in WEEKS if each >= audited_week):
            method = AUDITED if week == audited_week else CARRIED
            estimates += of_report(
                copy.report(week), counted, about | {"method": method, "audited": str(audited_week)}
            )
    return estimates
