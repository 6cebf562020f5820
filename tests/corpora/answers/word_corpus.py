"""A corpus of given words, in any number of segments, without a store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from corpora.answers.answer import Answer
from corpora.corpus import Corpus
from corpora.index.build import DOCUMENT_SCHEMA, build_segment
from corpora.index.lexicon import Lexicon
from corpora.index.segment import Segment
from corpora.store.snapshot import Snapshot
from folate.core.config import Brand, Config
from folate.core.text import contains_chinese

VERSION = "v1"
FIRST_DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)  # the Monday of week 2026-W10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

CONFIG = Config(
    name="test",
    brands=(Brand(id="kraft", names=("kraft",)), Brand(id="heinz", names=("heinz",))),
)


@dataclass(frozen=True)
class WordPost:
    """A post as the tests write it: words between blanks; "。" and the like are no words."""

    words: str
    author: str = "ann"
    day: int = 0
    source: str = "weibo"
    brands: Sequence[str] = ()
    is_annotated: bool = True
    # of each word, if the post is tagged
    lemmas: Sequence[str] | None = None
    fields: Sequence[str] = field(default=())


def build_corpus(folder: Path, posts: Sequence[WordPost], segments: int = 1) -> Corpus:
    """Index posts; ids are f:0, f:1 … in the order of the posts, dealt to segments in turn."""
    lexicon = Lexicon([""])
    rows = [_document(number, post) for number, post in enumerate(posts)]
    built = []
    for number in range(segments):
        segment_folder = folder / f"segments{segments}" / str(number)
        segment_folder.mkdir(parents=True)
        own = rows[number::segments]
        build_segment(segment_folder, pa.Table.from_pylist(own, DOCUMENT_SCHEMA), lexicon)
        built.append(Segment(segment_folder))
    # no answer of words reads the store
    return Corpus(CONFIG, cast(Snapshot, None), built, lexicon, VERSION)


def check_row_queries(corpus: Corpus, answer: Answer) -> None:
    """Assert that the query of each row selects as many posts as the row says."""
    for row in answer.rows:
        result = corpus.search(row["query"])
        assert result.post_count == row["posts"], row
        assert row["version"] == VERSION
        assert list(row)[-2:] == ["query", "version"]
        assert set(row) <= set(answer.definitions)


def _document(number: int, post: WordPost) -> dict[str, Any]:
    body = ""
    words, starts, lengths = [], [], []
    for word in post.words.split():
        if body and not (contains_chinese(word) or contains_chinese(body[-1])):
            body += " "
        if word not in "。，！?.,":
            words.append(word)
            starts.append(len(body))
            lengths.append(len(word))
        body += word
    moment = FIRST_DAY + timedelta(days=post.day, seconds=number)
    keys = [f"source:{post.source}", *(f"brand:{brand}" for brand in post.brands), *post.fields]
    document = {
        "id": f"f:{number}",
        "author": post.author,
        "published_at": moment,
        "day": (moment - _EPOCH).days,
        "body": body,
        "fields": sorted(keys),
    }
    if post.is_annotated:
        document |= {"words": words, "starts": starts, "lengths": lengths}
    if post.lemmas is not None:
        document |= {"lemmas": list(post.lemmas), "parts": ["X"] * len(post.lemmas)}
    return document
