"""The tables of the store: one place that names every column, its type and its meaning.

`posts` is the truth as published. The others are derived, carry the `annotator` and `version` that made them where a model
or a dictionary had a say, and can be rebuilt.
"""

from dataclasses import dataclass

import pyarrow as pa

_MOMENT = pa.timestamp("us", tz="UTC")
_STRINGS = pa.list_(pa.string())


@dataclass(frozen=True)
class TableDefinition:
    """A Delta table: its columns, the key of its upsert, and its partitions."""

    name: str
    schema: pa.Schema
    key_columns: tuple[str, ...]
    partition_columns: tuple[str, ...] = ()


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


_MADE_BY = {"text_hash": pa.string(), "annotator": pa.string(), "version": pa.string()}

POSTS = TableDefinition(
    "posts",
    _schema(
        id=pa.string(),
        source=pa.string(),
        kind=pa.string(),
        url=pa.string(),
        thread=pa.string(),
        parent=pa.string(),
        author=pa.string(),
        followers=pa.int64(),
        verified=pa.bool_(),
        published_at=_MOMENT,
        precision=pa.string(),
        fetched_at=_MOMENT,
        crawl=pa.string(),
        title=pa.string(),
        text=pa.string(),
        language=pa.string(),
        subject=pa.string(),
        rating=pa.float64(),
        likes=pa.int64(),
        replies=pa.int64(),
        reposts=pa.int64(),
        views=pa.int64(),
        place=pa.string(),
        text_hash=pa.string(),
        month=pa.string(),
    ),  # text_hash: Post.text_hash; month: of first sight, "2026-03"
    key_columns=("id",),
    partition_columns=("source", "month"),
)

TEXTS = TableDefinition(  # one row a post: what can be said of its text without a model
    "texts",
    _schema(
        id=pa.string(),
        **_MADE_BY,
        language=pa.string(),
        words=_STRINGS,
        hashtags=_STRINGS,
        exact=pa.string(),
    ),
    key_columns=("id",),
)  # language: zh, en, mixed, other; words: normalised, in order, no punctuation; exact: digest of the normalised text

MENTIONS = TableDefinition(  # one row a brand mention; start and end count code points of Post.body, missing when via = subject
    "mentions",
    _schema(
        id=pa.string(),
        **_MADE_BY,
        brand=pa.string(),
        start=pa.int32(),
        end=pa.int32(),
        via=pa.string(),
    ),
    key_columns=("id", "brand", "start"),
)  # via: text, or subject (the page is about a product of the brand and the text does not name it)

SENTIMENTS = TableDefinition(  # one row a post (brand missing) and one a post and brand: calibrated probabilities that sum to 1
    "sentiments",
    _schema(
        id=pa.string(),
        **_MADE_BY,
        brand=pa.string(),
        label=pa.string(),
        negative=pa.float32(),
        neutral=pa.float32(),
        positive=pa.float32(),
    ),
    key_columns=("id", "brand"),
)

ASPECTS = TableDefinition(  # one row a post, brand and aspect that the post speaks of; brand missing: it names none
    "aspects",
    _schema(
        id=pa.string(),
        **_MADE_BY,
        brand=pa.string(),
        aspect=pa.string(),
        label=pa.string(),
        negative=pa.float32(),
        neutral=pa.float32(),
        positive=pa.float32(),
        confidence=pa.float32(),
        start=pa.int32(),
        end=pa.int32(),
    ),  # confidence: calibrated, that the aspect is spoken of; start and end: the clause that speaks of it, code points of Post.body
    key_columns=("id", "brand", "aspect"),
)

JUDGEMENTS = TableDefinition(  # one row a post; missing where the model does not judge it
    "judgements",
    _schema(
        id=pa.string(),
        **_MADE_BY,
        emotion=pa.string(),
        happy=pa.float32(),
        angry=pa.float32(),
        sad=pa.float32(),
        fear=pa.float32(),
        surprise=pa.float32(),
        neutral=pa.float32(),
        buy=pa.float32(),
        switch=pa.float32(),
        ask=pa.float32(),
        complain=pa.float32(),
        tags=_STRINGS,
        share_read=pa.float32(),
    ),  # emotion: the most probable of the six, which sum to 1; buy to complain: each a probability of its own; tags: of the taxonomy;
    # share_read: of the text, less than 1 where the model read a sample of a very long one; missing in rows older than the column
    key_columns=("id",),
)

COMPARISONS = TableDefinition(  # one row a stated relation of two brands
    "comparisons",
    _schema(
        id=pa.string(),
        **_MADE_BY,
        brand=pa.string(),
        other=pa.string(),
        kind=pa.string(),
        start=pa.int32(),
        end=pa.int32(),
    ),  # brand: the one moved to, or preferred; other: the one left, or worse; kind: switch, better
    key_columns=("id", "brand", "other", "kind", "start"),
)

DUPLICATES = (
    TableDefinition(  # one row a post that copies another; a post without a row is its own cluster
        "duplicates",
        _schema(id=pa.string(), cluster=pa.string(), similarity=pa.float32()),
        key_columns=("id",),
    )
)  # cluster: id of the earliest post of the cluster

