"""Words that set a brand apart from the others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from corpora.store.snapshot import Snapshot, sql_literal
from folate.core.weeks import Period
from nlp.stats.estimation import Floats, log_odds_z_scores
from nlp.text.normalize import normalize_text
from nlp.text.stopwords import stopwords
from reports import queries
from reports.figures import MAX_SAMPLE_POSTS, Figure
from reports.measures.brands import MIN_AUTHORS, ReportContext

MAX_BRAND_WORDS = 8  # words of each brand
MAX_PRIOR_STRENGTH = 1000  # words of the prior at most; a quarter of a small corpus, that the prior does not outweigh it
MIN_Z_SCORE = 2.576  # z of the log-odds: one word in a hundred passes by chance, so the words are those of the largest z
_SAID = (
    "SELECT r.id, r.brand, r.author, t.words FROM ({rows}) r JOIN texts t USING (id) WHERE counted"
)
_WRITERS = """
WITH said AS (SELECT DISTINCT brand, author, unnest(words) AS word FROM ({said})),
often AS (SELECT word FROM said GROUP BY word HAVING count(DISTINCT author) >= {fewest})
SELECT brand, word, count(*) AS writers FROM said SEMI JOIN often USING (word) GROUP BY ALL ORDER BY brand, word
""".strip()
_POSTS = """
SELECT brand, word, (list(id ORDER BY id)[:{most}]) AS sample
FROM (SELECT brand, id, unnest(list_intersect(words, [{words}])) AS word FROM ({said})) GROUP BY ALL
""".strip()
_WORD = """
SELECT r.id, r.brand, r.author FROM ({rows}) r JOIN texts t USING (id) WHERE counted AND list_contains(t.words, {word})
ORDER BY r.brand, r.id
""".strip()


@dataclass(frozen=True, kw_only=True)
class DistinctiveWord:
    """A word that a brand's writers use more than those of the other brands do."""

    brand: str
    text: str
    keyness: Figure  # (writers per thousand + 1) here / there; n: distinct authors who write it of this brand


def distinctive_words(
    snapshot: Snapshot, context: ReportContext, weeks: Iterable[Period]
) -> tuple[DistinctiveWord, ...]:
    """The MOST words of each brand with the largest log-odds, over distinct authors; none of a brand that nobody is compared with."""
    rows = queries.mentions_query(context.brand_ids, list(weeks), context.config.timezone)
    said = _SAID.format(rows=rows)
    with snapshot.materialize(said, {said: "true"}):  # the words of all posts must be read for it
        return _words(snapshot, context, rows, said)


def _words(
    snapshot: Snapshot, asked: ReportContext, rows: str, said: str
) -> tuple[DistinctiveWord, ...]:
    table = snapshot.sql(_WRITERS.format(said=said, fewest=MIN_AUTHORS)).to_pylist()
    names = {
        normalize_text(part)
        for brand in asked.config.brands
        for alias in brand.aliases
        for part in (alias, *alias.split())
    }
    terms = sorted({row["word"] for row in table} - stopwords() - names)
    place = {
        term: at
        for at, term in enumerate(term for term in terms if len(term) > 1 and not term.isdigit())
    }
    counts = np.zeros((len(asked.brand_ids), len(place)))
    for row in table:
        if row["word"] in place:
            counts[asked.brand_ids.index(row["brand"]), place[row["word"]]] = row["writers"]
    if (counts.sum(1) > 0).sum() < 2:
        return ()
    spelled = list(place)
    if not (best := [(brand, at) for brand in range(len(counts)) for at in _best(counts, brand)]):
        return ()
    question = _POSTS.format(
        most=MAX_SAMPLE_POSTS,
        said=said,
        words=queries.string_literals(sorted({spelled[at] for _, at in best})),
    )
    posts = {
        (row["brand"], row["word"]): tuple(row["sample"])
        for row in snapshot.sql(question).to_pylist()
    }
    return tuple(_word(spelled[at], brand, counts, at, posts, rows, asked) for brand, at in best)


def _best(counts: Floats, brand: int) -> list[int]:
    ours, theirs = counts[brand], counts.sum(0) - counts[brand]
    z = log_odds_z_scores(
        ours, theirs, counts.sum(0), prior_strength=min(MAX_PRIOR_STRENGTH, counts.sum() / 4)
    )
    order = np.lexsort((np.arange(len(z)), -z))
    return [
        int(at)
        for at in order[:MAX_BRAND_WORDS]
        if z[at] >= MIN_Z_SCORE and ours[at] >= MIN_AUTHORS
    ]


SamplePostsByWord = Mapping[tuple[str, str], tuple[str, ...]]


def _word(
    text: str,
    brand: int,
    counts: Floats,
    at: int,
    posts: SamplePostsByWord,
    rows: str,
    asked: ReportContext,
) -> DistinctiveWord:
    """Simple maths (Kilgarriff 2009) on writers of the word per thousand uses of any word."""
    per_thousand = 1000 * counts / counts.sum(1, keepdims=True).clip(min=1)
    others = (
        1000
        * (counts[:, at].sum() - counts[brand, at])
        / max(counts.sum() - counts[brand].sum(), 1)
    )
    figure = Figure(
        measure="keyness", week=str(asked.week), brand=asked.brand_ids[brand], subject=text,
        value=(per_thousand[brand, at] + 1) / (others + 1), n=int(counts[brand, at]), 
        query=_WORD.format(rows=rows, word=sql_literal(text)), versions=asked.versions,
        posts=posts[asked.brand_ids[brand], text],
    )  # fmt: skip
    return DistinctiveWord(brand=asked.brand_ids[brand], text=text, keyness=figure)
