"""Search and similar, of several indexes at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from textae.app.cli.options import SearchOptions, SeveralOptions, document_of, is_file
from textae.app.cli.vector_options import VectorOptions
from textae.app.engines import opened
from textae.encoding.analyzer import searchable
from textae.engine import Engine
from textae.errors import QueryError
from textae.index.own_vectors import own_vectors
from textae.search.request import RequestOptions, SearchRequest, SearchResult
from textae.search.several import merged
from textae.types import Document


def search_several(
    text: str, search: SearchOptions, vectors: VectorOptions, shell: SeveralOptions, suggest: int
) -> SearchResult:
    """The result of a query, or of a filter without one; indexes without vectors rank without the query's."""
    results = {}
    with ExitStack() as stack:
        engines = {str(folder): stack.enter_context(opened(folder)) for folder in shell.folders}
        vector = vectors.of_query(text, search.mode, *(engine.snapshot for engine in engines.values()))
        for name, engine in engines.items():
            own = vector if own_vectors(engine.snapshot) else None
            how: RequestOptions = {**search.request(), "suggest": suggest, "vector": own}
            results[name] = engine.searcher.search(SearchRequest(text, **how))
    return merged(results, search.top_k)


def similar_in_several(
    given: Sequence[str], search: SearchOptions, vectors: VectorOptions, shell: SeveralOptions
) -> SearchResult:
    """The documents like some documents, each of which is in one of the indexes, or like a file.

    In an index that has them all they are compared by their codes, in the others by their texts, and where there are
    vectors by one of these.

    Raises:
        QueryError: no index has an id; several have it; or an index holds documents of the other kind.
    """
    how: RequestOptions = {**search.request(), "granularity": "document"}
    results = {}
    with ExitStack() as stack:
        engines = {str(folder): stack.enter_context(opened(folder)) for folder in shell.folders}
        kind = next(iter(engines.values())).snapshot.modality.kind
        if len(given) == 1 and is_file(given[0]) and not any(_has(engines, given[0])):
            places, documents = [], [document_of(given[0], kind)]
        else:
            places = [_place(engines, one) for one in given]
            documents = [engines[name].snapshot.document(id) for name, id in places]
        text = "\n".join(map(searchable, documents))
        others = [engine.snapshot for name, engine in engines.items() if {name} != {where for where, _ in places}]
        vector = vectors.of_query(text, search.mode, *others) if others else None
        for name, engine in engines.items():
            own = [id for where, id in places if where == name]
            if own and len(own) == len(places):
                program = vectors.program([search.mode], engine.snapshot)
                results[name] = engine.searcher.search(replace(SearchRequest(**how), like=own, vector=program))
                continue
            wide: RequestOptions = {**how, "top_k": search.top_k + len(own)}
            wide["vector"] = vector if own_vectors(engine.snapshot) else None
            result = engine.searcher.search(_of(documents, text, wide))
            hits = tuple(hit for hit in result.hits if hit.id not in own)[: search.top_k]
            results[name] = SearchResult(hits, result.mode)
    return merged(results, search.top_k)


def _of(documents: Sequence[Document], text: str, how: RequestOptions) -> SearchRequest:
    """The request of the text of documents, or of a picture."""
    if documents[0].picture is None:
        return SearchRequest.of_words(text, **how)
    if len(documents) > 1:
        raise QueryError("several pictures are searched in one index; give one --index, or one picture")
    return SearchRequest(picture=documents[0].picture, **how)


def _has(engines: dict[str, Engine], id: str) -> list[str]:
    """The names of the indexes that have a document."""
    return [name for name, engine in engines.items() if engine.snapshot.reader.has(id)]


def _place(engines: dict[str, Engine], given: str) -> tuple[str, str]:
    """The index of a document, and its id there, from its id or from `INDEX:ID`."""
    named = [(name, given.removeprefix(f"{name}:")) for name in engines if given.startswith(f"{name}:")]
    places = [place for place in named if engines[place[0]].snapshot.reader.has(place[1])]
    places = places or [(name, given) for name in _has(engines, given)]
    if not places:
        raise QueryError(f"no document has the id {given!r:.200} in any of the indexes; 'textae search' prints ids")
    if len(places) > 1:
        raise QueryError(f"several indexes have the id {given!r:.200}; give {places[0][0]}:{given} or the like")
    return places[0]
