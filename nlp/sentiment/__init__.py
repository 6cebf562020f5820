"""Sentiment of posts and of the brands they mention, and sentence embeddings: ``load()`` a reader, then ``read`` and ``embed``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from folate.errors import ConfigError
from nlp.sentiment.reading import BALANCED, UNSURE, Probabilities, Reader, Reading, Targets

__all__ = ["SHIPPED", "UNSURE", "Probabilities", "Reader", "Reading", "Targets", "load", "prior"]

SHIPPED = Path(__file__).parent.parent / "models" / "folate-small"


def load(model: str = "", threads: int = 0) -> Reader:
    """The reader of a model.

    ``model``: empty for the one that ships, else a folder that ``python -m nlp.training`` wrote, or a folder or hub name of any
    transformers sequence-classification model (a hub name that is not in the local cache is downloaded; nothing else ever is).
    ``threads``: CPU threads of this process, 0 to leave them as they are. Raises ConfigError where the model can't be loaded or its
    labels can't be mapped to negative, neutral and positive.
    """
    import torch  # takes over a second, and most commands need no model

    if threads < 0:
        raise ConfigError(f"threads should be 0 (as many as the machine has) or more, and is {threads}.")
    if threads:
        torch.set_num_threads(threads)
    folder = Path(model) if model else SHIPPED
    if not model or _is_ours(folder):
        from nlp.sentiment.shipped import ShippedReader

        return ShippedReader(folder)
    from nlp.sentiment.foreign import ForeignReader

    return ForeignReader(model)


def prior(model: str = "") -> tuple[float, ...]:
    """The prevalences of negative, neutral and positive under which a model's probabilities of brands were calibrated.

    A quantifier (EMQ) corrects from them. Balanced for other models than Folate's own, which do not say. Loads no weights.
    """
    about = _about(Path(model) if model else SHIPPED)
    return tuple(about["calibration"]["prior"]) if about.get("model_type") == "folate" else BALANCED


def _is_ours(folder: Path) -> bool:
    return bool(_about(folder).get("model_type") == "folate")


def _about(folder: Path) -> dict[str, Any]:
    """The config.json of a folder; empty where there is none."""
    config = folder / "config.json"
    if not config.is_file():
        return {}
    try:
        about: dict[str, Any] = json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{config} should be JSON, and is not: {error}.") from error
    return about
