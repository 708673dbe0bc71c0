"""The plain data that modules hand to each other: small, frozen, without behaviour.

Ids travel with the data. The position of a document inside an array never leaves the module that made the array.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

FieldValue = str | int | float | bool | None | list["FieldValue"] | dict[str, "FieldValue"]
"""What a field of a document may hold: whatever JSON can say."""


def is_deeper(value: object, levels: int) -> bool:
    """Whether lists and objects of a value lie inside of each other in more levels; without recursion."""
    level: list[Any] = [value]
    for _ in range(levels + 1):
        level = [one for one in level if isinstance(one, list | Mapping)]
        if not level:
            return False
        level = [part for one in level for part in (one.values() if isinstance(one, Mapping) else one)]
    return True


Progress = Callable[[str, int, int | None], None]
"""`progress(stage, done, total)`: called often and cheaply on long work; `total` is None where nobody knows it."""


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The pixels of a picture, of 8 bits.

    Attributes:
        height: rows.
        width: columns.
        channels: 1 of grey levels, 3 of red, green and blue.
        pixels: height · width · channels bytes, row by row.
    """

    height: int
    width: int
    channels: int
    pixels: bytes

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels


@dataclass(frozen=True, slots=True)
class Place:
    """Where in its file a part of a text begins.

    Attributes:
        start: the first character of the part in the text.
        kind: what the file is divided into, as people call it: `line`, `page`, `slide`, `sheet`, `cell`, `chapter`.
        name: its number or its name; of a `line` the number of the first one, after which each newline counts.
    """

    start: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a corpus.

    Attributes:
        id: unique within an index.
        text: the body; may be empty where the title says it all.
        title: shown with a hit, and indexed together with the text.
        fields: every other column or header, by name.
        source: where it came from, for people: a path, or `path:line`.
        origin: which of the sources of the index it came from: what `sync` compares.
        picture: that the document is, where it is one; its text is empty then.
        places: where in the file the parts of the text are, by their start; none where nobody knows.
        notice: what a person should know of how it was read, in a few words that are counted: `encoding guessed`.
        vector: of a model of the user's, numbers of any length; None for none. It is kept apart from the document.
    """

    id: str
    text: str
    title: str = ""
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    source: str = ""
    origin: str = ""
    picture: Picture | None = None
    places: tuple[Place, ...] = ()
    notice: str = ""
    vector: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in a source that did not become a document, and why; it is counted, never dropped silently.

    Attributes:
        source: where it stood: a path, or `path:line`.
        reason: a few words that can be counted: `empty`, `not UTF-8`, `no field 'text'`.
        ignored: whether it was left out on purpose, as hidden files are.
    """

    source: str
    reason: str
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A query with the id under which it is judged, and its vector, of the model that gave the documents'."""

    id: str
    text: str
    vector: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class WordShare:
    """What a word gives to a score.

    Attributes:
        word: as the question writes it.
        share: of the score.
    """

    word: str
    share: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a document has its score: `keywords`, `codes`, `together`, `name` and `vectors` sum to it.

    Attributes:
        keywords: what each word gives by being in the document, the most first; empty where codes alone decide.
        codes: what each word gives to the likeness of the codes, the most first; empty where keywords alone decide.
        together: of the likeness what is no single word's.
        common: words that the decoder associates with both codes, the most telling first.
        name: what the likeness of the query to the document's name gives.
        vectors: what the likeness of the user's own vectors gives, of all numbers together.
    """

    keywords: tuple[WordShare, ...]
    codes: tuple[WordShare, ...]
    together: float
    common: tuple[str, ...]
    name: float = 0.0
    vectors: float = 0.0

    @property
    def score(self) -> float:
        """What the parts sum to."""
        return sum(part.share for part in self.keywords + self.codes) + self.together + self.name + self.vectors


@dataclass(frozen=True, slots=True)
class Hit:
    """One document found for a query.

    Attributes:
        rank: from 1.
        id: of the document.
        score: higher is better, always; of `hybrid` from 0 to 1, of other systems comparable only within one query.
        title: of the document.
        snippet: the passage that matches best, on one line.
        marks: the parts of the snippet that match the query, as (start, end) in characters.
        fields: of the document.
        place: of the passage in its file, `line 42` or `page 12`; "" where nobody knows.
        source: where the original is: the absolute path of a file, or else the document's own source.
        explanation: why it has its score, where that was asked for.
    """

    rank: int
    id: str
    score: float
    title: str
    snippet: str
    marks: tuple[tuple[int, int], ...]
    fields: Mapping[str, FieldValue]
    place: str = ""
    source: str = ""
    explanation: Explanation | None = None


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
class LikelyWord:
    """A word that a code makes likelier than usual.

    Attributes:
        rank: from 1.
        term: as the vocabulary has it: a stem, where the language has a stemmer.
        word: a form of it that documents hold.
        probability: that the decoder gives it.
        lift: how many times its usual probability that is.
        held: whether the text that was decoded holds it; None where a code was given, and no text.
    """

    rank: int
    term: str
    word: str
    probability: float
    lift: float
    held: bool | None


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a code says.

    Attributes:
        code: its numbers between commas, as `decode_code` takes it.
        words: the most telling first; none of a picture's.
        picture: as the decoder draws it; None of a text's.
        error: of the picture beside the one that it is of, squared and summed over the pixels from 0, black, to 1; None
            where there is none.
    """

    code: str
    words: tuple[LikelyWord, ...]
    picture: Picture | None = None
    error: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A code that was drawn, and what it says.

    Attributes:
        decoded: the code and its words.
        nearest: the id of the document whose code is the nearest.
        distance: to it: 1 - cosine of codes of unit length, Euclid's distance of others.
    """

    decoded: Decoded
    nearest: str
    distance: float


@dataclass(frozen=True, slots=True)
class Samples:
    """Codes that were drawn.

    Attributes:
        samples: in the order drawn.
        usual_distance: of a document to its nearest other one, the median: what a sample's distance compares with.
    """

    samples: tuple[Sample, ...]
    usual_distance: float


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the grid over codes of two numbers.

    Attributes:
        row: from 0, the highest second number first, as on paper.
        column: from 0, the lowest first number first.
        documents: whose code lies in it.
        decoded: the code in its middle, and its words.
    """

    row: int
    column: int
    documents: int
    decoded: Decoded


