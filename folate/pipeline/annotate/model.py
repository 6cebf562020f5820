"""The model's judgements of posts, stored a batch at a time: sentiment, aspects, emotion, intent, tags."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, NamedTuple

from corpora.store.snapshot import Snapshot
from folate.core.post import post_body
from folate.pipeline.annotate.tags import ignored_threshold_notes, load_taxonomy_tagger
from folate.pipeline.annotate.text import TEXT_ANNOTATOR, PostRows, annotation_keys, text_version
from folate.pipeline.project import Project
from nlp.extract.attribution import attributed_brands, split_by_brand
from nlp.model import AspectPrediction, Reader, SentimentProbabilities, TextPrediction
from nlp.model.name_hiding import NAMES_VERSION as NAMES
from nlp.model.name_hiding import Passage, read_without_names
from nlp.model.windows import MAX_CHARACTERS_READ, sample_text_parts
from nlp.text.clauses import TextSpan

BATCH = (
    1_000  # posts: results land within seconds, and that much at most is read again after a kill
)
MAX_CACHED_OUTPUTS = 50_000  # judgements in hand, 2 kB each
MentionSpans = dict[
    str, list[TextSpan]
]  # of one post: brand -> spans, none where only the page names the brand
AspectWithBrands = tuple[AspectPrediction, list[str]]


class ModelOutput(NamedTuple):
    """What a text and the brands in it decide: the same for every copy. `reading` is without its embedding, of which `tags` came."""

    reading: TextPrediction
    aspects: list[AspectWithBrands]
    tags: list[str]


class ModelAnnotator:
    """A model at work on the posts of a project.

    Posts with the same text, title and mentions are judged once, as long as fewer than `KEPT` others come between. Near copies are judged
    each for itself: a word more or less may be another brand, or a "not".
    """

    def __init__(self, project: Project, reader: Reader) -> None:
        """Raises ConfigError."""
        self.store, self.reader, self.tagger = (
            project.store,
            reader,
            load_taxonomy_tagger(project, reader),
        )
        self.notes = ignored_threshold_notes(project, reader)
        self.texts = (TEXT_ANNOTATOR, text_version(project))
        self.version = f"{reader.version}+{NAMES}+{self.tagger.version}+{self.texts[1]}"
        self.partly_read_posts = 0  # posts so long that the model read a part of them
        self._known: OrderedDict[bytes, ModelOutput] = OrderedDict()  # the latest used last

    def count_pending(self) -> int:
        """How many posts this model has not judged, those without a read text included."""
        return self.store.count_pending_posts("judgements", self.reader.name, self.version)

    def annotate_pending(self) -> Iterator[int]:
        """Judge the posts with a read text that this model has not; after each batch the number of its posts. Raises StoreError."""
        snapshot = None
        for posts in self.store.pending_posts(
            "judgements", self.reader.name, self.version, BATCH, required_reader=self.texts
        ):
            snapshot = (
                snapshot or self.store.snapshot()
            )  # taken after the posts were: it has the mentions of all of them
            self.annotate_posts(
                posts.select(["id", "text_hash", "title", "text"]).to_pylist(), snapshot
            )
            yield len(posts)

    def annotate_posts(self, rows: PostRows, snapshot: Snapshot) -> None:
        """Judge posts, whose mentions are in the snapshot, and store it. Raises StoreError."""
        ids = [row["id"] for row in rows]
        found = _mentions(snapshot, ids)
        mentions = [found[id_] for id_ in ids]
        judged = self._judged([post_body(row["title"], row["text"]) for row in rows], mentions)
        self.partly_read_posts += sum(its.reading.share_read < 1 for its in judged)
        made = list(
            zip(
                annotation_keys(rows, self.reader.name, self.version), judged, mentions, strict=True
            )
        )
        upsert = self.store.upsert
        upsert(
            "sentiments",
            [row for key, its, brands in made for row in _sentiments(key, its.reading, brands)],
            complete_ids=ids,
        )
        upsert(
            "aspects",
            [row for key, its, _ in made for row in _aspects(key, its.aspects)],
            complete_ids=ids,
        )
        # last: a post counts as judged once its row is there
        upsert("judgements", [_judgement(key, its) for key, its, _ in made])

    def _judged(self, bodies: Sequence[str], mentions: Sequence[MentionSpans]) -> list[ModelOutput]:
        keys = [_digest(*one) for one in zip(bodies, mentions, strict=True)]
        new = {key: place for place, key in enumerate(keys) if key not in self._known}
        places = list(new.values())
        self._known.update(
            zip(
                new,
                self._computed([bodies[at] for at in places], [mentions[at] for at in places]),
                strict=True,
            )
        )
        for key in keys:
            self._known.move_to_end(key)
        judged = [self._known[key] for key in keys]
        while len(self._known) > MAX_CACHED_OUTPUTS:
            self._known.popitem(last=False)
        return judged

    def _computed(
        self, bodies: Sequence[str], mentions: Sequence[MentionSpans]
    ) -> list[ModelOutput]:
        readings = read_without_names(self.reader, list(map(Passage, bodies, mentions)))
        tags = self.tagger.assign_tags(bodies, [reading.embedding for reading in readings])
        spoken = _spoken(self.reader, bodies, readings, mentions)
        return [
            ModelOutput(replace(reading, embedding=None), its, [tag.tag for tag in found])
            for reading, its, found in zip(readings, spoken, tags, strict=True)
        ]


def _digest(text: str, mentions: MentionSpans) -> bytes:
    return blake2b(repr((text, mentions)).encode(), digest_size=16).digest()


def _mentions(snapshot: Snapshot, ids: Sequence[str]) -> "defaultdict[str, MentionSpans]":
    """The mentions of each post by brand, brands and spans in order."""
    found: defaultdict[str, MentionSpans] = defaultdict(dict)
    query = 'SELECT id, brand, start, "end" FROM mentions WHERE id IN (SELECT unnest($ids)) ORDER BY id, brand, start'
    for row in snapshot.sql(query, {"ids": ids}).to_pylist():
        spans = found[row["id"]].setdefault(row["brand"], [])
        if row["start"] is not None:
            spans.append((row["start"], row["end"]))
    return found


def _sentiments(
    key: dict[str, str], reading: TextPrediction, brands: MentionSpans
) -> Iterator[dict[str, Any]]:
    """Of the post and of each brand in it. A brand that only the page names gets the post's own."""
    yield key | {"brand": None} | _probabilities(reading.post)
    targets = iter(reading.targets)
    for brand, spans in brands.items():
        yield key | {"brand": brand} | _probabilities(next(targets) if spans else reading.post)


