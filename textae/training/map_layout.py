"""Training of the map's projection: neighbours stay together, or the bottleneck of an auto-encoder gives coordinates.

    neighbours:   y = Σ_j s_j (y_j + A_j V code)      s = softmax(code W + b): similarity of a code to some documents
                                                      y_j: their coordinates; A_j: the slope around them
    autoencoder:  y = W_L s(… s(code W_1 + b_1) …) + b_L, from which a mirrored network rebuilds the code

For `neighbours`, t-SNE lays out a sample of documents (`textae.training.tsne`). Then a network of radial basis
functions learns to predict coordinates from codes (Moody & Darken, "Fast Learning in Networks of Locally-Tuned
Processing Units", Neural Computation 1989). Each hidden unit starts as a document: the exponent -|code - c|² is written
as a product, and its output is the document's coordinates. Slopes keep the codes near one unit apart: without them the
median distance of 6,000 abstracts to the nearest other one was a third of the layout's. By construction such a network
places new documents among their neighbours, and training improves on that. A network of relu layers learned the same
coordinates as well, but not for new documents: of 3,000 new arXiv abstracts among the labels of 9,000 others, it placed
.22 right at best; these units place .38, and the code itself .45.

`autoencoder` is the picture of Hinton & Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks",
Science 2006, over codes: logistic layers and a linear bottleneck of two units, trained by reconstruction alone.
"""

import numpy as np
import torch
from torch import Generator, Tensor

from textae.encoding.arrays import Floats
from textae.encoding.projection import LOGISTIC, SOFTMAX, Projection, Slopes, first_coordinates, principal_components
from textae.training.loop import Clock, Schedule, descend, shuffled
from textae.training.networks.init import as_array, as_layers
from textae.training.networks.layers import GAUSSIAN, at_random
from textae.training.networks.stacked import DeepAutoEncoder
from textae.training.threads import one_blas_thread
from textae.training.tsne import EXAGGERATED, FREE, layout
from textae.types import Progress

NEIGHBOURS = 15
"""Of each document."""

UNITS = 2_048
"""Hidden units of `neighbours`, at most: 1,024 give labels .01 less accuracy, more take longer."""

_AXES = 32
"""Principal axes of codes along which coordinates have a slope. 64 give no more accuracy, all take a third longer."""

_WIDTH = 0.03  # σ², of the mean squared distance to neighbours
_NOISE = 0.6  # its length, relative to the root of that mean
_SOFT = 0.1  # errors below it count by their square, in standard deviations of the coordinates
_WARM_UP = 20  # steps
_EPOCHS, _BATCH, _LEARNING_RATE = 10, 512, 5e-3
_BLOCK = 1_024

_HIDDEN = (250, 125)
_DEEP_EPOCHS, _DEEP_BATCH, _DEEP_LEARNING_RATE = 40, 256, 3e-3
"""Of `autoencoder`."""


@one_blas_thread()
def learn_neighbours(codes: Floats, seed: int, progress: Progress) -> Projection:
    """The projection that keeps neighbours together.

    Args:
        codes: (n, dims), n at least 1.
        seed: of all random numbers.
        progress: called after every step.
    """
    n, mean = len(codes), codes.mean(axis=0)
    centred = torch.from_numpy(codes - mean)
    near, squares = nearest(centred, min(NEIGHBOURS, n - 1), progress)
    if not squares.any():  # all codes are equal
        return principal_components(codes)
    clock = Clock(progress, EXAGGERATED + FREE, "laying out")
    start = principal_components(codes).coordinates(codes)
    coordinates = torch.from_numpy(layout(near.numpy(), start, clock.tick))  # (n, 2)
    coordinates = coordinates / coordinates.std()
    scale = float(squares.mean()) ** 0.5
    examples, generator = centred / scale, Generator().manual_seed(seed)  # neighbours are 1 apart

    chosen = torch.randperm(n, generator=generator)[:UNITS]
    centres = examples[chosen]
    weight = torch.nn.Parameter(centres.T.contiguous() / _WIDTH)  # (dims, n_units)
    bias = torch.nn.Parameter(-centres.square().sum(dim=1) / (2 * _WIDTH))  # (n_units,)
    outputs = torch.nn.Parameter(coordinates[chosen])  # (n_units, 2)
    axes = torch.linalg.eigh(examples.T @ examples)[1].flip(1)[:, :_AXES].contiguous()  # (dims, n_axes)
    slopes = torch.nn.Parameter(torch.zeros(len(chosen), 2 * axes.shape[1]))  # (n_units, 2 n_axes)

    def loss_of(rows: Tensor) -> Tensor:
        """The distance of predicted coordinates; noise on the codes teaches the space between them."""
        clean = examples[rows]  # (batch, dims)
        noise = torch.randn(clean.shape, generator=generator) * (_NOISE / clean.shape[1] ** 0.5)
        noisy = clean + noise
        shares = torch.softmax(torch.addmm(bias, noisy, weight), dim=1)  # (batch, n_units)
        slope = (shares @ slopes).view(len(rows), 2, -1)  # (batch, 2, n_axes)
        predicted = shares @ outputs + (slope * (noisy @ axes)[:, None]).sum(dim=2)  # (batch, 2)
        errors = (predicted - coordinates[rows]).square().sum(dim=1)
        return torch.sqrt(errors + _SOFT**2).mean()

    steps = _EPOCHS * -(-n // _BATCH)
    small = _LEARNING_RATE / _WIDTH  # the first layer is divided by the width
    groups = [([weight], small), ([bias], small), ([outputs], _LEARNING_RATE), ([slopes], _LEARNING_RATE)]
    schedule, clock = Schedule(steps, warm_up=_WARM_UP / steps), Clock(progress, steps, "learning the map")
    descend(loss_of, shuffled(n, _BATCH, generator), groups, schedule, clock.tick)

    raw_axes, raw_slopes = axes.numpy() / np.float32(scale), as_array(slopes)
    at_mean = (raw_slopes.reshape(len(raw_slopes), 2, -1) * (mean @ raw_axes)).sum(axis=2)  # (n_units, 2)
    last = as_array(outputs) - at_mean, np.zeros(2, np.float32)
    first = _of_raw(mean, scale, as_array(weight), as_array(bias))
    return Projection((first, last), SOFTMAX, Slopes(raw_axes, raw_slopes))


def _of_raw(mean: Floats, scale: float, weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """The first layer for raw codes, given the layer for (code - mean) / scale."""
    scaled = weight / np.float32(scale)
    return scaled, bias - mean @ scaled


def nearest(codes: Tensor, k: int, progress: Progress) -> tuple[Tensor, Tensor]:
    """The k nearest other codes of each by Euclidean distance, which orders codes of unit length as the cosine does.

    Args:
        codes: (n, dims).
        k: less than n.
        progress: called after every block of rows.

    Returns:
        Their numbers, (n, k) int64, nearest first, and squared distances.
    """
    n, squares = len(codes), codes.square().sum(dim=1)
    near, distances = torch.empty(n, k, dtype=torch.int64), torch.empty(n, k)
    clock = Clock(progress, -(-n // _BLOCK), "finding neighbours")
    for rows in torch.arange(n).split(_BLOCK):
        closeness = torch.addmm(-squares[None], codes[rows], codes.T, alpha=2)  # (block, n)
        closeness[torch.arange(len(rows)), rows] = -torch.inf
        best = torch.topk(closeness, k, dim=1)
        near[rows], distances[rows] = best.indices, (squares[rows, None] - best.values).clamp(min=0)
        clock.tick()
    return near, distances


@one_blas_thread()
def learn_autoencoder(codes: Floats, seed: int, progress: Progress) -> Projection:
    """The encoder of an auto-encoder with a bottleneck of two units; codes of two numbers are coordinates already.

    Args:
        codes: (n, dims), n at least 1.
        seed: of all random numbers.
        progress: called after every step.
    """
    n, dims = codes.shape
    if dims == 2:
        return first_coordinates(dims)
    mean, scale = codes.mean(axis=0), max(float(codes.std(axis=0).mean()), 1e-6)
    examples, generator = torch.from_numpy((codes - mean) / scale), Generator().manual_seed(seed)
    network = DeepAutoEncoder(at_random((dims, *_HIDDEN, 2), GAUSSIAN, generator))
    steps = _DEEP_EPOCHS * -(-n // _DEEP_BATCH)
    schedule, clock = Schedule(steps, warm_up=_WARM_UP / steps), Clock(progress, steps, "learning the map")
    batches, groups = shuffled(n, _DEEP_BATCH, generator), [(network.parameters(), _DEEP_LEARNING_RATE)]
    descend(lambda rows: network.loss(examples[rows], examples[rows], 0.0), batches, groups, schedule, clock.tick)
    (weight, bias), *others = as_layers(network.up_weights, network.up_biases)
    return Projection((_of_raw(mean, scale, weight, bias), *others), LOGISTIC)
