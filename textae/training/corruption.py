"""What de-noising spoils before a network has to rebuild it (Vincent et al. 2008, and JMLR 2010, section 3.3).

    masking           a share of the values becomes 0
    salt and pepper   a share of the values becomes the least or the greatest of its row, with equal chances
    Gaussian          noise of a standard deviation is added to every value

A value that is gone must be guessed from those that are left, so the network learns what goes with what. The index's
default auto-encoder, which reads a sparse bag and no matrix, is taught by masking too: `textae.training.text` hides
words.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from textae.config import GAUSSIAN, MASKING, SALT_AND_PEPPER

Corruption = Callable[[Tensor, float, torch.Generator], Tensor]
"""Spoils (n, n_visible) by an amount; random numbers are drawn on the CPU."""


def mask(clean: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """That share of the values becomes 0."""
    return clean * (_uniform(clean, generator) >= amount)


def salt_and_pepper(clean: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """That share of the values becomes the least or the greatest value of its row: a picture's black or white."""
    drawn = _uniform(clean, generator)
    low, high = clean.amin(dim=1, keepdim=True), clean.amax(dim=1, keepdim=True)
    spoilt = torch.where(drawn < amount / 2, low, high)
    return torch.where(drawn < amount, spoilt, clean)


def gaussian(clean: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """Noise of that standard deviation is added."""
    return clean + amount * torch.randn(clean.shape, generator=generator).to(clean.device)


CORRUPTIONS: Mapping[str, Corruption] = {MASKING: mask, SALT_AND_PEPPER: salt_and_pepper, GAUSSIAN: gaussian}


def _uniform(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(like.shape, generator=generator).to(like.device)
