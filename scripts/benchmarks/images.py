"""Pictures: MNIST's 70,000 digits (LeCun, Cortes & Burges), of which the 60,000 to train with are indexed.

What Hinton & Salakhutdinov (Science 2006) measured, the error of rebuilding a test picture from 30 numbers; what a
search wants, P@100 of test pictures among the others; what codes are worth to a classifier; and what it takes. Labels
are looked at by nothing but the scores: how textae learns pictures was chosen on the training part.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks import image_figures as figures
from benchmarks import runs
from benchmarks.few_pictures import accuracies
from benchmarks.rows import data, render, write
from benchmarks.topics import expected_precision
from textae.config import PICTURE_PRESETS, Preset
from textae.corpus import TableSpec
from textae.encoding.arrays import Floats
from textae.encoding.encoders import PixelEncoder, encode, logistic
from textae.encoding.pixels import Pixels
from textae.engine import Engine
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
"""The auto-encoders, by the folder of their index; the last two are for figures alone."""


@click.command()
@click.option("--keep", type=click.Path(path_type=Path), help="A folder of indexes: used if there, else left there.")
@click.option("--queries", default=10_000, show_default=True, help="Test pictures that ask, the first so many.")
@click.option("--only-figures", is_flag=True, help="Draw, and measure nothing.")
def images(keep: Path | None, queries: int, only_figures: bool) -> None:
    """Pictures: reconstruction, similarity, classifying, cost, and the figures in docs/images."""
    digits = Digits()
    with TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        for name, preset in LEARNED.items():
            if not (folder / name).exists():
                indexed(digits, folder / name, preset, name)
        snapshot = {name: Engine.open(folder / name) for name in LEARNED}
        if not only_figures:
            measure_errors(snapshot[DEEP], digits)
            measure_precision(snapshot[DEFAULT], digits, queries)
            measure_classifying(snapshot[DEFAULT], digits)
            measure_search(snapshot[DEFAULT], digits)
        draw(snapshot, digits)
    if not only_figures:
        render()


class Digits:
    """The pictures and their labels.

    Attributes:
        train: 60,000 pictures.
        train_labels: (60,000,).
        test: 10,000 pictures.
        test_labels: (10,000,).
    """

    def __init__(self) -> None:
        with np.load(data("mnist", "digits.npz"), allow_pickle=False) as arrays:
            self.train, self.test = (Pixels(arrays[name].reshape(-1, 784)) for name in ("x_train", "x_test"))
            self.train_labels, self.test_labels = arrays["y_train"].astype(int), arrays["y_test"].astype(int)

    def row_of(self, digit: int) -> int:
        """The place of the first test picture of a digit."""
        return int(np.flatnonzero(self.test_labels == digit)[0])

    def asking(self, n: int) -> list[Document]:
        """The first n test pictures, as documents."""
        found = runs.documents(data("mnist", "digits.npz"), TableSpec(select=(("split", "test"),)))
        return [document for document, _ in zip(found, range(n), strict=False)]


def indexed(digits: Digits, folder: Path, preset: Preset, name: str) -> None:
    """Index the training pictures in a process of its own, and say what it took."""
    spec = TableSpec(select=(("split", "train"),))
    model, train = preset
    cost = runs.index(data("mnist", "digits.npz"), folder, spec, model, SEED, train=train)
    write("indexing pictures", f"{ON}, {name}", cost.documents, cost.figures(), SEED)


def encoded(engine: Engine, pixels: Pixels) -> Floats:
    """The float codes of some pictures."""
    return np.concatenate([encode(engine.snapshot.model.encoder, chunk).floats for chunk in pixels.chunks(2_000)])


def rebuilt(engine: Engine, pixels: Pixels) -> Floats:
    """The brightness that the decoder tells of the codes of pictures: (n, n_pixels)."""
    return logistic(engine.snapshot.decoder.logits(encoded(engine, pixels)))


def pca_of(engine: Engine, pixels: Pixels, dims: int) -> tuple[Floats, Floats]:
    """The first principal components of pictures, and the pictures that are rebuilt from them."""
    axes, mean = (np.asarray(engine.snapshot.reader.arrays[name]) for name in ("pca/axes", "pca/mean"))
    components = (pixels.brightness() - mean) @ axes[:, :dims]
    return components, components @ axes[:, :dims].T + mean


def measure_errors(engine: Engine, digits: Digits) -> None:
    """The squared error of a test picture, summed over its pixels."""
    seen, dims = digits.test.brightness(), engine.snapshot.model.encoder.dims
    errors = {
        "deep auto-encoder": float(np.square(rebuilt(engine, digits.test) - seen).sum(axis=1).mean()),
        "PCA": float(np.square(pca_of(engine, digits.test, dims)[1] - seen).sum(axis=1).mean()),
    }
    write("squared error of a picture", f"{ON}, {dims} numbers", len(digits.train), errors, SEED)


def measure_precision(engine: Engine, digits: Digits, n: int) -> None:
    """P@100: of the 100 training pictures that are most alike, those of the same digit."""
    scored = engine.evaluate_labels("label", digits.asking(n), SYSTEMS, k=100)
    found = runs.by_system(scored.figures, "P@100")
    found["signs of pca-32"] = signs_of_pca(engine, digits, n)
    write("P@100, pictures", f"{ON}, {n:,} ask", len(digits.train), found, SEED)


def signs_of_pca(engine: Engine, digits: Digits, n: int, dims: int = 32) -> float:
    """P@100 of the signs of principal components, ties broken by chance."""
    indexed, asked = (np.sign(pca_of(engine, part, dims)[0]) for part in (digits.train, digits.test.rows(0, n)))
    found = []
    for first in range(0, n, 256):
        relevant = digits.test_labels[first : min(n, first + 256), None] == digits.train_labels
        found.append(expected_precision(-asked[first : first + 256] @ indexed.T, relevant, 100))
    return float(np.concatenate(found).mean())


def measure_classifying(engine: Engine, digits: Digits) -> None:
    """The errors of a linear classifier, and what a few labels teach."""
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
            some = digits.train.take(rows), digits.train_labels[rows]
            found = accuracies(encoder, *some, digits.test, digits.test_labels, seed)
            for name, (seen, asked) in features.items():
                found[f"logistic regression, {name}"] = linear(seen[rows], asked, some[1], digits.test_labels)
            write("few labels of pictures, accuracy", f"{ON}, {known:,} labels", len(digits.train), found, seed)


def linear(seen: Floats, asked: Floats, known: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """The accuracy of a logistic regression."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    # Codes of unit length are smaller than pixels: what is regularised is made of one size.
    size = np.square(seen).mean() ** 0.5
    with warnings.catch_warnings():  # of all pixels it would go on for long, and change little
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=1.0, max_iter=300).fit(seen / size, known)
    return float((model.predict(asked / size) == right).mean())


