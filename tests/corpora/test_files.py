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

from corpora.files import REJECT_REASONS, ImportOptions, Reject, read_post_file
from folate.core.errors import ConfigError, InputError
from folate.core.post import Post, make_pseudonymizer

NOW = datetime(2026, 3, 10, tzinfo=UTC)
REVIEWS = (
    "评论,时间,型号,得分,赞\n"
    "屏幕很好,2025-06-05 08:00:00,甲手机,5,1.2万\n"
    '电池不行,2025/6/6,乙手机,1,"1,234"\n'
)
CHINESE = {
    "text": "评论",
    "published_at": "时间",
    "subject": "型号",
    "rating": "得分",
    "likes": "赞",
}


def options(**fields: Any) -> ImportOptions:
    return ImportOptions(
        **({"source": "s", "timezone": "Asia/Shanghai", "salt": "salt", "now": NOW} | fields)
    )


def take(path: Path, **fields: Any) -> tuple[list[Post], list[Reject]]:
    everything = list(read_post_file(path, options(**fields)))
    return [x for x in everything if isinstance(x, Post)], [
        x for x in everything if isinstance(x, Reject)
    ]


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


class TestFormats:
    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
    )
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_csv(self, tmp_path: Path, encoding: str, delimiter: str) -> None:
        text = (
            f"评论{delimiter}时间{delimiter}赞\r\n"
            f'"屏幕{delimiter}""很好""\r\n第二行"{delimiter}2025-06-05{delimiter}3\r\n'
        )
        posts, rejects = take(
            write(tmp_path, "a.csv", text.encode(encoding)),
            mapping={"text": "评论", "published_at": "时间", "likes": "赞"},
        )
        assert rejects == []
        assert [(post.text, post.likes, post.precision) for post in posts] == [
            (f'屏幕{delimiter}"很好"\r\n第二行', 3, "day")
        ]

    def test_the_same_rows_in_every_format_are_the_same_posts(self, tmp_path: Path) -> None:
        table = [
            {
                "text": "很好",
                "published_at": "2025-06-05T08:00:00+08:00",
                "likes": 3,
                "rating": 0.5,
            },
            {"text": "good", "published_at": "2025-06-06"},
        ]
        lines = "\n".join(json.dumps(row) for row in table)
        files = [
            write(
                tmp_path,
                "a.csv",
                "text,published_at,likes,rating\n很好,2025-06-05T08:00:00+08:00,3,0.5\ngood,2025-06-06,,\n",
            ),
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
        assert [(post.text, post.likes, post.rating) for post in expected] == [
            ("很好", 3, 0.5),
            ("good", None, None),
        ]
        for path in files[1:]:
            assert take(path) == (expected, []), path.name

    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
    )
    def test_jsonl(self, tmp_path: Path, encoding: str) -> None:
        lines = [
            json.dumps({"text": text, "published_at": "2025-06-05"}, ensure_ascii=False)
            for text in ("一上来就很好", "不错")
        ]
        posts, rejects = take(write(tmp_path, "a.jsonl", "\n".join(lines).encode(encoding)))
        assert ([post.text for post in posts], rejects) == (["一上来就很好", "不错"], [])

    def test_keys_that_only_late_lines_have(self, tmp_path: Path) -> None:
        lines = [
            json.dumps({"id": n, "text": "a", "published_at": "2025-06-05"}) for n in range(1200)
        ]
        late = json.dumps(
            {"id": -1, "text": "b", "published_at": "2025-06-05", "likes": 3, "mood": "good"}
        )
        reading = read_post_file(write(tmp_path, "a.jsonl", "\n".join([*lines, late])), options())
        assert reading.unused_columns == ("mood",)
        assert [post.likes for post in reading if isinstance(post, Post)] == [None] * 1200 + [3]

    def test_a_nul_costs_its_row_only(self, tmp_path: Path) -> None:
        posts, rejects = take(
            write(
                tmp_path, "a.csv", "text,published_at\na,2025-01-01\nb\0,2025-01-01\nc,2025-01-01\n"
            )
        )
        assert [post.text for post in posts] == ["a", "c"]
        assert [(reject.row, reject.reason) for reject in rejects] == [(3, "unreadable row")]

    def test_a_long_cell(self, tmp_path: Path) -> None:
        long = 'he said "好"\n' * 100 + "字" * 200_000
        quoted = long.replace('"', '""')
        posts, rejects = take(
            write(tmp_path, "a.csv", f'text,published_at\n"{quoted}",2025-01-01\n"b",2025-01-01\n')
        )
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
    def test_a_file_that_is_none(
        self, tmp_path: Path, name: str, content: bytes, words: str
    ) -> None:
        with pytest.raises(InputError, match=words):
            take(write(tmp_path, name, content))

    def test_a_file_that_breaks_off_says_where(self, tmp_path: Path) -> None:
        compressed = gzip.compress(
            "".join(f"{n},2025-01-01,{n * 7919 % 10007}\n" for n in range(30_000)).encode()
        )
        header = gzip.compress(b"text,published_at,likes\n")
        with pytest.raises(InputError, match=r"can't be read after row \d+"):
            take(write(tmp_path, "a.csv.gz", header + compressed[: len(compressed) // 2]))

    def test_rows_before_a_break_are_taken_whatever_their_ids(self, tmp_path: Path) -> None:
        compressed = gzip.compress(
            "".join(f"{n},2025-01-01,{n * 7919 % 10007}\n" for n in range(1, 30_000)).encode()
        )
        path = write(
            tmp_path,
            "a.csv.gz",
            gzip.compress(b"id,published_at,text\n") + compressed[: len(compressed) // 2],
        )
        reading = iter(read_post_file(path, options()))
        assert getattr(next(reading), "id", None) == "s:1"


class TestMapping:
    def test_columns_of_other_names(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.csv", REVIEWS)
        (first, second), _ = take(path, mapping=CHINESE, rating_scale=5)
        assert (first.subject, first.rating, first.likes) == ("甲手机", 1.0, 12_000)
        assert (second.rating, second.likes) == (0.2, 1234)
        assert first.published_at == datetime(2025, 6, 5, tzinfo=UTC)
        assert second.published_at == datetime(
            2025, 6, 5, 16, tzinfo=UTC
        )  # the day begins in Shanghai
        assert (first.precision, second.precision) == ("second", "day")

    def test_columns_that_no_field_takes_are_named(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.csv", REVIEWS)
        assert read_post_file(
            path, options(mapping={"text": "评论", "published_at": "时间"})
        ).unused_columns == (
            "型号",
            "得分",
            "赞",
        )

    def test_a_second_column_stands_in_for_an_empty_one(self, tmp_path: Path) -> None:
        path = write(
            tmp_path,
            "a.tsv",
            "date\tseen\ttext\n2025-01-01\t2025-01-02T10:00:00+08:00\ta\n2025-01-03\t\tb\n",
        )
        posts, _ = take(path, mapping={"published_at": "seen | date"})
        assert [post.published_at.day for post in posts] == [2, 2]
        assert [post.precision for post in posts] == ["second", "day"]

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            (
                {"mapping": {"text": "review"}},
                "no column 'review' for 'text'; its columns are 评论, 时间",
            ),
            ({"mapping": CHINESE, "kind": "tweet"}, "wanted a kind among"),
            ({"mapping": CHINESE, "source": "a:b"}, "without ':'.*--source"),
            ({"mapping": CHINESE, "source": "论" * 30}, "at most 255 bytes.*--source"),
            ({"mapping": CHINESE, "rating_scale": 0}, "above 0"),
        ],
    )
    def test_what_can_not_be_mapped(
        self, tmp_path: Path, fields: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(InputError, match=words):
            read_post_file(write(tmp_path, "a.csv", REVIEWS), options(**fields))

    def test_a_field_that_no_post_has(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no field 'txt'"):
            read_post_file(write(tmp_path, "a.csv", REVIEWS), options(mapping={"txt": "评论"}))

    def test_what_a_row_says_goes_before_the_options(self, tmp_path: Path) -> None:
        text = (
            "id,source,kind,text,published_at\n"
            "微博:7,微博,microblog,a,2025-01-01\n"
            "7,,,b,2025-01-01\n"
        )
        posts, _ = take(write(tmp_path, "a.csv", text), source="文件", kind="forum")
        assert [(post.id, post.source, post.kind) for post in posts] == [
            ("微博:7", "微博", "microblog"),
            ("文件:7", "文件", "forum"),
        ]

    def test_authors_are_hashed_everywhere(self, tmp_path: Path) -> None:
        path = write(
            tmp_path,
            "a.csv",
            "author,text,published_at\nsome one,a,2025-01-01\nsome one,,2025-01-01\n",
        )
        (post,), (reject,) = take(path)
        assert post.author == make_pseudonymizer("salt")("s", "some one")
        assert reject.values["author"] == post.author

    def test_a_post_is_what_it_says_not_how_often_it_was_liked(self, tmp_path: Path) -> None:
        before, _ = take(
            write(tmp_path, "a.csv", "text,published_at,likes\na,2025-01-01,1\nb,2025-01-01,1\n")
        )
        after, _ = take(
            write(tmp_path, "b.csv", "text,published_at,likes\na,2025-01-01,9\nb,2025-01-02,1\n")
        )
        assert before[0].id == after[0].id
        assert before[1].id != after[1].id

    def test_a_corrected_row_of_an_author_is_the_same_post(self, tmp_path: Path) -> None:
        header, row = "text,published_at,author,rating,place\n", "好评,2025-01-01 12:30:15,someone"
        (before,), _ = take(write(tmp_path, "a.csv", f"{header}{row},0.2,\n"))
        (after,), _ = take(write(tmp_path, "b.csv", f"{header}{row},1,上海\n"))
        assert before.id == after.id

    def test_the_same_words_about_two_things_are_two_posts(self, tmp_path: Path) -> None:
        row = "好评,2025-01-01 12:30:15,someone"
        posts, _ = take(
            write(
                tmp_path,
                "a.csv",
                f"text,published_at,author,subject\n{row},甲手机\n{row},乙手机\n",
            )
        )
        assert len({post.id for post in posts}) == 2

    @pytest.mark.parametrize("row", ["好评,2025-01-01 12:30:15,", "好评,2025-01-01,someone"])
    def test_rows_that_author_and_clock_do_not_tell_apart_are_posts_of_their_own(
        self, tmp_path: Path, row: str
    ) -> None:
        text = (
            "text,published_at,author,subject,rating\n"
            f"{row},甲手机,1\n{row},乙手机,1\n{row},甲手机,0.2\n"
        )
        posts, rejects = take(write(tmp_path, "a.csv", text))
        assert (len({post.id for post in posts}), rejects) == (3, [])

    def test_a_title_may_say_it_all(self, tmp_path: Path) -> None:
        (post,), _ = take(
            write(tmp_path, "a.csv", "title,text,published_at\n只有标题,,2025-01-01\n")
        )
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
            ("a,1989-12-31,,,", "date too early"),
            ("a,昨天,,,", "unreadable date"),
            ("a,46089.5,,,", "unreadable date"),
            ("a,2025-01-01 12:30 IST,,,", "unreadable date"),
            ("a,2025-01-01,,", "wrong number of cells"),
            ("a,2025-01-01,,,,x", "wrong number of cells"),
            ("text,published_at,rating,likes,verified", "repeated header"),
            ("ok,2025-01-01,5,3,true", "duplicate row"),
        ],
    )
    def test_reasons(self, tmp_path: Path, row: str, reason: str) -> None:
        text = (
            "text,published_at,rating,likes,verified\n"
            f"ok,2025-01-01,5,3,true\n{row}\nfine,2025-01-02,,,\n"
        )
        posts, rejects = take(write(tmp_path, "a.csv", text), rating_scale=5)
        assert [post.text for post in posts] == ["ok", "fine"]
        assert [(reject.row, reject.reason) for reject in rejects] == [(3, reason)]
        assert rejects[0].detail
        assert reason in REJECT_REASONS

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b'{"text": "a", "published_at": "2025-01-01"', "unreadable row"),
            (b"[" * 100_000, "unreadable row"),
            (b"3", "unreadable row"),
            (b'{"text": "\xff", "published_at": "2025-01-01"}', "wrong encoding"),
            (b'{"text": {"a": 1}, "published_at": "2025-01-01"}', "unreadable value"),
            (b'{"text": "a", "published_at": "2025-01-01", "source": "a/b"}', "bad source"),
            (b'{"text": "a", "published_at": "2025-01-01", "source": ".."}', "bad source"),
            (b'{"text": "a", "published_at": "2025-01-01", "source": "a\\u0000"}', "bad source"),
            (b'{"text": "a", "published_at": "2025-01-01", "kind": "tweet"}', "unknown kind"),
            (b'{"text": "a", "published_at": ' + b"9" * 400 + b"}", "unreadable date"),
        ],
    )
    def test_lines_of_json(self, tmp_path: Path, line: bytes, reason: str) -> None:
        good = (
            b'{"text": "ok", "published_at": "2025-01-01", "likes": 1, "source": "t", "kind": "qa"}'
        )
        posts, rejects = take(write(tmp_path, "a.jsonl", good + b"\n" + line + b"\n"))
        assert [post.text for post in posts] == ["ok"]
        assert [reject.reason for reject in rejects] == [reason]

    def test_lone_surrogates_do_not_stop_a_file(self, tmp_path: Path) -> None:
        names = (
            "id",
            "text",
            "source",
            "url",
            "thread",
            "parent",
            "title",
            "subject",
            "place",
            "language",
            "crawl",
        )
        row = {"published_at": "2025-01-01"} | dict.fromkeys(names, "half \ud83d")
        lines = [json.dumps(row), json.dumps(row | {"published_at": "soon", "tags": ["\ud83d"]})]
        (post,), (reject,) = take(write(tmp_path, "a.jsonl", "\n".join(lines)))
        assert post.text == post.source == post.place == "half \ufffd"
        post.to_json().encode()
        json.dumps(
            reject.values, ensure_ascii=False
        ).encode()  # can be written to a file of rejects

    def test_no_name_of_an_author_in_rows_that_can_not_be_told_into_cells(
        self, tmp_path: Path
    ) -> None:
        rows = "a,Some One,2025-01-01,x\nSome One,2025-01-01\n"
        _, rejects = take(write(tmp_path, "a.csv", "author,text,published_at\n" + rows))
        _, more_rejects = take(
            write(
                tmp_path,
                "a.jsonl",
                '["Some One"]\n'
                '{"author": ["Some One"], "text": "a", "published_at": "2025-01-01"}\n',
            )
        )
        assert [reject.reason for reject in rejects + more_rejects] == [
            "wrong number of cells"
        ] * 2 + ["unreadable row"]
        assert "Some One" not in str(rejects + more_rejects)

    def test_bytes_of_another_encoding_cost_their_row_only(self, tmp_path: Path) -> None:
        lines = ["text,published_at", "好,2025-01-01", "很好,2025-01-01"]
        content = "\n".join(lines).encode() + b"\n\xff\xfe,2025-01-01\n"
        posts, rejects = take(write(tmp_path, "a.csv", content))
        assert (len(posts), [reject.reason for reject in rejects]) == (2, ["wrong encoding"])
        json.dumps(
            rejects[0].values, ensure_ascii=False
        ).encode()  # can be written to a file of rejects


class TestFieldsThatAPostMayLack:
    """One that can't be read never costs the post: it is missing, and counted."""

    @pytest.mark.parametrize(
        ("rating", "likes", "verified", "unread"),
        [
            ("6", "3", "true", {"rating out of range": 1}),
            ("-1", "3", "true", {"rating out of range": 1}),
            ("good", "3", "true", {"rating unreadable": 1}),
            ("inf", "3", "true", {"rating unreadable": 1}),
            ("4/5", "many", "true", {"likes unreadable": 1}),
            ("4/5", "-3", "true", {"likes unreadable": 1}),
            ("4/5", "99999999999999999999", "true", {"likes unreadable": 1}),
            ("4/5", "赞", "true", {}),
            ("4.0 out of 5 stars", "6次", "perhaps", {"verified unreadable": 1}),
            (
                "great",
                "none of them",
                "perhaps",
                {"rating unreadable": 1, "likes unreadable": 1, "verified unreadable": 1},
            ),
        ],
    )
    def test_a_cell(
        self, tmp_path: Path, rating: str, likes: str, verified: str, unread: dict[str, int]
    ) -> None:
        text = (
            f"text,published_at,rating,likes,verified\na,2025-01-01,{rating},{likes},{verified}\n"
        )
        reading = read_post_file(write(tmp_path, "a.csv", text), options(rating_scale=5))
        (post,) = reading
        assert isinstance(post, Post)
        assert reading.unread_values == unread
        lacking = {name.split()[0] for name in unread} | ({"likes"} if likes == "赞" else set())
        assert {
            name for name in ("rating", "likes", "verified") if getattr(post, name) is None
        } == lacking

    @pytest.mark.parametrize(
        ("field", "unread"),
        [
            ('"likes": 1e999', "likes unreadable"),
            ('"likes": [1]', "likes unreadable"),
            ('"likes": ' + "9" * 400, "likes unreadable"),
            ('"rating": {"value": 4}', "rating unreadable"),
            ('"author": {"name": "Some One"}', "author unreadable"),
            ('"url": ["https://a.example"]', "url unreadable"),
            ('"id": {"$oid": "5"}', "id unreadable"),
            ('"parent": [5]', "parent unreadable"),
            ('"precision": "week"', "precision unreadable"),
            ('"fetched_at": "9999-12-31"', "fetched_at: date in the future"),
            ('"fetched_at": "soon"', "fetched_at unreadable"),
        ],
    )
    def test_a_value_of_json(self, tmp_path: Path, field: str, unread: str) -> None:
        line = '{"text": "a", "published_at": "2025-01-01", ' + field + "}"
        reading = read_post_file(write(tmp_path, "a.jsonl", line), options())
        (post,) = reading
        assert isinstance(post, Post)
        assert reading.unread_values == {unread: 1}
        assert getattr(post, unread.split()[0].rstrip(":")) in (None, "day", post.id)

    def test_a_title_that_can_not_be_read_is_no_text(self, tmp_path: Path) -> None:
        _, (reject,) = take(
            write(
                tmp_path, "a.jsonl", '{"title": {"a": 1}, "text": "", "published_at": "2025-01-01"}'
            )
        )
        assert reject.reason == "no text"


class TestOrderOfDayAndMonth:
    def days(self, tmp_path: Path, *dates: str, **fields: Any) -> tuple[list[str], list[str], str]:
        text = "id,text,published_at\n" + "".join(f"{n},a,{date}\n" for n, date in enumerate(dates))
        reading = read_post_file(write(tmp_path, "a.csv", text), options(timezone="UTC", **fields))
        everything = list(reading)
        posts = [f"{post.published_at:%m-%d}" for post in everything if isinstance(post, Post)]
        return (
            posts,
            [reject.reason for reject in everything if isinstance(reject, Reject)],
            reading.date_order_note,
        )

    def test_one_date_settles_the_others_even_those_before_it(self, tmp_path: Path) -> None:
        assert self.days(tmp_path, "01/02/2026", "02/01/2026", "01/13/2026") == (
            ["01-02", "02-01", "01-13"],
            [],
            "mdy by 1 dates, 2 ambiguous",
        )
        assert self.days(tmp_path, "01/02/2026", "13/01/2026 12:30")[0] == ["02-01", "01-13"]

    def test_conflicting_dates_settle_nothing(self, tmp_path: Path) -> None:
        posts, reasons, note = self.days(tmp_path, "01/02/2026", "01/13/2026", "13/01/2026")
        assert (posts, reasons) == (["01-13", "01-13"], ["unreadable date"])
        assert note.startswith("conflicting")

    def test_nothing_settles_them(self, tmp_path: Path) -> None:
        assert self.days(tmp_path, "01/02/2026", "2026-01-05") == (
            ["01-05"],
            ["unreadable date"],
            "no date shows the order; 1 ambiguous not read",
        )

    def test_an_option_decides(self, tmp_path: Path) -> None:
        assert self.days(tmp_path, "01/02/2026", "13/01/2026", date_order="mdy") == (
            ["01-02"],
            ["unreadable date"],
            "mdy, as said",
        )
        assert self.days(tmp_path, "01/02/2026", "13/01/2026", date_order="dmy")[0] == [
            "02-01",
            "01-13",
        ]

    def test_other_dates_need_none(self, tmp_path: Path) -> None:
        assert self.days(tmp_path, "2026-01-05", "Mar 1 2026", "1741022851031") == (
            ["01-05", "03-01", "03-03"],
            [],
            "",
        )


class TestRelativeDates:
    def test_they_are_read_from_the_time_of_the_fetch_that_the_row_tells(
        self, tmp_path: Path
    ) -> None:
        text = (
            "text,published_at,fetched_at\n"
            "a,3 天前,2026-02-10 12:00\n"
            'b,"1 day, 3 hours ago",2026-02-10 12:00\n'
            "c,2月11日,2026-02-10\n"
        )
        posts, rejects = take(write(tmp_path, "a.csv", text), timezone="UTC")
        assert rejects == []
        assert [post.published_at.isoformat()[:13] for post in posts] == [
            "2026-02-07T00",
            "2026-02-09T09",
            "2025-02-11T00",
        ]

    def test_without_it_they_are_refused(self, tmp_path: Path) -> None:
        _, (reject,) = take(write(tmp_path, "a.csv", "text,published_at\na,3 天前\n"))
        assert reject.reason == "unreadable date"
        assert "fetched_at" in reject.detail


class TestQuotes:
    """A stray quote must not swallow the rows after it."""

    HEADER = "date\tseen\ttext\n"

    def texts(self, tmp_path: Path, *cells: str) -> list[str]:
        lines = "".join(f"2025-01-0{n}\t2025-01-0{n}\t{cell}\n" for n, cell in enumerate(cells, 1))
        posts, rejects = take(
            write(tmp_path, "a.tsv", self.HEADER + lines), mapping={"published_at": "date"}
        )
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
        text = (
            "n,text,published_at,likes\n"
            '1,"外观：好\n屏幕：亮,而且大\n日期, 2025-01-01, 很长\n\n完。",2025-01-02,3\n'
        )
        posts, rejects = take(write(tmp_path, "a.csv", text))
        assert rejects == []
        assert posts[0].text == "外观：好\n屏幕：亮,而且大\n日期, 2025-01-01, 很长\n\n完。"

    def test_a_last_line_that_looks_whole_is_still_part_of_its_row(self, tmp_path: Path) -> None:
        text = 'n,text,published_at\n1,"第一行\n第二行,有逗号",2025-01-02\n2,b,2025-01-03\n'
        posts, rejects = take(write(tmp_path, "a.csv", text))
        assert rejects == []
        assert [post.text for post in posts] == ["第一行\n第二行,有逗号", "b"]

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(
        st.lists(
            st.text(alphabet='ab,"好\n', min_size=1, max_size=6).filter(str.strip),
            min_size=1,
            max_size=6,
            unique=True,
        )
    )
    def test_what_a_writer_quotes_comes_back(
        self, tmp_path_factory: pytest.TempPathFactory, texts: list[str]
    ) -> None:
        rows = "".join(
            '{},2025-01-01,"{}"\n'.format(n, text.replace('"', '""'))
            for n, text in enumerate(texts)
        )
        posts, rejects = take(
            write(tmp_path_factory.mktemp("q"), "a.csv", "id,published_at,text\n" + rows)
        )
        assert (rejects, [post.text for post in posts]) == ([], texts)

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(
        st.lists(
            st.text(alphabet='ab"好 ', min_size=1, max_size=6).filter(str.strip),
            min_size=1,
            max_size=6,
        )
    )
    def test_no_row_is_lost_to_quotes(
        self, tmp_path_factory: pytest.TempPathFactory, cells: list[str]
    ) -> None:
        lines = "".join(f"{n}\t2025-01-01\t{cell}\n" for n, cell in enumerate(cells))
        posts, rejects = take(
            write(tmp_path_factory.mktemp("q"), "a.tsv", "id\tpublished_at\ttext\n" + lines)
        )
        assert len(posts) + len(rejects) == len(cells)
        assert Counter(reject.reason for reject in rejects).keys() <= {"no text"}


class TestEncodings:
    """A file is read in the encoding that its bytes show, or it is refused."""

    CHINESE = (
        "id,text,published_at\n"
        "1,晨谷的口感很好，但是價格太貴了,2026-03-02\n"
        "2,晨谷比較甜，我不喜歡,2026-03-02\n"
    )
    ENGLISH = (
        "id,text,published_at\n"
        "1,Oats don’t dissolve and I won’t buy it,2026-03-02\n"
        "2,The café near us has it,2026-03-02\n"
    )
    RUSSIAN = (
        "id,text,published_at\n"
        "1,Очень вкусная каша и недорого,2026-03-02\n"
        "2,Дети едят с удовольствием,2026-03-02\n"
    )

    @pytest.mark.parametrize(
        ("text", "encoding"),
        [
            (CHINESE, "big5"),
            (CHINESE, "gbk"),
            (CHINESE, "utf-16-le"),
            (ENGLISH, "cp1252"),
            (ENGLISH, "gbk"),
            (RUSSIAN, "koi8-r"),
        ],
    )
    @pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl"])
    def test_texts_of_another_encoding(
        self, tmp_path: Path, text: str, encoding: str, name: str
    ) -> None:
        header, *rows = [line.split(",") for line in text.splitlines()]
        if "jsonl" in name:
            text = "".join(
                json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) + "\n"
                for row in rows
            )
        content = text.encode(encoding)
        posts, rejects = take(
            write(tmp_path, name, gzip.compress(content) if name.endswith("gz") else content)
        )
        assert (rejects, [post.text for post in posts]) == ([], [row[1] for row in rows])

    def test_what_fits_several_encodings_is_refused_by_name(self, tmp_path: Path) -> None:
        rows = "".join(f"{n},Żółw {n} źdźbło,2026-03-02\n" for n in range(3))
        path = write(tmp_path, "a.csv", f"id,text,published_at\n{rows}".encode("iso8859-16"))
        with pytest.raises(
            InputError,
            match=r"can't be told for certain \(tried utf-8, utf-16, gb18030.*--encoding",
        ):
            take(path)
        posts, _ = take(path, encoding="iso8859-16")
        assert posts[0].text == "Żółw 0 źdźbło"

    def test_lines_of_utf8_amid_another_encoding_are_rejects(self, tmp_path: Path) -> None:
        lines = [f"{n},晨谷的燕麦真的很好喝{n},2026-03-02\n".encode("gb18030") for n in range(20)]
        alien = "99,晨谷的燕麦真的很好喝,2026-03-02\n".encode()
        posts, rejects = take(
            write(tmp_path, "a.csv", b"id,text,published_at\n" + b"".join([*lines, alien]))
        )
        assert (len(posts), [(reject.row, reject.reason) for reject in rejects]) == (
            20,
            [(22, "wrong encoding")],
        )

    def test_half_a_character_of_utf_16_costs_its_row_only(self, tmp_path: Path) -> None:
        rows = [
            "id,text,published_at\n1,好喝,2026-03-02\n2,半个".encode("utf-16-le"),
            b"\x3d\xd8",
            ",2026-03-02\n3,再买,2026-03-02\n".encode("utf-16-le"),
        ]
        posts, rejects = take(write(tmp_path, "a.csv", b"".join(rows)))
        assert ([post.text for post in posts], [reject.reason for reject in rejects]) == (
            ["好喝", "再买"],
            ["wrong encoding"],
        )

    def test_what_was_garbled_before_it_was_written_stays(self, tmp_path: Path) -> None:
        garbled = "æ™¨è°·å¾ˆå¥½å–"
        (post,), _ = take(
            write(tmp_path, "a.csv", f"id,text,published_at\n1,{garbled},2026-03-02\n")
        )
        assert post.text == garbled


