"""The nearest documents of each, against every pair compared."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from textae.encoding.bags import Bags
from textae.training import neighbours
from textae.training.batches import DeviceBags
from textae.training.neighbours import Neighbours, nearest

CPU = torch.device("cpu")


def corpus(dense) -> tuple[DeviceBags, torch.Tensor]:
    """Counts as bags on the device, and their tf-idf as a dense matrix."""
    dense = np.asarray(dense)
    rows, terms = np.nonzero(dense)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(dense)))])
    bags = Bags(starts, terms.astype(np.int32), dense[rows, terms].astype(np.uint16))
    on_device = DeviceBags(bags, np.ones(dense.shape[1], np.float32), CPU)
    return on_device, on_device.matrix.to_dense()


def random_corpus(n: int, n_terms: int = 12) -> tuple[DeviceBags, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(n)
    on_device, dense = corpus(rng.poisson(0.6, (n, n_terms)))
    codes = F.normalize(torch.tensor(rng.normal(size=(n, 5)), dtype=torch.float32), dim=1)
    return on_device, dense, codes


def test_by_hand() -> None:
    # 0 and 1 share their words, 2 and 3 theirs; the codes say nothing
    on_device, _ = corpus([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]])
    assert nearest(on_device.matrix, torch.zeros(4, 1), 1, lambda: None).flatten().tolist() == [1, 0, 3, 2]


def test_where_words_say_nothing_the_codes_decide() -> None:
    on_device, _ = corpus(np.eye(4, dtype=int))
    codes = torch.tensor([[1.0, 0], [0, 1], [1, 0], [0, 1]])
    assert nearest(on_device.matrix, codes, 1, lambda: None).flatten().tolist() == [2, 3, 0, 1]


@pytest.mark.parametrize("as_dense", [False, True])
@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 2), (30, 7), (40, 39)])
def test_it_finds_what_comparing_every_pair_finds(monkeypatch, n, k, as_dense) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", 16)  # several blocks, and the last one not full
    on_device, dense, codes = random_corpus(n)
    likeness = dense @ dense.T + codes @ codes.T
    likeness.fill_diagonal_(-torch.inf)
    found = nearest(dense if as_dense else on_device.matrix, codes, k, lambda: None)
    assert found.shape == (n, k)
    expected = torch.sort(likeness, dim=1, descending=True).values[:, :k]
    assert torch.allclose(likeness.gather(1, found), expected, atol=1e-5)
    assert all(len(set(row)) == k for row in found.tolist())


def test_nobody_is_their_own_neighbour_even_among_equals() -> None:
    on_device, _ = corpus(np.ones((6, 2), int))
    found = nearest(on_device.matrix, torch.zeros(6, 1), 5, lambda: None)
    assert [sorted(row) for row in found.tolist()] == [[j for j in range(6) if j != i] for i in range(6)]


def test_rows_without_words_have_neighbours_too() -> None:
    on_device, _ = corpus([[1, 0], [0, 0], [0, 1], [0, 0]])
    found = nearest(on_device.matrix, torch.zeros(4, 1), 2, lambda: None)
    assert all(i not in row and len(set(row)) == 2 for i, row in enumerate(found.tolist()))


@pytest.mark.parametrize(("n", "k"), [(3, 1), (20, 1), (100, 3), (1_000, 10), (4_100, 20)])
def test_a_small_corpus_has_fewer_neighbours(n, k) -> None:
    assert Neighbours(torch.ones(n, 1), 20)._k == k


def test_a_drawn_neighbour_is_a_near_one_and_a_neighbour_is_no_negative() -> None:
    # 0 and 1 are neighbours, and so are 2 and 3; the batch is 0, 2 and 1
    matrix = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    neighbours = Neighbours(matrix, 1)
    neighbours.search(torch.zeros(4, 1), lambda: None)
    others, alike, alike_near = neighbours.draw(torch.tensor([0, 2, 1]), torch.Generator().manual_seed(1))
    assert others.tolist() == [1, 3, 0]
    assert alike.int().tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    # document 0 is the neighbour that 1 must find, and the other way round: neither repels the other's
    assert alike_near.int().tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]


def test_of_a_share_only_the_nearest_are_alike() -> None:
    # one third of three neighbours is the nearest one
    neighbours = Neighbours(torch.ones(100, 1), 3)
    neighbours.near = torch.tensor([[1, 2, 3], [0, 2, 3], [1, 3, 0]])
    assert neighbours.alike(torch.tensor([0, 1, 2]), 0.3).int().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert neighbours.alike(torch.tensor([0, 1, 2])).int().tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
