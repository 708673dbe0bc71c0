"""Lay vectors out on a plane with UMAP or t-SNE (openTSNE), then place other vectors among them.

    python embeddings.py umap|tsne VECTORS.npz PLACES.npz SEED

VECTORS.npz holds `learned` (n, dims) and `new` (m, dims), or the same as sparse rows: `learned_values`, `_columns`,
`_starts`, and `dims`. PLACES.npz gets both as (…, 2). It prints the seconds of each as JSON. All settings are defaults
except the cosine, the seed and the number of cores (OMP_NUM_THREADS).
"""

import json
import os
import sys
import time
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix


def main(method: str, vectors: str, places: str, seed: int) -> None:
    """Lay out and place, and print the seconds."""
    with np.load(vectors) as arrays:
        learned, new = (_rows(arrays, name) for name in ("learned", "new"))
    mapper = {"umap": _umap, "tsne": _tsne}[method]
    # The first call imports and compiles, which does not count.
    mapper(learned[:300], seed)[1](new[:10])
    started = time.perf_counter()
    points, transform = mapper(learned, seed)
    laid_out = time.perf_counter()
    placed = transform(new)
    done = time.perf_counter()
    np.savez(places, learned=points, new=placed)
    print(json.dumps([laid_out - started, done - laid_out]))


def _rows(arrays: Any, name: str) -> Any:
    if name in arrays:
        return arrays[name]
    starts = arrays[f"{name}_starts"]
    parts = arrays[f"{name}_values"], arrays[f"{name}_columns"], starts
    return csr_matrix(parts, shape=(len(starts) - 1, int(arrays["dims"])))


def _umap(rows: Any, seed: int) -> Any:
    import umap

    mapper = umap.UMAP(metric="cosine", random_state=seed)
    return mapper.fit_transform(rows), mapper.transform


def _tsne(rows: Any, seed: int) -> Any:
    from openTSNE import TSNE

    cores = int(os.environ.get("OMP_NUM_THREADS", "1"))
    embedding = TSNE(metric="cosine", random_state=seed, n_jobs=cores).fit(rows)
    return np.array(embedding), lambda new: np.array(embedding.transform(new))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
