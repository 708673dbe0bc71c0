"""An index that follows its corpus: documents are added, replaced and removed, and cost what they are.

    documents ─▶ terms, old and new ─▶ codes by the model that was learned ─▶ a segment of their own ─▶ few segments

Nothing is learned here: `textae.explore.info` says how far the documents of now are from those that were learned.
"""

import re
from collections import Counter as Tally
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from textae.corpus import Source
from textae.corpus.identity import LINKED
from textae.corpus.own_vectors import Vectors, field_of, with_vectors
from textae.corpus.reading import BROKEN_LINK, DELETED, EMPTY
from textae.corpus.source import apart
from textae.corpus.uniform import UniformCorpus
from textae.encoding.analyzer import searchable
from textae.encoding.bags import Tokens
from textae.encoding.encoders import Codes
from textae.encoding.vectorizer import GrowingVectorizer
from textae.errors import CorpusError, StoreError
from textae.index.build import NO_WORDS, USED, Reading, has_words
from textae.index.own_vectors import listed, needed_vectors, own_vectors
from textae.index.records import content_hash, places_json, where_hash
from textae.index.segment_writer import SegmentWriter
from textae.index.segments import LARGEST
from textae.index.snapshot import Snapshot
from textae.index.soundness import check_values
from textae.index.writer import UpdateWriter
from textae.types import Document, Progress, Shape, Skipped

Contents = Mapping[str, tuple[bytes, int]]
"""The content hash of documents and their `where_hash`, by id."""

_GONE = (EMPTY, NO_WORDS, DELETED, BROKEN_LINK, LINKED)
"""Reasons to skip what is no document any more. A file that cannot be read keeps its old document."""


