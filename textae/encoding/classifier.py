"""What labels teach: a soft-max layer on the float codes, and which document has which label.

p(c | code) = exp(code · V_c + b_c) / Σ_k exp(code · V_k + b_k)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.errors import TextaeError
from textae.types import FieldValue

MOST_CLASSES = 1_000
"""Different labels; what has more is no label but a title or an id, and its soft-max would fill the memory."""


@dataclass(frozen=True)
class Labels:
    """Which document has which label.

    Attributes:
        field: of the documents, that holds them.
        classes: the different labels, sorted.
        of: (n,) int64, the number of each document's label in `classes`; -1 where it has none.
    """

    field: str
    classes: tuple[str, ...]
    of: NDArray[np.int64]

    @classmethod
    def read(cls, field: str, values: Sequence[FieldValue]) -> "Labels":
        """The labels that a field holds; None and the empty string are none, and 3 and '3' are the same one.

        Args:
            field: its name.
            values: of n documents.

        Raises:
            TextaeError: a value is a list or an object; or there are too few or too many labels to learn from.
        """
        for value in values:
            if isinstance(value, list | dict):
                raise TextaeError(
                    f"{field!r} holds {repr(value)[:60]}, which is no label; give a field of single values"
                )
        names = [None if value is None or value == "" else str(value) for value in values]
        classes = sorted({name for name in names if name is not None})
        number: dict[str | None, int] = {name: i for i, name in enumerate(classes)}
        labels = cls(field, tuple(classes), np.array([number.get(name, -1) for name in names], np.int64))
        labels._check()
        return labels

    def _check(self) -> None:
        if self.known < 2:
            found = "1 document has" if self.known else "no document has"
            raise TextaeError(f"{found} a label in {self.field!r}; at least 2 documents of different labels are needed")
        if len(self.classes) < 2:
            raise TextaeError(
                f"all {self.known:,} documents with a label in {self.field!r} have the same one, "
                f"{self.classes[0]!r:.60}; at least 2 are needed"
            )
        if len(self.classes) > MOST_CLASSES:
            raise TextaeError(
                f"{self.field!r} holds {len(self.classes):,} different labels; is it a title or an id? "
                f"at most {MOST_CLASSES:,} can be learned"
            )

    @property
    def known(self) -> int:
        """How many documents have a label."""
        return int((self.of >= 0).sum())


@dataclass(frozen=True)
class Classifier:
    """From float codes to labels.

    Attributes:
        weights: V, (dims, n_classes) float32.
        bias: b, (n_classes,) float32.
        classes: the labels, by column.
    """

    weights: Floats
    bias: Floats
    classes: tuple[str, ...]

    def predict_proba(self, codes: Floats) -> Floats:
        """How likely each label is: (n, dims) to (n, n_classes), rows of sum 1."""
        logits = codes @ self.weights + self.bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: Floats = odds / odds.sum(axis=1, keepdims=True)
        return shares

    def predict(self, codes: Floats) -> list[str]:
        """The likeliest label of each code: (n, dims) to n labels; of equal ones the first."""
        return [self.classes[best] for best in self.predict_proba(codes).argmax(axis=1)]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same classifier of, but for its classes."""
        return {"classifier/weights": self.weights, "classifier/bias": self.bias}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], classes: Sequence[str]) -> "Classifier":
        """The classifier that gave these `arrays`."""
        return cls(arrays["classifier/weights"], arrays["classifier/bias"], tuple(classes))
