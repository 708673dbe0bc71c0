"""What the auto-encoder is asked to do, one function each."""

import torch
import torch.nn.functional as F
from torch import Tensor


def contrast(left: Tensor, right: Tensor, known: Tensor, temperature: float) -> Tensor:
    """Each row of `left` must find its own row of `right` among the batch, and the other way round (InfoNCE).

    van den Oord, Li & Vinyals 2018, equation 4, symmetric as in CLIP.

    Args:
        left: (n, dims).
        right: (n, dims).
        known: (n, n) bool, pairs off the diagonal that belong together too, and so are no negatives.
        temperature: divides the cosines.
    """
    cosines = F.normalize(left, dim=1) @ F.normalize(right, dim=1).T / temperature
    own = torch.arange(len(left), device=left.device)
    loss = F.cross_entropy(cosines.masked_fill(known, -1e9), own)
    return (loss + F.cross_entropy(cosines.T.masked_fill(known.T, -1e9), own)) / 2


def known_pairs(near: Tensor, rows: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Which pairs off the diagonal are no negatives, since one is a neighbour of the other: twice (n, n) bool.

    Among the documents of a batch themselves, and between them and the neighbours that they must find.

    Args:
        near: (n, k), the neighbours of each document of the batch.
        rows: (n,), these documents.
        others: (n,), the neighbour that each must find.
    """
    alike = (near[:, :, None] == rows).any(1)
    alike_near = (near[:, :, None] == others).any(1) | (rows[:, None] == others)
    return (alike | alike.T).fill_diagonal_(False), alike_near.fill_diagonal_(False)


def reconstruction(logits: Tensor, target: Tensor) -> Tensor:
    """The multinomial cross-entropy of the words, -Σ_t target_t ln softmax(logits)_t, a mean over the batch.

    Args:
        logits: (n, n_terms).
        target: (n, n_terms), not negative; scaled to sum to 1 by row.
    """
    share = target / target.sum(dim=1, keepdim=True).clamp_min(1e-9)
    return (torch.logsumexp(logits, dim=1) - (share * logits).sum(dim=1)).mean()
