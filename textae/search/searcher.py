"""From a request to its result: build the query, evaluate the filter, ask the retriever, render the hits.

    Searcher(snapshot).search(SearchRequest("smooth a noisy signal"))

The shell, the server and Python users all search here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from textae.config import READ_VECTORS, VECTOR
from textae.encoding.analyzer import searchable, words
from textae.encoding.arrays import Mask, distinct
from textae.encoding.topk import TopK
from textae.errors import QueryError
from textae.index.checksums import Checksums
from textae.index.snapshot import CorpusView, Snapshot
from textae.search.by_name import NameShares, given, name_shares
from textae.search.by_passages import best_documents, counted
from textae.search.lexical import BM25
from textae.search.originals import address, place_at
from textae.search.query import QueryVector
from textae.search.request import FILTER, SearchRequest, SearchResult
from textae.search.retrievers import Hybrid, Retriever, VectorSearch, retriever
from textae.search.second_look import second_look
from textae.search.snippet import LOOKED_AT, snippets, start_of_best_part
from textae.types import Document, Hit, Picture

if TYPE_CHECKING:
    from textae.search.filters import Filter

PAGES = 25
"""Hits that are ranked at once, then four times as many, and so on: candidates depend on how many hits are ranked, and
pages that are ranked alike neither repeat nor skip a hit. Of the first 400 hits of forty queries to Python's
documentation in pages of ten, `hybrid` repeated 10 of 15,600 where each page was ranked by itself, and none so;
`code` 666, and 28 so."""

MOST_RETRIEVERS = 16
"""Ranking systems that are kept: each `bits-N` holds bits of its own, and a server's clients may ask for any N."""