@dataclass(frozen=True)
class Changes:
    """The result of an update.

    Attributes:
        added: the number of new documents.
        replaced: the number of documents with new content.
        removed: the number of removed documents.
        unchanged: the number of documents that were read and had not changed.
        moved: the number of those that are elsewhere in their file now: on another line or page.
        skipped: the number of skipped documents, by reason.
        examples: the sources of the first skipped and ignored ones, by reason.
        noticed: the number of new documents of which something was noticed, by what it was.
        documents: the number of documents in the index now.
        unlearned: the number of those that were added after training.
        shape: height, width and channels of pictures; None for texts.
        ignored: the number of files and folders that were left out on purpose, by reason.
    """

    added: int
    replaced: int
    removed: int
    unchanged: int
    moved: int
    skipped: Mapping[str, int]
    examples: Mapping[str, list[str]]
    noticed: Mapping[str, int]
    documents: int
    unlearned: int
    shape: Shape | None = None
    ignored: Mapping[str, int] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether anything has changed."""
        return bool(self.added or self.replaced or self.removed or self.moved)


def remembered_sources(snapshot: Snapshot) -> dict[str, Source]:
    """The sources that an index was made from, by their keys."""
    return {key: Source.from_json(stored) for key, stored in snapshot.reader.settings["sources"].items()}


class Update:
    """One change of an index; nothing is committed yet.

    Args:
        writer: of the store.
        snapshot: the commit that is changed.
        progress: called at each stage.
        vectors: of the documents to come, as `textae.corpus.own_vectors` takes them; None for those of the field that
            the index remembers.

    Raises:
        QueryError: there are vectors, and the index has none.
    """

    def __init__(self, writer: UpdateWriter, snapshot: Snapshot, progress: Progress, vectors: Vectors = None) -> None:
        self._writer, self._snapshot, self._progress = writer, snapshot, progress
        used = "vocabulary/", "idf", "encoder/", "lsa/", "pca/", "vectors/"
        writer.check(*used)
        check_values(snapshot.reader, *used)
        known = snapshot.model.vectorizer
        self._vectorizer = GrowingVectorizer(known.analysis, known.vocabulary)
        model = replace(snapshot.model, vectorizer=self._vectorizer)
        self._segment_writer = SegmentWriter(writer, model, snapshot)
        self._own = own_vectors(snapshot) if vectors is None else needed_vectors(snapshot)
        self._vectors = vectors
        self._reading = Reading(writer, progress, self._own.planes if self._own else None)
        self._numbers: list[int] = []
        self._tokens: list[Tokens] = []
        self._gone: list[int] = []
        self._to_come: dict[str, Contents] = {}  # of the sources that are still to be read
        self._moved: list[Document] = []  # which may be what such a source had
        self._forgotten: Collection[str] = ()
        self._count: Tally[str] = Tally()

    def add(self, corpus: Iterable[Document | Skipped]) -> None:
        """Add documents; one whose id is taken is skipped, or counted as unchanged where it says the same."""
        self._append(item for item in self._uniform(corpus) if not self._is_unchanged(item))

    def _uniform(self, corpus: Iterable[Document | Skipped]) -> Iterable[Document | Skipped]:
        field = self._own.settings.get("field", "") if self._own else ""
        return with_vectors(UniformCorpus(corpus, self._snapshot.shape), self._vectors, field)

    def _is_unchanged(self, item: Document | Skipped) -> bool:
        content = None if isinstance(item, Skipped) else self._snapshot.reader.content(item.id)
        unchanged = isinstance(item, Document) and content is not None and content == _content(item)
        self._count["unchanged"] += unchanged
        return unchanged

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

    def forget(self, origins: Collection[str]) -> None:
        """Remove sources with their documents."""
        self._forgotten = origins
        for origin in origins:
            self.remove(list(self._snapshot.reader.contents(origin)))

    def sync(self, sources: Sequence[Source]) -> None:
        """Bring the documents of some sources up to date.

        A document that cannot be read now stays as it is; only one that is no longer there is removed. A document may
        have moved from one source to another. A part of a source stands for all of it: nothing else tells which of its
        documents are gone.

        Args:
            sources: each once.
        """
        whole = [replace(source, part="") for source in sources]
        sources = apart(whole, list(remembered_sources(self._snapshot).values()))
        self._to_come = {source.key: self._snapshot.reader.contents(source.key) for source in sources}
        for source in sources:
            self._sync(source, self._to_come.pop(source.key))
        self._append(self._moved)

    def _sync(self, source: Source, there: Contents) -> None:
        kept: set[str] = set()
        unread: list[str] = []
        self._append(self._read(source, there, kept, unread))
        gone = [id for id in there if id not in kept]
        if gone and unread:
            numbers, places = [self._snapshot.number(id) for id in gone], set(unread)
            unreadable = {
                document.id
                for document in self._snapshot.reader.documents(numbers)
                if not places.isdisjoint(_places(document.source))
            }
            self._count["unchanged"] += len(unreadable)
            gone = [id for id in gone if id not in unreadable]
        self._gone += self._writer.remove(gone)
        self._count["removed"] += len(gone)

    def _read(self, source: Source, there: Contents, kept: set[str], unread: list[str]) -> Iterator[Document | Skipped]:
        """Yield the new and changed documents of a source; the old version of a changed one is removed first.

        Args:
            source: to read.
            there: the documents of this source in the index.
            kept: receives the ids in `there` that stay.
            unread: receives the sources of the documents that cannot be read.
        """
        for item in self._uniform(source.read(self._progress)):
            if isinstance(item, Skipped):
                if not item.ignored and item.reason not in _GONE:
                    unread.append(item.source)
                yield item
            elif item.id in kept:
                yield Skipped(item.source or item.id, USED)
            elif item.id not in there:
                if any(item.id in contents for contents in self._to_come.values()):
                    self._moved.append(item)
                else:
                    yield item
            elif there[item.id][0] == _content(item):
                kept.add(item.id)
                self._count["unchanged"] += 1
                if there[item.id][1] != where_hash(item.source, places_json(item.places)):
                    self._writer.move(item)
                    self._count["moved"] += 1
            elif has_words(item) and _content(item) is not None:
                kept.add(item.id)
                self._gone += self._writer.remove([item.id])
                self._count["replaced"] += 1
                yield item
            else:
                yield item

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
            vectors = self._taken() if self._own else None
            self._segment_writer.append(numbers, Tokens.concatenated(self._tokens), self._progress, vectors)
        self._numbers, self._tokens = [], []

    def _taken(self) -> Codes:
        """The vectors of the documents of a segment; it notes how many have none."""
        vectors, without = self._reading.vectors.take()
        self._reading.noticed.update(without)
        self._count["vectors"] += int(vectors.has_code.sum())
        return vectors

    def finish(self, sources: dict[str, Any]) -> Changes:
        """Write the changes.

        Args:
            sources: to be remembered, by origin.

        Raises:
            StoreError: no document would be left.
        """
        if not len(self._writer):
            raise StoreError(
                f"that would leave no document in {self._writer.folder}; delete the folder to remove the index"
            )
        if self._gone:
            self._segment_writer.remove(np.sort(np.array(self._gone, np.int64)))
        self._flush()
        self._segment_writer.merge(self._progress)
        self._segment_writer.finish()
        self._write_vocabulary()
        own = needed_vectors(self._snapshot) if self._reading.vectors.any else self._own
        if self._vectors is not None and self._count["written"] and not self._count["vectors"]:
            raise CorpusError(f"no new document has a vector that can be used: {listed(self._reading.noticed)}")
        if own and (field := field_of(self._vectors)):
            self._writer.set("vectors", {**own.settings, "field": field})
        remembered: Mapping[str, Any] = self._snapshot.reader.settings["sources"]
        kept = {key: stored for key, stored in remembered.items() if key not in self._forgotten}
        if kept | sources != remembered:
            self._writer.set("sources", kept | sources)
        learned = self._snapshot.reader.settings["learned_numbers"]
        rows = [segment.documents for segment in self._segment_writer.segments]
        unlearned = sum(int((part.doc_numbers[part.alive()] >= learned).sum()) for part in rows)
        counts = {name: self._count[name] for name in ("replaced", "removed", "unchanged", "moved")}
        return Changes(
            added=self._count["written"] - self._count["replaced"],
            **counts,
            skipped=dict(self._reading.skipped),
            examples=self._reading.examples,
            noticed=dict(self._reading.noticed),
            documents=len(self._writer),
            unlearned=unlearned,
            shape=self._snapshot.shape,
            ignored=dict(self._reading.ignored),
        )

    def _write_vocabulary(self) -> None:
        if not self._vectorizer.new:
            return
        before = dict(enumerate(self._snapshot.model.vectorizer.vocabulary.parts))
        after = dict(enumerate(self._vectorizer.grown().parts))
        for place, part in before.items():
            if after.get(place) is not part:
                self._writer.drop(f"vocabulary/{place}/")
        for place, part in after.items():
            if before.get(place) is not part:
                self._writer.put_all(f"vocabulary/{place}/", part.arrays())


def _content(document: Document) -> bytes | None:
    """The content hash of a document; None where it cannot be stored."""
    try:
        return content_hash(document)
    except UnicodeEncodeError:
        return None


def _places(source: str) -> Iterator[str]:
    """Where a document came from: the line, the file that it is in, and the folders that this is in."""
    yield source
    for end in re.finditer("[:/]", source):
        yield source[: end.start()]
