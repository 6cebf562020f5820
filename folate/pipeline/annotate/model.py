"""The model's annotations of posts: sentiment, aspects, emotion, intent and tags."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, NamedTuple

from corpora.store.snapshot import Snapshot
from folate.core.post import post_body
from folate.pipeline.annotate.embeddings import EmbeddingAnnotator
from folate.pipeline.annotate.mentions import MentionSpans, load_mentions
from folate.pipeline.annotate.tags import ignored_threshold_notes, load_taxonomy_tagger
from folate.pipeline.annotate.text import TEXT_ANNOTATOR, PostRows, annotation_keys, text_version
from folate.pipeline.project import Project
from nlp.extract.attribution import attributed_brands, split_by_brand
from nlp.model import AspectPrediction, Reader, SentimentProbabilities, TextPrediction
from nlp.model.name_hiding import NAMES_VERSION, Passage, read_without_names
from nlp.model.windows import MAX_CHARACTERS_READ, sample_text_parts
from nlp.text.clauses import TextSpan

BATCH = 1_000
"""Posts in one commit: results are stored within seconds, and a kill loses no more than these."""
MAX_CACHED_OUTPUTS = 50_000
"""Model outputs in memory, 3 kB each."""


class AspectWithBrands(NamedTuple):
    """An aspect in a post, and the brands it is about."""

    aspect: AspectPrediction
    brands: list[str]


class TextPart(NamedTuple):
    """A part of a post that is about some of its brands."""

    span: TextSpan
    brands: list[str]


class ModelOutput(NamedTuple):
    """Model output for one (text, mentions) pair, cached for duplicates."""

    # without the embedding, which is `vector`
    prediction: TextPrediction
    # encoded for the store
    vector: bytes | None
    aspects: list[AspectWithBrands]
    tags: list[str]


class ModelAnnotator:
    """Annotates the posts of a project with a model.

    Posts with the same text and mentions are predicted once, while no more than
    MAX_CACHED_OUTPUTS others come between them. Near duplicates are predicted separately: one more
    word may be another brand, or a "not".
    """

    def __init__(self, project: Project, reader: Reader) -> None:
        """Load the tagger of the project. Raises ConfigError."""
        self.store = project.store
        self.reader = reader
        self.tagger = load_taxonomy_tagger(project, reader)
        self.notes = ignored_threshold_notes(project, reader)
        self.texts = (TEXT_ANNOTATOR, text_version(project))
        self.version = f"{reader.version}+{NAMES_VERSION}+{self.tagger.version}+{self.texts[1]}"
        self.embeddings = EmbeddingAnnotator(project, reader)
        # posts that are so long that the model read only a part of them
        self.partly_read_posts = 0
        # by digest of text and mentions; the most recently used last
        self._outputs: OrderedDict[bytes, ModelOutput] = OrderedDict()

    def count_pending(self) -> int:
        """Return the number of posts without this model's annotations."""
        return self.store.count_pending_posts("judgements", self.reader.name, self.version)

    def annotate_pending(self) -> Iterator[int]:
        """Annotate the posts that have text annotations but none of this model.

        Yields the number of posts after each batch. Raises StoreError.
        """
        snapshot = None
        for posts in self.store.pending_posts(
            "judgements", self.reader.name, self.version, BATCH, required_reader=self.texts
        ):
            # taken after the posts were, so that it has the mentions of all of them
            snapshot = snapshot or self.store.snapshot()
            rows = posts.select(["id", "text_hash", "title", "text"]).to_pylist()
            self.annotate_posts(rows, snapshot)
            yield len(posts)

    def annotate_posts(self, rows: PostRows, snapshot: Snapshot) -> None:
        """Annotate and store posts, whose mentions are in the snapshot. Raises StoreError.

        Their vectors are stored with later ones, or by `embeddings.store_added`.
        """
        ids = [row["id"] for row in rows]
        bodies = [post_body(row["title"], row["text"]) for row in rows]
        mentions_by_id = load_mentions(snapshot, ids)
        mentions = [mentions_by_id[id_] for id_ in ids]
        outputs = self._predict_cached(bodies, mentions)
        self.partly_read_posts += sum(output.prediction.share_read < 1 for output in outputs)
        sentiments: list[dict[str, Any]] = []
        aspects: list[dict[str, Any]] = []
        judgements = []
        keys = annotation_keys(rows, self.reader.name, self.version)
        for key, output, spans in zip(keys, outputs, mentions, strict=True):
            sentiments += _sentiment_rows(key, output.prediction, spans)
            aspects += _aspect_rows(key, output.aspects)
            judgements.append(_judgement_row(key, output))
        self.store.upsert("sentiments", sentiments, complete_ids=ids)
        self.store.upsert("aspects", aspects, complete_ids=ids)
        # last: a post counts as annotated once its row is in this table
        self.store.upsert("judgements", judgements)
        self.embeddings.add_vectors(rows, [output.vector for output in outputs])

    def _predict_cached(
        self, bodies: Sequence[str], mentions: Sequence[MentionSpans]
    ) -> list[ModelOutput]:
        """Return the output for each body, from the cache where possible."""
        keys = [_cache_key(*pair) for pair in zip(bodies, mentions, strict=True)]
        new_indices = {key: index for index, key in enumerate(keys) if key not in self._outputs}
        new_outputs = self._predict(
            [bodies[index] for index in new_indices.values()],
            [mentions[index] for index in new_indices.values()],
        )
        self._outputs.update(zip(new_indices, new_outputs, strict=True))
        for key in keys:
            self._outputs.move_to_end(key)
        outputs = [self._outputs[key] for key in keys]
        while len(self._outputs) > MAX_CACHED_OUTPUTS:
            self._outputs.popitem(last=False)
        return outputs

    def _predict(
        self, bodies: Sequence[str], mentions: Sequence[MentionSpans]
    ) -> list[ModelOutput]:
        passages = list(map(Passage, bodies, mentions))
        predictions = read_without_names(self.reader, passages)
        embeddings = [prediction.embedding for prediction in predictions]
        tags = self.tagger.assign_tags(bodies, embeddings)
        aspects = _attribute_aspects(self.reader, bodies, predictions, mentions)
        vectors = self.embeddings.encode_predictions(passages, predictions)
        return [
            ModelOutput(
                replace(prediction, embedding=None),
                vector,
                text_aspects,
                [tag.tag for tag in text_tags],
            )
            for prediction, vector, text_aspects, text_tags in zip(
                predictions, vectors, aspects, tags, strict=True
            )
        ]


