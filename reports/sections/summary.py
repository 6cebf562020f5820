"""The sentences on top of a report: rules over its figures, no word that the catalogue does not have."""

from collections.abc import Iterator

from reports.figures import UNMEASURABLE_FLAG, Change, ExternalText, Figure, FigureSentence
from reports.measures.brands import MIN_REPORTED_COPY_SHARE, TREND_MEASURES, BrandMeasures
from reports.measures.coverage import ReportCoverage
from reports.messages import MessageParts, Messages
from reports.sections.posts_and_sources import SourceLine
from reports.sections.topic_search import TopicSearch, incomplete_topics_sentence
from reports.sections.topics import ReportTopic

MAX_SENTENCES = 5  # sentences
INCOMPLETE_STATUSES = ("failed", "partial", "saturated")


def headline_kind(sentence: FigureSentence) -> str:
    """Which of the three lines that matter a sentence is (voice, sentiment, topic); empty for another."""
    first = sentence.key.partition("_")[0]
    return first if first in ("voice", "sentiment", "topic") else ""


def subject_brand(brands: tuple[BrandMeasures, ...]) -> BrandMeasures | None:
    """The brand that a report is about: ours, else the one with the largest share of voice."""
    own = next((brand for brand in brands if brand.own), None)
    return own or max(brands, key=_voice, default=None)


def top_untracked_topic(topics: tuple[ReportTopic, ...]) -> ReportTopic | None:
    """The best topic that rises, is not on the watch list and has no flag against it; `topics` come best first."""
    rising = (topic for topic in topics if topic.state not in ("fading", "gone"))
    return next(
        (topic for topic in rising if not topic.watched and not topic.may_be_artefact), None
    )


def summary_sentences(
    brands: tuple[BrandMeasures, ...], topics: tuple[ReportTopic, ...], sources: tuple[SourceLine, ...], coverage: ReportCoverage, topic_search: TopicSearch,
    week_posts: Figure, message: Messages,
) -> tuple[FigureSentence, ...]:  # fmt: skip
    """At most five sentences: share of voice, net sentiment and the untracked word first, then what else must be known.

    `posts` is the number of all posts of the week.
    """
    about = subject_brand(brands)
    if about is None or not any(brand.figures["mentions"].value for brand in brands):
        return (
            *_silence(about, sources, coverage, week_posts, message),
            *([_word(topics, topic_search, week_posts, message)] if week_posts.value else []),
        )
    others = tuple(brand for brand in brands if brand is not about)
    first = (
        _voice_sentence(about, others, message),
        _sentiment_sentence(about, message),
        _word(topics, topic_search, week_posts, message),
    )
    return (
        *first,
        *_more(about, others, topics, sources, coverage, topic_search, week_posts, message),
    )[:MAX_SENTENCES]


def _silence(
    about: BrandMeasures | None,
    sources: tuple[SourceLine, ...],
    reading: ReportCoverage,
    posts: Figure,
    say: Messages,
) -> Iterator[FigureSentence]:
    """Why the report has nothing on a brand: no posts, none that was read, or none that names one."""
    unread = reading.week.unread
    if not posts.value:
        yield say.sentence("no_posts", posts=posts)
        yield from _incomplete(sources, say)
    elif about is None:
        yield say.sentence("no_brands", posts=posts)
    elif about.figures["mentions"].value is None:
        yield say.sentence("unread_all", posts=posts)
    elif unread.value:
        yield say.sentence("empty_partly", unread=unread, posts=posts)
    else:
        yield say.sentence("empty", posts=posts)


def _incomplete(sources: tuple[SourceLine, ...], say: Messages) -> Iterator[FigureSentence]:
    """The first source that was not crawled in full, else the first that was not crawled for the week at all."""
    for source in sources:
        if source.status in INCOMPLETE_STATUSES:
            yield say.sentence(
                "incomplete",
                source=ExternalText(source.name),
                complete=source.complete,
                queries=source.queries,
            )
            return
    for source in sources:
        if source.status == "uncrawled":
            yield say.sentence("uncrawled", source=ExternalText(source.name), posts=source.posts)
            return