TOPICS = TableDefinition(  # one row a topic and week; the fields that `folate topics --format json` prints
    "topics",
    _schema(
        week=pa.string(),
        id=pa.string(),
        state=pa.string(),
        label_zh=pa.string(),
        label_en=pa.string(),
        terms=_STRINGS,
        score=pa.float64(),
        q=pa.float64(),
        posts=pa.int64(),
        authors=pa.int64(),
        first_seen=_MOMENT,
        sources=_STRINGS,
        languages=_STRINGS,
        watched=pa.bool_(),
        flags=_STRINGS,
        segments=_STRINGS,
        brands=_STRINGS,
        evidence=_STRINGS,
        detail=pa.string(),
    ),  # detail: JSON of what only the report prints (gain, threshold, per-term scores, central posts, decomposition)
    key_columns=("week", "id"),
)

SEARCHES = TableDefinition(  # one row a week, or day, that topics were sought in, also where none was found
    "searches",
    _schema(
        week=pa.string(),
        posts=pa.int64(),
        baseline_posts=pa.int64(),
        digest=pa.string(),
        baseline_weeks=pa.int64(),
        least_weeks=pa.int64(),
        wanted_weeks=pa.int64(),
        topics=pa.int64(),
        settings=pa.string(),
        versions=pa.string(),
        notes=_STRINGS,
    ),  # posts, baseline_posts: read in the week and in the weeks before it; digest: of their ids and texts; baseline_weeks: that had
    # posts; least_weeks: without which nothing is sought; wanted_weeks: of folate.toml; topics: found; settings: digest of what in
    # folate.toml decides; versions: JSON {table: version} that was read; notes: what could not be known
    key_columns=("week",),
)

CRAWLS = TableDefinition(  # the ledger: what each crawl asked for and whether it got it all
    "crawls",
    _schema(
        crawl=pa.string(),
        source=pa.string(),
        query=pa.string(),
        since=_MOMENT,
        until=_MOMENT,
        status=pa.string(),
        reason=pa.string(),
        requests=pa.int64(),
        posts=pa.int64(),
        dropped=pa.string(),
        started_at=_MOMENT,
        finished_at=_MOMENT,
    ),  # status: complete, partial, saturated, failed; dropped: JSON {reason: count}
    key_columns=("crawl", "source", "query"),
)

AUDITS = TableDefinition(  # one row a text that a person was asked to judge as it speaks of a brand
    "audits",
    _schema(
        draw=pa.string(),
        brand=pa.string(),
        text_hash=pa.string(),
        id=pa.string(),
        place=pa.int32(),
        since=_MOMENT,
        until=_MOMENT,
        population=pa.int64(),
        probability=pa.float64(),
        label=pa.string(),
        reason=pa.string(),
    ),  # draw: digest of what was asked for; id: the post that was shown; place: from 0, in random order; since, until: the weeks drawn
    # from, [since, until); population: texts there; probability: of a text to be drawn; label: negative, neutral, positive, or missing;
    # reason: why it was passed over
    key_columns=("draw", "text_hash"),
)

ADAPTATIONS = TableDefinition(  # one row a brand and fold: by what the sentiments of a brand are multiplied (corpora.store.adapted)
    "adaptations",
    _schema(
        brand=pa.string(),
        fold=pa.int32(),
        name=pa.string(),
        annotator=pa.string(),
        model=pa.string(),
        negative=pa.float64(),
        neutral=pa.float64(),
        positive=pa.float64(),
        labels=pa.int64(),
        loss_before=pa.float64(),
        loss_after=pa.float64(),
        standard_error=pa.float64(),
        share_error_before=pa.float64(),
        share_error_after=pa.float64(),
    ),  # fold: of the texts that the factors are for, -1: fitted on the labels of all folds; name: what the version of adapted sentiments
    # ends with; annotator, model: whose sentiments, the first two parts of their version; negative, neutral, positive: factors; labels:
    # of people, of all folds; loss_before to share_error_after: cross-validated (nlp.stats.adaptation.CrossValidation), the same in each row
    key_columns=("brand", "fold"),
)

EVIDENCE = TableDefinition(  # one row a number or a sentence that a report printed
    "evidence",
    _schema(
        id=pa.string(),
        week=pa.string(),
        measure=pa.string(),
        brand=pa.string(),
        subject=pa.string(),
        value=pa.float64(),
        n=pa.int64(),
        low=pa.float64(),
        high=pa.float64(),
        definition=pa.string(),
        query=pa.string(),
        versions=pa.string(),
        posts=_STRINGS,
    ),  # measure: or "sentence"; subject: an aspect, a word, another brand, the rule of a sentence; query: SQL, parameters bound;
    # versions: JSON {table: version}; posts: ids, at most 100
    key_columns=("id",),
)

TABLES: dict[str, TableDefinition] = {
    table.name: table
    for table in (
        POSTS,
        TEXTS,
        MENTIONS,
        SENTIMENTS,
        ASPECTS,
        JUDGEMENTS,
        COMPARISONS,
        DUPLICATES,
        TOPICS,
        SEARCHES,
        CRAWLS,
        AUDITS,
        ADAPTATIONS,
        EVIDENCE,
    )
}
