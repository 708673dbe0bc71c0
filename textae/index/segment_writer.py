"""The segments of an index while they are written; the changes take effect with the commit."""

from collections.abc import Mapping

from textae.encoding.arrays import Rows
from textae.encoding.bags import Tokens
from textae.encoding.encoders import Codes
from textae.encoding.model import Model
from textae.index import segments
from textae.index.records import Arrays
from textae.index.segments import LARGEST, NamedArrays, Segment, prefix
from textae.index.snapshot import Snapshot
from textae.index.soundness import check_values
from textae.index.writer import Writer
from textae.types import Progress


class SegmentWriter:
    """Changes the segments of an index.

    Args:
        writer: of the store, which has the documents of the index already.
        model: by which segments are built.
        snapshot: the index before; None where it is made anew.

    Attributes:
        segments: of the index now, oldest first.
    """

    def __init__(self, writer: Writer, model: Model, snapshot: Snapshot | None = None) -> None:
        self._writer, self._model, self._snapshot = writer, model, snapshot
        self.segments: list[Segment] = [] if snapshot is None else list(snapshot.segments)
        self._name = max((int(segment.name) for segment in self.segments), default=-1)

    def append(self, numbers: Rows, tokens: Tokens, progress: Progress, vectors: Codes | None = None) -> None:
        """Build segments of documents that are in the store but in no segment yet.

        Args:
            numbers: (n,) of the documents, rising, and higher than those in all segments.
            tokens: of the documents, n rows.
            progress: of the encoding of rows.
            vectors: the user's own of the documents, n rows, where the index has some.
        """
        for first in range(0, len(numbers), LARGEST):
            own = numbers[first : first + LARGEST]
            own_tokens, theirs = tokens.rows(first, first + len(own)), vectors and vectors.rows(first, first + len(own))
            self.append_segment(own, own_tokens, progress, theirs)

    def append_segment(
        self,
        numbers: Rows,
        tokens: Tokens,
        progress: Progress,
        vectors: Codes | None = None,
        codes: Mapping[str, Arrays] | None = None,
    ) -> None:
        """Build one segment, as `append` does, of at most `LARGEST` documents.

        Args:
            numbers: (n,) of the documents.
            tokens: of the documents, n rows.
            progress: of the encoding of rows.
            vectors: the user's own of the documents.
            codes: as `textae.index.segments.segment_codes` gives them; by default they are computed.
        """
        documents = self._writer.documents(int(numbers[0]), int(numbers[-1]) + 1)
        arrays = segments.build_segment(documents, self._model, numbers, tokens, progress, vectors, codes)
        self.segments.append(self._write(arrays))

    def remove(self, numbers: Rows) -> None:
        """Remove documents, which are no longer in the store, from their segments."""
        kept = []
        for segment in self.segments:
            if len(segment.documents.rows_of(numbers)):
                own = prefix(segment.name)
                for name, _ in segment.units():  # what is removed is counted from these arrays
                    self._check(f"{own}{name}/owners", f"{own}{name}/postings/")
                self._writer.put_all(own, segments.removal_arrays(segment, numbers))
                segment = self._read(segment.name)
            if len(segment):
                kept.append(segment)
            else:
                self._writer.drop(prefix(segment.name))
        self.segments = kept

    def merge(self, progress: Progress) -> None:
        """Rewrite each segment that is half removed, and merge segments that are small beside those that follow."""
        for place, segment in enumerate(self.segments):
            if len(segment) < len(segment.documents) / 2:
                self._merge(slice(place, place + 1), progress)
        run = segments.merge_slice([len(segment) for segment in self.segments])
        if run is not None:
            self._merge(run, progress)

    def _merge(self, run: slice, progress: Progress) -> None:
        merged = self.segments[run]
        progress("merging", 0, None)
        self._check(*(prefix(segment.name) for segment in merged))
        first, last = merged[0].documents.doc_numbers[0], merged[-1].documents.doc_numbers[-1]
        documents = self._writer.documents(int(first), int(last) + 1)
        self.segments[run] = [self._write(segments.merge_segments(merged, documents, self._model))]
        for segment in merged:
            self._writer.drop(prefix(segment.name))

    def _check(self, *prefixes: str) -> None:
        """Check the arrays with these prefixes: others are computed from them."""
        self._writer.check(*prefixes)
        if self._snapshot is not None:
            check_values(self._snapshot.reader, *prefixes)

    def _write(self, named: NamedArrays) -> Segment:
        self._name += 1
        for name, array in named:
            self._writer.put(f"{prefix(str(self._name))}{name}", array)
        return self._read(str(self._name))

    def _read(self, name: str) -> Segment:
        own = prefix(name)
        return Segment.from_arrays(name, {own + inside: array for inside, array in self._writer.arrays(own).items()})

    def finish(self) -> None:
        """Write the names of the segments."""
        self._writer.set("segments", [segment.name for segment in self.segments])
