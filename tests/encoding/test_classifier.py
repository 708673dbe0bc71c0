"""The soft-max layer by hand, and what is a label."""

import math

import numpy as np
import pytest

from textae.encoding.classifier import MOST_CLASSES, Classifier, Labels
from textae.errors import TextaeError

# Of the code (x, y): red is worth x ln 2, green y ln 3 and blue ln 6, whatever the code.
COLOURS = Classifier(
    np.array([[math.log(2), 0, 0], [0, math.log(3), 0]], np.float32),
    np.array([0, 0, math.log(6)], np.float32),
    ("red", "green", "blue"),
)


class TestClassifier:
    def test_shares_by_hand(self) -> None:
        shares = COLOURS.predict_proba(np.array([[0, 0], [1, 1], [3, 0]], np.float32))
        assert shares == pytest.approx(np.array([[1, 1, 6], [2, 3, 6], [8, 1, 6]]) / [[8], [11], [15]], abs=1e-6)

    def test_the_likeliest_label_and_of_equal_ones_the_first(self) -> None:
        assert COLOURS.predict(np.array([[0, 0], [3, 0]], np.float32)) == ["blue", "red"]
        nothing = Classifier(np.zeros((2, 2), np.float32), np.zeros(2, np.float32), ("a", "b"))
        assert nothing.predict(np.ones((1, 2), np.float32)) == ["a"]

    def test_equal_codes_have_equal_shares_in_every_batch(self) -> None:
        rng = np.random.default_rng(1)
        weights, bias, code = (rng.normal(size=size).astype(np.float32) for size in ((320, 20), 20, (1, 320)))
        classifier = Classifier(weights, bias, tuple("x" * 20))
        codes = np.repeat(code, 1_001, axis=0)
        assert len(np.unique(classifier.predict_proba(codes), axis=0)) == 1
        assert classifier.predict_proba(codes[:1]).tobytes() == classifier.predict_proba(codes)[:1].tobytes()

    def test_large_logits_do_not_overflow(self) -> None:
        shares = COLOURS.predict_proba(np.array([[1e4, 0]], np.float32))
        assert shares.tolist() == [[1, 0, 0]]

    def test_it_comes_back_from_its_arrays(self) -> None:
        again = Classifier.from_arrays(COLOURS.arrays(), list(COLOURS.classes))
        codes = np.random.default_rng(1).standard_normal((5, 2)).astype(np.float32)
        assert again.classes == COLOURS.classes
        assert np.array_equal(again.predict_proba(codes), COLOURS.predict_proba(codes))


class TestLabels:
    def test_what_is_empty_is_no_label(self) -> None:
        labels = Labels.read("topic", ["b", None, "", "a", "b"])
        assert labels.classes == ("a", "b")
        assert labels.of.tolist() == [1, -1, -1, 0, 1]
        assert labels.n_labelled == 3

    def test_a_number_and_its_text_are_one_label(self) -> None:
        labels = Labels.read("year", [3, "3", 2.5, False])
        assert labels.classes == ("2.5", "3", "False")
        assert labels.of.tolist() == [1, 1, 0, 2]

    @pytest.mark.parametrize(
        ("values", "says"),
        [
            ([], "no document has a label in 'f'; at least 2 documents of different labels are needed"),
            ([None, ""], "no document has a label in 'f'"),
            (["a", None], "1 document has a label in 'f'; at least 2"),
            (["a", "a", None], "all 2 documents with a label in 'f' have the same one, 'a'; at least 2 are needed"),
            (["a", ["b", "c"]], r"'f' holds \['b', 'c'\], which is no label; give a field of single values"),
            (["a", {"b": 1}], r"'f' holds \{'b': 1\}, which is no label"),
            (range(MOST_CLASSES + 1), "'f' holds 1,001 different labels; is it a title or an id"),
        ],
    )
    def test_what_cannot_be_learned_is_said_in_one_line(self, values, says) -> None:
        with pytest.raises(TextaeError, match=says) as refused:
            Labels.read("f", list(values))
        assert "\n" not in str(refused.value)
