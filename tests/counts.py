"""Small bags of words, for tests of postings and of what ranks by them."""

import numpy as np

from textae.encoding.bags import Bags

N_TERMS = 6
IDF = np.linspace(3, 1, N_TERMS).astype(np.float32)


def bags_of(rows) -> Bags:
    """Bags of rows of counts, a number a term."""
    dense = np.asarray(rows, np.uint16).reshape(-1, N_TERMS)
    row_of, terms = np.nonzero(dense)
    starts = np.searchsorted(row_of, np.arange(len(dense) + 1))
    return Bags(starts.astype(np.int64), terms.astype(np.int32), dense[row_of, terms])
