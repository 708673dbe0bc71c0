"""Parameters and responses of the API, and the functions that compute the responses.

The models here make the OpenAPI document. The functions run on the thread of the engine that they get; a wrong
parameter raises a `QueryError`.
"""

import io
import os
import time
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, Field, JsonValue, model_validator

from textae.config import PICTURE_SYSTEMS, SYSTEMS
from textae.corpus.images import picture_in
from textae.engine import Engine
from textae.errors import QueryError
from textae.explore.decode import decode_documents
from textae.search.originals import address, open_original
from textae.search.request import SearchRequest, SearchResult
from textae.search.vector_command import json_vector
from textae.types import Explanation, LikelyWord, Topic, Topics
from textae.views import png

MAX_LENGTH = 10_000
"""Characters of a query, a filter, or an id."""

MAX_VECTOR = 100_000
"""Characters of a vector."""

MAX_HITS = 200
MAX_OFFSET = 10_000
"""Hits of earlier pages."""

MAX_EXPLAINED = 20
"""Hits that are explained: each takes as long as several searches."""

MAX_IDS = 50
"""Documents of relevance feedback."""

MAX_PICTURE = 16 << 20
"""Bytes of a picture that a client sends."""

_HINTS = 5  # unknown words with suggestions; each takes as long as a search
_WORDS = 20  # of a document's code

Text = Annotated[str, Field(max_length=MAX_LENGTH)]
Ids = Annotated[list[Text], Field(max_length=MAX_IDS)]


class TopicList(BaseModel):
    """The topics of the map."""

    areas: tuple[Topic, ...] = Field(description="Groups of topics.")
    documents: int = Field(description="Documents that belong to a topic.")
    without_code: int = Field(description="Documents that belong to none: the encoder knows no word of them.")


class NotFoundError(QueryError):
    """No document or topic has this id."""


class TextParameters(BaseModel, extra="forbid"):
    """A query."""

    q: Text = Field(description="Words, or a text.")


class NarrowingParameters(BaseModel, extra="forbid"):
    """Parameters of search and of similar documents: which system ranks, and which documents may be hits."""

    k: int = Field(10, ge=1, le=MAX_HITS, description="Maximum number of hits.")
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="Leave out the best hits: those of earlier pages.")
    mode: Text | None = Field(
        None,
        description=f"The system that ranks: {', '.join((*SYSTEMS, 'lsa-N', 'bits-N', 'hamming-N'))}; of pictures "
        f"{', '.join(PICTURE_SYSTEMS)}. null: hybrid, of pictures code.",
    )
    where: Text | None = Field(None, description="Filter by fields: `year:[2010 TO 2012]`.")
    must: Text | None = Field(None, description='Filter by words of the text: `"noisy signal" NOT image`.')
    min_score: float = Field(0, ge=0, description="Only hits that score higher; `hybrid` scores from 0 to 1.")
    like: Ids = Field([], description="Rank documents like these ids higher.")
    unlike: Ids = Field([], description="Rank documents like these ids lower.")


class RankingParameters(NarrowingParameters):
    """Parameters of search and of similar documents in the JSON API."""

    feedback: bool | None = Field(
        None, description="Search twice, the second time for what is like the best hits; null: `hybrid` does."
    )
    explain: bool = Field(False, description=f"Explain the score of each hit; k is at most {MAX_EXPLAINED} then.")

    @model_validator(mode="after")
    def _few_are_explained(self) -> Self:
        if self.explain and self.k > MAX_EXPLAINED:
            raise ValueError(f"at most {MAX_EXPLAINED} hits are explained, and k is {self.k}")
        return self


class QueryParameters(NarrowingParameters, TextParameters):
    """Parameters of a search."""

    q: Text = Field("", description="Words, or a text. Without it, `where` and `must` list what they match, by id.")
    granularity: Literal["passage", "document"] = Field(
        "passage", description="In an index of passages, rank each document by its best passage, or as a whole."
    )
    expand: bool = Field(False, description="Also search for keywords that the decoder predicts from the query.")


