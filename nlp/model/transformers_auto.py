"""Registration of Folate's model folders with the Auto classes of transformers.

    import nlp.model.transformers_auto
    from transformers import pipeline

    classify = pipeline("text-classification", model=str(nlp.model.DEFAULT_MODEL_FOLDER))
    classify(["冲泡没有结块", "The tin arrived broken"])

predicts the sentiment of posts by all layers, not calibrated, to compare models. For everything
else use ``nlp.model.load_reader``: its probabilities are calibrated, it has all heads, takes texts
of any length, and is several times as fast.
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
    """The content of config.json, with the labels under the keys of transformers."""

    model_type = MODEL_TYPE

    def __init__(self, **values: Any) -> None:
        labels = {
            "id2label": dict(enumerate(SENTIMENT_LABELS)),
            "label2id": {name: index for index, name in enumerate(SENTIMENT_LABELS)},
        }
        super().__init__(**{**labels, **values})


class FolateTokenizer(FastTokenizer):  # type: ignore[misc]
    """The unchanged tokenizer.json, with the names of its special tokens."""

    model_input_names = ["input_ids", "attention_mask"]  # noqa: RUF012 - as transformers declares it

    @classmethod
    def from_pretrained(cls, folder: str | Path, *_: Any, **__: Any) -> Any:
        """Load the tokenizer of a folder.

        The method of transformers would load the vocabulary only, with a normalization of its own.
        """
        special_tokens = {
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "bos_token": "<s>",
            "eos_token": "</s>",
        }
        max_tokens = read_model_config(Path(folder))["encoder"]["positions"]
        return cls(
            tokenizer_object=Tokenizer.from_file(str(Path(folder) / TOKENIZER_FILE)),
            model_max_length=max_tokens,
            **special_tokens,
        )


class FolateForSequenceClassification(PreTrainedModel):  # type: ignore[misc]
    """The sentiment head behind all layers: token ids to logits of the three labels."""

    config_class = FolateConfig

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, *_: Any, config: FolateConfig | None = None, **options: Any
    ) -> Any:
        """Load the model of a folder, in fp32 unless the option ``dtype`` is one of torch.

        Raises ConfigError where it is no model of Folate.
        """
        model = cls(config or FolateConfig.from_pretrained(folder))
        model.multi_task_model = load_checkpoint(Path(folder))[0]
        dtype = options.get("dtype")
        if isinstance(dtype, torch.dtype):
            model = model.to(dtype)
        return model.eval()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any
    ) -> SequenceClassifierOutput:
        """Compute logits (n, 3) for ids (n, t)."""
        mask = None if attention_mask is None or attention_mask.all() else attention_mask.bool()
        _, late = self.multi_task_model(input_ids, mask)
        return SequenceClassifierOutput(logits=late.post)


AutoConfig.register(MODEL_TYPE, FolateConfig)
AutoTokenizer.register(FolateConfig, fast_tokenizer_class=FolateTokenizer)
AutoModelForSequenceClassification.register(FolateConfig, FolateForSequenceClassification)
