"""Pictures: MNIST's 70,000 digits (LeCun, Cortes & Burges), of which the 60,000 training pictures are indexed.

The suite measures the error of reconstructing a test picture from 30 numbers, as Hinton & Salakhutdinov (Science 2006)
did; P@100 of test pictures as queries; the worth of codes to a classifier; and the cost. Only the scores use labels:
the way of learning pictures was chosen on the training part.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks import datasets
from benchmarks.harness import runs
from benchmarks.harness.options import quick, quick_option
from benchmarks.harness.precision import expected_precision
from benchmarks.harness.rows import write
from benchmarks.suites import image_figures as figures
from benchmarks.suites.labels import picture_accuracies
from textae.config import PICTURE_PRESETS, Preset
from textae.corpus import TableSpec
from textae.encoding.arrays import Floats
from textae.encoding.classifier import Labels
from textae.encoding.encoders import PixelEncoder, encode
from textae.encoding.layers import logistic
from textae.encoding.pixels import Pixels
from textae.engine import Engine
from textae.evaluation.run import by_labels
from textae.search.query import QueryVector
from textae.types import Document

ON = "MNIST"
SEED = 1
SYSTEMS = ("pixels", "pca-32", "code", "bits-64", "bits")
KNOWN = (10, 100, 1_000)
TIMED = 200

DEFAULT, DEEP, PLANE, DENOISING = "default", "deep", "plane", "denoising"
_HINTON, _VINCENT = PICTURE_PRESETS["hinton2006"], PICTURE_PRESETS["vincent2008"]
LEARNED: Mapping[str, Preset] = {
    DEFAULT: PICTURE_PRESETS["default"],
    DEEP: _HINTON,
    PLANE: (replace(_HINTON[0], dims=2, code_l2=0.1), replace(_HINTON[1], epochs=10)),
    DENOISING: (
        replace(_VINCENT[0], hidden=(500,), dims=250, dropout=0.5),
        replace(_VINCENT[1], epochs=10, most_documents=20_000),
    ),
}
"""The auto-encoders, by the folder of their index; only figures use the last two."""


QUICK: Preset = (LEARNED[DEFAULT][0], replace(LEARNED[DEFAULT][1], most_documents=5_000, epochs=2))
"""What `--quick` learns."""


@click.command()
@click.option("--keep", type=click.Path(path_type=Path), help="A folder that keeps the indexes for the next run.")
@click.option("--queries", default=10_000, show_default=True, help="The number of test pictures that are queries.")
@click.option("--only-figures", is_flag=True, help="Draw the figures, and measure nothing.")
@click.option("--preset", type=click.Choice([*PICTURE_PRESETS]), help="Measure this preset alone, without figures.")
@click.option("--passes", type=click.IntRange(1), help="With --preset: epochs, in place of the preset's.")
@quick_option
def images(keep: Path | None, queries: int, only_figures: bool, preset: str | None, passes: int | None) -> None:
    """Reconstruction, similarity, classification and cost of pictures, and the figures in docs/images."""
    digits = Digits()
    if preset is not None:
        name = preset + f", {passes} passes" * (passes is not None)
        model, train = PICTURE_PRESETS[preset]
        with TemporaryDirectory() as folder:
            index(Path(folder), (model, replace(train, epochs=passes)), name)
            with Engine.open(folder) as engine:
                measure_errors(engine, digits, f"{ON}, {name}")
                measure_precision(engine, digits, queries, f"{ON}, {name}")
        return
    if passes is not None:
        raise click.UsageError("--passes is for one preset; give --preset, too")
    if quick():
        with TemporaryDirectory() as folder:
            index(Path(folder), QUICK, DEFAULT)
            measure_precision(Engine.open(folder), digits, min(queries, 1_000))
        return
    with TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        for name, preset in LEARNED.items():
            if not (folder / name).exists():
                index(folder / name, preset, name)
        engines = {name: Engine.open(folder / name) for name in LEARNED}
        if not only_figures:
            measure_errors(engines[DEEP], digits)
            measure_precision(engines[DEFAULT], digits, queries)
            measure_classifying(engines[DEFAULT], digits)
            measure_search(engines[DEFAULT], digits)
        draw(engines, digits)


class Digits:
    """The pictures and their labels.

    Attributes:
        train: 60,000 pictures.
        train_labels: (60,000,).
        test: 10,000 pictures.
        test_labels: (10,000,).
    """

    def __init__(self) -> None:
        with np.load(datasets.path("mnist", "digits.npz"), allow_pickle=False) as arrays:
            self.train, self.test = (Pixels(arrays[name].reshape(-1, 784)) for name in ("x_train", "x_test"))
            self.train_labels, self.test_labels = arrays["y_train"].astype(int), arrays["y_test"].astype(int)

    def row_of(self, digit: int) -> int:
        """The row of the first test picture of a digit."""
        return int(np.flatnonzero(self.test_labels == digit)[0])

    def queries(self, n: int) -> list[Document]:
        """The first n test pictures, as documents."""
        spec = TableSpec(select=(("split", "test"),))
        return list(itertools.islice(datasets.documents(datasets.path("mnist", "digits.npz"), spec), n))


def index(folder: Path, preset: Preset, name: str) -> None:
    """Index the training pictures, and write a row of the cost."""
    spec = TableSpec(select=(("split", "train"),))
    model, train = preset
    cost = runs.index(datasets.path("mnist", "digits.npz"), folder, spec, model, SEED, train=train)
    write("indexing pictures", f"{ON}, {name}", cost.documents, cost.figures(), SEED)


def encoded(engine: Engine, pixels: Pixels) -> Floats:
    """The float codes of pictures: (n, dims)."""
    return np.concatenate([encode(engine.snapshot.model.encoder, chunk).floats for chunk in pixels.chunks(2_000)])


def rebuilt(engine: Engine, pixels: Pixels) -> Floats:
    """Pictures reconstructed from their codes: (n, n_pixels), brightness from 0 to 1."""
    return logistic(engine.snapshot.decoder.logits(encoded(engine, pixels)))


def pca_of(engine: Engine, pixels: Pixels, dims: int) -> tuple[Floats, Floats]:
    """The first principal components of pictures, (n, dims), and their reconstructions, (n, n_pixels)."""
    axes, mean = (np.asarray(engine.snapshot.reader.arrays[name]) for name in ("pca/axes", "pca/mean"))
    components = (pixels.brightness() - mean) @ axes[:, :dims]
    return components, components @ axes[:, :dims].T + mean


def measure_errors(engine: Engine, digits: Digits, on: str = ON) -> None:
    """Measure the squared error of test pictures, summed over pixels."""
    original, dims = digits.test.brightness(), engine.snapshot.model.encoder.dims
    errors = {
        "deep auto-encoder": float(np.square(rebuilt(engine, digits.test) - original).sum(axis=1).mean()),
        "PCA": float(np.square(pca_of(engine, digits.test, dims)[1] - original).sum(axis=1).mean()),
    }
    write("squared error of a picture", f"{on}, {dims} numbers", len(digits.train), errors, SEED)


def measure_precision(engine: Engine, digits: Digits, n: int, on: str = ON) -> None:
    """Measure P@100: the share of the same digit among the 100 nearest training pictures."""
    board = by_labels(engine.searcher, "label", digits.queries(n), SYSTEMS, 100, None, SEED, curve=False)
    precision = runs.by_system(board.figures, "P@100") | {"signs of pca-32": signs_of_pca(engine, digits, n)}
    write("P@100, pictures", f"{on}, {n:,} ask", len(digits.train), precision, SEED)


def signs_of_pca(engine: Engine, digits: Digits, n: int, dims: int = 32) -> float:
    """P@100 of the signs of principal components, the expectation over ties."""
    indexed, queries = (np.sign(pca_of(engine, part, dims)[0]) for part in (digits.train, digits.test.rows(0, n)))
    precision = []
    for first in range(0, n, 256):
        relevant = digits.test_labels[first : min(n, first + 256), None] == digits.train_labels
        precision.append(expected_precision(-queries[first : first + 256] @ indexed.T, relevant, 100))
    return float(np.concatenate(precision).mean())


def measure_classifying(engine: Engine, digits: Digits) -> None:
    """Measure the errors of a linear classifier of all labels, and the accuracy with a few labels."""
    start = PixelEncoder.pca(*(np.asarray(engine.snapshot.reader.arrays[name]) for name in ("pca/axes", "pca/mean")))
    features = {
        "our codes": [encoded(engine, part) for part in (digits.train, digits.test)],
        "PCA": [np.concatenate([start.encode(c).floats for c in p.chunks(2_000)]) for p in (digits.train, digits.test)],
        "pixels": [digits.train.brightness(), digits.test.brightness()],
    }
    errors = {name: 1 - linear(*both, digits.train_labels, digits.test_labels) for name, both in features.items()}
    write("error of a linear classifier", ON, len(digits.train), errors, SEED)
    encoder = engine.snapshot.model.encoder
    assert isinstance(encoder, PixelEncoder)
    for known in KNOWN:
        for seed in (1, 2, 3):
            rows = np.random.default_rng(seed).permutation(len(digits.train))[:known]
            of = np.full(len(digits.train), -1)
            of[rows] = digits.train_labels[rows]
            some = Labels("label", tuple("0123456789"), of)
            accuracies = picture_accuracies(encoder, digits.train, some, (digits.test, digits.test_labels), seed)
            for name, (train, test) in features.items():
                accuracies[f"logistic regression, {name}"] = linear(train[rows], test, of[rows], digits.test_labels)
            write("few labels of pictures, accuracy", f"{ON}, {known:,} labels", len(digits.train), accuracies, seed)


def linear(train: Floats, test: Floats, labels: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """The accuracy of a logistic regression on test features."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    # Codes of unit length are smaller than pixels; scaling makes the regularisation equally strong for both.
    size = np.square(train).mean() ** 0.5
    with warnings.catch_warnings():  # on all pixels, more iterations take long and change little
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=1.0, max_iter=300).fit(train / size, labels)
    return float((model.predict(test / size) == truth).mean())


