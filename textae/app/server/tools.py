"""The tools of an assistant: what each is for, what it takes and gives.

The functions of the JSON API answer, and check the same parameters. Results are shorter, since an assistant pays for
each character that it reads: no marks, fields up to a length, texts in parts.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, JsonValue

from textae.app.server import answers
from textae.app.server.answers import Found, NarrowingParameters, QueryParameters, Text, UnknownWord
from textae.app.server.engine_pool import PATIENCE, EnginePool
from textae.app.server.live import Live, TopicsOfCommit
from textae.engine import Engine
from textae.errors import QueryError
from textae.search.originals import part_named, place_at, start_of_line
from textae.types import Document, Topic, Topics, TypicalDocument

MAX_PART = 100_000
"""Characters of a text that are given at once."""

_PART, _TITLE = 10_000, 300
_OF_A_HIT, _OF_A_DOCUMENT = 500, 10_000  # characters of fields


class SimilarParameters(NarrowingParameters):
    """Parameters of `similar`."""

    id: Text = Field(description="The id of a document, as a hit has it.")


class GetParameters(BaseModel, extra="forbid"):
    """Parameters of `get`."""

    id: Text = Field(description="The id of a document, as a hit has it.")
    place: Text = Field("", description="Begin here: the `place` of a hit, as `page 12` or `line 42`.")
    offset: int = Field(0, ge=0, description="Begin at this character, counted from the place or the beginning.")
    length: int = Field(_PART, ge=1, le=MAX_PART, description="Maximum number of characters.")


class TopicParameters(BaseModel, extra="forbid"):
    """Parameters of `topics`."""

    id: str = Field("", max_length=100, description="A topic, as `3.2`, or a group, as `3`; by default all.")


class FoundDocuments(BaseModel):
    """Documents, the best first."""

    hits: list[Found]
    next_offset: int | None = Field(description="The `offset` of the next page; null if this is the last one.")
    ignored: list[str] = Field(description="Stop words in `must`, which are ignored.")


class FoundByQuery(FoundDocuments):
    """Documents that a query finds."""

    matching: int | None = Field(description="Documents that `where` and `must` match; null with `q`.")
    unknown: list[UnknownWord] = Field(description="Words of the query that have no effect, with similar words.")
    only_stop_words: bool = Field(description="Whether nothing was found because the query has only stop words.")


class DocumentPart(BaseModel):
    """A part of the text of a document."""

    id: str
    title: str
    text: str
    place: str = Field(description="Of the beginning of this part in the file; empty if it is not known.")
    next_offset: int | None = Field(description="The `offset` of the next part; null if this is the last one.")
    characters: int = Field(description="Of the whole text.")
    fields: dict[str, JsonValue]


class ListedTopic(BaseModel):
    """A topic, or a group of topics."""

    id: str = Field(description="`3` of a group, `3.2` of a topic in it.")
    words: list[str] = Field(description="That tell it from others, the most telling first.")
    documents: int
    typical: list[TypicalDocument] = Field(description="Typical documents; only with `id`.")


class TopicList(BaseModel):
    """Topics, each group before its topics."""

    topics: list[ListedTopic]
    documents: int = Field(description="Documents that belong to a topic.")
    without_code: int = Field(description="Documents that belong to none.")


def _search(engine: Engine, parameters: QueryParameters) -> FoundByQuery:
    found = answers.search(engine, parameters)
    beside = found.model_dump(include={"ignored", "matching", "unknown", "only_stop_words"})
    return FoundByQuery(**_short(found), **beside)


def _similar(engine: Engine, parameters: SimilarParameters) -> FoundDocuments:
    found = answers.similar(engine, parameters.id, parameters)
    return FoundDocuments(**_short(found), ignored=found.ignored)


def _short(found: answers.Hits) -> dict[str, Any]:
    hits = []
    for hit in found.hits:
        values = hit.model_dump(include=set(Found.model_fields))
        hits.append(Found(**values | {"title": hit.title[:_TITLE], "fields": _fitting(hit.fields, _OF_A_HIT)}))
    return {"hits": hits, "next_offset": found.next_offset}


def _get(engine: Engine, parameters: GetParameters) -> DocumentPart:
    answers.check_exists(engine, parameters.id)
    document = engine.snapshot.document(parameters.id)
    begin = _start(document, parameters.place)
    start = min(begin + parameters.offset, len(document.text))
    end = start + parameters.length
    return DocumentPart(
        id=document.id,
        title=document.title[:_TITLE],
        text=document.text[start:end],
        place=place_at(document, start),
        next_offset=end - begin if end < len(document.text) else None,
        characters=len(document.text),
        fields=_fitting(document.fields, _OF_A_DOCUMENT),
    )


def _start(document: Document, place: str) -> int:
    """The first character of a place, as hits name it.

    Raises:
        QueryError: there is no such place.
    """
    kind, _, name = place.strip().partition(" ")
    if not kind:
        return 0
    if kind != "line":
        return part_named(document, name)[0]
    if not (name.isascii() and name.isdigit() and len(name) < 10):
        raise QueryError(f"place is {place!r:.60}; give one as hits have it, such as 'line 42' or 'page 12'")
    return start_of_line(document, int(name))


def _fitting(fields: Mapping[str, JsonValue], most: int) -> dict[str, JsonValue]:
    """The first fields that are no longer than so many characters of JSON together; a longer one is left out."""
    kept: dict[str, JsonValue] = {}
    for name, value in fields.items():
        length = len(name) + len(json.dumps(value, ensure_ascii=False))
        if length <= most:
            kept[name] = value
            most -= length
    return kept


def _topics(topics: Topics, parameters: TopicParameters) -> TopicList:
    chosen = [answers.topic(topics, parameters.id)] if parameters.id else topics.groups
    return TopicList(
        topics=[_listed(topic, bool(parameters.id)) for group in chosen for topic in (group, *group.topics)],
        documents=topics.documents,
        without_code=topics.without_code,
    )


def _listed(topic: Topic, with_documents: bool) -> ListedTopic:
    typical = list(topic.typical) if with_documents else []
    return ListedTopic(id=topic.id, words=list(topic.words), documents=topic.documents, typical=typical)


@dataclass(frozen=True)
class Tool:
    """A tool.

    Attributes:
        description: for the assistant.
        parameters: what it takes.
        result: what it gives.
        answer: the result, of an engine or of topics, and parameters.
    """

    description: str
    parameters: type[BaseModel]
    result: type[BaseModel]
    answer: Callable[[Any, Any], BaseModel]


TOOLS: Mapping[str, Tool] = {
    "search": Tool(
        "Search the documents by words and by meaning; returns the best ones, each with the passage that matches best. "
        "`where` filters by fields: field:value, field:=value (the whole field), field:[low TO high]; `must` by words "
        'of the text; both take AND, OR, NOT, (…), "phrases" and prefix*. Use `get` to read a document, and `offset` '
        "for more hits.",
        QueryParameters,
        FoundByQuery,
        _search,
    ),
    "get": Tool(
        "Read a document, or a part of a long one. `place` begins at the place of a hit; `offset` goes on where the "
        "last part ended.",
        GetParameters,
        DocumentPart,
        _get,
    ),
    "similar": Tool(
        "Find the documents that are most like a document. `like` adds other good examples, `unlike` bad ones.",
        SimilarParameters,
        FoundDocuments,
        _similar,
    ),
    "topics": Tool(
        "List what the documents are about: groups of topics, and their topics, by telling words. With `id`, also "
        "typical documents. Good for an overview of an unknown corpus.",
        TopicParameters,
        TopicList,
        _topics,
    ),
}


class Toolbox:
    """The tools over an index.

    Args:
        engines: of the index.
        topics: of the index.
    """

    def __init__(self, engines: EnginePool, topics: Live[TopicsOfCommit]) -> None:
        self._engines, self._live_topics = engines, topics

    async def call(self, name: str, arguments: Mapping[str, Any]) -> BaseModel:
        """The result of a tool.

        Raises:
            KeyError: there is no such tool.
            ValidationError: of pydantic: an argument is wrong.
            TextaeError: what the tool raises.
        """
        tool = TOOLS[name]
        parameters = tool.parameters.model_validate(dict(arguments))
        if name == "topics":
            await asyncio.to_thread(self._live_topics.wait, PATIENCE)  # at the start they may have to be learned
            return tool.answer(self._live_topics.current.topics, parameters)
        return await self._engines.run(lambda engine: tool.answer(engine, parameters))
