"""Sentiments of brands adapted to human labels: a model's probabilities times a factor per label.

The factors for a text come from labels of other texts only. Texts are assigned to `FOLD_COUNT`
folds by their digest, and those of one fold get the factors that were fitted without the labels of
that fold. So a labelled text is no more adapted to its own label than any other text is, and an
audit may compare the two.
"""

from folate.core.labels import SENTIMENT_LABELS, UNREADABLE_PROBABILITIES

FOLD_COUNT = 10
ALL_FOLDS = -1
"""The fold number of the fit on the labels of all folds, which calibrates reported figures."""

UNREAD_CONDITION_SQL = " AND ".join(
    f"abs({label} - {probability}) < 1e-6"
    for label, probability in zip(SENTIMENT_LABELS, UNREADABLE_PROBABILITIES, strict=True)
)
"""Whether the model had nothing to read (`UNREADABLE_PROBABILITIES`).

Such a prediction is not adapted, or the report would take it for one of a text."""

ADAPTED_SENTIMENTS_SQL = f"""
WITH scaled AS (
  SELECT s.*, f.name AS adaptation, s.negative * if(unread, 1, f.negative) AS minus,
    s.neutral * if(unread, 1, f.neutral) AS zero, s.positive * if(unread, 1, f.positive) AS plus
  FROM (SELECT *, {UNREAD_CONDITION_SQL} AS unread FROM all_sentiments) s
  JOIN posts USING (id, text_hash)
  LEFT JOIN adaptations f ON f.brand = s.brand AND f.annotator = s.annotator
    AND starts_with(s.version || '+', f.model || '+')
    AND f.fold = ('0x' || substr(s.text_hash, 1, 4))::INT % {FOLD_COUNT}
)
SELECT * EXCLUDE (unread, adaptation, minus, zero, plus) REPLACE (
  CASE WHEN adaptation IS NULL THEN version ELSE version || '+' || adaptation END AS version,
  CASE WHEN adaptation IS NULL THEN label
    WHEN zero >= greatest(minus, plus) OR minus = plus THEN 'neutral'
    WHEN plus > minus THEN 'positive' ELSE 'negative' END AS label,
  CASE WHEN adaptation IS NULL THEN negative ELSE minus / (minus + zero + plus) END::FLOAT
    AS negative,
  CASE WHEN adaptation IS NULL THEN neutral ELSE zero / (minus + zero + plus) END::FLOAT
    AS neutral,
  CASE WHEN adaptation IS NULL THEN positive ELSE plus / (minus + zero + plus) END::FLOAT
    AS positive
) FROM scaled
""".strip()
"""The view `sentiments` where a brand is adapted; `all_sentiments` keeps the model's own output."""


def text_fold(text_hash: str) -> int:
    """Return the fold of a text, 0 to `FOLD_COUNT` - 1, by its digest in hexadecimal digits.

    >>> text_fold("00ff3c5e8a0b1d2f")
    5
    """
    return int(text_hash[:4], 16) % FOLD_COUNT
