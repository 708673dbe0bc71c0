"""Natural pictures: tiles of 32 × 32 colours of photographs that scikit-image and scikit-learn bring.

The left half of each photograph is indexed, and tiles of its right half are the queries; tiles of the same photograph
are relevant. So a system must know what a surface looks like: fur, brick, a face, a sky. The photographs stay in their
packages: `pip install scikit-image` brings eight of them, and nothing is downloaded or copied.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import runs
from benchmarks.harness.options import quick_option, seeds_option
from benchmarks.harness.rows import write
from textae.config import PICTURE_PRESETS
from textae.engine import Engine
from textae.evaluation.run import by_labels
from textae.types import Document, Picture

SIDE, STEP = 32, 16
"""Pixels of a tile, and between the corners of two tiles that are indexed. Tiles of queries do not overlap."""

SYSTEMS = ("pixels", "pca", "code", "bits")
BUNDLED = ("astronaut", "chelsea", "coffee", "hubble_deep_field", "ihc", "motorcycle_left", "retina", "rocket")


@click.command()
@seeds_option(3)
@quick_option
def natural(seeds: tuple[int, ...]) -> None:
    """P@10 of tiles of photographs, which are in colour, by pixels, PCA, codes and bits."""
    try:
        photographs = dict(_photographs())
    except ImportError as error:
        raise click.UsageError(f"the photographs are those of scikit-image and scikit-learn ({error})") from None
    indexed, queries = [], []
    for name, photograph in photographs.items():
        middle = photograph.shape[1] // 2
        indexed += _tiles(name, photograph[:, :middle], STEP)
        queries += _tiles(name, photograph[:, middle:], SIDE)
    model, train = PICTURE_PRESETS["default"]
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder, Engine.create(folder) as engine:
            engine.index(indexed, model=model, train=replace(train, seed=seed, device="cpu"))
            board = by_labels(engine.searcher, "label", queries, SYSTEMS, 10, None, seed, curve=False)
        on = f"{len(photographs)} photographs, {len(queries):,} ask"
        write("P@10, tiles of photographs", on, len(indexed), runs.by_system(board.figures, "P@10"), seed)


def _photographs() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """The photographs in colour: names and (height, width, 3), of at most 512 pixels a side."""
    import skimage.data
    from PIL import Image
    from sklearn.datasets import load_sample_images

    folder = Path(skimage.data.__file__).parent
    files = [path for name in BUNDLED for path in sorted(folder.glob(f"{name}.*"))]
    arrays = [(path.stem, Image.open(path)) for path in files]
    bunch = load_sample_images()
    arrays += [
        (Path(name).stem, Image.fromarray(image)) for name, image in zip(bunch.filenames, bunch.images, strict=True)
    ]
    for name, image in arrays:
        small = image.convert("RGB")
        small.thumbnail((512, 512))
        yield name, np.asarray(small)


def _tiles(name: str, photograph: NDArray[np.uint8], step: int) -> list[Document]:
    """The tiles of a part of a photograph, whose label is its name."""
    tiles = []
    for y in range(0, photograph.shape[0] - SIDE + 1, step):
        for x in range(0, photograph.shape[1] - SIDE + 1, step):
            picture = Picture(SIDE, SIDE, 3, photograph[y : y + SIDE, x : x + SIDE].tobytes())
            tiles.append(Document(f"{name}-{step}-{y}-{x}", "", "", {"label": name}, picture=picture))
    return tiles


COMMANDS = (natural,)
