"""Cluster codes by BERTopic's recipe (Grootendorst 2022): UMAP, then HDBSCAN.

    python densities.py CODES.npy CLUSTERS.npy SEED     writes (n,) int64, -1 for a code in no cluster

The settings are BERTopic's: 15 neighbours, 5 dimensions, minimum distance 0, cosine; clusters of at least 10. It prints
the seconds as JSON, without those of compiling, which a first run on a few codes triggers.
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
    labels = cluster(documents, seed)
    print(json.dumps(time.perf_counter() - started))
    np.save(clusters, labels)


def cluster(codes: np.ndarray, seed: int) -> np.ndarray:
    """The cluster of each code: (n,)."""
    points = umap.UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed, n_jobs=1)
    return HDBSCAN(min_cluster_size=10, copy=True).fit_predict(points.fit_transform(codes))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
