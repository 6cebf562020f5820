"""Files become posts; what does not is counted under a reason."""

import gzip
import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.files import REASONS, ImportOptions, Reject, read
from folate.errors import ConfigError, InputError
from folate.post import Post, pseudonyms

NOW = datetime(2026, 3, 10, tzinfo=UTC)
REVIEWS = '评论,时间,型号,得分,赞\n屏幕很好,2025-06-05 08:00:00,甲手机,5,1.2万\n电池不行,2025/6/6,乙手机,1,"1,234"\n'
CHINESE = {"text": "评论", "published_at": "时间", "subject": "型号", "rating": "得分", "likes": "赞"}


def options(**given: Any) -> ImportOptions:
    return ImportOptions(**({"source": "s", "zone": "Asia/Shanghai", "salt": "salt", "now": NOW} | given))


def take(path: Path, **given: Any) -> tuple[list[Post], list[Reject]]:
    everything = list(read(path, options(**given)))
    return [x for x in everything if isinstance(x, Post)], [x for x in everything if isinstance(x, Reject)]


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


class TestFormats:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_csv(self, tmp_path: Path, encoding: str, delimiter: str) -> None:
        text = f'评论{delimiter}时间{delimiter}赞\r\n"屏幕{delimiter}""很好""\r\n第二行"{delimiter}2025-06-05{delimiter}3\r\n'
        posts, rejects = take(
            write(tmp_path, "a.csv", text.encode(encoding)), mapping={"text": "评论", "published_at": "时间", "likes": "赞"}
        )
        assert rejects == []
        assert [(post.text, post.likes, post.precision) for post in posts] == [(f'屏幕{delimiter}"很好"\r\n第二行', 3, "day")]

    def test_the_same_rows_in_every_format_are_the_same_posts(self, tmp_path: Path) -> None:
        table = [
            {"text": "很好", "published_at": "2025-06-05T08:00:00+08:00", "likes": 3, "rating": 0.5},
            {"text": "good", "published_at": "2025-06-06"},
        ]
        lines = "\n".join(json.dumps(row) for row in table)
        files = [
            write(tmp_path, "a.csv", "text,published_at,likes,rating\n很好,2025-06-05T08:00:00+08:00,3,0.5\ngood,2025-06-06,,\n"),
            write(tmp_path, "a.jsonl", lines),
            write(tmp_path, "a.jsonl.gz", gzip.compress(lines.encode())),
            write(tmp_path, "A.NDJSON", b"\xef\xbb\xbf" + lines.encode() + b"\n\n"),
            tmp_path / "a.parquet",
            tmp_path / "a.xlsx",
        ]
        pq.write_table(pa.Table.from_pylist(table), files[4])
        book = openpyxl.Workbook()
        for cells in (
            ["text", "published_at", "likes", None, "rating"],
            [*list(table[0].values())[:3], None, 0.5],
            [],
            ["good", date(2025, 6, 6)],
        ):
            book.active.append(cells)  # type: ignore[union-attr]
        book.save(files[5])
        expected, _ = take(files[0])
        assert [(post.text, post.likes, post.rating) for post in expected] == [("很好", 3, 0.5), ("good", None, None)]
        for path in files[1:]:
            assert take(path) == (expected, []), path.name

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
    def test_jsonl(self, tmp_path: Path, encoding: str) -> None:
        lines = [json.dumps({"text": text, "published_at": "2025-06-05"}, ensure_ascii=False) for text in ("一上来就很好", "不错")]
        posts, rejects = take(write(tmp_path, "a.jsonl", "\n".join(lines).encode(encoding)))
        assert ([post.text for post in posts], rejects) == (["一上来就很好", "不错"], [])

    def test_keys_that_only_late_lines_have(self, tmp_path: Path) -> None:
        lines = [json.dumps({"id": n, "text": "a", "published_at": "2025-06-05"}) for n in range(1200)]
        late = json.dumps({"id": -1, "text": "b", "published_at": "2025-06-05", "likes": 3, "mood": "good"})
        reading = read(write(tmp_path, "a.jsonl", "\n".join([*lines, late])), options())
        assert reading.ignored == ("mood",)
        assert [post.likes for post in reading if isinstance(post, Post)] == [None] * 1200 + [3]

    def test_a_nul_costs_its_row_only(self, tmp_path: Path) -> None:
        posts, rejects = take(write(tmp_path, "a.csv", "text,published_at\na,2025-01-01\nb\0,2025-01-01\nc,2025-01-01\n"))
        assert [post.text for post in posts] == ["a", "c"]
        assert [(reject.row, reject.reason) for reject in rejects] == [(3, "unreadable row")]

    def test_a_long_cell(self, tmp_path: Path) -> None:
        long = 'he said "好"\n' * 100 + "字" * 200_000
        quoted = long.replace('"', '""')
        posts, rejects = take(write(tmp_path, "a.csv", f'text,published_at\n"{quoted}",2025-01-01\n"b",2025-01-01\n'))
        assert ([post.text for post in posts], rejects) == ([long, "b"], [])

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("a.pdf", b"%PDF", "name ends in .csv"),
            ("a", b"text", "name ends in"),
            ("a.csv", b"", "is empty"),
            ("a.csv", b"PK\x03\x04\0\0", "'a.csv' can't be read as .csv: it is a zip archive"),
            ("a.csv", b"text,when\nx,y\n", "no column 'published_at'.* text, when"),
            ("a.csv", b"words,published_at\nx,y\n", "no column 'text'"),
            ("a.xlsx", b"no zip", "can't be read as .xlsx"),
            ("a.parquet", b"no parquet", "can't be read as .parquet"),
            ("a.jsonl", b"no json\n[1]\n", "none of its 2 lines"),
            ("a.csv.gz", b"no gzip", "can't be read as .csv"),
        ],
    )
    def test_a_file_that_is_none(self, tmp_path: Path, name: str, content: bytes, words: str) -> None:
        with pytest.raises(InputError, match=words):
            take(write(tmp_path, name, content))

    def test_a_file_that_breaks_off_says_where(self, tmp_path: Path) -> None:
        whole = gzip.compress("".join(f"{n},2025-01-01,{n * 7919 % 10007}\n" for n in range(30_000)).encode())
        header = gzip.compress(b"text,published_at,likes\n")
        with pytest.raises(InputError, match=r"can't be read after row \d+"):
            take(write(tmp_path, "a.csv.gz", header + whole[: len(whole) // 2]))


class TestMapping:
    def test_columns_of_other_names(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.csv", REVIEWS)
        (first, second), _ = take(path, mapping=CHINESE, rating_scale=5)
        assert (first.subject, first.rating, first.likes) == ("甲手机", 1.0, 12_000)
        assert (second.rating, second.likes) == (0.2, 1234)
        assert first.published_at == datetime(2025, 6, 5, tzinfo=UTC)
        assert second.published_at == datetime(2025, 6, 5, 16, tzinfo=UTC)  # the day begins in Shanghai
        assert (first.precision, second.precision) == ("second", "day")

    def test_columns_that_no_field_takes_are_named(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.csv", REVIEWS)
        assert read(path, options(mapping={"text": "评论", "published_at": "时间"})).ignored == ("型号", "得分", "赞")

    def test_a_second_column_stands_in_for_an_empty_one(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.tsv", "date\tseen\ttext\n2025-01-01\t2025-01-02T10:00:00+08:00\ta\n2025-01-03\t\tb\n")
        posts, _ = take(path, mapping={"published_at": "seen | date"})
        assert [post.published_at.day for post in posts] == [2, 2]
        assert [post.precision for post in posts] == ["second", "day"]

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"mapping": {"text": "review"}}, "no column 'review' for 'text'; its columns are 评论, 时间"),
            ({"mapping": CHINESE, "kind": "tweet"}, "wanted a kind among"),
            ({"mapping": CHINESE, "source": "a:b"}, "without ':'.*--source"),
            ({"mapping": CHINESE, "source": "论" * 30}, "at most 255 bytes.*--source"),
            ({"mapping": CHINESE, "rating_scale": 0}, "above 0"),
        ],
    )
    def test_what_can_not_be_mapped(self, tmp_path: Path, given: dict[str, Any], words: str) -> None:
        with pytest.raises(InputError, match=words):
            read(write(tmp_path, "a.csv", REVIEWS), options(**given))

    def test_a_field_that_no_post_has(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no field 'txt'"):
            read(write(tmp_path, "a.csv", REVIEWS), options(mapping={"txt": "评论"}))

    def test_what_a_row_says_goes_before_the_options(self, tmp_path: Path) -> None:
        text = "id,source,kind,text,published_at\n微博:7,微博,microblog,a,2025-01-01\n7,,,b,2025-01-01\n"
        posts, _ = take(write(tmp_path, "a.csv", text), source="文件", kind="forum")
        assert [(post.id, post.source, post.kind) for post in posts] == [("微博:7", "微博", "microblog"), ("文件:7", "文件", "forum")]

    def test_authors_are_hashed_everywhere(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.csv", "author,text,published_at\nsome one,a,2025-01-01\nsome one,,2025-01-01\n")
        (post,), (reject,) = take(path)
        assert post.author == pseudonyms("salt")("s", "some one")
        assert reject.values["author"] == post.author

    def test_a_post_is_what_it_says_not_how_often_it_was_liked(self, tmp_path: Path) -> None:
        before, _ = take(write(tmp_path, "a.csv", "text,published_at,likes\na,2025-01-01,1\nb,2025-01-01,1\n"))
        after, _ = take(write(tmp_path, "b.csv", "text,published_at,likes\na,2025-01-01,9\nb,2025-01-02,1\n"))
        assert before[0].id == after[0].id
        assert before[1].id != after[1].id

    def test_a_corrected_row_of_an_author_is_the_same_post(self, tmp_path: Path) -> None:
        header, said = "text,published_at,author,rating,place\n", "好评,2025-01-01 12:30:15,someone"
        (before,), _ = take(write(tmp_path, "a.csv", f"{header}{said},0.2,\n"))
        (after,), _ = take(write(tmp_path, "b.csv", f"{header}{said},1,上海\n"))
        assert before.id == after.id

    def test_the_same_words_about_two_things_are_two_posts(self, tmp_path: Path) -> None:
        said = "好评,2025-01-01 12:30:15,someone"
        posts, _ = take(write(tmp_path, "a.csv", f"text,published_at,author,subject\n{said},甲手机\n{said},乙手机\n"))
        assert len({post.id for post in posts}) == 2

    @pytest.mark.parametrize("said", ["好评,2025-01-01 12:30:15,", "好评,2025-01-01,someone"])
    def test_rows_that_author_and_clock_do_not_tell_apart_are_posts_of_their_own(self, tmp_path: Path, said: str) -> None:
        text = f"text,published_at,author,subject,rating\n{said},甲手机,1\n{said},乙手机,1\n{said},甲手机,0.2\n"
        posts, rejects = take(write(tmp_path, "a.csv", text))
        assert (len({post.id for post in posts}), rejects) == (3, [])

    def test_a_title_may_say_it_all(self, tmp_path: Path) -> None:
        (post,), _ = take(write(tmp_path, "a.csv", "title,text,published_at\n只有标题,,2025-01-01\n"))
        assert (post.title, post.text) == ("只有标题", "")


class TestRejects:
    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            (",2025-01-01,,,", "no text"),
            (" ,2025-01-01,,,", "no text"),
            ("a,,,,", "no date"),
            ("a,null,,,", "no date"),
            ("a,soon,,,", "unreadable date"),
            ("a,2026-03-12,,,", "date in the future"),
            ("a,1970-01-01,,,", "date too early"),
            ("a,2025-01-01,6,,", "rating out of range"),
            ("a,2025-01-01,-1,,", "rating out of range"),
            ("a,2025-01-01,good,,", "unreadable rating"),
            ("a,2025-01-01,inf,,", "unreadable rating"),
            ("a,2025-01-01,,many,", "unreadable count"),
            ("a,2025-01-01,,-3,", "unreadable count"),
            ("a,2025-01-01,,99999999999999999999,", "unreadable count"),
            ("a,2025-01-01,,,perhaps", "unreadable value"),
            ("a,2025-01-01,,", "wrong number of cells"),
            ("a,2025-01-01,,,,x", "wrong number of cells"),
            ("text,published_at,rating,likes,verified", "repeated header"),
            ("ok,2025-01-01,5,3,true", "duplicate row"),
        ],
    )
    def test_reasons(self, tmp_path: Path, row: str, reason: str) -> None:
        text = f"text,published_at,rating,likes,verified\nok,2025-01-01,5,3,true\n{row}\nfine,2025-01-02,,,\n"
        posts, rejects = take(write(tmp_path, "a.csv", text), rating_scale=5)
        assert [post.text for post in posts] == ["ok", "fine"]
        assert [(reject.row, reject.reason) for reject in rejects] == [(3, reason)]
        assert rejects[0].detail
        assert reason in REASONS

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b'{"text": "a", "published_at": "2025-01-01"', "unreadable row"),
            (b"[" * 100_000, "unreadable row"),
            (b"3", "unreadable row"),
            (b'{"text": "\xff", "published_at": "2025-01-01"}', "wrong encoding"),
            (b'{"text": {"a": 1}, "published_at": "2025-01-01"}', "unreadable value"),
            (b'{"text": "a", "published_at": "2025-01-01", "likes": 1e999}', "unreadable count"),
            (b'{"text": "a", "published_at": "2025-01-01", "likes": [1]}', "unreadable count"),
            (b'{"text": "a", "published_at": "2025-01-01", "source": "a/b"}', "bad source"),
            (b'{"text": "a", "published_at": "2025-01-01", "source": ".."}', "bad source"),
            (b'{"text": "a", "published_at": "2025-01-01", "source": "a\\u0000"}', "bad source"),
            (b'{"text": "a", "published_at": "2025-01-01", "kind": "tweet"}', "unknown kind"),
            (b'{"text": "a", "published_at": ' + b"9" * 400 + b"}", "unreadable date"),
            (b'{"text": "a", "published_at": "2025-01-01", "likes": ' + b"9" * 400 + b"}", "unreadable count"),
            (b'{"text": "a", "published_at": "2025-01-01", "fetched_at": "9999-12-31"}', "unreadable value"),
        ],
    )
    def test_lines_of_json(self, tmp_path: Path, line: bytes, reason: str) -> None:
        good = b'{"text": "ok", "published_at": "2025-01-01", "likes": 1, "source": "t", "kind": "qa"}'
        posts, rejects = take(write(tmp_path, "a.jsonl", good + b"\n" + line + b"\n"))
        assert [post.text for post in posts] == ["ok"]
        assert [reject.reason for reject in rejects] == [reason]

    def test_lone_surrogates_do_not_stop_a_file(self, tmp_path: Path) -> None:
        names = ("id", "text", "source", "url", "thread", "parent", "title", "subject", "place", "language", "crawl")
        row = {"published_at": "2025-01-01"} | dict.fromkeys(names, "half \ud83d")
        lines = [json.dumps(row), json.dumps(row | {"published_at": "soon", "tags": ["\ud83d"]})]
        (post,), (reject,) = take(write(tmp_path, "a.jsonl", "\n".join(lines)))
        assert post.text == post.source == post.place == "half \ufffd"
        post.to_json().encode()
        json.dumps(reject.values, ensure_ascii=False).encode()  # can be written to a file of rejects

    def test_no_name_of_an_author_in_rows_that_can_not_be_told_into_cells(self, tmp_path: Path) -> None:
        rows = "a,Some One,2025-01-01,x\nSome One,2025-01-01\n"
        _, rejects = take(write(tmp_path, "a.csv", "author,text,published_at\n" + rows))
        _, more = take(write(tmp_path, "a.jsonl", '["Some One"]\n{"author": ["Some One"], "text": "a", "published_at": "2025-01-01"}\n'))
        assert [reject.reason for reject in rejects + more] == ["wrong number of cells"] * 2 + ["unreadable row", "unreadable value"]
        assert "Some One" not in str(rejects + more)

    def test_bytes_of_another_encoding_cost_their_row_only(self, tmp_path: Path) -> None:
        lines = ["text,published_at", "好,2025-01-01", "很好,2025-01-01"]
        content = "\n".join(lines).encode() + b"\n\xff\xfe,2025-01-01\n"
        posts, rejects = take(write(tmp_path, "a.csv", content))
        assert (len(posts), [reject.reason for reject in rejects]) == (2, ["wrong encoding"])
        json.dumps(rejects[0].values, ensure_ascii=False).encode()  # can be written to a file of rejects


