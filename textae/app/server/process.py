"""The server process: it listens until a signal stops it, and then finishes the running requests."""

import errno
import ipaddress
import os
import re
import secrets
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from textae.app.cli.searching import ServerOptions
from textae.app.server.api import application
from textae.app.server.engine_pool import EnginePool
from textae.app.server.guard import LOCAL_NAMES, Guard, Rules
from textae.app.server.live_map import LiveMap
from textae.engine import Engine
from textae.errors import TextaeError
from textae.types import PICTURES, Progress

OnReady = Callable[[str, str | None], None]

PORT = 8080
"""The default port."""

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,200}")
_MAX_HEAD = 1 << 17  # bytes of a request's head: a query of 10,000 characters, each four bytes as %F0%9F%8D%9E
_GRACE = 10  # seconds that running requests have after the signal


def serve(
    folder: Path, options: ServerOptions, on_ready: OnReady, note: Callable[[str], None], progress: Progress
) -> None:
    """Serve an index until SIGINT or SIGTERM.

    Args:
        folder: the index.
        options: where to listen, and for whom.
        on_ready: gets the URL and the token when the server listens.
        note: gets messages for the person, one line each.
        progress: of making the map.

    Raises:
        StoreError: there is no index, or it cannot be read.
        TextaeError: the index holds pictures; the address or port is not available; or the token is malformed.
    """
    if options.token is not None and not _TOKEN.fullmatch(options.token):
        raise TextaeError("a token has 8 to 200 letters, digits, or any of . _ ~ -; give another one, or none")
    with Engine.open(folder) as engine:
        if engine.snapshot.modality.kind == PICTURES:
            raise TextaeError(
                f"serving is for texts, and the index {folder} holds pictures; 'textae map OUT.html' shows them in a "
                "browser, and 'textae similar PICTURE' searches them"
            )
    with bound(options.host, options.port) as listener, EnginePool(folder) as engines:
        live_map = LiveMap(folder, note)
        try:
            live_map.update(progress)
        except TextaeError as error:
            note(f"searching without a map: {error}")
        live_map.follow()
        ip, port = listener.getsockname()[:2]
        address = ipaddress.ip_address(ip)
        if options.port is None and port != PORT:
            note(f"port {PORT} is taken")
        local = address.is_loopback
        names = {*LOCAL_NAMES, options.host.lower()} | (set() if local else {socket.gethostname().lower()})
        token = options.token or (None if local else secrets.token_urlsafe(24))
        rules = Rules(frozenset(names), local, token, f"textae-{port}", options.rate)
        name = socket.gethostname() if address.is_unspecified else options.host
        url = f"http://{f'[{name}]' if ':' in name else name}:{port}/"
        _run(Guard(application(engines, live_map), rules), listener, lambda: on_ready(url, token))
        live_map.close()


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


def _run(guarded: Guard, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    config = uvicorn.Config(
        guarded,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # otherwise a client could pretend to be many, each with its own rate
        server_header=False,
        h11_max_incomplete_event_size=_MAX_HEAD,
        timeout_graceful_shutdown=_GRACE,
    )
    server = uvicorn.Server(config)

    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    # At its end, uvicorn raises the signal again that stopped it; this handler takes it.
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        listener.listen(config.backlog)  # from here on, connections wait until uvicorn accepts them
        on_ready()
        server.run([listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
