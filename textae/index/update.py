"""An index that follows its corpus: documents are added, replaced and removed, and cost what they are.

    documents ─▶ terms, old and new ─▶ codes by the model that was learned ─▶ a segment of their own ─▶ few segments

Nothing is learned here: `textae.explore.drift` says how far the documents of now are from those that were learned.
"""

import re
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from textae.corpus import Source
from textae.corpus.reading import EMPTY
from textae.corpus.uniform import UniformCorpus
from textae.encoding.analyzer import searchable
from textae.encoding.bags import Tokens
from textae.encoding.vectorizer import GrowingVectorizer
from textae.errors import StoreError
from textae.index.build import NO_WORDS, USED, Reading, has_words
from textae.index.records import content_hash
from textae.index.segment_writer import SegmentWriter
from textae.index.segments import LARGEST
from textae.index.snapshot import Snapshot
from textae.index.writer import UpdateWriter
from textae.types import Document, Progress, Shape, Skipped

Contents = Mapping[str, bytes]
"""By the id of a document, the hash of what it says."""


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
        shape: height, width and channels of pictures; None of texts.
    """

    added: int
    replaced: int
    removed: int
    unchanged: int
    skipped: Mapping[str, int]
    examples: Mapping[str, list[str]]
    documents: int
    unlearned: int
    shape: Shape | None = None

    @property
    def any(self) -> bool:
        """Whether anything is otherwise than before."""
        return bool(self.added or self.replaced or self.removed)


def remembered_sources(snapshot: Snapshot) -> dict[str, Source]:
    """The sources that an index was made from, by their keys."""
    return {key: Source.from_json(stored) for key, stored in snapshot.reader.settings["sources"].items()}


class Update:
    """One change of an index; nothing is committed yet.

    Args:
        writer: of the store.
        snapshot: the commit that is changed.
        progress: told of each stage.
    """

    def __init__(self, writer: UpdateWriter, snapshot: Snapshot, progress: Progress) -> None:
        self._writer, self._snapshot, self._progress = writer, snapshot, progress
        writer.check("vocabulary/", "idf", "encoder/", "lsa/", "pca/")
        known = snapshot.model.vectorizer
        self._vectorizer = GrowingVectorizer(known.analysis, known.vocabulary)
        self._segment_writer = SegmentWriter(
            writer, replace(snapshot.model, vectorizer=self._vectorizer), list(snapshot.segments)
        )
        self._reading = Reading(writer, progress)
        self._numbers: list[int] = []
        self._tokens: list[Tokens] = []
        self._gone: list[int] = []
        self._to_come: dict[str, Contents] = {}  # of the sources that are still to be read
        self._moved: list[Document] = []  # which may be what such a source had
        self._count: Tally[str] = Tally()

    def add(self, corpus: Iterable[Document | Skipped]) -> None:
        """Add documents; one whose id is taken is skipped, or counted as unchanged where it says the same."""
        self._append(self._new(UniformCorpus(corpus, self._snapshot.shape)))

    def _new(self, corpus: Iterable[Document | Skipped]) -> Iterator[Document | Skipped]:
        for item in corpus:
            if isinstance(item, Document) and self._says_the_same(item):
                self._count["unchanged"] += 1
            else:
                yield item

    def _says_the_same(self, document: Document) -> bool:
        there = self._snapshot.reader.content(document.id)
        return there is not None and there == _content(document)

    def remove(self, ids: Sequence[str]) -> None:
        """Remove documents.

        Raises:
            QueryError: an id is of no document; nothing is removed.
        """
        for id in ids:
            self._snapshot.number(id)
        numbers = self._writer.remove(list(dict.fromkeys(ids)))
        self._gone += numbers
        self._count["removed"] += len(numbers)

    def sync(self, sources: Sequence[Source]) -> None:
        """Make the documents that came from some sources what these hold now.

        What cannot be read now is as it was: only what is not there any more is removed. A document may have moved from
        one source to another.

        Args:
            sources: each once.
        """
        self._to_come = {source.key: self._snapshot.reader.contents(source.key) for source in sources}
        for source in sources:
            self._sync(source, self._to_come.pop(source.key))
        self._append(self._moved)

    def _sync(self, source: Source, there: Contents) -> None:
        seen: set[str] = set()
        unread: list[str] = []
        self._append(self._read(source, there, seen, unread))
        gone = [id for id in there if id not in seen]
        if gone and unread:
            kept = self._came_from(gone, unread)
            self._count["unchanged"] += len(kept)
            gone = [id for id in gone if id not in kept]
        self._gone += self._writer.remove(gone)
        self._count["removed"] += len(gone)

    def _read(self, source: Source, there: Contents, seen: set[str], unread: list[str]) -> Iterator[Document | Skipped]:
        """What of a source is new, or says something else than before, which is gone by then.

        Args:
            source: that is read.
            there: of the documents that came from it.
            seen: is given the ids of those of `there` that stay.
            unread: is given where it stands what cannot be read.
        """
        for item in UniformCorpus(source.read(self._progress), self._snapshot.shape):
            if isinstance(item, Skipped):
                if item.reason not in (EMPTY, NO_WORDS):
                    unread.append(item.source)
                yield item
            elif item.id in seen:
                yield Skipped(item.source or item.id, USED)
            elif item.id not in there:
                if any(item.id in contents for contents in self._to_come.values()):
                    self._moved.append(item)
                else:
                    yield item
            elif there[item.id] == _content(item):
                seen.add(item.id)
                self._count["unchanged"] += 1
            elif has_words(item) and _content(item) is not None:
                seen.add(item.id)
                self._gone += self._writer.remove([item.id])
                self._count["replaced"] += 1
                yield item
            else:
                yield item

    def _came_from(self, ids: Sequence[str], places: Sequence[str]) -> set[str]:
        """Which of some documents came from places, each a folder, a file or a line of one."""
        reader = self._snapshot.reader
        documents = reader.documents([self._snapshot.number(id) for id in ids])
        unread = set(places)
        return {document.id for document in documents if not unread.isdisjoint(_places(document.source))}

    def _append(self, corpus: Iterable[Document | Skipped]) -> None:
        for document in self._reading.documents(corpus):
            self._numbers.append(self._writer.next_number - 1)
            self._tokens.append(self._vectorizer.tokens([searchable(document)]))
            self._count["written"] += 1
            if len(self._numbers) == LARGEST:
                self._flush()

    def _flush(self) -> None:
        if self._numbers:
            numbers = np.array(self._numbers, np.int64)
            self._segment_writer.append(numbers, Tokens.concatenated(self._tokens), self._progress)
        self._numbers, self._tokens = [], []

    def finish(self, sources: Mapping[str, Any]) -> Changes:
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
            self._segment_writer.remove(np.sort(np.array(self._gone, np.int64)))
        self._flush()
        self._segment_writer.merge(self._progress)
        self._segment_writer.finish()
        self._write_vocabulary()
        if sources:
            self._writer.set("sources", {**self._snapshot.reader.settings["sources"], **sources})
        doc_numbers = [
            segment.documents.doc_numbers[segment.documents.alive()] for segment in self._segment_writer.segments
        ]
        unlearned = int((np.concatenate(doc_numbers) >= self._snapshot.reader.settings["learned_numbers"]).sum())
        return Changes(
            added=self._count["written"] - self._count["replaced"],
            replaced=self._count["replaced"],
            removed=self._count["removed"],
            unchanged=self._count["unchanged"],
            skipped=dict(self._reading.skipped),
            examples=self._reading.examples,
            documents=len(self._writer),
            unlearned=unlearned,
            shape=self._snapshot.shape,
        )

    def _write_vocabulary(self) -> None:
        before, after = self._snapshot.model.vectorizer.vocabulary, self._vectorizer.grown()
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
        return content_hash(document)
    except UnicodeEncodeError:
        return None


def _places(source: str) -> Iterator[str]:
    """Where a document came from: the line, the file that it is in, and the folders that this is in."""
    yield source
    for end in re.finditer("[:/]", source):
        yield source[: end.start()]
