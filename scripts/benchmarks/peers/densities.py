"""The clusters of codes by BERTopic's recipe (Grootendorst 2022), in an environment of its own: UMAP, then HDBSCAN.

    python densities.py CODES.npy CLUSTERS.npy SEED     writes (n,) int64, -1 for what is in no cluster

Both with BERTopic's settings: 15 neighbours, 5 dimensions, least distance 0, cosine; clusters of at least 10. Prints
the seconds as JSON, without those of compiling, for which a few codes are mapped before.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import umap
from sklearn.cluster import HDBSCAN


def main(codes: Path, clusters: Path, seed: int) -> None:
    """Cluster codes, and print the seconds."""
    documents = np.load(codes)
    cluster(documents[:200], seed)
    started = time.perf_counter()
    found = cluster(documents, seed)
    print(json.dumps(time.perf_counter() - started))
    np.save(clusters, found)


def cluster(codes: np.ndarray, seed: int) -> np.ndarray:
    """The cluster of each code."""
    placed = umap.UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed, n_jobs=1)
    return HDBSCAN(min_cluster_size=10, copy=True).fit_predict(placed.fit_transform(codes))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
