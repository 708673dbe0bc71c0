"""What a few labels teach of pictures: our network, which all pictures taught without labels, beside one of no past.

Both are the same layers with a soft-max on top, fine-tuned by the same steps of the same labelled pictures, distorted
as in learning. Beside them the labels fit the soft-max layer alone.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from textae.config import ModelSpec
from textae.encoding.encoders import PixelEncoder
from textae.encoding.pixels import Pixels
from textae.training.augmentation import distorted
from textae.training.networks.contrastive import ContrastiveAutoEncoder

STEPS, BATCH, RATE, SCALE = 300, 128, 5e-4, 16.0
"""SCALE: of the cosines that the soft-max is given."""


def accuracies(
    encoder: PixelEncoder,
    pixels: Pixels,
    labels: NDArray[np.int64],
    asked: Pixels,
    right: NDArray[np.int64],
    seed: int,
) -> dict[str, float]:
    """The accuracy on the pictures that ask, with and without what was learned before.

    Args:
        encoder: that all pictures have taught.
        pixels: with labels.
        labels: 0 to 9.
        asked: pictures.
        right: their labels.
        seed: of the network that knows nothing, and of the order of the pictures.
    """
    hidden = tuple(len(bias) for _, bias in encoder.layers[:-1])
    sizes = ModelSpec(encoder.dims, hidden=hidden)
    found = {}
    for name in ("fine-tuned", "without pre-training"):
        generator = torch.Generator().manual_seed(seed)
        network = ContrastiveAutoEncoder(pixels.values.shape[1], sizes, generator)
        if name == "fine-tuned":
            begin(network, encoder)
        last = nn.Parameter(torch.zeros(encoder.dims, 10))
        tune(network, last, torch.from_numpy(pixels.brightness()), torch.from_numpy(labels), generator)
        with torch.no_grad():
            told = torch.cat([network.encode(torch.from_numpy(c.brightness())) @ last for c in asked.chunks(2_000)])
        found[name] = float((told.argmax(dim=1).numpy() == right).mean())
    return found


@torch.no_grad()
def begin(network: ContrastiveAutoEncoder, encoder: PixelEncoder) -> None:
    """Give a network the layers of an encoder."""
    for (weight, bias), to, beside in zip(encoder.layers, network.up_weights, network.up_biases, strict=True):
        to.copy_(torch.from_numpy(weight.copy()))
        beside.copy_(torch.from_numpy(bias.copy()))


def tune(
    network: ContrastiveAutoEncoder, last: nn.Parameter, seen: Tensor, labels: Tensor, generator: torch.Generator
) -> None:
    """Teach all layers the labels."""
    layers = [*network.up_weights, *network.up_biases]
    optimiser = torch.optim.Adam([{"params": layers, "lr": RATE}, {"params": [last], "lr": 0.05}])
    for step in range(STEPS):
        rows = torch.randint(len(seen), (min(BATCH, len(seen)),), generator=generator)
        views = distorted(seen[rows].unflatten(1, (1, 28, 28)), generator).flatten(1)
        loss = F.cross_entropy(SCALE * network.encode(views) @ last, labels[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        for group, rate in zip(optimiser.param_groups, (RATE, 0.05), strict=True):
            group["lr"] = rate * (1 - step / STEPS)
