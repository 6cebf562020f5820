"""The config of a model folder, read without its weights."""

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
_REQUIRED_KEYS = {"name", "encoder", "labels", "calibration"}
_REQUIRED_CALIBRATION_KEYS = {"early", "late", "threshold", "standing", "prior"}


def is_folate_model(folder: Path) -> bool:
    """Return whether ``python -m training`` wrote the folder.

    Raises ConfigError where its config is not JSON.
    """
    if not (folder / MODEL_CONFIG_FILE).is_file():
        return False
    return _load_config(folder).get("model_type") == MODEL_TYPE


def read_model_config(folder: Path) -> dict[str, Any]:
    """Read the config of a folder that training wrote.

    Raises ConfigError where it can't be read or lacks a required key.
    """
    config = _load_config(folder)
    missing_keys = _REQUIRED_KEYS - config.keys()
    if not missing_keys:
        missing_keys = _REQUIRED_CALIBRATION_KEYS - config["calibration"].keys()
    if missing_keys:
        raise ConfigError(
            f"{folder / MODEL_CONFIG_FILE} lacks {', '.join(sorted(missing_keys))}, which this "
            "version of Folate reads: train the model again."
        )
    return config


def model_class_prior(model: str = "") -> tuple[float, ...]:
    """Return the prevalences of the labels under which the target head was calibrated.

    The quantifier corrects from them. They are uniform for other models than Folate's own, whose
    prior is unknown.
    """
    folder = Path(model) if model else DEFAULT_MODEL_FOLDER
    if model and not is_folate_model(folder):
        return UNIFORM_PRIOR
    return tuple(read_model_config(folder)["calibration"]["prior"])


def model_domain_errors(model: str = "") -> DomainErrors:
    """Return the errors of the model's shares in unseen domains; wide defaults if not measured."""
    return load_domain_errors(Path(model) if model else DEFAULT_MODEL_FOLDER)


def _load_config(folder: Path) -> dict[str, Any]:
    try:
        text = (folder / MODEL_CONFIG_FILE).read_text(encoding="utf-8")
        config: dict[str, Any] = json.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{folder} should be a model folder with a {MODEL_CONFIG_FILE}, and its "
            f"{MODEL_CONFIG_FILE} can't be read as JSON: {error}."
        ) from error
    return config
