"""What may be chosen, and what is refused in one line."""

from dataclasses import FrozenInstanceError

import pytest

from textae.config import (
    DEVICES,
    MOST_SEED,
    PICTURE_PRESETS,
    PRESETS,
    SYSTEMS,
    ModelSpec,
    TrainSpec,
    check_system,
    check_together,
    specs_of,
    stored_settings,
)
from textae.errors import TextaeError


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"bits": 0}, "0 bits were asked for; give a multiple of 8"),
        ({"bits": -8}, "-8 bits"),
        ({"bits": 12}, "12 bits"),
        ({"dims": 0}, "a code of 0 numbers was asked for; give at least 1"),
        ({"hidden": (512, 0)}, r"hidden layers of \(512, 0\)"),
        ({"dropout": 1.0}, r"--drop must be in \[0, 1\), got 1"),
        ({"dropout": -0.1}, r"--drop must be in \[0, 1\), got -0.1"),
        ({"dropout": float("nan")}, r"--drop must be in \[0, 1\), got nan"),
        ({"inputs": 0}, "an encoder of 0 terms"),
        ({"hidden": (512, 4_000_000_000)}, "has at most 1,000,000 numbers"),
        ({"dims": 10**22}, "has at most 1,000,000 numbers"),
        ({"bits": 1032}, "1032 bits were asked for; give a multiple of 8, from 8 to 1,024"),
        ({"corruption": "rust"}, "no corruption 'rust'; give one of masking, salt-and-pepper, gaussian"),
        ({"code_l2": -0.5}, "a code cannot be held near 0 by -0.5; give 0"),
        ({"code_l2": float("inf")}, "a code cannot be held near 0 by inf"),
        ({"unpool": "magic"}, "no unpooling 'magic'; give one of remembered, repeated, none"),
        ({"rounded": True}, "320 numbers and 256 bits were asked for; give --dims 256, or --bits 320"),
    ],
)
def test_a_model_that_cannot_be_is_refused(chosen, told) -> None:
    with pytest.raises(TextaeError, match=told):
        ModelSpec(**chosen)


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"device": "tpu"}, "no device 'tpu'; give one of auto, cpu, cuda"),
        ({"seed": -1}, "the seed must be from 0 to 4294967295"),
        ({"epochs": -1}, "--passes must be from 0 .LSA alone. to 1,000,000"),
        ({"learning_rate": 0.0}, "--rate must be above 0, such as 0.001, got 0"),
        ({"epochs": 10**400}, "--passes must be from 0 .LSA alone. to 1,000,000"),
        ({"seed": 2**32}, "the seed must be from 0 to 4294967295"),
        ({"pretrain": "magic"}, "no pre-training 'magic'; give one of lsa, rbm, denoising, none"),
    ],
)
def test_training_that_cannot_be_is_refused(chosen, told) -> None:
    with pytest.raises(TextaeError, match=told):
        TrainSpec(**chosen)


@pytest.mark.parametrize(
    ("model", "train", "told"),
    [
        (ModelSpec(corruption="gaussian"), TrainSpec(), "gaussian corruption is for deep stacks; give masking, or"),
        (ModelSpec(code_l2=0.1), TrainSpec(), "cannot be held near 0; give a code-l2 of 0, or another --pretrain"),
        (
            ModelSpec(dims=9, hidden=(16, 8)),
            TrainSpec(pretrain="none"),
            "a code of 9 numbers is larger than the layer of 8",
        ),
        (ModelSpec(unpool="repeated"), TrainSpec(pretrain="none"), "a convolutional auto-encoder is for pictures"),
        (ModelSpec(dims=256, rounded=True), TrainSpec(pretrain="rbm"), "a code of rounded units is for pictures"),
    ],
)
def test_what_does_not_go_together_is_refused(model, train, told) -> None:
    with pytest.raises(TextaeError, match=told):
        check_together(model, train)


@pytest.mark.parametrize(
    ("model", "train", "told"),
    [
        (ModelSpec(unpool="repeated"), TrainSpec(), "starts from random weights; give --pretrain none"),
        (ModelSpec(dims=256, rounded=True), TrainSpec(), "is a deep stack's; give another --pretrain than lsa"),
        (
            ModelSpec(dims=256, rounded=True, unpool="repeated"),
            TrainSpec(pretrain="none"),
            "a convolutional auto-encoder has a linear code",
        ),
        (ModelSpec(code_l2=0.1), TrainSpec(), "cannot be held near 0; give a code-l2 of 0, or another --pretrain"),
    ],
)
def test_what_does_not_go_together_for_pictures_is_refused(model, train, told) -> None:
    with pytest.raises(TextaeError, match=told):
        check_together(model, train, pictures=True)


def test_every_preset_goes_together_and_the_default_is_what_is_there_without_one() -> None:
    for model, train in PRESETS.values():
        check_together(model, train)
    for model, train in PICTURE_PRESETS.values():
        check_together(model, train, pictures=True)
    check_together(ModelSpec(corruption="gaussian"), TrainSpec(), pictures=True)
    assert PRESETS["default"] == (ModelSpec(), TrainSpec())
    check_together(ModelSpec(dims=9, hidden=()), TrainSpec(pretrain="rbm"))
    check_together(ModelSpec(dims=8, hidden=(16, 8), corruption="gaussian", code_l2=0.1), TrainSpec(pretrain="rbm"))


def test_the_least_that_can_be_chosen() -> None:
    assert ModelSpec(dims=1, bits=8, hidden=(), dropout=0.0, inputs=1).hidden == ()
    assert TrainSpec(seed=0, epochs=0).epochs == 0
    assert TrainSpec(seed=2**32 - 1).seed == MOST_SEED
    assert [TrainSpec(device=name).device for name in DEVICES] == ["auto", "cpu", "cuda"]


@pytest.mark.parametrize("name", [*SYSTEMS, "lsa-1", "lsa-64"])
def test_a_system_has_a_name(name) -> None:
    check_system(name)


def test_a_name_without_end_is_not_repeated() -> None:
    with pytest.raises(TextaeError, match=r"no system 'lsa-9+ \.\.\.'; give one of tfidf, bm25") as refused:
        check_system("lsa-" + "9" * 5_000)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("spec", [ModelSpec(), TrainSpec()])
def test_a_spec_does_not_change(spec) -> None:
    with pytest.raises(FrozenInstanceError):
        spec.seed = spec.dims = 2


def test_an_index_stores_the_specs_under_names_that_stay() -> None:
    model, train = ModelSpec(dims=9, hidden=(7, 5), dropout=0.25), TrainSpec(epochs=3, learning_rate=0.1)
    settings = stored_settings(model, train)
    assert {name: settings[name] for name in ("drop", "passes", "rate", "dims")} == {
        "drop": 0.25, "passes": 3, "rate": 0.1, "dims": 9
    }  # fmt: skip
    assert not {"dropout", "epochs", "learning_rate"} & settings.keys()
    assert specs_of({**settings, "hidden": [7, 5], "language": "english"}) == (model, train)
    assert specs_of({}) == (ModelSpec(), TrainSpec())
