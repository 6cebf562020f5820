"""Crawls of hostile sites: each ends, fetches nothing forbidden, and the ledger says why."""

import json
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crawlers.archive import ARCHIVE_FILE, read_posts
from crawlers.cache import CACHE_FOLDER
from crawlers.process import run_crawl
from folate.core.config import CrawlConfig, Source
from folate.core.errors import ConfigError
from tests.crawlers import hostile_server as hostile

Rows = dict[str, dict[str, Any]]
CLOSED = {f"robots {name}": case for name, case in hostile.CLOSED.items()}
OPEN = {f"open {name}": site for name, site in hostile.OPEN.items()}
SITES = (
    {name: site for name, (site, _) in CLOSED.items()}
    | OPEN
    | {name: case.site for name, case in hostile.PAGES.items()}
)


def kind_of_site(name: str) -> str:
    return name.rpartition(" ")[2]


STILL = [name for name in SITES if kind_of_site(name) in hostile.STILL]
HEAVY = [name for name in SITES if kind_of_site(name) in hostile.HEAVY]
LIGHT = [name for name in SITES if name not in STILL + HEAVY]


def crawl_sites(
    folder: Path, names: Iterable[str], timeout: float
) -> tuple[Rows, dict[str, list[str]]]:
    """Crawl all these sites; return their rows of the ledger and their requested pages by name."""
    servers = {name: hostile.Server(SITES[name]) for name in names}
    sources = []
    for name, server in servers.items():
        case = hostile.PAGES.get(name)
        spider, path = (case.spider, case.path) if case else ("forum", hostile.THREAD)
        queries = ("q",) if spider == "microblog" else ()
        sources.append(
            Source(
                name=name.replace(" ", "-"),
                spider=spider,
                start=(server.url + path,),
                queries=queries,
                delay=0.0,
                pages=20,
                thread_pages=12,
                requests=40,
            )
        )
    crawling = CrawlConfig(timeout=timeout, retries=0, cache_hours=0.0)
    try:
        rows = run_crawl(
            sources, crawling, folder / "run", salt="salt", crawl_id="run", timezone="UTC"
        )
    finally:
        for server in servers.values():
            server.close()
    by_source = {row["source"]: row for row in rows}
    return {name: by_source[name.replace(" ", "-")] for name in names}, {
        name: server.pages for name, server in servers.items()
    }


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, dict[str, list[str]]]:
    return crawl_sites(tmp_path_factory.mktemp("light"), LIGHT, 30.0)


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, dict[str, list[str]]]:
    """Sites whose answers take a while to be refused, and those that only a timeout ends."""
    rows, requested_paths = crawl_sites(tmp_path_factory.mktemp("heavy"), HEAVY, 120.0)
    still_rows, still_paths = crawl_sites(tmp_path_factory.mktemp("still"), STILL, 1.0)
    return rows | still_rows, requested_paths | still_paths


def site_parameters(names: Iterable[str]) -> list[Any]:
    """The names as parameters of a test, those of `heavy` marked as slow."""
    return [
        pytest.param(name, marks=[pytest.mark.slow] if name in STILL + HEAVY else [])
        for name in names
    ]


def outcome(name: str, request: pytest.FixtureRequest) -> tuple[dict[str, Any], list[str]]:
    rows, requested_paths = request.getfixturevalue("heavy" if name in STILL + HEAVY else "light")
    return rows[name], requested_paths[name]


@pytest.mark.parametrize("name", site_parameters(CLOSED))
def test_nothing_is_fetched_where_robots_txt_forbids_it_or_cannot_be_had(
    name: str, request: pytest.FixtureRequest
) -> None:
    row, requested_paths = outcome(name, request)
    assert (row["status"], row["reason"], row["requests"], requested_paths) == (
        "failed",
        CLOSED[name][1],
        0,
        [],
    )


@pytest.mark.parametrize("name", site_parameters(OPEN))
def test_what_robots_txt_allows_is_fetched(name: str, request: pytest.FixtureRequest) -> None:
    row, requested_paths = outcome(name, request)
    assert (row["status"], row["reason"], row["posts"], requested_paths) == (
        "complete",
        None,
        1,
        [hostile.THREAD],
    )


@pytest.mark.parametrize("name", site_parameters(hostile.PAGES))
def test_no_site_holds_the_crawl(name: str, request: pytest.FixtureRequest) -> None:
    case = hostile.PAGES[name]
    row, requested_paths = outcome(name, request)
    assert (row["status"], row["reason"]) == (case.status, case.reason)
    assert len(requested_paths) <= case.requested_paths


def test_no_login_of_an_address_is_used_or_written(
    light: tuple[Rows, dict[str, list[str]]],
) -> None:
    assert "secret" not in json.dumps([row["reason"] for row in light[0].values()])
    assert "/t/oats/1/?page=2" not in light[1]["links"]


