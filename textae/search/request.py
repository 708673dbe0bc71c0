"""One search, from its request to its result: the objects that every front end uses."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypedDict, Unpack

from textae.errors import QueryError, QueryTypeError
from textae.types import Hit, Picture

FILTER = "filter"
"""The mode of a result of conditions alone, which are listed and not ranked."""


class SearchOptions(TypedDict, total=False):
    """What `Engine.search` passes on to a `SearchRequest`."""

    like: Sequence[str]
    unlike: Sequence[str]
    where: str | None
    must: str | None
    expand: bool
    explain: bool
    offset: int
    min_score: float
    feedback: bool | None
    vector: Any


class RequestOptions(SearchOptions, total=False):
    """The attributes of a `SearchRequest` beside its query."""

    mode: str | None
    top_k: int
    suggest: int
    granularity: str


@dataclass(frozen=True)
class SearchRequest:
    """What to search for, and how.

    Attributes:
        text: the words of the query; "" where `like` or `picture` stands for it.
        picture: a picture in place of words.
        like: ids of documents that hits should be like. With a text they are feedback, without they are the query.
        unlike: ids of documents that hits should be unlike.
        where: a condition on the fields of a hit, `year:[2010 TO 2012]`.
        must: a condition on the text of a hit, `"noisy signal" NOT image`.
        mode: the ranking system; None for the default of the index.
        top_k: the maximum number of hits.
        offset: how many of the best hits are left out, as those of the pages before.
        expand: whether keyword search also looks for words that the decoder expects of the query.
        explain: whether hits say why they have their score.
        min_score: what scores this or less is no hit; `hybrid` scores from 0 to 1.
        feedback: whether `hybrid` looks twice, the second time moved towards the best hits of the first, and `bm25`
            with words of these (RM3); None for `hybrid` alone.
        suggest: for how many unknown words similar ones of the corpus are looked up; each costs a short search.
        granularity: `passage` ranks a document by its best passage, where the index has them; `document` by its whole.
        vector: of the query, of the model that gave the documents' own vectors: numbers, or a function from a list of
            texts to as many vectors, which is called where system and index read them; None for none.
    """

    text: str = ""
    picture: Picture | None = None
    like: Sequence[str] = ()
    unlike: Sequence[str] = ()
    where: str | None = None
    must: str | None = None
    mode: str | None = None
    top_k: int = 10
    offset: int = 0
    expand: bool = False
    explain: bool = False
    min_score: float = 0.0
    feedback: bool | None = None
    suggest: int = 0
    granularity: str = "passage"
    vector: Any = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise QueryTypeError(f"the query is {_shown(self.text)}; it must be a string")
        for name, ids in (("like", self.like), ("unlike", self.unlike)):
            if isinstance(ids, str):
                raise QueryTypeError(f"{name} takes a list of ids, and got one string: {ids!r:.60}; put it in a list")
            id_list(ids)
        if self.top_k < 1:
            raise QueryError(f"{self.top_k} hits were asked for; give at least 1")
        if self.offset < 0:
            raise QueryError(f"the offset is {self.offset}; give 0 or more")
        if not self.min_score >= 0:
            raise QueryError(f"hits with a score above {self.min_score} were asked for; give 0 or more")

    @property
    def has_query(self) -> bool:
        """Whether there is something to rank by."""
        return _is_vector(self.vector) or bool(self.text.strip() or self.picture or self.like)

    @classmethod
    def of_words(cls, text: str, **options: Unpack[RequestOptions]) -> Self:
        """The request of a text that must have words.

        Raises:
            QueryError: it is empty.
        """
        if isinstance(text, str) and not text.strip() and not _is_vector(options.get("vector")):
            raise QueryError("the query is empty; give some words")
        return cls(text, **options)


def id_list(ids: str | Iterable[str]) -> list[str]:
    """One id or several, also of numpy and pandas, as a list.

    Raises:
        QueryTypeError: one is no string.
    """
    several = [ids] if isinstance(ids, str) or not isinstance(ids, Iterable) else list(ids)
    for id in several:
        if not isinstance(id, str):
            raise QueryTypeError(f"an id is {_shown(id)}; ids are strings")
    return several


def _is_vector(vector: Any) -> bool:
    """Whether a query may be that and nothing else."""
    return vector is not None and not callable(vector)


def _shown(value: object) -> str:
    return f"{value!r:.60}, of type {type(value).__name__}"


@dataclass(frozen=True)
class SearchResult:
    """The hits of a request, and what a person should know beside them.

    Attributes:
        hits: the best first.
        mode: the system that ranked.
        unknown: words of the text, as written, that have no effect on this system.
        ignored: stop words in `must`, which have no effect.
        suggestions: for the first unknown words, similar words of the corpus.
        only_stop_words: whether nothing was found because all words of the text are stop words.
        n_matching: how many documents meet the conditions, where these were the whole request.
        without_vector: whether the index has vectors that did not count, as the query has none.
    """

    hits: tuple[Hit, ...]
    mode: str
    unknown: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    suggestions: dict[str, list[str]] = field(default_factory=dict)
    only_stop_words: bool = False
    n_matching: int | None = None
    without_vector: bool = False

    def corrected(self, text: str) -> str:
        """The query with the likeliest suggestion in place of each unknown word; "" where there is none."""
        for word, similar in self.suggestions.items():
            if similar:
                text = re.sub(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", similar[0].replace("\\", r"\\"), text)
        return text if any(self.suggestions.values()) else ""

    def __iter__(self) -> Iterator[Hit]:
        """The hits, best first."""
        return iter(self.hits)

    def __len__(self) -> int:
        """The number of hits."""
        return len(self.hits)
