"""Why a document is a hit: the share of each word of the query in the score, and words of both codes.

    score = Σ_t share(t) + together

For keywords the score is such a sum already. For codes it becomes one when the encoder is taken as the linear function
that it is at this query: each unit's slope is the secant from what it is for an empty text to what it is here,

    m = (s(x) - s(x₀)) / (x - x₀)

(DeepLIFT's rescale rule, Shrikumar, Greenside & Kundaje, ICML 2017, with the empty text for reference), and lengths are
those of this query. Then the code is a sum over words and of what an empty text has; that part is `together`. It is
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
from textae.encoding.arrays import Doubles, Floats, Ints
from textae.encoding.bags import Bags
from textae.encoding.decoder import Decoder, most_telling
from textae.encoding.encoders import Bits, DeepEncoder, Encoder, topic_weights
from textae.encoding.layers import Layers, logistic
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.weighting import term_frequencies, tfidf
from textae.search.query import QueryVector
from textae.types import Explanation, WordShare


@dataclass(frozen=True)
class Contributions:
    """A score as a sum.

    Attributes:
        terms: (n,) int32, of the query, rising.
        values: (n,), what each gives; below 0 where the score would be higher if it gave nothing.
        together: what is no single word's.
    """

    terms: Ints
    values: Doubles
    together: float

    @property
    def score(self) -> float:
        """What they sum to."""
        return float(self.values.sum()) + self.together


NOTHING = Contributions(np.empty(0, np.int32), np.empty(0), 0.0)
"""The shares of a system that has no say."""

Parts = tuple[Contributions, Contributions, Contributions]
"""Of a score: what keywords give, what codes give, and what the user's own vectors give, all of it together."""


def explanation(
    word_of: Mapping[int, str],
    keywords: Contributions = NOTHING,
    codes: Contributions = NOTHING,
    vectors: Contributions = NOTHING,
    common: Sequence[str] = (),
    name: float = 0.0,
) -> Explanation:
    """The explanation of one hit.

    Args:
        word_of: how to write each term of the query; `written` tells it of the query's own words.
        keywords: of the score, what BM25 gave.
        codes: of the score, what codes gave.
        vectors: of the score, what the user's own vectors gave.
        common: words that are in both codes.
        name: of the score, what the name of the document gave.
    """
    by_words, by_codes = (
        # the words that give anything, the most first
        tuple(
            WordShare(word_of[int(parts.terms[i])], float(parts.values[i]))
            for i in np.argsort(-parts.values, kind="stable")
            if parts.values[i]
        )
        for parts in (keywords, codes)
    )
    return Explanation(by_words, by_codes, codes.together, tuple(common), name, vectors.score)


def of_vectors(score: float) -> Contributions:
    """What the user's own vectors give, of which no word has a share."""
    return replace(NOTHING, together=score)


def fused(keywords: Contributions, *codes: Contributions, factors: Sequence[float]) -> Parts:
    """The shares of the hybrid's score: of its keywords, of its codes, and of the user's own vectors.

    Args:
        keywords: of BM25.
        codes: of the cosines of our codes and of the user's own vectors, if there are any; one that points away counts
            nothing (`textae.search.retrievers.Hybrid`).
        factors: by which the square of BM25's score and the cosines are multiplied.
    """
    by_words = replace(keywords, values=keywords.values * keywords.score * factors[0])  # all of it is single words'
    by_codes, vectors = (
        replace(one, values=one.values * factor, together=one.together * factor) if one.score > 0 else NOTHING
        for one, factor in zip((*codes, NOTHING)[:2], (*factors[1:], 0.0), strict=False)
    )
    return by_words, by_codes, vectors


def summed(passages: Sequence[Parts], weights: Sequence[float]) -> Parts:
    """The parts of a document's score, which is the weighted sum of the scores of some passages."""
    by_words, by_codes, vectors = (_summed(kind, weights) for kind in zip(*passages, strict=True))
    return by_words, by_codes, vectors


def _summed(passages: Sequence[Contributions], weights: Sequence[float]) -> Contributions:
    have_say = [pair for pair in zip(passages, weights, strict=True) if pair[0] is not NOTHING]
    if not have_say:
        return NOTHING
    values = np.sum([weight * passage.values for passage, weight in have_say], axis=0)
    return Contributions(have_say[0][0].terms, values, sum(weight * passage.together for passage, weight in have_say))


def written(vectorizer: Vectorizer, text: str) -> dict[int, str]:
    """For each term of a text the word that first stands for it, as it is written there."""
    found: dict[int, str] = {}
    for word in words(text):
        if (number := vectorizer.numbers[word]) >= 0:
            found.setdefault(number, word)
    return found