@pytest.fixture
def site() -> Iterator[Callable[[hostile.Site], hostile.Server]]:
    """Starts servers that the test's end stops."""
    servers: list[hostile.Server] = []

    def start(site: hostile.Site) -> hostile.Server:
        servers.append(hostile.Server(site))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


ENDLESS = hostile.pages(
    lambda path, number: hostile.post(number) + hostile.next_link(f"?page={number + 1}")
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"hours": 0.001}, "stopped early: time limit of 0.001 h reached"),
        ({"gigabytes": 2e-6}, "stopped early: cap of 2e-06 GB reached"),
        ({"requests": 5}, "cap of 5 requests"),
    ],
    ids=["time", "data", "requests"],
)
def test_a_limit_of_the_source_ends_its_crawl_and_keeps_its_posts(
    site, tmp_path, limits, reason
) -> None:
    server = site(ENDLESS)
    source = Source(
        name="s", spider="forum", start=(server.url + hostile.THREAD,), delay=0.05, **limits
    )
    (row,) = run_crawl(
        [source],
        CrawlConfig(retries=0),
        tmp_path / "run",
        salt="salt",
        crawl_id="run",
        timezone="UTC",
    )
    assert (row["status"], row["reason"]) == ("saturated", reason)
    assert 1 < row["posts"] == len(list(read_posts(tmp_path / "run")))


@pytest.mark.slow
def test_a_crawl_that_is_stopped_early_has_a_row_for_every_start(site, tmp_path) -> None:
    down = site(hostile.no_robots(lambda path: hostile.answer(status=500)))
    starts = tuple(f"{down.url}/t/oats/{number}/" for number in range(1, 31))
    source = Source(name="s", spider="forum", start=starts, delay=0.0)
    rows = run_crawl(
        [source],
        CrawlConfig(retries=0),
        tmp_path / "run",
        salt="salt",
        crawl_id="run",
        timezone="UTC",
    )
    assert {row["query"] for row in rows} == set(starts)
    assert {row["status"] for row in rows} == {"failed"}
    assert sum("stopped early: too many failures in a row" in row["reason"] for row in rows) >= 20


@pytest.mark.slow
def test_only_a_robots_txt_that_was_read_is_kept_for_the_next_crawl(site, tmp_path) -> None:
    state = {"robots": 503}

    def reply(path: str) -> Iterable[bytes]:
        if path == "/robots.txt":
            return hostile.answer(
                b"User-agent: *\nDisallow: /t/oats/2\n", status=state["robots"], kind="text/plain"
            )
        return hostile.answer(hostile.post(1).encode())

    server = site(reply)

    def reasons(run: str) -> list[str | None]:
        source = Source(
            name="s",
            spider="forum",
            start=tuple(f"{server.url}/t/oats/{n}/" for n in (1, 2)),
            delay=0.0,
        )
        return [
            row["reason"]
            for row in run_crawl(
                [source],
                CrawlConfig(retries=0),
                tmp_path / run,
                salt="salt",
                crawl_id=run,
                timezone="UTC",
            )
        ]

    assert reasons("1") == ["robots.txt can't be read (HTTP 503)"] * 2
    state["robots"] = 200
    assert reasons("2") == [None, "robots.txt forbids it"]
    state["robots"] = 503
    assert reasons("3") == [
        "all pages were in the cache, the site was not asked",
        "robots.txt forbids it",
    ]


def test_pages_with_names_lie_in_the_folder_of_their_run_only_and_are_private(
    site, tmp_path
) -> None:
    server = site(hostile.robots(lambda path: hostile.answer(status=404)))
    source = Source(name="s", spider="forum", start=(server.url + hostile.THREAD,), delay=0.0)
    run = tmp_path / "crawls" / "run"
    run_crawl([source], CrawlConfig(retries=0), run, salt="salt", crawl_id="run", timezone="UTC")
    assert [path.name for path in (tmp_path / "crawls").iterdir()] == ["run"]
    assert list((run / CACHE_FOLDER).rglob("response_body"))
    for folder in (run / CACHE_FOLDER, (run / ARCHIVE_FILE).parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "start",
    [
        "http://user:secret@127.0.0.1/",
        "http://",
        "http://[broken/",
        "http://127.0.0.1:99999/",
        "ftp://x/",
    ],
)
def test_a_start_that_cannot_be_asked_is_a_fault_of_the_configuration(
    start: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="wanted a start address") as told:
        run_crawl(
            [Source(name="s", spider="forum", start=(start,))],
            CrawlConfig(),
            tmp_path / "run",
            salt="salt",
            crawl_id="run",
            timezone="UTC",
        )
    assert "secret" not in str(told.value)
