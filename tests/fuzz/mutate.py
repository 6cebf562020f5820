"""Random damage to bytes, texts, tables and files; the same seed gives the same damage."""

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ("id", "text", "published_at", "author", "likes", "rating", "url", "place")
BYTES = (
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'"',
    b"\r",
    b"\n",
    b"\x1a",
    b"\xed\xa0\x80",
    b"<",
    b"&#0;",
    b"]]>",
    b"%s",
    b"\x80" * 9,
)
CELLS: tuple[Any, ...] = (
    None,
    "",
    " ",
    "NaN",
    "null",
    "-",
    "#N/A",
    "=1+1",
    "0",
    -1,
    2**63,
    10**400,
    -0.0,
    1e308,
    float("inf"),
    float("nan"),
    True,
    "true",
    "2026-99-99",
    "0000-00-00",
    "9999-12-31T23:59:59+14:00",
    "1e9",
    "1700000000000",
    46083.5,
    "24:61",
    "好" * 5000,
    "a\0b",
    "\ud83d",
    "\ufeff",
    "\u202e倒",
    "_x000D_",
    "<b>&amp;</b>",
    "'; --",
    "../..",
    "a/b",
    ":",
    "\x1b[31m",
    "1,234",
    "1.2万",
    "n" * 300,
)
NESTED: tuple[Any, ...] = (
    [],
    {},
    [1],
    {"a": 1},
    [[["x"]]],
    {"a": {"b": [None]}},
    ["\ud83d"],
    {"\ud83d": 1},
)
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "gb18030",
    "big5",
    "latin-1",
    "utf-32",
    "utf-7",
)


@dataclass(frozen=True)
class Case:
    """A damaged file; `rows` is its number of rows, `good` the ids to be imported, where known."""

    name: str
    content: bytes
    rows: int | None = None
    good: frozenset[str] = frozenset()


