"""The models that annotate posts: sentiment, emotions, intents, aspects and embeddings.

Hands on the public interface: `load_reader`, the records of predictions, and the facts of a model
folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from folate.core.errors import ConfigError
from nlp.model.folder import (
    DEFAULT_MODEL_FOLDER,
    is_folate_model,
    model_class_prior,
    model_domain_errors,
)
from nlp.model.reader import (
    FALLBACK_PROBABILITIES,
    AspectDefinition,
    AspectPrediction,
    Reader,
    SentimentProbabilities,
    TargetSpans,
    TextPrediction,
)

__all__ = [
    "DEFAULT_MODEL_FOLDER",
    "DEPTHS",
    "FALLBACK_PROBABILITIES",
    "AspectPrediction",
    "Reader",
    "SentimentProbabilities",
    "TargetSpans",
    "TextPrediction",
    "load_reader",
    "model_class_prior",
    "model_domain_errors",
]

DEPTHS = ("half", "enough", "all")
"""Layers of Folate's own models that annotate a post: half, more in case of doubt, or all."""


def load_reader(
    model: str = "",
    threads: int = 0,
    aspects: Sequence[AspectDefinition] = (),
    *,
    depth: str = "enough",
) -> Reader:
    """Load the reader of a model.

    ``model`` is empty for the one that ships, else a folder that ``python -m training`` wrote, or a
    folder or hub name of any sequence-classification model of transformers (a hub name that is not
    in the local cache is downloaded; nothing else is). ``threads`` is the number of CPU threads of
    this process, 0 for no change. ``aspects`` are those that a project defines by examples.
    ``depth`` (one of DEPTHS) is which layers of Folate's own models annotate a post. Raises
    ConfigError where the model can't be loaded, or its labels can't be mapped to negative, neutral
    and positive.
    """
    import torch  # takes over a second, and most commands need no model

    if threads < 0:
        raise ConfigError(
            f"threads should be 0 (as many as the machine has) or more, and is {threads}."
        )
    if depth not in DEPTHS:
        raise ConfigError(f"depth should be one of {', '.join(DEPTHS)}, and is {depth!r}.")
    if threads:
        torch.set_num_threads(threads)
    reader = _load_plain_reader(model, depth)
    if not aspects:
        return reader
    from nlp.model.custom_aspects import CustomAspectReader

    return CustomAspectReader(reader, aspects)


def _load_plain_reader(model: str, depth: str) -> Reader:
    folder = Path(model) if model else DEFAULT_MODEL_FOLDER
    if not model or is_folate_model(folder):
        from nlp.model.folate_reader import FolateReader

        return FolateReader(folder, depth=depth)
    from nlp.model.transformers_reader import TransformersReader

    return TransformersReader(model)
