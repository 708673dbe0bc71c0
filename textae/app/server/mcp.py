"""The Model Context Protocol (modelcontextprotocol.io), by its Python SDK: over standard input and output, or HTTP.

Over HTTP the server keeps no session: each POST is answered with one JSON object. Before it stands the guard of the web
application, with the token; the SDK checks the headers Host and Origin once more.
"""

import asyncio
import json
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp.types import Tool as ListedTool
from pydantic import ValidationError
from starlette.applications import Starlette

from textae.app import signals
from textae.app.engines import opened
from textae.app.server import failures
from textae.app.server.engine_pool import EnginePool
from textae.app.server.live import LiveTopics
from textae.app.server.process import Note, Service, check_texts, query_vectors
from textae.app.server.tools import TOOLS, Toolbox
from textae.errors import StoreError, TextaeError

PATH = "/mcp"
"""Of the server, over HTTP."""

_MAX_BODY = 1 << 20  # bytes of a request
_FIELDS = 30  # names of fields that an assistant is told


def serve_stdio(folder: Path, command: str | None, note: Note) -> None:
    """Serve an index over standard input and output, until the input ends. Only the protocol goes to the output.

    Args:
        folder: the index.
        command: of the program that gives the vectors of queries; None for none.
        note: gets messages for the person, one line each.

    Raises:
        StoreError: there is no index, or it cannot be read.
        TextaeError: the index holds pictures, or the program cannot be started.
    """
    with ExitStack() as stack:
        with opened(folder) as engine:
            check_texts(engine)
            vectors = stack.enter_context(query_vectors(command, engine, note))
        signals.handle(signals.leave_at_once)  # a thread waits for the input, and would be waited for
        engines = stack.enter_context(EnginePool(folder, vectors=vectors))
        topics = LiveTopics(folder, note)
        topics.follow()

        async def served() -> None:
            server = mcp_server(engines, topics)
            async with stdio_server() as (from_client, to_client):
                await server.run(from_client, to_client, server.create_initialization_options())

        asyncio.run(served())
        topics.close()


def application(engines: EnginePool, topics: LiveTopics) -> Starlette:
    """The application over HTTP."""
    over_http: Starlette = mcp_server(engines, topics).streamable_http_app(
        streamable_http_path=PATH, json_response=True, stateless_http=True, max_request_body_size=_MAX_BODY
    )
    return over_http


TOOLS_OVER_HTTP = Service(PATH, ("POST",), LiveTopics, application)
"""The tools of `textae mcp --http`."""


def mcp_server(engines: EnginePool, topics: LiveTopics) -> Server[Any]:
    """The server of the SDK, with the tools of an index."""
    toolbox = Toolbox(engines, topics)
    tools = [
        ListedTool(
            name=name,
            description=tool.description,
            input_schema=tool.parameters.model_json_schema(),
            output_schema=tool.result.model_json_schema(),
            annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False),
        )
        for name, tool in TOOLS.items()
    ]

    async def list_tools(context: object, parameters: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=tools)

    async def call_tool(context: object, parameters: CallToolRequestParams) -> CallToolResult:
        if parameters.name not in TOOLS:
            raise MCPError(INVALID_PARAMS, f"no tool {parameters.name!r:.60}; the tools are {', '.join(TOOLS)}")
        try:
            result = await toolbox.call(parameters.name, parameters.arguments or {})
        except ValidationError as error:
            return _failed(failures.message_of_parameters(error.errors()))
        except TextaeError as error:
            return _failed(failures.message_of(error))
        except (OSError, MemoryError):
            return _failed(failures.OUT_OF_RESOURCES)
        except Exception:  # noqa: BLE001  of a damaged index, whose text is nothing for a client
            return _failed(failures.INTERNAL)
        text = result.model_dump_json()
        return CallToolResult(content=[TextContent(text=text)], structured_content=json.loads(text))

    return Server(
        "textae",
        version=version("textae"),
        title=f"textae: {engines.folder.resolve().name}",
        instructions=_about(engines.folder),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _failed(line: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=line)], is_error=True)


def _about(folder: Path) -> str:
    """What an assistant should know of the index; of the commit at the start."""
    try:
        with opened(folder) as engine:
            fields = sorted(engine.snapshot.field_names)
            documents = len(engine.snapshot.reader)
    except StoreError:  # gone since the server started
        return ""
    more = ", …" if len(fields) > _FIELDS else ""
    return (
        f"Search a private collection of {documents:,} documents on this machine. "
        f"Fields for `where`: {', '.join(fields[:_FIELDS])}{more}."
    )
