"""Golden values: hashes of what a small corpus of texts and one of pictures become, as commit de83bbb made them.

What is learned of texts is newer: as learning from spans and openings made it.

Rounding differs among machines, and learning spreads it. So hashes are kept for each kernel that they were taken
with; elsewhere only what is exact everywhere is compared. `python tests/golden.py` prints those of this kernel.
"""

import hashlib
import json
import platform
import tempfile
from pathlib import Path

import numpy as np
from shared import TINY, some_documents, some_pictures

from textae import Engine, ModelSpec, TrainSpec

QUERIES = ("telescope orbit moon", "sourdough yeast", "anchor rope storm", "only7 galaxy flour")
EXACT = (
    *("vocabulary/", "segments/0/tokens/", "hits: bm25", "hits: pixels"),
    *(f"segments/0/{name}" for name in ("postings", "rows", "starts", "text")),
    *(f"segments/0/documents/{name}" for name in ("known", "owners", "pixels", "removed/")),
    *(f"segments/0/documents/postings/{name}" for name in ("counts", "documents", "lengths", "starts", "terms")),
)
"""How the names begin of what is the same on every machine: whole numbers, and ranks far apart."""


def kernel() -> str:
    """What decides how sums are rounded: the maker of the CPU, the vector units and threads of torch, numpy's BLAS."""
    import torch
    from threadpoolctl import threadpool_info

    torch.zeros(1)
    blas = {one.get("architecture") for one in threadpool_info() if one["internal_api"] == "openblas"}
    cpu = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else platform.machine()
    maker = "intel" if "GenuineIntel" in cpu else "amd" if "AuthenticAMD" in cpu else platform.machine()
    threads = torch.get_num_threads()
    return f"{maker} {torch.backends.cpu.get_cpu_capability()} {'+'.join(sorted(filter(None, blas)))} {threads}"


def sha(array: np.ndarray) -> str:
    array = np.ascontiguousarray(array)
    return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()[:16]


def arrays_of(engine: Engine) -> dict[str, np.ndarray]:
    return {name: np.asarray(array) for name, array in engine.snapshot.reader.arrays.items()}


def texts(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """The arrays of an index of texts, and the ids that its systems find."""
    model, train = ModelSpec(dims=24, bits=64, hidden=(32,), topics=8), TrainSpec(seed=3, device="cpu", epochs=4)
    with Engine.create(folder) as engine:
        engine.index(some_documents(240), model=model, train=train)
        found = {}
        for system in ("bm25", "tfidf", "lsa", "code", "hamming", "hybrid", "hamming-16", "lsa-8"):
            for query in QUERIES:
                found[f"{system}: {query}"] = [hit.id for hit in engine.search(query, 10, system)]
        found["similar"] = [hit.id for hit in engine.similar("stars-0", 10)]
        return arrays_of(engine), found


def pictures(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """The arrays of an index of pictures, and the ids that its systems find."""
    with Engine.create(folder) as engine:
        engine.index(some_pictures(120), model=TINY, train=TrainSpec(seed=3, device="cpu", epochs=4))
        found = {}
        for system in ("pixels", "pca", "code", "hamming", "hamming-16"):
            found[system] = [hit.id for hit in engine.similar("across-0", 10, system)]
        return arrays_of(engine), found


def made() -> dict[str, tuple[dict[str, np.ndarray], dict[str, list[str]]]]:
    """Both corpora, by name."""
    with tempfile.TemporaryDirectory() as folder:
        indexed = {"texts": texts(Path(folder) / "texts"), "pictures": pictures(Path(folder) / "pictures")}
        return {
            kind: ({name: one.copy() for name, one in arrays.items()}, hits) for kind, (arrays, hits) in indexed.items()
        }


def hashes() -> dict[str, dict[str, str]]:
    """The hash of each array and of each list of hits, by corpus and name."""
    out = {}
    for kind, (arrays, found) in made().items():
        of_arrays = {name: sha(array) for name, array in sorted(arrays.items())}
        out[kind] = of_arrays | {f"hits: {name}": sha(np.array(ids)) for name, ids in found.items()}
    return out


if __name__ == "__main__":
    print(json.dumps({kernel(): hashes()}))
