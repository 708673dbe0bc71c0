"""Learning which pictures are alike: three things are asked of one encoder at every step.

    code = unit(W_L relu(… relu(W_1 x)))

1. Two distorted pictures of one must find each other among the batch (Chen et al., "A Simple Framework for Contrastive
   Learning of Visual Representations", ICML 2020).
2. A distorted picture must find a distorted one of its neighbours.
3. The code must tell the pixels of the picture as it was.

As with texts (`textae.training.text`), pictures that share a neighbourhood are no negatives of each other, and
neighbours, those of PCA at first, are found anew as codes get better. No label is looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from textae.config import ModelSpec, TrainSpec
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import PixelEncoder
from textae.errors import TextaeError
from textae.training.augmentation import distorted
from textae.training.corruption import CORRUPTIONS
from textae.training.itq import quantization
from textae.training.losses import contrast, known_pairs
from textae.training.neighbours import n_blocks, nearest
from textae.training.networks.contrastive_image import AlikeAutoEncoder
from textae.training.networks.init import as_array
from textae.training.networks.layers import BINARY, Examples, mismatch
from textae.training.text import Clock, rate_of
from textae.types import Progress, Shape

BATCH = 256
RATE = 1e-3
REFRESHES = 5
MOST_NEIGHBOURS = 20
"""Of a picture; fewer in a small corpus: 20 of 4,100, 10 of 1,000, 3 of 100."""
START_DIMS = 32
"""Of PCA, for neighbours."""
T_VIEW, T_NEIGHBOUR = 0.1, 0.2
W_VIEW, W_NEIGHBOUR, W_PIXELS = 0.1, 1.0, 1.0
"""Pictures push all others away, those of their own kind too, so views count little. On MNIST's training part, 10,000
pictures and 400 steps, P@100 of `code` is .930 with W_VIEW 1 and 10 neighbours, .936 with .1, and .939 with .3 and 20
neighbours. T_NEIGHBOUR .1 gives .921."""


def learn_alike(
    examples: Examples, shape: Shape, start: PixelEncoder, model: ModelSpec, spec: TrainSpec, progress: Progress
) -> tuple[PixelEncoder, Decoder]:
    """Train the auto-encoder on pictures.

    Args:
        examples: pictures, (rows, n_pixels) from 0 to 1.
        shape: height, width and channels.
        start: PCA, of which the first neighbours come.
        model: the shape of the auto-encoder.
        spec: how it learns.
        progress: told of every step.

    Raises:
        TextaeError: learning diverged.
    """
    generator = torch.Generator().manual_seed(spec.seed)
    some = examples.take(torch.arange(1))
    network = AlikeAutoEncoder(some.shape[1], model, generator).to(some.device)
    ((axes, bias),) = start.layers
    first = [torch.from_numpy(array).to(some) for array in (axes[:, :START_DIMS].copy(), bias[:START_DIMS].copy())]
    with torch.no_grad():
        linear = F.normalize(examples.each(lambda rows: torch.addmm(first[1], rows, first[0])), dim=1)
    trainer = _Trainer(examples, shape, linear, network, model, generator)
    if examples.n > 2:  # else there is nobody to tell it from, or no neighbour
        _run(trainer, spec, progress)
    network.requires_grad_(False)
    codes = as_array(examples.each(network.encode))
    return network.encoder(quantization(codes, model.bits, spec.seed)), network.decoder()


def _run(trainer: "_Trainer", spec: TrainSpec, progress: Progress) -> None:
    """All steps."""
    n = trainer.examples.n
    passes = spec.passes if spec.passes is not None else min(100, 1_750 / n**0.5)
    rate, steps = RATE if spec.rate is None else spec.rate, round(passes * n / min(BATCH, n))
    clock = Clock(progress, steps + min(steps, REFRESHES) * n_blocks(n))
    optimiser = torch.optim.Adam(trainer.network.parameters(), rate, fused=True)
    for step in range(steps):
        if step % -(-steps // REFRESHES) == 0:
            trainer.find_neighbours(first=step == 0, tick=clock.tick)
        for group in optimiser.param_groups:
            group["lr"] = rate * rate_of(step, steps)
        loss = trainer.loss()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        clock.tick()
    if not all(bool(parameter.isfinite().all()) for parameter in trainer.network.parameters()):
        raise TextaeError("learning diverged (the parameters are no longer numbers); try a smaller --rate")


@dataclass
class _Trainer:
    """What a step needs: the pictures, the network, and who is near whom.

    Attributes:
        examples: n pictures.
        shape: height, width and channels.
        linear: (n, START_DIMS), PCA, of unit length.
        network: that learns.
        model: how much de-noising hides.
        generator: on the CPU.
        near: (n, k) int64, the neighbours of each.
    """

    examples: Examples
    shape: Shape
    linear: Tensor
    network: AlikeAutoEncoder
    model: ModelSpec
    generator: torch.Generator
    near: Tensor = field(default_factory=lambda: torch.empty(0))

    def __post_init__(self) -> None:
        n = self.examples.n
        self._size, self._k = min(BATCH, n), min(MOST_NEIGHBOURS, max(1, round(n**0.5 / 3.2)))
        self._order, self._at = torch.empty(0, dtype=torch.int64), 0

    @torch.no_grad()
    def find_neighbours(self, first: bool, tick: Callable[[], None]) -> None:
        """Find the neighbours of all pictures, by PCA alone at first, and by PCA and codes later."""
        codes = self.linear if first else self.examples.each(self.network.encode)
        self.near = nearest(self.linear, codes, self._k, tick)

    def _rows(self) -> Tensor:
        """The next pictures of a shuffled pass."""
        if self._at + self._size > len(self._order):
            self._order, self._at = torch.randperm(self.examples.n, generator=self.generator), 0
        rows = self._order[self._at : self._at + self._size]
        self._at += self._size
        return rows.to(self.linear.device)

    def loss(self) -> Tensor:
        """The loss of one batch."""
        rows = self._rows()
        others = self.near[rows, torch.randint(self._k, (self._size,), generator=self.generator).to(rows.device)]
        seen, near = self.examples.take(rows), self.examples.take(others)
        code, again, near_code = self.network.encode(self._view(torch.cat([seen, seen, near]))).split(self._size)
        alike, alike_near = known_pairs(self.near[rows], rows, others)
        loss = W_VIEW * contrast(code, again, alike, T_VIEW)
        loss = loss + W_NEIGHBOUR * contrast(code, near_code, alike_near, T_NEIGHBOUR)
        told = mismatch(BINARY, self.network.decode(code), seen) / seen.shape[1]
        return loss + W_PIXELS * told

    def _view(self, clean: Tensor) -> Tensor:
        """The pictures, each distorted in its own way, and spoilt where de-noising is asked for: (n, n_pixels)."""
        pictures = clean.unflatten(1, self.shape).permute(0, 3, 1, 2)
        seen = distorted(pictures, self.generator).permute(0, 2, 3, 1).flatten(1)
        return CORRUPTIONS[self.model.corruption](seen, self.model.drop, self.generator) if self.model.drop else seen
