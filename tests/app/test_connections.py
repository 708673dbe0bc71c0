"""Connections of clients that mean harm, the syntax of HTTP, and the end of the server; over real sockets."""

import asyncio
import contextlib
import errno
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import uvicorn
from served import Process
from shared import ENVIRONMENT, LONG, command, wait_for

from textae.app.server import connections
from textae.app.server.connections import Connections, Server, most_connections
from textae.app.server.engine_pool import BusyError, EnginePool
from textae.app.server.guard import Guard, Rules
from textae.app.server.process import _noted, bound

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def app(scope, receive, send) -> None:
    """Answer after the seconds in the path, with as many bytes as the query has."""
    await asyncio.sleep(float(scope["path"].strip("/") or 0))
    body = b"x" * int(scope["query_string"] or b"2")
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Listener(socket.socket):
    """A listener that fails to accept a number of times."""

    failures = 0

    def accept(self):
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


class Here:
    """A server in a thread of this process."""

    def __init__(self, most: int = 100, local: bool = True, grace: float = 5) -> None:
        self.notes: list[str] = []
        self.clients: list[socket.socket] = []
        self.listener = Listener(fileno=bound("127.0.0.1", 0).detach())
        self.listener.listen(1_000)
        self.port = self.listener.getsockname()[1]
        self.connections = Connections(most, local, self.notes.append)
        config = uvicorn.Config(
            Guard(app, Rules()), http="h11", ws="none", lifespan="off", log_config=None, access_log=False,
            h11_max_incomplete_event_size=1 << 14, timeout_graceful_shutdown=grace,
        )  # fmt: skip
        self.server = Server(config, self.connections)
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],))

    def __enter__(self) -> "Here":
        with contextlib.ExitStack() as stack:
            stack.enter_context(_noted(self.notes.append))
            self._stack = stack.pop_all()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(30)
        self._stack.close()
        for client in self.clients:
            client.close()
        assert not self.thread.is_alive()

    def connect(self, sent: bytes = b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.clients.append(client)
        client.sendall(sent)
        return client


def answer(client: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    received = bytearray()
    with contextlib.suppress(ConnectionResetError), client:
        while piece := client.recv(1 << 16):
            received += piece
    return bytes(received)


def is_closed(client: socket.socket) -> bool:
    """Tell whether the server has closed a connection on which it sent nothing."""
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


class TestPatience:
    def test_slow_clients_are_disconnected_and_slow_searches_are_answered(self, monkeypatch):
        monkeypatch.setattr(connections, "PATIENCE", 1.0)
        with Here() as here:
            post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
            large = b"GET /?20000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
            sent = {"silent": b"", "half a head": GET[:20], "drip": b"", "half a body": post, "no reader": large}
            clients = {name: here.connect(first) for name, first in sent.items()}
            busy = here.connect(GET.replace(b"/ ", b"/2 ").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            reader = here.connect(large.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            wait_for(lambda: len(here.connections) == 7)
            read = 0
            for byte in GET[:-2]:  # 4 s
                with contextlib.suppress(ConnectionError):
                    clients["drip"].send(bytes([byte]))
                read += len(reader.recv(1 << 15))
                time.sleep(0.1)
            wait_for(lambda: len(here.connections) <= 2)
            assert answer(clients["silent"]) == answer(clients["half a head"]) == answer(clients["drip"]) == b""
            assert answer(clients["half a body"]).startswith(b"HTTP/1.1 405 ")
            assert len(answer(clients["no reader"])) < 20_000_000
            assert answer(busy).startswith(b"HTTP/1.1 200 ")
            assert read + len(answer(reader)) > 20_000_000
            assert here.notes == []


class TestRoom:
    def test_the_connection_that_waits_longest_makes_room(self):
        with Here(most=4) as here:
            running = here.connect(b"GET /1 HTTP/1.0\r\nHost: localhost\r\n\r\n")
            idle = [here.connect() for _ in range(3)]
            wait_for(lambda: len(here.connections) == 4)
            assert answer(here.connect(GET.replace(b"/1.1", b"/1.0"))).startswith(b"HTTP/1.1 200 ")
            assert [is_closed(one) for one in idle] == [True, False, False]
            assert answer(running).startswith(b"HTTP/1.1 200 ")
            assert here.notes == ["4 connections are open; the oldest idle ones are closed for new ones"]

    def test_a_new_client_waits_while_all_others_are_served(self):
        with Here(most=2) as here:
            running = [here.connect(b"GET /0.5 HTTP/1.0\r\nHost: localhost\r\n\r\n") for _ in range(6)]
            assert [answer(one)[:13] for one in running] == [b"HTTP/1.1 200 "] * 6

    def test_one_other_machine_has_a_quarter(self):
        with Here(most=12, local=False) as here:
            idle = [here.connect() for _ in range(5)]
            wait_for(lambda: is_closed(idle[1]))
            assert [is_closed(one) for one in idle] == [True, True, False, False, False]

    def test_where_no_descriptor_is_left_idle_connections_go_and_one_line_says_so(self):
        with Here() as here:
            idle = [here.connect() for _ in range(20)]
            wait_for(lambda: len(here.connections) == 20)
            here.listener.failures = 5
            assert answer(here.connect(GET.replace(b"/1.1", b"/1.0"))).startswith(b"HTTP/1.1 200 ")
            assert len(here.notes) == 1
            assert "Too many open files" in here.notes[0]
            assert [is_closed(one) for one in idle] == [True] * 13 + [False] * 7  # 8 fit

    @pytest.mark.skipif(os.name != "posix", reason="the limit of open files is POSIX")
    @pytest.mark.parametrize(("limit", "arrays", "most"), [(1024, 50, 768), (1024, 150, 392), (200, 50, 16)])
    def test_arrays_keep_their_descriptors(self, limit, arrays, most):
        program = f"from textae.app.server.connections import *; print(most_connections({arrays}))"
        shell = ["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *command()[:1], "-c", program]
        assert int(subprocess.run(shell, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True).stdout) == most
        assert most_connections(10) >= 16


def request(first: str, *headers: str, host: str | None = "localhost") -> bytes:
    lines = [first, *([f"Host: {host}"] if host is not None else []), *headers]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


HTTP = [
    (request("GET / HTTP/1.1"), 200, False),
    (request("HEAD /?9 HTTP/1.1"), 200, False),
    (request("GET / HTTP/1.0", host=None), 200, True),
    (request("GET / HTTP/1.1", host=None), 400, True),
    (request("GET / HTTP/1.1", "Host: localhost"), 400, True),
    (request("GET / HTTP/1.1", host=""), 400, False),
    (request("GET / HTTP/1.1", host="localhost:80a"), 400, False),
    (request("GET / HTTP/1.1", host="me@localhost"), 400, False),
    (request("GET / HTTP/1.1", host="evil.example"), 421, False),
    (request("GET / HTTP/1.1", host="[::1]:8080"), 200, False),
    (request("GET http://localhost/?3 HTTP/1.1", host="evil.example"), 200, False),
    (request("GET HTTP://localhost HTTP/1.1"), 200, False),
    (request("GET http://evil.example/ HTTP/1.1"), 421, False),
    (request("GET http://localhost@evil.example/ HTTP/1.1"), 421, False),
    (request("GET ftp://localhost/ HTTP/1.1"), 400, False),
    (request("GET localhost:80 HTTP/1.1"), 400, False),
    (request("GET * HTTP/1.1"), 400, False),
    (request("OPTIONS * HTTP/1.1"), 405, False),
    (request("TRACE / HTTP/1.1"), 405, False),
    (request("CONNECT localhost:80 HTTP/1.1"), 405, False),
    (request("FETCH / HTTP/1.1"), 501, False),
    (request("get / HTTP/1.1"), 501, False),
    (request("GET / HTTP/1.1", "Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400, True),
    (request("GET / HTTP/1.0", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400, True),
    (request("GET / HTTP/1.1", "Content-Length: 3", "Content-Length: 4") + b"abcd", 400, True),
    (request("GET / HTTP/1.1", "Content-Length: 3", "Content-Length: 3") + b"abc", 200, False),
    (request("GET / HTTP/1.1", "Content-Length: -3"), 400, True),
    (request("GET / HTTP/1.1", "Content-Length: +3") + b"abc", 400, True),
    (request("GET / HTTP/1.1", "Content-Length: 3x") + b"abc", 400, True),
    (request("GET / HTTP/1.1", "Transfer-Encoding: gzip, chunked"), 501, True),
    (request("GET / HTTP/1.1", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 501, True),
    (request("GET / HTTP/1.1", "Transfer-Encoding : chunked"), 400, True),
    (request("GET / HTTP/1.1", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n", 200, False),
    (request("GET / HTTP/1.1", "Content-Length: 3") + b"abc", 200, False),
    (request("GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"), 200, False),
    (request("GET / HTTP/1.1", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: A"), 200, False),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, True),
    (request("GET / HTTP/2.0"), 505, True),
    (request("GET / HTTP/1.1", "Expect: 100-continue", "Content-Length: 3"), 200, True),
    (request("GET / HTTP/1.1", "Expect: 100-continue", "Content-Length: 3", "Connection: Upgrade"), 200, True),
    (request(f"GET /?{'1' * 300_000} HTTP/1.1"), 431, True),
    (request("GET / HTTP/1.1", f"X: {'x' * 300_000}"), 431, True),
    (request("GET / HTTP/1.1", "X: a\0b"), 400, True),
    (request("GET /\0 HTTP/1.1"), 400, True),
    (request("GET /\xe9 HTTP/1.1"), 400, True),
    (request("GET / HTTP/1.1", "No colon"), 400, True),
    (b"GET /\r\n\r\n", 400, True),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, True),  # TLS
    (b"\0" * 100, 400, True),
]


@pytest.fixture(scope="module")
def here() -> Iterator[Here]:
    with Here() as here:
        yield here
    assert not [note for note in here.notes if "xception" in note]


class TestHTTP:
    @pytest.mark.parametrize(("sent", "status", "closes"), HTTP, ids=[sent[:60] for sent, _, _ in HTTP])
    def test_a_request_is_answered_by_the_rfcs(self, here, sent, status, closes):
        """The connection goes on where it is known where the next request begins."""
        client = here.connect(sent)
        reply = http.client.HTTPResponse(client, method=sent[:4].decode("latin-1").strip())
        reply.begin()
        body = reply.read()
        assert reply.status == status
        assert status == 200 or list(json.loads(body)) == ["error"]
        assert ("allow" in reply.headers) == (status in (405, 501) and not closes)
        if closes:
            assert answer(client) == b""
            return
        client.sendall(request("GET /?7 HTTP/1.0"))
        assert answer(client).endswith(b"\r\n\r\n" + b"x" * 7)

    def test_requests_that_are_sent_together_are_answered_in_turn(self, here):
        sent = [request("GET /0.1?3 HTTP/1.1"), request("HEAD /?9 HTTP/1.1"), request("GET /?5 HTTP/1.0")]
        replies = answer(here.connect(b"".join(sent))).split(b"HTTP/1.1 200 OK\r\n")[1:]
        assert [reply.partition(b"\r\n\r\n")[2] for reply in replies] == [b"xxx", b"", b"xxxxx"]
        assert b"content-length: 9" in replies[1]

    def test_a_body_that_breaks_while_its_request_is_answered_ends_the_connection(self, here):
        client = here.connect(request("GET /0.3 HTTP/1.1", "Transfer-Encoding: chunked") + b"nonsense\r\n")
        assert answer(client) == b""


@pytest.fixture
def folder(mapped_folder, tmp_path) -> Path:
    return Path(shutil.copytree(mapped_folder, tmp_path / "index"))


def limited(folder: Path, descriptors: int, *arguments: str) -> Process:
    """Serve with a limit of open files."""
    return Process(folder, "--port", 0, *arguments, before=["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh"])


class TestProcess:
    @pytest.mark.parametrize(("descriptors", "clients"), [(320, 400), *([(1024, 10_000)] if LONG else [])])
    def test_idle_clients_stop_nobody(self, folder, descriptors, clients):
        serving = limited(folder, descriptors)

        def search() -> int:
            serving.connection.close()
            return serving.get("/api/search?q=oven")[0]

        assert search() == 200
        idle = []
        for number in range(clients):
            idle.append(socket.create_connection(("127.0.0.1", serving.port)))
            if number % 2:
                idle[-1].send(b"GET /api/search?q=")
            if number % 100 == 0:
                assert search() == 200
        assert [search(), search()] == [200, 200]
        for client in idle:
            client.close()
        assert search() == 200
        code, err = serving.stop(signal.SIGTERM)
        assert code == 0
        (note,) = [line for line in err.splitlines() if not line.endswith("…")]
        words = r"textae: (\d+) connections are open; the oldest idle ones are closed for new ones"
        assert 16 < int(re.fullmatch(words, note)[1]) < descriptors

    def test_head_is_get_without_a_body_and_64_clients_at_once_are_answered(self, folder):
        serving = Process(folder, "--port", 0)
        paths = [
            *("/", "/api", "/openapi.json", "/api/health", "/api/info", "/api/search?q=oven", "/api/similar/bread-1"),
            *("/api/documents/bread-1", "/api/topics", "/api/topics/1", "/api/place?q=oven", "/nothing", "/api/search"),
        ]
        bearer = {"Authorization": f"Bearer {serving.token}"}
        for path in paths:
            replies = []
            for method in ("GET", "HEAD"):
                serving.connection.request(method, path, headers=bearer)
                reply = serving.connection.getresponse()
                kept = {name: value for name, value in reply.headers.items() if name != "date"}
                replies.append((reply.status, kept))
                body = reply.read()
            assert replies[0][0] == replies[1][0]
            if "milliseconds" not in body.decode() and "search?" not in path and "similar" not in path:
                assert replies[0] == replies[1]
            assert body == b""

        def client(number: int) -> list[int]:
            connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=60)
            statuses = []
            for _ in range(3):
                connection.request("GET", f"/api/search?q=oven+{number}", headers=bearer)
                reply = connection.getresponse()
                reply.read()
                statuses.append(reply.status)
            connection.close()
            return statuses

        with ThreadPoolExecutor(64) as threads:
            assert list(threads.map(client, range(64))) == [[200] * 3] * 64
        assert serving.stop(signal.SIGHUP)[0] == 0

    def test_a_second_signal_ends_it_at_once(self, folder):
        serving = Process(folder, "--port", 0)
        path = f"/api/search?explain=true&k=20&q={'telescope+oven+sail+' * 450}"
        clients = [socket.create_connection(("127.0.0.1", serving.port)) for _ in range(40)]
        for client in clients:
            client.sendall(request(f"GET {path} HTTP/1.1", f"Authorization: Bearer {serving.token}"))
        assert serving.get("/api/health")[0] == 200
        serving.process.send_signal(signal.SIGTERM)
        code, err = serving.stop(signal.SIGINT)
        for client in clients:
            client.close()
        assert code in (128 + signal.SIGTERM, 128 + signal.SIGINT)  # Python may handle both at once, in any order
        assert "Traceback" not in err

    def test_a_reader_of_the_address_that_is_gone(self, folder):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(command("serve", "--index", folder, "--port", 0), stdout=writing, stderr=subprocess.PIPE,
                              env=ENVIRONMENT, text=True, timeout=60, check=False)  # fmt: skip
        os.close(writing)
        assert "Traceback" not in done.stderr


class TestEnd:
    def test_what_takes_longer_than_the_grace_is_answered_503(self):
        with Here(grace=0.5) as here:
            slow, quick = here.connect(GET.replace(b"/ ", b"/60 ")), here.connect(GET.replace(b"/ ", b"/0.4 "))
            idle = here.connect()
            wait_for(lambda: len(here.connections) == 3)
            time.sleep(0.2)
            here.server.should_exit = True
            assert answer(quick).startswith(b"HTTP/1.1 200 ")
            assert answer(slow).startswith(b"HTTP/1.1 503 ")
            assert answer(idle) == b""
            here.thread.join(30)
            with pytest.raises(ConnectionRefusedError):
                here.connect()


class TestQueue:
    def test_too_many_requests_and_those_that_wait_too_long_are_refused(self, folder):
        release = threading.Event()

        async def requests(engines: EnginePool, n: int, work: Callable[..., object]) -> list[object]:
            return await asyncio.gather(*(engines.run(work) for _ in range(n)), return_exceptions=True)

        with EnginePool(folder, most=4, patience=0.5) as engines:
            answers = asyncio.run(requests(engines, 5, lambda engine: release.wait(30)))
            release.set()
            assert [str(one) for one in answers] == [
                *["no answer within 0.5 s; try again"] * 4,
                "4 requests are in progress; try again",
            ]
            assert all(isinstance(one, BusyError) for one in answers)
            assert asyncio.run(requests(engines, 4, lambda engine: "done")) == ["done"] * 4
