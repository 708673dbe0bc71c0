"""The application: its page, and the API that the page and scripts use.

Whatever is wrong is said in one line of JSON, {"error": "…"}; what can be asked and what is answered is in the OpenAPI
document, which is made of the same types that check it.
"""

import re
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from pydantic import JsonValue
from starlette.exceptions import HTTPException

from textae.app.server import answers
from textae.app.server.answers import Asked, Failure, Narrowed, NotFoundError, Search
from textae.app.server.engines import Engines
from textae.app.server.guard import POLICY, refused
from textae.app.server.listing import STYLES, listing
from textae.app.server.maps import Map
from textae.errors import StoreError, TextaeError
from textae.types import Topic

_OPTION = re.compile(r"--(where|must)\b")
_LONGEST_ERROR = 500
PAGE_POLICY = "frame-ancestors 'none'"  # the others are in the page, which knows its script
_FAILURES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Failure, "description": "What was asked cannot be answered, or not to this client."},
    "5XX": {"model": Failure, "description": "The index cannot be read now, or there is too much to do."},
}


def application(engines: Engines, shown: Map) -> FastAPI:
    """The application over the engines of an index, and its map."""
    app = FastAPI(
        title="textae",
        description='Search a corpus by meaning. Whatever is wrong is said in one line: {"error": "…"}.',
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=_FAILURES,
    )
    _say_what_is_wrong(app)
    _add_questions(app, engines)
    _add_map(app, shown)

    @app.get("/api", include_in_schema=False)
    async def operations() -> HTMLResponse:
        return HTMLResponse(listing(app.openapi()), headers={"Content-Security-Policy": f"{POLICY}; {STYLES}"})

    return app


def _add_questions(app: FastAPI, engines: Engines) -> None:
    @app.get("/api/health")
    async def health() -> dict[str, str]:
        """Whether the server answers at all."""
        return {"status": "ok"}

    @app.get("/api/info")
    async def info() -> dict[str, JsonValue]:
        """What the index holds, and how it was learned."""
        return await engines.ask(answers.info)

    @app.get("/api/search")
    async def search(asked: Annotated[Search, Query()]) -> answers.SearchHits:
        """The documents closest to a query."""
        return await engines.ask(lambda engine: answers.search(engine, asked))

    @app.get("/api/similar/{id:path}")
    async def similar(id: str, asked: Annotated[Narrowed, Query()]) -> answers.Hits:
        """The documents closest to a document, or to several."""
        return await engines.ask(lambda engine: answers.similar(engine, id, asked))

    @app.get("/api/documents/{id:path}")
    async def document(id: str) -> answers.WholeDocument:
        """A whole document, and what its code says in words."""
        return await engines.ask(lambda engine: answers.document(engine, id))


def _add_map(app: FastAPI, map: Map) -> None:
    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        shown = map.shown
        tag = f'"{shown.tag}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Security-Policy": PAGE_POLICY}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return HTMLResponse(shown.page, headers=headers)

    @app.get("/api/topics")
    async def topics() -> answers.TopicList:
        """The topics of the map."""
        found = map.shown.topics
        return answers.TopicList(areas=found.groups, documents=found.documents, without_code=found.without_code)

    @app.get("/api/topics/{id}")
    async def topic(id: str) -> Topic:
        """A topic of topics, as `3`, or one in it, as `3.2`."""
        return answers.topic(map.shown.topics, id)

    @app.get("/api/place")
    async def place(asked: Annotated[Asked, Query()]) -> answers.Place:
        """Where a text is on the map."""
        shown = map.shown
        found = shown.place(asked.q)  # here, as a model belongs to one thread, and it takes a millisecond
        return answers.Place(commit=shown.commit, x=found and found[0], y=found and found[1])


def _say_what_is_wrong(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def cannot_be(request: Request, error: RequestValidationError) -> Response:
        return refused(400, _short("; ".join(map(_mistake, error.errors()))))

    @app.exception_handler(TextaeError)
    async def cannot_be_answered(request: Request, error: TextaeError) -> Response:
        status = 503 if isinstance(error, StoreError) else 404 if isinstance(error, NotFoundError) else 400
        return refused(status, _short(_OPTION.sub(r"\1", str(error))), "1" if status == 503 else None)

    @app.exception_handler(HTTPException)
    async def is_not_there(request: Request, error: HTTPException) -> Response:
        return refused(error.status_code, f"{error.detail.lower()}; /api lists what can be asked")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return refused(500, "this went wrong; 'textae doctor' says whether the index is damaged")


def _mistake(error: dict[str, Any]) -> str:
    """What is wrong with a parameter, in words."""
    where = " ".join(str(part) for part in error["loc"][1:])
    if error["type"] == "extra_forbidden":
        return f"{where}: there is no such parameter"
    said = re.sub("^(Input|String|List|Value error,) ", "", error["msg"])
    given = f"; given: {error['input'][:40]!r}" if isinstance(error["input"], str) else ""
    return f"{f'{where}: ' if where else ''}{said[:1].lower()}{said[1:]}{given}"


def _short(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= _LONGEST_ERROR else f"{line[: _LONGEST_ERROR - 1]}…"
