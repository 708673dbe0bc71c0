"""A classifier learned from labels: a soft-max layer on the float codes.

p(c | code) = exp(code · V_c + b_c) / Σ_k exp(code · V_k + b_k)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.encoding.layers import matmul, softmax
from textae.errors import TextaeError
from textae.types import FieldValue

MOST_CLASSES = 1_000
"""Distinct labels; a field with more holds titles or ids, and its soft-max would fill the memory."""


@dataclass(frozen=True)
class Labels:
    """The labels of documents.

    Attributes:
        field: of the documents, that holds the labels.
        classes: the distinct labels, sorted.
        of: (n,) int64, the number of each document's label in `classes`; -1 for none.
    """

    field: str
    classes: tuple[str, ...]
    of: NDArray[np.int64]

    @property
    def n_labelled(self) -> int:
        """The number of documents with a label."""
        return int((self.of >= 0).sum())

    @classmethod
    def read(cls, field: str, values: Sequence[FieldValue]) -> "Labels":
        """The labels in a field; None and the empty string are no label, and 3 and '3' are the same one.

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
        n = labels.n_labelled
        if n < 2:
            count = "1 document has" if n else "no document has"
            raise TextaeError(f"{count} a label in {field!r}; at least 2 documents of different labels are needed")
        if len(classes) < 2:
            raise TextaeError(
                f"all {n:,} documents with a label in {field!r} have the same one, {classes[0]!r:.60}; "
                "at least 2 are needed"
            )
        if len(classes) > MOST_CLASSES:
            raise TextaeError(
                f"{field!r} holds {len(classes):,} different labels; is it a title or an id? "
                f"at most {MOST_CLASSES:,} can be learned"
            )
        return labels


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
        """The probability of each label: (n, dims) to (n, n_classes), rows of sum 1."""
        return softmax(matmul(codes, self.weights) + self.bias)

    def predict(self, codes: Floats) -> list[str]:
        """The likeliest label of each code: (n, dims) to n labels; of equally likely ones, the first."""
        return [self.classes[best] for best in self.predict_proba(codes).argmax(axis=1)]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`; the classes are stored elsewhere."""
        return {"classifier/weights": self.weights, "classifier/bias": self.bias}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], classes: Sequence[str]) -> "Classifier":
        """The classifier that gave these `arrays`."""
        return cls(arrays["classifier/weights"], arrays["classifier/bias"], tuple(classes))
