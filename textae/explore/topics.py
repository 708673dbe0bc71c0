"""Topics of an index: clusters of what its codes say documents are about, and the words that tell them apart.

A topic is learned once and kept with the index: a centre, words and a name, nothing of any document. What belongs to it
is worked out from the documents that are there, so documents that are added come to the topics that were found before.

    found, topic_of, strengths = topics_of(opened, learn(opened))

Words are those that the decoder says at a topic's centre and that its documents hold, both beside the other topics:

    √( (p - p̄)² / p̄ · (q - q̄)² / q̄ )        p: the decoder's share of a word, q: the share of documents that hold it
                                               p̄, q̄: their means over topics

An area's words are those that are telling of all its topics, by the geometric mean of that, weighted by documents. (By
the arithmetic one a topic of few and rare words names the area that it is in.)

The decoder alone likes words that go with a topic and that few of its documents write, documents alone rare ones. (Of
abstracts from arXiv, of SciFact and of the documentation of this Python, the ten words of a topic go together better
than those of either, and of class-based tf-idf: mean NPMI .26, .32, .32; by the decoder alone .23, .29, .32, by
documents alone .23, .27, .29, by class-based tf-idf .21, .22, .29.)

Pictures have no words. Their topics are named by what their field `label` says (`textae.explore.naming`), and where
that tells nothing by the title or the id of the most typical one.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.config import check_seed
from textae.encoding.analyzer import searchable
from textae.encoding.arrays import Floats, Rows
from textae.encoding.decoder import most_telling
from textae.encoding.encoders import Encoder
from textae.encoding.layers import unit
from textae.encoding.topk import top_k
from textae.errors import QueryError
from textae.explore import clustering as clusters
from textae.explore.clustering import Numbers
from textae.explore.duplicates import RADIUS
from textae.explore.naming import telling_values
from textae.explore.scales import label_of
from textae.index.snapshot import Snapshot
from textae.index.surface_forms import forms
from textae.types import Progress, Topic, Topics, TypicalDocument

NAME = "topics"
"""Under which topics are kept."""

MOST_TOPICS = 1_000
"""That can be asked for."""

LABEL = "label"
"""The field that names topics of pictures."""

_WORDS, _IN_A_NAME, _TYPICAL = 10, 3, 3
_SAMPLE = 30_000  # documents of which topics are learned
_CLOSEST = 20  # documents of a topic among which typical ones are looked for
_FLOOR = 1e-4  # of the most telling word: how telling a word at least is of each topic of an area
_CANDIDATES = 100  # words of a topic that the decoder says, among which documents choose
_READ = 5  # documents of a topic in which forms of words are looked for
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


def kept(snapshot: Snapshot) -> Learned | None:
    """The topics that were learned before; None where none were."""
    said: Mapping[str, Any] | None = snapshot.reader.settings.get(NAME)
    if said is None:
        return None
    arrays = snapshot.reader.arrays
    return Learned(clusters.Clusters(arrays[f"{NAME}/centres"], arrays[f"{NAME}/area_of"]), **said)


def _silent(stage: str, done: int, total: int | None) -> None:
    pass


def learn(snapshot: Snapshot, n: int | None = None, seed: int = 1, progress: Progress = _silent) -> Learned:
    """Find the topics of an index.

    Args:
        snapshot: the index.
        n: topics; None to find their number.
        seed: of the sample that is clustered, and of clustering.
        progress: told of each stage.

    Raises:
        QueryError: no document has a code; or there cannot be n topics.
        TextaeError: the seed cannot be.
    """
    check_seed(seed)
    rows = known_rows(snapshot)
    _check_number(n, len(rows))
    generator = np.random.default_rng(seed)
    if len(rows) > _SAMPLE:
        rows = rows[np.sort(generator.choice(len(rows), _SAMPLE, replace=False))]
    floats = snapshot.documents.floats.take(rows).astype(np.float32)
    found = clusters.find(vectors(snapshot, floats), n, generator, progress)
    if n is not None and len(found.centres) < n:
        raise QueryError(f"{n:,} topics were asked for, and the documents have {len(found.centres):,} different codes")
    progress("naming topics", 0, None)
    words, area_words = _words(snapshot, floats, found) if snapshot.shape is None else _labels(snapshot, found)
    return Learned(found, words, _names(words), area_words, _names(area_words), seed, n is None)


def _check_number(n: int | None, n_documents: int) -> None:
    if not n_documents:
        raise QueryError("no document of this index has a code: the encoder knows none of their words")
    most = min(n_documents, MOST_TOPICS)
    if n is not None and not 1 <= n <= most:
        of = f" for the {n_documents:,} documents that have a code" if most == n_documents else ""
        raise QueryError(f"{n:,} topics were asked for; give 1 to {most:,}{of}")


def vectors(snapshot: Snapshot, floats: NDArray[np.floating]) -> Floats:
    """What is clustered of float codes: the direction of their topics, where they have such a part; else all of them.

    With the part for answers, or that alone, clusters agree no better with labels and take five times as long.
    """
    encoder = snapshot.model.encoder
    if not isinstance(encoder, Encoder):  # of a deep stack, whose codes have any length
        return floats.astype(np.float32)
    return unit(floats[:, -len(encoder.topic_mean) :].astype(np.float32))  # all, where there are no topics


def known_rows(snapshot: Snapshot) -> Rows:
    """The rows of the documents that are there and have a code."""
    known, alive = snapshot.documents.has_code.whole(), snapshot.documents.alive
    return np.flatnonzero(known if alive is None else known & alive)


Words = list[tuple[str, ...]]


def _words(snapshot: Snapshot, floats: Floats, found: clusters.Clusters) -> tuple[Words, Words]:
    """The most telling words of each topic and of each area."""
    rows, topic_of, strengths = _assigned(snapshot, found.centres)
    sizes = np.bincount(topic_of, minlength=len(found.centres))
    terms, telling = _telling(snapshot, _said_at_centres(snapshot, floats, found), rows, topic_of)
    of_areas = [found.area_of == area for area in range(int(found.area_of[-1]) + 1)]
    shared = [_of_all(telling[area], sizes[area]) for area in of_areas]
    ranked = [terms[top_k(row.astype(np.float32), 2 * _WORDS)].tolist() for row in (*telling, *shared)]
    written = _written(snapshot, set(itertools.chain.from_iterable(ranked)), rows, topic_of, strengths)
    words = [_distinct(list(map(written, row))) for row in ranked]
    return words[: len(telling)], words[len(telling) :]


def _labels(snapshot: Snapshot, found: clusters.Clusters) -> tuple[Words, Words]:
    """What the labels of each topic's pictures say, and of each area's; where they say nothing, the most typical one.

    Such an area is called as its largest topic is.
    """
    rows, topic_of, strengths = _assigned(snapshot, found.centres)
    fields = itertools.compress(snapshot.reader.field(LABEL).values(), snapshot.codes.has_code.tolist())
    values, k, n_areas = list(map(label_of, fields)), len(found.centres), int(found.area_of[-1]) + 1
    typical = _typical(snapshot, rows, topic_of, strengths, k)
    names = [tuple(one.title or one.id for one in documents[:1]) for documents in typical]
    words = [said or name for said, name in zip(telling_values(values, topic_of, k), names, strict=True)]
    sizes = np.bincount(topic_of, minlength=k)
    largest = [int(np.where(found.area_of == area, sizes, -1).argmax()) for area in range(n_areas)]
    of_areas = telling_values(values, found.area_of[topic_of], n_areas)
    return words, [said or words[topic] for said, topic in zip(of_areas, largest, strict=True)]


def _telling(snapshot: Snapshot, said: Floats, rows: Rows, topic_of: Numbers) -> tuple[Rows, NDArray[np.float64]]:
    """Terms of which some topic says more than others, and how telling each is of each topic: (k, n_terms)."""
    k, n_terms = said.shape
    usual = said.mean(axis=0, dtype=np.float64) if k > 1 else np.full(n_terms, 1 / n_terms)
    terms = np.unique(np.concatenate([most_telling(share, usual, _CANDIDATES) for share in said]))
    telling = _excess(said[:, terms], usual[terms])
    if k > 1:  # of a single topic documents hold nothing more than usual
        held = _held(snapshot, terms, rows, topic_of, k)
        both = telling * _excess(held, held.mean(axis=0))
        telling = np.where(both.any(axis=1, keepdims=True), both, telling)
    return terms, telling


def _of_all(telling: NDArray[np.float64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """How telling each term is of topics together, their geometric mean by size: (k, n_terms) to (n_terms,)."""
    floor = _FLOOR * telling.max(initial=0) + np.finfo(np.float64).tiny  # else one topic without a word forbids it
    weights = (sizes + 1) / (sizes + 1).sum()
    mean: NDArray[np.float64] = np.exp(weights @ np.log(telling + floor)) - floor
    return mean


def _said_at_centres(snapshot: Snapshot, floats: Floats, found: clusters.Clusters) -> Floats:
    """The decoder's words at the centre of each topic: (k, n_terms)."""
    topic_of, _ = clusters.nearest(vectors(snapshot, floats), found.centres)
    sums = np.zeros((len(found.centres), floats.shape[1]), np.float32)
    np.add.at(sums, topic_of, floats)
    sizes = np.maximum(np.bincount(topic_of, minlength=len(sums)), 1).astype(np.float32)
    means: Floats = sums / sizes[:, None]
    if isinstance(snapshot.model.encoder, Encoder):  # codes of unit length are what its decoder has learned
        means = unit(means)
    return snapshot.decoder.words(means)


