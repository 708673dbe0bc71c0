"""Codes in words: the most telling words of a document's code, of a text's, of any code; or a picture.

    lift(t) = p(t) / p̄(t)                       p: the decoder's probabilities for a code; p̄: their mean over documents
    χ²(p ‖ p̄) = Σ_t (p(t) - p̄(t))² / p̄(t)       words are ordered by their contribution

Probability alone gives the words of every document, lift alone the rarest of the corpus; the contribution to the
divergence balances them. (The contribution to Kullback and Leibler's, p ln lift, still puts `edu` and `com` first if a
decoder of 20 Newsgroups was trained on counts and not on tf-idf.)

The vocabulary holds stems. Each is shown with its most frequent form in the decoded documents and in the first
documents that hold it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import searchable
from textae.encoding.decoder import most_telling
from textae.errors import QueryError
from textae.index.snapshot import Snapshot
from textae.index.surface_forms import forms
from textae.types import PICTURES, Decoded, LikelyWord, Picture

_LARGEST = 1e6  # number in a code: beyond it sums become infinite, and their differences NaN


def decode_documents(snapshot: Snapshot, ids: Sequence[str], k: int = 20) -> list[Decoded]:
    """The k most telling words of each document's code, and whether the document holds them; or the decoded picture.

    Raises:
        QueryError: no document has an id, or the encoder knows no word of it.
    """
    numbers = [snapshot.number(id) for id in ids]
    for id in ids:
        if not snapshot.codes.has_code[snapshot.position(id)]:
            raise QueryError(f"the encoder knows no word of the document {id!r}, so it has no code to decode")
    rows = [snapshot.documents.rows_of(number)[0] for number in numbers]
    return decoded(snapshot, snapshot.documents.floats.take(np.array(rows, np.int64)), k, numbers=numbers)


def decode_text(snapshot: Snapshot, text: str, k: int = 20) -> Decoded:
    """The k most telling words of a text's code, and whether the text holds them.

    Raises:
        QueryError: the encoder knows no word of it.
    """
    codes = snapshot.text_encoder.encode(snapshot.model.vectorizer.transform([text]))
    if not codes.has_code[0]:
        raise QueryError("the encoder knows no word of the text, so it has no code to decode; give other words")
    return decoded(snapshot, codes.floats, k, text=text)[0]


def decode_code(snapshot: Snapshot, code: str, k: int = 20) -> Decoded:
    """The k most telling words of a code.

    Args:
        snapshot: the index.
        code: its numbers, separated by commas.
        k: maximum number of words.

    Raises:
        QueryError: it is no code of this index.
    """
    dims, parts = snapshot.model.encoder.dims, code.split(",")
    if len(parts) != dims:
        raise QueryError(f"the code has {len(parts):,} numbers, and those of this index have {dims}")
    numbers = []
    for part in parts:
        shown = repr(part if len(part) <= 40 else f"{part[:36]} ...")
        try:
            numbers.append(float(part))
        except ValueError:
            raise QueryError(f"{shown} in the code is no number; give {dims} between commas") from None
        if not abs(numbers[-1]) <= _LARGEST:  # nor NaN
            raise QueryError(f"{shown} in the code is too large or no number; give at most {_LARGEST:,.0f}")
    return decoded(snapshot, np.array([numbers], np.float32), k)[0]


def decoded(
    snapshot: Snapshot, codes: NDArray[np.floating], k: int, *, numbers: Sequence[int] = (), text: str | None = None
) -> list[Decoded]:
    """Decode codes, (n, dims), into k words each, or into a picture.

    Args:
        snapshot: the index.
        codes: (n, dims).
        k: maximum number of words.
        numbers: of the n documents that have these codes, if any.
        text: that has the only code, if any.

    Raises:
        QueryError: k is below 1.
    """
    if snapshot.modality.kind == PICTURES:
        return _pictures(snapshot, codes, numbers)
    texts = [searchable(document) for document in snapshot.reader.documents(numbers)] if text is None else [text]
    if k < 1:
        raise QueryError(f"the number of words must be at least 1, got {k}")
    vectorizer, usual = snapshot.model.vectorizer, snapshot.usual_words
    rows = []  # of each code: its terms, their probabilities and their lifts
    for code in codes:
        p = snapshot.decoder.words(code[None])[0]
        terms = most_telling(p, usual, k)
        rows.append((terms.tolist(), p[terms].tolist(), (p[terms] / usual[terms]).tolist()))
    form_of = forms(snapshot, {term for terms, _, _ in rows for term in terms}, texts)
    held: list[set[int] | None] = [set(vectorizer.transform([text]).terms.tolist()) for text in texts]
    results = []
    for code, row, holds in zip(codes, rows, held or [None] * len(codes), strict=True):
        words = []
        for rank, (term, probability, lift) in enumerate(zip(*row, strict=True), start=1):
            stem, in_text = vectorizer.vocabulary.term(term), None if holds is None else term in holds
            words.append(LikelyWord(rank, stem, form_of.get(stem, stem), probability, lift, in_text))
        results.append(Decoded(_written(code), tuple(words)))
    return results


def _pictures(snapshot: Snapshot, codes: NDArray[np.floating], numbers: Sequence[int]) -> list[Decoded]:
    assert snapshot.shape is not None
    brightness = snapshot.decoder.brightness(codes)  # (n, n_pixels)
    errors: list[float | None] = [None] * len(codes)
    if numbers:
        errors = np.square(brightness - snapshot.pixels_of(numbers).brightness()).sum(axis=1).tolist()
    levels = np.rint(brightness * 255).astype(np.uint8)
    return [
        Decoded(_written(code), (), Picture(*snapshot.shape, pixels.tobytes()), error)
        for code, pixels, error in zip(codes, levels, errors, strict=True)
    ]


def _written(code: NDArray[np.floating]) -> str:
    """A code as `decode_code` takes it, with the fewest digits that give the same float32."""
    return ",".join(map(str, code.astype(np.float32)))
