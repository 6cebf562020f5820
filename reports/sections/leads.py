"""Purchase intent by author and brand, for a CRM: hashed authors, their scores and their posts."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from folate.core.config import Scorecard
from folate.core.post import post_body
from nlp.extract.brands import Mention
from nlp.extract.comparisons import Comparison
from nlp.extract.purchase_intent import PurchaseSignal, find_purchase_signals, signals_by_brand
from reports.context import ReportContext

_POSTS_QUERY = """
SELECT p.id, p.author, p.source, p.title, p.text, m.mentions, c.comparisons, j.buy, j.ask, \
j.complain
FROM posts p
JOIN (SELECT id, list({brand: brand, start: start, stop: "end"} ORDER BY start, brand) \
AS mentions FROM mentions GROUP BY id) m USING (id)
LEFT JOIN (SELECT id, list({brand: brand, other: other, kind: kind, start: start, \
stop: "end"} ORDER BY start, brand, other, kind)
           AS comparisons FROM comparisons GROUP BY id) c USING (id)
LEFT JOIN judgements j USING (id)
WHERE p.published_at >= $since AND p.published_at < $until
ORDER BY p.published_at, p.id
""".strip()


@dataclass
class Lead:
    """The purchase signals of one author about one brand."""

    author: str
    source: str
    brand: str
    score: float = 0.0
    signals: Counter[str] = field(default_factory=Counter)
    posts: list[str] = field(default_factory=list)

    def add_post(self, post: str, signals: list[PurchaseSignal]) -> None:
        """Add the signals of the post with this id."""
        self.score += sum(signal.points for signal in signals)
        self.signals.update(signal.kind for signal in signals)
        self.posts.append(post)

    def to_row(self) -> dict[str, Any]:
        """Return the fields as plain values, the signals by name."""
        return vars(self) | {"signals": dict(sorted(self.signals.items()))}


@dataclass(frozen=True)
class LeadRanking:
    """The leads, highest score first.

    `anonymous_posts` counts posts that show purchase intent and have no author to credit.
    """

    rows: list[dict[str, Any]]
    anonymous_posts: int


def find_leads(context: ReportContext, min_score: float) -> LeadRanking:
    """Find authors and brands with a score of at least `min_score`.

    Posts of the scorecard's weeks up to the context's week count.
    """
    scorecard = context.config.scorecard
    weeks = context.last_weeks(scorecard.weeks)
    bounds = {
        "since": weeks[0].bounds(context.timezone)[0],
        "until": weeks[-1].bounds(context.timezone)[1],
    }
    posts = context.rows(_POSTS_QUERY, bounds)
    leads: dict[tuple[str, str], Lead] = {}
    anonymous_posts = 0
    for post in posts:
        brand_signals = _signals_by_brand(post, scorecard)
        if post["author"] is None:
            anonymous_posts += bool(brand_signals)
            continue
        for brand, signals in brand_signals.items():
            key = (post["author"], brand)
            lead = leads.setdefault(key, Lead(post["author"], post["source"], brand))
            lead.add_post(post["id"], signals)
    ranked = sorted(leads.values(), key=lambda lead: (-lead.score, lead.author, lead.brand))
    return LeadRanking(
        [lead.to_row() for lead in ranked if lead.score >= min_score], anonymous_posts
    )


def _signals_by_brand(
    post: dict[str, Any], scorecard: Scorecard
) -> dict[str, list[PurchaseSignal]]:
    """Return the purchase signals of a row of `_POSTS_QUERY` by brand."""
    text = post_body(post["title"], post["text"])
    intents = {name: post[name] for name in ("buy", "ask", "complain") if post[name] is not None}
    comparisons = [
        Comparison(row["brand"], row["other"], row["kind"], row["start"], row["stop"])
        for row in post["comparisons"] or ()
    ]
    mentions = []
    page_brands = []  # brands whose page the post is on, without naming them
    for row in post["mentions"]:
        if row["start"] is None:
            page_brands.append(row["brand"])
        else:
            mentions.append(Mention(row["brand"], row["start"], row["stop"]))
    signals = find_purchase_signals(text, scorecard, intents, comparisons)
    return signals_by_brand(text, signals, mentions, page_brands)
