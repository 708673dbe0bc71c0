"""What the server is asked, and what it answers: plain data, as its OpenAPI document describes it.

An answer is made by an engine, on the thread of that engine; what is wrong with a question is a `QueryError`.
"""

import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from textae.engine import Engine
from textae.errors import QueryError
from textae.types import Explanation, Hit, LikelyWord, Topic, Topics

LONGEST = 10_000
"""Characters of a query, a condition, or an id."""

MOST_HITS = 200
MOST_EXPLAINED = 20
"""Hits that are explained: each takes as long as several searches."""

MOST_DOCUMENTS = 50
"""Documents that a question is to be like, or unlike."""

_HINTS = 5  # unknown words for which others are looked for, each of which takes as long as a search
_WORDS = 20  # of a document's code

Text = Annotated[str, Field(max_length=LONGEST)]
Ids = Annotated[list[Text], Field(max_length=MOST_DOCUMENTS)]
Mode = Literal["hybrid", "code", "bits", "bm25", "tfidf", "lsa"]


class NotFoundError(QueryError):
    """What was asked for by its id is not there."""


class Asked(BaseModel):
    """A query."""

    model_config = ConfigDict(extra="forbid")

    q: Text = Field(description="Words, or a text.")


class Narrowed(BaseModel):
    """What searching and looking for the like have in common."""

    model_config = ConfigDict(extra="forbid")

    k: int = Field(10, ge=1, le=MOST_HITS, description="Hits, at most.")
    mode: Mode = Field("hybrid", description="The system that ranks.")
    where: Text | None = Field(None, description="What must hold of a hit's fields: `year:[2010 TO 2012]`.")
    must: Text | None = Field(None, description='What the text of a hit must hold: `"noisy signal" NOT image`.')
    like: Ids = Field([], description="Ids of documents that hits should be like, too.")
    unlike: Ids = Field([], description="Ids of documents that hits should be unlike.")
    explain: bool = Field(False, description=f"Whether hits say why; of at most {MOST_EXPLAINED}.")

    @model_validator(mode="after")
    def _few_are_explained(self) -> Self:
        if self.explain and self.k > MOST_EXPLAINED:
            raise ValueError(f"at most {MOST_EXPLAINED} hits are explained, and k is {self.k}")
        return self


class Search(Narrowed, Asked):
    """A query and how it is asked."""

    expand: bool = Field(False, description="Whether keyword search looks for words that the decoder expects, too.")


class FoundHit(BaseModel):
    """One document found."""

    model_config = ConfigDict(from_attributes=True)

    rank: int = Field(description="From 1.")
    id: str
    score: float = Field(description="Higher is better; comparable within one answer.")
    title: str
    snippet: str = Field(description="The passage that matches best.")
    marks: list[tuple[int, int]] = Field(
        description="Parts of the snippet that match: where they start and end, in characters (code points)."
    )
    fields: dict[str, JsonValue]
    explanation: Explanation | None = Field(description="Why it has its score, where that was asked for.")


class UnknownWord(BaseModel):
    """A word that says nothing to the system."""

    word: str
    did_you_mean: list[str] = Field(description="Words of the corpus that it may be a slip of.")


class Hits(BaseModel):
    """Documents found."""

    hits: list[FoundHit]
    ignored: list[str] = Field(description="Stop words in `must`, which are no condition.")
    milliseconds: float = Field(description="That the engine took.")
    commit: str = Field(description="The name of the commit of the index that was searched.")


class SearchHits(Hits):
    """Documents found for a query."""

    query: str
    unknown: list[UnknownWord] = Field(description="Words of the query that say nothing to the system.")
    only_stop_words: bool = Field(description="Whether the query has no word that could say anything.")


class WholeDocument(BaseModel):
    """A document."""

    id: str
    title: str
    text: str
    fields: dict[str, JsonValue]
    words: list[LikelyWord] = Field(description="What its code says, by the decoder; none of one without a code.")


class Place(BaseModel):
    """Where a text is on the map."""

    x: float | None = Field(description="To the right; none of a text of which the encoder knows no word.")
    y: float | None = Field(description="Upwards.")
    commit: str = Field(description="The name of the commit of the index that the map shows.")


class Failure(BaseModel):
    """Why there is no answer."""

    error: str = Field(description="One line.")


def search(engine: Engine, asked: Search) -> SearchHits:
    """The documents found for a query.

    Raises:
        QueryError: the query is empty; a condition cannot be read; or no document has an id.
    """
    started = time.perf_counter()
    hits = engine.search(
        asked.q,
        asked.k,
        asked.mode,
        where=asked.where,
        must=asked.must,
        like=asked.like,
        unlike=asked.unlike,
        expand=asked.expand,
        explain=asked.explain,
    )
    unknown = engine.unknown(asked.q, asked.mode)
    hints = {word: engine.did_you_mean(word) for word in unknown[:_HINTS]}
    return SearchHits(
        **_of_hits(engine, asked, hits, started),
        query=asked.q,
        unknown=[UnknownWord(word=word, did_you_mean=hints.get(word, [])) for word in unknown],
        only_stop_words=engine.only_stop_words(asked.q),
    )


def similar(engine: Engine, id: str, asked: Narrowed) -> Hits:
    """The documents closest to a document.

    Raises:
        NotFoundError: no document has this id.
        QueryError: a condition cannot be read; or no document has an id of `like` or `unlike`.
    """
    started = time.perf_counter()
    _check_is_there(engine, id)
    how = asked.model_dump(include={"where", "must", "unlike", "explain"})
    hits = engine.similar([id, *asked.like], asked.k, asked.mode, **how)
    return Hits(**_of_hits(engine, asked, hits, started))


def document(engine: Engine, id: str) -> WholeDocument:
    """A document, and what its code says.

    Raises:
        NotFoundError: no document has this id.
    """
    _check_is_there(engine, id)
    snapshot = engine.snapshot
    (found,) = snapshot.reader.documents([snapshot.number(id)])
    has_code = snapshot.codes.has_code[snapshot.position(id)]
    words = engine.decode([id], _WORDS)[0].words if has_code else ()
    return WholeDocument(id=id, title=found.title, text=found.text, fields=dict(found.fields), words=list(words))


def info(engine: Engine) -> dict[str, JsonValue]:
    """What the index holds, and how it was learned."""
    return {"index": engine.folder.resolve().name, **engine.info(), "commit": engine.snapshot.reader.commit}


def topic(topics: Topics, id: str) -> Topic:
    """A topic, or a topic of topics.

    Raises:
        NotFoundError: none has this id.
    """
    found = [one for one in (*topics.areas, *topics.leaves) if one.id == id]
    if not found:
        raise NotFoundError(f"no topic has the id {_shown(id)}; /api/topics lists them")
    return found[0]


def _check_is_there(engine: Engine, id: str) -> None:
    if not engine.has(id):
        raise NotFoundError(f"no document has the id {_shown(id)}; /api/search finds ids")


def _shown(id: str) -> str:
    return repr(id if len(id) <= 100 else f"{id[:96]} ...")


def _of_hits(engine: Engine, asked: Narrowed, hits: Sequence[Hit], started: float) -> dict[str, Any]:
    return {
        "hits": [FoundHit.model_validate(hit) for hit in hits],
        "ignored": [] if asked.must is None else engine.ignored(asked.must),
        "milliseconds": round(1e3 * (time.perf_counter() - started), 2),
        "commit": engine.snapshot.reader.commit,
    }
