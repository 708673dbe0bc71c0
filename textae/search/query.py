"""A query as ranking systems read it: weighted words for keyword search, weighted texts for codes.

A query in words is both: each word as often as it occurs, and the whole as one text. Other queries combine several
texts: words that expansion adds, documents to be like, and documents to be unlike (Rocchio 1971). Its code may be moved
towards others.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats, Ints
from textae.encoding.bags import Bags
from textae.encoding.encoders import AnyEncoder, Codes, Quantization, encode
from textae.encoding.layers import unit
from textae.encoding.pixels import Pixels
from textae.index.postings import Statistics

T = TypeVar("T")

_NO_TEXTS = Bags(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.uint16))


@dataclass(frozen=True)
class QueryVector:
    """One query.

    Attributes:
        terms: (n,) int32, rising: the terms that keyword search looks for.
        weights: (n,) float32, above 0: how often each counts.
        texts: m bags; the code of the query is the weighted sum of their codes.
        text_weights: (m,) float32, the weight of each text; below 0 for what the code must be unlike.
        pictures: m of them in place of texts, where the documents are pictures.
        text: as it was written, which may be the name of a document; "" where there is none.
        missing: words of the text that no document says, but its name may; of a text of stop words alone, all of them.
        toward: (dims,) float32, added to the code of the texts, which has unit length; None for nothing.
        vector: (dims,) float32 of unit length, of the user's model; None for none.
    """

    terms: Ints
    weights: Floats
    texts: Bags
    text_weights: Floats
    pictures: Pixels | None = None
    text: str = ""
    missing: int = 0
    toward: Floats | None = None
    vector: Floats | None = None
    _once: dict[tuple[int, int], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, bag: Bags, text: str = "", missing: int = 0) -> "QueryVector":
        """The query of a text.

        Args:
            bag: of one row.
            text: as it was written, if it may be the name of a document.
            missing: the attribute.
        """
        return cls(bag.terms, bag.counts.astype(np.float32), bag, np.ones(1, np.float32), None, text, missing)

    @classmethod
    def of_pictures(cls, pixels: Pixels) -> "QueryVector":
        """The query of pictures, each with the same weight; it has no words."""
        weights = np.full(len(pixels), 1 / len(pixels), np.float32)
        return cls(_NO_TEXTS.terms, np.empty(0, np.float32), _NO_TEXTS, weights, pixels)

    def once(self, owner: object, make: Callable[["QueryVector"], T], about: object = None) -> T:
        """What an encoder, a retriever or a corpus derives from this query, computed once and kept with the query.

        Args:
            owner: the encoder, the retriever or the statistics of the corpus.
            make: computes it.
            about: a part of the query that `moved` exchanges, if it is derived from this.
        """
        key = id(owner), id(about)
        if key not in self._once:
            self._once[key] = (owner, about), make(self)  # both too: while they are kept, no others have their ids
        return cast(T, self._once[key][1])

    def codes(self, encoder: AnyEncoder) -> Codes:
        """Both codes of the query, one row each, encoded once: the code of its text, or of the weighted sum of codes.

        The bits of a sum are those of its float code. A sum of zeros has no code.
        """
        codes, toward = self.once(encoder, lambda query: query._encoded(encoder)), self.toward
        if toward is None:
            return codes
        return self.once(encoder, lambda _: _with_floats(unit(codes.floats) + toward, encoder), toward)

    def _encoded(self, encoder: AnyEncoder) -> Codes:
        codes = encode(encoder, self.texts if self.pictures is None else self.pictures)
        if self.is_one_text:
            return codes
        return _with_floats((self.text_weights[:, None] * unit(codes.floats)).sum(axis=0, keepdims=True), encoder)

    def moved(self, toward: Floats) -> "QueryVector":
        """This query with another code; what was derived from it is not computed again."""
        other = replace(self, toward=toward)
        other._once.update(self._once)
        return other

    @property
    def is_one_text(self) -> bool:
        """Whether its code is that of one text or picture."""
        return len(self.text_weights) == 1 and self.text_weights[0] == 1

    def vector_codes(self, planes: Quantization) -> Codes:
        """The vector with its bits, one row; zeros where there is none."""
        return self.once(planes, lambda query: query._of_vector(planes))

    def _of_vector(self, planes: Quantization) -> Codes:
        floats = np.zeros((1, len(planes.mean)), np.float32) if self.vector is None else self.vector[None]
        has_vector = np.asarray(floats.any(axis=1))
        return Codes(has_vector, floats, planes.bits(floats, has_vector))

    def statistics(self, corpus: Statistics) -> tuple[NDArray[np.int64], Floats]:
        """The document frequencies of the query's terms in a corpus, and their idf there: (n,) each."""
        return self.once(corpus, lambda query: corpus.frequencies_and_idf(query.terms))

    def mean_picture(self) -> NDArray[np.int32]:
        """The pixels of the query, (n_pixels,): the weighted sum of several pictures, clipped to 0 and 255."""
        assert self.pictures is not None
        mixed = self.text_weights @ self.pictures.values.astype(np.float32)
        return np.clip(np.rint(mixed), 0, 255).astype(np.int32)


def _with_floats(mixed: Floats, encoder: AnyEncoder) -> Codes:
    """Both codes of a sum of codes, (1, dims)."""
    floats = unit(mixed.astype(np.float32))
    has_code = np.asarray(floats.any(axis=1))
    return Codes(has_code, floats, encoder.quantization.bits(floats, has_code))
