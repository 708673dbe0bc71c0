"""What systems are asked: words for keyword search, texts for codes, each with its weight.

A query is both: its words, each as often as it says them, and itself as the one text. Other questions are made of
several: more words than the query has (expansion), documents to be like, and documents to be unlike (Rocchio 1971).
"""

from dataclasses import dataclass

import numpy as np

from textae.encoding.arrays import Floats, Ints
from textae.encoding.bags import Bags
from textae.encoding.encoders import AnyEncoder, Codes, encode
from textae.encoding.layers import unit
from textae.encoding.pixels import Pixels

_NOTHING = Bags(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.uint16))


@dataclass(frozen=True)
class QueryVector:
    """One question.

    Attributes:
        terms: (n,) int32, rising: the words that keyword search looks for.
        weights: (n,) float32, above 0: how often each counts.
        texts: m bags; a code that is asked for is the weighted sum of theirs.
        shares: (m,) float32, the weight of each text; below 0 for what the code must be unlike.
        pictures: m of them in place of texts, where these are searched.
    """

    terms: Ints
    weights: Floats
    texts: Bags
    shares: Floats
    pictures: Pixels | None = None

    @classmethod
    def of(cls, bag: Bags) -> "QueryVector":
        """The question that a text asks.

        Args:
            bag: of one row.
        """
        return cls(bag.terms, bag.counts.astype(np.float32), bag, np.ones(1, np.float32))

    @classmethod
    def of_pictures(cls, pixels: Pixels) -> "QueryVector":
        """The question that pictures ask together; keyword search is asked nothing."""
        shares = np.full(len(pixels), 1 / len(pixels), np.float32)
        return cls(_NOTHING.terms, np.empty(0, np.float32), _NOTHING, shares, pixels)


def encode_query(encoder: AnyEncoder, query: QueryVector) -> Codes:
    """Both codes of a question, a row each: those of its text, or of the weighted sum of its texts' codes.

    A sum has the bits that the sum of floats asks for, and nothing is known of it where it is nothing.
    """
    codes = encode(encoder, query.texts if query.pictures is None else query.pictures)
    if len(codes.has_code) == 1 and query.shares[0] == 1:
        return codes
    mixed = (query.shares[:, None] * unit(codes.floats)).sum(axis=0, keepdims=True)
    floats = unit(mixed.astype(np.float32))
    known = np.asarray(floats.any(axis=1))
    return Codes(known, floats, encoder.quantization.bits(floats, known))