class Searcher:
    """Searches one commit of an index; its ranking systems are made when they are first used.

    Args:
        snapshot: the commit.
        vectors: a function that gives those of requests without one, as `SearchRequest.vector`; None for none.
    """

    def __init__(self, snapshot: Snapshot, vectors: Any = None) -> None:
        self.snapshot, self._vectors = snapshot, vectors
        self._checksums = Checksums(snapshot.arrays, snapshot.reader.folder)
        self._retrievers: dict[tuple[str, bool], Retriever] = {}

    def search(self, request: SearchRequest) -> SearchResult:
        """The documents that the system of the request ranks highest, with what a person should know beside them.

        Raises:
            QueryError: the query is empty; a condition cannot be read; no document has an id; or the documents are of
                the other kind.
            TextaeError: there is no such system.
        """
        if not request.has_query and (conditions := self.conditions(request.where, request.must)):
            return self._listed(request, conditions)
        mode = self.snapshot.modality.default_system if request.mode is None else request.mode
        query, excluded = self._query(request, mode)
        self._checksums.check(query.terms.tolist())
        conditions = self.conditions(request.where, request.must)
        mask = self.without(self.mask(conditions, request.granularity), excluded, request.granularity)
        depth, last = PAGES, request.offset + request.top_k
        while depth < last:
            depth *= 4
        system = self.retriever(mode, request.granularity)
        query = second_look(self, query, mode, mask, request.granularity, request.feedback)
        best = self.rank(query, depth, mode, mask, min_score=request.min_score, granularity=request.granularity)
        top = TopK(best.rows[request.offset : last], best.scores[request.offset : last])
        hits = self._hits(request, query, mode, top)
        has_words = query.pictures is None and request.text.strip()
        unknown = self._without_effect(request.text, query, mode, request.granularity) if has_words else []
        return SearchResult(
            hits,
            mode,
            tuple(unknown),
            () if conditions is None else tuple(conditions.ignored(self.snapshot.model.vectorizer.analysis)),
            {word: self.did_you_mean(word) for word in unknown[: request.suggest]},
            not hits and not len(query.terms) and not unknown and self.only_stop_words(request.text),
            without_vector=isinstance(system, Hybrid) and system.vectors is not None and query.vector is None,
        )

    def rank(
        self,
        query: QueryVector,
        top_k: int,
        mode: str,
        mask: Mask | None = None,
        *,
        min_score: float = 0.0,
        granularity: str = "passage",
    ) -> TopK:
        """The documents that a system ranks highest, each with its best row.

        Args:
            query: one.
            top_k: the maximum number of documents.
            mode: the name of the system.
            mask: (n_rows,) of the view, the rows that may be hits; None for all.
            min_score: documents that score this or less are no hits.
            granularity: of the rows, `document` or `passage`.
        """
        view, system = self.snapshot.view(granularity), self.retriever(mode, granularity)
        if isinstance(system, VectorSearch) and query.vector is None:
            raise QueryError(f"the system {VECTOR!r} needs the vector of the query; give --vector or --vector-command")
        if view.alive is not None:
            mask = view.alive if mask is None else mask & view.alive
        if view is self.snapshot.documents:
            top = system.search(query, top_k, mask, min_score)
        else:
            top = best_documents(system, view, query, top_k, mask, min_score)
        if not isinstance(system, BM25 | Hybrid):
            return top
        names, named = self._named(view, system, query, mask)
        of_top, of_named = (names.of(view.doc_numbers.take(rows)) for rows in (top.rows, named.rows))
        raised = named.scores + given(named.scores, of_named, system.most(query)).astype(np.float32)
        others = TopK(top.rows[of_top == 0], top.scores[of_top == 0])
        return TopK.merge([others, TopK.of_rows(named.rows, raised, top_k, min_score)], [0, 0], top_k)

    def _named(
        self, view: CorpusView, system: BM25 | Hybrid, query: QueryVector, mask: Mask | None
    ) -> tuple[NameShares, TopK]:
        """The documents whose names are like a query, and the scores of what those say that may be hits."""
        names = self.names(query)
        rows = view.rows_of(names.numbers)
        if mask is not None:
            rows = rows[mask[rows]]
        if view is self.snapshot.documents or not len(rows):
            return names, TopK(rows, system.scores(query, rows))
        documents = counted(system, view, query, distinct(view.doc_numbers.take(rows))[0])
        return names, TopK(documents.rows[documents.starts], documents.scores)

    def names(self, query: QueryVector) -> NameShares:
        """The documents whose names are like a query."""
        return query.once(self, partial(name_shares, self.snapshot))

    def retriever(self, mode: str, granularity: str = "passage") -> Retriever:
        """The ranking system of that name.

        Raises:
            TextaeError: there is none.
        """
        view = self.snapshot.view(granularity)
        key = mode, view is self.snapshot.documents
        if key not in self._retrievers:
            if len(self._retrievers) == MOST_RETRIEVERS:
                del self._retrievers[next(iter(self._retrievers))]
            self._retrievers[key] = retriever(mode, self.snapshot, view)
        return self._retrievers[key]

    def conditions(self, where: str | None, must: str | None) -> Filter | None:
        """The conditions on fields and text, parsed; None where there are none.

        Raises:
            QueryError: one cannot be read, or the documents are pictures and have no text.
        """
        if must is not None:
            self.snapshot.check_words("a condition on text (--must)")
        if where is None and must is None:
            return None
        from textae.search.filters import Filter

        return Filter.parse(where, must, self.snapshot.field_names)

    def matching(self, conditions: Filter) -> list[tuple[int, str]]:
        """The rows, in the view of whole documents, and the ids of the documents that meet conditions; by their ids."""
        view = self.snapshot.documents
        mask = conditions.mask(self.snapshot, "document")
        rows = np.flatnonzero(mask if view.alive is None else mask & view.alive)
        ids = self.snapshot.reader.ids(view.doc_numbers.take(rows).tolist())
        return sorted(zip(rows.tolist(), ids, strict=True), key=lambda match: match[1])

    def _listed(self, request: SearchRequest, conditions: Filter) -> SearchResult:
        """The documents that meet the conditions of a request without a query, by their ids, with equal scores."""
        if request.explain or request.unlike or request.min_score:
            raise QueryError("a filter alone ranks nothing; give a query, too")
        matching = self.matching(conditions)
        rows = np.array([row for row, _ in matching[request.offset :][: request.top_k]], np.int64)
        nothing = QueryVector.of(self.snapshot.model.vectorizer.bag(""))
        top = TopK(rows, np.ones(len(rows), np.float32))
        hits = self._hits(replace(request, granularity="document"), nothing, "", top)
        ignored = conditions.ignored(self.snapshot.model.vectorizer.analysis)
        return SearchResult(hits, FILTER, ignored=tuple(ignored), n_matching=len(matching))

    # Queries

    def _query(self, request: SearchRequest, mode: str) -> tuple[QueryVector, set[int]]:
        """The query of a request, and the numbers of the documents that are no hits."""
        vector = given = self._vectors if request.vector is None else request.vector
        if callable(given):
            from textae.search.query_vectors import of_text

            vector = of_text(request.text, given, mode, self.snapshot)
        has_text = bool(request.text.strip()) or vector is not None
        if request.picture is not None:
            if has_text or request.like:
                raise QueryError("a picture is a whole query; leave out words and ids of similar documents")
            query = self.picture_query(request.picture)
        elif has_text:
            query = self.text_query(request.text, vector)
        elif not request.like:
            raise QueryError("the query is empty; give some words")
        excluded: set[int] = set()
        if request.like or request.unlike:
            from textae.search.feedback import like_these, unlike_pictures, with_feedback
            from textae.search.query_vectors import beside_documents

            snapshot = self.snapshot
            like, unlike = ([snapshot.number(id) for id in ids] for ids in (request.like, request.unlike))
            excluded = {*like, *unlike}
            if request.picture is None and not has_text:
                query = like_these(snapshot.inputs_of(like))
            if query.pictures is not None:
                query = unlike_pictures(query, snapshot.pixels_of(unlike)) if unlike else query
            elif has_text or unlike:
                bags = snapshot.tokens_of(like if has_text else []).bags()
                idf = snapshot.searched.statistics.idf(bags.terms)
                query = with_feedback(query, bags, snapshot.tokens_of(unlike).bags(), idf)
            if mode in READ_VECTORS and (query.vector is not None or not has_text):
                query = beside_documents(query, snapshot, like, unlike, given)
        if request.expand and query.pictures is None:
            query = self.expanded(query)
        return query, excluded

    def text_query(self, text: str, vector: Any = None) -> QueryVector:
        """The query of a text of any length.

        Raises:
            QueryError: the documents are pictures; or the vector is none of this index's.
        """
        self.snapshot.check_words("a question in words")
        vectorizer = self.snapshot.model.vectorizer
        term_of, bag = vectorizer.analysis.term_of, vectorizer.bag(text)
        terms = [term_of[word] for word in words(text, characters=False)]
        missing = sum(term is not None for term in terms) - int(bag.counts.sum())
        query = QueryVector.of(bag, text, missing if missing or len(bag.terms) else len(terms))
        if vector is None:
            return query
        from textae.index.own_vectors import needed_vectors

        return replace(query, vector=needed_vectors(self.snapshot).of_query(vector))

    def picture_query(self, picture: Picture) -> QueryVector:
        """The query of a picture of any shape.

        Raises:
            QueryError: the documents are texts.
        """
        from textae.encoding.pixels import Pixels

        return QueryVector.of_pictures(Pixels.of([self.resized(picture)]))

    def resized(self, picture: Picture) -> Picture:
        """A picture in the shape of those of the index.

        Raises:
            QueryError: the documents are texts.
        """
        from textae.corpus.uniform import resized  # a plain search needs no reader of documents

        return resized(picture, self.snapshot.modality.check_picture(self.snapshot.reader.folder))

    def expanded(self, query: QueryVector) -> QueryVector:
        """A query with the words that the decoder expects of its code, for keyword search."""
        from textae.search.expansion import expand

        snapshot = self.snapshot
        code = query.codes(snapshot.text_encoder).floats[0]
        return expand(query, snapshot.decoder, snapshot.usual_words, code, snapshot.searched.statistics.idf)

    def mask(self, conditions: Filter | None, granularity: str = "passage") -> Mask | None:
        """The rows of the documents that meet conditions; None for all."""
        return None if conditions is None else conditions.mask(self.snapshot, granularity)

    def without(self, mask: Mask | None, numbers: Collection[int], granularity: str = "passage") -> Mask | None:
        """A mask without the documents of these numbers."""
        if not numbers:
            return mask
        view = self.snapshot.view(granularity)
        fewer = np.ones(len(view.doc_numbers), bool) if mask is None else mask.copy()
        fewer[view.rows_of(np.array(list(numbers)))] = False
        return fewer

    # Hits

    def _hits(self, request: SearchRequest, query: QueryVector, mode: str, top: TopK) -> tuple[Hit, ...]:
        """The documents of some rows as a person sees them, with the passage of each that matches best."""
        snapshot, view = self.snapshot, self.snapshot.view(request.granularity)
        vectorizer = snapshot.model.vectorizer
        documents = snapshot.reader.documents(view.doc_numbers.take(top.rows).tolist())
        worth = dict(zip(query.terms.tolist(), query.statistics(view.statistics)[1].tolist(), strict=True))
        if view is snapshot.documents:
            starts = [self._part(document, worth) for document in documents]
            parts = [(start, start + LOOKED_AT) for start in starts]
        else:
            parts = view.char_spans.take(top.rows).tolist()
        texts = [document.text[start:end] for document, (start, end) in zip(documents, parts, strict=True)]
        weights = {vectorizer.vocabulary.term(term): weight for term, weight in worth.items()}
        passages = snippets(texts, vectorizer.analysis.term_of, weights)
        sources = snapshot.reader.settings["sources"]
        hits = [
            Hit(
                rank,
                document.id,
                score,
                document.title,
                passage.text,
                passage.marks,
                document.fields,
                place_at(document, part[0] + passage.at),
                address(document, sources),
            )
            for rank, (document, score, passage, part) in enumerate(
                zip(documents, top.scores.tolist(), passages, parts, strict=True), start=request.offset + 1
            )
        ]
        if request.explain:
            from textae.search.explain import explanations

            like = [snapshot.number(id) for id in request.like[:1]]
            own_text = request.text or "".join(map(searchable, snapshot.reader.documents(like)))
            system = self.retriever(mode, request.granularity)
            names = self.names(query).of(view.doc_numbers.take(top.rows))
            texts = [own_text, *map(searchable, documents)]
            reasons = explanations(snapshot, view, system, query, top.rows, names, texts)
            hits = [replace(hit, explanation=reason) for hit, reason in zip(hits, reasons, strict=True)]
        return tuple(hits)

    def _part(self, document: Document, worth: Mapping[int, float]) -> int:
        """The character of a text at which the part begins that holds its best passage; 0 in all but long texts."""
        if len(document.text) <= LOOKED_AT:
            return 0
        tokens = self.snapshot.tokens_of([self.snapshot.number(document.id)]).terms
        return start_of_best_part(document, tokens, worth, self.snapshot.model.vectorizer)

    # What a person should know beside the hits

    def unknown(self, text: str, mode: str) -> list[str]:
        """The words of a query, as written, that have no effect on a system: each once.

        On no system have words an effect that occur nowhere in the corpus and its names, and on codes those too rare
        for the encoder.
        """
        return self._without_effect(text, QueryVector.of(self.snapshot.model.vectorizer.bag(text)), mode)

    def _without_effect(self, text: str, query: QueryVector, mode: str, granularity: str = "passage") -> list[str]:
        """`unknown` of a text; the terms of the query include those of the text."""
        if isinstance(self.retriever(mode, granularity), VectorSearch):  # which reads no words
            return []
        vectorizer = self.snapshot.model.vectorizer
        frequencies, _ = query.statistics(self.snapshot.searched.statistics)
        has_effect = (frequencies > 0) & (query.terms < self.retriever(mode, granularity).n_terms)
        effective = {None, *map(vectorizer.vocabulary.term, query.terms[has_effect].tolist())}  # None: stop words
        term_of = vectorizer.analysis.term_of
        without = [word for word in dict.fromkeys(words(text, characters=False)) if term_of[word] not in effective]
        if not isinstance(self.retriever(mode, granularity), BM25 | Hybrid):
            return without
        return [word for word in without if not self._is_named(cast(str, term_of[word]))]

    def _is_named(self, term: str) -> bool:
        """Whether the name of a document holds a term."""
        return any(segment.names.hold(term) for segment in self.snapshot.segments if segment.names is not None)

    def did_you_mean(self, word: str) -> list[str]:
        """Words of the corpus similar to a word that it does not hold, the likeliest first."""
        from textae.index.surface_forms import written_forms
        from textae.search.suggest import did_you_mean

        statistics = self.snapshot.searched.statistics

        def frequency_of(term: int) -> int:
            return int(statistics.frequencies(np.array([term], np.int32))[0])

        written = partial(written_forms, self.snapshot)
        return did_you_mean(word, self.snapshot.model.vectorizer, frequency_of, written)

    def only_stop_words(self, text: str) -> bool:
        """Whether a text has words, and all are stop words."""
        term_of = self.snapshot.model.vectorizer.analysis.term_of
        different = set(words(text))
        return bool(different) and all(term_of[word] is None for word in different)
