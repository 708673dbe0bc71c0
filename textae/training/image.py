"""Learning from pictures: principal components, and an auto-encoder of one of three kinds.

pixels ─▶ PCA, the baseline ─┬─▶ textae's own, that knows distorted pictures again    (textae.training.contrastive)
                             ├─▶ a deep stack, as published                           (textae.training.stacked)
                             └─▶ a convolutional one                                  (textae.training.networks.conv)
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import eigh

from textae.config import LSA, NONE, ModelSpec, TrainSpec
from textae.encoding.arrays import Floats
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import PixelEncoder, Quantization
from textae.encoding.pixels import Pixels
from textae.errors import TextaeError
from textae.training.contrastive import learn_alike
from textae.training.corruption import CORRUPTIONS
from textae.training.itq import quantization
from textae.training.networks.conv import ConvAutoEncoder
from textae.training.networks.init import as_array
from textae.training.networks.layers import BINARY, Examples, mismatch
from textae.training.stacked import BATCH, StackedTraining, descend
from textae.training.text import Clock, device_of
from textae.types import Progress, Shape

MOST_PASSES, LEAST_PASSES = 200, 20
"""Of fine-tuning a deep stack: 158 over 1,000 pictures, 50 over 10,000, 20 over 60,000."""
BEFORE = 6
"""So many passes of fine-tuning for each one of pre-training a layer."""
CONVOLVED, LEAST_CONVOLVED = 300_000, 5
"""Pictures that a convolutional network sees, in at least so many passes; and at most in as many as a deep stack."""
CONVOLUTION_RATE = 1e-3


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
    covariance = products / len(pixels) - np.outer(mean, mean)
    _, axes = eigh(covariance, subset_by_index=[max(0, n_pixels - dims), n_pixels - 1])  # all take five times as long
    return np.ascontiguousarray(axes[:, ::-1].astype(np.float32)), mean.astype(np.float32)


def learn_pictures(
    pixels: Pixels, shape: Shape, start: PixelEncoder, model: ModelSpec, spec: TrainSpec, progress: Progress
) -> LearnedPictures:
    """Train an auto-encoder on pictures.

    Args:
        pixels: of n pictures.
        shape: height, width and channels.
        start: their PCA.
        model: the shape of the auto-encoder.
        spec: how it learns.
        progress: told of every step.

    Raises:
        TextaeError: CUDA was asked for and there is none; the pictures are too small for so many convolutions; or
            learning diverged.
    """
    every = torch.from_numpy(np.ascontiguousarray(pixels.values)).to(device_of(spec.device))
    examples = Examples(len(every), lambda rows: every[rows.to(every.device)].float() / 255)
    if spec.pretrain == LSA:
        encoder, decoder = learn_alike(examples, shape, start, model, spec, progress)
        return LearnedPictures(encoder, decoder)
    learn = _stack if model.unpool == NONE else _convolutional
    return learn(examples, shape, model, spec, progress)


def _stack(examples: Examples, shape: Shape, model: ModelSpec, spec: TrainSpec, progress: Progress) -> LearnedPictures:
    passes = spec.passes
    if passes is None:
        passes = int(np.clip(5_000 / examples.n**0.5, LEAST_PASSES, MOST_PASSES))
    course = StackedTraining(examples, BINARY, model, spec, (-(-passes // BEFORE), passes), 1.0, progress)
    network = course.learned()
    if model.rounded:
        half = np.full(model.dims, 0.5, np.float32)
        planes = Quantization(half, np.eye(model.dims, dtype=np.float32))
    else:
        planes = quantization(as_array(examples.each(network.encode)), model.bits, spec.seed)
    return LearnedPictures(network.pixel_encoder(planes), network.decoder(), course.errors)


def _convolutional(
    examples: Examples, shape: Shape, model: ModelSpec, spec: TrainSpec, progress: Progress
) -> LearnedPictures:
    """Rebuild pictures, or de-noise them, by convolution and back."""
    height, width, channels = shape
    if min(height, width) < 2 ** len(model.hidden):
        raise TextaeError(
            f"pictures of {width} × {height} cannot be halved {len(model.hidden)} times; "
            "give --hidden of fewer convolutions"
        )
    generator = torch.Generator().manual_seed(spec.seed)
    network = ConvAutoEncoder((channels, height, width), model.hidden, model.dims, model.unpool, generator)
    network.to(examples.take(torch.arange(1)).device)

    def as_pictures(rows: torch.Tensor) -> torch.Tensor:
        pictures: torch.Tensor = rows.unflatten(1, (height, width, channels))
        return pictures.permute(0, 3, 1, 2)

    def loss_of(clean: torch.Tensor) -> torch.Tensor:
        spoilt = CORRUPTIONS[model.corruption](clean, model.drop, generator)
        codes, remembered = network.encode(as_pictures(spoilt))
        told = network.decode(codes, remembered if network.remembers else ())
        return mismatch(BINARY, told.permute(0, 2, 3, 1).flatten(1), clean) + model.code_l2 * (
            codes.square().sum(dim=1).mean()
        )

    passes = spec.passes
    if passes is None:
        passes = int(np.clip(CONVOLVED / examples.n, LEAST_CONVOLVED, MOST_PASSES))
    clock = Clock(progress, passes * -(-examples.n // BATCH))
    rate = CONVOLUTION_RATE if spec.rate is None else spec.rate
    descend(network, examples, loss_of, passes, rate, generator, clock.tick)
    network.requires_grad_(False)
    codes = as_array(examples.each(lambda rows: network.encode(as_pictures(rows))[0]))
    return LearnedPictures(network.encoder(quantization(codes, model.bits, spec.seed)), network.decoder())