def _cache_key(text: str, mentions: MentionSpans) -> bytes:
    return blake2b(repr((text, mentions)).encode(), digest_size=16).digest()


def _sentiment_rows(
    key: dict[str, str], prediction: TextPrediction, mentions: MentionSpans
) -> Iterator[dict[str, Any]]:
    """Yield the sentiment of the post and of each brand in it.

    A brand that only the page names gets the sentiment of the post.
    """
    yield key | {"brand": None} | _sentiment_columns(prediction.post)
    targets = iter(prediction.targets)
    for brand, spans in mentions.items():
        sentiment = next(targets) if spans else prediction.post
        yield key | {"brand": brand} | _sentiment_columns(sentiment)


def _attribute_aspects(
    reader: Reader,
    bodies: Sequence[str],
    predictions: Sequence[TextPrediction],
    mentions: Sequence[MentionSpans],
) -> list[list[AspectWithBrands]]:
    """Return the aspects of each post with the brands they are about, the most confident last.

    Where clauses are about different brands, each part is predicted separately, since an aspect
    may be positive for one brand and negative for another.
    """
    aspects: list[list[AspectWithBrands]] = []
    # parts to predict separately, with the index of their post
    separate_parts: list[tuple[int, TextPart]] = []
    for index, (body, prediction, spans) in enumerate(
        zip(bodies, predictions, mentions, strict=True)
    ):
        named_brand_count = sum(bool(brand_spans) for brand_spans in spans.values())
        parts = _split_parts(body, spans) if named_brand_count > 1 else []
        if len(parts) > 1:
            separate_parts += [(index, part) for part in parts]
            aspects.append([])
            continue
        post_aspects = [
            AspectWithBrands(aspect, attributed_brands(aspect.start, aspect.end, spans))
            for aspect in prediction.aspects
        ]
        aspects.append(post_aspects)
    passages = [
        Passage(bodies[index][slice(*part.span)], _mentions_within(mentions[index], part.span))
        for index, part in separate_parts
    ]
    part_predictions = read_without_names(reader, passages)
    for (index, part), prediction in zip(separate_parts, part_predictions, strict=True):
        offset = part.span[0]
        for aspect in prediction.aspects:
            moved = replace(aspect, start=aspect.start + offset, end=aspect.end + offset)
            aspects[index].append(AspectWithBrands(moved, part.brands))
    return [
        sorted(post_aspects, key=lambda entry: entry.aspect.confidence) for post_aspects in aspects
    ]


def _mentions_within(mentions: MentionSpans, part: TextSpan) -> MentionSpans:
    """Return the mentions inside a part of the text, relative to its start."""
    part_start, part_end = part
    mentions_within: MentionSpans = {}
    for brand, spans in mentions.items():
        spans_within = [
            (start - part_start, end - part_start)
            for start, end in spans
            if part_start <= start and end <= part_end
        ]
        if spans_within:
            mentions_within[brand] = spans_within
    return mentions_within


def _split_parts(text: str, mentions: MentionSpans) -> list[TextPart]:
    """Return the parts of a post that are about different brands.

    Of a post longer than MAX_CHARACTERS_READ these are the beginnings of some parts, evenly spread,
    which have no more characters together.
    """
    parts = [TextPart(*part) for part in split_by_brand(text, mentions)]
    if len(text) <= MAX_CHARACTERS_READ:
        return parts
    sampled_parts = [parts[index] for index in sample_text_parts(len(parts), len(text))]
    max_length = MAX_CHARACTERS_READ // len(sampled_parts)
    return [
        TextPart((start, min(end, start + max_length)), brands)
        for (start, end), brands in sampled_parts
    ]


def _aspect_rows(
    key: dict[str, str], aspects: Sequence[AspectWithBrands]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table `aspects`; of two with the same key the store keeps the last."""
    for aspect, brands in aspects:
        columns = {
            "aspect": aspect.name,
            "confidence": aspect.confidence,
            "start": aspect.start,
            "end": aspect.end,
        }
        columns |= _sentiment_columns(aspect.polarity)
        row_brands: list[str | None] = [*brands] or [None]
        for brand in row_brands:
            yield key | {"brand": brand} | columns


def _judgement_row(key: dict[str, str], output: ModelOutput) -> dict[str, Any]:
    prediction = output.prediction
    emotion = prediction.emotion
    row = {
        "emotion": max(emotion, key=emotion.__getitem__) if emotion else None,
        "tags": output.tags,
        "share_read": prediction.share_read,
    }
    return key | row | emotion | prediction.intent


def _sentiment_columns(sentiment: SentimentProbabilities) -> dict[str, Any]:
    return {
        "label": sentiment.label,
        "negative": sentiment.negative,
        "neutral": sentiment.neutral,
        "positive": sentiment.positive,
    }
