"""Adapt the model's judgements of a brand to the labels that people gave in audits, and take that back."""

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa

from corpora.store.adapted import ALL_FOLDS, FOLD_COUNT, UNREAD_CONDITION_SQL, text_fold
from corpora.store.snapshot import Snapshot
from folate.core.errors import ConfigError, NotFound, suggestion
from folate.core.labels import SENTIMENT_LABELS
from folate.pipeline.project import Project
from nlp.stats.adaptation import MIN_LABELS, CrossValidation, cross_validate, fit_label_factors
from nlp.stats.estimation import Floats, Ints

ADAPTED, NOT_ADAPTED, OUT_OF_USE = "adapted", "not adapted", "out of use"

_MODEL = "array_to_string(string_split(version, '+')[1:2], '+')"
"""What of a version says how probabilities were made: the model's and that of name hiding, without words and tags."""

_NEWEST_MODEL = f"""
SELECT annotator, {_MODEL} AS model, count(*) AS posts FROM all_sentiments JOIN posts USING (id, text_hash)
WHERE brand = $brand GROUP BY ALL ORDER BY posts DESC, annotator, model LIMIT 1
""".strip()

_LABELLED = f"""
WITH labelled AS (
  SELECT text_hash, label, 1 / coalesce(probability, 1) AS size, draw FROM audits
  WHERE label IS NOT NULL AND brand = $brand
  QUALIFY row_number() OVER (PARTITION BY text_hash ORDER BY draw) = 1
), judged AS (
  SELECT text_hash, negative, neutral, positive FROM all_sentiments JOIN posts USING (id, text_hash)
  WHERE brand = $brand AND annotator = $annotator AND {_MODEL} = $model AND NOT ({UNREAD_CONDITION_SQL})
  QUALIFY row_number() OVER (PARTITION BY text_hash ORDER BY id) = 1
)
SELECT text_hash, label, size / avg(size) OVER (PARTITION BY draw) AS weight, negative, neutral, positive
FROM labelled JOIN judged USING (text_hash) ORDER BY text_hash
""".strip()

_STATUS = f"""
SELECT a.*, EXISTS (
  SELECT 1 FROM all_sentiments JOIN posts USING (id, text_hash)
  WHERE brand = a.brand AND annotator = a.annotator AND {_MODEL} = a.model
) AS used, l.labels_now
FROM adaptations a LEFT JOIN (
  SELECT brand, count(DISTINCT text_hash) AS labels_now FROM audits WHERE label IS NOT NULL GROUP BY brand
) l USING (brand) WHERE fold = {ALL_FOLDS}
""".strip()


def adapt_brand(project: Project, brand: str) -> dict[str, Any]:
    """Adapt the judgements of ``brand`` to its labels where that helps texts whose labels it did not see.

    Return a row of `status`. Where it does not help, an adaptation from before is taken back: the labels speak against
    it now. Raises ConfigError for a brand that the project does not have, NotFound where fewer than `FEWEST_LABELS`
    labels are of texts that the model has judged.
    """
    _check_brand(project, brand)
    snapshot = project.store.snapshot()
    models = snapshot.sql(_NEWEST_MODEL, {"brand": brand}).to_pylist()
    if not models:
        raise NotFound(
            f"wanted judgements of {brand!r} to adapt, got none: run 'folate annotate' first."
        )
    made_by = {"annotator": models[0]["annotator"], "model": models[0]["model"]}
    labelled = snapshot.sql(_LABELLED, {"brand": brand} | made_by)
    if len(labelled) < MIN_LABELS:
        raise NotFound(
            f"wanted {MIN_LABELS} labels of people of texts on {brand!r} that the model could read, got {len(labelled)}: "
            "'folate audit' asks for more."
        )
    posteriors, labels, weights = _arrays(labelled)
    gain = cross_validate(posteriors, labels, weights)
    rows = (
        _rows(brand, made_by, labelled["text_hash"].to_pylist(), posteriors, labels, weights, gain)
        if gain.helps
        else []
    )
    project.store.replace("adaptations", rows, {"brand": brand})
    return _row(brand, len(labels), ADAPTED if rows else NOT_ADAPTED, gain)


def remove_adaptations(project: Project, brands: Sequence[str]) -> list[str]:
    """Take the adaptations of these brands back, of all brands where none is named; the brands that had one.

    Raises ConfigError for a brand that neither the project nor an adaptation has.
    """
    having = sorted(
        set(
            project.store.snapshot()
            .sql("SELECT DISTINCT brand FROM adaptations")["brand"]
            .to_pylist()
        )
    )
    for brand in set(brands) - set(having):
        _check_brand(project, brand)
    undone = [brand for brand in having if not brands or brand in brands]
    for brand in undone:
        project.store.replace("adaptations", [], {"brand": brand})
    return undone


