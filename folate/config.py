"""`folate.toml`, read into frozen records. Unknown keys stop with the list of the known ones."""

import tomllib
from dataclasses import MISSING, dataclass, fields
from datetime import date
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from folate.errors import ConfigError, possible
from folate.post import KINDS, source_problem

FILE = "folate.toml"
LANGUAGES = ("zh", "en")
LEVELS = " / "  # between the levels of a label of the taxonomy
FEWEST_EXAMPLES = 3  # of an aspect
CHANNELS = ("file", "webhook", "mail")
SECURITY = ("starttls", "ssl", "none")
CAMPAIGN_MEASURES = (
    "mentions", "people", "share_of_voice", "new_people", "reach",
    "engagement", "replies", "reposts", "engaged",
    "net", "positive", "negative", "pickup", "pickup_net",
    "buy", "ask", "complain",
)  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Brand:
    """A brand: how people write it, its products, and whether it is ours."""

    id: str
    names: tuple[str, ...]  # the first is the one that reports print
    products: tuple[str, ...] = ()
    own: bool = False

    @property
    def label(self) -> str:
        return self.names[0]

    @property
    def aliases(self) -> tuple[str, ...]:
        return self.names + self.products


@dataclass(frozen=True, kw_only=True)
class Aspect:
    """An aspect of goods or services beside those that the model knows, found by clauses like its examples."""

    id: str
    names: tuple[str, ...]  # printed, in the languages of the report
    examples: tuple[str, ...]  # clauses that speak of it, in any of the languages of the posts


@dataclass(frozen=True, kw_only=True)
class Segment:
    """An audience, found in what authors say of themselves."""

    id: str
    names: tuple[str, ...]  # printed, in the languages of the report
    terms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Label:
    """A tag that posts can have, such as "food / dairy / yogurt": at most four levels."""

    label: str
    names: tuple[str, ...] = ()  # of the last level, printed, in the languages of the report
    synonyms: tuple[str, ...] = ()  # words that name it, besides its names
    examples: tuple[str, ...] = ()  # posts on it


@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """Points of purchase intent that one post brings its author; 0 takes a signal out."""

    asks: float = 1.0  # anything, by the model's judgement
    asks_price: float = 2.0
    asks_where: float = 3.0
    compares: float = 3.0
    wants: float = 4.0
    bought: float = 5.0
    recommends: float = 1.0
    switches: float = 4.0  # to the brand
    leaves: float = -4.0  # the brand
    complains: float = -2.0
    weeks: int = 4  # that are summed, the week asked for being the last


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """What is kept of people beyond the keyed hash of an author."""

    keep_handles: tuple[str, ...] = ()  # sources whose public handles are kept: none can be


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a campaign was to reach, declared in advance: the least effect on a measure."""

    measure: str  # of docs/campaigns.md
    least: float  # in the unit of its effect: .2 is 20 % for counts, 20 points for shares


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """A campaign of a brand, measured before, during and after."""

    id: str
    names: tuple[str, ...]  # printed, in the languages of the report
    start: date
    end: date  # its last day
    brand: str = ""  # ours when empty
    before: int = 28  # days
    after: int = 28
    themes: tuple[str, ...] = ()  # words that it plants
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """A place on the web to crawl."""

    name: str
    spider: str
    start: tuple[str, ...]
    kind: str = "forum"
    queries: tuple[str, ...] = ()
    zone: str | None = None  # of dates shown without an offset; the project's when missing
    delay: float = 1.0  # seconds between two requests to one domain
    pages: int = 1000  # most list pages per start or query; reaching it marks the crawl as saturated
    revisit_days: int = 14  # threads younger than this are read again
    weight: float = 1.0  # of the source in share of voice


@dataclass(frozen=True, kw_only=True)
class Crawling:
    """How Folate behaves as a guest on other people's servers."""

    user_agent: str = "Folate/0.1 (+https://example.org/folate; brand research; obeys robots.txt)"
    contact: str = ""
    cache_hours: float = 12.0
    retries: int = 4
    timeout: float = 30.0