class TestHeads:
    """What programs write above and into the row of column names."""

    ROWS = "id,text,published_at\n1,好喝,2026-03-02\n"

    @pytest.mark.parametrize(
        ("text", "note"),
        [
            ("sep=;\n" + ROWS.replace(",", ";"), []),
            ("\ufeffsep=,\r\n" + ROWS, []),
            ('"sep=|"\n' + ROWS.replace(",", "|"), []),
            ("\n\n" + ROWS, []),
            (
                "Report:,Weekly mentions\nFrom:,2026-03-02\n\n" + ROWS,
                ["2 lines above the header were skipped"],
            ),
            ('"Query","晨谷, 暖禾"\n' + ROWS, ["1 lines above the header were skipped"]),
            ('id,"text\n(正文)",published_at\n1,好喝,2026-03-02\n', []),
            ('id,text,"published_at\r\nUTC+8"\r\n1,好喝,2026-03-02\r\n', []),
            ("\u200bid,\ufefftext ,published_at\n1,好喝,2026-03-02\n", []),
        ],
    )
    def test_the_header_is_where_it_is(self, tmp_path: Path, text: str, note: list[str]) -> None:
        reading = read_post_file(write(tmp_path, "a.csv", text), options())
        assert [(post.id, post.text) for post in reading if isinstance(post, Post)] == [
            ("s:1", "好喝")
        ]
        assert reading.notes() == note

    def test_a_header_that_an_import_needs_more_of_is_still_the_header(
        self, tmp_path: Path
    ) -> None:
        with pytest.raises(InputError, match="its columns are id, words, published_at"):
            take(write(tmp_path, "a.csv", "id,words,published_at\n1,text,x\n\n2,b,2026-03-02\n"))
        with pytest.raises(InputError, match="its columns are id, words, when"):
            take(write(tmp_path, "b.csv", "Report:,Weekly\n\nid,words,when\n1,a,2026-03-02\n"))

    def test_a_file_put_behind_another_brings_its_mark_and_its_header(self, tmp_path: Path) -> None:
        text = (
            "\ufeffid,text,published_at\n1,一,2026-03-02\n"
            "\ufeff2,二,2026-03-02\n"
            "\ufeffid,text,published_at\n\u200b3,三,2026-03-02\n"
        )
        posts, rejects = take(write(tmp_path, "a.csv", text))
        assert [post.id for post in posts] == ["s:1", "s:2", "s:3"]
        assert [(reject.row, reject.reason) for reject in rejects] == [(4, "repeated header")]
        lines = '\ufeff{"id": 1, "text": "一", "published_at": "2026-03-02"}\n' * 2
        assert take(write(tmp_path, "a.jsonl", lines))[0][0].id == "s:1"