def measure_search(engine: Engine, digits: Digits) -> None:
    """Milliseconds of a query in a running process, by system, and of its encoding; bytes of a picture's code."""
    querys = [QueryVector.of_pictures(digits.test.rows(i, i + 1)) for i in range(TIMED)]
    found = {f"{name} ms": median_ms(lambda q, n=name: engine.snapshot.search(q, 10, n), querys) for name in SYSTEMS}
    encoder = engine.snapshot.model.encoder
    found["encoding ms"] = median_ms(lambda query: encode(encoder, query.pictures), querys)
    found["bytes of bits"] = float(engine.snapshot.codes.bits.shape[1])
    found["bytes of a float code"] = float(2 * engine.snapshot.codes.floats.shape[1])
    write("a search among pictures", ON, len(digits.train), found)


def median_ms(search: Callable[[QueryVector], object], querys: Sequence[QueryVector]) -> float:
    """The median time of a search, after some that warm up."""
    took = []
    for query in querys:
        began = time.perf_counter()
        search(query)
        took.append(time.perf_counter() - began)
    return 1_000 * float(np.median(took[TIMED // 10 :]))


def draw(snapshot: Mapping[str, Engine], digits: Digits) -> None:
    """Every figure."""
    deep, plane, denoising = (snapshot[name] for name in (DEEP, PLANE, DENOISING))
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
    noisy = spoilt(shown)
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
    figures.draw_neighbours(neighbours(snapshot[DEFAULT], digits), "neighbours.png")


def spoilt(pixels: Pixels) -> Pixels:
    """Pictures, half of their pixels black."""
    seen = np.random.default_rng(SEED).random(pixels.values.shape) >= 0.5
    return Pixels(pixels.values * seen)


def first_layer(engine: Engine) -> Floats:
    """The weights of the first layer: (n_pixels, n_hidden)."""
    encoder = engine.snapshot.model.encoder
    assert isinstance(encoder, PixelEncoder)
    return encoder.layers[0][0]


def neighbours(engine: Engine, digits: Digits, k: int = 8) -> list[figures.Neighbours]:
    """Of the first test picture of each digit, the nearest training pictures by pixels and by bits."""
    found = []
    for row in map(digits.row_of, range(10)):
        query = QueryVector.of_pictures(digits.test.rows(row, row + 1))
        nearest = {name: engine.snapshot.search(query, k, name).rows for name in ("pixels", "bits")}
        found.append(
            figures.Neighbours(
                digits.test.values[row],
                {name: digits.train.values[rows] for name, rows in nearest.items()},
                {name: digits.train_labels[rows] == digits.test_labels[row] for name, rows in nearest.items()},
            )
        )
    return found
