"""Validation of a project file beyond the types of its keys. Each check raises ConfigError."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from folate.core import addresses
from folate.core.config.records import (
    CAMPAIGN_MEASURES,
    CONFIG_FILE,
    LEVEL_SEPARATOR,
    MAX_SMTP_TIMEOUT_SECONDS,
    MIN_ASPECT_EXAMPLES,
    REPORT_LANGUAGES,
    SMTP_SECURITY_MODES,
    Config,
    Label,
    QueryRule,
    SmtpConfig,
)
from folate.core.errors import ConfigError, suggestion
from folate.core.post import POST_KINDS, VALID_YEARS, source_name_problem
from folate.core.text import quote_name, truncate_text

# What can stand behind @ in a query.
_QUERY_NAME = re.compile(r"[\w-]+")
# Weeks: ten years.
_MAX_WEEKS = 520
_ANY_NUMBER = (-1_000_000, 1_000_000)
# Least and greatest sensible value of each key, in its unit.
_RANGES: dict[str, tuple[float, float]] = {
    "delay": (0, 86_400),
    "pages": (1, 10_000_000),
    "thread_pages": (1, 10_000_000),
    "requests": (1, 1_000_000_000),
    "hours": (0.000_001, 100_000),
    "gigabytes": (0.000_000_001, 1_000_000),
    "revisit_days": (0, 36_500),
    "weight": (0, 1_000_000),
    "cache_hours": (0, 1_000_000),
    "retries": (0, 1_000),
    "timeout": (0.001, 86_400),
    "threads": (0, 4_096),
    "baseline_weeks": (1, _MAX_WEEKS),
    "min_authors": (0, 1_000_000_000),
    "min_gain": (0, 1_000_000),
    "false_terms": (0, 1_000_000),
    "false_alarms": (0, 1_000_000),
    "drop": (0, 200),
    "port": (1, 65_535),
    "weeks": (1, _MAX_WEEKS),
    "before": (1, 3_660),
    "after": (0, 3_660),
}


def validate_config(config: Config) -> None:
    """Check the values of all keys, and the relations between them. Raises ConfigError."""
    for zone in (config.timezone, *(s.zone for s in config.sources if s.zone)):
        _check_zone(zone)
    if config.language not in REPORT_LANGUAGES:
        raise ConfigError(
            f"{CONFIG_FILE}: wanted language among {', '.join(REPORT_LANGUAGES)}, got "
            f"{config.language!r}."
        )
    _check_unique("brand", [brand.id for brand in config.brands])
    _check_unique("source", [source.name for source in config.sources])
    _check_unique("segment", [segment.id for segment in config.segments])
    _check_unique("label", [entry.label for entry in config.taxonomy])
    _check_unique("aspect", [aspect.id for aspect in config.aspects])
    _check_unique("campaign", [campaign.id for campaign in config.campaign])
    if sum(brand.own for brand in config.brands) > 1:
        raise ConfigError(
            f"{CONFIG_FILE}: wanted one brand with own = true, got "
            f"{sum(b.own for b in config.brands)}."
        )
    for brand in config.brands:
        if not brand.names or not all(alias.strip() for alias in brand.aliases):
            raise ConfigError(
                f"{CONFIG_FILE}: brand {brand.id!r} needs at least one name, and no name may "
                "be empty."
            )
    _check_taxonomy(config.taxonomy)
    _check_leads(config)
    _check_sources(config)
    _check_aspects(config)
    _check_alerts(config)
    _check_smtp(config.smtp)
    _check_campaigns(config)
    _check_query_names(config)
    for where, record in _records_with_ranges(config):
        _check_ranges(where, record)


def _check_unique(kind: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"{CONFIG_FILE}: {kind} {name!r} stands twice; each needs a name of its own."
            )


def _records_with_ranges(config: Config) -> Iterator[tuple[str, object]]:
    """Yield every record with numbers or dates, and its name in messages."""
    for name in ("crawl", "nlp", "topics", "smtp", "scorecard"):
        yield f"[{name}]", getattr(config, name)
    for source in config.sources:
        yield f"source {quote_name(source.name)}", source
    for rule in config.alerts.rules:
        yield f"alert {quote_name(rule.id)}", rule
    for campaign in config.campaign:
        yield f"campaign {quote_name(campaign.id)}", campaign
        for goal in campaign.goals:
            yield f"campaign {quote_name(campaign.id)}: goal {quote_name(goal.measure)}", goal


def _check_ranges(where: str, record: object) -> None:
    for key, value in vars(record).items():
        minimum, maximum = _RANGES.get(key, _ANY_NUMBER)
        if isinstance(value, int | float) and not minimum <= value <= maximum:
            raise ConfigError(
                f"{CONFIG_FILE}: {where}: wanted {key} from {minimum:,} to {maximum:,}, got "
                f"{truncate_text(repr(value), 40)}."
            )
        if isinstance(value, date) and not VALID_YEARS[0] <= value.year < VALID_YEARS[1]:
            raise ConfigError(
                f"{CONFIG_FILE}: {where}: wanted {key} in the years {VALID_YEARS[0]} to "
                f"{VALID_YEARS[1] - 1}, got {value}."
            )


def _check_sources(config: Config) -> None:
    for source in config.sources:
        if source.kind not in POST_KINDS:
            raise ConfigError(
                f"{CONFIG_FILE}: source {source.name!r}: wanted a kind among "
                f"{', '.join(POST_KINDS)}, got {source.kind!r}."
            )
        if problem := source_name_problem(source.name):
            raise ConfigError(f"{CONFIG_FILE}: {problem}.")


def _check_aspects(config: Config) -> None:
    for aspect in config.aspects:
        if not aspect.names:
            raise ConfigError(f"{CONFIG_FILE}: aspect {aspect.id!r} needs at least one name.")
        example_count = len(set(aspect.examples))
        if example_count < MIN_ASPECT_EXAMPLES:
            raise ConfigError(
                f"{CONFIG_FILE}: aspect {aspect.id!r} needs {MIN_ASPECT_EXAMPLES} examples or "
                f"more, and has {example_count}."
            )


def _check_alerts(config: Config) -> None:
    alerts = config.alerts
    brands = [brand.id for brand in config.brands]
    for rule in alerts.rules:
        where = f"{CONFIG_FILE}: alert {rule.id!r}"
        if [other.id for other in alerts.rules].count(rule.id) > 1:
            raise ConfigError(f"{where} stands twice; each needs an id of its own.")
        if isinstance(rule, QueryRule):
            if not rule.query.strip():
                raise ConfigError(f"{where}: wanted a query, such as 'folic OR 叶酸', got nothing.")
        elif rule.brand and rule.brand not in brands:
            raise ConfigError(f"{where}: no brand {rule.brand!r}; {suggestion(rule.brand, brands)}")
        for channel in rule.to:
            if channel not in alerts.channels:
                raise ConfigError(
                    f"{where}: no channel {channel!r} in [alerts]; "
                    f"{suggestion(channel, alerts.channels)}"
                )
    if alerts.webhook:
        _check_webhook(alerts.webhook)
    if any(unicodedata.category(char) == "Cc" for char in alerts.file):
        raise ConfigError(
            f"{CONFIG_FILE}: wanted a path without control characters as the file of "
            f"[alerts], got {alerts.file!r}."
        )
    if alerts.mail and not config.smtp.host:
        raise ConfigError(
            f"{CONFIG_FILE}: wanted a host in [smtp] to mail alerts through, got none."
        )
    for recipient in alerts.mail:
        _check_mailbox(recipient, "recipient")


def _check_webhook(address: str) -> None:
    try:
        addresses.parse_web_address(address)
    except ValueError as error:  # the message omits the address, which may contain a secret
        raise ConfigError(
            f"{CONFIG_FILE}: wanted an http or https address as the webhook of [alerts], "
            f"{error}, got another."
        ) from error


def _check_smtp(smtp: SmtpConfig) -> None:
    if smtp.security not in SMTP_SECURITY_MODES:
        raise ConfigError(
            f"{CONFIG_FILE}: wanted security of [smtp] among "
            f"{', '.join(SMTP_SECURITY_MODES)}, got {smtp.security!r}."
        )
    if smtp.port not in addresses.PORTS:
        raise ConfigError(
            f"{CONFIG_FILE}: wanted a port of [smtp] from 1 to 65535, got {smtp.port}."
        )
    if not 0 < smtp.timeout <= MAX_SMTP_TIMEOUT_SECONDS:
        raise ConfigError(
            f"{CONFIG_FILE}: wanted a timeout of [smtp] of more than 0 and at most "
            f"{MAX_SMTP_TIMEOUT_SECONDS:.0f} seconds, got {smtp.timeout:g}."
        )
    if not smtp.user.isprintable() or not smtp.user.isascii():
        raise ConfigError(
            f"{CONFIG_FILE}: wanted a user of [smtp] in printable ASCII, got {smtp.user!r}."
        )
    if smtp.host:
        try:
            addresses.normalize_host(smtp.host)
        except ValueError as error:
            raise ConfigError(
                f"{CONFIG_FILE}: wanted {error} as the host of [smtp], got {smtp.host!r}."
            ) from error
    if smtp.sender:
        _check_mailbox(smtp.sender, "sender of [smtp]")
    for recipient in smtp.to:
        _check_mailbox(recipient, "recipient")


def _check_mailbox(address: str, what: str) -> None:
    try:
        addresses.parse_mailbox(address)
    except ValueError as error:
        raise ConfigError(
            f"{CONFIG_FILE}: wanted an address such as folate@example.org as the {what}, got "
            f"{address!r}; possible: {error}."
        ) from error


def _check_campaigns(config: Config) -> None:
    for campaign in config.campaign:
        where = f"{CONFIG_FILE}: campaign {campaign.id!r}"
        if campaign.end < campaign.start:
            raise ConfigError(
                f"{where}: wanted an end on or after its start, got {campaign.start} to "
                f"{campaign.end}."
            )
        if campaign.before < 1 or campaign.after < 0:
            raise ConfigError(
                f"{where}: wanted at least 1 day before and 0 after, got {campaign.before} "
                f"and {campaign.after}."
            )
        if not campaign.names:
            raise ConfigError(f"{where} needs at least one name.")
        if campaign.brand not in {"", *(brand.id for brand in config.brands)}:
            raise ConfigError(
                f"{where}: no brand {campaign.brand!r}; "
                f"{suggestion(campaign.brand, (b.id for b in config.brands))}"
            )
        if not campaign.brand and config.own_brand is None:
            raise ConfigError(f"{where} names no brand, and no brand has own = true.")
        for goal in campaign.goals:
            if goal.measure not in CAMPAIGN_MEASURES:
                raise ConfigError(
                    f"{where}: no measure {goal.measure!r}; "
                    f"{suggestion(goal.measure, CAMPAIGN_MEASURES)}"
                )


def _check_query_names(config: Config) -> None:
    for name in config.queries:
        if not _QUERY_NAME.fullmatch(name):
            raise ConfigError(
                f"{CONFIG_FILE}: queries: wanted a name of letters, digits, _ and -, got "
                f"{quote_name(name)}."
            )


def _check_taxonomy(taxonomy: tuple[Label, ...]) -> None:
    for entry in taxonomy:
        levels = entry.label.split(LEVEL_SEPARATOR)
        if len(levels) > 4 or not all(level.strip() for level in levels):
            raise ConfigError(
                f"{CONFIG_FILE}: wanted a label of one to four levels such as "
                f"'food{LEVEL_SEPARATOR}dairy', got {entry.label!r}."
            )
        if not (entry.names or entry.synonyms or entry.examples):
            raise ConfigError(
                f"{CONFIG_FILE}: label {entry.label!r} needs names, synonyms or examples: "
                "nothing would be found by it."
            )


def _check_leads(config: Config) -> None:
    if config.scorecard.weeks < 1:
        raise ConfigError(
            f"{CONFIG_FILE}: scorecard: wanted weeks to be 1 or more, got {config.scorecard.weeks}."
        )
    if config.privacy.keep_handles:
        raise ConfigError(
            f"{CONFIG_FILE}: privacy: wanted keep_handles to be empty, got "
            f"{config.privacy.keep_handles[0]!r}: "
            "authors are stored as keyed hashes only, so no public handle is there to be kept."
        )


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        # OSError: the name is a folder of zones, or too long.
        raise ConfigError(
            f"{CONFIG_FILE}: wanted an IANA time zone such as Asia/Shanghai, got "
            f"{quote_name(name)}."
        ) from error
