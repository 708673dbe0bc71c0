"""How codes come to the plane is learned: so that neighbours stay together, or by the bottleneck of an auto-encoder.

    neighbours:   place = Σ_j s_j (y_j + A_j V code)   s = softmax(code W + b): how near a code is to some documents'
                                                      y_j: where these are; A_j: how places lean with codes around them
    autoencoder:  place = W_L s(… s(code W_1 + b_1) …) + b_L, that a mirror image of it makes the code of again

First t-SNE lays a sample of documents out, freely (`textae.training.tsne`). Then a network of radial basis functions
learns to say where a code is (Moody & Darken, "Fast Learning in Networks of Locally-Tuned Processing Units", Neural
Computation 1989): each hidden unit is at first a document, with |code - c|² of the exponent written as a product, and
answers by its own place, leaning with the code (without that, what is near one unit alone would be stacked on its
place: of 6,000 abstracts the median distance to the nearest one was a third of the layout's). Such a network places new
documents among their neighbours by construction, and learning only improves on it. (A network of relu layers learned
the same places as well, and put new ones elsewhere: of 3,000 abstracts from arXiv with 9,000 others' labels around
them, .22 at best were told right where these units give .38, the code itself .45.)

`autoencoder` is the picture of Hinton & Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks",
Science 2006, over codes: logistic layers and a linear bottleneck of two units, taught by reconstruction alone.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from textae.encoding.arrays import Floats
from textae.encoding.projection import LOGISTIC, SOFTMAX, Projection, Slopes, first_coordinates, principal_components
from textae.training.networks.init import as_array
from textae.training.networks.layers import GAUSSIAN, at_random
from textae.training.networks.stacked import DeepAutoEncoder
from textae.training.tsne import EXAGGERATED, FREE, layout
from textae.types import Progress

NEIGHBOURS = 15
"""Of each document, that stay together."""

UNITS = 2_048
"""Hidden units of `neighbours`, at most: with 1,024 labels are told by .01 less often, with more a map takes longer."""

_AXES = 32
"""Principal axes of codes along which places lean. With 64 no more is told, with all a third takes longer."""

_WIDTH = 0.03  # σ², of the mean squared distance to neighbours
_NOISE = 0.6  # its length, of the root of that
_RATE = 5e-3
_PASSES, _BATCH = 10, 512
_SOFT = 0.1  # distance below which a miss counts by its square, of the standard deviation of places
_WARM_UP = 20  # steps
_BLOCK = 1_024

_HIDDEN = (250, 125)
_DEEP_PASSES, _DEEP_BATCH, _DEEP_RATE = 40, 256, 3e-3
"""Of `autoencoder`."""


def learn_neighbours(codes: Floats, seed: int, progress: Progress) -> Projection:
    """The projection that keeps neighbours together.

    Args:
        codes: (n, dims), n at least 1.
        seed: of what is drawn at random.
        progress: told of every step.
    """
    mean = codes.mean(axis=0)
    centred = torch.from_numpy(codes - mean)
    near, squares = nearest(centred, min(NEIGHBOURS, len(codes) - 1), progress)
    if not squares.any():  # one document, or as good as one
        return principal_components(codes)
    tick = _count(progress, "laying out", EXAGGERATED + FREE)
    places = torch.from_numpy(layout(near.numpy(), principal_components(codes).coordinates(codes), tick))
    scale = float(squares.mean()) ** 0.5
    units = _Units(centred / scale, places / places.std(), seed)
    units.learn(progress)
    axes, slopes = units.axes.numpy() / np.float32(scale), as_array(units.slopes)
    leaned = (slopes.reshape(len(slopes), 2, -1) * (mean @ axes)).sum(axis=2)  # of the mean code, around each unit
    answers = as_array(units.answers) - leaned, np.zeros(2, np.float32)
    return Projection((_of_raw(mean, scale, units.weight, units.bias), answers), SOFTMAX, Slopes(axes, slopes))


def _of_raw(mean: Floats, scale: float, weight: Tensor, bias: Tensor) -> tuple[Floats, Floats]:
    """A first layer for codes as they are, of one that reads (code - mean) / scale."""
    scaled = as_array(weight) / np.float32(scale)
    return scaled, as_array(bias) - mean @ scaled


def nearest(codes: Tensor, k: int, progress: Progress) -> tuple[Tensor, Tensor]:
    """The k nearest other codes of each by Euclid's distance, which orders codes of unit length as the cosine does.

    Args:
        codes: (n, dims).
        k: below n.
        progress: told of every block of rows.

    Returns:
        Their places, (n, k) int64, the nearest first, and squared distances.
    """
    n, squares = len(codes), codes.square().sum(dim=1)
    found, apart = torch.empty(n, k, dtype=torch.int64), torch.empty(n, k)
    tick = _count(progress, "finding neighbours", -(-n // _BLOCK))
    for rows in torch.arange(n).split(_BLOCK):
        likeness = torch.addmm(-squares[None], codes[rows], codes.T, alpha=2)  # (block, n)
        likeness[torch.arange(len(rows)), rows] = -torch.inf
        best = torch.topk(likeness, k, dim=1)
        found[rows], apart[rows] = best.indices, (squares[rows, None] - best.values).clamp(min=0)
        tick()
    return found, apart


class _Units:
    """A network of radial basis functions on its way.

    Args:
        codes: (n, dims), around 0, and scaled so that neighbours are 1 apart.
        places: (n, 2) of the layout, of standard deviation 1.
        seed: of the documents that units begin as, the noise and the order.
    """

    def __init__(self, codes: Tensor, places: Tensor, seed: int) -> None:
        self.codes, self.places = codes, places
        self.generator = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(len(codes), generator=self.generator)[:UNITS]
        centres = codes[chosen]
        self.weight = torch.nn.Parameter(centres.T.contiguous() / _WIDTH)
        self.bias = torch.nn.Parameter(-centres.square().sum(dim=1) / (2 * _WIDTH))
        self.answers = torch.nn.Parameter(places[chosen])
        self.axes = torch.linalg.eigh(codes.T @ codes)[1].flip(1)[:, :_AXES].contiguous()
        self.slopes = torch.nn.Parameter(torch.zeros(len(chosen), 2 * self.axes.shape[1]))

    def place(self, codes: Tensor) -> Tensor:
        """Where codes are: (n, dims) to (n, 2)."""
        shares = torch.softmax(torch.addmm(self.bias, codes, self.weight), dim=1)  # (n, units)
        leaning = (shares @ self.slopes).view(len(codes), 2, -1)  # (n, 2, axes)
        places: Tensor = shares @ self.answers + (leaning * (codes @ self.axes)[:, None]).sum(dim=2)
        return places

    def learn(self, progress: Progress) -> None:
        """Teach the units where the documents are."""
        rates = {self.weight: _RATE / _WIDTH, self.bias: _RATE / _WIDTH, self.answers: _RATE, self.slopes: _RATE}
        _descend(rates, len(self.codes), _Course(_PASSES, _BATCH), self.loss, self.generator, progress)

    def loss(self, rows: Tensor) -> Tensor:
        """How far from their places documents are put, their codes shaken: what lies between codes is learned too."""
        clean = self.codes[rows]
        noise = torch.randn(clean.shape, generator=self.generator) * (_NOISE / clean.shape[1] ** 0.5)
        misses = (self.place(clean + noise) - self.places[rows]).square().sum(dim=1)
        return torch.sqrt(misses + _SOFT**2).mean()


def learn_autoencoder(codes: Floats, seed: int, progress: Progress) -> Projection:
    """The encoder of an auto-encoder with a bottleneck of two units; codes of two numbers are places as they are.

    Args:
        codes: (n, dims), n at least 1.
        seed: of what is drawn at random.
        progress: told of every step.
    """
    dims = codes.shape[1]
    if dims == 2:
        return first_coordinates(dims)
    mean, scale = codes.mean(axis=0), max(float(codes.std(axis=0).mean()), 1e-6)
    examples, generator = torch.from_numpy((codes - mean) / scale), torch.Generator().manual_seed(seed)
    network = DeepAutoEncoder(at_random((dims, *_HIDDEN, 2), GAUSSIAN, generator))

    def loss(rows: Tensor) -> Tensor:
        return network.loss(examples[rows], examples[rows], code_l2=0.0)

    rates = dict.fromkeys(network.parameters(), _DEEP_RATE)
    _descend(rates, len(codes), _Course(_DEEP_PASSES, _DEEP_BATCH), loss, generator, progress)
    layers = [*zip(network.up_weights, network.up_biases, strict=True)]
    min_score = [(as_array(weight), as_array(bias)) for weight, bias in layers[1:]]
    return Projection((_of_raw(mean, scale, *layers[0]), *min_score), LOGISTIC)


@dataclass(frozen=True)
class _Course:
    """How long is learned: passes over the documents, so many at a time."""

    passes: int
    batch: int


def _descend(
    rates: dict[torch.nn.Parameter, float],
    n: int,
    course: _Course,
    loss_of: Callable[[Tensor], Tensor],
    generator: torch.Generator,
    progress: Progress,
) -> None:
    """Lessen a loss by Adam, the rates of which rise in the first steps and then fall to 0.

    Args:
        rates: of all that is learned.
        n: examples.
        course: how long.
        loss_of: some of them.
        generator: of their order.
        progress: told of every step.
    """
    optimiser = torch.optim.Adam([{"params": [one], "rate": rate} for one, rate in rates.items()], fused=True)
    steps = course.passes * -(-n // course.batch)
    tick, done = _count(progress, "learning the map", steps), 0
    for _ in range(course.passes):
        for rows in torch.randperm(n, generator=generator).split(course.batch):
            for group in optimiser.param_groups:
                group["lr"] = group["rate"] * min(1.0, (done + 1) / _WARM_UP) * (1 - done / steps)
            loss = loss_of(rows)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            done += 1
            tick()


def _count(progress: Progress, stage: str, total: int) -> Callable[[], None]:
    """What tells of one more step done."""
    done = itertools.count(1)
    return lambda: progress(stage, next(done), total)