class SearchParameters(QueryParameters, RankingParameters):
    """Parameters of a search in the JSON API."""

    vector: Annotated[str, Field(max_length=MAX_VECTOR)] | None = Field(
        None, description="The query's vector, a JSON list, if the index has vectors of a model of yours."
    )


class Found(BaseModel, from_attributes=True):
    """A hit."""

    rank: int = Field(description="From 1.")
    id: str
    score: float = Field(description="Higher is better; of `hybrid` from 0 to 1, else comparable in one response.")
    title: str
    snippet: str = Field(description="The passage that matches best.")
    fields: dict[str, JsonValue]
    place: str = Field(description="Of the passage in its file: `line 42`, `page 12`; empty if it is not known.")


class SearchHit(Found):
    """A hit in the JSON API."""

    marks: list[tuple[int, int]] = Field(
        description="Matching parts of the snippet: start and end, in characters (code points)."
    )
    original: str | None = Field(None, description="The path of its file on this server; null without a file.")
    explanation: Explanation | None = Field(description="The parts of the score; only with `explain`.")


class UnknownWord(BaseModel):
    """A word that has no effect on the system."""

    word: str
    did_you_mean: list[str] = Field(description="Similar words of the corpus.")


class Hits(BaseModel):
    """Hits."""

    hits: list[SearchHit]
    next_offset: int | None = Field(description="The `offset` of the next page; null if this is the last one.")
    ignored: list[str] = Field(description="Stop words in `must`, which are ignored.")
    milliseconds: float = Field(description="Time in the engine.")
    commit: str = Field(description="The commit of the index that was searched.")


class SearchHits(Hits):
    """Hits of a query."""

    query: str
    matching: int | None = Field(description="Documents that `where` and `must` match; null with `q`.")
    unknown: list[UnknownWord] = Field(description="Words of the query that have no effect on the system.")
    only_stop_words: bool = Field(description="Whether the query has only stop words.")


class WholeDocument(BaseModel):
    """A document."""

    id: str
    title: str
    text: str
    fields: dict[str, JsonValue]
    original: str | None = Field(description="The path of its file on this server; null without a file.")
    words: list[LikelyWord] = Field(description="Words that the decoder predicts from the code; empty without a code.")


class MapPosition(BaseModel):
    """The position of a text on the map."""

    x: float | None = Field(description="To the right; null if the encoder knows no word of the text.")
    y: float | None = Field(description="Upwards.")
    commit: str = Field(description="The commit of the index that the map shows.")


class ErrorResponse(BaseModel):
    """An error."""

    error: str = Field(description="One line.")


def search(engine: Engine, parameters: QueryParameters) -> SearchHits:
    """The hits of a query.

    Raises:
        QueryError: the query is empty; a filter is malformed; or an id is unknown.
    """
    started = time.perf_counter()
    options = parameters.model_dump(exclude={"q", "k"})
    if vector := options.get("vector"):
        options["vector"] = json_vector(vector, "the vector")
    is_filter = not parameters.q.strip() and (parameters.where or parameters.must)
    of = SearchRequest if is_filter else SearchRequest.of_words
    request = of(parameters.q, top_k=parameters.k, suggest=_HINTS, **options)
    result = engine.searcher.search(request)
    return SearchHits(
        **_hits(engine, parameters, result, started),
        query=parameters.q,
        matching=result.n_matching,
        unknown=[UnknownWord(word=word, did_you_mean=result.suggestions.get(word, [])) for word in result.unknown],
        only_stop_words=result.only_stop_words,
    )


def similar(engine: Engine, id: str, parameters: NarrowingParameters) -> Hits:
    """The documents closest to a document.

    Raises:
        NotFoundError: no document has this id.
        QueryError: a filter is malformed; or an id of `like` or `unlike` is unknown.
    """
    started = time.perf_counter()
    check_exists(engine, id)
    options = parameters.model_dump(include=set(RankingParameters.model_fields) - {"like", "k"})
    request = SearchRequest(like=[id, *parameters.like], top_k=parameters.k, granularity="document", **options)
    return Hits(**_hits(engine, parameters, engine.searcher.search(request), started))


