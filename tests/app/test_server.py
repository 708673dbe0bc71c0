"""The server: what it answers, whom it refuses, and that it follows the index; here and in a process of its own."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from served import Process
from shared import ENVIRONMENT, HOSTILE, QUICK, command, nobody, wait_for

from textae import Document, Engine, TextaeError
from textae.app.cli.options import SearchOptions
from textae.app.cli.searching import similar
from textae.app.server import engine_pool
from textae.app.server.api import application
from textae.app.server.engine_pool import EnginePool
from textae.app.server.guard import MOST_CLIENTS, Buckets, Guard, Rules
from textae.app.server.live_map import LiveMap
from textae.app.server.originals import original_answer
from textae.app.server.process import bound
from textae.config import SYSTEMS
from textae.explore.decode import decode_documents
from textae.explore.map import map_model, place
from textae.search.request import SearchRequest

TOKEN = "a-long-secret"


def ask(
    app, path: str, method: str = "GET", host: str = "localhost:8080", client: str = "127.0.0.1", **headers: str | bytes
):
    """Answer one request in this process, as if it came over HTTP."""

    async def answered() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await asking.request(method, path, headers={"host": host, **named})

    return asyncio.run(answered())


def error_of(answer: httpx.Response, status: int) -> str:
    """Give the one line of a failure, after it was checked that it is one."""
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    error = answer.json()["error"]
    assert error
    assert len(error.splitlines()) == 1
    assert len(error) <= 500
    return error


def nothing(*_: object) -> None:
    pass


@pytest.fixture(scope="module")
def folder(mapped_folder, tmp_path_factory) -> Path:
    """Give an index that the server may write to."""
    return Path(shutil.copytree(mapped_folder, tmp_path_factory.mktemp("served") / "index"))


@pytest.fixture(scope="module")
def app(folder) -> Iterator[Guard]:
    live_map = LiveMap(folder, nothing)
    live_map.update(nothing)
    with EnginePool(folder, refresh=0) as engines:
        yield Guard(application(engines, live_map), Rules())


class TestAnswers:
    def test_hits_are_those_of_the_shell(self, app, folder, shell):
        said = shell(
            "search", "telescope and planet", "-k", 3, "--min-score", 0.3, "--explain", "--json", "--index", folder
        )
        of_shell = [json.loads(line) for line in said.out.splitlines()]
        hits = ask(app, "/api/search?q=telescope+and+planet&k=3&min_score=0.3&explain=true").json()["hits"]
        assert [hit.pop("original") for hit in hits] == [None] * 3  # of documents without a file
        assert all(hit.pop("source").startswith("notes/") for hit in of_shell)  # a path, which no client needs
        assert [{"query": "telescope and planet", **hit} for hit in hits] == of_shell
        assert len(hits) == 3

    def test_all_that_a_search_takes(self, app, folder):
        asked = "q=orbit&k=4&mode=code&where=year:[1900+TO+1930]&must=telescope&like=stars-3&unlike=stars-0&expand=true"
        found = ask(app, f"/api/search?{asked}").json()
        conditions = {"where": "year:[1900 TO 1930]", "must": "telescope", "like": ["stars-3"], "unlike": ["stars-0"]}
        with Engine.open(folder) as engine:
            expected = engine.search("orbit", 4, "code", expand=True, **conditions)
        assert [hit["id"] for hit in found["hits"]] == [hit.id for hit in expected] != []
        assert found["milliseconds"] > 0

    def test_every_option_of_the_shell_and_every_attribute_of_a_request_is_a_parameter(self, app):
        described = ask(app, "/openapi.json").json()["paths"]
        names = {"top_k": "k"}
        options = {names.get(one.name, one.name) for one in fields(SearchOptions)}
        attributes = {names.get(one.name, one.name) for one in fields(SearchRequest)} - {"text", "picture", "suggest"}
        of_similar = options & {names.get(one.name, one.name) for one in similar.params}
        for path, wanted in (("/api/search", options | attributes), ("/api/similar/{id}", of_similar)):
            parameters = {one["name"] for one in described[path]["get"]["parameters"]}
            assert wanted <= parameters, path

    @pytest.mark.parametrize("mode", [*SYSTEMS, "lsa-3", "bits-16"])
    def test_every_mode_of_the_shell(self, app, folder, mode):
        found = ask(app, f"/api/search?q=sail+and+oven&k=3&mode={mode}").json()["hits"]
        with Engine.open(folder) as engine:
            assert [hit["id"] for hit in found] == [hit.id for hit in engine.search("sail and oven", 3, mode)] != []

    def test_page_after_page_gives_all_hits_once(self, app):
        whole = ask(app, "/api/search?q=telescope+planet+flour&k=60").json()
        paged, offset = [], 0
        while offset is not None:
            page = ask(app, f"/api/search?q=telescope+planet+flour&k=7&offset={offset}").json()
            paged, offset = [*paged, *page["hits"]], page["next_offset"]
        assert paged == whole["hits"]
        assert [hit["rank"] for hit in paged] == list(range(1, len(paged) + 1))
        assert len({hit["id"] for hit in paged}) == len(paged) > 28
        explained = ask(app, "/api/search?q=telescope+planet+flour&k=2&offset=2&explain=true").json()["hits"]
        assert [(hit["rank"], hit["id"]) for hit in explained] == [(3, paged[2]["id"]), (4, paged[3]["id"])]
        assert all(hit["explanation"] for hit in explained)

    def test_a_filter_alone_lists_what_it_matches(self, app):
        found = ask(app, "/api/search?where=topic:bread&k=3&offset=18").json()
        assert (len(found["hits"]), found["matching"], found["next_offset"]) == (2, 20, None)
        first = ask(app, "/api/search?where=topic:bread&k=3").json()
        assert [hit["id"] for hit in first["hits"]] == ["bread-1", "bread-10", "bread-13"]
        assert (first["matching"], first["next_offset"]) == (20, 3)

    def test_a_document_is_ranked_as_a_whole_or_by_its_best_passage(self, passages_folder):
        with EnginePool(passages_folder) as engines, Engine.open(passages_folder) as engine:
            app = application(engines, LiveMap(passages_folder, nothing))
            for granularity in ("passage", "document"):
                found = ask(app, f"/api/search?q=oven+dough&mode=bm25&granularity={granularity}").json()["hits"]
                request = SearchRequest("oven dough", mode="bm25", granularity=granularity)
                assert [hit["score"] for hit in found] == [hit.score for hit in engine.searcher.search(request)] != []

    def test_words_that_say_nothing(self, app):
        found = ask(app, "/api/search?q=telescoqe+of+qqqqq&must=the").json()
        assert found["unknown"] == [
            {"word": "telescoqe", "did_you_mean": ["telescope"]},
            {"word": "qqqqq", "did_you_mean": []},
        ]
        assert found["ignored"] == ["the"]
        assert ask(app, "/api/search?q=the+of").json()["only_stop_words"]

    def test_what_is_like_a_document(self, app, folder):
        found = ask(app, "/api/similar/bread-1?k=5&mode=bits&where=topic:bread&like=bread-7&unlike=bread-4").json()
        with Engine.open(folder) as engine:
            expected = engine.similar(["bread-1", "bread-7"], 5, "bits", where="topic:bread", unlike=["bread-4"])
        assert [(hit["id"], hit["score"]) for hit in found["hits"]] == [(hit.id, hit.score) for hit in expected]

    def test_a_document_and_what_its_code_says(self, app, folder, documents):
        found = ask(app, "/api/documents/ships-2").json()
        assert {name: found[name] for name in ("id", "title", "text", "fields")} == {
            "id": "ships-2",
            "title": documents[2].title,
            "text": documents[2].text,
            "fields": documents[2].fields,
        }
        with Engine.open(folder) as engine:
            assert found["words"] == [asdict(word) for word in decode_documents(engine.snapshot, ["ships-2"])[0].words]

    def test_topics(self, app, folder):
        found = ask(app, "/api/topics").json()
        with Engine.open(folder) as engine:
            topics = json.loads(json.dumps(asdict(engine.map().topics)))
            assert topics.pop("lost") == []
            assert found == {"areas": topics.pop("groups"), **topics}
        area = found["areas"][0]
        assert ask(app, f"/api/topics/{area['id']}").json() == area
        assert ask(app, f"/api/topics/{area['topics'][0]['id']}").json() == area["topics"][0]
        assert "'9.9'" in error_of(ask(app, "/api/topics/9.9"), 404)

    def test_a_page_that_the_browser_has_is_not_sent_again(self, app):
        page = ask(app, "/")
        again = ask(app, "/", if_none_match=page.headers["etag"])
        assert (again.status_code, again.content) == (304, b"")
        assert ask(app, "/", if_none_match='"another"').content == page.content

    def test_the_place_of_a_query_is_that_of_the_engine(self, app, folder):
        found = ask(app, "/api/place?q=telescope").json()
        with Engine.open(folder) as engine:
            assert [found["x"], found["y"]] == pytest.approx(
                place(engine.snapshot, map_model(engine.snapshot), ["telescope"])[0].tolist()
            )
        nowhere = ask(app, "/api/place?q=qqqqq").json()
        assert (nowhere["x"], nowhere["y"]) == (None, None)

    def test_info(self, app, folder):
        found = ask(app, "/api/info").json()
        with Engine.open(folder) as engine:
            facts = json.loads(json.dumps(engine.info()))
            assert found == {"index": "index", **facts, "commit": engine.snapshot.reader.commit}

    def test_health(self, app):
        assert ask(app, "/api/health").json() == {"status": "ok"}

    def test_numbers_that_json_does_not_have(self, tmp_path):
        odd = Document("a/b?c#d e", "telescope and planet", "", {"n": float("nan"), "deep": {"x": [float("inf")]}})
        with Engine.create(tmp_path / "odd") as engine:
            engine.index([odd, Document("2", "flour and bread")], train=QUICK)
        with EnginePool(tmp_path / "odd") as engines:
            app = application(engines, LiveMap(tmp_path / "odd", nothing))
            assert ask(app, "/api/search?q=telescope").json()["hits"][0]["fields"] == {"n": None, "deep": {"x": [None]}}
            assert ask(app, f"/api/documents/{quote(odd.id, safe='')}").json()["fields"]["n"] is None
            assert "the map is being made" in error_of(ask(app, "/api/topics"), 503)


class TestDescription:
    def test_what_is_described_is_what_there_is(self, app):
        described = ask(app, "/openapi.json").json()
        parameters = {
            path: [
                parameter["name"] for parameter in operations.get("get", operations.get("post")).get("parameters", [])
            ]
            for path, operations in described["paths"].items()
        }
        narrowing = ["k", "offset", "mode", "where", "must", "min_score", "like", "unlike", "feedback", "explain"]
        assert parameters == {
            "/api/health": [],
            "/api/info": [],
            "/api/search": ["q", *narrowing, "granularity", "expand", "vector"],
            "/api/similar/{id}": ["id", *narrowing],
            "/api/similar": narrowing[:-2],
            "/api/pictures/{id}": ["id"],
            "/api/documents/{id}": ["id"],
            "/api/original/{id}": ["id"],
            "/api/topics": [],
            "/api/topics/{id}": ["id"],
            "/api/place": ["q"],
        }
        for operations in described["paths"].values():
            assert set(next(iter(operations.values()))["responses"]) == {"200", "4XX", "5XX"}

    def test_what_the_page_of_the_documentation_asks_is_answered(self, app):
        page = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
        asked = re.findall(r"^curl 'http://127.0.0.1:8080(/api/[^']+)'$", page, re.M)
        assert len(asked) == 13
        for path in asked:
            in_a_file = "/original/" in path  # of which the index of the tests has none
            assert ask(app, path).status_code == (404 if in_a_file else 200), path

    def test_a_page_lists_it_and_needs_nothing_else(self, app):
        page = ask(app, "/api")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "<h2>GET /api/similar/{id}</h2>" in page.text
        assert "at least 1, at most 200, default 10" in page.text
        assert not re.search(r"<script|src=|https?://", page.text)
        assert "script-src" not in page.headers["content-security-policy"]


MISTAKES = [
    ("/api/search", "the query is empty; give some words"),
    ("/api/search?like=bread-1", "the query is empty; give some words"),
    ("/api/search?where=topic:bread&explain=true", "a filter alone ranks nothing; give a query, too"),
    ("/api/search?q=x&offset=-1", "offset: should be greater than or equal to 0; given: '-1'"),
    ("/api/search?q=x&offset=10001", "offset: should be less than or equal to 10000; given: '10001'"),
    ("/api/search?q=x&granularity=word", "granularity: should be 'passage' or 'document'; given: 'word'"),
    ("/api/search?q=", "the query is empty; give some words"),
    ("/api/search?q=%20%0A", "the query is empty; give some words"),
    ("/api/search?q=x&k=0", "k: should be greater than or equal to 1; given: '0'"),
    ("/api/search?q=x&k=201", "k: should be less than or equal to 200; given: '201'"),
    (f"/api/search?q=x&k={'9' * 5000}", "k: "),
    ("/api/search?q=x&k=ten", "k: should be a valid integer, unable to parse string as an integer; given: 'ten'"),
    (
        "/api/search?q=x&mode=magic",
        "no system 'magic'; give one of tfidf, bm25, lsa, code, bits, hamming, hybrid, lsa-N, bits-N",
    ),
    ("/api/search?q=x&mode=bits-9", "9 bits were asked for; give a multiple of 8, from 8 to 1,024"),
    ("/api/search?q=x&explain=true&k=21", "at most 20 hits are explained, and k is 21"),
    ("/api/search?q=x&querry=y", "querry: unknown parameter"),
    (f"/api/search?q={'x' * 10_001}", "q: should have at most 10000 characters; given: '"),
    ("/api/search?q=x&where=topic:(", "a condition must follow (, at character 7 of where: '('"),
    ("/api/search?q=x&must=)", "this parenthesis closes nothing, at character 1 of must: ')'"),
    ("/api/search?q=x&like=nobody", "no document has the id 'nobody'"),
    (f"/api/search?q=x&{'&'.join(['like=x'] * 51)}", "like: should have at most 50 items"),
    ("/api/similar/bread-1?unlike=nobody", "no document has the id 'nobody'"),
    ("/api/similar/bread-1?q=x", "q: unknown parameter"),
    ("/api/place?q=x&k=3", "k: unknown parameter"),
]


class TestMistakes:
    @pytest.mark.parametrize(("path", "error"), MISTAKES)
    def test_a_mistake_is_one_clear_line(self, app, path, error):
        assert error_of(ask(app, path), 400).startswith(error)

    @pytest.mark.parametrize(
        "id", ["nobody", "", "%00", "%ED%A0%80", "..%2F..%2Fetc%2Fpasswd", "a/b/c", "x" * 10_000, "'--"]
    )
    @pytest.mark.parametrize("what", ["documents", "similar"])
    def test_an_id_of_nothing(self, app, what, id):
        assert "no document has the id" in error_of(ask(app, f"/api/{what}/{id}"), 404)

    @pytest.mark.parametrize(
        "path", ["/nothing", "/api/", "/index.sqlite", "/arrays/", "/docs", "/redoc", "/..%2Findex.sqlite"]
    )
    def test_there_is_nothing_else(self, app, path):
        assert error_of(ask(app, path), 404) == "not found; /api lists the operations"

    @pytest.mark.parametrize("q", ["%00", "%ED%A0%80", "%FF", "%E2%80%AE", "*%22)(:[", "%"])
    def test_a_query_may_be_anything(self, app, q):
        assert ask(app, f"/api/search?q={q}").status_code == 200

    def test_nothing_is_changed_by_any_method(self, app):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            assert error_of(ask(app, "/api/search?q=x", method), 405)

    def test_what_was_not_foreseen_says_nothing_of_the_inside(self, tmp_path):
        app = application(None, LiveMap(tmp_path, nothing))
        assert error_of(ask(app, "/api/info"), 500).endswith("'textae doctor' checks the index for damage")


class TestOriginals:
    @pytest.fixture(scope="module")
    @staticmethod
    def at_home(home) -> Iterator[Guard]:
        with EnginePool(home / ".textae") as engines:
            yield Guard(application(engines, LiveMap(home / ".textae", nothing)), Rules(token=TOKEN))

    def of(self, app, id: str) -> httpx.Response:
        return ask(app, f"/api/original/{quote(id, safe='')}", authorization=f"Bearer {TOKEN}")

    def test_a_hit_leads_to_its_file(self, at_home, home):
        found = ask(at_home, "/api/search?q=heron&k=1", authorization=f"Bearer {TOKEN}").json()["hits"][0]
        assert (found["place"], found["original"]) == ("page 2", "/api/original/manual.pdf#page=2")
        whole = ask(at_home, "/api/documents/manual.pdf", authorization=f"Bearer {TOKEN}").json()
        assert whole["original"] == "/api/original/manual.pdf"
        answer = self.of(at_home, "manual.pdf")
        assert answer.content == (home / "notes" / "manual.pdf").read_bytes()
        assert answer.headers["content-type"] == "application/pdf"

    def test_no_path_of_this_machine_is_told(self, at_home, home):
        asked = ("search?q=heron+walrus+eagle", "documents/boiler.md", "original/gone.txt", "original/leads.txt")
        for path in asked:
            assert str(home) not in ask(at_home, f"/api/{path}", authorization=f"Bearer {TOKEN}").text

    @pytest.mark.parametrize(("id", "kind"), [("page.html", "text/html"), ("boiler.md", "text/plain; charset=utf-8")])
    def test_a_page_of_a_stranger_runs_nothing_here(self, at_home, home, id, kind):
        answer = self.of(at_home, id)
        assert answer.content == (home / "notes" / id).read_bytes()
        assert answer.headers["content-type"] == kind
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "sandbox"} <= set(policy)
        assert not any(part.startswith("script-src") for part in policy)
        assert answer.headers["content-disposition"] == f"inline; filename*=UTF-8''{id}"

    @pytest.mark.parametrize(
        "id", ["../secret", "/etc/passwd", "leads.txt", "gone.txt", HOSTILE, "bread-1", "nope", "", "boiler.md\0", "."]
    )
    def test_nothing_else_is_given(self, at_home, id):
        assert error_of(self.of(at_home, id), 404)

    @pytest.mark.parametrize("path", ["../notes/boiler.md", "%2e%2e/secret", "..%2fsecret", "//etc/passwd", "%00"])
    def test_a_path_is_no_id(self, at_home, path):
        assert ask(at_home, f"/api/original/{path}", authorization=f"Bearer {TOKEN}").status_code == 404

    def test_only_with_the_token(self, at_home):
        assert "token required" in error_of(ask(at_home, "/api/original/boiler.md"), 401)
        other = {"authorization": f"Bearer {TOKEN}", "sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}
        assert "another site" in error_of(ask(at_home, "/api/original/boiler.md", **other), 403)

    def test_what_a_browser_does_not_show_is_stored(self, tmp_path):
        for name, content, kind in (
            ("a.zip", b"PK\0", "application/octet-stream"),
            ("a.docx", b"PK\0", "application/octet-stream"),
            ("a.txt.gz", b"\x1f\x8b", "application/octet-stream"),
            ("a.js", b"alert(1)", "text/plain; charset=utf-8"),
            ("latin.txt", b"caf\xe9", "text/plain"),
            ("README", "Größe".encode(), "text/plain; charset=utf-8"),
        ):
            (tmp_path / name).write_bytes(content)
            with (tmp_path / name).open("rb") as file:
                answer = original_answer(tmp_path / name, file)
            assert answer.headers["content-type"] == kind
            assert answer.headers["content-disposition"].startswith("attachment" if "octet" in kind else "inline")

    def test_a_file_that_grows_while_it_is_given(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_bytes(b"x" * 100_000)

        async def given(scope, receive, send) -> None:
            answer = original_answer(path, path.open("rb"))
            with path.open("ab") as more:
                more.write(b"y" * 100_000)
            await answer(scope, receive, send)

        assert ask(given, "/").content == b"x" * 100_000


async def quick(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


class TestGuard:
    @pytest.mark.parametrize(
        "host", ["localhost", "LocalHost:8080", "127.0.0.1:1", "127.1.2.3", "[::1]:8080", "localhost.", "localhost:"]
    )
    def test_its_own_names(self, host):
        assert ask(Guard(quick, Rules()), "/", host=host).status_code == 200

    @pytest.mark.parametrize(
        "host",
        ["evil.example", "localhost.evil.example", "evil.example:8080", "192.168.1.7", "0.0.0.0", "2130706433", "127.1",
         "[fe80::1]", "[1::2::3]", "%6c%6f%63alhost"],
    )  # fmt: skip
    def test_another_name_is_refused(self, host):
        assert "unknown Host header" in error_of(ask(Guard(quick, Rules()), "/", host=host), 421)

    @pytest.mark.parametrize(
        "host",
        ["", "localhost@evil.example", "u:p@localhost", "[::1", "::1", "localhost:80a", "localhost:-1", "localhost:1:2",
         "localhost/x", "localhost?x", "local host", "localhost, evil.example", "[::1]x", b"localhost\xe9"],
    )  # fmt: skip
    def test_what_is_no_host_is_malformed(self, host):
        assert "Host header" in error_of(ask(Guard(quick, Rules()), "/", host=host), 400)

    def test_beyond_the_machine_addresses_and_given_names_are_its_own(self):
        guard = Guard(quick, Rules(frozenset({"localhost", "shelf"}), local=False))
        for host in ("192.168.1.7:8080", "shelf:8080", "[fe80::1]", "localhost"):
            assert ask(guard, "/", host=host).status_code == 200
        assert error_of(ask(guard, "/", host="evil.example"), 421)

    @pytest.mark.parametrize("origin", [None, "http://localhost:8080", "http://evil.example", "null"])
    def test_only_get_and_head_are_answered(self, origin):
        headers = {"origin": origin} if origin else {}
        for method, status in {"POST": 405, "DELETE": 405, "TRACE": 405, "FETCH": 501}.items():
            answer = ask(Guard(quick, Rules()), "/", method, **headers)
            assert "only GET and HEAD" in error_of(answer, status)
            assert answer.headers["allow"] == "GET, HEAD"
        assert ask(Guard(quick, Rules()), "/", **headers).status_code == 200

    @pytest.mark.parametrize(
        ("site", "mode", "status"),
        [("none", "navigate", 200), ("same-origin", "cors", 200), ("cross-site", "navigate", 200),
         ("cross-site", "no-cors", 403), ("cross-site", "cors", 403), ("same-site", "cors", 403)],
    )  # fmt: skip
    def test_scripts_of_other_sites_are_not_answered(self, site, mode, status):
        answer = ask(Guard(quick, Rules()), "/", **{"sec-fetch-site": site, "sec-fetch-mode": mode})
        assert answer.status_code == status

    def test_a_token_is_asked_for(self):
        guard = Guard(quick, Rules(token=TOKEN, cookie="textae-1"))
        refused = ask(guard, "/")
        assert "token required" in error_of(refused, 401)
        assert refused.headers["www-authenticate"] == "Bearer"
        assert ask(guard, "/", authorization=f"bearer {TOKEN}").status_code == 200
        assert ask(guard, "/", cookie=f"a=b; textae-1={TOKEN}").status_code == 200
        for wrong in ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", b"Bearer \xe9"):
            assert ask(guard, "/", authorization=wrong).status_code == 401
        for wrong in (f"textae-2={TOKEN}", "textae-1=", f"textae-1={TOKEN}x"):
            assert ask(guard, "/", cookie=wrong).status_code == 401

    def test_an_address_with_the_token_gives_a_cookie_and_the_address_without(self):
        guard = Guard(quick, Rules(token=TOKEN, cookie="textae-1"))
        answer = ask(guard, f"/api/search?q=a+b&token={TOKEN}&k=3")
        assert (answer.status_code, answer.headers["location"]) == (303, "/api/search?q=a+b&k=3")
        assert answer.headers["set-cookie"] == f"textae-1={TOKEN}; HttpOnly; Path=/; SameSite=lax"
        assert error_of(ask(guard, f"/?token={TOKEN}x"), 401)
        assert error_of(ask(guard, f"/?token={TOKEN}", "POST"), 405)

    def test_headers_of_every_answer(self, app):
        for path in ("/api/health", "/api/nothing", "/", "/api"):
            answer = ask(app, path)
            headers = answer.headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            own = path == "/" and "default-src 'none'; script-src 'sha256-" in answer.text
            assert own or "default-src 'none'" in headers["content-security-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "access-control-allow-origin" not in headers

    def test_one_client_that_asks_too_often_does_not_stop_another(self):
        guard = Guard(quick, Rules(rate=0.5))
        assert ask(guard, "/").status_code == 200
        refused = ask(guard, "/")
        assert "more than 0.5 requests a second" in error_of(refused, 429)
        assert refused.headers["retry-after"] == "2"
        assert ask(guard, "/", client="192.168.1.8").status_code == 200

    def test_wrong_tokens_are_counted(self):
        guard = Guard(quick, Rules(token=TOKEN, rate=1))
        statuses = [ask(guard, "/", authorization="Bearer wrong").status_code for _ in range(4)]
        assert statuses == [401, 401, 429, 429]


class TestBuckets:
    def test_a_bucket_fills_as_time_goes(self):
        now = [0.0]
        buckets = Buckets(rate=2, clock=lambda: now[0])  # holds 4
        assert [buckets.wait("a") for _ in range(5)] == [0, 0, 0, 0, 0.5]
        now[0] = 0.25
        assert buckets.wait("a") == 0.25
        now[0] = 0.5
        assert [buckets.wait("a"), buckets.wait("a")] == [0, 0.5]
        now[0] = 1000.0
        assert [buckets.wait("a") for _ in range(5)] == [0, 0, 0, 0, 0.5]

    def test_clients_that_are_gone_are_forgotten_and_no_other(self):
        now = [0.0]
        buckets = Buckets(rate=1, clock=lambda: now[0])
        for number in range(MOST_CLIENTS - 1):
            buckets.wait(str(number))
        now[0] = 10.0
        assert [buckets.wait("busy"), buckets.wait("busy"), buckets.wait("new")] == [0, 0, 0]
        assert len(buckets) == 2
        assert buckets.wait("busy") == 1.0


@pytest.fixture
def changing(mapped_folder, tmp_path) -> Path:
    return Path(shutil.copytree(mapped_folder, tmp_path / "index"))


@contextlib.contextmanager
def served(folder: Path, n: int = 2) -> Iterator[Guard]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_pool, "ENGINES", n)
        with EnginePool(folder, refresh=0) as engines:
            yield Guard(application(engines, LiveMap(folder, nothing)), Rules())


class TestFollowing:
    def test_commits_of_others_are_seen(self, changing):
        with served(changing) as app, Engine.open(changing) as writer:
            assert ask(app, "/api/search?q=xylophone").json()["hits"] == []
            writer.add([Document("new", "a xylophone and an oven")])
            assert [hit["id"] for hit in ask(app, "/api/search?q=xylophone").json()["hits"]] == ["new"]
            writer.remove(["new"])
            assert error_of(ask(app, "/api/documents/new"), 404)
            writer.train(train=QUICK)
            found = ask(app, "/api/search?q=telescope").json()
            assert found["hits"]
            assert found["commit"] == writer.snapshot.reader.commit

    def test_no_answer_is_older_than_one_before_it(self, changing):
        with served(changing, n=4) as app, Engine.open(changing) as writer:

            async def many() -> set[str]:
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
                    answers = await asyncio.gather(*(asking.get("/api/search?q=telescope") for _ in range(16)))
                return {answer.json()["commit"] for answer in answers}

            for number in range(3):
                assert asyncio.run(many()) == {writer.snapshot.reader.commit}
                writer.add([Document(f"new-{number}", "an oven")])

    def test_an_index_that_is_gone_comes_back(self, changing):
        with served(changing) as app:
            assert ask(app, "/api/info").status_code == 200
            changing.rename(changing.parent / "away")
            for path in ("/api/info", "/api/search?q=x", "/api/documents/bread-1"):
                gone = ask(app, path)
                assert error_of(gone, 503).startswith("no index at ")
                assert gone.headers["retry-after"] == "1"
            (changing.parent / "away").rename(changing)
            assert ask(app, "/api/info").status_code == 200

    def test_an_index_that_is_made_anew(self, changing):
        with served(changing) as app:
            assert ask(app, "/api/documents/bread-1").status_code == 200
            with Engine.create(changing) as engine:
                engine.index([Document("1", "flour and oven"), Document("2", "harbour and sail")], train=QUICK)
            assert error_of(ask(app, "/api/documents/bread-1"), 404)
            assert [hit["id"] for hit in ask(app, "/api/search?q=oven&k=1").json()["hits"]] == ["1"]

    def test_the_map_follows_in_the_background(self, changing):
        live_map = LiveMap(changing, nothing)
        live_map.update(nothing)
        before = live_map.current
        live_map.follow()
        try:
            with Engine.open(changing) as writer:
                writer.add([Document("new", "a telescope and an oven")])
                assert live_map.current is before
                wait_for(lambda: live_map.current.commit == writer.snapshot.reader.commit)
            assert live_map.current.topics.documents == before.topics.documents + 1
            tag = live_map.current.tag
            with Engine.open(changing) as writer:
                writer.topics(rename={"1": "A name by hand"})
            wait_for(lambda: live_map.current.topics.groups[0].name == "A name by hand")
            assert live_map.current.tag != tag
            changing.rename(changing.parent / "away")
            assert live_map.current.topics.documents == before.topics.documents + 1
        finally:
            live_map.close()


class TestProcess:
    def test_it_serves_follows_and_stops(self, changing):
        serving = Process(changing, "--port", 0)
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", serving.address)
        assert serving.get("/")[0] == 200
        assert json.loads(serving.get("/api/search?q=xylophone")[1])["hits"] == []
        for path in ("/../index.sqlite", "/%2e%2e/index.sqlite", "/api/../../etc/passwd", "//etc/passwd", "/%00"):
            assert serving.get(path)[0] == 404
        assert serving.get(f"/api/search?q={'%F0%9F%8D%9E' * 10_000}")[0] == 200
        added = changing.parent / "new.txt"
        added.write_text("a xylophone and an oven")
        subprocess.run(command("add", added, "--index", changing, "-q"), check=True, env=ENVIRONMENT)
        wait_for(lambda: json.loads(serving.get("/api/search?q=xylophone")[1])["hits"] != [])
        hurried = http.client.HTTPConnection(urlsplit(serving.url).netloc, timeout=30)
        explained = f"/api/search?explain=true&k=20&q={'telescope+oven+sail+' * 400}"
        hurried.request("GET", explained, headers={"Authorization": f"Bearer {serving.token}"})
        code, err = serving.stop(signal.SIGINT)
        assert hurried.getresponse().status == 200
        hurried.close()
        assert (code, re.sub("^[a-z ]+…\n", "", err, flags=re.M)) == (0, "")

    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
    def test_a_token_is_drawn(self, changing, host):
        serving = Process(changing, "--host", host, "--port", 0)
        assert len(serving.token) == 32
        assert serving.get("/api/health")[0] == 200
        assert serving.get("/api/health", Authorization="Bearer wrong")[0] == 401
        for path in ("//evil.example/", "/%5C/evil.example/", "/evil.example/"):
            answer, _ = serving.ask(f"{path}?token={serving.token}", Authorization="")
            assert (answer.status, answer.headers["location"]) == (303, "/evil.example/")
        assert serving.stop(signal.SIGTERM)[0] == 0

    def test_where_other_machines_can_connect_it_names_the_folders_of_the_files(self, home):
        for host in ("127.0.0.1", "0.0.0.0"):
            serving = Process(home / ".textae", "--host", host, "--port", 0)
            _, err = serving.stop(signal.SIGTERM)
            assert (f"can open the documents' files in {home}/notes" in err) == (host == "0.0.0.0")

    @pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this system does not tell whose a connection is")
    @pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
    def test_programs_of_other_users_need_the_token_that_was_drawn(self, changing, host):
        serving = Process(changing, "--host", host, "--port", 0)
        client = http.client.HTTPConnection(host, serving.port, timeout=30)

        def status(**headers: str) -> int:
            client.request("GET", "/api/health", headers=headers)
            answer = client.getresponse()
            answer.read()
            return answer.status

        assert [status(), status(Authorization="Bearer wrong")] == [200, 401]
        assert status(Cookie=f"textae-{serving.port}=old") == 200
        client.close()
        if os.geteuid() == 0:
            with nobody():
                client.connect()
            assert [status(), status(Authorization=f"Bearer {serving.token}")] == [401, 200]
            with nobody():
                gone = socket.create_connection((host, serving.port))
            gone.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            gone.shutdown(socket.SHUT_WR)
            assert b" 401 " in gone.recv(1000)
            gone.close()
        client.close()
        assert serving.stop(signal.SIGTERM)[0] == 0

    def test_a_token_that_was_given_is_not_printed_and_none_is_drawn_where_it_is_turned_off(self, changing):
        for arguments, authorization, status in (
            (("--token", TOKEN), f"Bearer {TOKEN}", 200),
            (("--token", TOKEN), "", 401),
            (("--no-token",), "", 200),
        ):
            serving = Process(changing, "--port", 0, *arguments)
            assert serving.address == serving.url
            assert serving.get("/api/search?q=oven", Authorization=authorization)[0] == status
            assert serving.stop(signal.SIGTERM)[0] == 0


class TestListening:
    def test_a_port_that_is_taken(self):
        with bound("127.0.0.1", 0) as taken:
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(TextaeError, match=f"cannot listen on 127.0.0.1 at port {port} "):
                bound("127.0.0.1", port)

    def test_where_the_usual_port_is_taken_another_is(self, monkeypatch):
        with bound("127.0.0.1", 0) as taken:
            taken.listen()
            monkeypatch.setattr("textae.app.server.process.PORT", taken.getsockname()[1])
            with bound("127.0.0.1", None) as other:
                assert other.getsockname()[1] not in (0, taken.getsockname()[1])

    @pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "x" * 70, "a..b"])
    def test_a_host_that_is_none_of_this_machine(self, host):
        with pytest.raises(TextaeError, match=r"no address of|cannot listen on"):
            bound(host, 0)

    @pytest.mark.parametrize("token", ["short", "", "with a blank in it", "é" * 10, "x" * 201, "a;b=cccccc"])
    def test_a_token_that_cannot_be(self, shell, folder, token):
        assert shell("serve", "--index", folder, "--port", 0, "--token", token).error.startswith("a token has 8 to 200")

    def test_other_machines_need_a_token(self, shell, folder):
        said = shell("serve", "--index", folder, "--port", 0, "--host", "0.0.0.0", "--no-token")
        assert said.error == "--no-token is for this machine alone, and other machines can connect to 0.0.0.0"
        assert "not both" in shell("serve", "--index", folder, "--no-token", "--token", TOKEN).error

    def test_no_index(self, shell, tmp_path):
        assert shell("serve", "--index", tmp_path / "none").error.startswith("no index at ")
