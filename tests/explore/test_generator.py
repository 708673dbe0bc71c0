"""The generator against sums that a reader can redo on paper, and the moments of what it draws."""

import numpy as np
import pytest

from textae.encoding.decoder import Decoder, known_floats, most_telling, usual_words
from textae.encoding.encoders import Codes
from textae.explore.sampling import NEIGHBOURS, AggregatePosterior, centres, plane

PLAIN = Decoder(((np.float32([[np.log(2), 0, 0]]), np.zeros(3, np.float32)),))
"""Of a code c the odds of three words are 2^c, 1 and 1."""


def on_the_circle(*degrees: float) -> np.ndarray:
    """Codes of unit length, in half precision as on disk."""
    turned = np.radians(degrees)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float16)


class TestWords:
    def test_the_usual_words_by_hand(self) -> None:
        """Of 0 the shares are 1/3, 1/3, 1/3; of 1 they are 1/2, 1/4, 1/4; the mean of both is 5/12, 7/24, 7/24."""
        assert usual_words(PLAIN, np.float16([[0], [1]])) == pytest.approx([5 / 12, 7 / 24, 7 / 24])

    def test_the_usual_words_of_many_are_those_of_some(self) -> None:
        many = np.float16([[n % 2] for n in range(10_000)])
        assert usual_words(PLAIN, many) == pytest.approx([5 / 12, 7 / 24, 7 / 24], abs=0.01)

    def test_words_are_ordered_by_what_they_add_to_the_divergence(self) -> None:
        """(.5-.4)²/.4 = .025 of the common word, (.1-.02)²/.02 = .32 of the rare one; the others are less likely."""
        shares, usual = np.float32([0.5, 0.1, 0.3, 0.1]), np.array([0.4, 0.02, 0.4, 0.18])
        assert most_telling(shares, usual, 9).tolist() == [1, 0]
        assert most_telling(shares, usual, 1).tolist() == [1]

    def test_a_rare_word_does_not_come_first_by_its_lift_alone(self) -> None:
        """(.6-.3)²/.3 = .3 of the word of lift 2, (.01-.002)²/.002 = .032 of that of lift 5."""
        shares, usual = np.float32([0.6, 0.01, 0.39]), np.array([0.3, 0.002, 0.698])
        assert most_telling(shares, usual, 9).tolist() == [0, 1]

    def test_a_word_that_cannot_be_is_no_error(self) -> None:
        assert most_telling(np.float32([0, 1]), np.array([0.5, 0.5]), 2).tolist() == [1]

    def test_documents_without_a_code_do_not_count(self) -> None:
        codes = Codes(np.array([True, False]), np.float32([[1], [0]]), np.uint8([[1], [0]]))
        assert known_floats(codes).tolist() == [[1]]


class TestPosterior:
    def test_two_documents_by_hand(self) -> None:
        """Around 0 and 2 lies N(0, 4) and N(2, 4): the mean is 1, the variance 4 within and 1 between."""
        drawn = AggregatePosterior(np.float32([[0], [2]])).draw(50_000, np.random.default_rng(1))
        assert (drawn.shape, drawn.dtype) == ((50_000, 1), np.float32)
        assert drawn.mean() == pytest.approx(1, abs=0.03)
        assert drawn.var() == pytest.approx(5, abs=0.1)

    def test_only_so_many_neighbours_count(self) -> None:
        """Two groups far apart, each with as many documents as a window looks at: nothing is drawn between them."""
        near = np.random.default_rng(1).normal(0, 1, (NEIGHBOURS + 1, 3))
        posterior = AggregatePosterior(np.concatenate([near, near + 1_000]).astype(np.float32))
        drawn = posterior.draw(2_000, np.random.default_rng(1))
        assert np.minimum(abs(drawn), abs(drawn - 1_000)).max() < 20
        assert (drawn.mean(axis=1) > 500).mean() == pytest.approx(0.5, abs=0.05)

    def test_a_window_is_wide_only_where_its_neighbours_lie(self) -> None:
        codes = np.float32([[n, 7] for n in range(20)])
        assert np.all(AggregatePosterior(codes).draw(100, np.random.default_rng(1))[:, 1] == 7)

    def test_what_is_drawn_of_codes_of_unit_length_has_it(self) -> None:
        posterior = AggregatePosterior(on_the_circle(0, 10, 20, 90))
        assert posterior.spherical
        drawn = posterior.draw(1_000, np.random.default_rng(1))
        assert np.linalg.norm(drawn, axis=1) == pytest.approx(np.ones(1_000), abs=1e-5)

    def test_codes_of_which_one_is_longer_are_of_any_length(self) -> None:
        assert not AggregatePosterior(np.float16([[1, 0], [0, 1.02]])).spherical

    def test_one_document_is_all_there_is(self) -> None:
        drawn = AggregatePosterior(np.float32([[3, 4]])).draw(2, np.random.default_rng(1))
        assert drawn.tolist() == [[3, 4], [3, 4]]

    def test_documents_with_one_code_are_all_there_is(self) -> None:
        drawn = AggregatePosterior(np.float32([[3, 4]] * 30)).draw(2, np.random.default_rng(1))
        assert drawn.tolist() == [[3, 4], [3, 4]]


class TestDistances:
    def test_of_any_length_by_hand(self) -> None:
        posterior = AggregatePosterior(np.float32([[3, 4], [0, 1]]))
        assert posterior.distances(np.float32([0, 0])).tolist() == [5, 1]

    def test_of_unit_length_by_hand(self) -> None:
        """1 - cos 60° = 1/2, whatever the length of the code that is compared."""
        away = AggregatePosterior(on_the_circle(0, 60, 90, 180)).distances(np.float32([2, 0]))
        assert away.tolist() == pytest.approx([0, 0.5, 1, 2], abs=1e-3)
        assert away.min() >= 0

    def test_what_is_near_by_hand(self) -> None:
        """The nearest others of 0, 1, 3 and 9 are 1, 1, 2 and 6 away."""
        assert AggregatePosterior(np.float32([[0], [1], [3], [9]])).usual_distance() == 1.5
        assert AggregatePosterior(np.float32([[0]])).usual_distance() == 0


class TestPlane:
    def test_cells_by_hand(self) -> None:
        """Of 101 points on the diagonal from 0 to 100 the central ones lie from 2 to 98."""
        x, y, documents = plane(np.float32([[n, 10 * n] for n in range(101)]), 2)
        assert x.tolist() == pytest.approx([2, 50, 98])
        assert y.tolist() == pytest.approx([20, 500, 980])
        assert documents.tolist() == [[48, 0], [0, 49]]
        assert centres(x, y).tolist() == [[26, 260], [74, 260], [26, 740], [74, 740]]

    def test_documents_at_one_place_are_its_middle(self) -> None:
        x, y, documents = plane(np.float32([[1, 2]] * 5), 3)
        assert documents.tolist() == [[0, 0, 0], [0, 5, 0], [0, 0, 0]]
        assert centres(x, y)[4].tolist() == [1, 2]
