"""The sentences on top of a report: rules over its figures, in words of the message files."""

from collections.abc import Iterator
from dataclasses import dataclass

from folate.core.measures import TREND_MEASURES
from reports.figures import UNMEASURABLE_FLAG, Change, ExternalText, Figure, FigureSentence
from reports.measures.brands import MIN_REPORTED_COPY_SHARE, BrandMeasures
from reports.measures.coverage import ReportCoverage
from reports.messages import MessageParts, Messages
from reports.sections.posts_and_sources import INCOMPLETE_STATUSES, SourceLine
from reports.sections.topic_search import TopicSearch, incomplete_topics_sentence
from reports.sections.topics import ReportTopic, rising_untracked_topics

MAX_SENTENCES = 5
HEADLINE_KINDS = ("voice", "sentiment", "topic")


def headline_kind(sentence: FigureSentence) -> str:
    """Return which of the three headlines a sentence is; empty for another sentence."""
    kind = sentence.key.partition("_")[0]
    return kind if kind in HEADLINE_KINDS else ""


def subject_brand(brands: tuple[BrandMeasures, ...]) -> BrandMeasures | None:
    """Return our own brand, else the one with the largest share of voice; None without brands."""
    own_brand = next((brand for brand in brands if brand.own), None)
    return own_brand or max(brands, key=_share_of_voice, default=None)


def top_untracked_topic(topics: tuple[ReportTopic, ...]) -> ReportTopic | None:
    """Return the best of `topics`, which come best first, that rises and nobody tracks."""
    return next(rising_untracked_topics(topics), None)


@dataclass(frozen=True, kw_only=True)
class SummaryInput:
    """The sections of a report that its summary is composed from."""

    brands: tuple[BrandMeasures, ...]
    topics: tuple[ReportTopic, ...]
    sources: tuple[SourceLine, ...]
    coverage: ReportCoverage
    topic_search: TopicSearch
    week_posts: Figure
    """The number of all posts of the week."""

    @property
    def subject(self) -> BrandMeasures | None:
        """The brand that the report is about."""
        return subject_brand(self.brands)

    @property
    def rivals(self) -> tuple[BrandMeasures, ...]:
        """The other brands."""
        return tuple(brand for brand in self.brands if brand is not self.subject)


def summary_sentences(sections: SummaryInput, message: Messages) -> tuple[FigureSentence, ...]:
    """Compose at most five sentences.

    Share of voice, net sentiment and the untracked topic come first, then what else must be known.
    A week without mentions of a brand has a sentence that says why.
    """
    subject = sections.subject
    if subject is None or not any(brand.figures["mentions"].value for brand in sections.brands):
        sentences = list(_silence_sentences(subject, sections, message))
        if sections.week_posts.value:
            sentences.append(_topic_sentence(sections, message))
        return tuple(sentences)
    sentences = [
        _voice_sentence(subject, sections.rivals, message),
        _sentiment_sentence(subject, message),
        _topic_sentence(sections, message),
        *_further_sentences(subject, sections, message),
    ]
    return tuple(sentences[:MAX_SENTENCES])


def _silence_sentences(
    subject: BrandMeasures | None, sections: SummaryInput, message: Messages
) -> Iterator[FigureSentence]:
    """Say why no brand is measured: no posts, none that was read, or none that names one."""
    posts = sections.week_posts
    unread = sections.coverage.week.unread
    if not posts.value:
        yield message.sentence("no_posts", posts=posts)
        yield from _incomplete_source_sentence(sections.sources, message)
    elif subject is None:
        yield message.sentence("no_brands", posts=posts)
    elif subject.figures["mentions"].value is None:
        yield message.sentence("unread_all", posts=posts)
    elif unread.value:
        yield message.sentence("empty_partly", unread=unread, posts=posts)
    else:
        yield message.sentence("empty", posts=posts)


def _incomplete_source_sentence(
    sources: tuple[SourceLine, ...], message: Messages
) -> Iterator[FigureSentence]:
    """Name the first source with an incomplete crawl, else the first without any crawl."""
    for source in sources:
        if source.status in INCOMPLETE_STATUSES:
            yield message.sentence(
                "incomplete",
                source=ExternalText(source.name),
                complete=source.complete,
                queries=source.queries,
            )
            return
    for source in sources:
        if source.status == "uncrawled":
            name = ExternalText(source.name)
            yield message.sentence("uncrawled", source=name, posts=source.posts)
            return


