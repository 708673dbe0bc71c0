"""The connections of the server: how many, and how long one may wait for its client.

uvicorn keeps a connection for as long as the client holds it, and asyncio accepts connections until the process has no
file descriptor left. Here, a connection is either served (one of its requests runs) or it waits for its client: for the
head of a request, for the rest of a body, or for the client to read an answer. A connection that waits longer than
`PATIENCE` is closed, however slowly its bytes come. When there are too many connections, the one that has waited
longest is closed, so a new client is served at once.
"""

import asyncio
import json
import math
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from types import FrameType
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from textae.index.uninterrupted import ENDING

PATIENCE = 15.0
"""Seconds that a connection waits for its client: for a whole head, or for 48 KiB of an answer to be read."""

MOST = 1_000
"""Maximum number of connections; each takes about 20 KiB."""

_DESCRIPTORS = 4_096
_RESERVED = 32  # descriptors for SQLite, the event loop and files that are read once
_FEWEST = 16
_FREED = 8  # connections, where the system has no descriptors
_SHARE = 4  # one other machine has at most this part of the connections
_PAUSE = 0.1  # seconds until the next attempt, where the system has no descriptors
_YOUNG = 0.05  # seconds that a connection stays open for its first request
_QUIET = 60.0  # seconds between two messages


class Connections:
    """The open connections, and those that wait for their clients.

    Args:
        most: maximum number.
        local: whether all clients are of this machine; otherwise one client has at most a quarter of the connections.
        note: gets a message for the person, at most one a minute.
    """

    def __init__(self, most: int, local: bool, note: Callable[[str], None]) -> None:
        self.most = most
        self.of_client = most if local else max(1, most // _SHARE)
        self._note = note
        self._quiet_until = 0.0
        self._open: set[Connection] = set()
        self._waiting: dict[Connection, float] = {}  # since when; the first has waited longest

    def __len__(self) -> int:
        """The number of open connections."""
        return len(self._open)

    def add(self, connection: "Connection") -> None:
        """Count a new connection, and close the oldest idle one of a client that has too many."""
        self._open.add(connection)
        self.wait(connection)
        if self.of_client < self.most and sum(one.host == connection.host for one in self._open) > self.of_client:
            self._close(connection.host)

    def wait(self, connection: "Connection") -> None:
        """From now on, the connection waits for its client."""
        self._waiting.pop(connection, None)
        self._waiting[connection] = time.monotonic()

    def served(self, connection: "Connection") -> None:
        """The connection does not wait for its client."""
        self._waiting.pop(connection, None)

    def remove(self, connection: "Connection") -> None:
        """Forget a closed connection."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)

    def _close(self, host: str | None = None) -> bool:
        """Close the connection (of a client) that has waited longest; return whether there is one."""
        for connection in self._waiting:
            if host is None or connection.host == host:
                self._waiting.pop(connection)
                connection.transport.abort()
                return True
        return False

    def _say(self, message: str) -> None:
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + _QUIET
            self._note(message)

    async def accept(self, listener: socket.socket, protocol: "Callable[[], Connection]") -> None:
        """Accept connections for ever.

        asyncio's own loop accepts as many connections as the backlog holds before it serves or closes one of them,
        and logs a traceback for each that gets no descriptor.
        """
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        while True:
            try:
                client, _ = await loop.sock_accept(listener)
            except ConnectionAbortedError:
                continue
            except OSError as error:  # no descriptor or no memory: arrays take more than was reserved
                self._say(f"a connection was not accepted: {error.strerror}; idle connections are closed")
                self.most = max(_FEWEST // 2, len(self._open) - _FREED)
                while len(self._waiting) > self.most and self._close():
                    pass
                await asyncio.sleep(_PAUSE)
                continue
            try:
                await self._make_room()
                await loop.connect_accepted_socket(protocol, client)
            except BaseException:
                client.close()
                raise

    async def _make_room(self) -> None:
        """Wait until there is room for a connection; close the one that has waited longest, or wait for a served one.

        A request may have arrived on a young connection and not have been read yet.
        """
        while len(self._open) >= self.most:
            self._say(f"{self.most} connections are open; the oldest idle ones are closed for new ones")
            since = next(iter(self._waiting.values()), math.inf)
            closes = since < time.monotonic() - _YOUNG and self._close()
            await asyncio.sleep(0 if closes else _YOUNG)  # a closed one is gone when the loop runs again

    async def close_late(self) -> None:
        """Close connections that have waited too long, for ever."""
        while True:
            await asyncio.sleep(1)
            while self._waiting and next(iter(self._waiting.values())) < time.monotonic() - PATIENCE:
                self._close()


class Connection(H11Protocol):
    """A connection of uvicorn that knows whether it waits for its client.

    Args:
        connections: all of them.
        arguments: of uvicorn's protocol.
    """

    def __init__(self, connections: Connections, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._all = connections
        self.host = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection."""
        super().connection_made(transport)
        self.host = self.client[0] if self.client else ""
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._all.remove(self)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Note that a request runs, where its head is complete."""
        super().handle_events()
        if self._runs():
            self._all.served(self)

    def on_response_complete(self) -> None:
        """Wait for the next request; bytes of its head do not prolong the wait."""
        self._all.wait(self)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._all.wait(self)

    def resume_writing(self) -> None:
        """Note that the client reads."""
        super().resume_writing()
        if self._runs():
            self._all.served(self)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with one line of JSON, and close the connection."""
        # h11's error, which uvicorn handles where it calls this method, tells a head that is too long from others.
        status = HTTPStatus(getattr(sys.exc_info()[1], "error_status_hint", 400))
        if self._runs():  # a broken body, while its request is answered
            self.cycle.disconnected = True
            self.transport.abort()
            return
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = json.dumps({"error": f"not a valid HTTP request: {status.phrase.lower()}"}).encode()
            headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
            head = h11.Response(status_code=status, headers=list(headers.items()), reason=status.phrase)
            for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _runs(self) -> bool:
        """Whether a request of this connection is being answered."""
        return self.cycle is not None and not self.cycle.response_complete


class Server(uvicorn.Server):
    """uvicorn's server, which accepts through `Connections` and ends at once by a second signal."""

    def __init__(self, config: uvicorn.Config, connections: Connections) -> None:
        super().__init__(config)
        self._all = connections
        self._tasks: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, and accept connections of the sockets, which listen."""
        self.servers = []
        await self.lifespan.startup()

        def connection() -> Connection:
            return Connection(self._all, config=self.config, server_state=self.server_state, app_state={})

        self._tasks = [asyncio.create_task(self._all.accept(listener, connection)) for listener in sockets or []]
        self._tasks.append(asyncio.create_task(self._all.close_late()))
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more connections, and finish the running requests."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Finish by a first signal; end by a second one, as the server only reads what it could lose."""
        if self.should_exit:
            os._exit(128 + sig)
        self.should_exit = True


def most_connections(arrays: int) -> int:
    """How many connections the limit of open files allows; the limit is raised where the system allows it.

    Args:
        arrays: of the index. Four snapshots can be open: of two engines, of the map, and of the next map.
    """
    if os.name != "posix":
        return MOST
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < _DESCRIPTORS:  # negative: no limit
        soft = _DESCRIPTORS if hard < 0 else min(hard, _DESCRIPTORS)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    free = (soft if soft >= 0 else _DESCRIPTORS) - max(_RESERVED + 4 * arrays, soft // 4)
    return max(_FEWEST, min(MOST, free))


HANDLED = [*ENDING, *filter(None, [getattr(signal, "SIGBREAK", None)])]  # the last one is of Windows
"""The signals that stop the server."""
