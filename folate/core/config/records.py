"""What a project file holds, as frozen records, with the meaning and the default of every key."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from folate.core import measures
from folate.core.errors import ConfigError, suggestion

CONFIG_FILE = "folate.toml"
REPORT_LANGUAGES = ("zh", "en")
LEVEL_SEPARATOR = " / "  # between the levels of a label of the taxonomy
MIN_ASPECT_EXAMPLES = 3  # of an aspect
ALERT_CHANNELS = ("file", "webhook", "mail")
SMTP_SECURITY_MODES = ("starttls", "ssl", "none")
MAX_SMTP_TIMEOUT_SECONDS = 120.0  # seconds that a mail server may take for one step; four fit the lease of a claim (folate.delivery.outbox)
CAMPAIGN_MEASURES = tuple(measure.short_name for measure in measures.CAMPAIGN_MEASURES)
"""Measures that a goal of a campaign may name."""


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
class CustomAspect:
    """An aspect of goods or services beside those that the model knows, found by clauses like its examples."""

    id: str
    names: tuple[str, ...]  # printed, in the languages of the report
    examples: tuple[str, ...]  # clauses that speak of it, in any of the languages of the posts


@dataclass(frozen=True, kw_only=True)
class AudienceSegment:
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
class PrivacyConfig:
    """What is kept of people beyond the keyed hash of an author."""

    keep_handles: tuple[str, ...] = ()  # sources whose public handles are kept: none can be


@dataclass(frozen=True, kw_only=True)
class CampaignGoal:
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
    goals: tuple[CampaignGoal, ...] = ()


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
    pages: int = (
        1000  # most list pages per start or query; reaching it marks the crawl as saturated
    )
    thread_pages: int = 1000  # most pages of one thread, or of one product's reviews
    requests: int = (
        50_000  # most addresses asked for in one crawl, retries and redirects not counted
    )
    hours: float = 24.0  # longest that one crawl of the source takes
    gigabytes: float = 10.0  # most that one crawl of the source downloads, unpacked
    revisit_days: int = 14  # threads younger than this are read again
    weight: float = 1.0  # of the source in share of voice


@dataclass(frozen=True, kw_only=True)
class CrawlConfig:
    """How Folate behaves as a guest on other people's servers."""

    user_agent: str = "Folate/0.1 (+https://example.org/folate; brand research; obeys robots.txt)"
    contact: str = ""
    cache_hours: float = 12.0
    retries: int = 4
    timeout: float = 30.0


@dataclass(frozen=True, kw_only=True)
class NlpConfig:
    """Which model reads the posts."""

    model: str = ""  # empty: the one that ships with Folate; else a transformers folder or hub name
    words: tuple[str, ...] = ()  # confirmed words that no dictionary has
    threads: int = 0  # 0: as many as the machine has cores
    depth: str = "enough"  # how many layers of the model read a post: "half", "enough" (more where half leaves a doubt) or "all"


@dataclass(frozen=True, kw_only=True)
class Topics:
    """When a term counts as emerging."""

    baseline_weeks: int = 8
    min_authors: int = 5
    min_gain: float = 2.0
    false_terms: float = 0.2  # tolerated per brand and week


@dataclass(frozen=True, kw_only=True)
class SmtpConfig:
    """The mail server that reports and alerts go through."""

    host: str = ""  # empty: no mail is sent
    port: int = 587
    security: str = (
        "starttls"  # starttls, ssl, or none (only without a password, or to this machine)
    )
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
class AlertsConfig:
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
        return tuple(name for name in ALERT_CHANNELS if getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class Config:
    """A whole project file."""

    name: str
    timezone: str = "Asia/Shanghai"
    language: str = "en"
    brands: tuple[Brand, ...] = ()
    watch: tuple[str, ...] = ()
    segments: tuple[AudienceSegment, ...] = ()
    taxonomy: tuple[Label, ...] = ()  # empty: the one that ships with Folate
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

    @cached_property
    def own_brand(self) -> Brand | None:
        return next((brand for brand in self.brands if brand.own), None)

    @property
    def vocabulary(self) -> list[str]:
        """Words that stay whole in segmentation: names of brands and products, and confirmed new words."""
        return [alias for brand in self.brands for alias in brand.aliases] + list(self.nlp.words)

    def find_source(self, name: str) -> Source:
        """The source of that name. Raises ConfigError."""
        for source in self.sources:
            if source.name == name:
                return source
        raise ConfigError(
            f"no source {name!r} in {CONFIG_FILE}; {suggestion(name, (s.name for s in self.sources))}"
        )
