"""Codes in words: what a document's code says, what a drawn code would, and what there is at each place of a plane.

Codes of pictures are drawn: `Decoded.picture` stands in place of words.

The vocabulary holds stems. What is shown beside a stem is the form that a few documents use most: the document at hand,
and the first that hold it.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from textae.config import check_seed
from textae.encoding.analyzer import searchable
from textae.encoding.arrays import Floats
from textae.encoding.decoder import known_floats, most_telling
from textae.errors import QueryError
from textae.explore.sampling import AggregatePosterior, plane
from textae.index.snapshot import Snapshot
from textae.index.surface_forms import forms
from textae.types import Cell, Decoded, Grid, LikelyWord, Picture, Sample, Samples

_LARGEST = 1e6  # of a number in a code: beyond it sums are infinite, and what they are the difference of no number


def decode_documents(snapshot: Snapshot, ids: Sequence[str], k: int) -> list[Decoded]:
    """The k most telling words of each document's code, and whether the document holds them; or the picture it draws.

    Raises:
        QueryError: no document has an id, or the encoder knows no word of it.
    """
    numbers = [snapshot.number(id) for id in ids]
    positions = [snapshot.position(id) for id in ids]
    for id, position in zip(ids, positions, strict=True):
        if not snapshot.codes.has_code[position]:
            raise QueryError(f"the encoder knows no word of the document {id!r}, so it has no code to decode")
    floats = snapshot.codes.floats[np.array(positions, np.int64)]
    if snapshot.shape is not None:
        return _drawn(snapshot, floats, snapshot.pixels_of(numbers).brightness())
    texts = [searchable(document) for document in snapshot.reader.documents(numbers)]
    return _decoded(snapshot, floats, k, texts)


def decode_text(snapshot: Snapshot, text: str, k: int) -> Decoded:
    """The k most telling words of a text's code, and whether the text holds them.

    Raises:
        QueryError: the encoder knows no word of it.
    """
    codes = snapshot.text_encoder.encode(snapshot.model.vectorizer.transform([text]))
    if not codes.has_code[0]:
        raise QueryError("the encoder knows no word of the text, so it has no code to decode; give other words")
    return _decoded(snapshot, codes.floats, k, [text])[0]


def decode_code(snapshot: Snapshot, code: str, k: int) -> Decoded:
    """The k most telling words of a code.

    Args:
        snapshot: the index.
        code: its numbers, between commas.
        k: words.

    Raises:
        QueryError: it is no code of this index.
    """
    return _decoded(snapshot, _read_code(snapshot, code), k)[0]


def sample(snapshot: Snapshot, n: int, k: int, seed: int) -> Samples:
    """Draw n codes from the aggregate posterior, and decode the k most telling words of each.

    Raises:
        QueryError: fewer than one was asked for; or no document has a code.
        TextaeError: the seed cannot be.
    """
    if n < 1:
        raise QueryError(f"{n} samples were asked for; give at least 1")
    check_seed(seed)
    posterior = AggregatePosterior(_floats(snapshot))
    drawn = posterior.draw(n, np.random.default_rng(seed))
    numbers = snapshot.numbers[snapshot.codes.has_code].tolist()
    samples = []
    for code, decoded in zip(drawn, _decoded(snapshot, drawn, k), strict=True):
        away = posterior.distances(code)
        samples.append(Sample(decoded, snapshot.reader.ids([numbers[int(away.argmin())]])[0], float(away.min())))
    return Samples(tuple(samples), posterior.usual_distance())


def grid(snapshot: Snapshot, n: int, k: int) -> Grid:
    """Decode the k most telling words of n × n codes over the plane of the documents' float codes.

    Raises:
        QueryError: fewer than one row was asked for; or codes are not of two numbers.
    """
    if n < 1:
        raise QueryError(f"a grid of {n} rows was asked for; give at least 1")
    dims = snapshot.codes.floats.shape[1]
    if dims != 2:
        how = "--preset hinton2006 --dims 2" if snapshot.shape is None else "--dims 2"
        raise QueryError(
            f"a grid needs codes of 2 numbers, and those of this index have {dims}; 'textae index SOURCE… {how}' "
            "learns such"
        )
    cut = plane(_floats(snapshot), n)
    cells = [
        Cell(n - 1 - place // n, place % n, int(cut.documents[place // n, place % n]), decoded)
        for place, decoded in enumerate(_decoded(snapshot, cut.centres(), k))
    ]
    from_the_top = tuple(sorted(cells, key=lambda cell: (cell.row, cell.column)))
    return Grid(tuple(cut.x.tolist()), tuple(cut.y.tolist()), from_the_top)


def _floats(snapshot: Snapshot) -> NDArray[np.floating]:
    """The codes of the documents that have one: (n_known, dims)."""
    floats = known_floats(snapshot.codes)
    if not len(floats):
        raise QueryError("no document of this index has a code: the encoder knows none of their words")
    return floats


def _read_code(snapshot: Snapshot, code: str) -> Floats:
    """A code as it was written: (1, dims)."""
    wanted, parts = snapshot.codes.floats.shape[1], code.split(",")
    if len(parts) != wanted:
        raise QueryError(f"the code has {len(parts):,} numbers, and those of this index have {wanted}")
    numbers = []
    for part in parts:
        try:
            number = float(part)
        except ValueError:
            raise QueryError(f"{_short(part)} in the code is no number; give {wanted} between commas") from None
        if not abs(number) <= _LARGEST:  # nor NaN
            raise QueryError(f"{_short(part)} in the code is too large or no number; give at most {_LARGEST:,.0f}")
        numbers.append(number)
    return np.array([numbers], np.float32)


def _written(code: NDArray[np.floating]) -> str:
    """A code as `_read_code` takes it: as few digits as give the same float32 back."""
    return ",".join(map(str, code.astype(np.float32)))


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:36]} ...")


def _decoded(snapshot: Snapshot, floats: NDArray[np.floating], k: int, texts: Sequence[str] = ()) -> list[Decoded]:
    """The words of some codes.

    Args:
        snapshot: the index.
        floats: (n, dims), the codes.
        k: words of each, at most.
        texts: that the codes are of, n or none.
    """
    if snapshot.shape is not None:
        return _drawn(snapshot, floats)
    if k < 1:
        raise QueryError(f"{k} words were asked for; give at least 1")
    usual, told = snapshot.usual_words, []
    for code in floats:
        shares = snapshot.decoder.words(code[None])[0]
        terms = most_telling(shares, usual, k)
        told.append((terms, shares[terms], shares[terms] / usual[terms]))
    form_of = forms(snapshot, set(chain.from_iterable(terms.tolist() for terms, _, _ in told)), texts)
    held: list[set[int] | None] = [set(snapshot.model.vectorizer.transform([text]).terms.tolist()) for text in texts]
    return [
        Decoded(_written(code), tuple(_likely_words(snapshot, *row, form_of, holds)))
        for code, row, holds in zip(floats, told, held or [None] * len(floats), strict=True)
    ]


def _drawn(snapshot: Snapshot, floats: NDArray[np.floating], originals: Floats | None = None) -> list[Decoded]:
    """The pictures of some codes.

    Args:
        snapshot: the index.
        floats: (n, dims), the codes.
        originals: (n, n_pixels) brightness of the pictures that the codes are of, where they are of any.
    """
    assert snapshot.shape is not None
    drawn = snapshot.decoder.brightness(floats)
    errors = [None] * len(floats) if originals is None else np.square(drawn - originals).sum(axis=1).tolist()
    levels = np.rint(drawn * 255).astype(np.uint8)
    return [
        Decoded(_written(code), (), Picture(*snapshot.shape, pixels.tobytes()), error)
        for code, pixels, error in zip(floats, levels, errors, strict=True)
    ]


def _likely_words(
    snapshot: Snapshot,
    terms: NDArray[np.int64],
    shares: Floats,
    lifts: NDArray[np.float64],
    form_of: dict[str, str],
    held: set[int] | None,
) -> Iterable[LikelyWord]:
    for rank, (term, share, lift) in enumerate(zip(terms.tolist(), shares, lifts, strict=True), start=1):
        stem = snapshot.model.vectorizer.vocabulary.term(term)
        holds = None if held is None else term in held
        yield LikelyWord(rank, stem, form_of.get(stem, stem), float(share), float(lift), holds)
