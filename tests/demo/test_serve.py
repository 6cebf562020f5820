"""The demo web over HTTP: all posts are served, no hidden ones, in the form of real sites."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import extruct
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from demo import truth
from demo.generate import World, generate_world
from demo.microblog import Microblog, _text_to_html
from demo.serve import DemoWeb, make_server
from folate.core import config

ROOT = Path(truth.__file__).parent
QUERIES = ("晨谷", "Morngrain", "暖禾", "Warmfield", "田朵", "Tianduo")


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world()


@pytest.fixture(scope="module")
def web(world: World) -> DemoWeb:
    return DemoWeb(world, "http://127.0.0.1:1")


@pytest.fixture(scope="module")
def records(world: World) -> list[dict[str, Any]]:
    return list(truth.truth_records(world, "http://127.0.0.1:1"))


def visible_ids(records: list[dict[str, Any]], source: str) -> set[str]:
    return {record["id"] for record in records if record["source"] == source and record["visible"]}


def walk_site(web: DemoWeb, start: str) -> Iterator[tuple[str, html.HtmlElement]]:
    """Every page under `start` that links lead to, permalinks and profiles left out."""
    waiting, known = [start], {start}
    while waiting:
        path = waiting.pop()
        answer = web.respond(path)
        assert answer.status == 200, path
        tree = html.fromstring(answer.body)
        yield path, tree
        for href in tree.xpath("//a/@href | //link[@rel='next']/@href"):
            target = urljoin(path, href)
            if (
                target.startswith(start)
                and "/post/" not in target
                and "/u/" not in target
                and target not in known
            ):
                known.add(target)
                waiting.append(target)


@pytest.mark.parametrize("site", ["forum", "gym"])
def test_forum_serves_every_post_once(
    web: DemoWeb, records: list[dict[str, Any]], site: str
) -> None:
    found, removed = {}, []
    for path, tree in walk_site(web, f"/{site}/"):
        for post in tree.xpath("//*[@itemtype='http://schema.org/DiscussionForumPosting']"):
            number = f"{site}:{post.get('id').removeprefix('post-')}"
            assert number not in found, path
            body = post.xpath(".//*[@itemprop='articleBody']")
            if not body:
                removed.append(number)
                continue
            found[number] = (
                body[0].xpath(".//article/p")[0].text,
                post.xpath(".//time/@datetime")[0],
            )
    assert found == {
        r["id"]: (r["text"], r["time"]) for r in records if r["source"] == site and r["visible"]
    }
    assert set(removed) == {r["id"] for r in records if r["source"] == site and not r["visible"]}


def test_removed_texts_are_served_nowhere(web: DemoWeb, records: list[dict[str, Any]]) -> None:
    removed = [record for record in records if not record["visible"]]
    assert len(removed) == 4
    for record in removed:
        path = urlsplit(record["url"]).path
        page = web.respond(web.respond(path).location or "").body
        assert f"post-{record['id'].split(':')[1]}" in page
        assert record["text"] not in html.fromstring(page).text_content()


def test_forum_pages_hold_eighteen_posts(web: DemoWeb, world: World) -> None:
    thread = max((thread for thread in world.threads if thread.pinned), key=lambda t: len(t.posts))
    path = f"/forum/t/{thread.slug}/{thread.number}/"
    first = html.fromstring(web.respond(path).body)
    assert len(first.xpath("//li[contains(@class, 'post')]")) == 18
    assert first.xpath("//link[@rel='next']/@href") == [f"{path}2/"]
    assert web.respond(f"{path}99/").status == 404
    board = html.fromstring(web.respond("/forum/c/zaocan/1/").body)
    assert "thread-flag-pinned-globally" in html.tostring(board.xpath("//li")[0]).decode()


def test_microblog_search_finds_every_status(web: DemoWeb, records: list[dict[str, Any]]) -> None:
    found: dict[str, dict[str, Any]] = {}
    for query in QUERIES:
        listed = [mblog for page in search_pages(web, query) for mblog in page]
        assert len({mblog["id"] for mblog in listed}) == len(listed) == reported_total(web, query)
        found |= {f"microblog:{mblog['id']}": mblog for mblog in listed}
    assert found.keys() == visible_ids(records, "microblog")
    for record in records:
        if record["source"] == "microblog":
            told = datetime.strptime(found[record["id"]]["created_at"], "%a %b %d %H:%M:%S %z %Y")
            assert told.isoformat() == record["time"]


def search_pages(web: DemoWeb, query: str) -> Iterator[list[dict[str, Any]]]:
    for number in range(1, 200):
        answer = json.loads(web.respond(search_path(query, number)).body)
        if answer["ok"] == 0:
            return
        assert len(answer["data"]["cards"]) <= 10
        yield [card["mblog"] for card in answer["data"]["cards"] if card["card_type"] == 9]


def search_path(query: str, number: int) -> str:
    return (
        f"/m/api/container/getIndex?containerid"
        f"={quote(f'100103type=1&q={query}', safe='')}&page_type=searchall&page={number}"
    )


def reported_total(web: DemoWeb, query: str) -> int:
    return int(json.loads(web.respond(search_path(query, 1)).body)["data"]["cardlistInfo"]["total"])


def test_microblog_shapes(web: DemoWeb) -> None:
    statuses = [mblog for query in QUERIES for page in search_pages(web, query) for mblog in page]
    reposts = [mblog for mblog in statuses if "retweeted_status" in mblog]
    assert reposts
    assert any("//@" in mblog["text"] for mblog in reposts)
    assert any(str(mblog["attitudes_count"]).endswith("万") for mblog in statuses)
    assert any('<span class="url-icon"><img alt="[' in mblog["text"] for mblog in statuses)
    assert any('<span class="surl-text">#' in mblog["text"] for mblog in statuses)
    assert any(mblog.get("region_name", "").startswith("发布于 ") for mblog in statuses)
    long = next(mblog for mblog in statuses if mblog["isLongText"])
    assert long["text"].endswith(f'...<a href="/status/{long["id"]}">全文</a>')
    whole = json.loads(web.respond(f"/statuses/extend?id={long['id']}").body)["data"][
        "longTextContent"
    ]
    assert len(html.fromstring(f"<p>{whole}</p>").text_content()) > 100


@pytest.mark.parametrize("number", ["", "0", "²", "9" * 30, "x"])
def test_microblog_unknown_status(web: DemoWeb, number: str) -> None:
    assert json.loads(web.microblog.full_text_json(number))["ok"] == 0


@given(st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_microblog_markup_keeps_the_text(text: str) -> None:
    text = "".join(character for character in text if character.isprintable())
    tree = html.fromstring(f"<div>{_text_to_html(text)}</div>")
    for image in tree.xpath("//img"):
        image.tail = image.get("alt") + (image.tail or "")
    assert tree.text_content() == text


def test_shop_serves_every_review_once(web: DemoWeb, records: list[dict[str, Any]]) -> None:
    found: dict[str, tuple[str, int]] = {}
    syntaxes = set()
    for path, _ in walk_site(web, "/shop/"):
        if not path.startswith("/shop/p/"):
            continue
        data = extruct.extract(
            web.respond(path).body, base_url=path, syntaxes=["json-ld", "microdata"], uniform=True
        )
        product = next(
            item for items in data.values() for item in items if item["@type"] == "Product"
        )
        syntaxes |= {syntax for syntax, items in data.items() if items}
        assert float(product["aggregateRating"]["ratingValue"]) <= 5
        for review in (
            product["review"] if isinstance(product["review"], list) else [product["review"]]
        ):
            number = f"shop:{(review.get('@id') or review['url']).partition('#')[2]}"
            assert number not in found, path
            found[number] = (review["reviewBody"], int(review["reviewRating"]["ratingValue"]))
    assert found == {r["id"]: (r["text"], r["rating"]) for r in records if r["source"] == "shop"}
    assert syntaxes == {"json-ld", "microdata"}


def test_hostile_text_stays_text(world: World) -> None:
    evil = '</script><script>alert(1)</script><b onclick="x">&amp;'
    posts = tuple(
        replace(post, text=evil, title=evil if post.title else None) for post in world.posts
    )
    posts_by_key = {(post.slot.site, post.number): post for post in posts}
    for thread in world.threads[:1]:
        thread = replace(
            thread,
            title=evil,
            posts=[posts_by_key[post.slot.site, post.number] for post in thread.posts],
        )
        web = DemoWeb(World(posts=posts, threads=(thread,)))
        assert "<script>" not in web.respond(f"/forum/t/x/{thread.number}/").body
    for path in ("/shop/p/1/", "/shop/p/2/", "/m/"):
        body = web.respond(path).body
        assert "alert(1)" in body
        assert "<script>alert" not in body
        assert "<b " not in body


def test_pages_are_well_kept(web: DemoWeb) -> None:
    for path in ("/", "/forum/", "/forum/c/zaocan/1/", "/gym/", "/m/", "/shop/", "/shop/p/1/"):
        tree = html.fromstring(web.respond(path).body)
        assert tree.get("lang") in ("zh-CN", "en")
        assert tree.findtext("head/title")
        assert tree.xpath("//meta/@charset") == ["utf-8"]
    for path in (
        "/nothing",
        "/shop/p/99/",
        "/shop/c/x/",
        "/forum/c/x/99/",
        "/forum/c/zaocan/1/?page=x",
        "/status/1",
        "/forum/t/x/1/post/1/",
    ):
        assert web.respond(path).status == 404


def test_robots(web: DemoWeb) -> None:
    robots = RobotFileParser()
    robots.parse(web.respond("/robots.txt").body.splitlines())
    assert not robots.can_fetch("Folate", "/admin/")
    assert not robots.can_fetch("Folate", "/forum/search?q=x")
    assert robots.can_fetch("Folate", "/forum/")
    assert robots.can_fetch("Folate", "/m/api/container/getIndex?page=1")
    assert web.respond("/admin/users").status == 403


def test_keeps_the_connection_and_answers_head(world: World) -> None:
    with make_server(world) as bound:
        threading.Thread(target=bound.serve_forever, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", bound.server_address[1], timeout=5)
        for method, path in (("GET", "/"), ("HEAD", "/shop/p/1/"), ("GET", "/m/")):
            connection.request(method, path)
            socket = connection.sock
            answer = connection.getresponse()
            assert (answer.status, answer.version) == (200, 11)
            assert bool(answer.read()) == (method == "GET")
            assert connection.sock is socket
        connection.close()
        bound.shutdown()


def test_command_writes_port_and_truth(tmp_path: Path) -> None:
    port_file, truth_file = tmp_path / "port", tmp_path / "truth.jsonl"
    command = [
        sys.executable,
        "-m",
        "demo.serve",
        "--port",
        "0",
        "--port-file",
        str(port_file),
        "--truth",
        str(truth_file),
        "--seed",
        "7",
    ]
    with subprocess.Popen(
        command,
        cwd=ROOT.parent,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as child:
        try:
            deadline = time.monotonic() + 20
            while not port_file.exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            url = f"http://127.0.0.1:{port_file.read_text(encoding='ascii').strip()}"
            assert child.stdout is not None
            assert child.stdout.readline().strip() == url
        finally:
            child.terminate()
    records = [json.loads(line) for line in truth_file.read_text(encoding="utf-8").splitlines()]
    assert len(records) == len({record["id"] for record in records}) > 2900
    assert all(record["url"].startswith(url) for record in records)


def test_project_file_parses() -> None:
    text = (
        (ROOT / "folate.toml.in").read_text(encoding="utf-8").replace("{url}", "http://127.0.0.1:1")
    )
    project = config.parse_config(tomllib.loads(text))
    assert project.own_brand is not None
    assert project.own_brand.label == "晨谷"
    assert {source.name for source in project.sources} == {"forum", "gym", "microblog", "shop"}
    assert not any("叶酸" in term or "folic" in term for term in project.watch)


def test_microblog_reposts_carry_their_origin(world: World) -> None:
    microblog = Microblog(world)
    repost = next(post for post in microblog.posts if post.reposted_via)
    page = microblog.status_page(str(repost.number)) or ""
    assert repost.reposts_of is not None
    assert page.count("<article") == 2
