"""The passages of the documents of a segment: where they are in the texts, and in the tokens."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import spans, words
from textae.encoding.arrays import Rows
from textae.encoding.bags import Bags, Tokens, row_starts
from textae.encoding.passages import passages
from textae.types import Document

NO_SPANS = np.zeros((0, 2), np.int32)


class PassageSpans:
    """Collects the passages of documents.

    Args:
        words: of a passage; 0 for none.
    """

    def __init__(self, words: int) -> None:
        self._words, self._count = words, 0
        self._characters, self._tokens, self._rows = [NO_SPANS], [NO_SPANS], [np.empty(0, np.int64)]

    def add(self, document: Document) -> None:
        """Add the passages of the next document."""
        if self._words:
            spans = passages(document.text, self._words)
            self._characters.append(np.array(spans, np.int32))
            self._tokens.append(_token_spans(document, spans))
            self._rows.append(np.full(len(spans), self._count))
        self._count += 1

    @property
    def rows(self) -> Rows:
        """The row of the document of each passage: (n,)."""
        return np.concatenate(self._rows)

    @property
    def tokens(self) -> NDArray[np.int32]:
        """The first token of each passage in its document, and the one after the last: (n, 2)."""
        return np.concatenate(self._tokens)

    @property
    def characters(self) -> NDArray[np.int32]:
        """The first character of each passage in its document's text, and the one after the last: (n, 2)."""
        return np.concatenate(self._characters)

    def bags(self, tokens: Tokens) -> Bags:
        """The bags of the passages; `tokens` has a row for each document."""
        return _passage_tokens(tokens, self.rows, self.tokens).bags()


def _token_spans(document: Document, char_spans: Sequence[tuple[int, int]]) -> NDArray[np.int32]:
    """The first token of each passage in its document, title and text, and the one after the last: (n, 2)."""
    n_title = len(words(document.title)) if document.title else 0
    starts = [start for start, _ in spans(document.text)]
    return np.array([[n_title + bisect_left(starts, at) for at in span] for span in char_spans], np.int32)


def _passage_tokens(tokens: Tokens, document_rows: Rows, token_spans: NDArray[np.int32]) -> Tokens:
    """The tokens of passages: those of the title, which end where the first passage starts, and their own."""
    starts = tokens.starts[document_rows]
    titles = token_spans[np.searchsorted(document_rows, document_rows), 0].astype(np.int64)
    pieces = np.stack([starts, starts + titles, starts + token_spans[:, 0], starts + token_spans[:, 1]], axis=1)
    lengths = titles + np.diff(token_spans, axis=1)[:, 0]
    parts = [tokens.terms[a:b] for row in pieces.tolist() for a, b in (row[:2], row[2:])]
    return Tokens(row_starts(lengths), np.concatenate([np.empty(0, np.int32), *parts]))
