"""What HTTP demands of a server, and uvicorn leaves to the application (RFC 9110, RFC 9112).

h11 checks the syntax of requests. Here are the rules for methods, for the target and the Host header, and for two
lengths of one body, which programs before the server could read in another way (request smuggling).
"""

import re
from collections.abc import Sequence
from http import HTTPMethod
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Message, Scope, Send

PIECE = 1 << 16
"""Bytes of an answer that are sent at once; the next piece waits until the client has read most of them."""

_ABSOLUTE = re.compile(r"https?://([^/?#]*)(/.*)?", re.I)
_AUTHORITY = re.compile(r"(?:[\w.~!$&'()*+,;=%-]+|\[[\da-f:.]+\])(?::\d{0,5})?", re.I | re.A)  # RFC 3986, 3.2, no user


def refused(status: int, error: str, **headers: str) -> JSONResponse:
    """A failure as JSON, with one line that says why; `retry_after="1"` is a header."""
    return JSONResponse({"error": error}, status, {name.replace("_", "-"): value for name, value in headers.items()})


def malformed(scope: Scope, headers: Headers, methods: Sequence[str]) -> JSONResponse | None:
    """The answer to a request that HTTP forbids, or that this server has no method for.

    Args:
        scope: of the request.
        headers: of the request.
        methods: that the server answers.
    """
    method, version = scope["method"], scope["http_version"]
    chunked = "transfer-encoding" in headers
    if chunked and ("content-length" in headers or version == "1.0"):
        why = "a body has one length; send Content-Length, or Transfer-Encoding with HTTP/1.1"
        return refused(400, why, connection="close")
    if not version.startswith("1."):
        return refused(505, "unknown version of HTTP; use HTTP/1.1", connection="close")
    if method not in methods:
        status = 405 if method in HTTPMethod.__members__ else 501
        return refused(status, f"only {' and '.join(methods)} requests are answered", allow=", ".join(methods))
    if not scope["path"].startswith("/") and not _ABSOLUTE.match(scope["path"]):
        return refused(400, "the target of a request is a path, /api, or an address, http://…/api")
    hosts = headers.getlist("host")
    if len(hosts) > 1 or (not hosts and version != "1.0") or not all(map(_AUTHORITY.fullmatch, hosts)):
        return refused(400, "a request needs one Host header: a name or an address, and a port or none")
    return None


def routed(scope: Scope, headers: Headers) -> tuple[Scope, str]:
    """A request as the application knows requests, and the host that it is for.

    The target may be a whole address, whose host counts more than the Host header. HTTP/1.0 knows no Host: then this
    is the server's own machine. HEAD is GET; uvicorn sends no body.

    Args:
        scope: of a request that is not `malformed`.
        headers: of the request.
    """
    host = headers.get("host", "localhost")
    if absolute := _ABSOLUTE.match(scope["path"]):
        raw = _ABSOLUTE.match(scope["raw_path"].decode("ascii"))
        host, path = absolute[1], unquote((raw and raw[2]) or "/")
        scope = {**scope, "path": path, "raw_path": path.encode()}
    return {**scope, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}, host


async def send_in_pieces(message: Message, send: Send) -> None:
    """Send a body; of a large one, a piece when the client has read the one before."""
    body = message.get("body", b"")
    for end in range(PIECE, max(len(body), 1) + PIECE, PIECE):
        more = end < len(body) or message.get("more_body", False)
        await send({**message, "body": body[end - PIECE : end], "more_body": more})
