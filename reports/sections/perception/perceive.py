"""How a brand is perceived beside its competitors: aspects, their map, words and switching."""

from collections.abc import Mapping
from dataclasses import dataclass

from folate.core.weeks import Period
from reports.context import RECENT_WEEKS, RELATION_WEEKS, ReportContext
from reports.messages import Messages
from reports.sections.perception.aspects import AspectEstimates, AspectGap, AspectMeasures
from reports.sections.perception.map import PerceptualMap, compute_perceptual_map
from reports.sections.perception.mentions import read_aspect_mentions
from reports.sections.perception.moves import BrandRelations, find_brand_relations
from reports.sections.perception.words import DistinctiveWord, find_distinctive_words


@dataclass(frozen=True, kw_only=True)
class Perception:
    """What posts of the last weeks say about the brands; lists are empty where nothing is said."""

    weeks: tuple[Period, ...]
    cells: tuple[AspectMeasures, ...]
    """Brands in the order of folate.toml, then aspects by name."""
    gaps: tuple[AspectGap, ...]
    map: PerceptualMap
    words: tuple[DistinctiveWord, ...]
    moves: BrandRelations
    custom_aspect_names: Mapping[str, str]
    """Names of the aspects that the project adds, by id."""

    def aspect_name(self, aspect: str, message: Messages) -> str:
        """Return the name that is printed of an aspect."""
        return self.custom_aspect_names.get(aspect) or message.word("aspect", aspect)


def perceive(context: ReportContext) -> Perception:
    """Measure perception over the weeks that end with the report's."""
    # one week more: the map is rotated onto that of the week before
    mentions = read_aspect_mentions(context, context.last_weeks(RECENT_WEEKS + 1))
    current = mentions.select_weeks(1, RECENT_WEEKS + 1)
    previous = mentions.select_weeks(0, RECENT_WEEKS)
    estimates = AspectEstimates(current, context)
    custom_aspects = context.config.aspects
    return Perception(
        weeks=current.weeks,
        cells=tuple(estimates.aspect_measures()),
        gaps=estimates.gaps(context.own_brand_id),
        map=compute_perceptual_map(current, previous, context),
        words=find_distinctive_words(context, current.weeks),
        custom_aspect_names={aspect.id: " / ".join(aspect.names) for aspect in custom_aspects},
        moves=find_brand_relations(context, context.last_weeks(RELATION_WEEKS)),
    )