@dataclass(frozen=True, kw_only=True)
class Nlp:
    """Which model reads the posts."""

    model: str = ""  # empty: the one that ships with Folate; else a transformers folder or hub name
    words: tuple[str, ...] = ()  # confirmed words that no dictionary has
    threads: int = 0  # 0: as many as the machine has cores


@dataclass(frozen=True, kw_only=True)
class Topics:
    """When a term counts as emerging."""

    baseline_weeks: int = 8
    min_authors: int = 5
    min_gain: float = 2.0
    false_terms: float = 0.2  # tolerated per brand and week


@dataclass(frozen=True, kw_only=True)
class Smtp:
    """The mail server that reports and alerts go through."""

    host: str = ""  # empty: no mail is sent
    port: int = 587
    security: str = "starttls"  # starttls, ssl, or none (only without a password, or to this machine)
    user: str = ""
    password_variable: str = "FOLATE_SMTP_PASSWORD"  # noqa: S105  # the environment variable that holds the password
    sender: str = ""
    to: tuple[str, ...] = ()
    timeout: float = 30.0


@dataclass(frozen=True, kw_only=True)
class TopicRule:
    """Tells of an emerging topic whose score is high enough."""

    id: str
    score: float
    brand: str = ""  # only topics that go with this brand; empty: any
    flagged: bool = False  # also those whose rise may be an artefact
    to: tuple[str, ...] = ()  # channels; all that are configured when missing


