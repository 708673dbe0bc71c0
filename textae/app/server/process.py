"""The server process: it listens until a signal stops it, and then finishes the running requests."""

import errno
import ipaddress
import logging
import os
import re
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from textae.app.cli.searching import ServerOptions
from textae.app.engines import opened
from textae.app.server.connections import HANDLED, Connections, Server, most_connections
from textae.app.server.engine_pool import EnginePool
from textae.app.server.guard import LOCAL_NAMES, Guard, Rules
from textae.app.server.live import Live
from textae.engine import Engine
from textae.errors import TextaeError
from textae.index.own_vectors import own_vectors
from textae.search.vector_command import StayingCommand
from textae.types import PICTURES, Progress

Note = Callable[[str], None]
OnReady = Callable[[str, str | None], None]

PORT = 8080
"""The default port."""

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,200}")
_MAX_HEAD = 1 << 17  # bytes of a request's head: a query of 10,000 characters, each four bytes as %F0%9F%8D%9E
_SEND_BUFFER = 1 << 17  # bytes; of a larger one, the system does not tell that a slow client reads
_GRACE = 10  # seconds that running requests have after the signal
_RATE = 50.0  # requests a second of a client of another machine
_QUIET = 60.0  # seconds between two messages about errors


@dataclass(frozen=True)
class Service:
    """What a server gives to its clients.

    Attributes:
        path: where clients begin.
        methods: of HTTP that are answered.
        live: what follows the index beside the engines.
        application: over both.
        pictures: whether an index of pictures is served, too.
    """

    path: str
    methods: tuple[str, ...]
    live: Callable[[Path, Note], Live[Any]]
    application: Callable[[EnginePool, Any], ASGIApp]
    pictures: bool = False


def check_texts(engine: Engine) -> None:
    """Check that an index holds texts, which alone the tools of assistants search.

    Raises:
        TextaeError: it holds pictures.
    """
    if engine.snapshot.modality.kind == PICTURES:
        raise TextaeError(
            f"the tools of assistants are for texts, and the index {engine.folder} holds pictures; 'textae serve' "
            "shows them in a browser, and 'textae similar PICTURE' searches them"
        )


@contextmanager
def query_vectors(command: str | None, engine: Engine, note: Note) -> Iterator[StayingCommand | None]:
    """The program that gives the vectors of queries, which runs until the end; None for none.

    Raises:
        QueryError: it cannot be started.
    """
    has_vectors = own_vectors(engine.snapshot) is not None
    if command is None:
        if has_vectors:
            note("the vectors of the index are not used: queries have none; --vector-command names what gives them")
        yield None
        return
    with closing(StayingCommand(command, note)) as program:
        if has_vectors:  # else it starts when the index has some
            program.start()
        yield program


