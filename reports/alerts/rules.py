"""Evaluation of the alert rules of folate.toml on one report and its snapshot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from corpora.store.snapshot import Snapshot, sql_literal
from folate.core.config import Config, QueryRule, SentimentRule, TopicRule, VolumeRule
from folate.core.errors import FolateError
from folate.core.text import to_single_line
from folate.core.weeks import Period, Week, last_day
from nlp.stats.surges import MIN_BASELINE_WEEKS
from reports import queries
from reports.alerts.alert import (
    Alert,
    select_alert_quotes,
    sentiment_sentence,
    topic_sentence,
    volume_sentence,
)
from reports.alerts.corpus_query import measure_corpus_query_volume, read_rule_posts
from reports.alerts.saved_query import QueryVolume, measure_query_volume
from reports.build import Report
from reports.figures import Figure, FigureSentence, versions_json
from reports.measures.brands import BrandMeasures
from reports.measures.coverage import count_posts_by_week
from reports.messages import Messages, load_messages
from reports.sections.quotes import Quote, load_quotes
from reports.sections.saved_queries import CorpusOpener
from reports.sections.topic_search import incomplete_topics_sentence
from reports.sections.topics import ReportTopic

NET_SENTIMENT_MEASURE = "net_sentiment_polar"
_MAX_QUOTE_CANDIDATES = 12  # posts among which quotes by different authors are searched


class RuleEvaluation(NamedTuple):
    """The result of evaluating all rules on one period."""

    alerts: list[Alert]  # in the order of the rules
    notes: list[str]  # one sentence for each rule that could not be evaluated, or only in part


def evaluate_rules(
    snapshot: Snapshot, config: Config, report: Report, open_corpus: CorpusOpener | None = None
) -> RuleEvaluation:
    """Evaluate every alert rule of `config` on the period of `report`.

    `snapshot` must have the table versions on which `report` was built, and `open_corpus` open the
    corpus at them; it is called where a rule has a query of the corpus.
    """
    evaluator = _RuleEvaluator(snapshot, config, report)
    alerts: list[Alert] = []
    for topic_rule in config.alerts.topic:
        alerts.extend(evaluator.evaluate_topic_rule(topic_rule))
    for sentiment_rule in config.alerts.sentiment:
        alerts.extend(evaluator.evaluate_sentiment_rule(sentiment_rule))
    for volume_rule in config.alerts.volume:
        alerts.extend(evaluator.evaluate_volume_rule(volume_rule))
    if config.alerts.query and open_corpus:
        alerts.extend(evaluator.evaluate_query_rules(config.alerts.query, open_corpus))
    return RuleEvaluation(alerts, evaluator.notes)


@dataclass(frozen=True)
class _RuleEvaluator:
    """The inputs of the rules, and the notes collected while they are evaluated."""

    snapshot: Snapshot
    config: Config
    report: Report
    notes: list[str] = field(default_factory=list)

    @property
    def period(self) -> Period:
        return self.report.week

    @property
    def message(self) -> Messages:
        return load_messages(self.report.language)

    def evaluate_topic_rule(self, rule: TopicRule) -> Iterator[Alert]:
        """Yield an alert for each topic of the report whose score reaches that of the rule."""
        self._note_incomplete_topics(rule)
        for topic in self.report.topics:
            score = self.topic_scores[topic.id]
            if not _rule_covers_topic(rule, topic) or (score.value or 0.0) < rule.score:
                continue
            yield self._create_alert(
                rule_id=rule.id,
                kind="topic",
                subject=topic.id,
                sentence=topic_sentence(topic, score, self.message),
                quotes=topic.quotes,
                flags=topic.flags,
            )

    def evaluate_sentiment_rule(self, rule: SentimentRule) -> Iterator[Alert]:
        """Yield an alert if the brand's net sentiment fell by at least `rule.drop` points.

        The fall must have a downward arrow in the report: its interval excludes zero, and it is
        significant after the correction for multiple comparisons.
        """
        brand = next(brand for brand in self.report.brands if brand.id == rule.brand)
        if NET_SENTIMENT_MEASURE not in brand.changes:
            self._note_missing_change(rule, brand)
            return
        net_sentiment = brand.figures[NET_SENTIMENT_MEASURE]
        change = brand.changes[NET_SENTIMENT_MEASURE]
        drop_points = -100 * (change.figure.value or 0.0)
        if change.direction != "down" or drop_points < rule.drop:
            return
        yield self._create_alert(
            rule_id=rule.id,
            kind="sentiment",
            subject=brand.id,
            sentence=sentiment_sentence(brand.label, net_sentiment, change, self.message),
            quotes=self._load_negative_quotes(brand.id),
            flags=(*change.figure.flags, *net_sentiment.flags),
        )

    def evaluate_volume_rule(self, rule: VolumeRule) -> Iterator[Alert]:
        """Yield an alert if more authors than expected wrote posts that match the query."""
        if not self._check_coverage(rule):
            return
        volume = measure_query_volume(self.snapshot, rule, self.period, self.config.timezone)
        yield from self._volume_alerts(rule, "volume", volume)

    def evaluate_query_rules(
        self, rules: Sequence[QueryRule], open_corpus: CorpusOpener
    ) -> Iterator[Alert]:
        """Yield an alert for each rule whose query more authors than expected match.

        A query, or a corpus, that fails is a note.
        """
        try:
            view = open_corpus()
        except (FolateError, OSError) as error:
            for rule in rules:
                self._add_note(rule.id, to_single_line(str(error)))
            return
        for rule in rules:
            try:
                posts = read_rule_posts(view, rule, self.period)
            except (FolateError, OSError) as error:
                self._add_note(rule.id, to_single_line(str(error)))
                continue
            if not posts.needs_annotations or self._check_coverage(rule):
                volume = measure_corpus_query_volume(posts, rule, self.snapshot.versions)
                yield from self._volume_alerts(rule, "query", volume)

    def _volume_alerts(
        self, rule: VolumeRule | QueryRule, kind: str, volume: QueryVolume | None
    ) -> Iterator[Alert]:
        """Yield an alert if more authors than expected wrote; note a baseline that is too short."""
        if volume is None:
            self._add_note(
                rule.id,
                f"fewer than {MIN_BASELINE_WEEKS} of the eight weeks before {self.period} "
                "have posts, so that what is usual can't be known.",
            )
            return
        if not _is_surge(volume, rule):
            return
        yield self._create_alert(
            rule_id=rule.id,
            kind=kind,
            subject="",
            sentence=volume_sentence(rule.id, volume.authors, volume.expected, self.message),
            quotes=self._load_alert_quotes(volume.post_ids[:_MAX_QUOTE_CANDIDATES]),
            flags=volume.expected.flags,
        )

    @cached_property
    def topic_scores(self) -> dict[str, Figure]:
        """The score of each topic of the period, by topic id."""
        stored_topics = f"FROM topics WHERE week = {sql_literal(str(self.period))}"
        rows = self.snapshot.sql(f"SELECT id, score, posts, evidence {stored_topics} ORDER BY id")
        versions = versions_json(self.report.versions)
        scores = {}
        for row in rows.to_pylist():
            scores[row["id"]] = Figure(
                measure="topic_score",
                week=str(self.period),
                value=row["score"],
                n=row["posts"] or 0,
                posts=tuple(row["evidence"] or ()),
                query=f"SELECT score {stored_topics} AND id = {sql_literal(row['id'])}",
                versions=versions,
            )
        return scores

    def _note_incomplete_topics(self, rule: TopicRule) -> None:
        problem = incomplete_topics_sentence(
            self.report.topic_search, self.report.week_posts, load_messages("en")
        )
        if problem is None:
            return
        reason = problem.text[0].lower() + problem.text[1:]
        if self.report.topics:
            self._add_note(rule.id, reason, "was judged on the topics that are stored")
        else:
            self._add_note(rule.id, reason)

    def _note_missing_change(self, rule: SentimentRule, brand: BrandMeasures) -> None:
        has_mentions = brand.figures["mentions"].value != 0
        if brand.figures[NET_SENTIMENT_MEASURE].n == 0 and has_mentions:
            reason = "it has not been read: 'folate annotate' reads it"
        else:
            reason = "too few people spoke"
        self._add_note(
            rule.id,
            f"net sentiment of {brand.label} can't be compared with the week before: {reason}.",
        )

    def _check_coverage(self, rule: VolumeRule | QueryRule) -> bool:
        """Note posts of the period without annotations; return False if none has any."""
        counts = count_posts_by_week(
            self.snapshot, [self.period], self.config.timezone, reader_version=""
        )[str(self.period)]
        if counts.posts and counts.is_fully_unread:
            self._add_note(
                rule.id,
                f"none of the {counts.posts} posts of {self.period} has been read: "
                "'folate annotate' reads them.",
            )
            return False
        if counts.unread:
            self._add_note(
                rule.id,
                f"{counts.unread} of the {counts.posts} posts of {self.period} "
                "have not been read: 'folate annotate' reads them.",
                "was judged on what has been read",
            )
        return True

    def _load_negative_quotes(self, brand_id: str) -> tuple[Quote, ...]:
        """Load quotes from the posts about a brand with the highest negative probability."""
        mentions = queries.mentions_query([brand_id], [self.period], self.config.timezone)
        query = (
            f"SELECT id FROM ({mentions}) WHERE counted AND negative > 0.5 "
            f"ORDER BY negative DESC, id LIMIT {_MAX_QUOTE_CANDIDATES}"
        )
        return self._load_alert_quotes(self.snapshot.sql(query).column("id").to_pylist())

    def _load_alert_quotes(self, post_ids: Sequence[str]) -> tuple[Quote, ...]:
        quotes_by_post = load_quotes(self.snapshot, post_ids)
        return select_alert_quotes([quotes_by_post[post_id] for post_id in post_ids])

    def _create_alert(
        self,
        *,
        rule_id: str,
        kind: str,
        subject: str,
        sentence: FigureSentence,
        quotes: tuple[Quote, ...],
        flags: tuple[str, ...],
    ) -> Alert:
        partial_flag = ("partial",) if self.report.partial_until else ()
        return Alert(
            rule=rule_id,
            kind=kind,
            subject=subject,
            period=self.period,
            week=Week.from_date(last_day(self.period)),
            project=self.report.project,
            language=self.report.language,
            sentence=sentence,
            quotes=quotes,
            flags=tuple(dict.fromkeys((*flags, *partial_flag))),
        )

    def _add_note(self, rule_id: str, problem: str, extent: str = "was not judged") -> None:
        self.notes.append(f"alert {rule_id!r} {extent}: {problem}")


def _rule_covers_topic(rule: TopicRule, topic: ReportTopic) -> bool:
    if topic.may_be_artefact and not rule.flagged:
        return False
    return not rule.brand or rule.brand in topic.brands


def _is_surge(volume: QueryVolume, rule: VolumeRule | QueryRule) -> bool:
    surge = volume.surge
    min_observed = max(rule.min_authors, rule.min_gain * surge.expected)
    return surge.observed >= min_observed and surge.p_value <= rule.false_alarms
