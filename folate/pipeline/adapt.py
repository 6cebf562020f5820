"""Adaptation of the model's sentiment for a brand to the labels that people gave in audits."""

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from corpora.store.adapted_sentiments import ALL_FOLDS, FOLD_COUNT, UNREAD_CONDITION_SQL, text_fold
from corpora.store.snapshot import Snapshot
from folate.core.errors import ConfigError, NotFound, suggestion
from folate.core.labels import SENTIMENT_LABELS
from folate.pipeline.project import Project
from nlp.stats.adaptation import MIN_LABELS, CrossValidation, cross_validate, fit_label_factors
from nlp.stats.estimation import Floats, Ints

ADAPTED = "adapted"
NOT_ADAPTED = "not adapted"
OUT_OF_USE = "out of use"
GAIN_FIGURES = (
    "loss_before",
    "loss_after",
    "standard_error",
    "share_error_before",
    "share_error_after",
)

_MODEL_SQL = "array_to_string(string_split(version, '+')[1:2], '+')"
"""The parts of a version that probabilities depend on: the model and the hiding of names."""

_NEWEST_MODEL_QUERY = f"""
SELECT annotator, {_MODEL_SQL} AS model, count(*) AS posts
FROM all_sentiments JOIN posts USING (id, text_hash)
WHERE brand = $brand GROUP BY ALL ORDER BY posts DESC, annotator, model LIMIT 1
""".strip()

# A label's weight is the inverse of its probability of being drawn, with mean 1 in each draw.
_LABELLED_TEXTS_QUERY = f"""
WITH labelled AS (
  SELECT text_hash, label, 1 / coalesce(probability, 1) AS size, draw FROM audits
  WHERE label IS NOT NULL AND brand = $brand
  QUALIFY row_number() OVER (PARTITION BY text_hash ORDER BY draw) = 1
), judged AS (
  SELECT text_hash, negative, neutral, positive
  FROM all_sentiments JOIN posts USING (id, text_hash)
  WHERE brand = $brand AND annotator = $annotator AND {_MODEL_SQL} = $model
    AND NOT ({UNREAD_CONDITION_SQL})
  QUALIFY row_number() OVER (PARTITION BY text_hash ORDER BY id) = 1
)
SELECT text_hash, label, size / avg(size) OVER (PARTITION BY draw) AS weight,
  negative, neutral, positive
FROM labelled JOIN judged USING (text_hash) ORDER BY text_hash
""".strip()

_STATUS_QUERY = f"""
SELECT a.*, EXISTS (
  SELECT 1 FROM all_sentiments JOIN posts USING (id, text_hash)
  WHERE brand = a.brand AND annotator = a.annotator AND {_MODEL_SQL} = a.model
) AS used, l.labels_now
FROM adaptations a LEFT JOIN (
  SELECT brand, count(DISTINCT text_hash) AS labels_now
  FROM audits WHERE label IS NOT NULL GROUP BY brand
) l USING (brand) WHERE fold = {ALL_FOLDS}
""".strip()

_LABEL_COUNTS_QUERY = """
SELECT brand, count(DISTINCT text_hash) AS n FROM audits WHERE label IS NOT NULL GROUP BY brand
""".strip()


class _LabelledTexts(NamedTuple):
    """Texts of a brand with the label of a person and the probabilities of one model."""

    # digest of each text, by which it is assigned to a fold
    text_hashes: list[str]
    # (n, 3) probabilities of SENTIMENT_LABELS
    posteriors: Floats
    # (n,) indices of SENTIMENT_LABELS
    labels: Ints
    # (n,)
    weights: Floats


def adapt_brand(project: Project, brand: str) -> dict[str, Any]:
    """Adapt the sentiment of `brand` to its labels, if cross-validation shows a gain.

    Returns a row of `adaptation_status`. Without a gain, an earlier adaptation is removed, since
    the labels now speak against it. Raises ConfigError for an unknown brand, NotFound when fewer
    than MIN_LABELS labels are of texts that the model has annotated.
    """
    _require_brand(project, brand)
    snapshot = project.store.snapshot()
    models = snapshot.sql(_NEWEST_MODEL_QUERY, {"brand": brand}).to_pylist()
    if not models:
        raise NotFound(
            f"wanted judgements of {brand!r} to adapt, got none: run 'folate annotate' first."
        )
    model = {"annotator": models[0]["annotator"], "model": models[0]["model"]}
    table = snapshot.sql(_LABELLED_TEXTS_QUERY, {"brand": brand} | model)
    if len(table) < MIN_LABELS:
        raise NotFound(
            f"wanted {MIN_LABELS} labels of people of texts on {brand!r} that the model could "
            f"read, got {len(table)}: 'folate audit' asks for more."
        )
    texts = _to_arrays(table)
    gain = cross_validate(texts.posteriors, texts.labels, texts.weights)
    rows = _adaptation_rows(brand, model, texts, gain) if gain.helps else []
    project.store.replace("adaptations", rows, {"brand": brand})
    return _status_row(brand, len(texts.labels), ADAPTED if rows else NOT_ADAPTED, gain)


