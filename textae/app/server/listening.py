"""One process that listens until it is told to stop, and then answers what it was asked."""

import errno
import ipaddress
import os
import re
import secrets
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from textae.app.server.api import application
from textae.app.server.engines import Engines
from textae.app.server.guard import LOCAL_NAMES, Guard, Rules
from textae.app.server.maps import Map
from textae.engine import Engine
from textae.errors import TextaeError
from textae.types import PICTURES, Progress

PORT = 8080
"""That is taken unless another process has it."""

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,200}")
_LONGEST_REQUEST = 1 << 17  # bytes of its first lines: a query of 10,000 characters, each four bytes as %F0%9F%8D%9E
_PATIENCE = 10  # seconds that what was asked may still take when the server is told to stop


@dataclass(frozen=True)
class Listening:
    """Where to listen, and to whom.

    Attributes:
        host: a name or an address of this machine.
        port: 0 for a free one; None for `PORT`, or a free one where that is taken.
        token: that clients must show; where others than this machine can connect and None is given, one is drawn.
        rate: requests a second of one client, on the average; 0 for any number.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    token: str | None = None
    rate: float = 50


def serve(
    folder: Path,
    listening: Listening,
    said: Callable[[str, str | None], None],
    note: Callable[[str], None],
    progress: Progress,
) -> None:
    """Serve an index until SIGINT or SIGTERM, and answer then what was asked before.

    Args:
        folder: the index.
        listening: where, and to whom.
        said: given the address and the token, once the server listens.
        note: given, in a line, what a person should know beside it.
        progress: told of what is learned before.

    Raises:
        StoreError: there is no index, or it cannot be read.
        TextaeError: it holds pictures; it cannot listen there; or the token cannot be.
    """
    if listening.token is not None and not _TOKEN.fullmatch(listening.token):
        raise TextaeError("a token has 8 to 200 letters, digits, or any of . _ ~ -; give another one, or none")
    _check_texts(folder)
    with bound(listening.host, listening.port) as listener, Engines(folder) as engines:
        rules = _rules(listening, listener)
        kept = Map(folder, note)
        try:
            kept.make(progress)
        except TextaeError as error:
            note(f"searching without a map: {error}")
        kept.keep_up()
        if listening.port is None and _address(listener)[1] != PORT:
            note(f"port {PORT} is taken")
        url = _url(listening.host, listener)
        _run(Guard(application(engines, kept), rules), listener, lambda: said(url, rules.token))
        kept.close()


def _check_texts(folder: Path) -> None:
    with Engine.open(folder) as engine:
        if engine.kind == PICTURES:
            raise TextaeError(
                f"serving is for texts, and the index {folder} holds pictures; 'textae map OUT.html' shows them in a "
                "browser, and 'textae similar PICTURE' searches them"
            )


def bound(host: str, port: int | None) -> socket.socket:
    """A socket that is bound, and does not listen yet.

    Raises:
        TextaeError: the host is none of this machine's, or the port cannot be had.
    """
    wanted = PORT if port is None else port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, wanted, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise TextaeError(f"no address of {host[:60]!r} is known; give a name or an address of this machine") from None
    listener = socket.socket(family, kind, protocol)  # without it asyncio lets small answers wait for 40 ms
    if os.name == "posix":  # elsewhere it lets another process take the same port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if port is None and error.errno == errno.EADDRINUSE:
            return bound(host, 0)
        why = f"cannot listen on {host} at port {wanted} ({error.strerror})"
        raise TextaeError(f"{why}; give another --host or --port") from None
    return listener


def _address(listener: socket.socket) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]:
    address, port = listener.getsockname()[:2]
    return ipaddress.ip_address(str(address)), port


def _rules(listening: Listening, listener: socket.socket) -> Rules:
    address, port = _address(listener)
    names = {*LOCAL_NAMES, listening.host.lower()} | (set() if address.is_loopback else {socket.gethostname().lower()})
    token = listening.token or (None if address.is_loopback else secrets.token_urlsafe(24))
    return Rules(frozenset(names), address.is_loopback, token, f"textae-{port}", listening.rate)


def _url(host: str, listener: socket.socket) -> str:
    address, port = _address(listener)
    name = socket.gethostname() if address.is_unspecified else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, listens: Callable[[], None]) -> None:
        super().__init__(config)
        self._listens = listens

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listens()


def _run(guarded: Guard, listener: socket.socket, listens: Callable[[], None]) -> None:
    config = uvicorn.Config(
        guarded,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # a client that says it is another one would have a bucket for each
        server_header=False,
        h11_max_incomplete_event_size=_LONGEST_REQUEST,
        timeout_graceful_shutdown=_PATIENCE,
    )
    server = _Server(config, listens)

    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    # Uvicorn raises the signal that ended it again: by then it is answered.
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run([listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
