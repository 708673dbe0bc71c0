"""Ranking systems as one thing: a `Retriever` ranks rows for a query and scores any row; fusion needs no more.

The hybrid adds up two systems. BM25 finds the documents that use the words of the query, codes those that use others.
A new system gets its name in `textae.config` and a case in `retriever`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Protocol, cast

import numpy as np

from textae.encoding.arrays import Floats, Mask, Rows, distinct
from textae.encoding.decoder import known_floats
from textae.encoding.encoders import AnyEncoder, Codes, Quantization, TextEncoder
from textae.encoding.topk import TopK
from textae.index.chunked import ChunkedArray
from textae.index.names import among
from textae.index.segments import Segment, SegmentRows
from textae.index.snapshot import CorpusView, Snapshot
from textae.search.lexical import BM25, VectorSpace
from textae.search.query import QueryVector
from textae.search.vectors import AsymmetricIndex, CodeIndex, CosineIndex, EuclideanIndex, HammingIndex, Index
from textae.search.vectors.cosine import sample


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


class Nearest:
    """What ranks by an index of codes or vectors."""

    index: Index

    def codes(self, query: QueryVector) -> Codes:
        """What the index compares with its rows: one row."""
        raise NotImplementedError

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows most similar to the query, as `Retriever.search` says."""
        return self.index.search(self.codes(query), k, mask, min_score)

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The similarity of the query to each of some rows: (n,)."""
        return self.index.scores(self.codes(query), rows)

    def usual(self, query: QueryVector) -> float:
        """The score of a row that is like nothing."""
        return 0.0


@dataclass(frozen=True)
class CodeSearch(Nearest):
    """Documents by the similarity of their codes to the query's: an encoder before a vector index."""

    encoder: AnyEncoder
    index: Index

    def codes(self, query: QueryVector) -> Codes:
        """The query's code."""
        return query.codes(self.encoder)

    @property
    def n_terms(self) -> int:
        """The number of terms that the encoder reads: the most frequent ones."""
        return len(cast(TextEncoder, self.encoder).words)


@dataclass(frozen=True)
class VectorSearch(Nearest):
    """Documents by the cosine of the user's own vectors with the query's; a passage has its document's."""

    n_terms: ClassVar[int] = 0

    planes: Quantization
    segments: Sequence[Segment]
    units: Sequence[SegmentRows]

    @cached_property
    def index(self) -> CodeIndex:  # type: ignore[override]  # made when a query has a vector
        """The vectors of the rows."""
        parts = [_of_rows(*pair) for pair in zip(self.segments, self.units, strict=True)]
        floats, bits = ChunkedArray([part.floats for part in parts]), ChunkedArray([part.bits for part in parts])
        return CodeIndex(floats, bits, ChunkedArray([part.has_code for part in parts]))

    def codes(self, query: QueryVector) -> Codes:
        """The query's vector."""
        return query.vector_codes(self.planes)

    def usual(self, query: QueryVector) -> float:
        """The mean cosine with rows that have a vector; other rows must lose nothing by it.

        Models differ: all cosines of two texts may be from .7 to 1.
        """
        return query.once(self.index, self._usual)

    def _usual(self, query: QueryVector) -> float:
        scores = self.scores(query, sample(len(self.index)))
        scores = scores[scores != 0]
        return min(0.99, float(scores.mean())) if len(scores) else 0.0


def _of_rows(segment: Segment, unit: SegmentRows) -> Codes:
    """The vector of the document of each row."""
    vectors = segment.documents.vectors
    assert vectors is not None
    if unit is segment.documents:
        return vectors
    rows = np.searchsorted(segment.documents.doc_numbers, unit.doc_numbers)
    return Codes(vectors.has_code[rows], vectors.floats[rows], vectors.bits[rows])


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

_ROUNDING = 1e-4
"""More than a score is off by: a cosine by 3e-7, which vectors of one's own may multiply by a hundred."""

