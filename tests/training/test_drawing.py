"""Which words of a long document a step reads: hand-worked draws, and what holds for all of them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from textae.config import ModelSpec, TrainSpec
from textae.encoding.bags import Bags, row_starts
from textae.encoding.encoders import Encoder
from textae.encoding.weighting import idf
from textae.training import batches
from textae.training.batches import DeviceBags
from textae.training.drawing import Drawing, chances_of
from textae.training.lsa import fit_lsa
from textae.training.text import learn
from textae.types import no_progress

CPU = torch.device("cpu")
WEIGHTS = np.array([0.6, 0.3, 0.1], np.float32)
ONE_ROW = np.array([0, 3])


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def at(u: float, monkeypatch, rows: list[int], drawing: Drawing) -> tuple[list[int], list[int], list[int]]:
    """A draw whose random numbers are all u."""
    monkeypatch.setattr("textae.training.drawing.uniform", lambda n, *_: torch.full((n,), u))
    numbers, row_of, lengths = drawing.postings(torch.tensor(rows), seeded())
    return numbers.tolist(), row_of.tolist(), lengths.tolist()


def random_bags(lengths: list[int], n_terms: int = 60, seed: int = 1) -> Bags:
    rng = np.random.default_rng(seed)
    terms = [np.sort(rng.choice(n_terms, length, replace=False)) for length in lengths]
    counts = rng.integers(1, 5, sum(lengths)).astype(np.uint16)
    return Bags(row_starts(lengths), np.concatenate(terms).astype(np.int32), counts)


class TestChances:
    def test_two_draws_of_three_words(self) -> None:
        """2 · .6 is above 1, so the first is always drawn; one draw is left for .3 and .1, three quarters and one."""
        assert chances_of(ONE_ROW, WEIGHTS, 2).tolist() == pytest.approx([1, 0.75, 0.25])

    def test_one_draw_is_by_weight(self) -> None:
        assert chances_of(ONE_ROW, WEIGHTS, 1).tolist() == pytest.approx([0.6, 0.3, 0.1])

    def test_a_word_may_become_certain_after_another(self) -> None:
        """Three draws: 8 is certain, then 2 · 3 / 5 is above 1, and one draw is left for two words of weight 1."""
        weights = np.array([8, 3, 1, 1], np.float32)
        assert chances_of(np.array([0, 4]), weights, 3).tolist() == pytest.approx([1, 1, 0.5, 0.5])

    def test_a_short_row_is_certain(self) -> None:
        assert chances_of(np.array([0, 0, 3]), WEIGHTS, 3).tolist() == [1, 1, 1]

    @given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(1, 20))
    def test_they_sum_to_the_number_of_draws(self, lengths, most) -> None:
        starts = row_starts(lengths)
        weights = np.random.default_rng(sum(lengths)).uniform(1e-6, 1, starts[-1]).astype(np.float32)
        chances = chances_of(starts, weights, most)
        assert chances.max(initial=0) <= 1
        for row, length in enumerate(lengths):
            assert chances[starts[row] : starts[row + 1]].sum() == pytest.approx(min(length, most))


class TestDrawing:
    @pytest.mark.parametrize(("u", "drawn"), [(0.0, [0, 1]), (0.5, [0, 1]), (0.74, [0, 1]), (0.8, [0, 2])])
    def test_points_hit_words_on_the_line(self, monkeypatch, u, drawn) -> None:
        """The words end at 1, 1.75 and 2."""
        assert at(u, monkeypatch, [0], Drawing(ONE_ROW, WEIGHTS, 2, CPU))[0] == drawn

    def test_rows_in_the_order_asked_and_short_ones_whole(self, monkeypatch) -> None:
        drawing = Drawing(np.array([0, 2, 2, 5]), np.array([0.9, 0.1, 0.6, 0.3, 0.1], np.float32), 2, CPU)
        assert at(0.8, monkeypatch, [2, 0, 1, 2], drawing) == ([2, 4, 0, 1, 2, 4], [0, 0, 1, 1, 3, 3], [2, 2, 0, 2])

    @given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(1, 20), st.integers(0, 99))
    def test_different_words_of_its_row_and_as_many_as_it_may(self, lengths, most, seed) -> None:
        starts = row_starts(lengths)
        weights = np.random.default_rng(seed).uniform(1e-3, 1, starts[-1]).astype(np.float32)
        rows = torch.arange(len(lengths))
        numbers, row_of, drawn = Drawing(starts, weights, most, CPU).postings(rows, seeded(seed))
        assert drawn.tolist() == [min(length, most) for length in lengths]
        assert len(set(numbers.tolist())) == len(numbers) == drawn.sum()
        assert (starts[row_of] <= numbers.numpy()).all()
        assert (numbers.numpy() < starts[row_of + 1]).all()

    def test_each_word_as_often_as_its_chance(self) -> None:
        drawing = Drawing(ONE_ROW, WEIGHTS, 2, CPU)
        numbers, _, _ = drawing.postings(torch.zeros(4_000, dtype=torch.int64), seeded())
        assert (numbers.bincount() / 4_000).tolist() == pytest.approx([1, 0.75, 0.25], abs=0.03)

    def test_only_long_rows_take_random_numbers(self) -> None:
        generator, untouched = seeded(), seeded()
        Drawing(ONE_ROW, WEIGHTS, 3, CPU).postings(torch.tensor([0]), generator)
        assert torch.equal(generator.get_state(), untouched.get_state())
        Drawing(ONE_ROW, WEIGHTS, 2, CPU).postings(torch.tensor([0]), generator)
        assert not torch.equal(generator.get_state(), untouched.get_state())


class TestLongDocuments:
    @pytest.fixture(autouse=True)
    def few_words(self, monkeypatch) -> None:
        monkeypatch.setattr(batches, "MOST_READ", 8)

    def long(self) -> DeviceBags:
        return DeviceBags(random_bags([5, 40, 0, 8, 30]), np.linspace(0.5, 4, 60, dtype=np.float32), CPU)

    def test_a_batch_has_the_mean_of_whole_rows(self) -> None:
        every, rows = self.long(), torch.tensor([0, 1, 3, 4])
        whole = every.batch(rows).dense(4, 60)
        generator = seeded()
        mean = torch.stack([every.drawn(rows, generator).dense(4, 60) for _ in range(3_000)]).mean(0)
        assert torch.equal(mean[[0, 2]].round(decimals=5), whole[[0, 2]].round(decimals=5))
        assert mean == pytest.approx(whole, abs=0.02)

    def test_one_seed_draws_the_same(self) -> None:
        every, rows = self.long(), torch.tensor([1, 4])
        first, again, other = (every.drawn(rows, seeded(seed)).terms.tolist() for seed in (1, 1, 2))
        assert first == again != other

    def test_a_crop_reads_no_more(self) -> None:
        crops = self.long().crops(torch.tensor([1, 4]), seeded())
        assert crops.lengths.max() <= 4  # half of eight

    def test_neighbours_are_sought_by_the_heaviest_words(self) -> None:
        every = self.long()
        whole = every.batch(torch.arange(5)).dense(5, 60)
        heaviest = torch.where(whole >= whole.topk(8, dim=1).values[:, -1:], whole, 0)
        assert every.matrix.to_dense().numpy() == pytest.approx(F.normalize(heaviest).numpy(), abs=1e-6)


@pytest.mark.parametrize(("longest", "alike"), [(8, True), (9, False)])
def test_learning_changes_only_where_a_document_is_too_long(monkeypatch, longest, alike) -> None:
    bags = random_bags([6] * 39 + [longest])
    idf_of = idf(np.bincount(bags.terms, minlength=60), len(bags))
    start, spec = Encoder.lsa(fit_lsa(bags, idf_of, 8, 1), idf_of), TrainSpec(device="cpu", epochs=3)

    def codes(most: int) -> bytes:
        monkeypatch.setattr(batches, "MOST_READ", most)
        learned = learn(bags, start, ModelSpec(dims=12, bits=16, hidden=(16,), topics=4), spec, no_progress)
        return learned.encoder.encode(bags).floats.tobytes()

    assert (codes(8) == codes(1_000)) is alike
