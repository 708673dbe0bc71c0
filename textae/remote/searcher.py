"""Searches what was pushed to a vector database as `Searcher` searches an index; a mask is a predicate."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

from textae.encoding.topk import TopK
from textae.errors import QueryError
from textae.remote.conditions import AllOf, Not, Numbered, Translator
from textae.remote.name_keys import is_named, name_shares
from textae.remote.ranking import remote_retriever
from textae.remote.snapshot import RemoteSnapshot
from textae.search.by_name import NameShares
from textae.search.filters import Filter
from textae.search.lexical import BM25
from textae.search.query import QueryVector
from textae.search.retrievers import Hybrid, Retriever
from textae.search.searcher import Searcher


class RemoteSearcher(Searcher):
    """Searches one commit that was pushed.

    Args:
        snapshot: the commit.
    """

    snapshot: RemoteSnapshot

    def retriever(self, mode: str, granularity: str = "passage") -> Retriever:
        """The ranking system of that name."""
        key = mode, True
        if key not in self._retrievers:
            self._retrievers[key] = remote_retriever(mode, self.snapshot)
        return self._retrievers[key]

    def mask(self, conditions: Filter | None, granularity: str = "passage") -> Any:
        """The predicate of conditions."""
        if conditions is None:
            return None
        remote = self.snapshot.remote
        whole = bool(remote["terms_are_whole"])
        translator = Translator(self.snapshot.model.vectorizer, remote["widths"], terms_are_whole=whole)
        return translator.predicate(conditions)

    def without(self, mask: Any, numbers: Collection[int], granularity: str = "passage") -> Any:
        """A predicate without the documents of these numbers."""
        if not numbers:
            return mask
        others = Not(Numbered(sorted(map(int, numbers))))
        return others if mask is None else AllOf([mask, others])

    def matching(self, conditions: Filter) -> list[tuple[int, str]]:
        """The numbers and ids of the documents that meet conditions; by their ids."""
        rows = self.snapshot.store.select(self.mask(conditions), ["id"])
        return sorted(((row["number"], row["id"]) for row in rows), key=lambda match: match[1])

    def text_query(self, text: str, vector: Any = None) -> QueryVector:
        """The query of a text of any length."""
        if vector is not None:
            raise QueryError(f"{self.snapshot.store.address} serves no vectors of yours; leave --vector out")
        return super().text_query(text)

    def names(self, query: QueryVector) -> NameShares:
        """The documents whose names are like a query."""
        return query.once(self, partial(name_shares, self.snapshot, self.snapshot.store, where=None))

    def _named(self, view: Any, system: BM25 | Hybrid, query: QueryVector, mask: Any) -> tuple[NameShares, TopK]:
        names = self.names(query)
        if mask is not None:
            names = name_shares(self.snapshot, self.snapshot.store, query, mask)
        return names, TopK(names.numbers, system.scores(query, names.numbers))

    def _is_named(self, term: str) -> bool:
        return is_named(self.snapshot.store, term)
