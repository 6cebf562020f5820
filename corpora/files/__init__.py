"""Posts from files: CSV, JSONL, XLSX and Parquet."""

from corpora.files.making import ImportOptions
from corpora.files.reading import Reading, read
from corpora.files.rejects import REASONS, Reason, Reject

__all__ = ["REASONS", "ImportOptions", "Reading", "Reason", "Reject", "read"]
