"""What an index has learned, as segments need it."""

from dataclasses import dataclass

from textae.encoding.arrays import Floats
from textae.encoding.encoders import AnyEncoder, Encoder, PixelEncoder
from textae.encoding.vectorizer import Vectorizer


@dataclass(frozen=True)
class Model:
    """What was learned, by which every segment is made.

    Attributes:
        vectorizer: of texts to terms.
        idf: (n_terms + 1,) as it was when the index was learned; the last is that of terms that were met later.
        encoder: of codes.
        start: LSA, where learning started; of pictures, PCA.
        passage: words of a passage; 0 where only whole documents are searched.
        shape: height, width and channels of pictures; None where documents are texts.
    """

    vectorizer: Vectorizer
    idf: Floats
    encoder: AnyEncoder
    start: Encoder | PixelEncoder
    passage: int
    shape: tuple[int, int, int] | None = None
