"""The generator against sums that a reader can redo on paper, and the moments of what it draws."""

import numpy as np
import pytest

from textae.decoder import BITS, FLOATS, Decoder
from textae.encoder import Codes
from textae.generator import (
    Gaussian,
    aggregate_posterior,
    dichotomised,
    distances,
    known_codes,
    most_telling,
    plane,
    sample_codes,
    usual_distance,
    usual_words,
)


def layer(*rows, bias=None) -> tuple:
    weight = np.float32(rows)
    return weight, np.zeros(weight.shape[1], np.float32) if bias is None else np.float32(bias)


def float_codes(*rows) -> Codes:
    return Codes(np.ones(len(rows), bool), np.float32(rows), np.zeros((len(rows), 1), np.uint8))


def bit_codes(*rows: int) -> Codes:
    return Codes(np.ones(len(rows), bool), np.zeros((len(rows), 1), np.float32), np.uint8([[row] for row in rows]))


OF_FLOATS, OF_BITS = Decoder((), FLOATS), Decoder((), BITS)
PLAIN = Decoder((layer([np.log(2), 0, 0]),), FLOATS)
"""Of a code c the odds of three words are 2^c, 1 and 1."""


class TestWords:
    def test_the_usual_words_by_hand(self) -> None:
        """Of 0 the shares are 1/3, 1/3, 1/3; of 1 they are 1/2, 1/4, 1/4; the mean of both is 5/12, 7/24, 7/24."""
        assert usual_words(PLAIN, float_codes([0], [1])) == pytest.approx([5 / 12, 7 / 24, 7 / 24])

    def test_the_usual_words_of_many_are_those_of_some(self) -> None:
        many = float_codes(*[[n % 2] for n in range(10_000)])
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
        assert known_codes(codes).floats.tolist() == [[1]]


class TestPosterior:
    def test_mean_and_covariance_by_hand(self) -> None:
        posterior = aggregate_posterior(OF_FLOATS, float_codes([0, 0], [2, 0], [2, 4], [0, 4]))
        assert posterior.mean.tolist() == [1, 2]
        assert posterior.covariance.tolist() == [[1, 0], [0, 4]]

    def test_mean_and_covariance_of_bits_by_hand(self) -> None:
        """Two bits that agree in three documents of four; the other six never vary."""
        posterior = aggregate_posterior(OF_BITS, bit_codes(0b11000000, 0b11000000, 0, 0b10000000))
        assert posterior.mean[:3].tolist() == [0.5, 0, -1]
        assert posterior.covariance[:2, :2].tolist() == [[0.75, 0.5], [0.5, 1]]

    def test_it_is_the_same_in_chunks(self) -> None:
        rows = np.random.default_rng(1).normal(3, 2, (20_000, 3)).astype(np.float32)
        posterior = aggregate_posterior(OF_FLOATS, float_codes(*rows))
        assert posterior.mean == pytest.approx(rows.mean(axis=0), abs=1e-4)
        assert posterior.covariance == pytest.approx(np.cov(rows.T, bias=True), abs=1e-4)

    def test_what_is_drawn_has_the_moments(self) -> None:
        covariance = np.array([[2, 1], [1, 1]])
        drawn = Gaussian(np.array([5.0, -5]), covariance).draw(100_000, np.random.default_rng(1))
        assert drawn.mean(axis=0) == pytest.approx([5, -5], abs=0.02)
        assert np.cov(drawn.T) == pytest.approx(covariance, abs=0.03)

    def test_the_dichotomised_gaussian_by_hand(self) -> None:
        """Φ⁻¹(.5) = 0; a correlation of 1/3 needs one of sin(π/6) = 1/2 (the arcsine law)."""
        latent = dichotomised(Gaussian(np.zeros(2), np.array([[1, 1 / 3], [1 / 3, 1]])))
        assert latent.mean == pytest.approx([0, 0])
        assert latent.covariance == pytest.approx(np.array([[1, 0.5], [0.5, 1]]))

    def test_drawn_bits_are_set_as_often_as_those_of_documents_and_together(self) -> None:
        generator = np.random.default_rng(1)
        latent = generator.normal(size=(5_000, 2)) @ generator.normal(size=(2, 8)) + generator.normal(size=(5_000, 8))
        codes = bit_codes(*np.packbits(latent > 0.2, axis=1)[:, 0])
        drawn = sample_codes(OF_BITS, codes, 50_000, generator)
        read = OF_BITS.read(codes)
        assert set(drawn.ravel()) == {-1, 1}
        assert drawn.mean(axis=0) == pytest.approx(read.mean(axis=0), abs=0.02)
        assert np.corrcoef(drawn.T) == pytest.approx(np.corrcoef(read.T), abs=0.03)

    def test_bits_that_never_vary_never_vary(self) -> None:
        assert np.all(sample_codes(OF_BITS, bit_codes(0b10101010), 100, np.random.default_rng(1)) == [[1, -1] * 4])

    def test_correlations_that_no_gaussian_has_become_the_nearest(self) -> None:
        """Of four bits always two: their correlations are -1/3, and a Gaussian's of -1/2 would sum to less than 0."""
        bits = np.where(np.eye(4), 1, -1 / 3)
        latent = dichotomised(Gaussian(np.zeros(4), bits)).covariance
        assert latent == pytest.approx(bits)

    def test_codes_of_floats_are_drawn_from_their_gaussian(self) -> None:
        drawn = sample_codes(OF_FLOATS, float_codes([0, 1], [2, 1]), 10_000, np.random.default_rng(1))
        assert drawn.dtype == np.float32
        assert drawn.mean(axis=0) == pytest.approx([1, 1], abs=0.05)
        assert drawn.std(axis=0) == pytest.approx([1, 0], abs=0.05)


class TestDistances:
    def test_of_bits_by_hand(self) -> None:
        code = np.float32([1, 1, -1, -1, -1, -1, -1, -1])
        assert distances(OF_BITS, code, bit_codes(0b11000000, 0b10000000, 0xFF)).tolist() == [0, 1, 6]

    def test_of_floats_by_hand(self) -> None:
        assert distances(OF_FLOATS, np.float32([0, 0]), float_codes([3, 4], [0, 1])).tolist() == [5, 1]

    def test_what_is_near_by_hand(self) -> None:
        """The nearest others of 0, 1, 3 and 9 are 1, 1, 2 and 6 away."""
        assert usual_distance(OF_FLOATS, float_codes([0], [1], [3], [9])) == 1.5
        assert usual_distance(OF_FLOATS, float_codes([0])) == 0


class TestPlane:
    def test_cells_by_hand(self) -> None:
        """Of 101 points on the diagonal from 0 to 100 the central ones lie from 2 to 98."""
        cut = plane(np.float32([[n, 10 * n] for n in range(101)]), 2)
        assert cut.x.tolist() == pytest.approx([2, 50, 98])
        assert cut.y.tolist() == pytest.approx([20, 500, 980])
        assert cut.documents.tolist() == [[48, 0], [0, 49]]
        assert cut.centres().tolist() == [[26, 260], [74, 260], [26, 740], [74, 740]]

    def test_documents_at_one_place_are_its_middle(self) -> None:
        cut = plane(np.float32([[1, 2]] * 5), 3)
        assert cut.documents.tolist() == [[0, 0, 0], [0, 5, 0], [0, 0, 0]]
        assert cut.centres()[4].tolist() == [1, 2]
