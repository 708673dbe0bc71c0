"""Latent semantic analysis (Deerwester et al. 1990), the start of training."""

import numpy as np

from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags
from textae.encoding.weighting import tfidf
from textae.training.threads import one_blas_thread

_NOISE = 1e-5
"""Smaller singular values, as a share of the largest one, are rounding."""


@one_blas_thread()
def fit_lsa(bags: Bags, idf: Floats, dims: int, seed: int) -> Floats:
    """Latent semantic analysis: the right singular vectors of the tf-idf matrix (Deerwester et al. 1990).

    A document's coordinates are its tf-idf weights times these vectors; the first columns are LSA of fewer dimensions.

    Args:
        bags: n documents.
        idf: (n_terms,) of the terms of the bags.
        dims: maximum; a small corpus has fewer.
        seed: of the randomised decomposition (Halko, Martinsson & Tropp 2011).

    Returns:
        (n_terms, dims) float32.
    """
    from scipy.sparse import csr_array
    from sklearn.utils.extmath import randomized_svd

    dims = max(1, min(dims, len(bags) - 1, len(idf) - 1))
    matrix = csr_array((tfidf(bags, idf), bags.terms, bags.starts), shape=(len(bags), len(idf)))
    _, spread, components = randomized_svd(matrix, dims, random_state=seed, n_iter=4)
    rank = max(1, np.count_nonzero(spread > spread[0] * _NOISE))  # beyond it the vectors are noise
    return np.ascontiguousarray(components[:rank].T, np.float32)