@dataclass(frozen=True, slots=True)
class Grid:
    """What the decoder says at every place of a plane of codes.

    Attributes:
        x: the edges of the columns, n + 1 rising numbers.
        y: the edges of the rows, n + 1 rising numbers.
        cells: row by row from the top, n · n.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    cells: tuple[Cell, ...]


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


@dataclass(frozen=True, slots=True)
class TypicalDocument:
    """A document that a topic is told by.

    Attributes:
        id: of the document.
        title: of the document.
        strength: how much it belongs to the topic, from 0 to 1.
    """

    id: str
    title: str
    strength: float


@dataclass(frozen=True, slots=True)
class Topic:
    """What documents with close codes are about; or what close topics are.

    Attributes:
        id: `3` of a topic of topics, `3.2` of one in it; kept until topics are learned anew.
        name: its most telling words, between commas.
        words: the most telling first; of pictures what their field `label` says, or one of them.
        documents: that belong to it now.
        typical: the most typical first.
        topics: those in it; none of one that holds documents itself.
    """

    id: str
    name: str
    words: tuple[str, ...]
    documents: int
    typical: tuple[TypicalDocument, ...]
    topics: tuple["Topic", ...] = ()


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of an index.

    Attributes:
        groups: the topic groups, in the order of their ids.
        documents: that belong to a topic.
        without_code: documents that belong to none, as the encoder knows no word of them.
        lost: names given by hand that these topics have not, because none has mostly the same documents.
    """

    groups: tuple[Topic, ...]
    documents: int
    without_code: int
    lost: tuple[str, ...] = ()

    @property
    def leaves(self) -> tuple[Topic, ...]:
        """The topics that hold documents, group by group."""
        return tuple(topic for group in self.groups for topic in group.topics)

    def find(self, id: str) -> Topic | None:
        """The group or topic of an id, or of a name that no other has; None for none.

        A group of one topic is found by its id alone: that topic has the same name.
        """
        topics = *self.groups, *self.leaves
        named = [topic for topic in topics if topic.name == id and len(topic.topics) != 1]
        return next((topic for topic in topics if topic.id == id), named[0] if len(named) == 1 else None)


KINDS = TEXTS, PICTURES = ("texts", "pictures")
"""What an index holds."""


Shape = tuple[int, int, int]
"""Height, width and channels of pictures."""


def shape_in_words(shape: Shape) -> str:
    """`8 × 8 grey levels`, or `32 × 32 colours`."""
    height, width, channels = shape
    return f"{width} × {height} {'colours' if channels == 3 else 'grey levels'}"
