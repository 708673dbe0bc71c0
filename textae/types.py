"""The plain data that modules hand to each other: small, frozen, without behaviour.

Ids travel with the data. The position of a document inside an array never leaves the module that made the array.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

FieldValue = str | int | float | bool | None | list["FieldValue"] | dict[str, "FieldValue"]
"""What a field of a document may hold: whatever JSON can say."""

Progress = Callable[[str, int, int | None], None]
"""`progress(stage, done, total)`: called often and cheaply on long work; `total` is None where nobody knows it."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a corpus.

    Attributes:
        id: unique within an index.
        text: the body; may be empty where the title says it all.
        title: shown with a hit, and indexed together with the text.
        fields: every other column or header, by name.
        source: where it came from, for people: a path, or `path:line`.
    """

    id: str
    text: str
    title: str = ""
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in a source that did not become a document, and why; it is counted, never dropped silently.

    Attributes:
        source: where it stood: a path, or `path:line`.
        reason: a few words that can be counted: `empty`, `not UTF-8`, `no field 'text'`.
    """

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Query:
    """A query with the id under which it is judged."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One document found for a query.

    Attributes:
        rank: from 1.
        id: of the document.
        score: higher is better, always; comparable only within one query and one system.
        title: of the document.
        snippet: the passage that matches best, on one line.
        marks: the parts of the snippet that match the query, as (start, end) in characters.
        fields: of the document.
    """

    rank: int
    id: str
    score: float
    title: str
    snippet: str
    marks: tuple[tuple[int, int], ...]
    fields: Mapping[str, FieldValue]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ids that a system ranks highest for one query, best first, with their scores.

    Attributes:
        ids: at most k of them.
        scores: one per id, never increasing.
    """

    ids: tuple[str, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One label that a text may have.

    Attributes:
        rank: from 1, the likeliest.
        label: as the documents' field has it.
        probability: of all the labels that were learned, it is this one.
    """

    rank: int
    label: str
    probability: float
