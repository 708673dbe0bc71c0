"""The tools of assistants, asked by the client of the SDK: here, over standard input and output, and over HTTP."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from shared import ENVIRONMENT, QUICK, TINY, command

from textae import Document, Engine
from textae.app.server.engine_pool import EnginePool
from textae.app.server.live import LiveTopics
from textae.app.server.mcp import mcp_server
from textae.app.server.tools import TOOLS
from textae.types import Place

TOKEN = "a-long-secret"
PAGE = Path(__file__).parents[2] / "docs" / "programs.md"


def nothing(*_: object) -> None:
    pass


@pytest.fixture(scope="module")
def folder(mapped_folder, tmp_path_factory) -> Path:
    return Path(shutil.copytree(mapped_folder, tmp_path_factory.mktemp("tools") / "index"))


def here(folder: Path, ask: Callable[[Client], Awaitable[None]]) -> None:
    """Ask a server in this process."""

    async def asked() -> None:
        topics = LiveTopics(folder, nothing)
        topics.update(nothing)
        async with Client(mcp_server(engines, topics)) as client:
            await ask(client)

    with EnginePool(folder, refresh=0) as engines:
        asyncio.run(asked())


async def given(client: Client, tool: str, **arguments: object) -> dict:
    """Give the result of a tool, which is the same as text and as data, and as its schema says."""
    result = await client.call_tool(tool, arguments)  # the client checks it by the schema
    assert not result.is_error, result
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


async def refused(client: Client, tool: str, **arguments: object) -> str:
    """Give the one line of a failure."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    (line,) = (part.text for part in result.content)
    assert line
    assert len(line.splitlines()) == 1
    return line


