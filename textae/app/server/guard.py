"""What stands before the application: who may ask, how often, and what a browser may do with the answers.

The server reads an index and nothing else; still, any page that a person visits can send requests to their own machine.
So a request must call the server by a name that it is bound to, which a page that had its name changed to this
machine's address (DNS rebinding) does not; scripts of other sites' pages are not answered; and beyond the machine
itself a token is asked for.
"""

import hmac
import ipaddress
import time
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What a browser may do with an answer: nothing."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer that does not have its own."""

LOCAL_NAMES = frozenset({"localhost"})
MOST_CLIENTS = 10_000
"""Whose requests are counted at a time."""


@dataclass(frozen=True)
class Rules:
    """What a request must keep to.

    Attributes:
        names: that the server may be called by, beside the addresses of the machine that it runs on.
        local: whether it is bound to the machine itself alone.
        token: that must be shown; None for none.
        cookie: the name of the cookie that holds the token; cookies know no ports, so it has the server's in it.
        rate: requests a second of one client, on the average; 0 for any number.
        at_once: requests that are worked on at the same time.
    """

    names: frozenset[str] = LOCAL_NAMES
    local: bool = True
    token: str | None = None
    cookie: str = "textae"
    rate: float = 0
    at_once: int = 64

    def allows(self, host: str) -> bool:
        """Whether a `Host` header calls the server by a name of its own; an address is never another's name."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        try:
            return ipaddress.ip_address(name).is_loopback or not self.local
        except ValueError:
            return name.rstrip(".") in self.names


class Buckets:
    """A bucket of tokens for each client (token bucket): a request takes one, and `rate` of them a second come back.

    Args:
        rate: tokens a second.
        clock: in seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, max(1.0, 2 * rate), clock
        self._left: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        """Clients whose buckets are counted."""
        return len(self._left)

    def wait(self, client: str) -> float:
        """Take a token; gives the seconds until there is one again where there is none."""
        now = self._clock()
        left = min(self._burst, self._at(client, now))
        if left < 1:
            return (1 - left) / self._rate
        if len(self._left) >= MOST_CLIENTS and client not in self._left:
            self._forget(now)
        self._left[client] = (left - 1, now)
        return 0.0

    def _at(self, client: str, now: float) -> float:
        left, when = self._left.get(client, (self._burst, now))
        return left + (now - when) * self._rate

    def _forget(self, now: float) -> None:
        """Keep only those whose buckets are not full again; where all are in use, none: a full one is what is new."""
        self._left = {client: state for client, state in self._left.items() if self._at(client, now) < self._burst}
        if len(self._left) >= MOST_CLIENTS:
            self._left.clear()


class Guard:
    """The application behind its rules.

    Args:
        application: that is guarded.
        rules: of requests.
    """

    def __init__(self, application: ASGIApp, rules: Rules) -> None:
        self._application, self._rules = application, rules
        self._buckets = Buckets(rules.rate)
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application do it."""
        if scope["type"] != "http":
            return await self._application(scope, receive, send)

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message)
            await send(message)

        refusal = next(self._refusals(scope), None)
        if refusal is not None:
            return await refusal(scope, receive, send_with_headers)
        self._running += 1
        try:
            await self._application(scope, receive, send_with_headers)
        finally:
            self._running -= 1

    def _refusals(self, scope: Scope) -> Iterator[Response]:
        """What is answered instead, where there is anything to be said against a request; the first is meant."""
        headers, rules = Headers(scope=scope), self._rules
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not rules.allows(hosts[0]):
            yield refused(421, "this server is not called so; use the address that 'textae serve' printed")
        if not _is_own(scope["method"], headers, hosts[0]):
            yield refused(403, "only pages of this server may ask it, and programs")
        if rules.rate and (seconds := self._buckets.wait(scope["client"][0] if scope["client"] else "")):
            wait = str(int(seconds) + 1)
            yield refused(429, f"more than {rules.rate:g} requests a second; try again in {wait} s", wait)
        if rules.token is not None and not self._is_shown(rules.token, headers):
            yield self._with_cookie(rules.token, scope) or refused(
                401, "a token is needed; send it as 'Authorization: Bearer TOKEN', or open the address with ?token="
            )
        if self._running >= rules.at_once:
            yield refused(503, f"{rules.at_once} requests are being worked on; try again", "1")

    def _is_shown(self, token: str, headers: Headers) -> bool:
        kind, _, value = headers.get("authorization", "").partition(" ")
        shown = (
            value.strip()
            if kind.lower() == "bearer"
            else cookie_parser(headers.get("cookie", "")).get(self._rules.cookie)
        )
        return shown is not None and _is_same(shown, token)

    def _with_cookie(self, token: str, scope: Scope) -> Response | None:
        """Where the address shows the token: the cookie that shows it from now on, and the address without it."""
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        shown = [value for name, value in asked if name == "token"]
        if scope["method"] != "GET" or not shown or not _is_same(shown[0], token):
            return None
        rest = urlencode([(name, value) for name, value in asked if name != "token"])
        # One slash at the beginning: with two, the first part of the path would be another machine's name.
        path = "/" + quote(scope["path"].lstrip("/\\"))
        answer = Response(status_code=303, headers={"Location": f"{path}?{rest}" if rest else path})
        answer.set_cookie(self._rules.cookie, token, httponly=True, samesite="strict")
        return answer


def refused(status: int, error: str, retry_after: str | None = None) -> JSONResponse:
    """An answer that says in one line why there is no other."""
    headers = {"Retry-After": retry_after} if retry_after else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": error}, status, headers)


def _is_own(method: str, headers: Headers, host: str) -> bool:
    """Whether a request comes from a page of this server or from no page, or follows a link.

    Where the answer would be shown as a page of its own, other sites' pages may lead to it; they do not see it.
    """
    if method not in ("GET", "HEAD"):
        origin = headers.get("origin", f"http://{host}").lower()
        return origin in (f"http://{host.lower()}", f"https://{host.lower()}")
    site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode")
    return site in ("none", "same-origin") or mode == "navigate"


def _is_same(shown: str, token: str) -> bool:
    """Compare in a time that does not depend on how much is right."""
    return hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), token.encode())


def _add_headers(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