def code_contributions(
    encoder: Encoder | DeepEncoder, query: QueryVector, documents: NDArray[np.floating]
) -> list[Contributions]:
    """What each word of a query gives to the cosine of its code with each of some documents' codes.

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
    return [Contributions(terms, column[:-1], float(column[-1])) for column in cosines.T]


def bit_contributions(
    encoder: Encoder | DeepEncoder, query: QueryVector, documents: Bits, scores: Floats
) -> list[Contributions]:
    """What each word of a query gives to the likeness of its code to each of some documents' bits.

    Args:
        encoder: of both.
        query: with its texts.
        documents: (m, n_bits / 8), packed, of documents that have a code.
        scores: (m,) as `textae.search.vectors.AsymmetricIndex` gives them, whose formula is linear in the words' parts
            of the code; of `HammingIndex`, the rounding of the query to signs is a share of all words together.

    Returns:
        m shares, each of which sums to its score.
    """
    terms, parts = _code_parts(encoder, query)
    planes = encoder.quantization
    sides = _biased(parts, -planes.mean) @ planes.rotation
    weight = max(float(np.abs(sides.sum(axis=0)).sum()), np.finfo(np.float64).tiny)
    signs = 2.0 * np.unpackbits(documents, axis=1, count=sides.shape[1]) - 1
    given = (sides[:-1] @ signs.T / weight).T
    return [Contributions(terms, row, float(whole - row.sum())) for row, whole in zip(given, scores, strict=True)]


def common_words(
    decoder: Decoder, usual: Doubles, query: NDArray[np.floating], documents: NDArray[np.floating], k: int
) -> list[list[int]]:
    """The words that the decoder finds likeliest in both of two codes: min(p, q), the smaller probability of each word.

    By eye, on SciFact and the documentation of this Python: the geometric mean of both puts first a word that one of
    them makes very likely (for a claim on vitamin D and a paper on homocysteine `vitamin`); the smaller puts
    `supplement` first.

    Args:
        decoder: of the words.
        usual: (n_terms,), p̄.
        query: (dims,), a float code.
        documents: (m, dims), other codes.
        k: the maximum number of words: only those that both codes make likelier than usual.

    Returns:
        For each document the terms, the most telling first.
    """
    own = decoder.words(query[None])[0]
    return [most_telling(np.minimum(own, words), usual, k).tolist() for words in decoder.words(documents)]


# A vector of the network as a sum: (n + 1, dims), what each of n words gives to it, and last what an empty text has.


def _code_parts(encoder: Encoder | DeepEncoder, query: QueryVector) -> tuple[Ints, Doubles]:
    """The terms of a query, and the sum that its code is; of several texts as `QueryVector.codes` adds them up.

    What it is moved `toward` is of no word.
    """
    texts = query.texts.below(len(encoder.words))
    terms, row_of = np.unique(texts.terms, return_inverse=True)
    alone = query.is_one_text and query.toward is None
    total = np.zeros((len(terms) + 1, encoder.dims))
    for i, share in enumerate(query.text_weights.tolist()):
        if texts.starts[i] < texts.starts[i + 1]:
            bag = texts.rows(i, i + 1)
            parts = _deep_parts(encoder, bag) if isinstance(encoder, DeepEncoder) else _encoder_parts(encoder, bag)
            rows = np.append(row_of[texts.starts[i] : texts.starts[i + 1]], len(terms))
            total[rows] += parts if alone else share * _direction(parts)
    if alone:
        return terms, total
    total = _direction(total)
    if query.toward is not None:
        total[-1] += query.toward
    return terms, _direction(total)


def _encoder_parts(encoder: Encoder, bag: Bags) -> Doubles:
    """The sum that the code of one text is, of an `Encoder`."""
    weights = tfidf(bag, encoder.idf)[:, None].astype(np.float64)
    hidden = _direction(np.vstack([weights * encoder.words[bag.terms], np.zeros(encoder.words.shape[1])]))
    if not hidden.any():  # nothing is known of a text without a direction
        return np.zeros((len(hidden), encoder.dims))
    topics = len(encoder.topic_mean)
    answer = _direction(_head(encoder.instance_layers, hidden, encoder.dims - topics))
    topic = _direction(_head(encoder.topic_layers, hidden, topics))
    turned = _direction(_biased(topic, -encoder.topic_mean) @ encoder.topic_axes)
    share = float(topic_weights(encoder.topic_weight, np.diff(bag.starts), encoder.half_weight)[0])
    return np.hstack([answer * np.sqrt(1 - share), turned * np.sqrt(share)])


def _deep_parts(encoder: DeepEncoder, bag: Bags) -> Doubles:
    """The sum that the code of one text is, of a `DeepEncoder`."""
    weight, bias = encoder.layers[0]
    given = term_frequencies(bag)[:, None].astype(np.float64) * weight[bag.terms]
    return _through(encoder.layers[1:], np.vstack([given, bias]), logistic)


def _head(layers: Layers, hidden: Doubles, n_out: int) -> Doubles:
    """The first numbers of a hidden vector and what a small network adds."""
    if not layers:
        return hidden[:, :n_out]
    (weight, bias), *rest = layers
    return hidden[:, :n_out] + _through(rest, _biased(hidden @ weight, bias), lambda x: np.maximum(x, 0))


def _through(layers: Sequence[tuple[Floats, Floats]], parts: Doubles, s: Callable[[Doubles], Doubles]) -> Doubles:
    """A vector through layers, s before each."""
    for weight, bias in layers:
        # Each word's part goes by the slope of the secant from the empty text's x₀ to x.
        empty, moved = parts[-1], parts[:-1].sum(axis=0)
        changed = s(empty + moved) - s(empty)
        slope = np.divide(changed, moved, out=np.zeros_like(moved), where=moved != 0)
        parts = _biased(np.vstack([parts[:-1] * slope, s(empty)]) @ weight, bias)
    return parts


def _biased(parts: Doubles, bias: Floats) -> Doubles:
    """A vector plus a bias, which belongs to no word."""
    return np.vstack([parts[:-1], parts[-1] + bias])


def _direction(parts: Doubles) -> Doubles:
    """A vector scaled to unit length; zeros stay zeros."""
    length = float(np.linalg.norm(parts.sum(axis=0)))
    return parts / length if length > 0 else np.zeros_like(parts)