class TestTools:
    def test_each_says_what_it_is_for_and_what_each_parameter_is(self, folder):
        async def ask(client: Client) -> None:
            tools = (await client.list_tools()).tools
            assert [tool.name for tool in tools] == ["search", "get", "similar", "topics"]
            for tool in tools:
                assert len(tool.description) > 80
                assert tool.annotations.read_only_hint
                assert tool.output_schema["type"] == "object"
                for schema in tool.input_schema["properties"].values():
                    assert schema["description"]
            assert client.server_info.name == "textae"
            fields = "id, title, topic, year"
            of = "a private collection of 60 documents on this machine"
            assert client.instructions == f"Search {of}. Fields for `where`: {fields}."

        here(folder, ask)

    def test_a_search_is_that_of_the_engine(self, folder):
        options = {"mode": "code", "where": "year:[1900 TO 1930]", "must": "telescope", "unlike": ["stars-0"]}

        async def ask(client: Client) -> None:
            found = await given(client, "search", q="orbit", k=4, like=["stars-3"], expand=True, **options)
            with Engine.open(folder) as engine:
                hits = engine.search("orbit", 4, like=["stars-3"], expand=True, **options)
            assert [(hit["id"], hit["score"]) for hit in found["hits"]] == [(hit.id, hit.score) for hit in hits] != []
            assert set(found["hits"][0]) == {"rank", "id", "score", "title", "snippet", "fields", "place"}
            unknown = (await given(client, "search", q="telescoqe"))["unknown"]
            assert unknown == [{"word": "telescoqe", "did_you_mean": ["telescope"]}]
            nothing = await given(client, "search", q="of the")
            assert (nothing["hits"], nothing["only_stop_words"], found["only_stop_words"]) == ([], True, False)
            listed = await given(client, "search", where="topic:bread", k=1)
            assert (listed["matching"], listed["next_offset"]) == (20, 1)

        here(folder, ask)

    def test_page_after_page_gives_all_hits_once(self, folder):
        async def ask(client: Client) -> None:
            for tool, query in (("search", {"q": "telescope planet flour"}), ("similar", {"id": "stars-0"})):
                ids, offset = [], 0
                while offset is not None:
                    page = await given(client, tool, **query, k=7, offset=offset)
                    ids += [hit["id"] for hit in page["hits"]]
                    offset = page["next_offset"]
                whole = await given(client, tool, **query, k=100)
                assert ids == [hit["id"] for hit in whole["hits"]]
                assert len(set(ids)) == len(ids) > 14

        here(folder, ask)

    def test_topics_have_the_names_of_a_person(self, folder, tmp_path):
        async def ask(client: Client) -> None:
            assert (await given(client, "topics", id="Mine"))["topics"][0]["id"] == "1.1"

        own = shutil.copytree(folder, tmp_path / "own")
        with Engine.open(own) as engine:
            engine.topics(rename={"1.1": "Mine"})
        here(own, ask)

    def test_topics_are_listed_and_one_has_typical_documents(self, folder):
        async def ask(client: Client) -> None:
            listed = await given(client, "topics")
            with Engine.open(folder) as engine:
                topics = engine.topics()
            assert [topic["id"] for topic in listed["topics"]] == [
                topic.id for group in topics.groups for topic in (group, *group.topics)
            ]
            assert (listed["documents"], listed["topics"][0]["typical"]) == (60, [])
            leaf = topics.leaves[0]
            (one,) = (await given(client, "topics", id=leaf.id))["topics"]
            assert (one["words"], len(one["typical"])) == (list(leaf.words), len(leaf.typical))

        here(folder, ask)

    @pytest.mark.parametrize(
        ("tool", "arguments", "error"),
        [
            ("search", {}, "the query is empty; give some words"),
            ("search", {"q": "x", "k": 201}, "k: should be less than or equal to 200"),
            ("search", {"q": "x", "k": 0, "y": 1}, "k: should be greater than or equal to 1; y: unknown parameter"),
            ("search", {"q": "x", "offset": -1}, "offset: should be greater than or equal to 0"),
            ("search", {"q": "x" * 10_001}, "q: should have at most 10000 characters; given: '"),
            ("search", {"q": "x", "explain": True}, "explain: unknown parameter"),
            ("search", {"q": "x", "mode": "magic"}, "no system 'magic'; give one of "),
            ("search", {"q": "x", "where": "("}, "a condition must follow (, at character 1 of where"),
            ("get", {"id": "nobody"}, "no document has the id 'nobody'"),
            ("get", {"id": "stars-0", "length": 100_001}, "length: should be less than or equal to 100000"),
            ("get", {"id": "stars-0", "place": "line x"}, "place is 'line x'; give one as hits have it"),
            ("get", {}, "id: field required"),
            ("similar", {"id": "nobody"}, "no document has the id 'nobody'"),
            ("topics", {"id": "9.9"}, "no topic has the id '9.9'"),
        ],
    )
    def test_a_mistake_is_one_line(self, folder, tool, arguments, error):
        async def ask(client: Client) -> None:
            assert (await refused(client, tool, **arguments)).startswith(error)

        here(folder, ask)

    def test_another_tool_is_an_error_of_the_protocol(self, folder):
        async def ask(client: Client) -> None:
            with pytest.raises(MCPError, match="no tool 'delete'; the tools are search, get, similar, topics"):
                await client.call_tool("delete", {})

        here(folder, ask)

    def test_a_failure_that_was_not_foreseen_says_nothing_of_the_inside(self, folder, monkeypatch):
        def broken(*_: object) -> None:
            raise AttributeError("/home/secret")

        monkeypatch.setattr("textae.app.server.answers.search", broken)

        async def ask(client: Client) -> None:
            line = await refused(client, "search", q="x")
            assert line == "internal error; 'textae doctor' checks the index for damage"

        here(folder, ask)


