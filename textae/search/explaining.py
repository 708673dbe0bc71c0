"""Why a document is a hit: what each word of the question gives to the score, and what the decoder hears in both.

    score = Σ_t share(t) + together

For keywords the score is such a sum already. For codes it becomes one when the encoder is taken as the linear function
that it is at this question: each unit's slope is the secant from what it is for an empty text to what it is here,

    m = (s(x) - s(x₀)) / (x - x₀)

(DeepLIFT's rescale rule, Shrikumar, Greenside & Kundaje, ICML 2017, with the empty text for reference), and lengths are
those of this question. Then the code is a sum over words and of what an empty text has; that part is `together`. It is
0 for LSA, which is linear.

Leaving words out one by one asks a simpler question, and answers less: of two words that would each do without the
other neither gets anything. So 63 % of the cosine stays with no word (SciFact's training claims with the document that
is nearest; 55 % for CACM's queries), where these slopes leave .5 % (3 %), and give a word what its Shapley value does
(a correlation of .97 and .98).

Bits are the signs of z = (code - mean) R. For sign(z) stands the multiple of z that is nearest to it, c z with
c = Σ|z| / Σz², and what it misses is `together`, 12 % (7 %): a bit at the edge of its plane says little of any word.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import words
from textae.encoding.arrays import Floats, Ints
from textae.encoding.bags import Bags
from textae.encoding.decoder import Decoder, most_telling
from textae.encoding.encoders import Bits, DeepEncoder, Encoder, Layers, share_of, shares
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.weighting import tfidf
from textae.search.query import QueryVector, encode_query
from textae.search.vectors.hamming import hamming
from textae.types import Explanation, WordShare

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Shares:
    """A score as a sum.

    Attributes:
        terms: (n,) int32, of the question, rising.
        shares: (n,), what each gives; below 0 where the score would be higher if it gave nothing.
        together: what is no single word's.
    """

    terms: Ints
    shares: Doubles
    together: float

    @property
    def score(self) -> float:
        """What they sum to."""
        return float(self.shares.sum()) + self.together

    def times(self, factor: float) -> "Shares":
        """The shares of so many times the score."""
        return replace(self, shares=self.shares * factor, together=self.together * factor)


NOTHING = Shares(np.empty(0, np.int32), np.empty(0), 0.0)
"""The shares of a system that has no say."""


def explanation(
    word_of: Mapping[int, str],
    keywords: Shares = NOTHING,
    codes: Shares = NOTHING,
    common: Sequence[str] = (),
) -> Explanation:
    """The explanation of one hit.

    Args:
        word_of: how to write each term of the question; `written` tells it of the question's own words.
        keywords: of the score, what BM25 gave.
        codes: of the score, what codes gave.
        common: words that are in both codes.
    """
    return Explanation(_worded(word_of, keywords), _worded(word_of, codes), codes.together, tuple(common))


def _worded(word_of: Mapping[int, str], found: Shares) -> tuple[WordShare, ...]:
    """The words that give anything, the most first."""
    order = np.argsort(-found.shares, kind="stable")
    return tuple(WordShare(word_of[int(found.terms[i])], float(found.shares[i])) for i in order if found.shares[i])


def fused(keywords: Shares, codes: Shares, keyword_factor: float, code_factor: float) -> tuple[Shares, Shares]:
    """The shares of the hybrid's score: of its keywords, and of its codes.

    Args:
        keywords: of BM25.
        codes: of the cosine; one that points away counts nothing (`textae.search.retrievers.Hybrid`).
        keyword_factor: 1 / σ of BM25's scores.
        code_factor: the weight of codes / σ of theirs.
    """
    return keywords.times(keyword_factor), codes.times(code_factor) if codes.score > 0 else NOTHING


def written(vectorizer: Vectorizer, text: str) -> dict[int, str]:
    """For each term of a text the word that first stands for it, as it is written there."""
    found: dict[int, str] = {}
    for word in words(text):
        if (number := vectorizer.numbers[word]) >= 0:
            found.setdefault(number, word)
    return found


def code_shares(encoder: Encoder | DeepEncoder, query: QueryVector, documents: NDArray[np.floating]) -> list[Shares]:
    """What each word of a question gives to the cosine of its code with each of some documents' codes.

    Args:
        encoder: of both.
        query: with its texts, whose words are meant; those that the encoder does not know give nothing.
        documents: (m, dims), float codes of any length and precision, as they are stored.

    Returns:
        m shares, each of which sums to the cosine that `textae.search.vectors.CosineIndex` gives.
    """
    terms, parts = _code_parts(encoder, query)
    codes = documents.astype(np.float64)
    lengths = np.linalg.norm(codes, axis=1, keepdims=True)
    cosines = _direction(parts) @ (codes / np.where(lengths > 0, lengths, 1)).T
    return [Shares(terms, column[:-1], float(column[-1])) for column in cosines.T]


def bit_shares(encoder: Encoder | DeepEncoder, query: QueryVector, documents: Bits) -> list[Shares]:
    """What each word of a question gives to the likeness of its bits to each of some documents' bits.

    Args:
        encoder: of both.
        query: with its texts.
        documents: (m, n_bits / 8), packed, of documents that have a code.

    Returns:
        m shares, each of which sums to 1 - 2 · distance / n_bits, as `textae.search.vectors.HammingIndex` gives it.
    """
    terms, parts = _code_parts(encoder, query)
    planes, asked = encoder.quantization, encode_query(encoder, query)
    sides = _biased(parts, -planes.mean) @ planes.rotation
    z = sides.sum(axis=0)
    nearest = sides * (np.abs(z).sum() / max(float(z @ z), np.finfo(np.float64).tiny))
    n_bits = 8 * asked.bits.shape[1]
    signs = 2.0 * np.unpackbits(documents, axis=1, count=len(z)) - 1
    likeness = (1 - 2 / n_bits * hamming(asked.bits, documents)) * asked.known
    given = (nearest[:-1] @ signs.T / n_bits).T
    return [Shares(terms, row, float(whole - row.sum())) for row, whole in zip(given, likeness, strict=True)]


def common_words(
    decoder: Decoder, usual: Doubles, query: NDArray[np.floating], document: NDArray[np.floating], k: int
) -> tuple[NDArray[np.int64], Doubles]:
    """The words that the decoder hears most in what two codes have in common: min(p, q), the smaller share of each.

    By eye, on SciFact and the documentation of this Python: the geometric mean of both puts first what one of them
    says loudly (for a claim on vitamin D and a paper on homocysteine `vitamin`); the smaller puts `supplement` first.

    Args:
        decoder: of the words.
        usual: (n_terms,), p̄.
        query: (dims,), a float code.
        document: (dims,), another.
        k: at most so many words: only those that both codes make likelier than usual.

    Returns:
        The terms, the most telling first, and how many times likelier than usual each is by both codes at least.
    """
    least = decoder.words(np.stack([query, document])).min(axis=0)
    terms = most_telling(least, usual, k)
    return terms, least[terms] / usual[terms]


# A vector of the network as a sum: (n + 1, dims), what each of n words gives to it, and last what an empty text has.


def _code_parts(encoder: Encoder | DeepEncoder, query: QueryVector) -> tuple[Ints, Doubles]:
    """The terms of a question, and the sum that its code is; of several texts as `encode_query` adds them up."""
    texts = query.texts.below(len(encoder.words))
    terms, row_of = np.unique(texts.terms, return_inverse=True)
    alone = len(texts) == 1 and query.shares[0] == 1
    total = np.zeros((len(terms) + 1, encoder.dims))
    for i, share in enumerate(query.shares.tolist()):
        if texts.starts[i] < texts.starts[i + 1]:
            bag = texts.rows(i, i + 1)
            parts = _deep_parts(encoder, bag) if isinstance(encoder, DeepEncoder) else _encoder_parts(encoder, bag)
            rows = np.append(row_of[texts.starts[i] : texts.starts[i + 1]], len(terms))
            total[rows] += parts if alone else share * _direction(parts)
    return terms, total if alone else _direction(total)


def _encoder_parts(encoder: Encoder, bag: Bags) -> Doubles:
    """The sum that the code of one text is, of an `Encoder`."""
    weights = tfidf(bag, encoder.idf)[:, None].astype(np.float64)
    hidden = _direction(_with_empty(weights * encoder.words[bag.terms], np.zeros(encoder.words.shape[1])))
    if not hidden.any():  # nothing is known of a text without a direction
        return np.zeros((len(hidden), encoder.dims))
    topics = len(encoder.topic_mean)
    answer = _direction(_head(encoder.instance_layers, hidden, encoder.dims - topics))
    topic = _direction(_head(encoder.topic_layers, hidden, topics))
    turned = _direction(_biased(topic, -encoder.topic_mean) @ encoder.topic_axes)
    share = float(share_of(encoder.topic_share, np.diff(bag.starts))[0])
    return np.hstack([answer * np.sqrt(1 - share), turned * np.sqrt(share)])


def _deep_parts(encoder: DeepEncoder, bag: Bags) -> Doubles:
    """The sum that the code of one text is, of a `DeepEncoder`."""
    weight, bias = encoder.layers[0]
    given = shares(bag)[:, None].astype(np.float64) * weight[bag.terms]
    return _through(encoder.layers[1:], _with_empty(given, bias), _logistic)


def _head(layers: Layers, hidden: Doubles, n_out: int) -> Doubles:
    """The first numbers of a hidden vector and what a small network adds."""
    if not layers:
        return hidden[:, :n_out]
    (weight, bias), *rest = layers
    return hidden[:, :n_out] + _through(rest, _biased(hidden @ weight, bias), _relu)


def _through(layers: Sequence[tuple[Floats, Floats]], parts: Doubles, s: Callable[[Doubles], Doubles]) -> Doubles:
    """A vector through layers, s before each."""
    for weight, bias in layers:
        parts = _biased(_bent(parts, s) @ weight, bias)
    return parts


def _bent(parts: Doubles, s: Callable[[Doubles], Doubles]) -> Doubles:
    """What s makes of a vector: each word's part by the slope of the secant from the empty text's x₀ to x."""
    empty, moved = parts[-1], parts[:-1].sum(axis=0)
    changed = s(empty + moved) - s(empty)
    slope = np.divide(changed, moved, out=np.zeros_like(moved), where=moved != 0)
    return _with_empty(parts[:-1] * slope, s(empty))


def _biased(parts: Doubles, bias: Floats) -> Doubles:
    """A vector and what is added to every text's."""
    return _with_empty(parts[:-1], parts[-1] + bias)


def _with_empty(parts: Doubles, empty: NDArray[np.floating]) -> Doubles:
    return np.vstack([parts, empty[None]])


def _direction(parts: Doubles) -> Doubles:
    """A vector scaled to unit length; zeros stay zeros."""
    length = float(np.linalg.norm(parts.sum(axis=0)))
    return parts / length if length > 0 else np.zeros_like(parts)


def _relu(x: Doubles) -> Doubles:
    return np.maximum(x, 0)


def _logistic(x: Doubles) -> Doubles:
    """`textae.encoding.encoders.logistic` in double precision: the slope of a short secant would be rounding."""
    return 0.5 + 0.5 * np.tanh(x / 2)
