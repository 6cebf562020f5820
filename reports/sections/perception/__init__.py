"""How a brand is perceived beside its competitors: aspects, the map, words, moves between brands."""

from collections.abc import Mapping
from dataclasses import dataclass

from corpora.store.snapshot import Snapshot
from folate.core.weeks import Period, preceding_periods
from reports.measures.brands import ReportContext
from reports.messages import Messages
from reports.sections.perception.aspects import (
    AspectEstimates,
    AspectGap,
    AspectMeasures,
    MapPoint,
    PerceptualMap,
    compute_perceptual_map,
)
from reports.sections.perception.mentions import read_aspect_mentions
from reports.sections.perception.moves import BrandComparison, BrandRelations, find_brand_relations
from reports.sections.perception.words import DistinctiveWord, distinctive_words

__all__ = [
    "AspectGap",
    "AspectMeasures",
    "BrandComparison",
    "BrandRelations",
    "DistinctiveWord",
    "MapPoint",
    "Perception",
    "PerceptualMap",
    "perceive",
]

PERCEPTION_WEEKS = 4  # that aspects and words are read over: one week of most brands is too thin for fourteen aspects
RELATION_WEEKS = 9  # that moves between brands are read over: they are rarer still


@dataclass(frozen=True, kw_only=True)
class Perception:
    """What the last weeks say of brands against each other. Lists are empty where nothing was said, never zero."""

    weeks: tuple[Period, ...]
    cells: tuple[AspectMeasures, ...]  # brands in the order of folate.toml, aspects by name
    gaps: tuple[AspectGap, ...]
    map: PerceptualMap
    words: tuple[DistinctiveWord, ...]
    moves: BrandRelations
    custom_aspect_names: Mapping[str, str]  # names of the aspects that the project adds

    def aspect_name(self, aspect: str, message: Messages) -> str:
        """What is printed of an aspect."""
        return self.custom_aspect_names.get(aspect) or message.word("aspect", aspect)


def perceive(snapshot: Snapshot, context: ReportContext) -> Perception:
    """Perception in the weeks that end with the report's."""
    weeks = [*preceding_periods(context.week, PERCEPTION_WEEKS), context.week]
    spoken = read_aspect_mentions(snapshot, context.brand_ids, weeks, context.config.timezone)
    now = spoken.select_weeks(1, len(weeks))
    table, own = AspectEstimates(now, context), context.config.own_brand
    return Perception(
        weeks=now.weeks,
        cells=tuple(table.aspect_measures()),
        gaps=table.gaps(context.brand_ids.index(own.id)) if own else (),
        map=compute_perceptual_map(now, spoken.select_weeks(0, PERCEPTION_WEEKS), context),
        words=distinctive_words(snapshot, context, now.weeks),
        custom_aspect_names={
            aspect.id: " / ".join(aspect.names) for aspect in context.config.aspects
        },
        moves=find_brand_relations(
            snapshot, context, [*preceding_periods(context.week, RELATION_WEEKS - 1), context.week]
        ),
    )
