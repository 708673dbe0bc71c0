"""Codes that no document has: drawn from the distribution of documents' codes, or on a grid over their plane.

    q(z) = 1/n Σ_i N(z; z_i, C_i)               codes are drawn from it
    C_i  = 1/k Σ_j (z_j - z_i)(z_j - z_i)ᵀ      j: the k nearest neighbours of document i

q is the aggregate posterior of Makhzani et al. ("Adversarial Autoencoders", 2015, section 2). An encoder without noise
gives it as a cloud of points; Manifold Parzen Windows (Vincent & Bengio, NIPS 2002) put a Gaussian on each point, as
wide as its neighbourhood and only in the directions of its neighbours. On the documentation of this Python, a sample
has a cosine distance of .06 to its nearest document, where documents have .07 to theirs, and its ten words go together
(mean NPMI .30; .27 for documents' codes). A single Gaussian with the mean and the covariance of all codes gives codes
at a distance of .62, whose words do not go together (.16): it knows nothing of topics.
"""

import numpy as np
from numpy.typing import NDArray

from textae.config import check_seed
from textae.encoding.arrays import Doubles, Floats, evenly_spaced
from textae.encoding.decoder import known_floats
from textae.encoding.layers import unit
from textae.errors import QueryError
from textae.explore.decode import decoded
from textae.index.snapshot import Snapshot
from textae.types import TEXTS, Cell, Grid, Sample, Samples

NEIGHBOURS = 10
"""k. With 5 to 20, words of a sample go together as well, and more than documents' do; from 40 on topics mix."""

_CENTRAL = (0.02, 0.98)  # quantiles: documents outside are few and far apart
_JUDGED = 100  # documents whose nearest neighbour gives the usual distance
_ROUNDING = 0.01  # of a length of 1, in half precision


def spherical(codes: Floats) -> bool:
    """Whether all codes, (n, dims), have unit length, up to half precision."""
    return bool((np.abs(np.linalg.norm(codes, axis=1) - 1) < _ROUNDING).all())


def sample(snapshot: Snapshot, n: int = 5, k: int = 10, seed: int = 1) -> Samples:
    """Draw n codes from the aggregate posterior, and decode the k most telling words of each.

    Raises:
        QueryError: n is below 1; or no document has a code.
        TextaeError: the seed is invalid.
    """
    if n < 1:
        raise QueryError(f"the number of samples must be at least 1, got {n}")
    check_seed(seed)
    posterior = AggregatePosterior(_floats(snapshot))
    codes = posterior.draw(n, np.random.default_rng(seed))
    numbers = snapshot.numbers[snapshot.codes.has_code].tolist()
    samples = []
    for code, one in zip(codes, decoded(snapshot, codes, k), strict=True):
        distances = posterior.distances(code)
        nearest = snapshot.reader.ids([numbers[int(distances.argmin())]])[0]
        samples.append(Sample(one, nearest, float(distances.min())))
    return Samples(tuple(samples), posterior.usual_distance())


def grid(snapshot: Snapshot, n: int = 6, k: int = 3) -> Grid:
    """Decode the k most telling words of n × n codes over the plane of the documents' float codes.

    Raises:
        QueryError: n is below 1; or codes are not of two numbers.
    """
    if n < 1:
        raise QueryError(f"the number of rows must be at least 1, got {n}")
    dims = snapshot.model.encoder.dims
    if dims != 2:
        how = "--preset hinton2006 --dims 2" if snapshot.modality.kind == TEXTS else "--dims 2"
        raise QueryError(
            f"a grid needs codes of 2 numbers, and those of this index have {dims}; 'textae index SOURCE… {how}' "
            "learns such codes"
        )
    x, y, documents = plane(_floats(snapshot), n)
    cells = decoded(snapshot, centres(x, y), k)
    numbers = np.arange(n * n).reshape(n, n)[::-1]  # from the top; the plane counts rows from the bottom
    rows = [(*divmod(i, n), number) for i, number in enumerate(numbers.ravel().tolist())]
    from_the_top = tuple(Cell(row, column, int(documents.flat[i]), cells[i]) for row, column, i in rows)
    return Grid(tuple(x.tolist()), tuple(y.tolist()), from_the_top)


def _floats(snapshot: Snapshot) -> NDArray[np.floating]:
    """The codes of the documents that have one: (n, dims)."""
    floats = known_floats(snapshot.codes)
    if not len(floats):
        raise QueryError("no document of this index has a code: the encoder knows none of their words")
    return floats


class AggregatePosterior:
    """q(z) of the module's docstring.

    Codes of unit length lie on a sphere: samples are brought back onto it, and distances are 1 - cosine, as in a
    search. Codes of a deep stack have any length, and distances are Euclidean.

    Args:
        floats: (n, dims), the codes of the documents.

    Attributes:
        floats: the same, float32.
        spherical: whether they have unit length.
    """

    def __init__(self, floats: NDArray[np.floating]) -> None:
        self.floats: Floats = floats.astype(np.float32)
        self.spherical = spherical(self.floats)
        if self.spherical:
            self.floats = unit(self.floats)

    def distances(self, code: Floats) -> Floats:
        """The distances of a code, (dims,), to every document's: (n,)."""
        if self.spherical:
            cosines: Floats = self.floats @ unit(code[None])[0]
            return np.maximum(1 - cosines, 0)
        distances: Floats = np.linalg.norm(self.floats - code, axis=1)
        return distances

    def draw(self, n: int, generator: np.random.Generator) -> Floats:
        """Draw n codes, each around a random document, as z_i + Σ_j ε_j (z_j - z_i) / √k: (n, dims)."""
        k = min(NEIGHBOURS, len(self.floats) - 1)
        samples = self.floats[generator.integers(len(self.floats), size=n)]
        for code in samples if k else ():
            near = np.argsort(self.distances(code), kind="stable")[1 : k + 1]  # the first is the code itself
            code += generator.standard_normal(k, np.float32) @ (self.floats[near] - code) / np.float32(k**0.5)
        return unit(samples) if self.spherical else samples

    def usual_distance(self) -> float:
        """The median distance of documents, an even sample of them, to their nearest other document."""
        n = len(self.floats)
        if n < 2:
            return 0.0
        rows = evenly_spaced(n, _JUDGED)
        return float(np.median([np.partition(self.distances(code), 1)[1] for code in self.floats[rows]]))


def plane(floats: NDArray[np.floating], n: int) -> tuple[Doubles, Doubles, NDArray[np.int64]]:
    """Cut the part of the plane with most documents into n × n cells.

    Args:
        floats: (n_documents, 2), the float codes.
        n: columns, and rows.

    Returns:
        The edges of the columns, (n + 1,) rising; the edges of the rows, (n + 1,) rising; and the number of documents
        of each cell, (n, n) by row and column.
    """
    points = floats.astype(np.float64)
    edges = []
    for low, high in np.quantile(points, _CENTRAL, axis=0).T:
        margin = 0.5 if low == high else 0.0  # all documents at one place: it becomes the middle
        edges.append(np.linspace(low - margin, high + margin, n + 1))
    documents, *_ = np.histogram2d(points[:, 1], points[:, 0], bins=[edges[1], edges[0]])
    return edges[0], edges[1], documents.astype(np.int64)


def centres(x: Doubles, y: Doubles) -> Floats:
    """The codes at the centres of the cells between edges, row by row: (n · n, 2)."""
    columns, rows = np.meshgrid((x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2)
    return np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)
