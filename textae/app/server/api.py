"""The web application: its page, and the JSON API that the page and scripts use.

Each error is one line of JSON, {"error": "…"}. The OpenAPI document describes parameters and responses; it is made from
the same types that validate them.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from pydantic import JsonValue
from starlette.exceptions import HTTPException

from textae.app.server import answers
from textae.app.server.answers import (
    ErrorResponse,
    NarrowingParameters,
    NotFoundError,
    RankingParameters,
    SearchParameters,
    TextParameters,
)
from textae.app.server.api_page import STYLE_POLICY, api_page
from textae.app.server.engine_pool import BusyError, EnginePool
from textae.app.server.failures import INTERNAL, OUT_OF_RESOURCES, message_of, message_of_parameters
from textae.app.server.guard import POLICY
from textae.app.server.live_map import LiveMap
from textae.app.server.originals import original_answer
from textae.app.server.process import Service
from textae.app.server.requests import refused
from textae.engine import Engine
from textae.errors import StoreError, TextaeError
from textae.types import Topic

_JSON = {"Content-Type": "application/json"}
PAGE_POLICY = "frame-ancestors 'none'"  # the rest of the policy is in the page, which knows the hash of its script


def application(engines: EnginePool, live_map: LiveMap) -> FastAPI:
    """The application over the engines of an index, and its map."""
    app = FastAPI(
        title="textae",
        description='Search a corpus by meaning. An error is one line: {"error": "…"}.',
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=dict.fromkeys(_FAILURES, _failed),
        responses={
            "4XX": {"model": ErrorResponse, "description": "The request is wrong, or not allowed."},
            "5XX": {"model": ErrorResponse, "description": "The index cannot be read now, or the server is busy."},
        },
    )

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        current = live_map.current
        tag = f'"{current.tag}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Security-Policy": PAGE_POLICY}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return HTMLResponse(current.page, headers=headers)

    @app.get("/api", include_in_schema=False)
    async def operations() -> HTMLResponse:
        return HTMLResponse(api_page(app.openapi()), headers={"Content-Security-Policy": f"{POLICY}; {STYLE_POLICY}"})

    @app.get("/api/health")
    async def health() -> dict[str, str]:
        """Whether the server responds."""
        return {"status": "ok"}

    @app.get("/api/info")
    async def info() -> dict[str, JsonValue]:
        """The size of the index, and the settings it was trained with."""
        return await engines.run(answers.info)

    async def hits(search: Callable[[Engine], answers.Hits]) -> Response:
        # FastAPI would check the hits again, and write them on the thread that reads requests.
        return Response(await engines.run(lambda engine: search(engine).model_dump_json()), 200, _JSON)

    @app.get("/api/search", response_model=answers.SearchHits)
    async def search(parameters: Annotated[SearchParameters, Query()]) -> Response:
        """The documents closest to a query."""
        return await hits(lambda engine: answers.search(engine, parameters))

    @app.get("/api/similar/{id:path}", response_model=answers.Hits)
    async def similar(id: str, parameters: Annotated[RankingParameters, Query()]) -> Response:
        """The documents closest to a document, or to several."""
        return await hits(lambda engine: answers.similar(engine, id, parameters))

    @app.post("/api/similar", response_model=answers.Hits)
    async def similar_to_picture(request: Request, parameters: Annotated[NarrowingParameters, Query()]) -> Response:
        """The pictures closest to the picture in the body: a png, jpg, webp, tiff, bmp or gif of any size."""
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > answers.MAX_PICTURE:
                return refused(413, f"a picture has at most {answers.MAX_PICTURE >> 20} MiB", connection="close")
        return await hits(lambda engine: answers.similar_to_picture(engine, bytes(body), parameters))

    @app.get("/api/pictures/{id:path}", response_class=Response)
    async def picture(id: str) -> Response:
        """The picture of a document as a PNG, in the shape that the index has."""
        headers = {"Cache-Control": "private, max-age=60"}  # scrolling a list asks again
        return Response(await engines.run(lambda engine: answers.picture(engine, id)), 200, headers, "image/png")

    @app.get("/api/documents/{id:path}")
    async def document(id: str) -> answers.WholeDocument:
        """A whole document, and the words that the decoder predicts from its code."""
        return await engines.run(lambda engine: answers.document(engine, id))

    @app.get("/api/original/{id:path}", response_class=StreamingResponse)
    async def original(id: str) -> Response:
        """The file that a document was read from."""
        return original_answer(*await engines.run(lambda engine: answers.original(engine, id)))

    @app.get("/api/topics")
    async def topics() -> answers.TopicList:
        """The topics of the map."""
        topics = live_map.current.topics
        return answers.TopicList(areas=topics.groups, documents=topics.documents, without_code=topics.without_code)

    @app.get("/api/topics/{id}")
    async def topic(id: str) -> Topic:
        """An area, as `3`, or a topic in it, as `3.2`."""
        return answers.topic(live_map.current.topics, id)

    @app.get("/api/place")
    async def place(parameters: Annotated[TextParameters, Query()]) -> answers.MapPosition:
        """The position of a text on the map."""
        current = live_map.current
        x, y = current.position(parameters.q)  # on this thread: a model belongs to one, and it takes a millisecond
        return answers.MapPosition(x=x, y=y, commit=current.commit)

    return app


_FAILURES = (RequestValidationError, TextaeError, HTTPException, OSError, MemoryError, Exception)


async def _failed(request: Request, error: Exception) -> Response:
    """The response to a request that failed."""
    if isinstance(error, RequestValidationError):
        return refused(400, message_of_parameters(error.errors(), depth=1))
    if isinstance(error, TextaeError):
        message = message_of(error)
        if isinstance(error, (StoreError, BusyError)):
            return refused(503, message, retry_after="1")
        return refused(404 if isinstance(error, NotFoundError) else 400, message)
    if isinstance(error, (OSError, MemoryError)):
        return refused(503, OUT_OF_RESOURCES, retry_after="1")
    if isinstance(error, HTTPException):
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        return refused(error.status_code, f"{error.detail.lower()}; /api lists the operations", **headers)
    return refused(500, INTERNAL)


WEB = Service("/", ("GET", "HEAD", "POST"), LiveMap, application, pictures=True)
"""The web application of `textae serve`."""
