"""The guard in front of the application: which requests it answers, how many, and what a browser may do with answers.

Any web page that a person visits can send requests to that person's own machine. The server only reads an index;
still, three rules keep other pages out:

- the Host header must name this server. A page whose own name was changed to this machine's address (DNS rebinding)
  sends another one;
- scripts of other sites get no answer;
- other users of this machine can connect, too, so a request must carry a token, unless it is turned off. A token that
  was drawn is not required of programs of the server's own user, where the system tells whose a connection is.
"""

import asyncio
import hmac
import ipaddress
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from textae.app.server.peer import is_own_user
from textae.app.server.requests import malformed, refused, routed, send_in_pieces

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of answers: a browser runs and loads nothing."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every answer that does not set its own."""

LOCAL_NAMES = frozenset({"localhost"})
MOST_CLIENTS = 10_000
"""Maximum number of clients whose requests are counted."""


@dataclass(frozen=True)
class Rules:
    """The rules for requests.

    Attributes:
        names: host names of the server, beside the addresses of its machine.
        local: whether the server listens to its own machine alone.
        token: required of every request; None for no token.
        cookie: name of the cookie with the token. Cookies ignore ports, so the name contains the server's port.
        rate: requests a second of one client, on average; 0 for no limit.
        own_user: whether a request of the server's own user needs no token.
        methods: that are answered.
    """

    names: frozenset[str] = LOCAL_NAMES
    local: bool = True
    token: str | None = None
    cookie: str = "textae"
    rate: float = 0
    own_user: bool = False
    methods: tuple[str, ...] = ("GET", "HEAD")

    def allows(self, host: str) -> bool:
        """Whether a Host header names this server. Any address will do: DNS rebinding needs a name.

        Starlette's TrustedHostMiddleware compares with a list of names, and cannot allow a network's addresses.
        """
        with suppress(ValueError):
            name = urlsplit(f"//{host}").hostname or ""
            if name.rstrip(".") in self.names:
                return True
            return ipaddress.ip_address(name).is_loopback or not self.local
        return False


class Buckets:
    """Token buckets, one a client: each request takes a token, and `rate` tokens a second return, up to 2 · rate.

    Args:
        rate: tokens a second.
        clock: gives the time in seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, max(1.0, 2 * rate), clock
        self._full_at: dict[str, float] = {}  # when the bucket of a client is full again

    def __len__(self) -> int:
        """The number of clients whose requests are counted."""
        return len(self._full_at)

    def wait(self, client: str) -> float:
        """Take a token and return 0; without one, return the seconds until the next."""
        now = self._clock()
        full_at = max(now, self._full_at.get(client, now))
        left = self._burst - (full_at - now) * self._rate
        if left < 1:
            return (1 - left) / self._rate
        if len(self._full_at) >= MOST_CLIENTS and client not in self._full_at:
            # A full bucket is as good as none. When every bucket is in use, all are dropped: memory stays bounded.
            self._full_at = {one: when for one, when in self._full_at.items() if when > now}
            if len(self._full_at) >= MOST_CLIENTS:
                self._full_at.clear()
        self._full_at[client] = full_at + 1 / self._rate
        return 0.0


class Guard:
    """ASGI middleware that applies the rules.

    Args:
        application: the guarded application.
        rules: the rules for requests.
    """

    def __init__(self, application: ASGIApp, rules: Rules) -> None:
        self._application, self._rules = application, rules
        self._buckets = Buckets(rules.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it to the application."""
        if scope["type"] != "http":
            return await self._application(scope, receive, send)

        started = False
        headers = Headers(scope=scope)

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                of_answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    of_answer.setdefault(name, value)
                if "expect" in headers:  # the client may or may not send the body that it announced
                    of_answer["Connection"] = "close"
                await send(message)
            else:
                await send_in_pieces(message, send)

        try:
            answer: Response | None = malformed(scope, headers, self._rules.methods)
            if answer is None:
                scope, host = routed(scope, headers)
                answer = self._refusal(scope, headers, host)
            await (answer or self._application)(scope, receive, send_with_headers)
        except asyncio.CancelledError:  # the server stops, and the request took too long
            if not started:
                await refused(503, "the server is stopping", retry_after="1")(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers, host: str) -> Response | None:
        """The answer to a request that breaks a rule."""
        rules = self._rules
        if not rules.allows(host):
            return refused(421, "unknown Host header; use the address that 'textae serve' printed")
        if not _is_same_origin(scope, headers):
            return refused(403, "request from another site's page; only this server's own page and programs may ask")
        if rules.rate and (seconds := self._buckets.wait(scope["client"][0] if scope["client"] else "")):
            wait = str(int(seconds) + 1)
            return refused(429, f"more than {rules.rate:g} requests a second; try again in {wait} s", retry_after=wait)
        if rules.token is not None and not _has_token(headers, rules.cookie, rules.token):
            if scope["method"] == "GET" and (answer := _login(scope, rules.cookie, rules.token)):
                return answer
            if rules.own_user and "authorization" not in headers and is_own_user(scope["client"], scope["server"]):
                return None
            return refused(
                401,
                "token required; send 'Authorization: Bearer TOKEN', or open the address with ?token=TOKEN",
                www_authenticate="Bearer",
            )
        return None


def _is_same_origin(scope: Scope, headers: Headers) -> bool:
    """Whether a page of this server or a program sent a request; or a link, as the linking page sees no answer."""
    site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode")
    return site in ("none", "same-origin") or (mode == "navigate" and scope["method"] == "GET")


def _has_token(headers: Headers, cookie: str, token: str) -> bool:
    kind, _, value = headers.get("authorization", "").partition(" ")
    sent = value.strip() if kind.lower() == "bearer" else cookie_parser(headers.get("cookie", "")).get(cookie)
    return sent is not None and _equal(sent, token)


def _login(scope: Scope, cookie: str, token: str) -> Response | None:
    """Redirect an address with the token to the same address without it, and set the cookie."""
    parameters = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    sent = next((value for name, value in parameters if name == "token"), None)
    if sent is None or not _equal(sent, token):
        return None
    rest = urlencode([(name, value) for name, value in parameters if name != "token"])
    # Two slashes at the beginning would make the first part of the path the name of another machine.
    path = "/" + quote(scope["path"].lstrip("/\\"))
    answer = Response(status_code=303, headers={"Location": f"{path}?{rest}" if rest else path})
    # "lax", since the page that `--open` opens is of another site: links reach this server, and scripts do not.
    answer.set_cookie(cookie, token, httponly=True, samesite="lax")
    return answer


def _equal(sent: str, token: str) -> bool:
    """Compare in a time that does not tell how much of it is right."""
    return hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), token.encode())
