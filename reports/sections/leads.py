"""Purchase intent by author and brand, for a CRM: hashed authors, the points of their posts, and the posts themselves."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from folate.core.post import post_body
from folate.core.weeks import Week
from folate.pipeline.project import Project
from nlp.extract.brands import Mention
from nlp.extract.comparisons import Comparison
from nlp.extract.purchase_intent import PurchaseSignal, find_purchase_signals, signals_by_brand

_POSTS = """
SELECT p.id, p.author, p.source, p.title, p.text, m.mentions, c.comparisons, j.buy, j.ask, j.complain
FROM posts p
JOIN (SELECT id, list({brand: brand, start: start, stop: "end"} ORDER BY start, brand) AS mentions FROM mentions GROUP BY id) m USING (id)
LEFT JOIN (SELECT id, list({brand: brand, other: other, kind: kind, start: start, stop: "end"} ORDER BY start, brand, other, kind)
           AS comparisons FROM comparisons GROUP BY id) c USING (id)
LEFT JOIN judgements j USING (id)
WHERE p.published_at >= $since AND p.published_at < $until
ORDER BY p.published_at, p.id
""".strip()


@dataclass
class Lead:
    """What one author has shown of one brand."""

    author: str
    source: str
    brand: str
    score: float = 0.0
    signals: Counter[str] = field(default_factory=Counter)
    posts: list[str] = field(default_factory=list)

    def add_post(self, post: str, signals: list[PurchaseSignal]) -> None:
        self.score += sum(signal.points for signal in signals)
        self.signals.update(signal.kind for signal in signals)
        self.posts.append(post)

    def to_row(self) -> dict[str, Any]:
        return vars(self) | {"signals": dict(sorted(self.signals.items()))}


@dataclass(frozen=True)
class LeadRanking:
    """The leads, highest score first, and how many posts with a signal had no author to count them for."""

    rows: list[dict[str, Any]]
    anonymous_posts: int


def find_leads(project: Project, week: Week, min_score: float) -> LeadRanking:
    """Authors and brands of `least` points and more, over the weeks of the scorecard up to `week`."""
    config = project.config
    since = (week - (config.scorecard.weeks - 1)).bounds(config.timezone)[0]
    posts = (
        project.store.snapshot()
        .sql(_POSTS, {"since": since, "until": week.bounds(config.timezone)[1]})
        .to_pylist()
    )
    leads: dict[tuple[str, str], Lead] = {}
    anonymous = 0
    for post in posts:
        found = _signals(project, post)
        if post["author"] is None:
            anonymous += bool(found)
            continue
        for brand, signals in found.items():
            lead = leads.setdefault(
                (post["author"], brand), Lead(post["author"], post["source"], brand)
            )
            lead.add_post(post["id"], signals)
    ranked = sorted(leads.values(), key=lambda lead: (-lead.score, lead.author, lead.brand))
    return LeadRanking([lead.to_row() for lead in ranked if lead.score >= min_score], anonymous)


def _signals(project: Project, post: dict[str, Any]) -> dict[str, list[PurchaseSignal]]:
    """Brand -> signals of one post."""
    text = post_body(post["title"], post["text"])
    intent = {name: post[name] for name in ("buy", "ask", "complain") if post[name] is not None}
    comparisons = [
        Comparison(its["brand"], its["other"], its["kind"], its["start"], its["stop"])
        for its in post["comparisons"] or ()
    ]
    mentions = [
        Mention(its["brand"], its["start"], its["stop"])
        for its in post["mentions"]
        if its["start"] is not None
    ]
    about = [its["brand"] for its in post["mentions"] if its["start"] is None]
    return signals_by_brand(
        text,
        find_purchase_signals(text, project.config.scorecard, intent, comparisons),
        mentions,
        about,
    )
