"""Project files and options that were mutated in seeded ways: one sentence, never a traceback."""

import random
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from folate.cli import COMMANDS, run_command
from folate.core.config import load_config, parse_config
from folate.core.errors import ConfigError, FolateError
from folate.core.weeks import SevenDays, Week, last_day

TEMPLATE = (files("folate") / "template.toml").read_text(encoding="utf-8")
EVERY_KEY = re.sub(r"(?m)^# (?=\[\[|\w+ = )", "", TEMPLATE)
VALUES = (
    "-1",
    "0",
    "99999999999999999999",
    "-99999999999999999999",
    "9" * 5_000,
    "1e400",
    "-1e308",
    "nan",
    "inf",
    "-inf",
    '""',
    '"\\u0000"',
    '"x\\n"',
    '"\\u202e"',
    "[]",
    '[""]',
    '["a", "a"]',
    "{}",
    "true",
    "0001-01-01",
    "9999-12-31",
    "12:00:00",
    "1979-05-27T07:32:00Z",
    '"../.."',
    f'"{"x" * 5_000}"',
    "[" * 2_000,
    "{a=" * 2_000,
    '"\\ud800"',
    '"America"',
    "[[[[]]]]",
)
INSERTED = (
    "a.b.c.d = 1",
    "[a.b.c]",
    "[[" * 50,
    "[[brands]]",
    '"\\ud800" = 1',
    "\x00",
    "\ufeff",
    "x = '''",
    "name = 1",
)
OPTIONS = (
    "",
    " ",
    "-1",
    "0",
    "nan",
    "inf",
    "1e400",
    "9" * 5_000,
    "\x00",
    "\x1b[2J",
    "\ud800",
    "..",
    "=",
    "a=b",
    "2026-W99",
    "0000-W01",
    "9999-W53",
)


def _mutated(seed: int) -> str:
    rng = random.Random(seed)
    lines = (EVERY_KEY if rng.random() < 0.7 else TEMPLATE).split("\n")
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(lines))
        match rng.choice(("value", "value", "value", "insert", "delete", "double", "character")):
            case "value":
                place = rng.choice(
                    [number for number, line in enumerate(lines) if re.match(r"\w+ = ", line)]
                )
                lines[place] = lines[place].partition("=")[0] + "= " + rng.choice(VALUES)
            case "insert":
                lines.insert(place, rng.choice(INSERTED))
            case "delete":
                del lines[place]
            case "double":
                lines.insert(place, rng.choice(lines))
            case _:
                at = rng.randrange(len(lines[place]) + 1)
                lines[place] = lines[place][:at] + rng.choice('[]{}"=\n,.é') + lines[place][at:]
    return "\n".join(lines)


def _is_one_sentence(message: str) -> bool:
    return (
        message.count("\n") == 1
        and message.startswith("folate: ")
        and "Traceback" not in message
        and len(message) < 3_000
    )


def test_a_mutated_project_file_is_read_or_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = 0
    for seed in range(200):
        (tmp_path / "folate.toml").write_text(_mutated(seed), encoding="utf-8")
        code = run_command(["audit", "status", "--project", str(tmp_path)])
        err = capsys.readouterr().err
        assert code in {0, 2}
        assert not code or _is_one_sentence(err), err
        refused += bool(code)
    assert 0 < refused < 200


def _arguments(rng: random.Random, folder: Path) -> list[str]:
    name = rng.choice(
        [name for name in COMMANDS if name not in {"init", "segment", "classify", "crawl"}]
    )
    options = [
        "--week",
        "--day",
        "--weeks",
        "--n",
        "--seed",
        "--brand",
        "--least",
        "--map",
        "--source",
        "--kind",
        "--rating-scale",
        "--format",
        "--at",
        "--language",
        "--to",
        "--per-label",
        "--import",
        "--deep",
    ]
    arguments = [name, *(["audit.csv"] if name == "import" else [])]
    for _ in range(rng.randint(1, 3)):
        arguments += [rng.choice(options), rng.choice(OPTIONS)]
    return [*arguments, *rng.choices(OPTIONS, k=rng.randint(0, 1)), "--project", str(folder)]


def test_options_that_make_no_sense_are_refused_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folate.toml").write_text(
        'name = "x"\n[[brands]]\nid = "ours"\nnames = ["晨谷"]\nown = true\n', encoding="utf-8"
    )
    for seed in range(200):
        arguments = _arguments(random.Random(seed), tmp_path)
        code = run_command(arguments)
        err = capsys.readouterr().err
        assert code in {0, 1, 2, 3, 4, 5, 8}, arguments
        assert "Traceback" not in err
        assert len(err) < 5_000, arguments


@pytest.mark.parametrize(
    ("table", "key", "values"),
    [
        ("topics", "baseline_weeks", (0, -1, 1_000_000, 10**30)),
        ("topics", "min_gain", (-1, 1e300)),
        ("nlp", "threads", (-1, 10**9)),
        ("crawl", "timeout", (0, -1, 1e12)),
        ("crawl", "retries", (-1, 10**9)),
        ("smtp", "port", (0, -1, 65_536)),
        ("scorecard", "weeks", (0, 10**6)),
        ("scorecard", "asks", (1e300, -1e300)),
    ],
)
def test_numbers_out_of_their_range_are_refused(
    table: str, key: str, values: tuple[float, ...]
) -> None:
    for value in values:
        with pytest.raises(ConfigError, match=key):
            parse_config({"name": "x", table: {key: value}})


def test_days_of_a_campaign_are_those_that_posts_can_be_from() -> None:
    campaign = (
        '[[brands]]\nid="a"\nnames=["甲"]\nown=true\n'
        '[[campaign]]\nid="c"\nnames=["c"]\nstart=2026-03-02\nend=2026-03-05\n'
    )
    for line in ("before = 1000000000", "after = 99999999999999999999", "before = 4000"):
        with pytest.raises(ConfigError, match="wanted"):
            parse_config(tomllib.loads(f'name="x"\n{campaign}{line}'))
    for old, new in (
        ("start=2026-03-02", "start=0001-01-01"),
        ("end=2026-03-05", "end=9999-12-31"),
    ):
        with pytest.raises(ConfigError, match="in the years 1970 to 2199"):
            parse_config(tomllib.loads(f'name="x"\n{campaign.replace(old, new)}'))


@pytest.mark.parametrize(
    "content",
    [
        "x = " + "[" * 100_000,
        'name = "' + "x" * 10_000_001 + '"',
        "x = " + "{a=" * 5_000,
        "x = 9" * 5_000,
    ],
)
def test_a_project_file_that_is_too_much_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "folate.toml").write_text(content)
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path)
    assert len(str(raised.value)) < 1_000


@pytest.mark.parametrize("zone", ["America", "x" * 5_000, "", "\x00", "../UTC", "/etc/localtime"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ConfigError, match="IANA"):
        parse_config({"name": "x", "timezone": zone})


@pytest.mark.parametrize(
    "text",
    [
        "2026-W99",
        "2026-W00",
        "0000-W01",
        "9999-W53",
        "1969-W01",
        "2026-W1000",
        "\ud800",
        "",
        "2026-W10" * 1_000,
    ],
)
def test_what_is_no_week_is_refused(text: str) -> None:
    for read in (Week.parse, SevenDays.parse, last_day):
        with pytest.raises(FolateError):
            read(text)
