"""The losses of the auto-encoders."""

import torch
import torch.nn.functional as F
from torch import Tensor


def mixed_precision(device: torch.device) -> torch.autocast:
    """Decorates a loss: matrix products are in bfloat16 on a GPU that has it; parameters and Adam stay float32.

    Codes are as good: forced on a CPU, P@100 of 3,000 messages of 20 Newsgroups is .548 with and without, and crops
    find held-out documents with a mean reciprocal rank of .81 in place of .80 (two seeds).
    """
    has_it = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast(device.type, torch.bfloat16, enabled=has_it)


def contrast(left: Tensor, right: Tensor, excluded: Tensor, temperature: float) -> Tensor:
    """InfoNCE: each row of `left` must find its own row of `right` in the batch, and each of `right` that of `left`.

    van den Oord, Li & Vinyals 2018, equation 4, symmetric as in CLIP.

    Args:
        left: (n, dims).
        right: (n, dims).
        excluded: (n, n) bool, the pairs off the diagonal that are no negatives.
        temperature: divides the cosines.
    """
    cosines = F.normalize(left, dim=1) @ F.normalize(right, dim=1).T / temperature  # (n, n)
    own = torch.arange(len(left), device=left.device)
    loss = F.cross_entropy(cosines.masked_fill(excluded, -1e9), own)
    return (loss + F.cross_entropy(cosines.T.masked_fill(excluded.T, -1e9), own)) / 2


def reconstruction(logits: Tensor, target: Tensor) -> Tensor:
    """The multinomial cross-entropy of the words, -Σ_t target_t ln softmax(logits)_t, averaged over the batch.

    Args:
        logits: (n, n_terms).
        target: (n, n_terms), not negative; each row is scaled to sum to 1.
    """
    share = target / target.sum(dim=1, keepdim=True).clamp_min(1e-9)
    return (torch.logsumexp(logits, dim=1) - (share * logits).sum(dim=1)).mean()
