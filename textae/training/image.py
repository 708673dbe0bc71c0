"""Training on pictures: principal components, and an auto-encoder of one of three kinds.

pixels ─▶ PCA, the baseline ─┬─▶ the contrastive auto-encoder of textae           (textae.training.networks.contrastive)
                             ├─▶ a deep stack, as published                       (textae.training.stacked)
                             └─▶ a convolutional one                              (textae.training.networks.conv)

Contrastive learning has three losses at every step:

1. Two distorted views of a picture must find each other among the batch (Chen et al., "A Simple Framework for
   Contrastive Learning of Visual Representations", ICML 2020).
2. A distorted view of a picture must find a distorted view of one of its neighbours.
3. The code of a view must reconstruct the undistorted picture.

As with texts (`textae.training.text`), pictures of one neighbourhood are excluded as negatives. The first neighbours
are those of PCA; later searches use the codes too. Training uses no label.
"""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.linalg import eigh
from torch import Generator, Tensor

from textae.config import LSA, NONE, ModelSpec, TrainSpec
from textae.encoding.arrays import Floats
from textae.encoding.encoders import PixelEncoder, Quantization
from textae.encoding.pixels import Pixels
from textae.errors import TextaeError
from textae.training import stacked
from textae.training.augmentation import distorted
from textae.training.corruption import CORRUPTIONS
from textae.training.itq import quantization
from textae.training.loop import Clock, Schedule, descend, device_of, shuffled
from textae.training.losses import contrast, mixed_precision
from textae.training.neighbours import Neighbours
from textae.training.networks.contrastive import ContrastiveAutoEncoder
from textae.training.networks.conv import ConvAutoEncoder
from textae.training.networks.init import as_array
from textae.training.networks.layers import BINARY, Examples, mismatch
from textae.training.text import SEARCHES, WARM_UP, Learned
from textae.training.threads import one_blas_thread
from textae.types import Progress, Shape

LEARNING_RATE = 1e-3
"""Of contrastive and of convolutional auto-encoders."""

BATCH = 256
MOST_NEIGHBOURS = 20
"""Of a picture; fewer in a small corpus: 20 of 4,100, 10 of 1,000, 3 of 100."""
START_DIMS = 32
"""Of PCA, for neighbours."""
T_VIEW, T_NEIGHBOUR = 0.1, 0.2
W_VIEW, W_NEIGHBOUR, W_PIXELS = 0.1, 1.0, 1.0
"""Views repel all other pictures, those of the same class too, so their weight is small. On MNIST's training part,
10,000 pictures and 400 steps, P@100 of `code` is .930 with W_VIEW 1 and 10 neighbours, .936 with .1, and .939 with .3
and 20 neighbours. T_NEIGHBOUR .1 gives .921."""

MOST_EPOCHS, LEAST_EPOCHS = 200, 20
"""Of fine-tuning a deep stack: 158 over 1,000 pictures, 50 over 10,000, 20 over 60,000."""
FINE_TUNING = 6
"""Epochs of fine-tuning for one epoch of pre-training a layer."""
CONVOLVED, LEAST_CONVOLVED = 300_000, 5
"""Pictures of all epochs of a convolutional network, and its minimum of epochs; the maximum is that of a deep stack."""


