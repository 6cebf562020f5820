"""How a brand is perceived beside its competitors: aspects, the map, words, moves between brands."""

from collections.abc import Mapping
from dataclasses import dataclass

from corpora.store.snapshot import Snapshot
from folate.core.weeks import Period, preceding_periods
from reports.measures.brands import Asked
from reports.messages import Catalogue
from reports.sections.perception.aspects import Cell, Gap, Map, Place, Table, perceptual_map
from reports.sections.perception.mentions import read
from reports.sections.perception.moves import Moves, Pair, moves
from reports.sections.perception.words import Word, words

__all__ = ["Cell", "Gap", "Map", "Moves", "Pair", "Perception", "Place", "Word", "perceive"]

WEEKS = 4  # that aspects and words are read over: one week of most brands is too thin for fourteen aspects
MOVE_WEEKS = 9  # that moves between brands are read over: they are rarer still


@dataclass(frozen=True, kw_only=True)
class Perception:
    """What the last weeks say of brands against each other. Lists are empty where nothing was said, never zero."""

    weeks: tuple[Period, ...]
    cells: tuple[Cell, ...]  # brands in the order of folate.toml, aspects by name
    gaps: tuple[Gap, ...]
    map: Map
    words: tuple[Word, ...]
    moves: Moves
    named: Mapping[str, str]  # names of the aspects that the project adds

    def name(self, aspect: str, say: Catalogue) -> str:
        """What is printed of an aspect."""
        return self.named.get(aspect) or say.word("aspect", aspect)


def perceive(snapshot: Snapshot, asked: Asked) -> Perception:
    """Perception in the weeks that end with the report's."""
    weeks = [*preceding_periods(asked.week, WEEKS), asked.week]
    spoken = read(snapshot, asked.brands, weeks, asked.config.timezone)
    now = spoken.within(1, len(weeks))
    table, own = Table(now, asked), asked.config.own_brand
    return Perception(
        weeks=now.weeks,
        cells=tuple(table.cells()),
        gaps=table.gaps(asked.brands.index(own.id)) if own else (),
        map=perceptual_map(now, spoken.within(0, WEEKS), asked),
        words=words(snapshot, asked, now.weeks),
        named={aspect.id: " / ".join(aspect.names) for aspect in asked.config.aspects},
        moves=moves(snapshot, asked, [*preceding_periods(asked.week, MOVE_WEEKS - 1), asked.week]),
    )
