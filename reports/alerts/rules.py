"""The rules of folate.toml, judged on a week or on seven days: what holds, and what could not be judged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from corpora.store.snapshot import Snapshot, sql_literal
from folate.core.config import Config, SentimentRule, TopicRule, VolumeRule
from folate.core.weeks import Period, Week, last_day
from folate.pipeline.project import Project
from folate.pipeline.report import build_report
from nlp.stats.surges import MIN_BASELINE_WEEKS
from reports import queries
from reports.alerts.alert import (
    Alert,
    by_different_authors,
    sentiment_sentence,
    topic_sentence,
    volume_sentence,
)
from reports.alerts.saved_query import measure_query_volume
from reports.build import Report
from reports.figures import Figure, FigureSentence, versions_json
from reports.measures.coverage import count_posts_by_week
from reports.messages import Messages, load_messages
from reports.sections.quotes import Quote, load_quotes
from reports.sections.topic_search import incomplete_topics_sentence

NET_SENTIMENT_MEASURE = "net_sentiment_polar"
_CANDIDATES = 12  # posts that three quotes by different authors are chosen from


def evaluate_rules(project: Project, period: Period) -> tuple[list[Alert], list[str]]:
    """The alerts of `span`, in the order of the rules, and a sentence for each rule that could not be judged."""
    report = build_report(project, period)
    scene = _Scene(project.store.snapshot(report.versions), project.config, report, period)
    rules = project.config.alerts
    found = [alert for topic in rules.topic for alert in scene.topics(topic)]
    found += [alert for sentiment in rules.sentiment for alert in scene.sentiment(sentiment)]
    found += [alert for query in rules.volume for alert in scene.volume(query)]
    return found, scene.notes


@dataclass(frozen=True)
class _Scene:
    """What the rules are judged on. The report is built on the same versions as the snapshot."""

    snapshot: Snapshot
    config: Config
    report: Report
    span: Period
    notes: list[str] = field(default_factory=list)

    def topics(self, rule: TopicRule) -> Iterator[Alert]:
        if doubts := incomplete_topics_sentence(
            self.report.topic_search, self.report.week_posts, load_messages("en")
        ):
            judged = "was judged on the topics that are stored" if self.report.topics else ""
            self._note(rule.id, doubts.text[0].lower() + doubts.text[1:], judged)
        for topic in self.report.topics:
            score = self.scores[topic.id]
            fits = (rule.flagged or not topic.may_be_artefact) and rule.brand in ("", *topic.brands)
            if fits and (score.value or 0.0) >= rule.score:
                yield self._alert(
                    rule.id,
                    "topic",
                    topic.id,
                    topic_sentence(topic, score, self._say),
                    topic.quotes,
                    topic.flags,
                )

    def sentiment(self, rule: SentimentRule) -> Iterator[Alert]:
        """Where the report has a downward arrow: its interval excludes no change and it survived the test of all arrows together."""
        brand = next(brand for brand in self.report.brands if brand.id == rule.brand)
        if NET_SENTIMENT_MEASURE not in brand.changes:
            unread = (
                brand.figures[NET_SENTIMENT_MEASURE].n == 0 and brand.figures["mentions"].value != 0
            )
            why = (
                "it has not been read: 'folate annotate' reads it"
                if unread
                else "too few people spoke"
            )
            self._note(
                rule.id,
                f"net sentiment of {brand.label} can't be compared with the week before: {why}.",
            )
            return
        change, net = brand.changes[NET_SENTIMENT_MEASURE], brand.figures[NET_SENTIMENT_MEASURE]
        if change.direction == "down" and -100 * (change.figure.value or 0.0) >= rule.drop:
            flags = tuple(dict.fromkeys((*change.figure.flags, *net.flags)))
            yield self._alert(
                rule.id,
                "sentiment",
                brand.id,
                sentiment_sentence(brand.label, net, change, self._say),
                self._upset(brand.id),
                flags,
            )

    def volume(self, rule: VolumeRule) -> Iterator[Alert]:
        week = count_posts_by_week(
            self.snapshot, [self.span], self.config.timezone, reader_version=""
        )[str(self.span)]
        if week.posts and week.is_fully_unread:
            self._note(
                rule.id,
                f"none of the {week.posts} posts of {self.span} has been read: 'folate annotate' reads them.",
            )
            return
        if week.unread:
            reason = f"{week.unread} of the {week.posts} posts of {self.span} have not been read: 'folate annotate' reads them."
            self._note(rule.id, reason, "was judged on what has been read")
        found = measure_query_volume(self.snapshot, rule, self.span, self.config.timezone)
        if found is None:
            self._note(
                rule.id,
                f"fewer than {MIN_BASELINE_WEEKS} of the eight weeks before {self.span} have posts, so that what is usual can't be known.",
            )
            return
        surge = found.surge
        enough = surge.observed >= max(rule.min_authors, rule.min_gain * surge.expected)
        if enough and surge.p_value <= rule.false_alarms:
            sentence = volume_sentence(rule.id, found.authors, found.expected, self._say)
            said = self._quotes(found.post_ids[:_CANDIDATES])
            yield self._alert(rule.id, "volume", "", sentence, said, found.expected.flags)

    @cached_property
    def scores(self) -> dict[str, Figure]:
        """The score of each topic of the report."""
        where = f"FROM topics WHERE week = {sql_literal(str(self.span))}"
        return {
            row["id"]: Figure(
                measure="topic_score", week=str(self.span), value=row["score"], n=row["posts"] or 0, posts=tuple(row["evidence"] or ()),
                query=f"SELECT score {where} AND id = {sql_literal(row['id'])}", versions=versions_json(self.report.versions),
            )
            for row in self.snapshot.sql(f"SELECT id, score, posts, evidence {where} ORDER BY id").to_pylist()
        }  # fmt: skip

    def _upset(self, brand: str) -> tuple[Quote, ...]:
        """The posts about a brand that are most surely negative, by different authors."""
        rows = queries.mentions_query([brand], [self.span], self.config.timezone)
        negative = f"SELECT id FROM ({rows}) WHERE counted AND negative > 0.5 ORDER BY negative DESC, id LIMIT {_CANDIDATES}"
        return self._quotes(self.snapshot.sql(negative).column("id").to_pylist())

    def _quotes(self, posts: "tuple[str, ...] | list[str]") -> tuple[Quote, ...]:
        found = load_quotes(self.snapshot, posts)
        return by_different_authors([found[post] for post in posts])

    def _alert(
        self, rule: str, kind: str, subject: str, sentence: FigureSentence, said: tuple[Quote, ...], flags: tuple[str, ...]
    ) -> Alert:  # fmt: skip
        partial = ("partial",) if self.report.partial_until else ()
        return Alert(
            rule=rule, kind=kind, subject=subject, period=self.span, week=Week.from_date(last_day(self.span)), project=self.report.project,
            language=self.report.language, sentence=sentence, quotes=said, flags=tuple(dict.fromkeys((*flags, *partial))),
        )  # fmt: skip

    def _note(self, rule: str, problem: str, judged: str = "") -> None:
        self.notes.append(f"alert {rule!r} {judged or 'was not judged'}: {problem}")

    @property
    def _say(self) -> Messages:
        return load_messages(self.report.language)
