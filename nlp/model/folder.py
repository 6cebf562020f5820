"""What a model folder says of itself, read without its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from folate.core.errors import ConfigError
from nlp.model.reader import UNIFORM_PRIOR
from nlp.stats.domains import DomainErrors, load_domain_errors

DEFAULT_MODEL_FOLDER = Path(__file__).parent.parent / "models" / "folate-small"
MODEL_CONFIG_FILE = "config.json"
MODEL_TYPE = "folate"
_NEEDED = {"name", "encoder", "labels", "calibration"}
_CALIBRATION = {"early", "late", "threshold", "standing", "prior"}


def is_folate_model(folder: Path) -> bool:
    """Whether ``python -m training`` wrote the folder. Raises ConfigError where its config is not JSON."""
    return (folder / MODEL_CONFIG_FILE).is_file() and _read(folder).get("model_type") == MODEL_TYPE


def read_model_config(folder: Path) -> dict[str, Any]:
    """The config of a folder that training wrote. Raises ConfigError where it can't be read or lacks what reading needs."""
    about = _read(folder)
    missing = sorted(_NEEDED - about.keys() or _CALIBRATION - about["calibration"].keys())
    if missing:
        raise ConfigError(
            f"{folder / MODEL_CONFIG_FILE} lacks {', '.join(missing)}, which this version of Folate reads: train the model again."
        )
    return about


def model_class_prior(model: str = "") -> tuple[float, ...]:
    """The prevalences of negative, neutral and positive under which a model's probabilities of brands were calibrated.

    The quantifier corrects from them. Balanced for other models than Folate's own, which do not say.
    """
    folder = Path(model) if model else DEFAULT_MODEL_FOLDER
    return (
        tuple(read_model_config(folder)["calibration"]["prior"])
        if not model or is_folate_model(folder)
        else UNIFORM_PRIOR
    )


def model_domain_errors(model: str = "") -> DomainErrors:
    """How wrong the model's shares are in domains that it never saw: wide defaults where nobody measured it."""
    return load_domain_errors(Path(model) if model else DEFAULT_MODEL_FOLDER)


def _read(folder: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((folder / MODEL_CONFIG_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{folder} should be a model folder with a {MODEL_CONFIG_FILE}, and its {MODEL_CONFIG_FILE} can't be read as JSON: {error}."
        ) from error
    return about