def serve(
    service: Service,
    folder: Path,
    options: ServerOptions,
    command: str | None,
    on_ready: OnReady,
    note: Note,
    progress: Progress,
) -> None:
    """Serve an index until SIGINT or SIGTERM.

    Args:
        service: for its clients.
        folder: the index.
        options: where to listen, and for whom.
        command: of the program that gives the vectors of queries; None for none.
        on_ready: gets the URL and the token when the server listens.
        note: gets messages for the person, one line each.
        progress: of making the map.

    Raises:
        StoreError: there is no index, or it cannot be read.
        TextaeError: the index holds pictures, and the service is for texts; the address or port is not available; the
            token is malformed; or the program cannot be started.
    """
    if options.token is not None and not _TOKEN.fullmatch(options.token):
        raise TextaeError("a token has 8 to 200 letters, digits, or any of . _ ~ -; give another one, or none")

    def say(message: str) -> None:
        with suppress(OSError):  # the terminal was closed
            note(message)

    with ExitStack() as stack:
        with opened(folder) as engine:
            if not service.pictures:
                check_texts(engine)
            arrays = sum(1 for _ in (engine.snapshot.reader.folder / "arrays").iterdir())
            originals = [source.key for source in engine.sources if os.path.isabs(source.origin)]  # noqa: PTH117
            listener = stack.enter_context(bound(options.host, options.port))
            vectors = stack.enter_context(query_vectors(command, engine, say))
        engines = stack.enter_context(EnginePool(folder, vectors=vectors))
        ip, port = listener.getsockname()[:2]
        address = ipaddress.ip_address(ip)
        local = address.is_loopback
        if options.no_token and not local:
            raise TextaeError(f"--no-token is for this machine alone, and other machines can connect to {options.host}")
        if originals and not local:  # a stranger's index could name any folder of this machine
            say(f"clients with the token can open the documents' files in {', '.join(originals)}")
        live = service.live(folder, say)
        try:
            live.update(progress)
        except TextaeError as error:
            say(f"searching without {live.what}: {error}")
        live.follow()
        if options.port is None and port != PORT:
            say(f"port {PORT} is taken")
        names = {*LOCAL_NAMES, options.host.lower()} | (set() if local else {socket.gethostname().lower()})
        token = None if options.no_token else options.token or secrets.token_urlsafe(24)
        rate = options.rate if options.rate is not None else 0 if local else _RATE
        own_user = local and options.token is None
        rules = Rules(frozenset(names), local, token, f"textae-{port}", rate, own_user, service.methods)
        name = socket.gethostname() if address.is_unspecified else options.host
        url = f"http://{f'[{name}]' if ':' in name else name}:{port}{service.path}"
        connections = Connections(most_connections(arrays), local, say)
        guarded = Guard(service.application(engines, live), rules)
        _run(Server(_config(guarded), connections), listener, say, lambda: on_ready(url, token))
        live.close()


def bound(host: str, port: int | None) -> socket.socket:
    """A socket that is bound, but does not listen yet.

    Raises:
        TextaeError: the host is not of this machine, or the port is not available.
    """
    wanted = PORT if port is None else port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, wanted, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise TextaeError(f"no address of {host[:60]!r} is known; give a name or an address of this machine") from None
    listener = socket.socket(family, kind, protocol)  # without the protocol, asyncio delays small responses by 40 ms
    if os.name == "posix":  # on Windows it would let another process take the same port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if port is None and error.errno == errno.EADDRINUSE:
            return bound(host, 0)
        raise TextaeError(
            f"cannot listen on {host} at port {wanted} ({error.strerror}); give another --host or --port"
        ) from None
    return listener


def _config(guarded: Guard) -> uvicorn.Config:
    return uvicorn.Config(
        guarded,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # otherwise a client could pretend to be many, each with its own rate
        server_header=False,
        h11_max_incomplete_event_size=_MAX_HEAD,
        timeout_graceful_shutdown=_GRACE,
    )


def _run(server: Server, listener: socket.socket, note: Note, on_ready: Callable[[], None]) -> None:
    for number in HANDLED:  # until the process ends: engines may run longer than the server
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores the end of the terminal
            signal.signal(number, server.handle_exit)
    with _noted(note):
        listener.listen(server.config.backlog)  # from here on, connections wait until they are accepted
        on_ready()
        server.run([listener])


@contextmanager
def _noted(note: Note) -> Iterator[None]:
    """Note errors of uvicorn, asyncio and mcp on one line, at most one a minute; clients could cause many."""
    loggers, handler = [logging.getLogger(name) for name in ("uvicorn", "asyncio", "mcp")], _Notes(note)
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
            logger.propagate = True


class _Notes(logging.Handler):
    def __init__(self, note: Note) -> None:
        super().__init__(logging.ERROR)
        self._note, self._quiet_until = note, 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if time.monotonic() < self._quiet_until:
            return
        self._quiet_until = time.monotonic() + _QUIET
        error = record.exc_info[1] if record.exc_info else None
        self._note(f"{record.getMessage().strip()}{f': {error!r:.300}' if error else ''}")