def mutate_bytes(random: Random, data: bytes) -> bytes:
    """Flip bits, cut, splice, overwrite or fill with zeros, once or a few times."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        _damage_bytes(random, changed)
    return bytes(changed)


def _damage_bytes(random: Random, data: bytearray) -> None:
    if not data:
        data += random.choice(BYTES)
        return
    at = random.randrange(len(data))
    length = random.choice((1, 2, 8, 64, 512, len(data)))
    match random.randrange(8):
        case 0 | 1:
            data[at] ^= 1 << random.randrange(8)
        case 2:
            data[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
        case 3:
            del data[at:]
        case 4:
            del data[at : at + length]
        case 5:
            source = random.randrange(len(data))
            data[at:at] = data[source : source + min(length, 4096)]
        case 6:
            data[at:at] = random.choice(BYTES)
        case _:
            data[at : at + length] = bytes(len(data[at : at + length]))


def mutate_text(random: Random, text: str) -> str:
    """Replace words by odd ones; repeat, swap or drop parts between markup and punctuation."""
    pieces = re.split(r"(\W)", text)
    for _ in range(random.choice((1, 1, 2, 5))):
        at, other = random.randrange(len(pieces)), random.randrange(len(pieces))
        match random.randrange(5):
            case 0:
                pieces[at] = str(random.choice(CELLS))
            case 1:
                pieces[at] = ""
            case 2:
                pieces[at] *= random.choice((2, 3, 1000))
            case 3:
                pieces[at], pieces[other] = pieces[other], pieces[at]
            case _:
                pieces[at] = random.choice(
                    (
                        "-1",
                        "0",
                        "99999999999",
                        "1e999",
                        "&x;",
                        "<![CDATA[",
                        "<!--",
                        "[" * 2000,
                        "{" * 50,
                    )
                )
    return "".join(pieces)


def random_table(random: Random) -> list[dict[str, Any]]:
    """Rows that can all be taken."""
    return [
        {
            "id": f"g{nth}",
            "text": f"第{nth}条：包装不错，味道一般 number {random.randrange(10**6)}",
            "published_at": f"2026-02-{1 + nth % 28:02} {nth % 24:02}:30:00",
            "author": f"reader {nth % 7}",
            "likes": random.randrange(1000),
            "rating": random.choice((0.2, 0.5, 1.0)),
            "url": f"https://example.org/{nth}",
            "place": random.choice(("上海", "北京", None)),
        }
        for nth in range(random.choice((1, 5, 20, 60)))
    ]


def import_case(seed: int) -> Case:
    """A damaged file to import, of any kind."""
    random = Random(seed)
    rows = random_table(random)
    make_case = random.choices((_csv_case, _jsonl_case, _xlsx_case, _parquet_case), (5, 5, 6, 1))[0]
    return make_case(random, rows)


def _damage_cells(
    random: Random, rows: list[dict[str, Any]], values: tuple[Any, ...]
) -> frozenset[str]:
    """Put odd values into cells of some rows, and say which rows stay good."""
    bad = set()
    for _ in range(random.choice((1, 2, 5))):
        row = random.randrange(len(rows))
        bad.add(row)
        rows[row][random.choice(COLUMNS)] = random.choice(values)
    return frozenset(f"g{nth}" for nth in range(len(rows)) if nth not in bad)


def _pack_randomly(random: Random, name: str, content: bytes) -> tuple[str, bytes]:
    """Sometimes pack a text, well or badly, or give it the name of another kind of file."""
    match random.randrange(12):
        case 0:
            packed = gzip.compress(content)
            return f"{name}.gz", mutate_bytes(random, packed)
        case 1:
            packed = gzip.compress(content[: len(content) // 2]) + gzip.compress(
                content[len(content) // 2 :]
            )
            return f"{name}.gz", packed + random.choice((b"", b"\0" * 512, b"garbage", packed[:20]))
        case 2:
            return random.choice(
                ("a.csv", "a.tsv", "a.jsonl", "a.xlsx", "a.parquet", "a.csv.gz", "a.txt")
            ), content
        case 3:
            return name, gzip.compress(content)
        case _:
            return name, content


def _csv_case(random: Random, rows: list[dict[str, Any]]) -> Case:
    if random.random() < 0.4:
        good = _damage_cells(
            random, rows, tuple(cell for cell in CELLS if cell not in ("\ud83d", "a\0b"))
        )
        return Case(
            "a.csv", _csv_text(rows, random.choice((",", "\t", ";"))).encode(), len(rows), good
        )
    text = _csv_text(rows, random.choice((",", "\t", ";")), random.choice(("\n", "\r", "\r\n")))
    match random.randrange(5):
        case 0:
            text = mutate_text(random, text)
        case 1:
            text = text[: random.randrange(len(text))].replace(
                ",", random.choice((",", '"', ',"', '","', "\0")), random.randrange(9)
            )
        case 2:
            content = text.encode(random.choice(ENCODINGS), "replace")
            return Case(*_pack_randomly(random, "a.csv", content))
        case _:
            pass
    content = text.encode("utf-8", "surrogatepass")
    return Case(
        *_pack_randomly(
            random, "a.csv", mutate_bytes(random, content) if random.random() < 0.6 else content
        )
    )


def _csv_text(rows: list[dict[str, Any]], delimiter: str, ending: str = "\n") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, delimiter=delimiter, lineterminator=ending)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _jsonl_case(random: Random, rows: list[dict[str, Any]]) -> Case:
    if random.random() < 0.4:
        good = _damage_cells(random, rows, CELLS + NESTED)
        lines = [json.dumps(row, ensure_ascii=random.random() < 0.5) for row in rows]
        return Case("a.jsonl", "\n".join(lines).encode("utf-8", "surrogatepass"), len(rows), good)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    if random.random() < 0.5:
        at = random.randrange(len(lines))
        lines[at] = _damage_line(random, lines[at])
        good = frozenset(f"g{nth}" for nth in range(len(rows)) if nth != at)
        return Case(
            "a.jsonl",
            "\n".join(lines).encode("utf-8", "surrogatepass"),
            len(rows) if lines[at].strip() and len(rows) > 1 else None,
            good,
        )
    content = "\n".join(lines).encode(random.choice(ENCODINGS), "replace")
    return Case(
        *_pack_randomly(
            random, "a.jsonl", mutate_bytes(random, content) if random.random() < 0.7 else content
        )
    )


def _damage_line(random: Random, line: str) -> str:
    depth = random.choice((99, 100, 101, 300, 490, 500, 700, 950, 980, 1000, 5000))
    nested = random.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth))
    return random.choice(
        (
            '{"id": "x", "published_at": "soon", "text": ' + nested + "}",
            '{"id": "x", "published_at": "2026-01-01", "text": "a", "more": ' + nested + "}",
            nested,
            '{"id": ' + "9" * random.choice((20, 4299, 4301, 100_000)) + ', "text": "a", '
            '"published_at": "2026-01-01"}',
            '{"text": "a", "text": "b", "published_at": "2026-01-01", "rating": NaN, "likes": '
            "-Infinity}",
            '{"text": "\\ud83d", "published_at": 1e400, "author": "\\udc00"}',
            "[1, 2]",
            "null",
            '"text"',
            "{",
            "}",
            "",
            " ",
            "\ufeff" + line,
            line + line,
            line[: random.randrange(len(line))],
            json.dumps({f"key {nth}": nth for nth in range(20_000)}),
            json.dumps({"k" * 2000: 1, "text": "a", "published_at": "2026-01-01"}),
            mutate_text(random, line).replace("\n", " ").replace("\r", " "),
        )
    )


def _xlsx_case(random: Random, rows: list[dict[str, Any]]) -> Case:
    if random.random() < 0.25:
        good = _damage_cells(
            random,
            rows,
            tuple(cell for cell in CELLS if cell not in ("\ud83d", "a\0b", "\x1b[31m", 10**400)),
        )
        return Case("a.xlsx", _build_workbook(rows), len(rows), good)
    content = _build_workbook(rows)
    match random.randrange(6):
        case 0:
            return Case(*_rename_randomly(random, "a.xlsx", mutate_bytes(random, content)))
        case 1:
            return Case(*_rename_randomly(random, "a.xlsx", content))
        case _:
            return Case("a.xlsx", _damage_archive(random, content))


def _rename_randomly(random: Random, name: str, content: bytes) -> tuple[str, bytes]:
    return (
        name
        if random.random() < 0.7
        else random.choice(("a.csv", "a.jsonl", "a.parquet", "a.xlsx.gz")),
        content,
    )


def _build_workbook(rows: list[dict[str, Any]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(COLUMNS)
    for row in rows:
        when = row["published_at"]
        clock = (
            datetime.fromisoformat(when)
            if isinstance(when, str) and when.startswith("2026-02-")
            else when
        )
        sheet.append([clock if name == "published_at" else row[name] for name in COLUMNS])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_EDITS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r'ref="[^"]*"', ('ref="A1"', 'ref="A1:XFD1048576"', 'ref="A1:H2"', 'ref="x"', "")),
    (
        r'r="[^"]*"',
        (
            'r="XFD1"',
            'r="XFE9"',
            'r="A0"',
            'r="1048576"',
            'r="-1"',
            'r=""',
            'r="ZZZZ9"',
            'r="99999999999"',
            "",
        ),
    ),
    (
        r't="[^"]*"',
        ('t="s"', 't="b"', 't="e"', 't="d"', 't="n"', 't="str"', 't="inlineStr"', 't="q"'),
    ),
    (r's="[^"]*"', ('s="99999"', 's="-1"', 's="x"', 's="1"')),
    (
        r"<v>[^<]*</v>",
        (
            "<v>99999999</v>",
            "<v>-1</v>",
            "<v>1e999</v>",
            "<v>NaN</v>",
            "<v>x</v>",
            "<v/>",
            "<f>A1</f>",
            "<v>46083.5</v>",
        ),
    ),
    (
        r"<t>[^<]*</t>",
        (
            "<t>_x000D_</t>",
            "<t>&#x10FFFF;</t>",
            "<t>&lol;</t>",
            "<t/>",
            "<r><t>a</t></r><rPh><t>b</t></rPh>",
            "<t>_xD83D_</t>",
        ),
    ),
    (
        r"</row>",
        (
            "",
            "</row><row/>",
            "</row></row>",
            '</row><row r="1048576"><c r="A1048576"><v>1</v></c></row>',
        ),
    ),
    (r"<sheets>", ("<sheets/>", '<sheets><sheet name="x" sheetId="9" r:id="rId99"/>')),
    (
        r'Target="[^"]*"',
        (
            'Target="x.xml"',
            'Target=""',
            'Target="../../../../etc/passwd"',
            'Target="/xl/workbook.xml"',
        ),
    ),
    (
        r'numFmtId="[^"]*"',
        ('numFmtId="14"', 'numFmtId="22"', 'numFmtId="31"', 'numFmtId="x"', 'numFmtId="999999999"'),
    ),
    (
        r"<worksheet[^>]*>",
        ("<!DOCTYPE w [<!ENTITY lol 'lol'>]><worksheet>", "<worksheet>" + "<a>" * 100, "<x>"),
    ),
    (
        r"<sst[^>]*>",
        (
            '<!DOCTYPE s [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><sst>',
            "<sst>",
            "<sst><si/><si><t/></si>",
        ),
    ),
    (
        r"^<",
        (
            "\ufeff<",
            '<?xml version="1.0" encoding="UTF-16"?><',
            '<?xml version="1.0" encoding="x"?><',
            "\0<",
            " <",
        ),
    ),
)


def _damage_archive(random: Random, content: bytes) -> bytes:
    """Return an archive with one part damaged, missing, doubled, encrypted or oddly packed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    names = [
        name
        for name in parts
        if not name.startswith("docProps") and "theme" not in name and "Content" not in name
    ]
    name = random.choice(names)
    match random.randrange(8):
        case 0:
            parts[name] = mutate_bytes(random, parts[name])
        case 1:
            parts[name] = mutate_text(random, parts[name].decode()).encode("utf-8", "surrogatepass")
        case 2:
            del parts[name]
        case 3:
            parts[name] = parts[random.choice(names)]
        case 4:
            mark, at = random.choice((b"PK\1\2", b"PK\3\4")), random.choice((6, 8, 10, 20, 24, 42))
            packed = bytearray(_zip_parts(parts))
            start = packed.find(mark)
            packed[start + at] = random.choice((1, 99, 255))
            return bytes(packed)
        case _:
            for _ in range(random.choice((1, 2, 3))):
                pattern, choices = random.choice(_EDITS)
                parts[name] = _replace_match(
                    random, parts[name].decode("utf-8", "replace"), pattern, choices
                ).encode()
                name = random.choice(names)
    return _zip_parts(parts)


