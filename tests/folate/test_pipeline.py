"""A whole run through the command line: import, annotate, topics, report, evidence, export."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from folate.cli import run_command
from tests.folate.project import TWO_BRANDS_TOML, create_project, use_lexicon_reader

PROJECT_TOML = f"""
watch = ["包装"]
{TWO_BRANDS_TOML}
[[segments]]
id = "pregnant"
names = ["孕妇", "pregnant"]
terms = ["怀孕", "pregnant"]
"""
USUAL = (
    "早餐吃晨谷，味道不错{}",
    "晨谷的包装很难撕{}",
    "暖禾太甜了{}",
    "Morngrain is good with milk {}",
    "今天又买了暖禾，价格没变{}",
    "bad week for Morngrain {}",
)
NEWS = (
    "怀孕三个月，晨谷里有叶酸吗{}",
    "医生说要补叶酸，先吃晨谷{}",
    "叶酸片和晨谷一起吃可以吗，怀孕初期{}",
)
TAILS = (
    "，早上赶地铁前随便冲了一碗",
    "，同事分我一半说下回换口味",
    "，楼下便利店刚好在做活动",
    " said my neighbour on the bus",
    "，周末带去爬山当干粮",
    "，配酸奶和半根香蕉",
    " while waiting for the train home",
    "，我妈非要加两勺糖",
    "，猫闻了闻就走开了",
    " according to the label on the box",
    "，加班到十点才想起来吃",
    "，冬天泡热的比较舒服",
    " and that is all for tonight",
    "，写论文的时候当零食",
    "，搬家翻出来一整箱",
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_lexicon_reader(monkeypatch)
    create_project(tmp_path, PROJECT_TOML)
    return tmp_path


@pytest.fixture
def posts_file(tmp_path: Path) -> Path:
    """Nine weeks of 60 posts up to 2026-W10, the last also about folic acid; two rows are bad."""
    monday = date.fromisocalendar(2026, 2, 1)
    lines = ["id,author,published_at,text,likes"]
    for week in range(9):
        texts = [
            USUAL[i % len(USUAL)].format(TAILS[(i + i // 6 + week) % len(TAILS)]) for i in range(60)
        ]
        texts += [NEWS[i % len(NEWS)].format(TAILS[i]) for i in range(15)] if week == 8 else []
        for i, text in enumerate(texts):
            day = monday + timedelta(weeks=week, days=i % 7)
            lines.append(f"{week}-{i},user{week}{i},{day} 12:00:00+08:00,{text},{i % 5}")
    lines += ["bad-1,user,not a date,text,1", "bad-2,user,2026-03-02 12:00:00+08:00,,1"]
    path = tmp_path / "posts.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run_folate(project: Path, *arguments: str) -> int:
    return run_command([*arguments, "--project", str(project)])


def import_posts(
    project: Path, posts_file: Path, capsys: pytest.CaptureFixture[str]
) -> list[dict[str, object]]:
    assert (
        run_folate(
            project,
            "import",
            str(posts_file),
            "--source",
            "file",
            "--kind",
            "forum",
            "--format",
            "json",
        )
        == 0
    )
    return json.loads(capsys.readouterr().out)


def test_import_keeps_the_good_rows_counts_the_bad_and_adds_nothing_twice(
    project, posts_file, capsys
):
    (first,) = import_posts(project, posts_file, capsys)
    assert (first["added"], first["rejected"]) == (555, 2)
    rejects = [
        json.loads(line)
        for line in (project / "rejects" / "posts.csv.jsonl")
        .read_text(encoding="utf-8")
        .splitlines()
    ]
    assert len({reject["reason"] for reject in rejects}) == 2
    (second,) = import_posts(project, posts_file, capsys)
    assert (second["added"], second["known"]) == (0, 555)


def test_a_source_and_kind_that_are_asked_for_hold_for_every_row(project, tmp_path, capsys):
    path = tmp_path / "own.csv"
    path.write_text(
        "source,kind,published_at,text\nplay,qa,2026-03-02,晨谷 good\n", encoding="utf-8"
    )
    for options in ((), ("--source", "asked"), ("--source", "asked", "--kind", "blog")):
        assert run_folate(project, "import", str(path), *options) == 0
    capsys.readouterr()
    run_folate(project, "export", "posts")
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted((row["source"], row["kind"]) for row in rows) == [
        ("asked", "blog"),
        ("play", "qa"),
    ]  # asked twice, kept once


def test_the_way_to_a_report_and_back_to_its_evidence(project, posts_file, capsys):
    import_posts(project, posts_file, capsys)
    assert run_folate(project, "annotate") == 0
    assert "555 texts" in capsys.readouterr().err
    assert run_folate(project, "topics", "--week", "2026-W10", "--format", "json") == 0
    topics = json.loads(capsys.readouterr().out)
    assert topics[0]["label_zh"] == "叶酸"
    assert topics[0]["authors"] == 15
    assert topics[0]["segments"] == ["pregnant"]
    assert not topics[0]["watched"]
    assert run_folate(project, "report", "--week", "2026-W10", "-o", str(project / "out")) == 0
    assert capsys.readouterr().out.strip() == str(project / "out" / "2026-W10.html")
    html = (project / "out" / "2026-W10.html").read_text(encoding="utf-8")
    report = json.loads((project / "out" / "2026-W10.json").read_text(encoding="utf-8"))
    assert "叶酸" in html
    identifier = report["brands"][0]["measures"]["share_of_voice"]["evidence"]
    assert identifier in html
    assert run_folate(project, "evidence", identifier) == 0
    stdout = capsys.readouterr().out
    assert "SELECT" in stdout
    assert "file:8-0" in stdout
    sentence = report["summary"][0]
    assert run_folate(project, "evidence", sentence["id"]) == 0
    stdout = capsys.readouterr().out
    assert "Share of voice of" in stdout
    assert stdout.count("\nquery\n") == len(set(sentence["evidence"]))


def test_a_report_on_the_versions_of_an_earlier_one_has_the_same_bytes(project, posts_file, capsys):
    import_posts(project, posts_file, capsys)
    run_folate(project, "annotate")
    run_folate(project, "report", "--week", "2026-W10", "-o", str(project / "first"))
    second_file = project / "more.csv"
    second_file.write_text(
        "id,author,published_at,text\nx,new,2026-03-04 12:00:00+08:00,暖禾 good\n", encoding="utf-8"
    )
    run_folate(project, "import", str(second_file), "--source", "more")
    run_folate(project, "annotate")
    run_folate(project, "report", "--week", "2026-W10", "-o", str(project / "now"))
    run_folate(
        project,
        "report",
        "--week",
        "2026-W10",
        "-o",
        str(project / "again"),
        "--at",
        str(project / "first" / "2026-W10.json"),
    )
    pages = [
        (project / folder / "2026-W10.html").read_bytes() for folder in ("first", "now", "again")
    ]
    assert pages[0] == pages[2] != pages[1]


def test_the_lines_of_a_report_do_not_command_the_terminal(project, posts_file, capsys):
    named = PROJECT_TOML.replace('"暖禾"', '"\\u001b[2J暖禾", "暖禾"', 1)
    assert named != PROJECT_TOML
    (project / "folate.toml").write_text(named, encoding="utf-8")
    import_posts(project, posts_file, capsys)
    run_folate(project, "annotate", "--without-sentiment")
    capsys.readouterr()
    assert run_folate(project, "report", "--week", "2026-W10") == 0
    stderr = capsys.readouterr().err
    assert "\N{REPLACEMENT CHARACTER}[2J暖禾" in stderr
    assert "\x1b" not in stderr


def test_annotate_does_only_what_is_missing_and_everything_when_the_brands_change(
    project, posts_file, capsys
):
    import_posts(project, posts_file, capsys)
    run_folate(project, "annotate")
    capsys.readouterr()
    (project / "thresholds.json").write_text(
        '{"model": "other+1", "labels": {"food": {"threshold": 0.9}}}', encoding="utf-8"
    )
    run_folate(project, "annotate")
    stderr = capsys.readouterr().err
    assert "0 texts" in stderr
    assert "note: the learnt thresholds of tags (1) are left aside" in stderr
    (project / "folate.toml").write_text(
        PROJECT_TOML.replace('"暖禾"', '"暖禾", "早餐"'), encoding="utf-8"
    )
    run_folate(project, "annotate")
    assert "555 texts" in capsys.readouterr().err
    run_folate(project, "export", "annotations", "--format", "jsonl")
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (
        sum(any(mention["brand"] == "theirs" for mention in row["mentions"]) for row in rows)
        == 9 * 30
    )


def test_an_empty_week_and_a_project_without_posts_say_so(project, posts_file, capsys):
    assert run_folate(project, "report", "--week", "2026-W10", "-o", str(project / "none")) == 0
    assert run_folate(project, "topics", "--week", "2026-W10") == 0
    assert "No post was published in 2026-W10" in capsys.readouterr().err
    import_posts(project, posts_file, capsys)
    assert run_folate(project, "topics", "--week", "2026-W10") == 5
    assert "folate annotate" in capsys.readouterr().err
    assert run_folate(project, "annotate") == 0
    assert run_folate(project, "report", "--week", "2027-W10", "-o", str(project / "later")) == 0


def test_wrong_input_is_one_sentence_and_a_code(project, tmp_path, capsys):
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert run_folate(project, "import", str(empty)) == 3
    assert run_folate(project, "import", str(empty), "--map", "text") == 2
    assert run_folate(project, "evidence", "nothing") == 5
    assert run_folate(project, "crawl") == 2
    assert run_folate(project, "crawl", "nowhere") == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 5
    assert all(line.startswith("folate: ") for line in errors)


def test_import_says_what_it_took_for_day_and_month_and_which_values_it_could_not_read(
    project, tmp_path, capsys
):
    path = tmp_path / "us.csv"
    path.write_text(
        "id,text,published_at,likes\n1,a,01/02/2026,many\n2,b,01/13/2026,3\n", encoding="utf-8"
    )
    assert run_folate(project, "import", str(path), "--format", "json") == 0
    printed = capsys.readouterr()
    (row,) = json.loads(printed.out)
    assert (row["added"], row["rejected"], row["unread_fields"]) == (2, 0, "likes unreadable 1")
    assert row["dates"] == "mdy by 1 dates, 1 ambiguous"
    assert "note: us.csv: order of day and month: mdy by 1 dates, 1 ambiguous.\n" in printed.err
    assert run_folate(project, "import", str(path), "--dates", "dmy", "--format", "json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["rejected"], row["reasons"], row["dates"]) == (
        1,
        "unreadable date 1",
        "dmy, as said",
    )


def test_one_unreadable_file_does_not_keep_the_others_out_and_leaves_earlier_rejects(
    project, posts_file, capsys
):
    import_posts(project, posts_file, capsys)
    empty = project / "empty.csv"
    empty.write_text("")
    assert (
        run_folate(
            project,
            "import",
            str(empty),
            str(posts_file),
            "--source",
            "file",
            "--kind",
            "forum",
            "--format",
            "json",
        )
        == 3
    )
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["file"], row["known"]) == ("posts.csv", 555)
    assert run_folate(project, "import", str(posts_file), "--map", "text=nope") == 3
    assert [path.name for path in (project / "rejects").iterdir()] == ["posts.csv.jsonl"]


@pytest.mark.parametrize("versions", ['{"posts": "x"}', '{"posts": -1}', "[]", "3"])
def test_a_report_at_what_is_no_report_is_refused(project, versions, capsys):
    path = project / "not.json"
    path.write_text(f'{{"versions": {versions}}}')
    assert run_folate(project, "report", "--week", "2026-W10", "--at", str(path)) == 3
    assert "wanted a report in JSON" in capsys.readouterr().err


def test_an_empty_salt_is_refused(project, posts_file, capsys):
    (project / ".salt").write_text("")
    assert run_folate(project, "import", str(posts_file)) == 2
    assert "is empty" in capsys.readouterr().err


def test_status_counts_what_each_source_holds(project, posts_file, capsys):
    import_posts(project, posts_file, capsys)
    run_folate(project, "annotate", "--without-sentiment")
    capsys.readouterr()
    assert run_folate(project, "status", "--format", "json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["source"], row["posts"], row["read"], row["with_sentiment"]) == (
        "file",
        555,
        555,
        0,
    )
    assert (row["first"], row["last"], row["last_crawl"]) == ("2026-W02", "2026-W10", None)