class TestQuotes:
    """A stray quote must not swallow the rows after it."""

    HEADER = "date\tseen\ttext\n"

    def texts(self, tmp_path: Path, *cells: str) -> list[str]:
        lines = "".join(f"2025-01-0{n}\t2025-01-0{n}\t{cell}\n" for n, cell in enumerate(cells, 1))
        posts, rejects = take(write(tmp_path, "a.tsv", self.HEADER + lines), mapping={"published_at": "date"})
        assert rejects == []
        return [post.text for post in posts]

    def test_one_that_never_closes(self, tmp_path: Path) -> None:
        assert self.texts(tmp_path, '"一', "二", "三") == ['"一', "二", "三"]

    def test_one_that_a_later_row_closes(self, tmp_path: Path) -> None:
        assert self.texts(tmp_path, '"一', "二", '三"', "四") == ['"一', "二", '三"', "四"]

    def test_one_before_a_quoted_word(self, tmp_path: Path) -> None:
        assert self.texts(tmp_path, '"一', '"二"和三', "四") == ['"一', '"二"和三', "四"]

    def test_quotes_within(self, tmp_path: Path) -> None:
        assert self.texts(tmp_path, '5" 屏', '他说"好"', '"全部"') == ['5" 屏', '他说"好"', "全部"]

    def test_lines_within_quotes_are_one_row(self, tmp_path: Path) -> None:
        text = 'n,text,published_at,likes\n1,"外观：好\n屏幕：亮,而且大\n日期, 2025-01-01, 很长\n\n完。",2025-01-02,3\n'
        posts, rejects = take(write(tmp_path, "a.csv", text))
        assert rejects == []
        assert posts[0].text == "外观：好\n屏幕：亮,而且大\n日期, 2025-01-01, 很长\n\n完。"

    def test_a_last_line_that_looks_whole_is_still_part_of_its_row(self, tmp_path: Path) -> None:
        text = 'n,text,published_at\n1,"第一行\n第二行,有逗号",2025-01-02\n2,b,2025-01-03\n'
        posts, rejects = take(write(tmp_path, "a.csv", text))
        assert rejects == []
        assert [post.text for post in posts] == ["第一行\n第二行,有逗号", "b"]

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.lists(st.text(alphabet='ab,"好\n', min_size=1, max_size=6).filter(str.strip), min_size=1, max_size=6, unique=True))
    def test_what_a_writer_quotes_comes_back(self, tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
        rows = "".join('{},2025-01-01,"{}"\n'.format(n, text.replace('"', '""')) for n, text in enumerate(texts))
        posts, rejects = take(write(tmp_path_factory.mktemp("q"), "a.csv", "id,published_at,text\n" + rows))
        assert (rejects, [post.text for post in posts]) == ([], texts)

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.lists(st.text(alphabet='ab"好 ', min_size=1, max_size=6).filter(str.strip), min_size=1, max_size=6))
    def test_no_row_is_lost_to_quotes(self, tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
        lines = "".join(f"{n}\t2025-01-01\t{cell}\n" for n, cell in enumerate(cells))
        posts, rejects = take(write(tmp_path_factory.mktemp("q"), "a.tsv", "id\tpublished_at\ttext\n" + lines))
        assert len(posts) + len(rejects) == len(cells)
        assert Counter(reject.reason for reject in rejects).keys() <= {"no text"}
