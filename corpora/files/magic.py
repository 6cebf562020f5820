"""Detection of a file's type by its first bytes."""

# Bytes that the detection needs.
MAGIC_BYTE_COUNT = 512
_ARCHIVE = "a zip archive or an Excel workbook (.xlsx)"
_PARQUET = "a Parquet file (.parquet)"
_BINARY_SIGNATURES = {
    b"PK\x03\x04": _ARCHIVE,
    b"PK\x05\x06": _ARCHIVE,
    b"PAR1": _PARQUET,
    b"\x1f\x8b": "packed with gzip (.gz)",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": (
        "an Excel workbook of the old kind (.xls) or with a password"
    ),
    b"%PDF-": "a PDF",
    b"BZh91AY&SY": "packed with bzip2",
    b"\xfd7zXZ\x00": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"SQLite format 3\x00": "an SQLite database",
    b"ARROW1\x00": "an Arrow or Feather file",
    b"{\\rtf": "a Rich Text document",
    b"\x89PNG\r\n": "a picture",
    b"\xff\xd8\xff": "a picture",
}
_MARKUP_STARTS = {
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"<?xml": "an XML document",
}
_JSON_STARTS = {b'{"': "JSON lines (.jsonl)", b"[{": "a list in JSON"}
_BINARY_TYPES = {".xlsx": _ARCHIVE, ".parquet": _PARQUET}


def mismatched_file_type(start: bytes, kind: str) -> str | None:
    """Return the type of a file that begins with `start`, or None where it may be of type `kind`.

    `kind` is the extension of its name.

    >>> mismatched_file_type(b"PAR1", ".csv")
    'a Parquet file (.parquet)'
    """
    actual = next(
        (name for magic, name in _BINARY_SIGNATURES.items() if start.startswith(magic)), None
    )
    if kind not in _BINARY_TYPES:
        return actual or _mismatched_text_type(start, kind)
    if actual == _BINARY_TYPES[kind]:
        return None
    return actual or _mismatched_text_type(start, ".csv") or _describe_unknown(start)


def _mismatched_text_type(start: bytes, kind: str) -> str | None:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    is_json = kind in (".jsonl", ".ndjson")
    names = _MARKUP_STARTS if is_json else _MARKUP_STARTS | _JSON_STARTS
    return next((name for magic, name in names.items() if text.startswith(magic)), None)


def _describe_unknown(start: bytes) -> str:
    if not start:
        return "empty"
    return "of an unknown kind" if b"\0" in start else "a text or of an unknown kind"