class TestIds:
    """An id that identifies no post merges no posts, and no row is lost as a false repetition."""

    @staticmethod
    def rows(ids: list[str], header: str = "id,text,published_at", same_time: bool = False) -> str:
        lines = (
            f"{native},第{n}条很好喝,2026-03-02 10:{0 if same_time else n:02}\n"
            for n, native in enumerate(ids)
        )
        return f"{header}\n" + "".join(lines)

    @pytest.mark.parametrize(
        "native",
        [
            "4.75E+15",
            "4,75E+15",
            "4.75e15",
            "#N/A",
            "#REF!",
            "#VALUE!",
            "#DIV/0!",
            "########",
            "Err:502",
            "null",
            "-",
            "0",
            "0.0",
            "(blank)",
            "无",
            "4750000000000000",
            "1234567890123450000",
        ],
    )
    def test_what_is_no_id_names_no_post(self, tmp_path: Path, native: str) -> None:
        content = self.rows([f'"{native}"'] * 6)
        posts, rejects = take(write(tmp_path, "a.csv", content))
        assert (len({post.id for post in posts}), rejects) == (6, [])
        assert f"s:{native}" not in [post.id for post in posts]
        second_import, _ = take(write(tmp_path, "b.csv", content))
        assert [post.id for post in second_import] == [post.id for post in posts]

    @pytest.mark.parametrize(
        "native", ["4750123456789012", "4750000000000000", "QfT0000", "1E5", "N/A-1", "00012", "7"]
    )
    def test_a_true_id_stays(self, tmp_path: Path, native: str) -> None:
        others = [f"47501234567890{n:02}" for n in range(30, 38)]
        posts, _ = take(write(tmp_path, "a.csv", self.rows([native, *others])))
        assert posts[0].id == f"s:{native}"

    def test_one_id_for_several_authors_or_days_is_that_of_something_else(
        self, tmp_path: Path
    ) -> None:
        posts, rejects = take(
            write(tmp_path, "a.csv", self.rows(["sku-1", "sku-1", "other", "sku-1"]))
        )
        assert (len(posts), rejects) == (4, [])
        assert [post.id for post in posts if post.id == "s:sku-1"] == []
        assert posts[2].id == "s:other"

    def test_of_several_states_of_one_post_the_latest_stays_and_the_others_are_counted(
        self, tmp_path: Path
    ) -> None:
        text = (
            "id,text,published_at,fetched_at\n"
            "1,后来,2026-03-02 10:00,2026-03-05\n"
            "1,起初,2026-03-02 10:00,2026-03-03\n"
            "2,b,2026-03-02,\n"
        )
        posts, rejects = take(write(tmp_path, "a.csv", text))
        assert sorted((post.id, post.text) for post in posts) == [("s:1", "后来"), ("s:2", "b")]
        assert [(reject.row, reject.reason) for reject in rejects] == [
            (3, "id repeated with another text")
        ]
        assert "row 2 has a later text" in rejects[0].detail

    def test_without_times_of_fetching_the_last_row_is_the_latest(self, tmp_path: Path) -> None:
        posts, rejects = take(write(tmp_path, "a.csv", self.rows(["1", "1", "1"], same_time=True)))
        assert [post.text for post in posts] == ["第2条很好喝"]
        assert [reject.row for reject in rejects] == [2, 3]

    def test_rows_of_one_id_and_one_text_are_one_post(self, tmp_path: Path) -> None:
        text = "id,text,published_at,likes\n1,a,2026-03-02,1\n1,a,2026-03-02,2\n"
        posts, rejects = take(write(tmp_path, "a.csv", text))
        assert ([(post.id, post.likes) for post in posts], rejects) == (
            [("s:1", 1), ("s:1", 2)],
            [],
        )

    def test_a_parent_or_thread_that_is_no_id_is_missing(self, tmp_path: Path) -> None:
        text = (
            "id,text,published_at,parent,thread\n"
            "1,a,2026-03-02,0,#N/A\n"
            "2,b,2026-03-02,4.75E+15,t1\n"
        )
        posts, _ = take(write(tmp_path, "a.csv", text))
        assert [(post.parent, post.thread) for post in posts] == [(None, None), (None, "t1")]

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["1", "2", "0", "#N/A", "4.75E+15", ""]),
                st.sampled_from("abcd"),
                st.sampled_from("34"),
            ),
            max_size=12,
        )
    )
    def test_no_text_is_lost_without_a_reason(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
    ) -> None:
        text = "".join(f"{native},{text},2026-03-0{day} 10:00\n" for native, text, day in rows)
        posts, rejects = take(
            write(tmp_path_factory.mktemp("i"), "a.csv", f"id,text,published_at\n{text}")
        )
        assert len(posts) + len(rejects) == len(rows)
        text_by_id: dict[str, str] = {}
        for post in posts:
            assert text_by_id.setdefault(post.id, post.text) == post.text
        assert {reject.reason for reject in rejects} <= {
            "duplicate row",
            "id repeated with another text",
        }


