"""Noise that a de-noising network learns to undo (Vincent et al. 2008, and JMLR 2010, section 3.3).

    masking           a share of the values becomes 0
    salt and pepper   a share of the values becomes the minimum or the maximum of the row, with equal probability
    Gaussian          every value gets noise of a standard deviation

The network must infer a missing value from the others, so it learns which values go together. The default
auto-encoder of texts reads sparse bags, not matrices: `textae.training.batches.hide_words` masks those.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Generator, Tensor

from textae.config import GAUSSIAN, MASKING, SALT_AND_PEPPER

Corruption = Callable[[Tensor, float, Generator], Tensor]
"""Corrupts (n, n_visible) by an amount; the generator is on the device."""


def mask(clean: Tensor, amount: float, generator: Generator) -> Tensor:
    """Set a share of the values to 0."""
    return clean * (torch.rand(clean.shape, generator=generator, device=clean.device) >= amount)


def salt_and_pepper(clean: Tensor, amount: float, generator: Generator) -> Tensor:
    """Set a share of the values to the minimum or the maximum of their row: black or white in a picture."""
    drawn = torch.rand(clean.shape, generator=generator, device=clean.device)
    low, high = clean.amin(dim=1, keepdim=True), clean.amax(dim=1, keepdim=True)
    return torch.where(drawn < amount, torch.where(drawn < amount / 2, low, high), clean)


def gaussian(clean: Tensor, amount: float, generator: Generator) -> Tensor:
    """Add noise of a standard deviation."""
    return clean + amount * torch.randn(clean.shape, generator=generator, device=clean.device)


CORRUPTIONS: Mapping[str, Corruption] = {MASKING: mask, SALT_AND_PEPPER: salt_and_pepper, GAUSSIAN: gaussian}
