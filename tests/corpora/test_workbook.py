"""Excel workbooks: wrong dimensions, escapes, sheets, dates, errors, formulas, hostile archives."""

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.files import ImportOptions, ImportReader, Reject, bounds, read_post_file
from corpora.files.workbook import archive, book
from corpora.files.workbook.shared_strings import decode_escapes
from folate.core.errors import InputError
from folate.core.post import Post

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
HEADER = (
    '<row r="1"><c r="A1" t="str"><v>text</v></c><c r="B1" t="str"><v>published_at</v></c></row>'
)


def parts(*sheets: str, shared: str = "", styles: str = "", properties: str = "") -> dict[str, str]:
    """The parts of a workbook of these sheets, each the rows of one, named s1, s2, …"""
    numbers = range(1, len(sheets) + 1)
    links = "".join(
        f'<Relationship Id="r{n}" Type="{LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    names = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
    main = f'<Relationship Id="a" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/>'
    part_contents = {
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}">{main}</Relationships>',
        "xl/workbook.xml": (
            f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">{properties}'
            f"<sheets>{names}</sheets></workbook>"
        ),
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{links}</Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{shared}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>',
    }
    for n, rows in zip(numbers, sheets, strict=True):
        part_contents[f"xl/worksheets/sheet{n}.xml"] = (
            f'<worksheet xmlns="{MAIN}">{rows}</worksheet>'
        )
    return part_contents


def write(
    folder: Path, members: dict[str, str] | dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED
) -> Path:
    path = folder / "a.xlsx"
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def sheet(*rows: str, before: str = "", after: str = "") -> str:
    return f"{before}<sheetData>{HEADER}{''.join(rows)}</sheetData>{after}"


def row(number: int, text: str, moment: str = '<c t="str"><v>2026-03-02</v></c>') -> str:
    return f'<row r="{number}"><c t="inlineStr"><is>{text}</is></c>{moment}</row>'


def opened(path: Path, **changed_options: Any) -> ImportReader:
    options: dict[str, Any] = {
        "source": "s",
        "timezone": "UTC",
        "now": datetime(2026, 3, 10, tzinfo=UTC),
    }
    return read_post_file(path, ImportOptions(**(options | changed_options)))


def take(path: Path, **changed_options: Any) -> tuple[list[Post], list[Reject]]:
    everything = list(opened(path, **changed_options))
    return [item for item in everything if isinstance(item, Post)], [
        item for item in everything if isinstance(item, Reject)
    ]


def texts(path: Path, **changed_options: Any) -> list[str]:
    posts, rejects = take(path, **changed_options)
    assert rejects == []
    return [post.text for post in posts]


