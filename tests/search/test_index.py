"""One contract for every index: more alike is a higher score, equal 1, opposite -1, of nothing known 0; best first."""

import itertools
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.encoding.encoders import Codes, Quantization
from textae.encoding.layers import unit
from textae.index.chunked import ChunkedArray
from textae.search.vectors import (
    AsymmetricIndex,
    CodeIndex,
    CosineIndex,
    EuclideanIndex,
    HammingIndex,
    asymmetric,
    cosine,
    euclidean,
    hamming,
)
from textae.search.vectors import two_stage as code
from textae.search.vectors.cosine import in_single


def signs_of(codes: Codes) -> Quantization:
    return Quantization.signs(codes.floats.shape[1])


def columns(codes: Codes, cuts) -> tuple[ChunkedArray, ChunkedArray, ChunkedArray]:
    """The floats, the bits and the known ones in as many parts as there are between the cuts."""
    return tuple(ChunkedArray(np.split(array, cuts)) for array in (codes.floats, codes.bits, codes.has_code))


def halves(codes: Codes) -> Codes:
    return replace(codes, floats=codes.floats.astype(np.float16))


INDEXES = {
    "cosine": lambda codes, cuts: CosineIndex(columns(codes, cuts)[0]),
    "cosine, half precision": lambda codes, cuts: CosineIndex(columns(halves(codes), cuts)[0]),
    "cosine, block by block": lambda codes, cuts: CosineIndex(columns(halves(codes), cuts)[0]),
    "hamming": lambda codes, cuts: HammingIndex(*columns(codes, cuts)[1:]),
    "hamming, by faiss": lambda codes, cuts: HammingIndex(*columns(codes, cuts)[1:]),
    "asymmetric": lambda codes, cuts: AsymmetricIndex(*columns(codes, cuts)[1:], signs_of(codes)),
    "code": lambda codes, cuts: CodeIndex(*columns(codes, cuts)),
}
SIZES = (8, 16, 24, 32, 64, 72, 256)
CUTS = ([], [2], [0, 1, 4, 4])


def codes(n: int, n_bits: int, seed: int = 1) -> Codes:
    """Codes of n texts, the bits the signs of the floats."""
    return of_signs(np.random.default_rng(seed).choice([-1, 1], (n, n_bits)))


def of_signs(signs) -> Codes:
    signs = np.asarray(signs, np.float32)
    return Codes(np.ones(len(signs), bool), unit(signs), np.packbits(signs > 0, axis=1))


def some(every: Codes, rows) -> Codes:
    return Codes(every.has_code[rows], every.floats[rows], every.bits[rows])


