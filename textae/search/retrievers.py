"""Ranking systems as one thing: a `Retriever` ranks rows for a query and scores any row; fusion needs no more.

The hybrid adds up two systems on one scale. BM25 finds the documents that use the words of the query, codes those that
use others. A new system gets its name in `textae.config` and a case in `retriever`.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, cast

import numpy as np

from textae.encoding.arrays import Floats, Mask, Rows, distinct
from textae.encoding.decoder import known_floats
from textae.encoding.encoders import AnyEncoder, TextEncoder
from textae.encoding.topk import TopK
from textae.index.chunked import ChunkedArray
from textae.index.snapshot import CorpusView, Snapshot
from textae.search.lexical import BM25, VectorSpace
from textae.search.query import QueryVector
from textae.search.vectors import AsymmetricIndex, CodeIndex, CosineIndex, EuclideanIndex, HammingIndex, Index


class Retriever(Protocol):
    """A ranking system. Higher scores are better; a row that scores 0 or less is no hit."""

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows that score highest.

        Args:
            query: one.
            k: the maximum number of rows.
            mask: (n_rows,) the rows that may be hits; None for all.
            min_score: rows that score this or less are left out; -inf ranks all rows, also those that score 0.
        """
        ...

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The score of each of some rows: (n,), to the last bit as `search` gives it."""
        ...

    @property
    def n_terms(self) -> int:
        """Only the terms below this number have an effect."""
        ...


@dataclass(frozen=True)
class CodeSearch:
    """Documents by the similarity of their codes to the query's: an encoder before a vector index."""

    encoder: AnyEncoder
    index: Index

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows most similar to the query, as `Retriever.search` says."""
        return self.index.search(query.codes(self.encoder), k, mask, min_score)

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The similarity of the query to each of some rows: (n,)."""
        return self.index.scores(query.codes(self.encoder), rows)

    @property
    def n_terms(self) -> int:
        """The number of terms that the encoder reads: the most frequent ones."""
        return len(cast(TextEncoder, self.encoder).words)


@dataclass(frozen=True)
class PixelSearch:
    """Pictures by the distance of their pixels to the query's, nearest first; without learning."""

    n_terms: ClassVar[int] = 0

    index: EuclideanIndex

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The nearest rows, as `Retriever.search` says."""
        return self.index.search(query.mean_picture(), k, mask, min_score)

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The score of each of some rows: (n,)."""
        return self.index.scores(query.mean_picture(), rows)


POOL = 100
"""Candidates that the hybrid takes from each of its systems. With 50 it already found the same ten as by scoring all
of 100,000 arXiv abstracts, for each of 60 titles, however much weight codes had."""


@dataclass(frozen=True)
class Hybrid:
    """Keywords and codes fused: (bm25 / σ(bm25) + weight · max(0, code / σ(code))) / most, σ over all documents.

    Scores are from 0 to 1: `most` is the numerator of a document that says each word of the query endlessly often, also
    those that the corpus does not hold, and has the query's code. So a score means the same for each query, and hits of
    several indexes compare.

    Division by the standard deviation puts both on one scale (subtracting the mean too would change no rank). It also
    weighs by the query: few documents share the words of a short query, so that BM25's best stand many σ above the
    rest; a long query shares words with most, and codes get more weight. A code that points away counts nothing, so
    that a document that shares a word with the query is always a hit.

    Keywords already tell which document a few words mean. So the encoder of queries is `topical`: nDCG@10 is higher by
    .002 to .010 on each of six collections whose titles or claims are queries, P@100 of 20 Newsgroups by .003.

    The best `POOL` rows of each (or 4 k) are scored by both; where that is all rows, the ranking is that of all.
    """

    n_terms: ClassVar[int] = BM25.n_terms

    keywords: BM25
    codes: CodeSearch
    weight: float

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows with the highest fused scores, as `Retriever.search` says."""
        pool = max(POOL, 4 * k)
        if min_score < 0 or pool >= len(self.keywords):
            rows = np.arange(len(self.keywords)) if mask is None else np.flatnonzero(mask)
        else:
            by_words, by_codes = (system.search(query, pool, mask) for system in (self.keywords, self.codes))
            rows = distinct(np.concatenate([by_words.rows, by_codes.rows]))[0]
        return TopK.of_rows(rows, self.scores(query, rows), k, min_score)

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The fused score of each of some rows: (n,)."""
        keyword_factor, code_factor = map(np.float32, self.factors(query))
        fused: Floats = self.keywords.scores(query, rows) * keyword_factor
        fused += np.maximum(self.codes.scores(query, rows) * code_factor, 0)
        return fused

    def most(self, query: QueryVector) -> float:
        """What no score exceeds."""
        return 1.0

    def factors(self, query: QueryVector) -> tuple[float, float]:
        """What BM25 and cosines are multiplied with: 1 / σ and the weight / σ, divided by `most`."""
        codes = query.codes(self.codes.encoder)
        # Cosines of random codes differ by 1 / √dims, those of a real corpus by .9 times that and more. Those of two
        # documents may differ by almost nothing, which must not count more than a word does.
        code_std = max(self.codes.index.score_std(codes), 0.5 / np.sqrt(codes.floats.shape[1]))
        by_words = 1 / (self.keywords.score_std(query) or 1)
        by_codes = self.weight / code_std if codes.has_code[0] else 0.0
        most = self.keywords.most(query) * by_words + by_codes or 1
        return by_words / most, by_codes / most


def retriever(name: str, snapshot: Snapshot, view: CorpusView) -> Retriever:
    """The system of that name over whole documents or passages.

    Args:
        name: one of the modality's systems, `lsa-N`, `pca-N`, `bits-N` or `hamming-N`.
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
        case ["code" | "hybrid" as system]:
            encoder, index = snapshot.model.encoder, CodeIndex(view.floats, view.bits, view.has_code)
            if system == "code":
                return CodeSearch(encoder, index)
            codes = CodeSearch(encoder.topical(), index)
            return Hybrid(BM25(postings, view.statistics), codes, snapshot.reader.settings["hybrid_weight"])
        case ["bits" | "hamming" as system]:
            return _by_bits(system, snapshot.model.encoder, view.bits, view)
        case ["bits" | "hamming" as system, n]:
            return _by_n_bits(system, int(n), snapshot, view)
    # LSA or PCA, with its first dimensions or all
    dims = int(name.split("-")[1]) if "-" in name else None
    encoder = snapshot.modality.baseline_encoder(snapshot.arrays, dims)
    return CodeSearch(encoder, CosineIndex(ChunkedArray([rows.lsa[:, :dims] for rows in view.units])))


def _by_bits(system: str, encoder: AnyEncoder, bits: ChunkedArray[np.uint8], view: CorpusView) -> CodeSearch:
    if system == "hamming":
        return CodeSearch(encoder, HammingIndex(bits, view.has_code))
    return CodeSearch(encoder, AsymmetricIndex(bits, view.has_code, encoder.quantization))


def _by_n_bits(system: str, n: int, snapshot: Snapshot, view: CorpusView) -> CodeSearch:
    from textae.training.itq import quantization  # numpy.random, which no other search needs

    # The planes are learned from whole documents, whichever rows are ranked.
    seed = snapshot.specs[1].seed
    planes = quantization(known_floats(snapshot.codes).astype(np.float32), n, seed)
    parts = [planes.bits(rows.codes.floats.astype(np.float32), rows.codes.has_code) for rows in view.units]
    encoder = replace(snapshot.model.encoder, quantization=planes)
    return _by_bits(system, encoder, ChunkedArray(parts), view)
