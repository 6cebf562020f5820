"""Each brand's measures for one week, with evidence: levels with intervals, the change to the week before, the trend."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from folate.config import Config
from folate.weeks import Week
from nlp.statistics import Codes, Floats, benjamini_hochberg, detectable, interval, p_value
from reports import queries
from reports.estimates import BALANCED, Estimates, net_sentiment, ratio, unaudited
from reports.figures import CHANGE, DETECTABLE, SAMPLE, Change, Figure
from reports.rows import Mentions

FEWEST_AUTHORS = 5  # below it no interval is given: a bootstrap of four people knows nothing of a fifth
LEAST_CHANGE = 0.02  # smaller ones get no arrow, whatever their interval
FALSE_DISCOVERIES = 0.1  # tolerated among all arrows of a report
TRENDS = ("share_of_voice", "net_sentiment_polar")
CHANGES = ("mentions", "authors", "share_of_voice", "net_sentiment_polar", "net_sentiment_all", "negative", "positive", "rating")


@dataclass(frozen=True, kw_only=True)
class BrandMeasures:
    """One brand in one week. A measure that could not be taken has a figure whose value is None."""

    id: str
    label: str
    own: bool
    method: str  # how sentiment was quantified: emq, probabilities, mixed, or empty when nothing is annotated
    figures: Mapping[str, Figure]
    changes: Mapping[str, Change] = field(default_factory=dict)
    trend: Mapping[str, tuple[Figure, ...]] = field(default_factory=dict)  # oldest week first, this one last


@dataclass(frozen=True)
class Level:
    """A measure as arrays: draws (draws, brands, weeks) and observations (brands, weeks)."""

    draws: Floats
    n: Floats | Codes
    has_interval: bool = True
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What all figures of one report share."""

    config: Config
    week: Week
    versions: str
    flags: tuple[str, ...] = ()  # of counts: "partial", "incomplete" when the week or a source of it is not all there

    @property
    def brands(self) -> tuple[str, ...]:
        return tuple(brand.id for brand in self.config.brands)


def fixed_weights(mentions: Mentions, config: Config) -> Floats:
    """Weight of each source in share of voice, for all weeks: `weight` of folate.toml times the source's distinct authors in the window."""
    declared = {source.name: source.weight for source in config.sources}
    authors = np.bincount(mentions.source[mentions.new_author], minlength=len(mentions.sources))
    return np.array([declared.get(name, 1.0) for name in mentions.sources]) * authors


def levels(estimates: Estimates, audited: bool = False) -> dict[str, Level]:
    """Every measure of every brand and week."""
    shares = estimates.shares()
    mentions, authors = estimates.all_mentions.sum(axis=3), estimates.authors.sum(axis=3)
    voices = np.broadcast_to(authors[0].sum(axis=0), authors[0].shape)
    rating, rated = estimates.rated
    likely = shares.draws if audited else unaudited(shares.draws)
    polar, every = net_sentiment(likely)
    found = {
        "mentions": Level(mentions, mentions[0], has_interval=False),
        "authors": Level(authors, estimates.counted[0].sum(axis=2), has_interval=False),
        "share_of_voice": Level(estimates.share_of_voice(), voices),
        "share_of_voice_raw": Level(estimates.raw_share_of_voice, voices),
        "rating": Level(rating, rated),
        "copies": Level(estimates.copies, mentions[0], has_interval=False),
    }
    sentiment = {"net_sentiment_polar": polar, "net_sentiment_all": every}
    sentiment |= {name: likely[..., label] for label, name in enumerate(("negative", "neutral", "positive"))}
    flags = () if audited else ("unaudited",)
    return found | {name: Level(draws, shares.n, flags=flags) for name, draws in sentiment.items()}


def differences(estimates: Estimates) -> dict[str, Level]:
    """Change of every measure from the first to the second week (draws, brands, 1), in its own unit; counts as a ratio less 1."""
    shares = estimates.shares(jointly=True)
    polar, every = net_sentiment(shares.draws)
    rating, rated = estimates.rated
    mentions, authors = estimates.all_mentions.sum(axis=3), estimates.authors.sum(axis=3)
    found = {name: _minus(draws, authors[0]) for name, draws in (("share_of_voice", estimates.share_of_voice()),)}
    found |= {
        name: Level(ratio(draws[..., 1:], draws[..., :1]) - 1, draws[0]) for name, draws in (("mentions", mentions), ("authors", authors))
    }
    found["rating"] = _minus(rating, rated)
    sentiment = {
        "net_sentiment_polar": polar,
        "net_sentiment_all": every,
        "negative": shares.draws[..., 0],
        "positive": shares.draws[..., 2],
    }
    return found | {name: _minus(draws, shares.n) for name, draws in sentiment.items()}


def _minus(draws: Floats, n: Floats | Codes) -> Level:
    return Level(draws[..., 1:] - draws[..., :1], n)