def similar_to_picture(engine: Engine, content: bytes, parameters: NarrowingParameters) -> Hits:
    """The pictures closest to the one in a file's content.

    Raises:
        CorpusError: it is no picture.
        QueryError: the index holds texts; a filter is malformed; or an id of `unlike` was given.
    """
    started = time.perf_counter()
    if parameters.like or parameters.unlike:
        raise QueryError("like and unlike need ids; leave them out beside a picture")
    request = SearchRequest(
        picture=picture_in(io.BytesIO(content), "the picture"),
        top_k=parameters.k,
        granularity="document",
        **parameters.model_dump(exclude={"k", "like", "unlike"}),
    )
    return Hits(**_hits(engine, parameters, engine.searcher.search(request), started))


def picture(engine: Engine, id: str) -> bytes:
    """The picture of a document as a PNG.

    Raises:
        NotFoundError: no document has this id.
        QueryError: the index holds texts.
    """
    check_exists(engine, id)
    return png.content(engine.snapshot.pictures([id])[0])


def document(engine: Engine, id: str) -> WholeDocument:
    """A document, and the words that the decoder predicts from its code.

    Raises:
        NotFoundError: no document has this id.
    """
    check_exists(engine, id)
    snapshot = engine.snapshot
    stored = snapshot.document(id)
    has_code = snapshot.codes.has_code[snapshot.position(id)]
    words = decode_documents(snapshot, [id], _WORDS)[0].words if has_code else ()
    return WholeDocument(
        id=id,
        title=stored.title,
        text=stored.text,
        fields=dict(stored.fields),
        original=_original(id, address(stored, snapshot.reader.settings["sources"])),
        words=list(words),
    )


def original(engine: Engine, id: str) -> tuple[Path, BinaryIO]:
    """The path of the file that a document was read from, and its content.

    Raises:
        NotFoundError: no document has this id, or it is in no file of the index's sources that can be read.
    """
    check_exists(engine, id)
    snapshot = engine.snapshot
    try:
        return open_original(snapshot.document(id), snapshot.reader.settings["sources"])
    except (QueryError, OSError):  # whose message has a path of this machine
        raise NotFoundError(f"the document {id!r:.100} is in no file that can be read now") from None


def _original(id: str, source: str, place: str = "") -> str | None:
    """The path on this server that gives the file of a document; a browser opens a PDF on its page."""
    if not os.path.isabs(source):  # noqa: PTH117
        return None
    kind, _, page = place.partition(" ")
    fragment = f"#page={quote(page, safe='')}" if kind == "page" else ""
    return f"/api/original/{quote(id, safe='')}{fragment}"


def info(engine: Engine) -> dict[str, JsonValue]:
    """The size of the index, and the settings it was trained with."""
    return {"index": engine.folder.resolve().name, **engine.info(), "commit": engine.snapshot.reader.commit}


def topic(topics: Topics, id: str) -> Topic:
    """A topic, or an area of topics.

    Raises:
        NotFoundError: no topic has this id.
    """
    if found := topics.find(id):
        return found
    raise NotFoundError(f"no topic has the id {id!r:.100}; the list of topics gives ids")


def check_exists(engine: Engine, id: str) -> None:
    """Check that a document exists.

    Raises:
        NotFoundError: no document has this id.
    """
    if not engine.snapshot.reader.has(id):
        raise NotFoundError(f"no document has the id {id!r:.100}; a search gives ids")


def _hits(engine: Engine, parameters: NarrowingParameters, result: SearchResult, started: float) -> dict[str, Any]:
    end = parameters.offset + parameters.k
    return {
        "hits": [
            SearchHit.model_validate(hit).model_copy(update={"original": _original(hit.id, hit.source, hit.place)})
            for hit in result
        ],
        "next_offset": end if len(result) == parameters.k and end <= MAX_OFFSET else None,
        "ignored": list(result.ignored),
        "milliseconds": round(1e3 * (time.perf_counter() - started), 2),
        "commit": engine.snapshot.reader.commit,
    }