def _more(
    about: BrandMeasures, others: tuple[BrandMeasures, ...], topics: tuple[ReportTopic, ...], sources: tuple[SourceLine, ...],
    reading: ReportCoverage, search: TopicSearch, posts: Figure, say: Messages,
) -> Iterator[FigureSentence]:  # fmt: skip
    if reading.week.unread.value:
        yield say.sentence("unread", unread=reading.week.unread, posts=posts)
    if top_untracked_topic(topics) and (doubts := incomplete_topics_sentence(search, posts, say)):
        yield doubts
    yield from _incomplete(sources, say)
    moves = [
        (brand, brand.changes[name])
        for brand in others
        for name in TREND_MEASURES
        if name in brand.changes
    ]
    moves = [(brand, change) for brand, change in moves if change.direction != "none"]
    if moves:
        brand, change = max(moves, key=lambda move: abs(move[1].figure.value or 0))
        measure = say.measure(change.figure.measure.partition(".")[0])
        yield say.sentence(
            f"rival_{change.direction}",
            brand=ExternalText(brand.label),
            measure=(measure,),
            change=change.figure,
        )
    if (about.figures["copies"].value or 0) >= MIN_REPORTED_COPY_SHARE:
        yield say.sentence(
            "copied", copies=about.figures["copies"], brand=ExternalText(about.label)
        )


def _voice_sentence(
    brand: BrandMeasures, others: tuple[BrandMeasures, ...], say: Messages
) -> FigureSentence:
    if not others:
        return say.sentence(
            "voice_alone",
            brand=ExternalText(brand.label),
            authors=brand.figures["authors"],
            change=change_words(brand.changes.get("authors"), say),
        )
    rival = max(others, key=_voice)
    share = brand.figures["share_of_voice"]
    return say.sentence(
        "voice_ahead" if _voice(brand) >= _voice(rival) else "voice_behind",
        brand=ExternalText(brand.label), share=share, range=range_words(share, say), rival=ExternalText(rival.label),
        rival_share=rival.figures["share_of_voice"], change=change_words(brand.changes.get("share_of_voice"), say),
    )  # fmt: skip


def _sentiment_sentence(brand: BrandMeasures, say: Messages) -> FigureSentence:
    net = brand.figures["net_sentiment_polar"]
    change = change_words(brand.changes.get("net_sentiment_polar"), say)
    if UNMEASURABLE_FLAG in net.flags:
        return say.sentence(
            "sentiment_unmeasurable", brand=ExternalText(brand.label), net=net, change=change
        )
    if net.value is None:
        return say.sentence(
            "sentiment_missing", brand=ExternalText(brand.label), mentions=brand.figures["mentions"]
        )
    audit = say("fragment.unaudited" if "unaudited" in net.flags else "fragment.audited")
    key = "sentiment" if net.low is not None else "sentiment_few"
    return say.sentence(
        key, brand=ExternalText(brand.label), net=net, change=change, audit=(audit,)
    )


def _word(
    topics: tuple[ReportTopic, ...], search: TopicSearch, posts: Figure, say: Messages
) -> FigureSentence:
    topic = top_untracked_topic(topics)
    if topic is None:
        return incomplete_topics_sentence(search, posts, say) or say.sentence(
            "topic_none", posts=posts
        )
    values: dict[str, Figure | ExternalText | MessageParts] = {
        "topic": ExternalText(topic.label(say.language)),
        "authors": topic.authors,
        "posts": topic.posts,
        "gain": topic.gain,
    }
    return say.sentence("topic" if topic.gain.value is None else "topic_gain", **values)


def change_words(change: Change | None, message: Messages) -> MessageParts:
    """A change as part of a sentence: its direction and size, or the smallest that would have been seen."""
    if change is None:
        return (message("change.missing"),)
    return tuple(
        message.parts(
            f"change.{change.direction}", change=change.figure, smallest=change.detectable
        )
    )


def range_words(figure: Figure, message: Messages) -> MessageParts:
    """The interval of a figure in brackets, if it has one."""
    return () if figure.low is None else tuple(message.parts("fragment.range", figure=figure))


def _voice(brand: BrandMeasures) -> float:
    return brand.figures["share_of_voice"].value or 0.0
