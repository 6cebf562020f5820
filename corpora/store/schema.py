"""The tables of the store: every column, its type and its meaning.

`posts` is the truth as published. The other tables are derived from it and can be rebuilt. Where a
model or a dictionary produced a row, `annotator` and `version` name it, and `text_hash` is the
digest of the text that was annotated.
"""

from dataclasses import dataclass

import pyarrow as pa

_MOMENT = pa.timestamp("us", tz="UTC")
_STRINGS = pa.list_(pa.string())
_INTEGERS = pa.list_(pa.int32())
_ANNOTATION_COLUMNS = {"text_hash": pa.string(), "annotator": pa.string(), "version": pa.string()}
_SENTIMENT_COLUMNS = {
    "label": pa.string(),
    "negative": pa.float32(),
    "neutral": pa.float32(),
    "positive": pa.float32(),
}


@dataclass(frozen=True)
class TableDefinition:
    """A Delta table: its columns, the key of its upsert, and its partitions."""

    name: str
    schema: pa.Schema
    key_columns: tuple[str, ...]
    partition_columns: tuple[str, ...] = ()


def _build_schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


# One row per post.
POSTS = TableDefinition(
    "posts",
    _build_schema(
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
        # `Post.text_hash`
        text_hash=pa.string(),
        # of the first observation, such as "2026-03"
        month=pa.string(),
    ),
    key_columns=("id",),
    partition_columns=("source", "month"),
)

# One row per post: what is found in its text without a model.
TEXTS = TableDefinition(
    "texts",
    _build_schema(
        id=pa.string(),
        **_ANNOTATION_COLUMNS,
        # zh, en, mixed or other
        language=pa.string(),
        # normalized, in order, without punctuation
        words=_STRINGS,
        # of each word: offset and length in code points of `Post.body`; missing in rows older than
        # the columns
        starts=_INTEGERS,
        lengths=_INTEGERS,
        hashtags=_STRINGS,
        # audience segments that the author of the text says to belong to; missing likewise
        segments=_STRINGS,
        # digest of the normalized text
        exact=pa.string(),
    ),
    key_columns=("id",),
)

# One row per post whose words were tagged, which is done where it is asked for.
WORD_TAGS = TableDefinition(
    "word_tags",
    _build_schema(
        id=pa.string(),
        **_ANNOTATION_COLUMNS,
        # of each word of `texts`
        lemmas=_STRINGS,
        # universal part-of-speech tags
        parts=_STRINGS,
    ),
    key_columns=("id",),
)

# One row per post: the sentence vector of its text, of which the nearest are searched.
EMBEDDINGS = TableDefinition(
    "embeddings",
    _build_schema(
        id=pa.string(),
        **_ANNOTATION_COLUMNS,
        # unit length, float16, little-endian
        vector=pa.binary(),
    ),
    key_columns=("id",),
)

# One row per line of a concordance and person who looked at it, to put it into a group or not
# (corpora.store.labels). Rows of an older text of the post stay.
LABELS = TableDefinition(
    "labels",
    _build_schema(
        # of the group
        name=pa.string(),
        # the person's own short name
        rater=pa.string(),
        # of the post
        id=pa.string(),
        # `Post.text_hash` of the text that the person saw
        text_hash=pa.string(),
        # offsets in code points of `Post.body`
        start=pa.int32(),
        end=pa.int32(),
        # whether the line belongs to the group; missing where the person passed it over
        belongs=pa.bool_(),
        # the canonical query of the concordance
        query=pa.string(),
    ),
    key_columns=("name", "rater", "id", "start", "end"),
)

# One row per brand mention.
MENTIONS = TableDefinition(
    "mentions",
    _build_schema(
        id=pa.string(),
        **_ANNOTATION_COLUMNS,
        brand=pa.string(),
        # offsets in code points of `Post.body`; missing where `via` is "subject"
        start=pa.int32(),
        end=pa.int32(),
        # "text", or "subject": the page is about a product of the brand that the text does not name
        via=pa.string(),
    ),
    key_columns=("id", "brand", "start"),
)

# One row per post (without a brand) and one per post and brand: calibrated probabilities that sum
# to 1.
SENTIMENTS = TableDefinition(
    "sentiments",
    _build_schema(
        id=pa.string(),
        **_ANNOTATION_COLUMNS,
        brand=pa.string(),
        **_SENTIMENT_COLUMNS,
    ),
    key_columns=("id", "brand"),
)

# One row per post, brand and aspect that the post mentions; without a brand where it names none.
ASPECTS = TableDefinition(
    "aspects",
    _build_schema(
        id=pa.string(),
        **_ANNOTATION_COLUMNS,
        brand=pa.string(),
        aspect=pa.string(),
        **_SENTIMENT_COLUMNS,
        # calibrated probability that the post mentions the aspect
        confidence=pa.float32(),
        # the clause that mentions it: offsets in code points of `Post.body`
        start=pa.int32(),
        end=pa.int32(),
    ),
    key_columns=("id", "brand", "aspect"),
)

# One row per post; values are missing where the model does not predict them.
JUDGEMENTS = TableDefinition(
    "judgements",
    _build_schema(
        id=pa.string(),
        **_ANNOTATION_COLUMNS,
        # the most probable of the six emotions below, whose probabilities sum to 1
        emotion=pa.string(),
        happy=pa.float32(),
        angry=pa.float32(),
        sad=pa.float32(),
        fear=pa.float32(),
        surprise=pa.float32(),
        neutral=pa.float32(),
        # intents: each a probability of its own
        buy=pa.float32(),
        switch=pa.float32(),
        ask=pa.float32(),
        complain=pa.float32(),
        # ids of the taxonomy
        tags=_STRINGS,
        # share of the text that the model read, less than 1 where it read a sample of a very long
        # one; missing in rows older than the column
        share_read=pa.float32(),
    ),
    key_columns=("id",),
)

