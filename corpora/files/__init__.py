"""Posts from files: CSV, JSONL, XLSX and Parquet."""

from corpora.files.convert import ImportOptions
from corpora.files.read import Reading, read
from corpora.files.rows import REASONS, Reason, Reject

__all__ = ["REASONS", "ImportOptions", "Reading", "Reason", "Reject", "read"]
