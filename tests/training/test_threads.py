"""Threads of learning leave the cores to others while they wait."""

import os
import subprocess
import sys

import pytest
import scipy.linalg  # noqa: F401  # it has a BLAS of its own
from shared import TINY, some_documents
from threadpoolctl import threadpool_info, threadpool_limits

from textae import Engine, TrainSpec


def blas_threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@pytest.mark.parametrize("pretrain", ["lsa", "denoising"])
def test_learning_multiplies_on_one_thread_of_blas_and_then_gives_the_others_back(tmp_path, pretrain):
    seen = set()

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage.startswith("learning"):
            seen.update(blas_threads())

    with threadpool_limits(2, "blas"), Engine.create(tmp_path / "index") as engine:
        engine.index(some_documents(40), model=TINY, train=TrainSpec(epochs=1, pretrain=pretrain), progress=progress)
        assert blas_threads() == {2}
    assert seen == {1}


def test_threads_of_torch_wait_without_spinning() -> None:
    """OpenMP displays the settings that it was loaded with."""
    shown = openmp_settings({})
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in shown
    assert "'ACTIVE'" not in shown


def test_the_environment_may_choose_otherwise() -> None:
    assert "OMP_WAIT_POLICY = 'ACTIVE'" in openmp_settings({"OMP_WAIT_POLICY": "ACTIVE"})


def openmp_settings(environment: dict[str, str]) -> str:
    inherited = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", "import textae.training.loop"],
        env=inherited | {"OMP_DISPLAY_ENV": "TRUE"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr
