"""The keys of a project file as frozen records, with their meanings and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from folate.core import measures
from folate.core.errors import ConfigError, suggestion

CONFIG_FILE = "folate.toml"
REPORT_LANGUAGES = ("zh", "en")
LEVEL_SEPARATOR = " / "
"""Separator of the levels of a label of the taxonomy."""

MIN_ASPECT_EXAMPLES = 3
"""Examples that an aspect needs."""

ALERT_CHANNELS = ("file", "webhook", "mail")
SMTP_SECURITY_MODES = ("starttls", "ssl", "none")
MAX_SMTP_TIMEOUT_SECONDS = 120.0
"""Seconds that a mail server may take for one step.

Four steps fit the lease of a claim (`folate.delivery.outbox`)."""

CAMPAIGN_MEASURES = tuple(measure.short_name for measure in measures.CAMPAIGN_MEASURES)


@dataclass(frozen=True, kw_only=True)
class Brand:
    """A brand: its names, its products, and whether it is our own."""

    id: str
    # The first is printed in reports.
    names: tuple[str, ...]
    products: tuple[str, ...] = ()
    own: bool = False

    @property
    def label(self) -> str:
        return self.names[0]

    @property
    def aliases(self) -> tuple[str, ...]:
        return self.names + self.products


@dataclass(frozen=True, kw_only=True)
class CustomAspect:
    """An aspect beside those of the model, found by clauses that are like its examples."""

    id: str
    # Printed, in the languages of the report.
    names: tuple[str, ...]
    # Clauses that mention it, in any language of the posts.
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AudienceSegment:
    """An audience, found by terms with which authors describe themselves."""

    id: str
    # Printed, in the languages of the report.
    names: tuple[str, ...]
    terms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Label:
    """A tag for posts with up to four levels, such as "food / dairy / yogurt"."""

    label: str
    # Of the last level, printed, in the languages of the report.
    names: tuple[str, ...] = ()
    # Words for it, besides its names.
    synonyms: tuple[str, ...] = ()
    # Posts about it.
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """Points of purchase intent that a post gives its author, by signal; 0 ignores a signal."""

    # Any question, as the model predicts.
    asks: float = 1.0
    asks_price: float = 2.0
    asks_where: float = 3.0
    compares: float = 3.0
    wants: float = 4.0
    bought: float = 5.0
    recommends: float = 1.0
    # To the brand.
    switches: float = 4.0
    # The brand.
    leaves: float = -4.0
    complains: float = -2.0
    # Number of weeks that are summed, up to that of the report.
    weeks: int = 4


@dataclass(frozen=True, kw_only=True)
class PrivacyConfig:
    """What is stored of people beyond the keyed hash of an author."""

    # Sources whose public handles are stored: must be empty.
    keep_handles: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CampaignGoal:
    """A goal of a campaign, declared in advance: the least effect on a measure."""

    # One of docs/campaigns.md.
    measure: str
    # In the unit of its effect: .2 is 20 % for counts, 20 points for shares.
    least: float


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """A campaign of a brand, measured before, during and after."""

    id: str
    # Printed, in the languages of the report.
    names: tuple[str, ...]
    start: date
    # Its last day.
    end: date
    # Our own when empty.
    brand: str = ""
    # Days.
    before: int = 28
    after: int = 28
    # Words that it introduces.
    themes: tuple[str, ...] = ()
    goals: tuple[CampaignGoal, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """A web site to crawl."""

    name: str
    spider: str
    start: tuple[str, ...]
    kind: str = "forum"
    queries: tuple[str, ...] = ()
    # Of dates shown without an offset; the project's when missing.
    zone: str | None = None
    # Seconds between two requests to one domain.
    delay: float = 1.0
    # Most list pages per start or query; reaching it marks the crawl as saturated.
    pages: int = 1000
    # Most pages of one thread, or of one product's reviews.
    thread_pages: int = 1000
    # Most requests of one crawl, without retries and redirects.
    requests: int = 50_000
    # Longest duration of one crawl of the source.
    hours: float = 24.0
    # Most data that one crawl of the source downloads, unpacked.
    gigabytes: float = 10.0
    # Threads younger than this are fetched again.
    revisit_days: int = 14
    # Of the source in share of voice.
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class CrawlConfig:
    """Settings of requests to all sources."""

    user_agent: str = "Folate/0.1 (+https://example.org/folate; brand research; obeys robots.txt)"
    contact: str = ""
    cache_hours: float = 12.0
    retries: int = 4
    timeout: float = 30.0


@dataclass(frozen=True, kw_only=True)
class NlpConfig:
    """The model that annotates posts."""

    # Empty: the one that ships with Folate; else a transformers folder or hub name.
    model: str = ""
    # Confirmed words that the dictionary lacks.
    words: tuple[str, ...] = ()
    # 0: as many as the machine has cores.
    threads: int = 0
    # Layers of the model for a post: "half", "enough" (all in case of doubt) or "all".
    depth: str = "enough"
    # Whether lemmas and parts of speech are annotated, too.
    tags: bool = False


@dataclass(frozen=True, kw_only=True)
class Topics:
    """Thresholds for an emerging term."""

    baseline_weeks: int = 8
    min_authors: int = 5
    min_gain: float = 2.0
    # Tolerated per brand and week.
    false_terms: float = 0.2


@dataclass(frozen=True, kw_only=True)
class SmtpConfig:
    """The mail server for reports and alerts."""

    # Empty: no mail is sent.
    host: str = ""
    port: int = 587
    # Starttls, ssl, or none (only without a password, or to this machine).
    security: str = "starttls"
    user: str = ""
    # The environment variable with the password.
    password_variable: str = "FOLATE_SMTP_PASSWORD"  # noqa: S105
    sender: str = ""
    to: tuple[str, ...] = ()
    timeout: float = 30.0


@dataclass(frozen=True, kw_only=True)
class TopicRule:
    """An alert on an emerging topic with a high score."""

    id: str
    score: float
    # Only topics of this brand; empty: any.
    brand: str = ""
    # Also those whose rise may be an artefact.
    flagged: bool = False
    # Channels; all that are configured when missing.
    to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SentimentRule:
    """An alert on a fall of the net sentiment of a brand that the report calls significant."""

    id: str
    brand: str
    # Smallest one, in points of the report's scale (-100 to 100).
    drop: float = 2.0
    to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VolumeRule:
    """An alert on more authors than expected of posts that match a query."""

    id: str
    # A post has one of them, in any written form; empty: any post.
    words: tuple[str, ...] = ()
    # And mentions this brand; empty: any post.
    brand: str = ""
    # And stands on one of these; empty: any.
    sources: tuple[str, ...] = ()
    min_authors: int = 5
    # Least rise over the expected number of authors.
    min_gain: float = 1.5
    # Tolerated per week.
    false_alarms: float = 0.01
    to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class QueryRule:
    """An alert on more authors than expected of posts that a query of the corpus finds."""

    id: str
    # docs/query-language.md; "@name" for a saved one.
    query: str
    min_authors: int = 5
    # Least rise over the expected number of authors.
    min_gain: float = 1.5
    # Tolerated per week.
    false_alarms: float = 0.01
    to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AlertsConfig:
    """The rules of `folate watch`, and the recipients of its alerts."""

    # JSON lines, in the project's folder; empty: none.
    file: str = ""
    # An http or https address; empty: none.
    webhook: str = ""
    # The environment variable that holds the webhook's bearer token.
    token_variable: str = ""
    # Recipients, through [smtp].
    mail: tuple[str, ...] = ()
    topic: tuple[TopicRule, ...] = ()
    sentiment: tuple[SentimentRule, ...] = ()
    volume: tuple[VolumeRule, ...] = ()
    query: tuple[QueryRule, ...] = ()

    @property
    def rules(self) -> "tuple[TopicRule | SentimentRule | VolumeRule | QueryRule, ...]":
        return self.topic + self.sentiment + self.volume + self.query

    @property
    def channels(self) -> tuple[str, ...]:
        """The configured ones of ALERT_CHANNELS."""
        return tuple(name for name in ALERT_CHANNELS if getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class Config:
    """A project file."""

    name: str
    timezone: str = "Asia/Shanghai"
    language: str = "en"
    brands: tuple[Brand, ...] = ()
    watch: tuple[str, ...] = ()
    segments: tuple[AudienceSegment, ...] = ()
    # Empty: the one that ships with Folate.
    taxonomy: tuple[Label, ...] = ()
    aspects: tuple[CustomAspect, ...] = ()
    campaign: tuple[Campaign, ...] = ()
    sources: tuple[Source, ...] = ()
    crawl: CrawlConfig = CrawlConfig()
    nlp: NlpConfig = NlpConfig()
    topics: Topics = Topics()
    scorecard: Scorecard = Scorecard()
    privacy: PrivacyConfig = PrivacyConfig()
    smtp: SmtpConfig = SmtpConfig()
    alerts: AlertsConfig = AlertsConfig()
    # Saved queries by name, for `@name` (docs/query-language.md).
    queries: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def own_brand(self) -> Brand | None:
        return next((brand for brand in self.brands if brand.own), None)

    @property
    def vocabulary(self) -> list[str]:
        """Words that segmentation never splits: brands, products and confirmed new words."""
        return [alias for brand in self.brands for alias in brand.aliases] + list(self.nlp.words)

    def find_source(self, name: str) -> Source:
        """Return the source with this name. Raises ConfigError."""
        for source in self.sources:
            if source.name == name:
                return source
        raise ConfigError(
            f"no source {name!r} in {CONFIG_FILE}; "
            f"{suggestion(name, (source.name for source in self.sources))}"
        )
