"""Drift: words that the encoder does not know, and how well it can still say what a document is about."""

import shutil

import numpy as np
import pytest
from shared import QUICK, TOPICS, some_documents

from textae import Document, Engine, ModelSpec
from textae.encoding.weighting import tfidf
from textae.explore.decode import decode_documents
from textae.explore.info import SAMPLE, fit, picture_error
from textae.types import Picture

SMALL = ModelSpec(dims=4, bits=32, hidden=(16,))


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> Engine:
    """Give an index that was added to: documents like those that were learned, and others."""
    engine = Engine.create(tmp_path_factory.mktemp("followed") / "index")
    engine.index(some_documents(60), model=SMALL, train=QUICK, language="english")
    like_them = [Document(f"like-{n}", " ".join(words.split())) for n, words in enumerate(TOPICS.values())]
    mixed = [Document(f"mixed-{n}", "telescope flour harbour zygote qubit tensor") for n in range(3)]
    engine.add([*like_them, *mixed, Document("odd", "zygote qubit zygote")])
    return engine


def numbers(engine: Engine, *ids: str) -> np.ndarray:
    return np.array([engine.snapshot.number(id) for id in ids])


def test_unknown_words_by_hand(followed) -> None:
    """Of 12 words each none is unknown; of 6 three are; of 3 all. Those of a document count as often as they stand."""
    assert fit(followed.snapshot, numbers(followed, "like-0", "like-1")).unknown_words == 0
    assert fit(followed.snapshot, numbers(followed, "mixed-0")).unknown_words == pytest.approx(3 / 6)
    assert fit(followed.snapshot, numbers(followed, "odd")).unknown_words == 1
    assert fit(followed.snapshot, numbers(followed, "mixed-0", "odd")).unknown_words == pytest.approx(6 / 9)


def test_the_loss_is_the_decoders_cross_entropy(followed) -> None:
    snapshot = followed.snapshot
    inputs = len(snapshot.model.encoder.words)
    losses = []
    for id in ("stars-0", "mixed-0"):
        bag = snapshot.tokens_of(numbers(followed, id).tolist()).bags().below(inputs)
        q = tfidf(bag, snapshot.model.idf[:inputs]).astype(float)
        p = snapshot.decoder.words(snapshot.model.encoder.encode(bag).floats)[0][bag.terms]
        losses.append(-(q / q.sum() * np.log(p)).sum())
    found = [fit(snapshot, numbers(followed, id)).loss for id in ("stars-0", "mixed-0")]
    assert found == pytest.approx(losses, rel=1e-4)
    assert fit(snapshot, numbers(followed, "stars-0", "mixed-0")).loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_what_mixes_topics_is_harder_to_say_than_what_keeps_to_one(followed) -> None:
    of_one = fit(followed.snapshot, numbers(followed, "like-0", "like-1", "like-2")).loss
    assert fit(followed.snapshot, numbers(followed, "mixed-0", "mixed-1", "mixed-2")).loss > of_one + 0.1


def test_a_document_of_unknown_words_alone_has_no_loss(followed) -> None:
    assert fit(followed.snapshot, numbers(followed, "odd")).loss is None
    both = fit(followed.snapshot, numbers(followed, "odd", "like-0"))
    assert both.loss == pytest.approx(fit(followed.snapshot, numbers(followed, "like-0")).loss)


def test_of_many_documents_a_sample_is_looked_at(followed, monkeypatch) -> None:
    monkeypatch.setattr("textae.explore.info.SAMPLE", 2)
    three = numbers(followed, "mixed-0", "odd", "mixed-1")
    assert fit(followed.snapshot, three).unknown_words == pytest.approx(3 / 6)  # the first and the last
    assert SAMPLE > 100


def test_it_is_told_with_what_the_index_holds(followed) -> None:
    facts = followed.info()
    assert (facts["added_since_learned"], facts["removed_since_learned"], facts["segments"]) == (7, 0, 2)
    assert facts["unknown_words_of_learned"] == 0
    assert facts["unknown_words_of_added"] == pytest.approx((3 * 3 + 3) / (3 * 12 + 3 * 6 + 3), abs=1e-4)
    assert facts["loss_of_added"] > 0


def test_where_nothing_was_added_nothing_is_said(engine) -> None:
    assert not any(name.startswith(("unknown_words", "loss")) for name in engine.info())


def test_documents_of_which_nothing_is_known_leave_the_loss_out(tmp_path) -> None:
    with Engine.create(tmp_path / "index") as engine:
        engine.index(some_documents(12), model=SMALL, train=QUICK)
        engine.add([Document("odd", "zygote qubit")])
        facts = engine.info()
        assert facts["unknown_words_of_added"] == 1
        assert "loss_of_added" not in facts
        engine.remove([document.id for document in some_documents(12)])
        assert not any(name.startswith(("unknown_words", "loss")) for name in engine.info())


def test_a_deep_stack_drifts_too(tmp_path) -> None:
    from dataclasses import replace

    with Engine.create(tmp_path / "index") as engine:
        engine.index(some_documents(12), model=SMALL, train=replace(QUICK, pretrain="none"))
        engine.add([Document("odd", "comet zygote")])
        facts = engine.info()
        assert facts["unknown_words_of_added"] == 0.5
        assert facts["loss_of_added"] > 0


class TestPictures:
    def test_the_error_is_what_decoding_says_of_each(self, pictures_folder) -> None:
        with Engine.open(pictures_folder) as engine:
            ids = ["down-4", "square-5", "across-0"]
            numbers = np.array([engine.snapshot.number(id) for id in ids])
            errors = [decoded.error for decoded in decode_documents(engine.snapshot, ids)]
            found = picture_error(engine.snapshot, numbers)
        assert found == pytest.approx(np.mean(errors), rel=0.01)  # these codes were in half precision

    def test_what_is_unlike_all_that_was_learned_fits_worse(self, pictures_folder, tmp_path) -> None:
        folder = tmp_path / "index"
        shutil.copytree(pictures_folder, folder)
        chequered = Picture(6, 6, 1, bytes([255, 0] * 18))
        with Engine.open(folder) as engine:
            engine.add([Document(f"new-{n}", "", picture=chequered) for n in range(3)])
            facts = engine.info()
        assert facts["error_of_added"] > 1.5 * facts["error_of_learned"]
