"""The learned model of an index: all that it takes to make a segment of documents."""

from dataclasses import dataclass

from textae.encoding.arrays import Floats
from textae.encoding.encoders import AnyEncoder, Encoder, PixelEncoder
from textae.encoding.vectorizer import Vectorizer


@dataclass(frozen=True)
class Model:
    """The learned model.

    Attributes:
        vectorizer: from texts to terms.
        idf: (n_terms + 1,) of the learned corpus; the last is that of terms from later documents.
        encoder: from documents to codes.
        start: the baseline from which training started: LSA, or PCA for pictures; None where the index stores bits
            alone, and no codes of a baseline.
        passage: words of a passage; 0 to search whole documents.
        shape: height, width and channels of pictures; None for texts.
    """

    vectorizer: Vectorizer
    idf: Floats
    encoder: AnyEncoder
    start: Encoder | PixelEncoder | None
    passage: int
    shape: tuple[int, int, int] | None = None