def _replace_match(random: Random, text: str, pattern: str, choices: tuple[str, ...]) -> str:
    matches = list(re.finditer(pattern, text))
    if not matches:
        return text
    match = random.choice(matches)
    return text[: match.start()] + random.choice(choices) + text[match.end() :]


def _zip_parts(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


_ARRAYS: tuple[Callable[[int], pa.Array], ...] = (
    lambda n: pa.array([Decimal("1.50")] * n),
    lambda n: pa.array([time(1, 2)] * n, pa.time32("s")),
    lambda n: pa.array([2**40] * n, pa.date64()),
    lambda n: pa.array([2**30] * n, pa.date32()),
    lambda n: pa.array([timedelta(1)] * n),
    lambda n: (
        pa.array([(1, 2, 3)] * n, pa.month_day_nano_interval())
        if n < 0
        else pa.array([1] * n, pa.duration("ns"))
    ),
    lambda n: pa.array([[("a", "b")]] * n, pa.map_(pa.string(), pa.string())),
    lambda n: pa.array([["a", None]] * n),
    lambda n: pa.array([{"a": [1]}] * n),
    lambda n: pa.array([b"\xff\0"] * n),
    lambda n: pa.array(["文"] * n).cast(pa.binary()),
    lambda n: pa.array(["一"] * n).dictionary_encode(),
    lambda n: pa.array([2**64 - 1] * n, pa.uint64()),
    lambda n: pa.array([float("nan")] * n),
    lambda n: pa.array([1.5] * n, pa.float32()),
    lambda n: pa.array([None] * n),
    lambda n: pa.array([True] * n),
    lambda n: pa.array([2**50] * n, pa.timestamp("ms")),
    lambda n: pa.array([1_770_000_000_123_456_789] * n, pa.timestamp("ns")),
    lambda n: pa.array([datetime(2026, 2, 1, tzinfo=UTC)] * n, pa.timestamp("us", tz="UTC")),
    lambda n: pa.array([1_770_000_000] * n, pa.timestamp("s", tz="Nowhere/Land")),
    lambda n: pa.array([date(2026, 2, 1)] * n),
    lambda n: pa.Array.from_buffers(
        pa.string(),
        n,
        [None, pa.array(range(n + 1), pa.int32()).buffers()[1], pa.py_buffer(b"\xff" * n)],
    ),
)


def _parquet_case(random: Random, rows: list[dict[str, Any]]) -> Case:
    columns = {name: pa.array([row[name] for row in rows]) for name in COLUMNS}
    name = random.choice(COLUMNS)
    is_typed = random.random() < 0.6
    if is_typed:
        columns[name] = random.choice(_ARRAYS)(len(rows))
    names = [random.choice(COLUMNS) if random.random() < 0.05 else column for column in columns]
    out = io.BytesIO()
    pq.write_table(pa.table(list(columns.values()), names=names), out)
    if is_typed:
        return Case(
            "a.parquet",
            out.getvalue(),
            len(rows) if {"text", "published_at"} <= set(names) else None,
        )
    return Case(*_rename_randomly(random, "a.parquet", mutate_bytes(random, out.getvalue())))
