"""Learning from pictures: principal components, and an auto-encoder from there.

pixels ─▶ PCA, the baseline ─▶ deep auto-encoder ─▶ encoder, decoder
"""

from dataclasses import dataclass

import numpy as np
import torch

from textae.decoder import Decoder
from textae.encoder import PixelEncoder
from textae.errors import TextaeError
from textae.models.deep import DeepAutoEncoder
from textae.models.layers import BINARY, Examples, at_random
from textae.models.weights import as_array
from textae.pixels import Pixels
from textae.quantization import quantization
from textae.spec import ModelSpec, TrainSpec
from textae.train import Clock, device_of
from textae.types import Progress
from textae.vectorizer import Floats

BATCH = 128
RATE = 1e-3
"""Of Adam; falls to zero in a straight line."""


@dataclass(frozen=True)
class LearnedPictures:
    """What pictures have taught.

    Attributes:
        encoder: from pixels to codes.
        decoder: from float codes to the logits of brightness.
        errors: of pre-trained layers, before and after each pass.
        warnings: what went otherwise than it should.
    """

    encoder: PixelEncoder
    decoder: Decoder
    errors: tuple[tuple[float, ...], ...] = ()
    warnings: tuple[str, ...] = ()


def fit_pca(pixels: Pixels, dims: int) -> tuple[Floats, Floats]:
    """The principal axes of pictures, those of most variance first, and the mean picture.

    Args:
        pixels: of n pictures.
        dims: axes, of as many as there are.

    Returns:
        (n_pixels, dims) and (n_pixels,) float32, of brightness.
    """
    n_pixels = pixels.values.shape[1]
    total, products = np.zeros(n_pixels), np.zeros((n_pixels, n_pixels))
    for chunk in pixels.chunks(4_096):
        rows = chunk.brightness()
        total += rows.sum(axis=0, dtype=np.float64)
        products += rows.T @ rows
    mean = total / len(pixels)
    _, axes = np.linalg.eigh(products / len(pixels) - np.outer(mean, mean))
    return np.ascontiguousarray(axes[:, ::-1][:, :dims].astype(np.float32)), mean.astype(np.float32)


def learn_pictures(pixels: Pixels, model: ModelSpec, spec: TrainSpec, progress: Progress) -> LearnedPictures:
    """Train an auto-encoder on pictures.

    Args:
        pixels: of n pictures.
        model: the shape of the auto-encoder.
        spec: how it learns.
        progress: told of every step.

    Raises:
        TextaeError: CUDA was asked for and there is none; or learning diverged.
    """
    device = device_of(spec.device)
    every = torch.from_numpy(np.ascontiguousarray(pixels.values)).to(device)
    examples = Examples(len(every), lambda rows: every[rows.to(device)].float() / 255)
    generator = torch.Generator().manual_seed(spec.seed)
    stack = at_random((every.shape[1], *model.hidden, model.dims), BINARY, generator)
    network = DeepAutoEncoder(stack).to(device)
    passes = spec.passes if spec.passes is not None else passes_over(len(every))
    steps = passes * -(-len(every) // BATCH)
    clock = Clock(progress, steps)
    rate = RATE if spec.rate is None else spec.rate
    optimiser = torch.optim.Adam(network.parameters(), rate, fused=True)
    done = 0
    for _ in range(passes):
        for clean in examples.shuffled(BATCH, generator):
            for group in optimiser.param_groups:
                group["lr"] = rate * (1 - done / steps)
            loss = network.loss(clean, clean, model.code_l2)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            done += 1
            clock.tick()
    if not all(bool(parameter.isfinite().all()) for parameter in network.parameters()):
        raise TextaeError("learning diverged (the parameters are no longer numbers); try a smaller --rate")
    with torch.no_grad():
        codes = as_array(examples.each(network.encode))
    encoder = PixelEncoder(network.up_arrays(), quantization(codes, model.bits, spec.seed))
    return LearnedPictures(encoder, network.decoder())


def passes_over(n: int) -> int:
    """Passes over n pictures: fewer over more."""
    return int(np.clip(2_500 / n**0.5, 5, 100))
