"""Sentiment of posts and of the brands they mention, and sentence embeddings: ``load()`` a reader, then ``read`` and ``embed``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from folate.core.errors import ConfigError
from folate.core.labels import ASPECTS, EMOTIONS, INTENTS
from nlp.model.folder import SHIPPED, is_ours, prior, unseen
from nlp.model.reader import UNSURE, AspectReading, Example, Probabilities, Reader, Reading, Targets

__all__ = [
    "ASPECTS", "DEPTHS", "EMOTIONS", "INTENTS", "SHIPPED", "UNSURE", "AspectReading", "Probabilities", "Reader", "Reading", "Targets",
    "load", "prior", "unseen",
]  # fmt: skip
DEPTHS = ("half", "enough", "all")


def load(
    model: str = "", threads: int = 0, aspects: Sequence[Example] = (), *, depth: str = "enough"
) -> Reader:
    """The reader of a model.

    ``model``: empty for the one that ships, else a folder that ``python -m training`` wrote, or a folder or hub name of any
    transformers sequence-classification model (a hub name that is not in the local cache is downloaded; nothing else ever is).
    ``threads``: CPU threads of this process, 0 to leave them as they are. ``aspects``: those that a project adds by examples.
    ``depth``: which layers of Folate's own models judge a post, ``half`` of them, ``all``, or ``enough``: all where half leave a doubt.
    Raises ConfigError where the model can't be loaded or its labels can't be mapped to negative, neutral and positive.
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
    reader = _reader(model, depth)
    if not aspects:
        return reader
    from nlp.model.custom_aspects import ExtendedReader

    return ExtendedReader(reader, aspects)


def _reader(model: str, depth: str) -> Reader:
    folder = Path(model) if model else SHIPPED
    if not model or is_ours(folder):
        from nlp.model.folate_reader import ShippedReader

        return ShippedReader(folder, depth=depth)
    from nlp.model.transformers_reader import ForeignReader

    return ForeignReader(model)
