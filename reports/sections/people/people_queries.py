"""SQL about the people who write: their reach, their interactions, and questions to our brand."""

from collections.abc import Sequence

from folate.core.weeks import Period
from reports import queries
from reports.figures import MAX_SAMPLE_POSTS

_REACH_QUERY = f"""
WITH about AS (SELECT DISTINCT brand, id, author, source FROM ({{rows}}) WHERE counted),
heard AS (
    SELECT p.parent AS id, count(DISTINCT coalesce(p.author, p.id)) AS people FROM posts p \
JOIN about a ON a.id = p.parent
    WHERE coalesce(p.author, p.id) <> a.author GROUP BY ALL
)
SELECT a.brand, a.author, a.source, count(*) AS posts, coalesce(max(p.followers), sum(h.people), \
0) AS reach,
  sum(coalesce(p.likes, 0) + coalesce(p.replies, 0) + coalesce(p.reposts, 0))
    FILTER (coalesce(p.likes, p.replies, p.reposts) IS NOT NULL) AS engagement,
  avg(s.positive - s.negative) AS opinion, (list(a.id ORDER BY a.id)[:{MAX_SAMPLE_POSTS}]) AS sample
FROM about a JOIN posts p USING (id) LEFT JOIN heard h USING (id) LEFT \
JOIN sentiments s ON s.id = a.id AND s.brand = a.brand
WHERE p.author IS NOT NULL GROUP BY ALL
""".strip()

_TOP_INFLUENCERS_QUERY = """
FROM ({heard}) WHERE engagement <> 0 AND reach <> 0
QUALIFY row_number() OVER (PARTITION BY author ORDER BY engagement * reach DESC, brand, source) = 1
ORDER BY engagement * reach DESC, author LIMIT {most}
""".strip()

_INTERACTIONS_QUERY = """
SELECT c.author AS one, p.author AS other, count(*) AS times, min(c.id) AS post,
  list(DISTINCT coalesce(m.brand, n.brand) ORDER BY 1) AS brands
FROM posts c JOIN posts p ON p.id = c.parent
LEFT JOIN ({named}) m ON m.id = c.id
LEFT JOIN ({named}) n ON n.id = p.id
WHERE c.author <> p.author AND c.published_at >= {start} AND c.published_at < {stop} \
AND (m.brand IS NOT NULL OR n.brand IS NOT NULL)
GROUP BY ALL ORDER BY ALL
""".strip()

QUESTIONS_QUERY = """
SELECT a.id, a.author, p.replies, p.published_at, EXISTS (FROM posts c WHERE c.parent = a.id) \
AS has_child,
  EXISTS (FROM posts c WHERE c.source = p.source AND c.parent IS NOT NULL) AS threaded
FROM ({rows}) a JOIN posts p USING (id) JOIN judgements j USING (id)
WHERE a.counted AND a.brand = {brand} AND j.ask >= 0.5 ORDER BY a.id
""".strip()

QUESTIONS_JUDGED_QUERY = """
SELECT count(*) = 0 OR count(j.ask) > 0 AS known FROM ({rows}) a LEFT \
JOIN judgements j USING (id) WHERE a.counted AND a.brand = {brand}
""".strip()

_CARRIED_QUERY = "SELECT max(greatest(passed_on, answered_by)) AS carried FROM ({path})"
_TOPIC_PATH_QUERY = """
SELECT p.id, p.author, p.source, p.published_at, coalesce(p.replies, 0) + coalesce(p.reposts, \
0) AS passed_on,
  (SELECT count(DISTINCT coalesce(c.author, c.id)) FROM posts c WHERE c.parent = p.id) \
AS answered_by
FROM posts p WHERE p.id IN ({ids}) ORDER BY p.published_at, p.id
""".strip()


def reach_query(mentions: str) -> str:
    """Return the SELECT of every author's posts, reach, engagement and opinion by brand.

    `mentions` is the SELECT of the mentions. Reach is the number of followers where the source
    shows it, else of the people who answered.
    """
    return _REACH_QUERY.format(rows=mentions)


def top_influencers_query(reach: str, max_authors: int) -> str:
    """Return the SELECT of the authors with most reach times engagement.

    `reach` is a `reach_query`. Each author comes once, with the brand of most engagement.
    """
    return _TOP_INFLUENCERS_QUERY.format(heard=reach, most=max_authors)


def interactions_query(brands: Sequence[str], weeks: Sequence[Period], timezone: str) -> str:
    """Return the SELECT of who answers or reposts whom, where either post names a brand."""
    start, stop = queries.window_bounds(weeks, timezone)
    named = queries.brand_posts_query(brands)
    return _INTERACTIONS_QUERY.format(named=named, start=start, stop=stop)


def topic_path_query(post_ids: Sequence[str]) -> str:
    """Return the SELECT of posts in order of time, with their answers and reposts."""
    return _TOPIC_PATH_QUERY.format(ids=queries.string_literals(post_ids))


def carried_query(post_ids: Sequence[str]) -> str:
    """Return the SELECT of the most answers or reposts that one of the posts has."""
    return _CARRIED_QUERY.format(path=topic_path_query(post_ids))