def measure_search(engine: Engine, digits: Digits) -> None:
    """Measure milliseconds of a query in a running process, by system, and of its encoding; and bytes of a code."""
    queries = [QueryVector.of_pictures(digits.test.rows(i, i + 1)) for i in range(TIMED)]

    def median_ms(search: Callable[[QueryVector], object]) -> float:
        seconds = [runs.seconds_of(partial(search, query)) for query in queries]
        return 1_000 * float(np.median(seconds[TIMED // 10 :]))  # the first ones warm up

    snapshot = engine.snapshot
    columns = {f"{name} ms": median_ms(partial(engine.searcher.rank, top_k=10, mode=name)) for name in SYSTEMS}
    columns["encoding ms"] = median_ms(lambda query: encode(snapshot.model.encoder, query.pictures))
    columns["bytes of bits"] = float(snapshot.codes.bits.shape[1])
    columns["bytes of a float code"] = float(2 * snapshot.codes.floats.shape[1])
    write("a search among pictures", ON, len(digits.train), columns)


def draw(engines: Mapping[str, Engine], digits: Digits) -> None:
    """Draw every figure."""
    deep, plane, denoising = (engines[name] for name in (DEEP, PLANE, DENOISING))
    shown = digits.test.take(np.array([digits.row_of(digit) for digit in range(10)]))
    dims = deep.snapshot.model.encoder.dims
    figures.draw_rows(
        {
            "original": shown.brightness(),
            f"PCA, {dims} numbers": pca_of(deep, shown, dims)[1],
            f"deep auto-encoder, {dims} numbers": rebuilt(deep, shown),
        },
        "reconstructions.png",
    )
    codes = {"PCA, 2 numbers": pca_of(plane, digits.test, 2)[0], "deep auto-encoder, 2": encoded(plane, digits.test)}
    figures.draw_codes(codes, digits.test_labels, "codes-2d.png")
    grid = figures.grid(codes["deep auto-encoder, 2"], 20)
    figures.draw_grid(logistic(plane.snapshot.decoder.logits(grid.reshape(-1, 2))), grid, "grid.png")
    kept = np.random.default_rng(SEED).random(shown.values.shape) >= 0.5
    noisy = Pixels(shown.values * kept)
    figures.draw_rows(
        {
            "half of the pixels hidden": noisy.brightness(),
            "rebuilt": rebuilt(denoising, noisy),
            "as it was": shown.brightness(),
        },
        "denoising.png",
    )
    figures.draw_filters(
        {
            "a restricted Boltzmann machine, fine-tuned": first_layer(deep),
            "a de-noising auto-encoder": first_layer(denoising),
        },
        "filters.png",
    )
    figures.draw_neighbours(neighbours(engines[DEFAULT], digits), "neighbours.png")


def first_layer(engine: Engine) -> Floats:
    """The weights of the first layer: (n_pixels, n_hidden)."""
    encoder = engine.snapshot.model.encoder
    assert isinstance(encoder, PixelEncoder)
    return encoder.layers[0][0]


def neighbours(engine: Engine, digits: Digits, k: int = 8) -> list[figures.Neighbours]:
    """The nearest training pictures, by pixels and by bits, of the first test picture of each digit."""
    shown = []
    for row in map(digits.row_of, range(10)):
        query = QueryVector.of_pictures(digits.test.rows(row, row + 1))
        nearest = {name: engine.searcher.rank(query, k, name).rows for name in ("pixels", "bits")}
        shown.append(
            figures.Neighbours(
                digits.test.values[row],
                {name: digits.train.values[rows] for name, rows in nearest.items()},
                {name: digits.train_labels[rows] == digits.test_labels[row] for name, rows in nearest.items()},
            )
        )
    return shown


COMMANDS = (images,)
