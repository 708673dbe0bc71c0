"""Learning of the map's coordinates: neighbours stay together, or the bottleneck of an auto-encoder gives coordinates.

    neighbours:   t-SNE (`textae.training.tsne`) lays out documents; others come to their nearest ones
                  (`textae.encoding.nearest_places`)
    autoencoder:  y = W_L s(… s(code W_1 + b_1) …) + b_L, from which a mirrored network rebuilds the code

`autoencoder` is the picture of Hinton & Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks",
Science 2006, over codes: logistic layers and a linear bottleneck of two units, trained by reconstruction alone.
"""

import numpy as np
import torch
from torch import Generator, Tensor

from textae.encoding.arrays import Floats
from textae.encoding.nearest_places import NearestPlaces
from textae.encoding.projection import Projection, first_coordinates, principal_components
from textae.training.loop import Clock, Schedule, descend, shuffled
from textae.training.networks.init import as_layers
from textae.training.networks.layers import GAUSSIAN, at_random
from textae.training.networks.stacked import DeepAutoEncoder
from textae.training.threads import one_blas_thread
from textae.training.tsne import EXAGGERATED, FREE, NEIGHBOURS, affinities, layout
from textae.types import Progress

_SHAKEN = 0.01  # by chance, of the spread where t-SNE starts: a seed gives a map of its own
_WARM_UP = 20  # steps
_BLOCK = 1_024

_HIDDEN = (250, 125)
_DEEP_EPOCHS, _DEEP_BATCH, _DEEP_LEARNING_RATE = 40, 256, 3e-3
"""Of `autoencoder`."""


@one_blas_thread()
def learn_neighbours(codes: Floats, seed: int, progress: Progress) -> NearestPlaces:
    """Places that keep neighbours together.

    Args:
        codes: (n, dims), n at least 1.
        seed: of all random numbers.
        progress: called after every step.
    """
    centred = torch.from_numpy(codes - codes.mean(axis=0))
    near, squares = nearest(centred, min(NEIGHBOURS, len(codes) - 1), progress)
    if not squares.any():  # all codes are equal
        return NearestPlaces.of(codes, np.zeros((len(codes), 2), np.float32))
    start = principal_components(codes).coordinates(codes)
    start += np.random.default_rng(seed).normal(0, _SHAKEN * start.std(), start.shape).astype(np.float32)
    clock = Clock(progress, EXAGGERATED + FREE, "laying out")
    coordinates = layout(affinities(near.numpy(), squares.numpy()), start, clock.tick)
    return NearestPlaces.of(codes, coordinates / max(float(coordinates.std()), 1e-30))  # two documents are very close


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
        return first_coordinates(dims).fitted_to_square(codes)
    mean, scale = codes.mean(axis=0), max(float(codes.std(axis=0).mean()), 1e-6)
    examples, generator = torch.from_numpy((codes - mean) / scale), Generator().manual_seed(seed)
    network = DeepAutoEncoder(at_random((dims, *_HIDDEN, 2), GAUSSIAN, generator))
    steps = _DEEP_EPOCHS * -(-n // _DEEP_BATCH)
    schedule, clock = Schedule(steps, warm_up=_WARM_UP / steps), Clock(progress, steps, "learning the map")
    batches, groups = shuffled(n, _DEEP_BATCH, generator), [(network.parameters(), _DEEP_LEARNING_RATE)]
    descend(lambda rows: network.loss(examples[rows], examples[rows], 0.0), batches, groups, schedule, clock.tick)
    (weight, bias), *others = as_layers(network.up_weights, network.up_biases)
    weight /= np.float32(scale)  # of raw codes
    return Projection(((weight, bias - mean @ weight), *others)).fitted_to_square(codes)
