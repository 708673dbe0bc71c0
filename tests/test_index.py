"""One contract for every index: more alike is a higher score, equal 1, opposite -1, of nothing known 0."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.encoder import Codes, unit
from textae.index import CosineIndex, HammingIndex
from textae.index.hamming import hamming

INDEXES = {
    "cosine": CosineIndex,
    "cosine, half precision": lambda codes: CosineIndex(replace(codes, floats=codes.floats.astype(np.float16))),
    "hamming": HammingIndex,
}
SIZES = (8, 16, 24, 32, 64, 72, 256)


def codes(n: int, n_bits: int, seed: int = 1) -> Codes:
    """Codes of n texts, the bits the signs of the floats."""
    return of_signs(np.random.default_rng(seed).choice([-1, 1], (n, n_bits)))


def of_signs(signs) -> Codes:
    signs = np.asarray(signs, np.float32)
    return Codes(np.ones(len(signs), bool), unit(signs), np.packbits(signs > 0, axis=1))


def some(every: Codes, rows) -> Codes:
    return Codes(every.known[rows], every.floats[rows], every.bits[rows])


@pytest.fixture(params=INDEXES)
def index_of(request):
    return INDEXES[request.param]


@pytest.mark.parametrize("n_bits", SIZES)
class TestEveryIndex:
    def test_an_equal_code_scores_one_and_the_opposite_minus_one(self, index_of, n_bits) -> None:
        documents = codes(5, n_bits)
        opposite = Codes(documents.known, -documents.floats, ~documents.bits)
        assert index_of(documents).scores(documents).diagonal() == pytest.approx([1] * 5, abs=1e-3)
        assert index_of(documents).scores(opposite).diagonal() == pytest.approx([-1] * 5, abs=1e-3)

    def test_more_alike_is_a_higher_score(self, index_of, n_bits) -> None:
        signs = np.where(np.tri(n_bits + 1, n_bits, -1) > 0, -1, 1)  # row i differs from row 0 in i signs
        scores = index_of(of_signs(signs)).scores(of_signs(signs[:1]))[0]
        assert (np.diff(scores) < 0).all()
        assert scores == pytest.approx(1 - 2 * np.arange(n_bits + 1) / n_bits, abs=1e-3)

    def test_of_what_nothing_is_known_scores_zero_with_everything(self, index_of, n_bits) -> None:
        unknown = Codes(np.zeros(1, bool), np.zeros((1, n_bits), np.float32), np.zeros((1, n_bits // 8), np.uint8))
        scores = index_of(codes(5, n_bits)).scores(unknown)
        assert scores.tolist() == [[0] * 5]

    def test_a_document_of_which_nothing_is_known_scores_zero_with_everything(self, index_of, n_bits) -> None:
        unknown = Codes(np.zeros(2, bool), np.zeros((2, n_bits), np.float32), np.zeros((2, n_bits // 8), np.uint8))
        scores = index_of(unknown).scores(codes(5, n_bits))
        assert scores.tolist() == [[0, 0]] * 5

    def test_a_query_scores_alone_as_among_others(self, index_of, n_bits) -> None:
        index, queries = index_of(codes(7, n_bits)), codes(4, n_bits, seed=2)
        together = index.scores(queries)
        assert (together.shape, together.dtype) == ((4, 7), np.float32)
        for i in range(4):
            assert index.scores(some(queries, [i])) == pytest.approx(together[i : i + 1], abs=1e-6)

    def test_no_query(self, index_of, n_bits) -> None:
        assert index_of(codes(3, n_bits)).scores(codes(0, n_bits)).shape == (0, 3)

    def test_documents_keep_their_places(self, index_of, n_bits) -> None:
        documents = codes(6, n_bits)
        order = [5, 0, 3, 1, 4, 2]
        queries = codes(2, n_bits, seed=3)
        shuffled = index_of(some(documents, order)).scores(queries)
        assert shuffled == pytest.approx(index_of(documents).scores(queries)[:, order], abs=1e-6)


@given(st.integers(0, 255), st.integers(0, 255))
def test_hamming_counts_the_bits_that_differ(left, right) -> None:
    distance = hamming(np.array([[left]], np.uint8), np.array([[right]], np.uint8))
    assert distance.tolist() == [sum(a != b for a, b in zip(f"{left:08b}", f"{right:08b}", strict=True))]


def test_bits_that_are_read_only_and_mapped_are_searched_where_they_lie(tmp_path) -> None:
    documents = codes(4, 64)
    np.save(tmp_path / "bits.npy", documents.bits)
    mapped = np.load(tmp_path / "bits.npy", mmap_mode="r")
    assert np.array_equal(
        HammingIndex(replace(documents, bits=mapped)).scores(documents), HammingIndex(documents).scores(documents)
    )


def test_float_codes_of_any_length_are_compared_by_their_direction() -> None:
    documents = codes(4, 16)
    longer = replace(documents, floats=documents.floats * np.float32([[9], [0.01], [1], [300]]))
    assert CosineIndex(longer).scores(longer) == pytest.approx(CosineIndex(documents).scores(documents), abs=1e-6)