def _further_sentences(
    subject: BrandMeasures, sections: SummaryInput, message: Messages
) -> Iterator[FigureSentence]:
    """Say what is unread, outdated or incomplete, how a rival changed, and what is copied."""
    unread = sections.coverage.week.unread
    if unread.value:
        yield message.sentence("unread", unread=unread, posts=sections.week_posts)
    if top_untracked_topic(sections.topics):
        caveat = incomplete_topics_sentence(sections.topic_search, sections.week_posts, message)
        if caveat:
            yield caveat
    yield from _incomplete_source_sentence(sections.sources, message)
    yield from _rival_sentence(sections.rivals, message)
    copies = subject.figures["copies"]
    if (copies.value or 0) >= MIN_REPORTED_COPY_SHARE:
        yield message.sentence("copied", copies=copies, brand=ExternalText(subject.label))


def _rival_sentence(
    rivals: tuple[BrandMeasures, ...], message: Messages
) -> Iterator[FigureSentence]:
    """Name the largest significant change of a rival, if there is any."""
    changes = []
    for rival in rivals:
        for name in TREND_MEASURES:
            change = rival.changes.get(name)
            if change and change.direction != "none":
                changes.append((rival, change))
    if not changes:
        return
    rival, change = max(changes, key=lambda item: abs(item[1].figure.value or 0))
    measure = message.measure(change.figure.measure.partition(".")[0])
    yield message.sentence(
        f"rival_{change.direction}",
        brand=ExternalText(rival.label),
        measure=(measure,),
        change=change.figure,
    )


def _voice_sentence(
    subject: BrandMeasures, rivals: tuple[BrandMeasures, ...], message: Messages
) -> FigureSentence:
    if not rivals:
        return message.sentence(
            "voice_alone",
            brand=ExternalText(subject.label),
            authors=subject.figures["authors"],
            change=change_words(subject.changes.get("authors"), message),
        )
    rival = max(rivals, key=_share_of_voice)
    is_ahead = _share_of_voice(subject) >= _share_of_voice(rival)
    share = subject.figures["share_of_voice"]
    return message.sentence(
        "voice_ahead" if is_ahead else "voice_behind",
        brand=ExternalText(subject.label),
        share=share,
        range=range_words(share, message),
        rival=ExternalText(rival.label),
        rival_share=rival.figures["share_of_voice"],
        change=change_words(subject.changes.get("share_of_voice"), message),
    )


def _sentiment_sentence(subject: BrandMeasures, message: Messages) -> FigureSentence:
    brand = ExternalText(subject.label)
    net = subject.figures["net_sentiment_polar"]
    change = change_words(subject.changes.get("net_sentiment_polar"), message)
    if UNMEASURABLE_FLAG in net.flags:
        return message.sentence("sentiment_unmeasurable", brand=brand, net=net, change=change)
    if net.value is None:
        mentions = subject.figures["mentions"]
        return message.sentence("sentiment_missing", brand=brand, mentions=mentions)
    audit = message("fragment.unaudited" if "unaudited" in net.flags else "fragment.audited")
    key = "sentiment" if net.low is not None else "sentiment_few"
    return message.sentence(key, brand=brand, net=net, change=change, audit=(audit,))


def _topic_sentence(sections: SummaryInput, message: Messages) -> FigureSentence:
    """Name the best untracked topic, or say that there is none or that topics may be missing."""
    topic = top_untracked_topic(sections.topics)
    if topic is None:
        caveat = incomplete_topics_sentence(sections.topic_search, sections.week_posts, message)
        return caveat or message.sentence("topic_none", posts=sections.week_posts)
    return message.sentence(
        "topic" if topic.gain.value is None else "topic_gain",
        topic=ExternalText(topic.label(message.language)),
        authors=topic.authors,
        posts=topic.posts,
        gain=topic.gain,
    )


def change_words(change: Change | None, message: Messages) -> MessageParts:
    """Describe a change within a sentence.

    The words give its direction and size, or the smallest change that would have been detected.
    """
    if change is None:
        return (message("change.missing"),)
    words = message.parts(
        f"change.{change.direction}", change=change.figure, smallest=change.detectable
    )
    return tuple(words)


def range_words(figure: Figure, message: Messages) -> MessageParts:
    """Return the interval of a figure in brackets; nothing for a figure without one."""
    return () if figure.low is None else tuple(message.parts("fragment.range", figure=figure))


def _share_of_voice(brand: BrandMeasures) -> float:
    return brand.figures["share_of_voice"].value or 0.0
