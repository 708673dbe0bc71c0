"""Names of groups of pictures, which have no words: what a field of them says most, beside the other groups.

    (q - q̄) / √q̄        q: the share of a group's documents that have a value; q̄: of all documents

The measure is that by which words tell topics apart (`textae.explore.topics`).

    >>> telling_values(["3", "3", "5", "8", "8", None], np.array([0, 0, 0, 1, 1, 2]), 3)
    [('3', '5'), ('8',), ()]
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LEAST = 0.1  # of the most telling value: what says less is in a group by chance
_VALUES = 10


def telling_values(values: Sequence[str | None], group_of: NDArray[np.integer], n_groups: int) -> list[tuple[str, ...]]:
    """The values that groups have more than others, the most telling first; of a single group the most frequent.

    Args:
        values: of n documents, None for none.
        group_of: (n,) from 0 to n_groups - 1.
        n_groups: however many of them have documents.

    Returns:
        At most ten of each group; none of one where no value is more frequent than it is elsewhere.
    """
    labels = sorted({value for value in values if value is not None})
    place = {label: number for number, label in enumerate(labels)}
    held = np.zeros((n_groups, len(labels)))
    for value, group in zip(values, group_of.tolist(), strict=True):
        if value is not None:
            held[group, place[value]] += 1
    usual = held.sum(axis=0) / max(1, len(values))
    share = held / np.maximum(np.bincount(group_of, minlength=n_groups), 1)[:, None]
    telling = (share - usual if n_groups > 1 else share) / np.sqrt(usual)
    return [_most(labels, row) for row in telling]


def _most(labels: Sequence[str], telling: NDArray[np.float64]) -> tuple[str, ...]:
    floor = _LEAST * telling.max(initial=0)
    ranked = np.argsort(-telling, kind="stable")[:_VALUES].tolist()
    return tuple(labels[number] for number in ranked if telling[number] > 0 and telling[number] >= floor)
