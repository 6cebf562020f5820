"""Folate reads what people say about a brand, in Chinese and in English."""

__version__ = "0.1.0"
