"""Topics of an index: clusters of what its codes say documents are about, and the words that tell them apart.

A topic is learned once and kept with the index: a centre, words and a name, nothing of any document. What belongs to it
is worked out from the documents that are there, so documents that are added come to the topics that were found before.

    found, topic_of, strengths = topics_of(opened, learn(opened))
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae import clusters
from textae.clusters import Numbers
from textae.column import Rows
from textae.decoding import forms
from textae.duplicates import RADIUS
from textae.encoder import Encoder, unit
from textae.errors import QueryError
from textae.generator import most_telling
from textae.opened import Opened
from textae.spec import check_seed
from textae.types import Progress, Topic, Topics, TypicalDocument
from textae.vectorizer import Floats

NAME = "topics"
"""Under which topics are kept."""

MOST_TOPICS = 1_000
"""That can be asked for."""

_WORDS, _IN_A_NAME, _TYPICAL = 10, 3, 3
_SAMPLE = 30_000  # documents of which topics are learned
_CLOSEST = 20  # documents of a topic among which typical ones are looked for
_AT_A_TIME = 1 << 16  # documents


@dataclass(frozen=True)
class Learned:
    """Topics as they are kept.

    Attributes:
        clusters: of the documents' `vectors`.
        words: of each topic, the most telling first.
        names: of each topic.
        area_words: of each area.
        area_names: of each area.
        seed: of all that was random.
        found: whether their number was found, and not given.
    """

    clusters: clusters.Clusters
    words: Sequence[Sequence[str]]
    names: Sequence[str]
    area_words: Sequence[Sequence[str]]
    area_names: Sequence[str]
    seed: int
    found: bool

    def answers(self, n: int | None, seed: int | None) -> bool:
        """Whether they are what is asked for: so many, by that seed; None for any."""
        if n is None:
            return seed is None or (seed == self.seed and self.found)
        return n == len(self.names) and seed in (None, self.seed)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `kept` reads, beside what is `said`."""
        return {"centres": self.clusters.centres, "area_of": self.clusters.area_of}

    def said(self) -> dict[str, Any]:
        """What `kept` reads, as JSON can hold it."""
        names = ("words", "names", "area_words", "area_names", "seed", "found")
        return {name: getattr(self, name) for name in names}


def kept(opened: Opened) -> Learned | None:
    """The topics that were learned before; None where none were."""
    said: Mapping[str, Any] | None = opened.reader.settings.get(NAME)
    if said is None:
        return None
    arrays = opened.reader.arrays
    return Learned(clusters.Clusters(arrays[f"{NAME}/centres"], arrays[f"{NAME}/area_of"]), **said)


def _silent(stage: str, done: int, total: int | None) -> None:
    pass


def learn(opened: Opened, n: int | None = None, seed: int = 1, progress: Progress = _silent) -> Learned:
    """Find the topics of an index.

    Args:
        opened: the index.
        n: topics; None to find their number.
        seed: of the sample that is clustered, and of clustering.
        progress: told of each stage.

    Raises:
        QueryError: no document has a code; or there cannot be n topics.
        TextaeError: the seed cannot be.
    """
    check_seed(seed)
    rows = _known_rows(opened)
    _check_number(n, len(rows))
    generator = np.random.default_rng(seed)
    if len(rows) > _SAMPLE:
        rows = rows[np.sort(generator.choice(len(rows), _SAMPLE, replace=False))]
    floats = opened.documents.floats.take(rows).astype(np.float32)
    found = clusters.find(vectors(opened, floats), n, generator, progress)
    if n is not None and len(found.centres) < n:
        raise QueryError(f"{n:,} topics were asked for, and the documents have {len(found.centres):,} different codes")
    progress("naming topics", 0, None)
    topic_of, _ = clusters.nearest(vectors(opened, floats), found.centres)
    words, area_words = _words(opened, floats, topic_of, found)
    return Learned(found, words, _names(words), area_words, _names(area_words), seed, n is None)


def _check_number(n: int | None, n_documents: int) -> None:
    if not n_documents:
        raise QueryError("no document of this index has a code: the encoder knows none of their words")
    most = min(n_documents, MOST_TOPICS)
    if n is not None and not 1 <= n <= most:
        what = f"the {n_documents:,} documents that have a code" if most == n_documents else "an index"
        raise QueryError(f"{n:,} topics were asked for; give 1 to {most:,} for {what}")


def vectors(opened: Opened, floats: NDArray[np.floating]) -> Floats:
    """What is clustered of float codes: the direction of their topics, where they have such a part; else all of them.

    With the part for answers, or that alone, clusters agree no better with labels and take five times as long.
    """
    encoder = opened.model.encoder
    if not isinstance(encoder, Encoder):  # of a deep stack, whose codes have any length
        return floats.astype(np.float32)
    return unit(floats[:, -len(encoder.topic_mean) :].astype(np.float32))  # all, where there are no topics


def _known_rows(opened: Opened) -> Rows:
    """The rows of the documents that are there and have a code."""
    known, alive = opened.documents.known.whole(), opened.documents.alive
    return np.flatnonzero(known if alive is None else known & alive)


