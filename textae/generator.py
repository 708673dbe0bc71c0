"""The decoder as a generator: what a code says, and codes that no document has.

    lift(t) = p(t) / p̄(t)                       p: the decoder's words of a code; p̄: their mean over documents
    χ²(p ‖ p̄) = Σ_t (p(t) - p̄(t))² / p̄(t)       words are ordered by what they add to it
    q(z) = mean over documents of q(z | x)      the aggregate posterior, from which codes are drawn

Probability alone names the words of every document, lift alone the rarest of the corpus; what a word adds to the
divergence weighs one with the other. (What it adds to Kullback and Leibler's, p ln lift, still puts `edu` and `com`
first where a decoder of 20 Newsgroups was taught counts and not tf-idf.)

An encoder without noise gives q as a cloud of points (Makhzani et al., "Adversarial Autoencoders", 2015, section 2); a
Gaussian of its mean and covariance stands for it here, and for bits the signs of one (Emrich & Piedmonte 1991).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from textae.decoder import BITS, Decoder
from textae.encoder import Codes
from textae.index.hamming import hamming
from textae.ranking import top
from textae.vectorizer import Floats

Doubles = NDArray[np.float64]

_USUAL = 512  # documents of which the words are averaged: .3 s for 20,000 terms
_DECODED = 128  # codes decoded at a time
_CHUNK = 8_192  # codes in memory at a time
_NEVER = 1e-12  # the probability of what no document has
_CENTRAL = (0.02, 0.98)  # quantiles: what lies outside has few documents, far from each other
_JUDGED = 100  # documents whose nearest neighbour says what is near


def known_codes(codes: Codes) -> Codes:
    """The codes of the documents of which the encoder knows a word: the others have none."""
    return codes if codes.known.all() else take(codes, np.flatnonzero(codes.known))


def take(codes: Codes, rows: NDArray[np.int64] | slice) -> Codes:
    """The codes of some rows."""
    return Codes(codes.known[rows], codes.floats[rows], codes.bits[rows])


def usual_words(decoder: Decoder, codes: Codes) -> Doubles:
    """p̄, the mean of the decoder's words over documents, evenly taken where there are many: (n_terms,)."""
    rows = np.unique(np.linspace(0, len(codes.known) - 1, min(len(codes.known), _USUAL)).astype(np.int64))
    total = np.zeros(len(decoder.layers[-1][1]))
    for first in range(0, len(rows), _DECODED):
        some = take(codes, rows[first : first + _DECODED])
        total += decoder.words(decoder.read(some)).sum(axis=0, dtype=np.float64)
    return np.maximum(total / len(rows), np.finfo(np.float32).tiny)


