"""The segments of an index while they are written: what is appended, removed and merged is true from the commit on."""

import numpy as np

from textae.encoding.arrays import Rows
from textae.encoding.bags import Tokens
from textae.encoding.model import Model
from textae.index.segments import Named, Segment, merged, new_segment, parts_of, prefix, removed_from, to_merge
from textae.index.store import Writer
from textae.types import Progress


class SegmentWriter:
    """Changes the segments of an index.

    Args:
        writer: of the store; the documents of the index are as it has them.
        model: what was learned, by which segments are made.
        segments: that there are, oldest first.

    Attributes:
        segments: that there are by now.
    """

    def __init__(self, writer: Writer, model: Model, segments: list[Segment]) -> None:
        self._writer, self._model, self.segments = writer, model, segments
        self._name = max((int(segment.name) for segment in segments), default=-1)

    def append(self, numbers: Rows, tokens: Tokens, progress: Progress) -> None:
        """Make segments of documents that are in the store, and are not in a segment yet.

        Args:
            numbers: (n,) of the documents, rising, and higher than those of all before them.
            tokens: n rows.
            progress: told of the rows that are encoded.
        """
        for first, last in parts_of(len(numbers)):
            own = numbers[first:last]
            documents = self._writer.documents(int(own[0]), int(own[-1]) + 1)
            named = new_segment(own, tokens.rows(first, last), documents, self._model, progress)
            self.segments.append(self._written(named))

    def remove(self, numbers: Rows) -> None:
        """Take documents, which the store has no more, out of their segments."""
        kept = []
        for segment in self.segments:
            own = segment.documents.rows_of(numbers)
            if not len(own):
                kept.append(segment)
                continue
            read = ("owners", "postings/")  # of each unit: by which it is said what is gone
            self._writer.check(
                *(f"{prefix(segment.name)}{name}/{part}" for name, _ in segment.units() for part in read)
            )
            self._writer.put_all(prefix(segment.name), removed_from(segment, numbers))
            changed = self._read(segment.name)
            if len(changed):
                kept.append(changed)
            else:
                self._writer.drop(prefix(segment.name))
        self.segments = kept

    def merge(self, progress: Progress) -> None:
        """Make one of the segments that have become small beside those that follow, and of any that is half removed."""
        for place, segment in enumerate(self.segments):
            if len(segment) < len(segment.documents) / 2:
                self._merge(slice(place, place + 1), progress)
        run = to_merge([len(segment) for segment in self.segments])
        if run is not None:
            self._merge(run, progress)

    def _merge(self, run: slice, progress: Progress) -> None:
        segments = self.segments[run]
        progress("merging", 0, None)
        self._writer.check(*(prefix(segment.name) for segment in segments))
        numbers = np.concatenate([segment.documents.doc_numbers[[0, -1]] for segment in segments])
        documents = self._writer.documents(int(numbers[0]), int(numbers[-1]) + 1)
        self.segments[run] = [self._written(merged(segments, documents, self._model))]
        for segment in segments:
            self._writer.drop(prefix(segment.name))

    def _written(self, named: Named) -> Segment:
        self._name += 1
        for name, array in named:
            self._writer.put(f"{prefix(str(self._name))}{name}", array)
        return self._read(str(self._name))

    def _read(self, name: str) -> Segment:
        own = prefix(name)
        return Segment.from_arrays(name, {own + inside: array for inside, array in self._writer.arrays(own).items()})

    def finish(self) -> None:
        """Say which segments make up the index."""
        self._writer.set("segments", [segment.name for segment in self.segments])
