"""Posts from files: CSV, JSONL, XLSX and Parquet."""

from corpora.files.convert import ImportOptions
from corpora.files.read import ImportReader, read_post_file
from corpora.files.rows import REJECT_REASONS, Reject, RejectReason

__all__ = [
    "REJECT_REASONS",
    "ImportOptions",
    "ImportReader",
    "Reject",
    "RejectReason",
    "read_post_file",
]