class TestWords:
    """The text is what its author wrote, as a reader of the site saw it."""

    def test_markup_and_words_of_others(self, tmp_path: Path) -> None:
        text = "id,text,published_at,kind\n" + "".join(
            f"{n},{text},2026-03-02,{kind}\n"
            for n, (text, kind) in enumerate(
                [
                    ("很香&hellip;&hellip;<br/>还买", "review"),
                    ("哈哈//@路人甲:晨谷有虫", "microblog"),
                    ("RT @someone: it is bad", "microblog"),
                    ("//@路人甲:晨谷有虫", "microblog"),
                    ("哈哈//@路人甲:晨谷有虫", "review"),
                    ("x = 1 //@ts-ignore: fine", "forum"),
                    ("很长...全文", "microblog"),
                ]
            )
        )
        reading = read_post_file(write(tmp_path, "a.csv", text), options())
        posts = [post.text for post in reading if isinstance(post, Post)]
        assert posts == [
            "很香……\n还买",
            "哈哈",
            "RT",
            "转发微博",
            "哈哈",
            "x = 1 //@ts-ignore: fine",
            "很长",
        ]
        assert reading.notes() == ["4 texts of reposts were kept without what others wrote in them"]


class TestPersons:
    """Rejects are read by people: nothing is in them that tells who wrote a post."""

    def test_columns_that_no_field_takes_are_named_and_not_kept(self, tmp_path: Path) -> None:
        header = "text,published_at,author,nickname,email,phone,kind\n"
        person = "Some One,nick of one,one@example.org,13900001111"
        rows = (
            f"a @nick of one,soon,{person},\n"
            f"b,2026-03-01 Some One,{person},\n"
            f"c,2026-03-01,{person},nick of one\n"
        )
        rows += f"d,2026-03-01 13900001111,{person},\n"
        for mapping, expected_cells in (
            ({}, {"author", "text", "published_at", "kind"}),
            ({"author": "nickname"}, {"nickname", "text", "published_at", "kind"}),
        ):
            _, rejects = take(write(tmp_path, "a.csv", header + rows), mapping=mapping)
            assert len(rejects) == 4
            for reject in rejects:
                stored_reject = json.dumps(
                    [
                        reject.detail,
                        {name: cell for name, cell in reject.values.items() if name != "text"},
                    ]
                )
                assert not [
                    word
                    for word in ("Some One", "nick of", "example.org", "1390000")
                    if word in stored_reject
                ]
                assert set(reject.values) == expected_cells
                assert {"email", "phone"} <= set(reject.unused)
            assert rejects[0].values["text"] == "a @nick of one"
