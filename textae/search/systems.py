"""The ranking systems of an index by name. A new system gets its name in `textae.config` and a case here."""

from dataclasses import replace

import numpy as np

from textae.index.chunked import ChunkedArray
from textae.index.snapshot import CorpusView, Snapshot
from textae.search.lexical import BM25, VectorSpace
from textae.search.retrievers import CodeSearch, Hybrid, PixelSearch, Retriever
from textae.search.vectors import CodeIndex, CosineIndex, EuclideanIndex, HammingIndex


def retriever(name: str, snapshot: Snapshot, view: CorpusView) -> Retriever:
    """The system of that name over whole documents or passages.

    Args:
        name: one of the modality's systems, `lsa-N`, `pca-N` or `bits-N`.
        snapshot: the index.
        view: its rows that are ranked.

    Raises:
        TextaeError: there is no such system.
    """
    snapshot.modality.check_system(name)
    postings = [rows.postings for rows in view.units]
    match name.split("-"):
        case ["bm25"]:
            return BM25(postings, view.statistics)
        case ["tfidf"]:
            idf = snapshot.model.idf
            return VectorSpace(postings, idf[:-1], float(idf[-1]))
        case ["pixels"]:
            return PixelSearch(EuclideanIndex(view.pixels))
        case ["code"]:
            return _code(snapshot, view)
        case ["hybrid"]:
            weight = snapshot.reader.settings["hybrid_weight"]
            return Hybrid(BM25(postings, view.statistics), _code(snapshot, view), weight)
        case ["bits"]:
            return CodeSearch(snapshot.model.encoder, HammingIndex(view.bits, view.has_code))
        case ["bits", n]:
            return _bits(int(n), snapshot, view)
        case [_, dims]:
            return _baseline(int(dims), snapshot, view)
    return _baseline(None, snapshot, view)


def _code(snapshot: Snapshot, view: CorpusView) -> CodeSearch:
    return CodeSearch(snapshot.model.encoder, CodeIndex(view.floats, view.bits, view.has_code))


def _bits(n: int, snapshot: Snapshot, view: CorpusView) -> CodeSearch:
    from textae.training.itq import quantization  # numpy.random, which no other search needs

    # The planes are learned from whole documents, whichever rows are ranked.
    codes, seed = snapshot.codes, snapshot.reader.settings["about"]["seed"]
    planes = quantization(codes.floats.astype(np.float32)[codes.has_code], n, seed)
    parts = [planes.bits(rows.codes.floats.astype(np.float32), rows.codes.has_code) for rows in view.units]
    encoder = replace(snapshot.model.encoder, quantization=planes)
    return CodeSearch(encoder, HammingIndex(ChunkedArray(parts), view.has_code))


def _baseline(dims: int | None, snapshot: Snapshot, view: CorpusView) -> CodeSearch:
    """LSA or PCA, with its first dimensions or all."""
    encoder = snapshot.modality.baseline_encoder(snapshot.arrays, dims)
    return CodeSearch(encoder, CosineIndex(ChunkedArray([rows.lsa[:, :dims] for rows in view.units])))
