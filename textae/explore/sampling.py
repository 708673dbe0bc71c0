"""The decoder as a generator: what a code says, and codes that no document has.

    lift(t) = p(t) / p̄(t)                       p: the decoder's words of a code; p̄: their mean over documents
    χ²(p ‖ p̄) = Σ_t (p(t) - p̄(t))² / p̄(t)       words are ordered by what they add to it
    q(z) = 1/n Σ_i N(z; z_i, C_i)               codes are drawn from it
    C_i  = 1/k Σ_j (z_j - z_i)(z_j - z_i)ᵀ      j: the k nearest neighbours of document i

Probability alone names the words of every document, lift alone the rarest of the corpus; what a word adds to the
divergence weighs one with the other. (What it adds to Kullback and Leibler's, p ln lift, still puts `edu` and `com`
first where a decoder of 20 Newsgroups was taught counts and not tf-idf.)

q is the aggregate posterior of Makhzani et al. ("Adversarial Autoencoders", 2015, section 2). An encoder without noise
gives it as a cloud of points; Manifold Parzen Windows (Vincent & Bengio, NIPS 2002) put a Gaussian on each that is as
wide as its neighbourhood, and wide in no other direction. On the documentation of this Python, what is drawn so is .06
from its nearest document by cosine, where documents are .07 from theirs, and its ten words go together (mean NPMI .30;
.27 for those that documents' codes say). One Gaussian with the mean and the covariance of all codes gives codes .62
from any document, of words that do not (.16): it does not know that documents come in topics.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.encoding.decoder import Doubles
from textae.encoding.layers import unit

NEIGHBOURS = 10
"""k. With 5 to 20, words of a sample go together as well, and more than documents' do; from 40 on topics mix."""

_CENTRAL = (0.02, 0.98)  # quantiles: what lies outside has few documents, far from each other
_JUDGED = 100  # documents whose nearest neighbour says what is near
_ROUNDING = 0.01  # of a length of 1, in half precision


class AggregatePosterior:
    """q(z), where the codes of documents are: see the module's documentation.

    Codes of unit length lie on a sphere. What is drawn is brought back onto it, and distances are 1 - cosine, as a
    search compares them; those of a deep stack have any length, and distances are Euclid's.

    Args:
        floats: (n, dims), the codes of the documents.

    Attributes:
        floats: the same, float32.
        spherical: whether they are of unit length.
    """

    def __init__(self, floats: NDArray[np.floating]) -> None:
        self.floats: Floats = floats.astype(np.float32)
        lengths = np.linalg.norm(self.floats, axis=1)
        self.spherical = bool((np.abs(lengths - 1) < _ROUNDING).all())
        if self.spherical:
            self.floats = unit(self.floats)

    def distances(self, code: Floats) -> Floats:
        """How far a code, (dims,), is from every document's: (n,)."""
        if self.spherical:
            cosines: Floats = self.floats @ unit(code[None])[0]
            return np.maximum(1 - cosines, 0)
        apart: Floats = np.linalg.norm(self.floats - code, axis=1)
        return apart

    def draw(self, n: int, generator: np.random.Generator) -> Floats:
        """Draw n codes, each around a document at random, as z_i + Σ_j ε_j (z_j - z_i) / √k: (n, dims)."""
        k = min(NEIGHBOURS, len(self.floats) - 1)
        drawn = self.floats[generator.integers(len(self.floats), size=n)]
        for code in drawn if k else ():
            near = np.argsort(self.distances(code), kind="stable")[1 : k + 1]  # the first has this very code
            code += generator.standard_normal(k, np.float32) @ (self.floats[near] - code) / np.float32(k**0.5)
        return unit(drawn) if self.spherical else drawn

    def usual_distance(self) -> float:
        """How far documents are from their nearest other one, the median over some evenly taken: what is near here."""
        n = len(self.floats)
        if n < 2:
            return 0.0
        rows = np.unique(np.linspace(0, n - 1, min(n, _JUDGED)).astype(np.int64))
        return float(np.median([np.partition(self.distances(code), 1)[1] for code in self.floats[rows]]))


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
