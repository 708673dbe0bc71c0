"""Words of a topic that go together: NPMI by hand, and how words are chosen by it."""

import math

import numpy as np
import pytest
from shared import QUICK

from textae import Document, Engine, ModelSpec
from textae.explore.coherence import coherent, npmi
from textae.explore.known_rows import known_rows

TEXTS = ("comet orbit", "comet orbit", "bird seed", "moon seed", "comet fish", "bird seed moon", "gone orbit fish")


def test_the_npmi_of_pairs_is_that_of_the_documents_which_are_there(tmp_path) -> None:
    with Engine.create(tmp_path / "index") as engine:
        documents = [Document(str(number), text) for number, text in enumerate(TEXTS)]
        engine.index(documents[:4], model=ModelSpec(dims=16, bits=32, hidden=(16,)), train=QUICK)
        engine.add(documents[4:])
        engine.remove(["6"])
        numbers = engine.snapshot.model.vectorizer.numbers
        terms = np.sort([numbers[word] for word in ("comet", "orbit", "seed", "moon")])
        place = {word: int(np.searchsorted(terms, numbers[word])) for word in ("comet", "orbit", "seed", "moon")}
        values = npmi(engine.snapshot, terms, known_rows(engine.snapshot))
    assert values[place["comet"], place["orbit"]] == pytest.approx(
        math.log((2 / 6) / (3 / 6 * 2 / 6)) / -math.log(2 / 6)
    )
    assert values[place["seed"], place["moon"]] == pytest.approx(math.log((2 / 6) / (3 / 6 * 2 / 6)) / -math.log(2 / 6))
    assert values[place["orbit"], place["moon"]] == -1
    assert (values == values.T).all()
    assert np.diag(values) == pytest.approx(np.ones(4))


def test_a_word_that_goes_with_the_chosen_ones_comes_before_one_that_tells_a_little_more() -> None:
    values = np.array([[1, -0.1, 0.5, 0.4], [-0.1, 1, 0, 0], [0.5, 0, 1, 0.9], [0.4, 0, 0.9, 1]])
    assert coherent(np.array([9.0, 8.0, 7.0, 6.9]), values, 3).tolist() == [0, 2, 3]
    assert coherent(np.array([9.0, 8.0, 0.1, 0.1]), values, 9).tolist() == [0, 1, 2, 3]  # these tell far less
    assert coherent(np.empty(0), np.empty((0, 0)), 3).tolist() == []
