"""Model folders of Folate for transformers: with this module imported, its Auto classes and pipelines take one.

    import nlp.model.transformers_auto
    from transformers import pipeline

    pipeline("text-classification", model=str(nlp.model.SHIPPED))(["冲泡没有结块", "The tin arrived broken"])

That is the sentiment of posts by all layers, as training left it, for those who compare models. ``nlp.model.load_reader`` gives calibrated
probabilities of everything else as well, of texts of any length, and takes a fraction of the time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers import PreTrainedTokenizerFast as FastTokenizer
from transformers.modeling_outputs import SequenceClassifierOutput

from folate.core.labels import SENTIMENT_LABELS
from nlp.model.checkpoint import TOKENIZER_FILE, load_checkpoint
from nlp.model.folder import MODEL_TYPE, read_model_config


class FolateConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers is not type-checked here
    """What stands in config.json, with the labels under the names that transformers gives them."""

    model_type = MODEL_TYPE

    def __init__(self, **about: Any) -> None:
        super().__init__(
            **{
                "id2label": dict(enumerate(SENTIMENT_LABELS)),
                "label2id": {name: index for index, name in enumerate(SENTIMENT_LABELS)},
            }
            | about
        )


class FolateTokenizer(FastTokenizer):  # type: ignore[misc]
    """tokenizer.json as it is, with the names of its special tokens."""

    model_input_names = ["input_ids", "attention_mask"]  # noqa: RUF012 - as transformers declares it

    @classmethod
    def from_pretrained(cls, folder: str | Path, *_: Any, **__: Any) -> Any:
        """The tokenizer of a folder on disk. (transformers would keep its vocabulary alone and normalise in a way of its own.)"""
        special = {
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "bos_token": "<s>",
            "eos_token": "</s>",
        }
        longest = read_model_config(Path(folder))["encoder"]["positions"]
        return cls(
            tokenizer_object=Tokenizer.from_file(str(Path(folder) / TOKENIZER_FILE)),
            model_max_length=longest,
            **special,
        )


class FolateForSequenceClassification(PreTrainedModel):  # type: ignore[misc]
    """Token ids to the late depth's logits of negative, neutral and positive."""

    config_class = FolateConfig

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, *_: Any, config: FolateConfig | None = None, **options: Any
    ) -> Any:
        """The model of a folder on disk, in fp32 unless ``dtype`` is one of torch's. Raises ConfigError where it is not one of Folate's."""
        made = cls(config or FolateConfig.from_pretrained(folder))
        made.judge = load_checkpoint(Path(folder))[0]
        dtype = options.get("dtype")
        return made.to(dtype).eval() if isinstance(dtype, torch.dtype) else made.eval()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any
    ) -> SequenceClassifierOutput:
        """Ids (n, t) to logits (n, 3)."""
        mask = None if attention_mask is None or attention_mask.all() else attention_mask.bool()
        _, late = self.judge(input_ids, mask)
        return SequenceClassifierOutput(logits=late.post)


AutoConfig.register(MODEL_TYPE, FolateConfig)
AutoTokenizer.register(FolateConfig, fast_tokenizer_class=FolateTokenizer)
AutoModelForSequenceClassification.register(FolateConfig, FolateForSequenceClassification)