class TestReading:
    @pytest.fixture(scope="class")
    @staticmethod
    def long(tmp_path_factory) -> Path:
        folder = tmp_path_factory.mktemp("long") / "index"
        pages = (Place(0, "page", "1"), Place(6_000, "page", "2"))
        text = "oven " * 1_200 + "dough " * 3_000
        fields = {"year": 1901, "notes": "x" * 20_000, "kind": "book", "list": ["y" * 600], "odd": float("nan")}
        lines = Document("b.txt", "sail\nanchor\nmast\n", places=(Place(0, "line", "1"),))
        with Engine.create(folder) as engine:
            bread = Document("a.pdf", text, "Bread " * 100, fields, places=pages)
            engine.index([bread, lines], model=TINY, train=QUICK)
        return folder

    def test_a_long_text_is_read_in_parts(self, long):
        async def ask(client: Client) -> None:
            text, offset = "", 0
            while offset is not None:
                part = await given(client, "get", id="a.pdf", offset=offset, length=7_000)
                assert len(part["text"]) <= 7_000
                text, offset = text + part["text"], part["next_offset"]
            assert len(text) == part["characters"] == 24_000
            assert text == "oven " * 1_200 + "dough " * 3_000
            assert len((await given(client, "get", id="a.pdf"))["text"]) == 10_000

        here(long, ask)

    def test_reading_begins_at_the_place_of_a_hit_and_goes_on_from_there(self, long):
        async def ask(client: Client) -> None:
            hit = (await given(client, "search", q="dough", k=1))["hits"][0]
            assert hit["place"] == "page 2"
            part = await given(client, "get", id="a.pdf", place=hit["place"], length=12)
            assert (part["text"], part["place"], part["next_offset"]) == ("dough dough ", "page 2", 12)
            more = await given(client, "get", id="a.pdf", place="page 2", offset=17_994)
            assert (more["text"], more["next_offset"]) == ("dough ", None)
            assert (await given(client, "get", id="b.txt", place="line 2"))["text"] == "anchor\nmast\n"
            assert (await given(client, "get", id="b.txt", offset=1_000))["text"] == ""

        here(long, ask)

    def test_fields_are_given_as_far_as_they_fit(self, long):
        async def ask(client: Client) -> None:
            hit = (await given(client, "search", q="dough", k=1))["hits"][0]
            assert hit["fields"] == {"year": 1901, "kind": "book", "odd": None}
            assert len(hit["title"]) == 300
            fields = (await given(client, "get", id="a.pdf"))["fields"]
            assert fields == {"year": 1901, "kind": "book", "list": ["y" * 600], "odd": None}

        here(long, ask)


def over_stdio(folder: Path) -> StdioServerParameters:
    program, *arguments = command("mcp", "--index", folder)
    return StdioServerParameters(command=program, args=arguments, env=ENVIRONMENT)


async def until_found(client: Client, q: str, id: str) -> None:
    async with asyncio.timeout(60):
        while [hit["id"] for hit in (await given(client, "search", q=q))["hits"]] != [id]:
            await asyncio.sleep(0.1)


class TestStandardInputAndOutput:
    @pytest.mark.parametrize("mode", ["auto", "legacy"])
    def test_a_client_starts_it_asks_and_sees_changes(self, mapped_folder, tmp_path, mode):
        changing = Path(shutil.copytree(mapped_folder, tmp_path / "index"))

        async def asked() -> None:
            async with Client(over_stdio(changing), mode=mode) as client:
                assert len((await client.list_tools()).tools) == 4
                assert (await given(client, "search", q="xylophone"))["hits"] == []
                assert (await given(client, "topics"))["documents"] == 60
                with Engine.open(changing) as engine:
                    engine.add([Document("new", "a xylophone and an oven")])
                await until_found(client, "xylophone", "new")
                assert (await given(client, "get", id="new"))["text"] == "a xylophone and an oven"
                assert (await given(client, "similar", id="new", k=1))["hits"]
                assert "unknown parameter" in await refused(client, "search", q="x", nonsense=1)

        asyncio.run(asked())

    def test_only_the_protocol_goes_to_the_output_and_the_end_of_the_input_ends_it(self, folder):
        about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        messages = [
            {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about},
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            {
                "jsonrpc": "2.0",
                "id": 2,
                "method": "tools/call",
                "params": {"name": "search", "arguments": {"q": "oven"}},
            },
            {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "topics", "arguments": {}}},
        ]
        process = subprocess.Popen(
            command("mcp", "--index", folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=ENVIRONMENT, text=True,
        )  # fmt: skip
        answers = []
        for message in messages:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
            if "id" in message:
                answers.append(json.loads(process.stdout.readline()))
        rest, err = process.communicate(timeout=30)
        assert [(answer["jsonrpc"], answer["id"]) for answer in answers] == [("2.0", 1), ("2.0", 2), ("2.0", 3)]
        assert (rest, err, process.returncode) == ("", "", 0)

    def test_a_signal_ends_it(self, folder):
        process = subprocess.Popen(
            command("mcp", "--index", folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT
        )
        process.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
        process.stdin.close()
        process.stdout.close()

    def test_what_cannot_be_is_one_line(self, shell, pictures_folder, folder, tmp_path):
        assert shell("mcp", "--index", tmp_path / "none").error.startswith("no index at ")
        assert shell("mcp", "--index", pictures_folder).error.startswith("the tools of assistants are for texts")
        for arguments in (("--port", "80"), ("--no-token",)):
            assert shell("mcp", "--index", folder, *arguments).error.startswith("--port and --no-token need --http")
        assert "not both" in shell("mcp", "--http", "--no-token", "--token", TOKEN, "--index", folder).error

    def test_the_configuration_of_the_documentation_starts_it(self, folder, monkeypatch):
        (text,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        assert len(text.splitlines()) == 3
        (server,) = json.loads(text)["mcpServers"].values()
        bin_folder = Path(sys.executable).parent
        arguments = [str(folder) if "/" in one else one for one in server["args"]]
        started = StdioServerParameters(command=str(bin_folder / server["command"]), args=arguments, env=ENVIRONMENT)

        async def asked() -> None:
            async with Client(started) as client:
                assert (await given(client, "search", q="telescope", k=1))["hits"]

        asyncio.run(asked())

    def test_the_documentation_names_every_tool_and_parameter(self):
        page = PAGE.read_text(encoding="utf-8")
        for name, tool in TOOLS.items():
            assert f"`{name}`" in page
            for parameter in tool.parameters.model_fields:
                assert f"`{parameter}`" in page, parameter


@contextmanager
def over_http(folder: Path, *arguments: object) -> Iterator[tuple[str, str]]:
    """Give the address that `textae mcp --http` prints, and the header that it prints."""
    process = subprocess.Popen(
        command("mcp", "--http", "--port", 0, "--index", folder, *arguments), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=ENVIRONMENT, text=True,
    )  # fmt: skip
    address = process.stdout.readline().strip()
    header = "" if arguments else process.stdout.readline().strip()
    yield address, header
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, re.sub("^[a-z ]+…\n", "", err, flags=re.M)) == (0, "")


@asynccontextmanager
async def client_of(address: str, mode: str = "auto", **headers: str) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(address, http_client=http), mode=mode) as client,
    ):
        yield client


LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
ACCEPT = {"accept": "application/json, text/event-stream"}


class TestHTTP:
    def test_clients_ask_with_the_token_and_see_changes(self, mapped_folder, tmp_path):
        changing = Path(shutil.copytree(mapped_folder, tmp_path / "index"))
        with over_http(changing) as (address, header):
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/mcp", address)
            name, _, value = header.partition(": ")

            async def asked(mode: str) -> None:
                async with client_of(address, mode, **{name: value}) as client:
                    assert len((await client.list_tools()).tools) == 4
                    assert (await given(client, "search", q="telescope", k=2))["next_offset"] == 2
                    assert (await given(client, "topics"))["topics"]
                    assert "no document has the id" in await refused(client, "get", id="nobody")
                    with Engine.open(changing) as engine:
                        engine.add([Document(f"new-{mode}", f"a {mode}phone and an oven")])
                    await until_found(client, f"{mode}phone", f"new-{mode}")

            for mode in ("auto", "legacy"):
                asyncio.run(asked(mode))

    def test_nobody_else_is_answered(self, folder):
        with over_http(folder, "--token", TOKEN) as (address, _):
            allowed = {"authorization": f"Bearer {TOKEN}", **ACCEPT}

            def status(method: str = "POST", **headers: str) -> int:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                return httpx.request(method, address, json=LIST, headers={**allowed, **named}, timeout=30).status_code

            assert status() == 200
            assert status(authorization="") == status(authorization="Bearer wrong") == 401
            assert status(host="evil.example") == 421  # DNS rebinding
            assert status(origin="http://evil.example") == 403
            assert status(sec_fetch_site="cross-site", sec_fetch_mode="cors") == 403
            assert status(sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 403  # a form
            assert status(content_type="text/plain") == 400
            assert status("GET") == status("DELETE") == status("OPTIONS") == 405
            assert httpx.post(f"{address}?token={TOKEN}", json=LIST, headers=ACCEPT, timeout=30).status_code == 401
            large = httpx.post(
                address, content=b"x" * (2 << 20), headers={**allowed, "content-type": "application/json"}
            )
            assert large.status_code == 413
            assert httpx.post(address.replace("/mcp", "/other"), json=LIST, headers=allowed).status_code == 404

    @pytest.mark.skipif(os.name != "posix", reason="other systems do not tell whose a connection is")
    def test_it_listens_on_this_machine_alone(self, shell, folder):
        said = shell("mcp", "--http", "--host", "0.0.0.0", "--index", folder)
        assert "No such option" in said.error