WEIGHT, LONG = 0.6, 200
"""The weight of codes, .6 for no words and 1 more for each 200. A smaller one is better where one document is right
(than .75 by .001 of nDCG@10), a larger one where a topic is (.75 by .002 of P@10); see docs/benchmarks-notes.md, "How
keywords and codes are fused"."""


@dataclass(frozen=True)
class Hybrid:
    """Keywords and codes fused: (bm25 / most · bm25 / best + w · max(0, cosine of the codes)) / (1 + w).

    Where the query has a vector, the user's own vectors are added as codes are, from their usual cosine μ on:
    v · max(0, (cosine - μ) / (1 - μ)), and the sum is divided by 1 + w + v.

    `most` is the BM25 score of a document that says each word of the query endlessly often, also those that the corpus
    does not hold. So all parts are from 0 to 1, as is their mean: a score means the same for each query, and hits of
    several indexes compare.

    `best` is the highest BM25 score of a document. So a document that says more of the query than others stands out,
    and codes decide among those that say some of it. Beside bm25 / most alone, titles that must find their text have
    .001 more of nDCG@10, titles and subjects that must find their topic .010 of P@10 and .042 of P@100, two looks each.

    The division weighs by the query: a document can say all of five words, so that BM25 leads; of the two hundred words
    of a document no other says more than a few, so that codes lead. The weight w = `WEIGHT` + words / `LONG` adds to
    that. A code that points away counts nothing: a document that shares a word with the query is always a hit.

    Keywords already tell which document a few words mean. So the encoder of queries is `topical`: P@10 of Reuters'
    titles is higher by .012, of 20 Newsgroups' subjects by .018, nDCG@10 of titles that must find their text by .001.

    The best `POOL` rows of each (or 4 k) are scored by both; where that is all rows, the ranking is that of all. Codes
    are not searched where the best k by keywords score more than any other row can. In 12,000 abstracts that saves half
    of the first searches for three words, and a tenth of those for titles.

    Attributes:
        keywords: BM25.
        codes: of the documents.
        vectors: of the user's own, if there are any.
        vector_weight: v.
        alive: (n_rows,) the rows that are not removed; None for all.
    """

    n_terms: ClassVar[int] = BM25.n_terms

    keywords: BM25
    codes: CodeSearch
    vectors: VectorSearch | None = None
    vector_weight: float = 0.0
    alive: Mask | None = None

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows with the highest fused scores, as `Retriever.search` says."""
        pool = max(POOL, 4 * k)
        if min_score < 0 or pool >= len(self.keywords):
            rows = np.arange(len(self.keywords)) if mask is None else np.flatnonzero(mask)
            return TopK.of_rows(rows, self.scores(query, rows), k, min_score)
        words = self._by_words(query, pool, mask)
        rows = np.sort(words.rows)
        best = TopK.of_rows(rows, self.scores(query, rows), k, min_score)
        if len(best.rows) == k > 0 and best.scores[-1] > self._most_without(query, words, pool):
            return best
        asked = [one for one in self.nearest if one.codes(query).has_code[0]]
        near = distinct(np.concatenate([rows[:0], *(one.search(query, pool, mask).rows for one in asked)]))[0]
        near = near[~among(near, rows)]
        return TopK.merge([best, TopK.of_rows(near, self.scores(query, near), k, min_score)], [0, 0], k)

    def _by_words(self, query: QueryVector, pool: int, mask: Mask | None) -> TopK:
        """The best by keywords; a second look under the same mask takes those of the first."""
        kept = self._kept(query)
        if pool not in kept or kept[pool][0] is not mask:
            kept[pool] = mask, self.keywords.search(query, pool, mask)
        return kept[pool][1]

    def _most_without(self, query: QueryVector, words: TopK, pool: int) -> float:
        """What no row exceeds that is not among the best by keywords: all cosines are 1."""
        score = float(words.scores[-1]) if len(words.rows) == pool else 0.0
        missing = self.keywords.most(query) * self.best(query) - score * score
        return 1 - missing * self.factors(query)[0] + _ROUNDING

    def _kept(self, query: QueryVector) -> dict[int, tuple[Mask | None, TopK]]:
        """Searches by keywords: the mask and the hits, by their number."""
        return query.once(self, lambda _: {})

    def best(self, query: QueryVector) -> float:
        """The highest BM25 score of a row that is not removed, whatever a filter excludes; 0 where none is a hit."""
        whole = [top for mask, top in self._kept(query).values() if mask is self.alive]
        top = whole[0] if whole else self._by_words(query, 1, self.alive)
        return float(top.scores[0]) if len(top.rows) else 0.0

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The fused score of each of some rows: (n,)."""
        by_words, *by_codes = map(np.float32, self.factors(query))
        of_words = self.keywords.scores(query, rows)
        fused: Floats = of_words * of_words * by_words
        for one, factor in zip(self.nearest, by_codes, strict=True):
            if factor:
                fused += np.maximum((one.scores(query, rows) - np.float32(one.usual(query))) * factor, 0)
        return fused

    def most(self, query: QueryVector) -> float:
        """What no score exceeds."""
        return 1.0

    @property
    def nearest(self) -> tuple["Nearest", ...]:
        """What ranks by codes, and by vectors."""
        return (self.codes,) if self.vectors is None else (self.codes, self.vectors)

    def factors(self, query: QueryVector) -> tuple[float, ...]:
        """What BM25², and each cosine of `nearest` less the usual, is multiplied with; 0 for what the query lacks."""
        weights = (WEIGHT + float(query.weights.sum()) / LONG, self.vector_weight)
        pairs = list(zip(self.nearest, weights, strict=False))
        has = [(one, weight if one.codes(query).has_code[0] else 0.0) for one, weight in pairs]
        whole = 1 + sum(weight for _, weight in has)
        by_codes = (weight / (1 - one.usual(query)) / whole if weight else 0.0 for one, weight in has)
        return (1 / (self.keywords.most(query) or 1) / (self.best(query) or 1) / whole, *by_codes)


