"""An index that follows its corpus: documents are added, replaced and removed, and cost what they are.

    documents ─▶ terms, old and new ─▶ codes by the model that was learned ─▶ a segment of their own ─▶ few segments

Nothing is learned here: `textae.drift` says how far the documents of now are from those that were learned.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from textae.corpus import Source
from textae.corpus.streams import EMPTY
from textae.errors import StoreError
from textae.indexing import NO_WORDS, Reading
from textae.opened import Opened
from textae.revision import Revision
from textae.segments import LARGEST
from textae.store import Reviser, content_of_document
from textae.text import searchable
from textae.types import Document, Progress, Skipped
from textae.vectorizer import GrowingVectorizer, Tokens

USED = "id already used"
"""Why a document is skipped whose id another one has."""


@dataclass(frozen=True)
class Changes:
    """What became of an index.

    Attributes:
        added: documents that are new.
        replaced: that say something else than before.
        removed: that are gone.
        unchanged: that are as they were.
        skipped: how many of a source did not become documents, by reason.
        examples: where they stood, by reason: the first of each.
        documents: in the index by now.
        unlearned: of these, documents that came after the index was learned.
    """

    added: int
    replaced: int
    removed: int
    unchanged: int
    skipped: Mapping[str, int]
    examples: Mapping[str, list[str]]
    documents: int
    unlearned: int

    @property
    def any(self) -> bool:
        """Whether anything is otherwise than before."""
        return bool(self.added or self.replaced or self.removed)


class Update:
    """One change of an index; nothing is committed yet.

    Args:
        writer: of the store.
        opened: the commit that is changed.
        progress: told of each stage.
    """

    def __init__(self, writer: Reviser, opened: Opened, progress: Progress) -> None:
        self._writer, self._opened, self._progress = writer, opened, progress
        writer.check("vocabulary/", "idf", "encoder/", "lsa/")
        known = opened.model.vectorizer
        self._vectorizer = GrowingVectorizer(known.analysis, known.vocabulary)
        self._revision = Revision(writer, replace(opened.model, vectorizer=self._vectorizer), list(opened.segments))
        self._reading = Reading(writer, progress)
        self._numbers: list[int] = []
        self._tokens: list[Tokens] = []
        self._gone: list[int] = []
        self._count: Tally[str] = Tally()

    def add(self, corpus: Iterable[Document | Skipped]) -> None:
        """Add documents; one whose id is taken is skipped, or counted as unchanged where it says the same."""
        there = self._opened.reader.contents()
        self._append("added", self._new(corpus, there))

    def _new(self, corpus: Iterable[Document | Skipped], there: Mapping[str, bytes]) -> Iterable[Document | Skipped]:
        for item in corpus:
            if isinstance(item, Document) and item.id in there and there[item.id] == _content(item):
                self._count["unchanged"] += 1
            else:
                yield item

    def remove(self, ids: Sequence[str]) -> None:
        """Remove documents.

        Raises:
            QueryError: an id is of no document; nothing is removed.
        """
        for id in ids:
            self._opened.number(id)
        numbers = self._writer.remove(list(dict.fromkeys(ids)))
        self._gone += numbers
        self._count["removed"] += len(numbers)

    def sync(self, source: Source) -> None:
        """Make the documents that came from a source what the source holds now.

        What cannot be read now is as it was: only what is not there any more is removed.
        """
        there = self._opened.reader.contents(source.origin)
        seen: set[str] = set()
        unread: list[str] = []
        fresh = self._read(source, there, seen, unread)
        self._append("added", fresh)
        gone = [id for id in there if id not in seen]
        if gone and unread:
            kept = self._came_from(gone, unread)
            self._count["unchanged"] += len(kept)
            gone = [id for id in gone if id not in kept]
        self._gone += self._writer.remove(gone)
        self._count["removed"] += len(gone)

    def _read(
        self, source: Source, there: Mapping[str, bytes], seen: set[str], unread: list[str]
    ) -> Iterable[Document | Skipped]:
        for item in source.read(self._progress):
            if isinstance(item, Skipped):
                if item.reason not in (EMPTY, NO_WORDS):
                    unread.append(item.source)
                yield item
            elif item.id in seen:
                yield Skipped(item.source or item.id, USED)
            elif there.get(item.id) == _content(item):
                seen.add(item.id)
                self._count["unchanged"] += 1
            elif item.id in there and _content(item) is not None and not self._reading.refuses(item):
                seen.add(item.id)
                self._gone += self._writer.remove([item.id])
                self._count["replaced"] += 1
                self._count["added"] -= 1
                yield item
            else:
                yield item

    def _came_from(self, ids: Sequence[str], places: Sequence[str]) -> set[str]:
        """Which of some documents came from places, each a path or a path and a line."""
        reader = self._opened.reader
        documents = reader.documents([self._opened.number(id) for id in ids])
        unread = set(places)
        return {document.id for document in documents if unread & _places(document.source)}

    def _append(self, counted: str, corpus: Iterable[Document | Skipped]) -> None:
        for document in self._reading.documents(corpus):
            self._numbers.append(self._writer.next_number - 1)
            self._tokens.append(self._vectorizer.tokens([searchable(document)]))
            self._count[counted] += 1
            if len(self._numbers) == LARGEST:
                self._flush()

    def _flush(self) -> None:
        if self._numbers:
            numbers = np.array(self._numbers, np.int64)
            self._revision.append(numbers, Tokens.concatenated(self._tokens), self._progress)
        self._numbers, self._tokens = [], []

    def finish(self, sources: Mapping[str, Any] | None = None) -> Changes:
        """Write what has changed.

        Args:
            sources: to be remembered, by origin.

        Raises:
            StoreError: no document would be left.
        """
        if not len(self._writer):
            raise StoreError(
                f"that would leave no document in {self._writer.folder}; delete the folder to be rid of the index"
            )
        if self._gone:
            self._revision.remove(np.sort(np.array(self._gone, np.int64)))
        self._flush()
        self._revision.merge(self._progress)
        self._revision.finish()
        self._write_vocabulary()
        if sources:
            self._writer.set("sources", {**self._opened.reader.settings["sources"], **sources})
        counts = {name: self._count[name] for name in ("added", "replaced", "removed", "unchanged")}
        owners = [segment.documents.owners[segment.documents.alive()] for segment in self._revision.segments]
        unlearned = int((np.concatenate(owners) >= self._opened.reader.settings["learned_numbers"]).sum())
        return Changes(
            **counts,
            skipped=dict(self._reading.skipped),
            examples=self._reading.examples,
            documents=len(self._writer),
            unlearned=unlearned,
        )

    def _write_vocabulary(self) -> None:
        before, after = self._opened.model.vectorizer.vocabulary, self._vectorizer.grown()
        if not self._vectorizer.new:
            return
        for place in range(len(before.parts)):
            if place >= len(after.parts) or after.parts[place] is not before.parts[place]:
                self._writer.drop(f"vocabulary/{place}/")
        for place, part in enumerate(after.parts):
            if place >= len(before.parts) or part is not before.parts[place]:
                self._writer.put_all(f"vocabulary/{place}/", part.arrays())


def _content(document: Document) -> bytes | None:
    """The hash of what a document says; None where that cannot be stored."""
    try:
        return content_of_document(document)
    except UnicodeEncodeError:
        return None


def _places(source: str) -> set[str]:
    """Where a document came from, and the file that this is in, where it is a line of one."""
    return {source, source.rpartition(":")[0] or source}