# One row per stated relation of two brands.
COMPARISONS = TableDefinition(
    "comparisons",
    _build_schema(
        id=pa.string(),
        **_ANNOTATION_COLUMNS,
        # the brand switched to, or preferred
        brand=pa.string(),
        # the brand left, or worse
        other=pa.string(),
        # "switch" or "better"
        kind=pa.string(),
        start=pa.int32(),
        end=pa.int32(),
    ),
    key_columns=("id", "brand", "other", "kind", "start"),
)

# One row per post that copies another; a post without a row is its own cluster.
DUPLICATES = TableDefinition(
    "duplicates",
    _build_schema(
        id=pa.string(),
        # id of the earliest post of the cluster
        cluster=pa.string(),
        similarity=pa.float32(),
    ),
    key_columns=("id",),
)

# One row per topic and week: the fields that `folate topics --format json` prints.
TOPICS = TableDefinition(
    "topics",
    _build_schema(
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
        # JSON of what only the report prints (gain, threshold, scores per term, central posts,
        # decomposition)
        detail=pa.string(),
    ),
    key_columns=("week", "id"),
)

# One row per week, or day, that topics were searched for, also where none was found.
SEARCHES = TableDefinition(
    "searches",
    _build_schema(
        week=pa.string(),
        # posts read in the week
        posts=pa.int64(),
        # posts read in the weeks before it
        baseline_posts=pa.int64(),
        # of the ids and texts of these posts
        digest=pa.string(),
        # weeks before it that had posts
        baseline_weeks=pa.int64(),
        # fewest such weeks with which topics are searched for
        least_weeks=pa.int64(),
        # number of such weeks in folate.toml
        wanted_weeks=pa.int64(),
        # topics found
        topics=pa.int64(),
        # digest of the settings in folate.toml that the result depends on
        settings=pa.string(),
        # JSON {table: version} of what was read
        versions=pa.string(),
        # what could not be known
        notes=_STRINGS,
    ),
    key_columns=("week",),
)

# One row per query of a crawl: what it asked for and whether it got everything.
CRAWLS = TableDefinition(
    "crawls",
    _build_schema(
        crawl=pa.string(),
        source=pa.string(),
        query=pa.string(),
        since=_MOMENT,
        until=_MOMENT,
        # complete, partial, saturated or failed
        status=pa.string(),
        reason=pa.string(),
        requests=pa.int64(),
        posts=pa.int64(),
        # JSON {reason: count}
        dropped=pa.string(),
        started_at=_MOMENT,
        finished_at=_MOMENT,
    ),
    key_columns=("crawl", "source", "query"),
)

# One row per text that a person was asked to label for a brand.
AUDITS = TableDefinition(
    "audits",
    _build_schema(
        # digest of what the audit asks for
        draw=pa.string(),
        brand=pa.string(),
        text_hash=pa.string(),
        # the post that was shown
        id=pa.string(),
        # position from 0, in random order
        place=pa.int32(),
        # the weeks sampled from, [since, until)
        since=_MOMENT,
        until=_MOMENT,
        # texts in these weeks
        population=pa.int64(),
        # of a text to be in the sample
        probability=pa.float64(),
        # negative, neutral, positive, or missing
        label=pa.string(),
        # why the text was skipped
        reason=pa.string(),
    ),
    key_columns=("draw", "text_hash"),
)

# One row per brand and fold: the factors of the sentiments of a brand
# (corpora.store.adapted_sentiments).
ADAPTATIONS = TableDefinition(
    "adaptations",
    _build_schema(
        brand=pa.string(),
        # of the texts that the factors are for; -1: fitted on the labels of all folds
        fold=pa.int32(),
        # suffix of the version of adapted sentiments
        name=pa.string(),
        # whose sentiments are adapted: annotator, and the first two parts of their version
        annotator=pa.string(),
        model=pa.string(),
        # factors
        negative=pa.float64(),
        neutral=pa.float64(),
        positive=pa.float64(),
        # human labels, of all folds
        labels=pa.int64(),
        # cross-validated (nlp.stats.adaptation.CrossValidation), the same in each row of a brand
        loss_before=pa.float64(),
        loss_after=pa.float64(),
        standard_error=pa.float64(),
        share_error_before=pa.float64(),
        share_error_after=pa.float64(),
    ),
    key_columns=("brand", "fold"),
)

# One row per number or sentence that a report printed.
EVIDENCE = TableDefinition(
    "evidence",
    _build_schema(
        id=pa.string(),
        week=pa.string(),
        # name of the measure, or "sentence"
        measure=pa.string(),
        brand=pa.string(),
        # an aspect, a word, another brand, or the rule of a sentence
        subject=pa.string(),
        value=pa.float64(),
        n=pa.int64(),
        low=pa.float64(),
        high=pa.float64(),
        definition=pa.string(),
        # SQL with its parameters bound, or a query of the corpus in its canonical form
        query=pa.string(),
        # JSON {table: version}
        versions=pa.string(),
        # ids, at most 100
        posts=_STRINGS,
    ),
    key_columns=("id",),
)

TABLES: dict[str, TableDefinition] = {
    table.name: table
    for table in (
        POSTS,
        TEXTS,
        WORD_TAGS,
        EMBEDDINGS,
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
        LABELS,
        EVIDENCE,
    )
}