def measure(mentions: Mentions, asked: Asked, prior: Floats = BALANCED) -> tuple[BrandMeasures, ...]:
    """The measures of every brand of the project for the last week of `mentions`, in the order of folate.toml.

    `prior` (3,) are the prevalences that the posteriors were calibrated under.
    """
    estimates = Estimates(mentions, fixed_weights(mentions, asked.config), prior)
    taken, method = levels(estimates), estimates.shares().method
    changes = _changes(estimates, asked)
    found = []
    for place, brand in enumerate(asked.config.brands):
        weeks = range(len(mentions.weeks))
        figures = {name: _figure(name, level, place, weeks[-1], estimates, asked) for name, level in taken.items()}
        trend = {name: tuple(_figure(name, taken[name], place, week, estimates, asked) for week in weeks) for name in TRENDS}
        found.append(
            BrandMeasures(
                id=brand.id, label=brand.label, own=brand.own, method=str(method[place, -1]), figures=figures, changes=changes[place],
                trend=trend,
            )
        )  # fmt: skip
    return tuple(found)


def _figure(name: str, level: Level, brand: int, week: int, estimates: Estimates, asked: Asked) -> Figure:
    m = estimates.mentions
    draws, few = level.draws[:, brand, week], level.has_interval and estimates.authors[0, brand, week].sum() < FEWEST_AUTHORS
    sure = level.has_interval and not few and bool(np.isfinite(draws).all())
    low, high = interval(draws[1:]) if sure else (None, None)
    count_now = not level.has_interval and m.weeks[week] == asked.week
    return Figure(
        measure=name, week=str(m.weeks[week]), brand=m.brands[brand], value=draws[0], low=low, high=high, n=int(level.n[brand, week]),
        query=_query(name, brand, week, estimates, asked), versions=asked.versions, posts=m.samples.get((brand, week), ()),
        flags=level.flags + (("few",) if few else ()) + (asked.flags if count_now else ()),
    )  # fmt: skip


def _query(name: str, brand: int, week: int, estimates: Estimates, asked: Asked) -> str:
    m, zone = estimates.mentions, asked.config.timezone
    if name == "share_of_voice":
        weights = dict(zip(m.sources, estimates.source_weights.tolist(), strict=True))
        return queries.share_of_voice(m.brands[brand], m.brands, m.weeks[week], zone, weights)
    return queries.measure(name, m.brands[brand], m.brands, [m.weeks[week]], zone)


@dataclass(frozen=True)
class _Difference:
    """A change that can be taken, before it is judged beside the others."""

    brand: int
    measure: str
    draws: Floats
    n: int  # observations in the week that has fewer

    @property
    def error(self) -> float:
        return float(self.draws[1:].std())


def _changes(estimates: Estimates, asked: Asked) -> list[dict[str, Change]]:
    """Per brand, the changes that can be taken, judged together. Like is compared with like: sources that spoke in both weeks."""
    m = estimates.mentions
    present = estimates.authors[0].sum(axis=0) > 0
    both, either = present[-1] & present[-2], present[-1] | present[-2]
    pair = Estimates(m.last(2, both), estimates.source_weights, estimates.prior)
    taken = list(_differences(pair, asked))
    kept = benjamini_hochberg(np.array([p_value(float(one.draws[0]), one.error) for one in taken]), FALSE_DISCOVERIES)
    flags = () if (both == either).all() else ("common_sources",)
    found: list[dict[str, Change]] = [{} for _ in m.brands]
    for one, real in zip(taken, kept, strict=True):
        posts = [sample for week in (len(m.weeks) - 1, len(m.weeks) - 2) for sample in m.samples.get((one.brand, week), ())[: SAMPLE // 2]]
        found[one.brand][one.measure] = _judged(one, bool(real), pair, asked, tuple(posts), flags)
    return found


def _differences(pair: Estimates, asked: Asked) -> Iterator[_Difference]:
    """Every change with enough authors in both weeks."""
    people = pair.authors[0].sum(axis=2)
    for name, level in differences(pair).items():
        if "partial" in asked.flags and name in ("mentions", "authors"):
            continue  # half a week against a whole one
        for brand in range(len(asked.brands)):
            draws = level.draws[:, brand, 0]
            if people[brand].min() >= FEWEST_AUTHORS and np.isfinite(draws).all():
                yield _Difference(brand, name, draws, int(level.n[brand].min()))


def _judged(one: _Difference, real: bool, pair: Estimates, asked: Asked, posts: tuple[str, ...], flags: tuple[str, ...]) -> Change:
    """The change with its evidence; `real` when it survived Benjamini-Hochberg."""
    brand, weeks = asked.brands[one.brand], pair.mentions.weeks
    query = queries.measure(one.measure + CHANGE, brand, asked.brands, weeks, asked.config.timezone)
    figure = Figure(
        measure=one.measure + CHANGE, week=str(asked.week), brand=brand, value=one.draws[0], n=one.n, query=query, versions=asked.versions,
        low=(bounds := interval(one.draws[1:]))[0], high=bounds[1], posts=posts, flags=flags,
    )  # fmt: skip
    smallest = replace(figure, measure=one.measure + DETECTABLE, value=max(LEAST_CHANGE, detectable(one.error)), low=None, high=None)
    clear = bounds[0] > 0 or bounds[1] < 0
    return Change(figure=figure, detectable=smallest, significant=real and clear and abs(float(one.draws[0])) >= LEAST_CHANGE)