def _words(
    opened: Opened, floats: Floats, topic_of: Numbers, found: clusters.Clusters
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The most telling words of each topic and of each area: what the decoder says there, beside the mean of all."""
    k = len(found.centres)
    sizes = np.bincount(topic_of, minlength=k)
    sums = np.zeros((k, floats.shape[1]))
    np.add.at(sums, topic_of, floats)
    of_topic = np.concatenate([opened.decoder.words(code[None]) for code in sums / np.maximum(sizes, 1)[:, None]])
    of_area = np.stack([of_topic[found.area_of == area].mean(axis=0) for area in range(int(found.area_of[-1]) + 1)])
    usual = of_topic.mean(axis=0, dtype=np.float64)
    terms = [most_telling(shares, usual, 3 * _WORDS).tolist() for shares in (*of_topic, *of_area)]
    form_of = forms(opened, {term for row in terms for term in row}, ())
    vocabulary = opened.model.vectorizer.vocabulary
    told = [_distinct([form_of.get(stem, stem) for stem in map(vocabulary.term, row)]) for row in terms]
    return told[:k], told[k:]


def _distinct(words: Sequence[str]) -> tuple[str, ...]:
    """The first words of which none is nearly another, nor a number."""
    chosen: list[str] = []
    for word in words:
        if not word.isdecimal() and not any(_alike(word, other) for other in chosen):
            chosen.append(word)
    return tuple((chosen or list(words))[:_WORDS])


def _alike(one: str, other: str) -> bool:
    """Whether two words are forms of one, as far as a person would see: vector and vectors."""
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and len(long) - len(short) <= 4 and long.startswith(short[: max(4, len(short) - 1)])


def _names(words: Sequence[Sequence[str]]) -> list[str]:
    """A name of each list of words, the first of them; where that is taken, the next that makes it another."""
    names: list[str] = []
    for row in words:
        begun = row[: _IN_A_NAME - 1]
        possible = [", ".join([*begun, last]) for last in row[_IN_A_NAME - 1 :]] or [", ".join(row)]
        numbered = (f"{possible[0]} ({number})" for number in itertools.count(2))
        names.append(next(name for name in itertools.chain(possible, numbered) if name not in names))
    return names


def topics_of(opened: Opened, learned: Learned) -> tuple[Topics, Numbers, Floats]:
    """The topics of the documents that are there.

    Args:
        opened: the index.
        learned: of it.

    Returns:
        The topics; and of each document that has a code, in the order of their numbers, the place of its topic in
        `leaves`, (n_known,) int32, and how much it belongs to it, (n_known,) float32 from 0 to 1.
    """
    rows = _known_rows(opened)
    parts = [clusters.nearest(some, learned.clusters.centres) for some in _all_vectors(opened, rows)]
    topic_of = np.concatenate([np.empty(0, np.int32), *(topic for topic, _ in parts)])
    strengths = np.concatenate([np.empty(0, np.float32), *(strength for _, strength in parts)])
    k, area_of = len(learned.names), learned.clusters.area_of
    of_topic = _typical_rows(opened, rows, topic_of, strengths, np.arange(k), k)
    of_area = _typical_rows(opened, rows, topic_of, strengths, area_of, len(learned.area_names))
    told = iter(_told(opened, rows, strengths, [*of_area, *of_topic]))
    sizes = np.bincount(topic_of, minlength=k)
    areas = []
    typical_of_area = [next(told) for _ in of_area]
    for area, typical in enumerate(typical_of_area):
        inside = tuple(
            Topic(f"{area + 1}.{place}", learned.names[row], tuple(learned.words[row]), int(sizes[row]), next(told))
            for place, row in enumerate(np.flatnonzero(area_of == area).tolist(), start=1)
        )
        size = sum(topic.documents for topic in inside)
        words = tuple(learned.area_words[area])
        areas.append(Topic(str(area + 1), learned.area_names[area], words, size, typical, inside))
    return Topics(tuple(areas), len(rows), len(opened.numbers) - len(rows)), topic_of, strengths


def _all_vectors(opened: Opened, rows: Rows) -> Iterator[Floats]:
    """The `vectors` of some rows, rising, a block at a time."""
    for first in range(0, len(rows), _AT_A_TIME):
        yield vectors(opened, opened.documents.floats.take(rows[first : first + _AT_A_TIME]))


def _typical_rows(
    opened: Opened, rows: Rows, topic_of: Numbers, strengths: Floats, group_of: NDArray[np.integer], n: int
) -> list[list[int]]:
    """The places in `rows` of the typical documents of each group of topics: the strongest, no two nearly the same."""
    order = np.lexsort((-strengths, group_of[topic_of]))
    starts = np.searchsorted(group_of[topic_of][order], np.arange(n + 1))
    typical = []
    for first, last in itertools.pairwise(starts.tolist()):
        closest = order[first : min(last, first + _CLOSEST)]
        bits = opened.documents.bits.take(rows[closest])
        near = RADIUS * 8 * bits.shape[1]
        chosen: list[int] = []
        for place in range(len(closest)):
            apart = np.bitwise_count(bits[chosen] ^ bits[place]).sum(axis=1)
            if len(chosen) < _TYPICAL and (apart > near).all():
                chosen.append(place)
        typical.append(closest[chosen].tolist())
    return typical


def _told(
    opened: Opened, rows: Rows, strengths: Floats, typical: Sequence[Sequence[int]]
) -> Iterator[tuple[TypicalDocument, ...]]:
    """Typical documents with their ids and titles."""
    places = [place for group in typical for place in group]
    ids = opened.reader.ids(opened.documents.owners.take(rows[np.array(places, np.int64)]).tolist())
    named = dict(zip(places, zip(ids, opened.reader.titles(ids), strict=True), strict=True))
    for group in typical:
        yield tuple(TypicalDocument(*named[place], float(strengths[place])) for place in group)