def _spoken(
    reader: Reader,
    bodies: Sequence[str],
    readings: Sequence[TextPrediction],
    mentions: Sequence[MentionSpans],
) -> list[list[AspectWithBrands]]:
    """The aspects of each post with the brands they are about, the surest last. Where clauses speak of different brands each part
    is read by itself: an aspect may be good of one brand and bad of the other.
    """
    parts = [
        _parts(text, its) if sum(map(bool, its.values())) > 1 else []
        for text, its in zip(bodies, mentions, strict=True)
    ]
    asked = [(row, *part) for row, its in enumerate(parts) if len(its) > 1 for part in its]
    clauses = [
        Passage(bodies[row][slice(*span)], _within(mentions[row], span)) for row, span, _ in asked
    ]
    again = read_without_names(reader, clauses)
    found: list[list[AspectWithBrands]] = [
        []
        if len(part) > 1
        else [
            (aspect, attributed_brands(aspect.start, aspect.end, its)) for aspect in reading.aspects
        ]
        for part, reading, its in zip(parts, readings, mentions, strict=True)
    ]
    for (row, (start, _), brands), reading in zip(asked, again, strict=True):
        found[row] += [
            (replace(one, start=one.start + start, end=one.end + start), brands)
            for one in reading.aspects
        ]
    return [sorted(its, key=lambda spoken: spoken[0].confidence) for its in found]


def _within(mentions: MentionSpans, part: TextSpan) -> MentionSpans:
    """The mentions inside of a part of the text, in code points of the part."""
    first, last = part
    inside: MentionSpans = {}
    for brand, spans in mentions.items():
        places = [
            (start - first, end - first) for start, end in spans if first <= start and end <= last
        ]
        if places:
            inside[brand] = places
    return inside


def _parts(text: str, mentions: MentionSpans) -> list[tuple[TextSpan, list[str]]]:
    """The parts of a post that speak of different brands; of a very long post the beginnings of some, evenly over it, as many
    characters together as the model reads of any post.
    """
    parts = split_by_brand(text, mentions)
    if len(text) <= MAX_CHARACTERS_READ:
        return parts
    chosen = [parts[place] for place in sample_text_parts(len(parts), len(text))]
    most = MAX_CHARACTERS_READ // len(chosen)
    return [((start, min(end, start + most)), brands) for (start, end), brands in chosen]


def _aspects(key: dict[str, str], spoken: Sequence[AspectWithBrands]) -> Iterator[dict[str, Any]]:
    """Rows of the table; of two with the same key the store keeps the last."""
    for aspect, brands in spoken:
        place = {
            "aspect": aspect.name,
            "confidence": aspect.confidence,
            "start": aspect.start,
            "end": aspect.end,
        }
        about: list[str | None] = [*brands]
        for brand in about or [None]:
            yield key | {"brand": brand} | place | _probabilities(aspect.polarity)


def _judgement(key: dict[str, str], judged: ModelOutput) -> dict[str, Any]:
    emotion, intent = judged.reading.emotion, judged.reading.intent
    likeliest = max(emotion, key=emotion.__getitem__) if emotion else None
    about = {"emotion": likeliest, "tags": judged.tags, "share_read": judged.reading.share_read}
    return key | about | emotion | intent


def _probabilities(p: SentimentProbabilities) -> dict[str, Any]:
    return {"label": p.label, "negative": p.negative, "neutral": p.neutral, "positive": p.positive}
