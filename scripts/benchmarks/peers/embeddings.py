"""Lay vectors out on a plane by UMAP or t-SNE (openTSNE), in an environment of its own, then place others beside them.

    python embeddings.py umap|tsne VECTORS.npz PLACES.npz SEED

VECTORS.npz holds `learned` (n, dims) and `new` (m, dims), or the same as sparse rows: `learned_values`, `_columns`,
`_starts`, and `dims`. PLACES.npz gets both as (…, 2). Prints the seconds of each as JSON. All settings are the
defaults, but for the cosine, the seed and the cores, as many as OMP_NUM_THREADS says.
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
    with np.load(vectors) as held:
        learned, new = (_rows(held, name) for name in ("learned", "new"))
    mapper = {"umap": _umap, "tsne": _tsne}[method]
    # What the first call imports and compiles is not its work.
    mapper(learned[:300], seed)[1](new[:10])
    started = time.perf_counter()
    found, transform = mapper(learned, seed)
    laid_out = time.perf_counter()
    placed = transform(new)
    done = time.perf_counter()
    np.savez(places, learned=found, new=placed)
    print(json.dumps([laid_out - started, done - laid_out]))


def _rows(held: Any, name: str) -> Any:
    if name in held:
        return held[name]
    starts = held[f"{name}_starts"]
    parts = held[f"{name}_values"], held[f"{name}_columns"], starts
    return csr_matrix(parts, shape=(len(starts) - 1, int(held["dims"])))


def _umap(rows: Any, seed: int) -> Any:
    import umap

    mapper = umap.UMAP(metric="cosine", random_state=seed)
    return mapper.fit_transform(rows), mapper.transform


def _tsne(rows: Any, seed: int) -> Any:
    from openTSNE import TSNE

    cores = int(os.environ.get("OMP_NUM_THREADS", "1"))
    found = TSNE(metric="cosine", random_state=seed, n_jobs=cores).fit(rows)
    return np.array(found), lambda new: np.array(found.transform(new))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