def remove_adaptations(project: Project, brands: Sequence[str]) -> list[str]:
    """Remove the adaptations of these brands, or all without brands; return the adapted ones.

    Raises ConfigError for a brand that neither the project nor an adaptation has.
    """
    table = project.store.snapshot().sql("SELECT DISTINCT brand FROM adaptations")
    adapted_brands = sorted(table["brand"].to_pylist())
    for brand in set(brands) - set(adapted_brands):
        _require_brand(project, brand)
    removed = [brand for brand in adapted_brands if not brands or brand in brands]
    for brand in removed:
        project.store.replace("adaptations", [], {"brand": brand})
    return removed


def audited_brands(project: Project) -> list[str]:
    """Return the brands with at least MIN_LABELS labels, in the order of folate.toml."""
    counts = _count_labels(project.store.snapshot())
    return [brand.id for brand in project.config.brands if counts.get(brand.id, 0) >= MIN_LABELS]


def adaptation_status(project: Project) -> list[dict[str, Any]]:
    """Return one row per brand: its labels, whether it is adapted, and the cross-validated gain."""
    snapshot = project.store.snapshot()
    counts = _count_labels(snapshot)
    adaptations = {row["brand"]: row for row in snapshot.sql(_STATUS_QUERY).to_pylist()}
    brands = [brand.id for brand in project.config.brands]
    rows = []
    for brand in [*brands, *sorted(adaptations.keys() - set(brands))]:
        state = NOT_ADAPTED
        gain = None
        adaptation = adaptations.get(brand)
        if adaptation is not None:
            state = ADAPTED if adaptation["used"] else OUT_OF_USE
            names = CrossValidation.__dataclass_fields__
            gain = CrossValidation(**{name: adaptation[name] for name in names})
        rows.append(_status_row(brand, counts.get(brand, 0), state, gain))
    return rows


def adaptation_notes(project: Project) -> list[str]:
    """Return notes on which brands are adapted, and those of `stale_adaptation_notes`."""
    notes = [
        f"the model's judgements of {row['brand']!r} are adapted "
        f"to {row['fitted_to']} labels of people."
        for row in adaptation_status(project)
        if row["state"] == ADAPTED
    ]
    return notes + stale_adaptation_notes(project)


def stale_adaptation_notes(project: Project) -> list[str]:
    """Return notes on adaptations to another model, or of a brand that is no longer configured."""
    brands = {brand.id for brand in project.config.brands}
    return [
        _out_of_use_note(row["brand"], row["brand"] in brands)
        for row in adaptation_status(project)
        if row["state"] == OUT_OF_USE
    ]


def _out_of_use_note(brand: str, is_configured: bool) -> str:
    if not is_configured:
        return (
            f"the adaptation of {brand!r} is out of use, as the project has no such brand: "
            f"'folate adapt --undo --brand {brand}' removes it."
        )
    return (
        f"the adaptation of {brand!r} is out of use, "
        "as it was fitted to the judgements of another model: "
        f"'folate adapt --brand {brand}' fits it to those of this one."
    )


def _require_brand(project: Project, brand: str) -> None:
    """Raise ConfigError when the project has no such brand."""
    brands = [entry.id for entry in project.config.brands]
    if brand not in brands:
        raise ConfigError(
            f"wanted a brand of the project, got {brand!r}; {suggestion(brand, brands)}"
        )


def _count_labels(snapshot: Snapshot) -> dict[str, int]:
    """Return the number of labelled texts by brand."""
    return {row["brand"]: row["n"] for row in snapshot.sql(_LABEL_COUNTS_QUERY).to_pylist()}


def _to_arrays(table: pa.Table) -> _LabelledTexts:
    columns = [table[name].to_numpy().astype(np.float64) for name in SENTIMENT_LABELS]
    labels = [SENTIMENT_LABELS.index(label) for label in table["label"].to_pylist()]
    return _LabelledTexts(
        table["text_hash"].to_pylist(),
        np.stack(columns, axis=1),
        np.array(labels),
        table["weight"].to_numpy(),
    )


def _adaptation_rows(
    brand: str, model: dict[str, str], texts: _LabelledTexts, gain: CrossValidation
) -> list[dict[str, Any]]:
    """Return the rows of the table `adaptations`, one per fold and one for all labels.

    The factors of a fold are fitted without the labels of that fold.
    """
    folds = np.array([text_fold(text_hash) for text_hash in texts.text_hashes])
    factors = {}
    for fold in [ALL_FOLDS, *range(FOLD_COUNT)]:
        mask = folds != fold
        factors[fold] = fit_label_factors(
            texts.posteriors[mask], texts.labels[mask], texts.weights[mask]
        )
    factor_lists = sorted((fold, values.tolist()) for fold, values in factors.items())
    digest = blake2b(repr(factor_lists).encode(), digest_size=4).hexdigest()
    common = {"brand": brand, "name": f"adapted-{digest}"} | model | asdict(gain)
    return [
        common | {"fold": fold} | dict(zip(SENTIMENT_LABELS, values.tolist(), strict=True))
        for fold, values in factors.items()
    ]


def _status_row(
    brand: str, label_count: int, state: str, gain: CrossValidation | None
) -> dict[str, Any]:
    """Return one row of `adaptation_status`."""
    row: dict[str, Any] = {
        "brand": brand,
        "labels": label_count,
        "state": state,
        "fitted_to": gain.labels if gain else None,
    }
    for name in GAIN_FIGURES:
        row[name] = round(getattr(gain, name), 4) if gain else None
    return row
