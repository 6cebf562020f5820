"""Words that set a brand apart from the others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from corpora.store.snapshot import sql_literal
from folate.core.weeks import Period
from nlp.stats.estimation import Floats, log_odds_z_scores
from nlp.text.normalize import normalize_text
from nlp.text.stopwords import stopwords
from reports import queries
from reports.context import ReportContext
from reports.figures import MAX_SAMPLE_POSTS, Figure
from reports.measures.brands import MIN_AUTHORS

MAX_BRAND_WORDS = 8
"""Most words of each brand."""

MAX_PRIOR_STRENGTH = 1000
"""Most words that the prior counts as. A small corpus gets a quarter of its size, so that the prior
does not outweigh it."""

MIN_Z_SCORE = 2.576
"""z of the log-odds: one word in a hundred passes by chance, so the words with the largest z are
shown."""

_WORDS_QUERY = (
    "SELECT r.id, r.brand, r.author, t.words FROM ({rows}) r JOIN texts t USING (id) WHERE counted"
)
_AUTHOR_COUNTS_QUERY = """
WITH said AS (SELECT DISTINCT brand, author, unnest(words) AS word FROM ({said})),
often AS (SELECT word FROM said GROUP BY word HAVING count(DISTINCT author) >= {fewest})
SELECT brand, word, count(*) AS writers FROM said SEMI JOIN often USING (word) GROUP BY ALL \
ORDER BY brand, word
""".strip()
_SAMPLE_POSTS_QUERY = """
SELECT brand, word, (list(id ORDER BY id)[:{most}]) AS sample
FROM (SELECT brand, id, unnest(list_intersect(words, [{words}])) AS word FROM ({said})) GROUP BY ALL
""".strip()
_WORD_QUERY = """
SELECT r.id, r.brand, r.author FROM ({rows}) r JOIN texts t USING (id) WHERE counted \
AND list_contains(t.words, {word})
ORDER BY r.brand, r.id
""".strip()

SamplePosts = Mapping[tuple[str, str], Sequence[str]]
"""Ids of posts by brand and word."""


@dataclass(frozen=True, kw_only=True)
class DistinctiveWord:
    """A word that authors use about a brand more than about the others."""

    brand: str
    text: str
    keyness: Figure
    """(authors per thousand + 1) of this brand / of the others; n: distinct authors."""


@dataclass(frozen=True)
class WordCounts:
    """Distinct authors of each word about each brand."""

    words: Sequence[str]
    authors: Floats
    """(brands, words)."""

    def keyness(self, brand: int, word: int) -> float:
        """Return how much more the word is used: "simple maths" (Kilgarriff 2009).

        Rates are authors of the word per thousand authors of any word.
        """
        totals = self.authors.sum(1, keepdims=True).clip(min=1)
        per_thousand = 1000 * self.authors / totals
        other_authors = self.authors[:, word].sum() - self.authors[brand, word]
        other_total = max(self.authors.sum() - self.authors[brand].sum(), 1)
        return float((per_thousand[brand, word] + 1) / (1000 * other_authors / other_total + 1))

    def distinctive_words(self, brand: int) -> list[int]:
        """Return the words of a brand with the largest log-odds, as indices."""
        brand_authors = self.authors[brand]
        total = self.authors.sum(0)
        z_scores = log_odds_z_scores(
            brand_authors,
            total - brand_authors,
            total,
            prior_strength=min(MAX_PRIOR_STRENGTH, self.authors.sum() / 4),
        )
        ranked = np.lexsort((np.arange(len(z_scores)), -z_scores))[:MAX_BRAND_WORDS]
        is_distinctive = (z_scores >= MIN_Z_SCORE) & (brand_authors >= MIN_AUTHORS)
        return [int(word) for word in ranked if is_distinctive[word]]


def find_distinctive_words(
    context: ReportContext, weeks: Iterable[Period]
) -> tuple[DistinctiveWord, ...]:
    """Find the words of each brand with the largest log-odds over distinct authors.

    There are none where fewer than two brands have words.
    """
    mentions = context.mentions_query(list(weeks))
    words_query = _WORDS_QUERY.format(rows=mentions)
    # the words of all posts are read once
    with context.snapshot.materialize("mention_words", words_query):
        return _distinctive_words(context, mentions, "FROM mention_words")


def _distinctive_words(
    context: ReportContext, mentions: str, words_query: str
) -> tuple[DistinctiveWord, ...]:
    """Return the words that are distinctive of each brand.

    `mentions` is the SELECT of the mentions, `words_query` that of their words.
    """
    counts = _count_authors(context, words_query)
    if (counts.authors.sum(1) > 0).sum() < 2:
        return ()
    pairs = []
    for brand in range(len(counts.authors)):
        pairs += [(brand, word) for word in counts.distinctive_words(brand)]
    if not pairs:
        return ()
    sample_posts = _load_sample_posts(
        context, words_query, {counts.words[word] for _, word in pairs}
    )
    distinctive_words = []
    for brand, word in pairs:
        brand_id = context.brand_ids[brand]
        text = counts.words[word]
        keyness = context.figure(
            "keyness",
            counts.keyness(brand, word),
            n=int(counts.authors[brand, word]),
            query=_WORD_QUERY.format(rows=mentions, word=sql_literal(text)),
            brand=brand_id,
            subject=text,
            posts=sample_posts[brand_id, text],
        )
        distinctive_words.append(DistinctiveWord(brand=brand_id, text=text, keyness=keyness))
    return tuple(distinctive_words)


def _count_authors(context: ReportContext, words_query: str) -> WordCounts:
    """Count authors of words that are no stop words, no numbers and no parts of a brand's names."""
    rows = context.rows(_AUTHOR_COUNTS_QUERY.format(said=words_query, fewest=MIN_AUTHORS))
    excluded = stopwords() | _name_parts(context)
    candidates = {row["word"] for row in rows} - excluded
    words = [word for word in sorted(candidates) if len(word) > 1 and not word.isdigit()]
    word_index = {word: index for index, word in enumerate(words)}
    authors = np.zeros((len(context.brand_ids), len(words)))
    for row in rows:
        if row["word"] in word_index:
            brand = context.brand_ids.index(row["brand"])
            authors[brand, word_index[row["word"]]] = row["writers"]
    return WordCounts(words, authors)


def _name_parts(context: ReportContext) -> set[str]:
    """Return the aliases of all brands and their words, normalized."""
    names: set[str] = set()
    for brand in context.config.brands:
        for alias in brand.aliases:
            names.update(normalize_text(name) for name in (alias, *alias.split()))
    return names


def _load_sample_posts(
    context: ReportContext, words_query: str, words: Iterable[str]
) -> SamplePosts:
    query = _SAMPLE_POSTS_QUERY.format(
        most=MAX_SAMPLE_POSTS, said=words_query, words=queries.string_literals(sorted(words))
    )
    return {(row["brand"], row["word"]): row["sample"] for row in context.rows(query)}
