"""Aspects by brand: how often and how favourably they are named, and gaps to competitors."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from corpora.store.snapshot import sql_literal
from nlp.stats.estimation import (
    Floats,
    benjamini_hochberg,
    percentile_interval,
    two_sided_p_value,
)
from reports.context import NO_INTERVAL, Interval, ReportContext
from reports.figures import Figure
from reports.measures.brands import FALSE_DISCOVERY_RATE, MIN_AUTHORS, MIN_CHANGE
from reports.measures.estimates import ratio
from reports.sections.perception.mentions import AspectMentions

_ASPECT_QUERY = """
SELECT id, r.author, a.negative, a.positive FROM ({rows}) r JOIN aspects a USING (id, brand) \
WHERE counted AND aspect = {aspect} ORDER BY id
""".strip()

_SHARE_QUERY = """
SELECT count(a.aspect) / count(*) AS share FROM ({rows}) r
LEFT JOIN (SELECT id, brand, aspect FROM aspects WHERE aspect = {aspect}) a USING (id, \
brand) WHERE counted
""".strip()


@dataclass(frozen=True, kw_only=True)
class AspectMeasures:
    """The figures of an aspect of a brand; without a value where nobody speaks of it."""

    brand: str
    aspect: str
    share: Figure
    """Share of the brand's mentions that speak of the aspect."""
    net: Figure
    """(P - N) / (P + N) of these mentions."""


@dataclass(frozen=True, kw_only=True)
class AspectGap:
    """An aspect on which a competitor's net sentiment is above ours."""

    brand: str
    aspect: str
    gap: Figure
    """The competitor's net sentiment less ours."""


@dataclass(frozen=True)
class AspectEstimates:
    """Estimates of a window of mentions with bootstrap draws, and the figures made of them."""

    mentions: AspectMentions
    context: ReportContext

    def aspect_measures(self) -> Iterator[AspectMeasures]:
        """Yield the figures of every brand and aspect."""
        for brand, brand_id in enumerate(self.mentions.brands):
            mention_count = int(self.mentions.mention_counts[0, brand])
            for aspect, aspect_id in enumerate(self.mentions.aspects):
                aspect_count = int(self.counts[0, brand, aspect])
                share = self._estimate("aspect_share", self.shares, brand, aspect, mention_count)
                net = self._estimate("aspect_net", self.nets, brand, aspect, aspect_count)
                yield AspectMeasures(brand=brand_id, aspect=aspect_id, share=share, net=net)

    @cached_property
    def counts(self) -> Floats:
        """Mentions of each aspect, (1 + draws, brands, aspects)."""
        return self.mentions.aspect_counts

    @cached_property
    def shares(self) -> Floats:
        """Share of the brand's mentions, (1 + draws, brands, aspects)."""
        return ratio(self.counts, self.mentions.mention_counts[..., None])

    @cached_property
    def nets(self) -> Floats:
        """Net sentiment, (1 + draws, brands, aspects)."""
        negative = self.mentions.sum_by_aspect(self.mentions.polarity[:, 0])
        positive = self.mentions.favourable_counts
        return ratio(positive - negative, positive + negative)

    def count_authors(self, brand: int, aspect: int) -> int:
        """Count the distinct authors who speak of an aspect of a brand."""
        mentions = self.mentions
        selected = (mentions.brand == brand) & (mentions.aspect == aspect)
        return len(np.unique(mentions.author[selected]))

    def _estimate(self, measure: str, draws: Floats, brand: int, aspect: int, n: int) -> Figure:
        """Make a figure of draws (1 + draws, brands, aspects)."""
        values = draws[:, brand, aspect]
        has_few_authors = self.count_authors(brand, aspect) < MIN_AUTHORS
        has_interval = not has_few_authors and bool(np.isfinite(values).all())
        return self._figure(
            measure,
            float(values[0]),
            brand=brand,
            aspect=aspect,
            n=n,
            interval=percentile_interval(values[1:]) if has_interval else NO_INTERVAL,
            flags=("few",) if has_few_authors and np.isfinite(values[0]) else (),
        )

    def _figure(
        self,
        measure: str,
        value: float,
        *,
        brand: int,
        aspect: int,
        n: int,
        interval: Interval,
        flags: tuple[str, ...] = (),
    ) -> Figure:
        """Make a figure of a brand and an aspect, by index."""
        mentions = self.mentions
        brand_id = mentions.brands[brand]
        aspect_id = mentions.aspects[aspect]
        query = _SHARE_QUERY if measure == "aspect_share" else _ASPECT_QUERY
        return self.context.figure(
            measure,
            value,
            n=n,
            query=query.format(
                rows=self.context.mentions_query(mentions.weeks, [brand_id]),
                aspect=sql_literal(aspect_id),
            ),
            brand=brand_id,
            subject=aspect_id,
            interval=interval,
            posts=mentions.sample_post_ids(brand, aspect) or mentions.sample_post_ids(brand),
            flags=("unaudited", *flags),
        )

    def gaps(self, own_brand_id: str | None) -> tuple[AspectGap, ...]:
        """Find the aspects with a competitor ahead of us beyond chance, largest first.

        The interval of a gap leaves out 0, the gap is at least MIN_CHANGE, and it survives
        Benjamini-Hochberg over all competitors and aspects. Without an own brand there are none.
        """
        if own_brand_id is None:
            return ()
        own_brand = self.mentions.brands.index(own_brand_id)
        candidates = list(self._gap_candidates(own_brand))
        p_values = [
            two_sided_p_value(float(draws[0]), float(draws[1:].std())) for *_, draws in candidates
        ]
        survives = benjamini_hochberg(np.array(p_values), FALSE_DISCOVERY_RATE)
        gaps = []
        for (brand, aspect, draws), is_significant in zip(candidates, survives, strict=True):
            if is_significant and draws[0] >= MIN_CHANGE:
                gap = self._aspect_gap(own_brand, brand, aspect, draws)
                if (gap.gap.low or 0) > 0:
                    gaps.append(gap)
        return tuple(sorted(gaps, key=lambda gap: (-(gap.gap.value or 0), gap.brand, gap.aspect)))

    def _gap_candidates(self, own_brand: int) -> Iterator[tuple[int, int, Floats]]:
        """Yield competitor, aspect and the draws of the gap where both have enough authors."""
        for brand in range(len(self.mentions.brands)):
            if brand == own_brand:
                continue
            for aspect in range(len(self.mentions.aspects)):
                draws = self.nets[:, brand, aspect] - self.nets[:, own_brand, aspect]
                author_count = min(
                    self.count_authors(brand, aspect), self.count_authors(own_brand, aspect)
                )
                if author_count >= MIN_AUTHORS and np.isfinite(draws).all():
                    yield brand, aspect, draws

    def _aspect_gap(self, own_brand: int, brand: int, aspect: int, draws: Floats) -> AspectGap:
        n = int(min(self.counts[0, brand, aspect], self.counts[0, own_brand, aspect]))
        figure = self._figure(
            "aspect_gap",
            float(draws[0]),
            brand=brand,
            aspect=aspect,
            n=n,
            interval=percentile_interval(draws[1:]),
        )
        return AspectGap(brand=figure.brand or "", aspect=figure.subject or "", gap=figure)