class TestCells:
    @pytest.mark.parametrize("claimed", ["A1", "A1:B2", "A1:XFD1048576", "C9:D10", "nonsense"])
    def test_what_a_sheet_claims_of_its_size_costs_no_row_and_no_column(
        self, tmp_path: Path, claimed: str
    ) -> None:
        rows = [row(n, f"<t>第{n}条</t>") for n in range(2, 22)]
        path = write(tmp_path, parts(sheet(*rows, before=f'<dimension ref="{claimed}"/>')))
        assert texts(path) == [f"第{n}条" for n in range(2, 22)]

    def test_a_million_missing_rows_are_not_made_up(self, tmp_path: Path) -> None:
        posts, _ = take(
            write(tmp_path, parts(sheet(row(2, "<t>a</t>"), row(1_048_576, "<t>b</t>"))))
        )
        assert [post.text for post in posts] == ["a", "b"]

    @pytest.mark.parametrize(
        ("written", "text"),
        [
            ("好喝_x000D_\n还买", "好喝\r\n还买"),
            ("_x0009_口感", "\t口感"),
            ("_x000d_", "\r"),
            ("_x005F_x000D_", "_x000D_"),
            ("_xD83D__xDE00_", "😀"),
            ("_x00D_ _xZZZZ_ a_x", "_x00D_ _xZZZZ_ a_x"),
        ],
    )
    @pytest.mark.parametrize("way", ["inline", "shared", "formula"])
    def test_escapes_are_the_characters_that_they_stand_for(
        self, tmp_path: Path, written: str, text: str, way: str
    ) -> None:
        escaped_text = f"{written}。"
        cell = {
            "inline": f'<c t="inlineStr"><is><t xml:space="preserve">{escaped_text}</t></is></c>',
            "shared": '<c t="s"><v>0</v></c>',
            "formula": f'<c t="str"><f>A1</f><v xml:space="preserve">{escaped_text}</v></c>',
        }[way]
        rows = f'<row r="2">{cell}<c t="str"><v>2026-03-02</v></c></row>'
        assert texts(
            write(tmp_path, parts(sheet(rows), shared=f"<si><t>{escaped_text}</t></si>"))
        ) == [f"{text}。"]

    def test_runs_of_a_text_are_one_without_the_readings_above_them(self, tmp_path: Path) -> None:
        bold, reading = (
            "<r><rPr><b/></rPr><t>很</t></r>",
            '<rPh sb="0" eb="1"><t>hao</t></rPh><phoneticPr fontId="1"/>',
        )
        runs = f'{bold}<r><t xml:space="preserve"> 好</t></r>{reading}'
        assert texts(write(tmp_path, parts(sheet(row(2, runs))))) == ["很 好"]

    @pytest.mark.parametrize(
        ("style", "number", "moment"),
        [
            (14, "46083", "2026-03-02"),
            (22, "46083.4375", "2026-03-02 10:30"),
            (31, "46083", "2026-03-02"),  # 年月日 in Chinese programs, which do not write it out
            (164, "46083.4375", "2026-03-02 10:30"),
            (165, "46083", "2026-03-02"),
        ],
    )
    def test_numbers_shown_as_dates_are_dates(
        self, tmp_path: Path, style: int, number: str, moment: str
    ) -> None:
        clock, day = "yyyy/m/d\\ h:mm", "yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"
        formats = (
            f'<numFmt numFmtId="164" formatCode="{clock}"/>'
            f'<numFmt numFmtId="165" formatCode="{day}"/>'
        )
        cells = (
            '<cellStyleXfs><xf numFmtId="22"/></cellStyleXfs>'
            f'<cellXfs><xf numFmtId="0"/><xf numFmtId="{style}"/></cellXfs>'
        )
        styles = f"<numFmts>{formats}</numFmts>{cells}"
        path = write(
            tmp_path,
            parts(sheet(row(2, "<t>a</t>", f'<c s="1"><v>{number}</v></c>')), styles=styles),
        )
        (post,), _ = take(path)
        assert post.published_at == datetime.fromisoformat(moment).replace(tzinfo=UTC)
        assert post.precision == ("second" if ":" in moment else "day")

    def test_days_are_counted_from_1904_where_the_workbook_says_so(self, tmp_path: Path) -> None:
        styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
        body = sheet(row(2, "<t>a</t>", '<c s="1"><v>44621</v></c>'))
        (post,), _ = take(
            write(tmp_path, parts(body, styles=styles, properties='<workbookPr date1904="1"/>'))
        )
        assert post.published_at == datetime(2026, 3, 2, tzinfo=UTC)

    def test_errors_are_missing_and_formulas_without_a_value_are_told(self, tmp_path: Path) -> None:
        rows = [
            '<row r="2"><c t="e"><v>#N/A</v></c><c t="str"><v>2026-03-02</v></c></row>',
            '<row r="3"><c><f>A2</f></c><c t="str"><v>2026-03-02</v></c></row>',
            row(4, "<t>#N/A</t>"),
        ]
        reading = opened(write(tmp_path, parts(sheet(*rows))))
        items = list(reading)
        assert [item.reason for item in items[:2] if isinstance(item, Reject)] == [
            "no text",
            "no text",
        ]
        assert isinstance(items[2], Post)
        assert items[2].text == "#N/A"  # a text that looks like an error
        assert [note.partition(" ")[0] for note in reading.notes()] == ["1", "1"]

    def test_merged_hidden_and_unnamed_cells_are_told(self, tmp_path: Path) -> None:
        hidden = row(2, "<t>a</t>").replace("<row ", '<row hidden="1" ')
        beyond = row(3, "<t>b</t>", '<c t="str"><v>2026-03-02</v></c><c t="str"><v>x</v></c>')
        reading = opened(
            write(
                tmp_path,
                parts(
                    sheet(hidden, beyond, after='<mergeCells><mergeCell ref="A2:A3"/></mergeCells>')
                ),
            )
        )
        assert len(list(reading)) == 2
        assert [note.split()[1] for note in reading.notes()] == ["cells", "blocks", "hidden"]

    @pytest.mark.parametrize(
        ("cell", "words"),
        [
            ('<c t="s"><v>9</v></c>', "shared texts, got number 9"),
            ('<c t="s"><v>x</v></c>', "wanted a number"),
            ("<c><v>1,5</v></c>", "wanted a number"),
            ('<c r="A0A"><v>1</v></c>', "column can't be told"),
            ('<c r="ZZZZ2"><v>1</v></c>', "column can't be told"),
            ('<c r="XFE2"><v>1</v></c>', "column can't be told"),
            ('<c r="A2"><v>1</v></c><c r="A2"><v>2</v></c>', "two cells in one column"),
        ],
    )
    def test_a_cell_that_can_not_be_read_costs_its_row(
        self, tmp_path: Path, cell: str, words: str
    ) -> None:
        posts, rejects = take(
            write(tmp_path, parts(sheet(f'<row r="2">{cell}</row>', row(3, "<t>ok</t>"))))
        )
        assert [post.text for post in posts] == ["ok"]
        assert [(reject.row, reject.reason) for reject in rejects] == [(2, "unreadable row")]
        assert words in rejects[0].detail

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(
        st.lists(
            st.text(
                st.characters(
                    codec="utf-8",
                    exclude_categories=("Cc", "Cs"),
                    exclude_characters="\ufffe\uffff",
                ),
                min_size=1,
            )
        )
    )
    def test_what_openpyxl_writes_comes_back(
        self, tmp_path_factory: pytest.TempPathFactory, said: list[str]
    ) -> None:
        book = openpyxl.Workbook()
        for cells in [("text", "published_at"), *((f"t{text}", date(2026, 3, 2)) for text in said)]:
            book.active.append(cells)  # type: ignore[union-attr]
        path = tmp_path_factory.mktemp("x") / "a.xlsx"
        book.save(path)
        posts, rejects = take(path)
        assert [post.text for post in posts] == list(
            dict.fromkeys(decode_escapes(f"t{text}") for text in said)
        )
        assert {reject.reason for reject in rejects} <= {"duplicate row"}


