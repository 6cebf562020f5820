"""The corpus: the store of posts, its index, and questions to it.

`Corpus` is imported on first use, as `import corpora` must stay cheap.
"""

from typing import Any

__all__ = ["Corpus"]


def __getattr__(name: str) -> Any:
    if name == "Corpus":
        from corpora.corpus import Corpus

        return Corpus
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
