"""What a model folder says of itself, read without its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from folate.core.errors import ConfigError
from nlp.model.reader import BALANCED
from nlp.stats.domains import DomainErrors, domain_errors

SHIPPED = Path(__file__).parent.parent / "models" / "folate-small"
CONFIG = "config.json"
KIND = "folate"
_NEEDED = {"name", "encoder", "labels", "calibration"}
_CALIBRATION = {"early", "late", "threshold", "standing", "prior"}


def is_ours(folder: Path) -> bool:
    """Whether ``python -m training`` wrote the folder. Raises ConfigError where its config is not JSON."""
    return (folder / CONFIG).is_file() and _read(folder).get("model_type") == KIND


def describe(folder: Path) -> dict[str, Any]:
    """The config of a folder that training wrote. Raises ConfigError where it can't be read or lacks what reading needs."""
    about = _read(folder)
    missing = sorted(_NEEDED - about.keys() or _CALIBRATION - about["calibration"].keys())
    if missing:
        raise ConfigError(
            f"{folder / CONFIG} lacks {', '.join(missing)}, which this version of Folate reads: train the model again."
        )
    return about


def prior(model: str = "") -> tuple[float, ...]:
    """The prevalences of negative, neutral and positive under which a model's probabilities of brands were calibrated.

    The quantifier corrects from them. Balanced for other models than Folate's own, which do not say.
    """
    folder = Path(model) if model else SHIPPED
    return (
        tuple(describe(folder)["calibration"]["prior"])
        if not model or is_ours(folder)
        else BALANCED
    )


def unseen(model: str = "") -> DomainErrors:
    """How wrong the model's shares are in domains that it never saw: wide defaults where nobody measured it."""
    return domain_errors(Path(model) if model else SHIPPED)


def _read(folder: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{folder} should be a model folder with a {CONFIG}, and its {CONFIG} can't be read as JSON: {error}."
        ) from error
    return about