@one_blas_thread()
def fit_pca(pixels: Pixels, dims: int) -> tuple[Floats, Floats]:
    """The principal axes of pictures, by falling variance, and the mean picture.

    Args:
        pixels: of n pictures.
        dims: maximum number of axes.

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


@one_blas_thread()
def learn_pictures(
    pixels: Pixels, shape: Shape, start: PixelEncoder, model: ModelSpec, spec: TrainSpec, progress: Progress
) -> Learned[PixelEncoder]:
    """Train an auto-encoder on pictures.

    Args:
        pixels: of n pictures.
        shape: height, width and channels.
        start: their PCA.
        model: shape of the auto-encoder.
        spec: settings of the training.
        progress: called after every step.

    Raises:
        TextaeError: there is no CUDA device; the pictures are too small for the convolutions; or training diverged.
    """
    every = torch.from_numpy(np.ascontiguousarray(pixels.values)).to(device_of(spec.device))
    examples = Examples(len(every), lambda rows: every[rows.to(every.device)].float() / 255)
    if spec.pretrain == LSA:
        return _contrastive(examples, shape, start, model, spec, progress)
    if model.unpool != NONE:
        return _convolutional(examples, shape, model, spec, progress)
    epochs = int(np.clip(5_000 / examples.n**0.5, LEAST_EPOCHS, MOST_EPOCHS)) if spec.epochs is None else spec.epochs
    network, errors = stacked.train_stack(examples, model, spec, (-(-epochs // FINE_TUNING), epochs), progress)
    if model.rounded:
        planes = Quantization(np.full(model.dims, 0.5, np.float32), np.eye(model.dims, dtype=np.float32))
    else:
        planes = quantization(as_array(examples.each(network.encode)), model.bits, spec.seed)
    return Learned(network.pixel_encoder(planes), network.decoder(), errors)


def _as_pictures(rows: Tensor, shape: Shape) -> Tensor:
    """(n, height · width · channels) to (n, channels, height, width)."""
    return rows.view(-1, *shape).permute(0, 3, 1, 2)


def _contrastive(
    examples: Examples, shape: Shape, start: PixelEncoder, model: ModelSpec, spec: TrainSpec, progress: Progress
) -> Learned[PixelEncoder]:
    """Train the contrastive auto-encoder."""
    n, one = examples.n, examples.take(torch.arange(1))
    generator = Generator(one.device).manual_seed(spec.seed)
    network = ContrastiveAutoEncoder(one.shape[1], model, generator).to(one.device)
    ((axes, bias),) = start.layers
    first, shift = (torch.from_numpy(some.copy()).to(one) for some in (axes[:, :START_DIMS], bias[:START_DIMS]))
    with torch.no_grad():
        linear = F.normalize(examples.each(lambda rows: torch.addmm(shift, rows, first)), dim=1)  # (n, START_DIMS)
    size = min(BATCH, n)
    epochs = spec.epochs if spec.epochs is not None else min(100, 1_750 / n**0.5)
    steps, rate = round(epochs * n / size), spec.learning_rate or LEARNING_RATE
    schedule = Schedule(steps, max(1, -(-steps // SEARCHES)), WARM_UP)
    neighbours = Neighbours(linear, MOST_NEIGHBOURS)
    clock = Clock(progress, steps + schedule.checkpoints * neighbours.n_blocks)

    @torch.no_grad()
    def checkpoint() -> None:
        neighbours.search(linear if neighbours.near is None else examples.each(network.encode), clock.tick)

    def loss_of(rows: Tensor) -> Tensor:
        others, alike, alike_near = neighbours.draw(rows, generator)
        clean, near = examples.take(rows), examples.take(others)  # (size, n_pixels)
        views = distorted(_as_pictures(torch.cat([clean, clean, near]), shape), generator)
        views = views.permute(0, 2, 3, 1).flatten(1)  # (3 size, n_pixels)
        if model.dropout:
            views = CORRUPTIONS[model.corruption](views, model.dropout, generator)
        code, again, near_code = network.encode(views).split(size)  # (size, dims) each
        loss = W_VIEW * contrast(code, again, alike, T_VIEW)
        loss = loss + W_NEIGHBOUR * contrast(code, near_code, alike_near, T_NEIGHBOUR)
        return loss + W_PIXELS * (mismatch(BINARY, network.decode(code), clean) / clean.shape[1])

    if n > 2:  # else a picture has no neighbour, or no negative
        batches = shuffled(n, size, generator, drop_last=True)
        loss = mixed_precision(one.device)(loss_of)
        descend(loss, batches, [(network.parameters(), rate)], schedule, clock.tick, checkpoint)
    network.requires_grad_(False)
    codes = as_array(examples.each(network.encode))
    return Learned(network.encoder(quantization(codes, model.bits, spec.seed)), network.decoder())


def _convolutional(
    examples: Examples, shape: Shape, model: ModelSpec, spec: TrainSpec, progress: Progress
) -> Learned[PixelEncoder]:
    """Train the convolutional auto-encoder, which rebuilds pictures, or de-noises them."""
    height, width, channels = shape
    if min(height, width) < 2 ** len(model.hidden):
        raise TextaeError(
            f"pictures of {width} × {height} cannot be halved {len(model.hidden)} times; "
            "give --hidden of fewer convolutions"
        )
    generator = Generator(examples.take(torch.arange(1)).device).manual_seed(spec.seed)
    network = ConvAutoEncoder((channels, height, width), model.hidden, model.dims, model.unpool, generator)
    network.to(generator.device)

    def loss_of(rows: Tensor) -> Tensor:
        clean = examples.take(rows)  # (batch, n_pixels)
        noisy = CORRUPTIONS[model.corruption](clean, model.dropout, generator)
        codes, logits = network(_as_pictures(noisy, shape))  # (batch, dims), (batch, channels, height, width)
        error = mismatch(BINARY, logits.permute(0, 2, 3, 1).flatten(1), clean)
        loss: Tensor = error + model.code_l2 * codes.square().sum(dim=1).mean()
        return loss

    epochs = int(np.clip(CONVOLVED / examples.n, LEAST_CONVOLVED, MOST_EPOCHS)) if spec.epochs is None else spec.epochs
    rate = spec.learning_rate or LEARNING_RATE
    steps, batches = epochs * -(-examples.n // stacked.BATCH), shuffled(examples.n, stacked.BATCH, generator)
    descend(loss_of, batches, [(network.parameters(), rate)], Schedule(steps), Clock(progress, steps).tick)
    network.requires_grad_(False)
    codes = as_array(examples.each(lambda rows: network.encode(_as_pictures(rows, shape))[0]))
    return Learned(network.encoder(quantization(codes, model.bits, spec.seed)), network.decoder())