class TestSheets:
    def test_the_other_sheets_are_named_and_can_be_chosen(self, tmp_path: Path) -> None:
        path = write(tmp_path, parts(sheet(row(2, "<t>a</t>")), sheet(row(2, "<t>b</t>")), sheet()))
        assert opened(path).unread_sheets == ("s2", "s3")
        assert texts(path) == ["a"]
        assert texts(path, sheet="s2") == ["b"]
        with pytest.raises(InputError, match="no sheet 's9'"):
            opened(path, sheet="s9")

    def test_a_hidden_first_sheet_is_not_the_one_that_is_read(self, tmp_path: Path) -> None:
        members = parts(sheet(row(2, "<t>a</t>")), sheet(row(2, "<t>b</t>")))
        members["xl/workbook.xml"] = members["xl/workbook.xml"].replace(
            'name="s1"', 'name="s1" state="hidden"'
        )
        assert texts(write(tmp_path, members)) == ["b"]

    def test_an_empty_first_sheet_names_the_others(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"empty.*'s2'.*--sheet"):
            opened(write(tmp_path, parts("<sheetData/>", sheet())))

    def test_only_workbooks_have_sheets(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("text,published_at\n")
        with pytest.raises(InputError, match="wanted a workbook"):
            opened(tmp_path / "a.csv", sheet="s1")

    def test_a_second_column_of_a_name_stands_apart(self, tmp_path: Path) -> None:
        head = "".join(f'<c t="str"><v>{name}</v></c>' for name in ("text", "published_at", "text"))
        cells = "".join(f'<c t="str"><v>{value}</v></c>' for value in ("a", "2026-03-02", "b"))
        path = write(tmp_path, parts(f"<sheetData><row>{head}</row><row>{cells}</row></sheetData>"))
        assert (opened(path).unused_columns, texts(path)) == (("text (2)",), ["a"])

    def test_names_of_elements_may_have_a_prefix_and_parts_other_letters(
        self, tmp_path: Path
    ) -> None:
        members = parts(sheet(row(2, "<t>a</t>")))
        body = (
            members.pop("xl/worksheets/sheet1.xml")
            .replace("<", "<x:")
            .replace("<x:/", "</x:")
            .replace("xmlns=", "xmlns:x=")
        )
        assert texts(write(tmp_path, members | {"xl/Worksheets/Sheet1.xml": body})) == ["a"]


class TestHarm:
    @pytest.mark.parametrize(
        ("part", "content", "words"),
        [
            (
                "xl/workbook.xml",
                "",
                "can't be read as .xlsx: the part 'xl/workbook.xml' is damaged",
            ),
            ("xl/workbook.xml", "<workbook/>", "without"),
            ("xl/workbook.xml", "<!DOCTYPE w [<!ENTITY a 'b'>]><workbook/>", "document type"),
            ("xl/workbook.xml", '<?xml version="1.0" encoding="x"?><workbook/>', "damaged"),
            ("xl/workbook.xml", "<a>" * 100, "at most 64 elements"),
            ("xl/styles.xml", "<a b='", "damaged"),
            ("xl/sharedStrings.xml", "<sst><si><t>&lol;</t></si></sst>", "damaged"),
            (
                "xl/worksheets/sheet1.xml",
                f"<worksheet><a b='{'c' * 2**21}'/></worksheet>",
                "tags of at most",
            ),
            (
                "xl/worksheets/sheet1.xml",
                f"<worksheet><!--{'c' * 2**21}--></worksheet>",
                "tags of at most",
            ),
        ],
    )
    def test_a_damaged_part_is_told_in_a_sentence(
        self, tmp_path: Path, part: str, content: str, words: str
    ) -> None:
        with pytest.raises(InputError, match=words):
            opened(write(tmp_path, parts(sheet(row(2, "<t>a</t>"))) | {part: content}))

    @pytest.mark.parametrize(
        "part",
        [
            "xl/workbook.xml",
            "xl/_rels/workbook.xml.rels",
            "xl/styles.xml",
            "_rels/.rels",
            "xl/worksheets/sheet1.xml",
        ],
    )
    def test_a_part_larger_than_is_read_is_told(
        self, tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive, "MAX_STRUCTURE_BYTES", 100_000)
        monkeypatch.setattr(book, "_MAX_CONTENT_BYTES", 100_000)
        members = parts(sheet(row(2, "<t>a</t>")))
        members[part] = (
            members[part][:-1] + " " * 10**6 + ">"
            if part != "xl/worksheets/sheet1.xml"
            else sheet(row(2, f"<t>{'a' * 10**6}</t>"))
        )
        with pytest.raises(InputError, match="at most"):
            list(opened(write(tmp_path, members)))

    def test_rows_before_a_break_are_taken(self, tmp_path: Path) -> None:
        part_contents = parts(sheet(*(row(n, f"<t>{n}</t>") for n in range(2, 9))))
        part_contents["xl/worksheets/sheet1.xml"] = part_contents["xl/worksheets/sheet1.xml"][:-200]
        reading, items = opened(write(tmp_path, part_contents)), []
        with pytest.raises(
            InputError, match=r"can't be read after row 5: .*; rows before it are taken"
        ):
            items.extend(reading)
        assert len(items) == 4

    def test_a_text_that_all_rows_share_is_not_multiplied(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bounds, "MAX_FILE_BYTES", 100_000)
        rows = [f'<row r="{n}"><c t="s"><v>0</v></c><c><v>{n}</v></c></row>' for n in range(2, 200)]
        with pytest.raises(InputError, match="100,000 characters in all cells"):
            list(
                opened(
                    write(tmp_path, parts(sheet(*rows), shared=f"<si><t>{'a' * 10_000}</t></si>"))
                )
            )

    @pytest.mark.parametrize("way", ["inline", "shared"])
    def test_a_cell_longer_than_is_read_costs_its_row(
        self, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bounds, "MAX_CELL_CHARACTERS", 1000)
        long = f"<t>{'长' * 2000}</t>"
        cell = '<row r="2"><c t="s"><v>0</v></c></row>' if way == "shared" else row(2, long)
        posts, rejects = take(
            write(tmp_path, parts(sheet(cell, row(3, "<t>ok</t>")), shared=f"<si>{long}</si>"))
        )
        assert ([post.text for post in posts], [reject.reason for reject in rejects]) == (
            ["ok"],
            ["too long"],
        )

    def test_ways_to_pack_that_know_no_bounds_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="packed in the unknown way 14"):
            opened(write(tmp_path, parts(sheet()), zipfile.ZIP_LZMA))

    def test_a_directory_of_very_many_parts_is_refused(self, tmp_path: Path) -> None:
        path = write(tmp_path, {f"{n:060000}": b"" for n in range(40)})
        with pytest.raises(InputError, match="directory has at most 2 MiB"):
            opened(path)

    def test_an_archive_that_is_encrypted_says_so(self, tmp_path: Path) -> None:
        path = write(tmp_path, parts(sheet()))
        content = bytearray(path.read_bytes())
        for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            start = content.find(mark)
            while start >= 0:
                content[start + offset] |= 1
                start = content.find(mark, start + 1)
        path.write_bytes(content)
        with pytest.raises(InputError, match="password"):
            opened(path)