def unknown(n: int, n_bits: int) -> Codes:
    return Codes(np.zeros(n, bool), np.zeros((n, n_bits), np.float32), np.zeros((n, n_bits // 8), np.uint8))


def together(first: Codes, second: Codes) -> Codes:
    return Codes(*(np.concatenate(pair) for pair in zip(vars(first).values(), vars(second).values(), strict=True)))


@pytest.fixture(params=INDEXES)
def index_of(request, monkeypatch):
    if "block" in request.param:
        monkeypatch.setattr(cosine, "_KEPT", 0)
        monkeypatch.setattr(cosine, "_AT_A_TIME", 500)
    if "faiss" in request.param:
        monkeypatch.setattr(hamming, "_PATIENCE", 0)
    return lambda codes, cuts=(): INDEXES[request.param](codes, list(cuts))


def all_scores(index, query: Codes):
    return index.scores(query, np.arange(len(index)))


@pytest.mark.parametrize("n_bits", SIZES)
class TestEveryIndex:
    def test_an_equal_code_scores_one_and_the_opposite_minus_one(self, index_of, n_bits) -> None:
        documents = codes(5, n_bits)
        opposite = Codes(documents.has_code, -documents.floats, ~documents.bits)
        for i in range(5):
            assert all_scores(index_of(documents), some(documents, [i]))[i] == pytest.approx(1, abs=1e-3)
            assert all_scores(index_of(documents), some(opposite, [i]))[i] == pytest.approx(-1, abs=1e-3)

    def test_more_alike_is_a_higher_score(self, index_of, n_bits) -> None:
        signs = np.where(np.tri(n_bits + 1, n_bits, -1) > 0, -1, 1)  # row i differs from row 0 in i signs
        index = index_of(of_signs(signs), [n_bits // 2])
        scores = all_scores(index, of_signs(signs[:1]))
        assert scores == pytest.approx(1 - 2 * np.arange(n_bits + 1) / n_bits, abs=1e-3)
        found = index.search(of_signs(signs[:1]), n_bits)
        assert found.rows.tolist() == list(range(n_bits // 2))  # half of the signs differ: no hit
        assert found.scores.tolist() == scores[: n_bits // 2].tolist()

    def test_of_what_nothing_is_known_scores_zero_with_everything(self, index_of, n_bits) -> None:
        index = index_of(codes(5, n_bits), [2])
        assert all_scores(index, unknown(1, n_bits)).tolist() == [0] * 5
        assert index.search(unknown(1, n_bits), 3).rows.tolist() == []
        assert index.search(unknown(1, n_bits), 3, min_score=-np.inf).rows.tolist() == [0, 1, 2]

    def test_a_document_of_which_nothing_is_known_scores_zero_with_everything(self, index_of, n_bits) -> None:
        query = codes(1, n_bits)
        near = of_signs(np.where(np.arange(n_bits) < 1, -1, 1)[None] * np.sign(query.floats))
        index = index_of(together(together(unknown(2, n_bits), near), unknown(1, n_bits)), [1])
        assert all_scores(index, query)[[0, 1, 3]].tolist() == [0, 0, 0]
        assert index.search(query, 3).rows.tolist() == [2]
        assert index.search(query, 4, min_score=-np.inf).rows.tolist() == [2, 0, 1, 3]

    def test_equal_codes_come_in_the_order_of_their_rows(self, index_of, n_bits) -> None:
        documents = some(codes(2, n_bits), [1, 0, 1, 0, 0, 1])
        assert index_of(documents, [3]).search(some(documents, [1]), 2).rows.tolist() == [1, 3]
        assert index_of(documents, [3]).search(some(documents, [1]), 3).rows.tolist() == [1, 3, 4]

    @pytest.mark.parametrize("cuts", CUTS)
    def test_what_is_found_is_the_head_of_all(self, index_of, n_bits, cuts) -> None:
        documents, queries = together(codes(59, n_bits), unknown(1, n_bits)), codes(3, n_bits, seed=2)
        index = index_of(documents, cuts)
        rng = np.random.default_rng(3)
        masks = (None, rng.random(60) < 0.5, rng.random(60) < 0.95, np.zeros(60, bool))
        for i, mask, min_score, k in itertools.product(range(3), masks, (0.0, 0.2, -np.inf), (0, 1, 4, 60, 100)):
            query = some(queries, [i])
            scores = all_scores(index, query)
            ranked = [row for row in range(60) if (mask is None or mask[row]) and scores[row] > min_score]
            ranked = sorted(ranked, key=lambda row: (-scores[row], row))[:k]
            found = index.search(query, k, mask, min_score)
            assert (found.rows.dtype, found.scores.dtype) == (np.int64, np.float32)
            assert found.rows.tolist() == ranked
            assert found.scores.tolist() == scores[ranked].tolist()

    def test_the_score_of_a_row_is_the_same_whatever_stands_beside_it(self, index_of, n_bits) -> None:
        documents, query = codes(60, n_bits), codes(1, n_bits, seed=2)
        index = index_of(documents, [7, 30])
        scores = all_scores(index_of(documents), query)
        rows = np.random.default_rng(1).permutation(60)
        assert index.scores(query, rows).tolist() == scores[rows].tolist()
        assert [index.scores(query, rows[i : i + 1])[0] for i in range(60)] == scores[rows].tolist()


def test_every_finite_number_of_half_precision_is_the_same_in_single() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)]
    assert in_single(finite).tobytes() == finite.astype(np.float32).tobytes()


class TestCodeIndex:
    """Of many documents the bits find some, and the floats rank these."""

    @pytest.fixture
    def many(self, monkeypatch) -> tuple[CodeIndex, Codes, Codes]:
        monkeypatch.setattr(code, "POOL", 40)
        rng = np.random.default_rng(1)
        floats = unit(rng.standard_normal((500, 64)).astype(np.float32))
        documents = Codes(np.ones(500, bool), floats, np.packbits(floats > 0, axis=1))
        query = some(documents, [7])
        return CodeIndex(*columns(documents, [100, 350])), documents, query

    def test_candidates_are_those_with_the_nearest_bits(self, many) -> None:
        index, documents, query = many
        distance = np.bitwise_count(documents.bits ^ query.bits).sum(axis=1)
        pool = np.sort(np.argsort(distance, kind="stable")[:40])
        scores = all_scores(index, query)
        best = pool[np.argsort(-scores[pool], kind="stable")][:5]
        assert index.search(query, 5).rows.tolist() == best.tolist()

    def test_where_everything_is_ranked_all_are_candidates(self, many) -> None:
        index, _, query = many
        expected = np.argsort(-all_scores(index, query), kind="stable").tolist()
        assert index.search(query, 500, min_score=-np.inf).rows.tolist() == expected
        assert index.search(query, 200).rows.tolist() == expected[:200]  # four for each that is sought are all

    def test_a_mask_that_leaves_few_leaves_only_candidates(self, many) -> None:
        index, _, query = many
        mask = np.zeros(500, bool)
        mask[[3, 100, 400]] = True
        scores = all_scores(index, query)
        expected = sorted([3, 100, 400], key=lambda row: -scores[row])
        assert index.search(query, 3, mask, min_score=-1).rows.tolist() == expected


@pytest.mark.parametrize("kept", [True, False], ids=["in memory", "block by block"])
class TestEuclideanIndex:
    """The same contract, of rows of bytes: equal scores 1, black beside white 0."""

    @pytest.fixture(autouse=True)
    def blocks(self, kept, monkeypatch) -> None:
        if not kept:
            monkeypatch.setattr(euclidean, "_KEPT", 0)
            monkeypatch.setattr(euclidean, "_AT_A_TIME", 50)

    def index(self, rows, cuts=()) -> EuclideanIndex:
        return EuclideanIndex(ChunkedArray(np.split(np.asarray(rows, np.uint8), list(cuts))))

    def test_a_score_is_one_less_the_distance_of_brightness(self) -> None:
        """Of 4 pixels: one that differs by 255 is a distance of √(1 / 4), three by 51 each √(3 · .04 / 4)."""
        index = self.index([[0, 0, 0, 0], [255, 0, 0, 0], [51, 51, 51, 0], [255] * 4], [1])
        expected = [1, 1 - 0.5, 1 - 0.03**0.5, 0]
        assert index.scores(np.zeros(4, np.int32), np.arange(4)) == pytest.approx(expected, abs=1e-7)
        found = index.search(np.zeros(4, np.int32), 9)
        assert found.rows.tolist() == [0, 2, 1]  # what scores 0 is no hit

    @pytest.mark.parametrize("cuts", CUTS)
    def test_what_is_found_is_the_head_of_all(self, cuts) -> None:
        rng = np.random.default_rng(1)
        rows = rng.integers(0, 256, (60, 9), np.uint8)
        rows[[4, 20, 21]] = rows[3]  # equal ones come in the order of their rows
        index = self.index(rows, cuts)
        masks = (None, rng.random(60) < 0.5, np.zeros(60, bool))
        queries = (rows[3].astype(np.int32), rng.integers(0, 256, 9, np.int32))
        for query, mask, min_score, k in itertools.product(queries, masks, (0.0, 0.6, -np.inf), (0, 1, 3, 60, 100)):
            scores = index.scores(query, np.arange(60))
            ranked = [row for row in range(60) if (mask is None or mask[row]) and scores[row] > min_score]
            ranked = sorted(ranked, key=lambda row: (-scores[row], row))[:k]
            found = index.search(query, k, mask, min_score)
            assert (found.rows.dtype, found.scores.dtype) == (np.int64, np.float32)
            assert found.rows.tolist() == ranked
            assert found.scores.tolist() == scores[ranked].tolist()

    def test_the_score_of_a_row_is_the_same_whatever_stands_beside_it(self) -> None:
        rows = np.random.default_rng(1).integers(0, 256, (60, 9), np.uint8)
        index, query = self.index(rows, [7, 30]), rows[5].astype(np.int32)
        scores = self.index(rows).scores(query, np.arange(60))
        order = np.random.default_rng(2).permutation(60)
        assert index.scores(query, order).tolist() == scores[order].tolist()
        assert [index.scores(query, order[i : i + 1])[0] for i in range(60)] == scores[order].tolist()


def test_nothing_is_asked_of_faiss_where_nothing_is_sought(monkeypatch) -> None:
    monkeypatch.setattr(hamming, "_PATIENCE", 0)
    assert HammingIndex(*columns(codes(5, 64), [])[1:]).search(codes(1, 64), 0).rows.tolist() == []


@pytest.mark.parametrize("n_bits", SIZES)
def test_numpy_and_faiss_find_the_same(n_bits, monkeypatch) -> None:
    """Ties at the end too, in several parts, beside unknown documents, and behind a mask."""
    documents = together(codes(3_000, n_bits), unknown(3, n_bits))
    query = codes(1, n_bits, seed=2)
    masks = (None, np.random.default_rng(1).random(3_003) < 0.95, np.random.default_rng(1).random(3_003) < 0.5)
    monkeypatch.setattr(hamming, "_COUNTED", 1_200)  # so that half of them are too many to be passed over
    index = HammingIndex(*columns(documents, [0, 1_000, 1_001])[1:])
    found = []
    for patience in (1 << 60, 0):
        monkeypatch.setattr(hamming, "_PATIENCE", patience)
        found.append([index.nearest(query, k, mask).tolist() for k in (1, 10, 999, 3_003) for mask in masks])
    assert found[0] == found[1]
    assert [len(rows) for rows in found[0][:6]] == [1, 1, 1, 10, 10, 10]


def test_faiss_is_not_imported_for_a_few_searches() -> None:
    program = """
import numpy as np, sys
from textae.index.chunked import ChunkedArray
from textae.encoding.encoders import Codes
from textae.search.vectors import HammingIndex
bits, known = np.zeros((100, 8), np.uint8), np.ones(100, bool)
index = HammingIndex(ChunkedArray([bits]), ChunkedArray([known]))
for _ in range(3):
    index.search(Codes(known[:1], np.zeros((1, 8), np.float32), bits[:1]), 10)
print("faiss" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"


@given(st.integers(0, 255), st.integers(0, 255))
def test_hamming_counts_the_bits_that_differ(left, right) -> None:
    distance = hamming.hamming(np.array([[left]], np.uint8), np.array([[right]], np.uint8))
    assert distance.tolist() == [sum(a != b for a, b in zip(f"{left:08b}", f"{right:08b}", strict=True))]


def test_codes_that_are_read_only_and_mapped_are_searched_where_they_lie(tmp_path, monkeypatch) -> None:
    documents = halves(codes(40, 64))
    mapped = []
    for name, array in vars(documents).items():
        np.save(tmp_path / f"{name}.npy", array)
        mapped.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    known, floats, bits = mapped
    query = some(documents, [3])
    for patience in (0, 1 << 60):
        monkeypatch.setattr(hamming, "_PATIENCE", patience)
        found = HammingIndex(ChunkedArray([bits]), ChunkedArray([known])).search(query, 10)
        assert found.rows.tolist() == HammingIndex(*columns(documents, [])[1:]).search(query, 10).rows.tolist()
    assert CosineIndex(ChunkedArray([floats])).search(query, 1).rows.tolist() == [3]


def test_float_codes_of_any_length_are_compared_by_their_direction() -> None:
    documents = codes(4, 16)
    longer = documents.floats * np.float32([[9], [0.01], [1], [300]])
    for i in range(4):
        query = some(documents, [i])
        assert all_scores(CosineIndex(ChunkedArray([longer])), query) == pytest.approx(
            all_scores(CosineIndex(ChunkedArray([documents.floats])), query), abs=1e-6
        )


class TestAsymmetric:
    """A query with the sides .1, -.5, and .2 six times: the weights sum to 1.8."""

    QUERY = np.float32([[0.1, -0.5, *[0.2] * 6]])

    def index(self, *documents: int) -> AsymmetricIndex:
        bits = np.uint8(documents)[:, None]
        return AsymmetricIndex(ChunkedArray([bits]), ChunkedArray([np.ones(len(bits), bool)]), Quantization.signs(8))

    def query(self) -> Codes:
        return Codes(np.ones(1, bool), self.QUERY, np.packbits(self.QUERY > 0, axis=1))

    def test_a_bit_counts_by_the_distance_of_the_query_from_its_plane(self) -> None:
        index = self.index(0b10111111, 0b00111111, 0b11111111, 0b01000000)
        expected = [1, 1 - 2 * 0.1 / 1.8, 1 - 2 * 0.5 / 1.8, -1]
        assert all_scores(index, self.query()) == pytest.approx(expected)
        assert index.search(self.query(), 4).rows.tolist() == [0, 1, 2]

    def test_the_nearest_by_hamming_distance_are_candidates(self, monkeypatch) -> None:
        """Two bits of little weight differ less than one of much, but one bit is nearer."""
        index = self.index(0b11111111, 0b00011111, 0b00111110)
        assert index.search(self.query(), 1).rows.tolist() == [1]
        monkeypatch.setattr(asymmetric, "POOL", 1)
        assert index.search(self.query(), 1).rows.tolist() == [1]  # 4 k candidates
        monkeypatch.setattr(asymmetric, "POOL", 0)
        assert index.search(replace(self.query(), has_code=np.zeros(1, bool)), 1).rows.tolist() == []