def audited_brands(project: Project) -> list[str]:
    """The brands of the project with `FEWEST_LABELS` labels of people or more, in the order of folate.toml."""
    counts = _label_counts(project.store.snapshot())
    return [brand.id for brand in project.config.brands if counts.get(brand.id, 0) >= MIN_LABELS]


def adaptation_status(project: Project) -> list[dict[str, Any]]:
    """A row a brand: its labels, whether it is adapted, to how many labels, and what cross-validation found."""
    snapshot = project.store.snapshot()
    counts = _label_counts(snapshot)
    adapted = {row["brand"]: row for row in snapshot.sql(_STATUS).to_pylist()}
    brands = [brand.id for brand in project.config.brands]
    rows = []
    for brand in [*brands, *sorted(adapted.keys() - set(brands))]:
        stored = adapted.get(brand)
        state = NOT_ADAPTED if stored is None else ADAPTED if stored["used"] else OUT_OF_USE
        gain = stored and CrossValidation(
            **{name: stored[name] for name in CrossValidation.__dataclass_fields__}
        )
        rows.append(_row(brand, counts.get(brand, 0), state, gain))
    return rows


def adaptation_notes(project: Project) -> list[str]:
    """Say which brands are adapted, and what `stale` says."""
    adapted = [row for row in adaptation_status(project) if row["state"] == ADAPTED]
    return [
        *(
            f"the model's judgements of {row['brand']!r} are adapted to {row['fitted_to']} labels of people."
            for row in adapted
        ),
        *stale_adaptation_notes(project),
    ]


def stale_adaptation_notes(project: Project) -> list[str]:
    """Say which adaptations are out of use, since another model judges by now or the project has no such brand any more."""
    brands = {brand.id for brand in project.config.brands}
    return [
        _out_of_use(row["brand"], row["brand"] in brands)
        for row in adaptation_status(project)
        if row["state"] == OUT_OF_USE
    ]


def _out_of_use(brand: str, configured: bool) -> str:
    if not configured:
        return (
            f"the adaptation of {brand!r} is out of use, as the project has no such brand: "
            f"'folate adapt --undo --brand {brand}' removes it."
        )
    return (
        f"the adaptation of {brand!r} is out of use, as it was fitted to the judgements of another model: "
        f"'folate adapt --brand {brand}' fits it to those of this one."
    )


def _check_brand(project: Project, brand: str) -> None:
    brands = [each.id for each in project.config.brands]
    if brand not in brands:
        raise ConfigError(
            f"wanted a brand of the project, got {brand!r}; {suggestion(brand, brands)}"
        )


def _label_counts(snapshot: Snapshot) -> dict[str, int]:
    query = "SELECT brand, count(DISTINCT text_hash) AS n FROM audits WHERE label IS NOT NULL GROUP BY brand"
    return {row["brand"]: row["n"] for row in snapshot.sql(query).to_pylist()}


def _arrays(labelled: pa.Table) -> tuple[Floats, Ints, Floats]:
    """Posteriors (n, 3), labels (n,) and weights (n,)."""
    posteriors = np.stack(
        [labelled[name].to_numpy().astype(np.float64) for name in SENTIMENT_LABELS], axis=1
    )
    labels = np.array([SENTIMENT_LABELS.index(label) for label in labelled["label"].to_pylist()])
    return posteriors, labels, labelled["weight"].to_numpy()


def _rows(
    brand: str, made_by: dict[str, str], hashes: Sequence[str], posteriors: Floats, labels: Ints, weights: Floats, gain: CrossValidation
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows of `adaptations`: the factors for each fold, fitted without the labels of that fold, and those of all labels."""
    folds = np.array([text_fold(text_hash) for text_hash in hashes])
    factors = {}
    for number in [ALL_FOLDS, *range(FOLD_COUNT)]:
        kept = folds != number
        factors[number] = fit_label_factors(posteriors[kept], labels[kept], weights[kept])
    digest = blake2b(
        repr(sorted((number, values.tolist()) for number, values in factors.items())).encode(),
        digest_size=4,
    ).hexdigest()
    common = {"brand": brand, "name": f"adapted-{digest}"} | made_by | asdict(gain)
    return [
        common | {"fold": number} | dict(zip(SENTIMENT_LABELS, values.tolist(), strict=True))
        for number, values in factors.items()
    ]


def _row(brand: str, labels: int, state: str, gain: CrossValidation | None) -> dict[str, Any]:
    figures = dict.fromkeys(
        ("loss_before", "loss_after", "standard_error", "share_error_before", "share_error_after")
    )
    row: dict[str, Any] = {
        "brand": brand,
        "labels": labels,
        "state": state,
        "fitted_to": gain.labels if gain else None,
    }
    return row | {name: round(getattr(gain, name), 4) if gain else None for name in figures}