def most_telling(shares: Floats, usual: Doubles, k: int) -> NDArray[np.int64]:
    """The k terms that add most to χ²(p ‖ p̄), (p(t) - p̄(t))² / p̄(t); the most telling first.

    Args:
        shares: (n_terms,), p.
        usual: (n_terms,), p̄.
        k: at most so many come back: only those that the code makes likelier than usual.
    """
    above = np.maximum(shares - usual, 0)
    return top((above**2 / usual).astype(np.float32), k)


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution of n_in numbers.

    Attributes:
        mean: (n_in,).
        covariance: (n_in, n_in).
    """

    mean: Doubles
    covariance: Doubles

    def draw(self, n: int, generator: np.random.Generator) -> Doubles:
        """Draw n rows, mean + ε A with A Aᵀ the covariance: (n, n_in)."""
        values, vectors = np.linalg.eigh(self.covariance)
        spread = vectors * np.sqrt(np.maximum(values, 0))
        drawn: Doubles = self.mean + generator.standard_normal((n, len(self.mean))) @ spread.T
        return drawn


def sample_codes(decoder: Decoder, codes: Codes, n: int, generator: np.random.Generator) -> Floats:
    """Codes drawn from the aggregate posterior, as the decoder reads them: (n, n_in).

    Args:
        decoder: what it reads decides between a Gaussian, and the signs of one.
        codes: of the documents.
        n: codes to draw.
        generator: of the random numbers.
    """
    posterior = aggregate_posterior(decoder, codes)
    if decoder.reads != BITS:
        return posterior.draw(n, generator).astype(np.float32)
    return np.where(dichotomised(posterior).draw(n, generator) > 0, 1, -1).astype(np.float32)


def aggregate_posterior(decoder: Decoder, codes: Codes) -> Gaussian:
    """The mean and the covariance, over all documents, of what the decoder reads."""
    n = len(codes.known)
    mean = np.add.reduce([read.sum(axis=0, dtype=np.float64) for read in _read(decoder, codes)]) / n
    covariance = np.zeros((len(mean), len(mean)))
    for read in _read(decoder, codes):
        from_mean = read - mean
        covariance += from_mean.T @ from_mean
    return Gaussian(mean, covariance / n)


def _read(decoder: Decoder, codes: Codes) -> Iterator[Floats]:
    for first in range(0, len(codes.known), _CHUNK):
        yield decoder.read(take(codes, slice(first, first + _CHUNK)))


def dichotomised(bits: Gaussian) -> Gaussian:
    """The Gaussian whose signs have the mean and, nearly, the covariance of bits of ±1 (Emrich & Piedmonte 1991).

    A Gaussian of variance 1 is positive with probability Φ(γ): γ = Φ⁻¹((1 + mean) / 2) is exact. Its correlation is
    Λ = sin(ρ π / 2) where ρ is that of the bits: exact for bits that are as often 1 as -1, which learned ones nearly
    are. Where no Gaussian has all these correlations, the nearest is taken: negative eigenvalues become 0.

    Args:
        bits: mean (n_bits,) and covariance (n_bits, n_bits) of the bits.
    """
    positive = np.clip((1 + bits.mean) / 2, _NEVER, 1 - _NEVER)
    gamma = np.array([NormalDist().inv_cdf(share) for share in positive])
    deviation = np.sqrt(np.diag(bits.covariance))
    scale = np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    latent = np.sin(np.pi / 2 * np.clip(bits.covariance * np.outer(scale, scale), -1, 1))
    np.fill_diagonal(latent, 1)
    values, vectors = np.linalg.eigh(latent)
    possible = (vectors * np.maximum(values, 0)) @ vectors.T
    length = np.sqrt(np.diag(possible))
    return Gaussian(gamma, possible / np.outer(length, length))


def distances(decoder: Decoder, code: Floats, codes: Codes) -> Floats:
    """How far a code is from every document's: bits that differ, or Euclid's distance of floats: (n,).

    Args:
        decoder: what it reads is compared.
        code: (n_in,), as the decoder reads it.
        codes: of the documents.
    """
    if decoder.reads == BITS:
        return hamming(np.packbits(code > 0)[None], codes.bits).astype(np.float32)
    parts = [np.sqrt(((read - code) ** 2).sum(axis=1)) for read in _read(decoder, codes)]
    return np.concatenate(parts).astype(np.float32)


def usual_distance(decoder: Decoder, codes: Codes) -> float:
    """How far documents are from their nearest other one, the median over some evenly taken: what is near here."""
    n = len(codes.known)
    if n < 2:
        return 0.0
    rows = np.unique(np.linspace(0, n - 1, min(n, _JUDGED)).astype(np.int64))
    read = decoder.read(take(codes, rows))
    return float(np.median([np.partition(distances(decoder, code, codes), 1)[1] for code in read]))


@dataclass(frozen=True)
class Plane:
    """A plane of codes cut into n × n cells.

    Attributes:
        x: (n + 1,), the edges of the columns, rising.
        y: (n + 1,), the edges of the rows, rising.
        documents: (n, n) int64, by row and column: those whose code lies in the cell.
    """

    x: Doubles
    y: Doubles
    documents: NDArray[np.int64]

    def centres(self) -> Floats:
        """The codes in the middle of the cells, row by row: (n · n, 2)."""
        x, y = np.meshgrid((self.x[1:] + self.x[:-1]) / 2, (self.y[1:] + self.y[:-1]) / 2)
        return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def plane(floats: NDArray[np.floating], n: int) -> Plane:
    """The part of the plane where most documents are, cut into cells.

    Args:
        floats: (n_documents, 2), the float codes.
        n: columns, and rows.
    """
    points = floats.astype(np.float64)
    edges = []
    for low, high in np.quantile(points, _CENTRAL, axis=0).T:
        margin = 0.5 if low == high else 0.0  # all at one place: it becomes the middle
        edges.append(np.linspace(low - margin, high + margin, n + 1))
    documents, *_ = np.histogram2d(points[:, 1], points[:, 0], bins=[edges[1], edges[0]])
    return Plane(edges[0], edges[1], documents.astype(np.int64))