def _held(snapshot: Snapshot, terms: Rows, rows: Rows, topic_of: Numbers, k: int) -> NDArray[np.float64]:
    """The share of each topic's documents that hold each term: (k, n_terms)."""
    topic_of_row = np.full(len(snapshot.documents.doc_numbers), k)  # the last for what is removed, or has no code
    topic_of_row[rows] = topic_of
    held = np.zeros((k + 1, len(terms)))
    for start, segment in zip(snapshot.documents.doc_numbers.starts, snapshot.segments, strict=False):
        lists = segment.documents.postings.find(terms.astype(np.int32)).lists
        for place, (documents, _) in enumerate(lists):
            held[:, place] += np.bincount(topic_of_row[start + documents], minlength=k + 1)
    shares: NDArray[np.float64] = held[:k] / np.maximum(np.bincount(topic_of, minlength=k), 1)[:, None]
    return shares


def _excess(share: NDArray[np.floating], usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """(p - p̄) / √p̄ where p is more than usual, and nothing where it is not."""
    excess: NDArray[np.float64] = np.maximum(share - usual, 0) / np.sqrt(np.maximum(usual, np.finfo(np.float32).tiny))
    return excess


def _written(
    snapshot: Snapshot, terms: set[int], rows: Rows, topic_of: Numbers, strengths: Floats
) -> Callable[[int], str]:
    """How documents write terms, the strongest of each topic before all."""
    order = np.lexsort((-strengths, topic_of))
    first = np.flatnonzero(np.diff(topic_of[order], prepend=-1))
    strongest = np.unique(np.minimum(first[:, None] + np.arange(_READ), len(order) - 1))
    documents = snapshot.reader.documents(snapshot.documents.doc_numbers.take(rows[order[strongest]]).tolist())
    form_of = forms(snapshot, terms, map(searchable, documents))
    stem_of = snapshot.model.vectorizer.vocabulary.term
    return lambda term: form_of.get(stem_of(term), stem_of(term))


def _distinct(words: Sequence[str]) -> tuple[str, ...]:
    """The first words of which none is nearly another, nor a number."""
    chosen: list[str] = []
    for word in words:
        is_a_word = not word.isdecimal() and (len(word) > 1 or not word.isascii())
        if is_a_word and not any(_alike(word, other) for other in chosen):
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
        possible = [", ".join([*begun, last]) for last in row[_IN_A_NAME - 1 :]] or [", ".join(row) or "unnamed"]
        numbered = (f"{possible[0]} ({number})" for number in itertools.count(2))
        names.append(next(name for name in itertools.chain(possible, numbered) if name not in names))
    return names


def topics_of(snapshot: Snapshot, learned: Learned) -> tuple[Topics, Numbers, Floats]:
    """The topics of the documents that are there.

    Args:
        snapshot: the index.
        learned: of it.

    Returns:
        The topics; and of each document that has a code, in the order of their numbers, the place of its topic in
        `leaves`, (n_known,) int32, and how much it belongs to it, (n_known,) float32 from 0 to 1.
    """
    rows, topic_of, strengths = _assigned(snapshot, learned.clusters.centres)
    k = len(learned.names)
    sizes = np.bincount(topic_of, minlength=k)
    typical = _typical(snapshot, rows, topic_of, strengths, k)
    areas = []
    for area, name in enumerate(learned.area_names):
        inside = tuple(
            Topic(f"{area + 1}.{place}", learned.names[row], tuple(learned.words[row]), int(sizes[row]), typical[row])
            for place, row in enumerate(np.flatnonzero(learned.clusters.area_of == area).tolist(), start=1)
        )
        in_turn = itertools.chain.from_iterable(itertools.zip_longest(*(topic.typical for topic in inside)))
        most_typical = tuple(itertools.islice(filter(None, in_turn), _TYPICAL))
        documents = sum(topic.documents for topic in inside)
        areas.append(Topic(str(area + 1), name, tuple(learned.area_words[area]), documents, most_typical, inside))
    return Topics(tuple(areas), len(rows), len(snapshot.numbers) - len(rows)), topic_of, strengths


def _assigned(snapshot: Snapshot, centres: Floats) -> tuple[Rows, Numbers, Floats]:
    """The rows of the documents that have a code, the topic of each, and how much it belongs to it."""
    rows = known_rows(snapshot)
    topic_of, strengths = np.empty(len(rows), np.int32), np.empty(len(rows), np.float32)
    for first in range(0, len(rows), _AT_A_TIME):
        some = slice(first, first + _AT_A_TIME)
        topic_of[some], strengths[some] = clusters.nearest(
            vectors(snapshot, snapshot.documents.floats.take(rows[some])), centres
        )
    return rows, topic_of, strengths


def _typical(
    snapshot: Snapshot, rows: Rows, topic_of: Numbers, strengths: Floats, k: int
) -> list[tuple[TypicalDocument, ...]]:
    """The typical documents of each topic: those that belong to it most, no two of them nearly the same."""
    order = np.lexsort((-strengths, topic_of))
    starts = np.searchsorted(topic_of[order], np.arange(k + 1)).tolist()
    places = [_apart(snapshot, rows, order[first : min(last, first + _CLOSEST)]) for first, last in pairwise(starts)]
    every = np.array([place for group in places for place in group], np.int64)
    ids = snapshot.reader.ids(snapshot.documents.doc_numbers.take(rows[every]).tolist())
    told = map(TypicalDocument, ids, snapshot.reader.titles(ids), strengths[every].tolist())
    return [tuple(itertools.islice(told, len(group))) for group in places]


def _apart(snapshot: Snapshot, rows: Rows, places: NDArray[np.int64]) -> list[int]:
    """The first few places of rows of which no two have nearly the same bits."""
    bits = snapshot.documents.bits.take(rows[places])
    near = RADIUS * 8 * bits.shape[1]
    chosen: list[int] = []
    for place in range(len(places)):
        if len(chosen) < _TYPICAL and (np.bitwise_count(bits[chosen] ^ bits[place]).sum(axis=1) > near).all():
            chosen.append(place)
    return [int(place) for place in places[chosen]]
