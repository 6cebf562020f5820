"""What a file is by its first bytes, whatever it is called."""

MAGIC_BYTE_COUNT = 512  # bytes that are looked at
_ARCHIVE = "a zip archive or an Excel workbook (.xlsx)"
_PARQUET = "a Parquet file (.parquet)"
_BINARY = {
    b"PK\x03\x04": _ARCHIVE,
    b"PK\x05\x06": _ARCHIVE,
    b"PAR1": _PARQUET,
    b"\x1f\x8b": "packed with gzip (.gz)",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Excel workbook of the old kind (.xls) or with a password",
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
_MARKUP = {b"<!doctype html": "a web page", b"<html": "a web page", b"<?xml": "an XML document"}
_JSON = {b'{"': "JSON lines (.jsonl)", b"[{": "a list in JSON"}
_WANTED = {".xlsx": _ARCHIVE, ".parquet": _PARQUET}


def mismatched_file_type(start: bytes, kind: str) -> str | None:
    """Say what a file really is whose name ends in `kind` and that begins with `start`; None where it may be what it is called.

    >>> mismatch(b"PAR1", ".csv")
    'a Parquet file (.parquet)'
    """
    actual = next((name for magic, name in _BINARY.items() if start.startswith(magic)), None)
    if kind in _WANTED:
        return (
            None if actual == _WANTED[kind] else actual or _text(start, ".csv") or _unknown(start)
        )
    return actual or _text(start, kind)


def _text(start: bytes, kind: str) -> str | None:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    known = _MARKUP if kind in (".jsonl", ".ndjson") else _MARKUP | _JSON
    return next((name for magic, name in known.items() if text.startswith(magic)), None)


def _unknown(start: bytes) -> str:
    if not start:
        return "empty"
    return "of an unknown kind" if b"\0" in start else "a text or of an unknown kind"