def retriever(name: str, snapshot: Snapshot, view: CorpusView) -> Retriever:
    """The system of that name over whole documents or passages.

    Args:
        name: one of the modality's systems, `lsa-N`, `pca-N`, `bits-N` or `hamming-N`.
        snapshot: the index.
        view: its rows that are ranked.

    Raises:
        TextaeError: there is no such system, or it needs floats that the index does not store.
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
            return CodeSearch(snapshot.model.encoder, CodeIndex(view.floats, view.bits, view.has_code))
        case ["hybrid"]:
            codes = cast(CodeSearch, retriever("code" if snapshot.modality.stores_floats else "bits", snapshot, view))
            codes = replace(codes, encoder=codes.encoder.topical())
            keywords, settings = BM25(postings, view.statistics), snapshot.reader.settings
            if "vectors" not in settings:
                return Hybrid(keywords, codes, alive=view.alive)
            return Hybrid(keywords, codes, _vector_search(snapshot, view), settings["vector_weight"], view.alive)
        case ["vector"]:
            return _vector_search(snapshot, view)
        case ["bits" | "hamming" as system]:
            return _by_bits(system, snapshot.model.encoder, view.bits, view)
        case ["bits" | "hamming" as system, n]:
            return _by_n_bits(system, int(n), snapshot, view)
    # LSA or PCA, with its first dimensions or all
    dims = int(name.split("-")[1]) if "-" in name else None
    encoder = cast(AnyEncoder, snapshot.modality.baseline_encoder(snapshot.arrays, dims))
    return CodeSearch(encoder, CosineIndex(ChunkedArray([rows.lsa[:, :dims] for rows in view.units])))


def _vector_search(snapshot: Snapshot, view: CorpusView) -> VectorSearch:
    from textae.index.own_vectors import needed_vectors  # few indexes have some

    return VectorSearch(needed_vectors(snapshot).planes, snapshot.segments, view.units)


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