@dataclass(frozen=True, kw_only=True)
class SentimentRule:
    """Tells when the net sentiment of a brand is down, as the report's own arrow has it."""

    id: str
    brand: str
    drop: float = 2.0  # smallest one, in points of the report's scale (-100 to 100)
    to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VolumeRule:
    """Tells when more people than expected wrote posts that a saved query finds."""

    id: str
    words: tuple[str, ...] = ()  # a post has one of them, in any written form; empty: any post
    brand: str = ""  # and mentions this brand; empty: any post
    sources: tuple[str, ...] = ()  # and stands on one of these; empty: any
    min_authors: int = 5
    min_gain: float = 1.5  # least rise over the expected number of authors
    false_alarms: float = 0.01  # tolerated per week
    to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """What `folate watch` looks for and whom it tells."""

    file: str = ""  # JSON lines, in the project's folder; empty: none
    webhook: str = ""  # an http or https address; empty: none
    token_variable: str = ""  # the environment variable that holds the webhook's bearer token
    mail: tuple[str, ...] = ()  # recipients, through [smtp]
    topic: tuple[TopicRule, ...] = ()
    sentiment: tuple[SentimentRule, ...] = ()
    volume: tuple[VolumeRule, ...] = ()

    @property
    def rules(self) -> "tuple[TopicRule | SentimentRule | VolumeRule, ...]":
        return self.topic + self.sentiment + self.volume

    @property
    def channels(self) -> tuple[str, ...]:
        """Those that are configured, of CHANNELS."""
        return tuple(name for name in CHANNELS if getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class Config:
    """A whole project file."""

    name: str
    timezone: str = "Asia/Shanghai"
    language: str = "en"
    brands: tuple[Brand, ...] = ()
    watch: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    taxonomy: tuple[Label, ...] = ()  # empty: the one that ships with Folate
    aspects: tuple[Aspect, ...] = ()
    campaign: tuple[Campaign, ...] = ()
    sources: tuple[Source, ...] = ()
    crawl: Crawling = Crawling()
    nlp: Nlp = Nlp()
    topics: Topics = Topics()
    scorecard: Scorecard = Scorecard()
    privacy: Privacy = Privacy()
    smtp: Smtp = Smtp()
    alerts: Alerts = Alerts()

    @cached_property
    def own(self) -> Brand | None:
        return next((brand for brand in self.brands if brand.own), None)

    @property
    def vocabulary(self) -> list[str]:
        """Words that stay whole in segmentation: names of brands and products, and confirmed new words."""
        return [alias for brand in self.brands for alias in brand.aliases] + list(self.nlp.words)

    def source(self, name: str) -> Source:
        """The source of that name. Raises ConfigError."""
        for source in self.sources:
            if source.name == name:
                return source
        raise ConfigError(f"no source {name!r} in {FILE}; {possible(name, (s.name for s in self.sources))}")


def load(project: Path) -> Config:
    """Read and check `project`/folate.toml. Raises ConfigError."""
    path = project / FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"no {FILE} in {project.resolve()}: make one with 'folate init DIR' or name its folder by --project.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"wanted {path} in UTF-8, got byte {error.object[error.start]:#04x} at {error.start}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    return parse(table)


def parse(table: dict[str, Any]) -> Config:
    """Build a Config from a parsed TOML table and check what spans several keys. Raises ConfigError."""
    config = _record(Config, table, FILE)
    _check(config)
    return config


def _record(cls: type[T], table: Any, where: str) -> T:
    """One dataclass from one table, by its annotations."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: wanted a table, got {table!r}.")
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}; {possible(key, known)}")
    for name, field in known.items():
        if name not in table and field.default is MISSING:
            raise ConfigError(f"{where}: {name!r} is missing.")
    return cls(**{key: _value(known[key].type, value, f"{where}: {key}") for key, value in table.items()})


def _value(kind: Any, value: Any, where: str) -> Any:
    """`value` as the annotation `kind` wants it: a scalar, a tuple of them, a record or a tuple of records."""
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where}: wanted a list, got {value!r}.")
        inner = get_args(kind)[0]
        return tuple(_value(inner, item, f"{where}[{i}]") for i, item in enumerate(value))
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]
    if hasattr(kind, "__dataclass_fields__"):
        return _record(kind, value, where)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ConfigError(f"{where}: wanted {_TYPE_NAMES[kind]}, got {value!r}.")
    return value


_TYPE_NAMES = {str: "a string", int: "a whole number", float: "a number", bool: "true or false", date: "a date such as 2026-03-02"}


def _check(config: Config) -> None:
    for zone in (config.timezone, *(s.zone for s in config.sources if s.zone)):
        _check_zone(zone)
    if config.language not in LANGUAGES:
        raise ConfigError(f"{FILE}: wanted language among {', '.join(LANGUAGES)}, got {config.language!r}.")
    for what, names in (
        ("brand", [b.id for b in config.brands]),
        ("source", [s.name for s in config.sources]),
        ("segment", [s.id for s in config.segments]),
        ("label", [entry.label for entry in config.taxonomy]),
        ("aspect", [a.id for a in config.aspects]),
        ("campaign", [c.id for c in config.campaign]),
    ):
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f"{FILE}: {what} {name!r} stands twice; each needs a name of its own.")
    if sum(brand.own for brand in config.brands) > 1:
        raise ConfigError(f"{FILE}: wanted one brand with own = true, got {sum(b.own for b in config.brands)}.")
    for brand in config.brands:
        if not brand.names or not all(alias.strip() for alias in brand.aliases):
            raise ConfigError(f"{FILE}: brand {brand.id!r} needs at least one name, and no name may be empty.")
    _check_taxonomy(config.taxonomy)
    _check_leads(config)
    for source in config.sources:
        if source.kind not in KINDS:
            raise ConfigError(f"{FILE}: source {source.name!r}: wanted a kind among {', '.join(KINDS)}, got {source.kind!r}.")
        if problem := source_problem(source.name):
            raise ConfigError(f"{FILE}: {problem}.")
    _check_aspects(config)
    _check_alerts(config)
    _check_campaigns(config)


def _check_aspects(config: Config) -> None:
    for aspect in config.aspects:
        if not aspect.names:
            raise ConfigError(f"{FILE}: aspect {aspect.id!r} needs at least one name.")
        if (given := len(set(aspect.examples))) < FEWEST_EXAMPLES:
            raise ConfigError(f"{FILE}: aspect {aspect.id!r} needs {FEWEST_EXAMPLES} examples or more, and has {given}.")


def _check_alerts(config: Config) -> None:
    alerts, brands = config.alerts, [brand.id for brand in config.brands]
    for rule in alerts.rules:
        where = f"{FILE}: alert {rule.id!r}"
        if [other.id for other in alerts.rules].count(rule.id) > 1:
            raise ConfigError(f"{where} stands twice; each needs an id of its own.")
        if rule.brand and rule.brand not in brands:
            raise ConfigError(f"{where}: no brand {rule.brand!r}; {possible(rule.brand, brands)}")
        for channel in rule.to:
            if channel not in alerts.channels:
                raise ConfigError(f"{where}: no channel {channel!r} in [alerts]; {possible(channel, alerts.channels)}")
    if alerts.webhook and not alerts.webhook.lower().startswith(("http://", "https://")):
        raise ConfigError(f"{FILE}: wanted an http or https address as the webhook of [alerts], got another.")  # it may hold a secret
    if config.smtp.security not in SECURITY:
        raise ConfigError(f"{FILE}: wanted security of [smtp] among {', '.join(SECURITY)}, got {config.smtp.security!r}.")
    if alerts.mail and not config.smtp.host:
        raise ConfigError(f"{FILE}: wanted a host in [smtp] to mail alerts through, got none.")


def _check_campaigns(config: Config) -> None:
    for campaign in config.campaign:
        where = f"{FILE}: campaign {campaign.id!r}"
        if campaign.end < campaign.start:
            raise ConfigError(f"{where}: wanted an end on or after its start, got {campaign.start} to {campaign.end}.")
        if campaign.before < 1 or campaign.after < 0:
            raise ConfigError(f"{where}: wanted at least 1 day before and 0 after, got {campaign.before} and {campaign.after}.")
        if not campaign.names:
            raise ConfigError(f"{where} needs at least one name.")
        if campaign.brand not in {"", *(brand.id for brand in config.brands)}:
            raise ConfigError(f"{where}: no brand {campaign.brand!r}; {possible(campaign.brand, (b.id for b in config.brands))}")
        if not campaign.brand and config.own is None:
            raise ConfigError(f"{where} names no brand, and no brand has own = true.")
        for goal in campaign.goals:
            if goal.measure not in CAMPAIGN_MEASURES:
                raise ConfigError(f"{where}: no measure {goal.measure!r}; {possible(goal.measure, CAMPAIGN_MEASURES)}")


def _check_taxonomy(taxonomy: tuple[Label, ...]) -> None:
    for entry in taxonomy:
        levels = entry.label.split(LEVELS)
        if len(levels) > 4 or not all(level.strip() for level in levels):
            raise ConfigError(f"{FILE}: wanted a label of one to four levels such as 'food{LEVELS}dairy', got {entry.label!r}.")
        if not (entry.names or entry.synonyms or entry.examples):
            raise ConfigError(f"{FILE}: label {entry.label!r} needs names, synonyms or examples: nothing would be found by it.")


def _check_leads(config: Config) -> None:
    if config.scorecard.weeks < 1:
        raise ConfigError(f"{FILE}: scorecard: wanted weeks to be 1 or more, got {config.scorecard.weeks}.")
    if config.privacy.keep_handles:
        raise ConfigError(
            f"{FILE}: privacy: wanted keep_handles to be empty, got {config.privacy.keep_handles[0]!r}: "
            "authors are stored as keyed hashes only, so no public handle is there to be kept."
        )


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(f"{FILE}: wanted an IANA time zone such as Asia/Shanghai, got {name!r}.") from error
