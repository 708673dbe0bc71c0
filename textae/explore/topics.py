"""Topics of an index: clusters of the part of a code that holds its topic, and the words that tell them apart.

Where an index has vectors of the user's own, they are clustered with it (`textae.explore.fused_codes`).

A topic is learned once and stored with the index: a centre, words and a name, nothing of any document. Documents are
assigned to the centres whenever topics are shown, so new documents join existing topics. A topic that was merged
has a centre of each of its parts.

    topics, topic_of, memberships = topics_of(snapshot, learn(snapshot))

The words of a topic go together (`textae.explore.coherence`), are likely at its centre by the decoder, and frequent in
its documents, compared with the other topics:

    √( (p - p̄)² / p̄ · (q - q̄)² / q̄ )        p: the decoder's probability of a word, q: its document frequency
                                               p̄, q̄: their means over topics

The words of a topic group tell all its topics: the geometric mean of that, weighted by documents. (With the arithmetic
mean a topic of few and rare words names the whole group.)

The decoder alone prefers words that go with a topic but that few documents write; documents alone prefer rare words.
On abstracts from arXiv, on SciFact and on the documentation of this Python, the ten words of a topic have a mean NPMI
of .26, .32, .32; by the decoder alone .23, .29, .32; by documents alone .23, .27, .29; by class-based tf-idf .21, .22,
.29. That was before words were chosen that go together.

Pictures have no words. The values of their field `label` name their topics, by (q - q̄) / √q̄ of each value; if no value
tells a topic, the title or the id of its most typical picture does.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from textae.config import check_seed
from textae.encoding.analyzer import searchable
from textae.encoding.arrays import Doubles, Floats, Ints, Rows
from textae.encoding.decoder import most_telling
from textae.encoding.encoders import Encoder
from textae.encoding.layers import unit
from textae.encoding.topk import top_k
from textae.errors import QueryError
from textae.explore.clustering import Clusters, find
from textae.explore.coherence import coherent, npmi
from textae.explore.duplicates import RADIUS
from textae.explore.fused_codes import fused
from textae.explore.known_rows import known_rows, rows_to_learn
from textae.explore.naming import apart, names, telling_names
from textae.explore.scales import label_of
from textae.explore.seeds import seed_of, starts_of
from textae.explore.topic_model import TopicModel
from textae.index.snapshot import Snapshot
from textae.index.surface_forms import forms
from textae.types import TEXTS, Progress, Topic, Topics, TypicalDocument, no_progress

Words = list[tuple[str, ...]]

MOST_TOPICS = 1_000
"""Maximum number of topics."""

LABEL = "label"
"""The field that names topics of pictures."""

_WORDS, _TYPICAL = 10, 3
_SAMPLE = 30_000  # documents that topics are learned from
_CLOSEST = 20  # documents of a topic that typical ones are chosen from
_FLOOR = 1e-4  # of the highest score: minimum score of a word in each topic of a group
_CANDIDATES = 100  # most telling words of the decoder, of each topic, that documents choose from
_READ = 5  # documents of a topic in which forms of words are counted
_LEAST_VALUE = 0.1  # of the most telling value: a value below is in a group by chance
_AT_A_TIME = 1 << 16  # documents


@dataclass(frozen=True)
class Assignment:
    """The documents that have a code, by the order of their numbers, and their topics.

    Attributes:
        rows: (n,)
        topic_of: (n,) int32.
        memberships: (n,) float32 from 0 to 1.
        sizes: (n_topics,) documents of each topic.
    """

    rows: Rows
    topic_of: Ints
    memberships: Floats
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, snapshot: Snapshot, clusters: Clusters) -> "Assignment":
        """The documents of an index, each in the nearest topic."""
        rows, floats = known_rows(snapshot), snapshot.documents.floats
        topic_of, memberships = np.empty(len(rows), np.int32), np.empty(len(rows), np.float32)
        for first in range(0, len(rows), _AT_A_TIME):
            part = slice(first, first + _AT_A_TIME)
            some = rows[part]
            topic_of[part], memberships[part] = clusters.nearest(topic_vectors(snapshot, floats.take(some), some))
        return cls(rows, topic_of, memberships, np.bincount(topic_of, minlength=len(clusters.group_of)))

    def strongest(self, n: int) -> list[NDArray[np.int64]]:
        """The places of the n documents with the highest membership of each topic."""
        order = np.lexsort((-self.memberships, self.topic_of))
        starts = np.searchsorted(self.topic_of[order], np.arange(len(self.sizes) + 1)).tolist()
        return [order[first : min(last, first + n)] for first, last in itertools.pairwise(starts)]


def learn(
    snapshot: Snapshot,
    n: int | None = None,
    seed: int = 1,
    progress: Progress = no_progress,
    lines: Sequence[str] = (),
) -> TopicModel:
    """Learn the topics of an index.

    Args:
        snapshot: the index.
        n: number of topics; None to choose it from the data.
        seed: of the sample that is clustered, and of clustering.
        progress: called for each stage.
        lines: seeds of topics that a person wants, as `textae.explore.seeds` reads them.

    Raises:
        QueryError: no document has a code; n is out of range; or a seed cannot be used.
        TextaeError: the seed is invalid.
    """
    check_seed(seed)
    generator = np.random.default_rng(seed)
    rows = rows_to_learn(snapshot, _SAMPLE, generator)
    most = min(len(rows), MOST_TOPICS)
    if n is not None and not 1 <= n <= most:
        of = f" for the {len(rows):,} documents that have a code" if most == len(rows) else ""
        raise QueryError(f"the number of topics must be from 1 to {most:,}{of}, got {n:,}")
    seeds = [seed_of(line) for line in lines]
    if len(seeds) > (n or most):
        raise QueryError(f"there are {len(seeds):,} seeds for at most {n or most:,} topics; give fewer seeds")
    vectors = topic_vectors(snapshot, snapshot.documents.floats.take(rows), rows)
    starts = starts_of(seeds, snapshot, partial(topic_vectors, snapshot), vectors) if seeds else None
    clusters = find(vectors, n, generator, progress, starts)
    if len(clusters.centres) < (least := n or len(seeds)):
        codes = len(clusters.centres)
        raise QueryError(f"{least:,} topics need as many different codes, and the documents have {codes:,}")
    progress("naming topics", 0, None)
    words, group_words = _described(snapshot, rows, clusters)
    if snapshot.modality.kind == TEXTS:
        topic_names, group_names = _names_apart(words, group_words, clusters.group_of)
    else:
        topic_names, group_names = names(words), names(group_words)
    model = TopicModel(clusters, words, topic_names, group_words, group_names, seed, n is None, lines)
    wanted = {place: one.name for place, one in zip(clusters.seeded.tolist(), seeds, strict=True) if one.name}
    return replace(model.renamed(wanted, {}), given=frozenset())  # as they are learned, nothing is corrected


def _described(snapshot: Snapshot, rows: Rows, clusters: Clusters) -> tuple[Words, Words]:
    """The words of each topic and of each topic group."""
    describe = _words if snapshot.modality.kind == TEXTS else _labels
    return describe(snapshot, rows, clusters, Assignment.of(snapshot, clusters))


def words_of(snapshot: Snapshot, clusters: Clusters, seed: int) -> Words:
    """The words of each topic, of clusters that were not learned as they are; the seed is that of the sample."""
    rows = rows_to_learn(snapshot, _SAMPLE, np.random.default_rng(seed))
    return _described(snapshot, rows, clusters)[0]


def _names_apart(words: Words, group_words: Words, group_of: Ints) -> tuple[list[str], list[str]]:
    """Names of topics and of groups, all without a word of another; a group of one topic has the name of that."""
    sizes = np.bincount(group_of, minlength=len(group_words)).tolist()
    several = [row if size > 1 else () for row, size in zip(group_words, sizes, strict=True)]
    own = names(apart([*several, *words]))
    of_topics, of_groups = own[len(several) :], own[: len(several)]
    firsts = np.searchsorted(group_of, np.arange(len(several))).tolist()
    return of_topics, [
        name if size > 1 else of_topics[first] for name, size, first in zip(of_groups, sizes, firsts, strict=True)
    ]


def topic_vectors(snapshot: Snapshot, floats: NDArray[np.floating], rows: Rows | None = None) -> Floats:
    """The vectors that are clustered: the direction of the topic part of codes, if they have one; else whole codes.

    With the instance part, or that alone, clusters agree no better with labels and take five times as long. The user's
    own vectors stand beside them.

    Args:
        snapshot: the index.
        floats: (n, dims), codes.
        rows: (n,) of the documents that have the codes; None for texts.
    """
    encoder, codes = snapshot.model.encoder, floats.astype(np.float32)
    # -0: all, of codes without a topic part. Codes of a deep stack have any length.
    parts = unit(codes[:, -len(encoder.topic_mean) :]) if isinstance(encoder, Encoder) else codes
    return fused(snapshot, parts, codes, rows)


def topics_of(snapshot: Snapshot, model: TopicModel) -> tuple[Topics, Ints, Floats]:
    """The topics of the documents of an index.

    Args:
        snapshot: the index.
        model: its topics.

    Returns:
        The topics; of each document that has a code, in the order of their numbers, the place of its topic in
        `leaves`, (n,) int32; and its membership in that topic, (n,) float32 from 0 to 1.
    """
    assignment = Assignment.of(snapshot, model.clusters)
    typical = _typical(snapshot, assignment)
    groups = []
    for group, name in enumerate(model.group_names):
        topics = tuple(
            Topic(f"{group + 1}.{n}", model.names[i], tuple(model.words[i]), int(assignment.sizes[i]), typical[i])
            for n, i in enumerate(np.flatnonzero(model.clusters.group_of == group).tolist(), start=1)
        )
        in_turn = itertools.chain.from_iterable(itertools.zip_longest(*(topic.typical for topic in topics)))
        most_typical = tuple(itertools.islice(filter(None, in_turn), _TYPICAL))
        documents = sum(topic.documents for topic in topics)
        groups.append(Topic(str(group + 1), name, tuple(model.group_words[group]), documents, most_typical, topics))
    n = len(assignment.rows)
    topics_now = Topics(tuple(groups), n, len(snapshot.numbers) - n, model.lost)
    return topics_now, assignment.topic_of, assignment.memberships


def _typical(snapshot: Snapshot, assignment: Assignment) -> list[tuple[TypicalDocument, ...]]:
    """The documents with the highest membership of each topic, without near-duplicates of each other."""
    chosen = []
    for places in assignment.strongest(_CLOSEST):
        bits = snapshot.documents.bits.take(assignment.rows[places])
        apart: list[int] = []
        for i in range(len(places)):
            distances = np.bitwise_count(bits[apart] ^ bits[i]).sum(axis=1)
            if len(apart) < _TYPICAL and (distances > RADIUS * 8 * bits.shape[1]).all():
                apart.append(i)
        chosen.append(places[apart])
    every = np.concatenate(chosen)
    ids = snapshot.reader.ids(snapshot.documents.doc_numbers.take(assignment.rows[every]).tolist())
    typical = map(TypicalDocument, ids, snapshot.reader.titles(ids), assignment.memberships[every].tolist())
    return [tuple(itertools.islice(typical, len(places))) for places in chosen]


def _words(snapshot: Snapshot, rows: Rows, clusters: Clusters, assignment: Assignment) -> tuple[Words, Words]:
    """The most telling words of each topic and of each topic group."""
    terms, telling = _telling(snapshot, _probabilities(snapshot, rows, clusters), assignment)
    scores = list(telling)
    for group in range(int(clusters.group_of[-1]) + 1):  # the geometric mean of its topics
        inside = clusters.group_of == group
        weights = (assignment.sizes[inside] + 1) / (assignment.sizes[inside] + 1).sum()
        floor = _FLOOR * telling[inside].max(initial=0) + np.finfo(np.float64).tiny  # else one topic could veto a word
        scores.append(np.exp(weights @ np.log(telling[inside] + floor)) - floor)
    best = [top_k(row.astype(np.float32), 3 * _WORDS) for row in scores]
    columns = np.unique(np.concatenate(best))
    values, places = npmi(snapshot, terms[columns], assignment.rows), [np.searchsorted(columns, one) for one in best]
    ranked = [
        terms[one[coherent(row[one], values[np.ix_(place, place)], 2 * _WORDS)]].tolist()
        for row, one, place in zip(scores, best, places, strict=True)
    ]
    typical = np.concatenate(assignment.strongest(_READ))
    documents = snapshot.reader.documents(snapshot.documents.doc_numbers.take(assignment.rows[typical]).tolist())
    form_of = forms(snapshot, set(itertools.chain.from_iterable(ranked)), map(searchable, documents))
    stem_of = snapshot.model.vectorizer.vocabulary.term
    words = [telling_names(map(stem_of, row), form_of, _WORDS) for row in ranked]
    return words[: len(telling)], words[len(telling) :]


def _probabilities(snapshot: Snapshot, rows: Rows, clusters: Clusters) -> Floats:
    """The decoder's probabilities of all words at the mean code of each topic: (n_topics, n_terms)."""
    floats = snapshot.documents.floats.take(rows).astype(np.float32)
    topic_of, _ = clusters.nearest(topic_vectors(snapshot, floats, rows))
    sums = np.zeros((len(clusters.group_of), floats.shape[1]), np.float32)
    np.add.at(sums, topic_of, floats)
    means: Floats = sums / np.maximum(np.bincount(topic_of, minlength=len(sums)), 1).astype(np.float32)[:, None]
    # The default decoder has learned codes of unit length; codes of a deep stack have any length.
    return snapshot.decoder.words(unit(means) if isinstance(snapshot.model.encoder, Encoder) else means)


def _telling(snapshot: Snapshot, probabilities: Floats, assignment: Assignment) -> tuple[Rows, Doubles]:
    """The candidate terms, and the score of each in each topic: (n_topics, n_terms)."""
    k, n_terms = probabilities.shape
    usual = probabilities.mean(axis=0, dtype=np.float64) if k > 1 else np.full(n_terms, 1 / n_terms)
    terms = np.unique(np.concatenate([most_telling(row, usual, _CANDIDATES) for row in probabilities]))
    telling = _excess(probabilities[:, terms], usual[terms])
    if k > 1:  # the documents of a single topic hold no term more often than usual
        topic_of_row = np.full(len(snapshot.documents.doc_numbers), k)  # k: removed, or without a code
        topic_of_row[assignment.rows] = assignment.topic_of
        counts = np.zeros((k + 1, len(terms)))
        for start, segment in zip(snapshot.documents.doc_numbers.starts, snapshot.segments, strict=False):
            for i, (documents, _) in enumerate(segment.documents.postings.find(terms.astype(np.int32)).lists):
                counts[:, i] += np.bincount(topic_of_row[start + documents], minlength=k + 1)
        frequencies = counts[:k] / np.maximum(assignment.sizes, 1)[:, None]  # of documents of a topic with a term
        both = telling * _excess(frequencies, frequencies.mean(axis=0))
        telling = np.where(both.any(axis=1, keepdims=True), both, telling)
    return terms, telling


def _excess(p: NDArray[np.floating], mean: Doubles) -> Doubles:
    """(p - p̄) / √p̄ where p is above its mean, else 0."""
    excess: Doubles = np.maximum(p - mean, 0) / np.sqrt(np.maximum(mean, np.finfo(np.float32).tiny))
    return excess


def _labels(snapshot: Snapshot, _: Rows, clusters: Clusters, assignment: Assignment) -> tuple[Words, Words]:
    """The telling labels of each topic of pictures and of each group; else the most typical picture.

    A group without a telling label is called like its largest topic.
    """
    fields = itertools.compress(snapshot.reader.field(LABEL).values(), snapshot.codes.has_code.tolist())
    labels, n_groups = list(map(label_of, fields)), int(clusters.group_of[-1]) + 1
    telling = telling_values(labels, assignment.topic_of, len(clusters.group_of))
    pairs = zip(telling, _typical(snapshot, assignment), strict=True)
    words = [row or tuple(one.title or one.id for one in documents[:1]) for row, documents in pairs]
    largest = [int(np.where(clusters.group_of == i, assignment.sizes, -1).argmax()) for i in range(n_groups)]
    of_groups = telling_values(labels, clusters.group_of[assignment.topic_of], n_groups)
    return words, [row or words[topic] for row, topic in zip(of_groups, largest, strict=True)]


def telling_values(values: Sequence[str | None], group_of: NDArray[np.integer], n_groups: int) -> Words:
    """The values that groups have more often than others, the most telling first; of a single group the most frequent.

        (q - q̄) / √q̄        q: the share of a group's documents with the value; q̄: of all documents

    >>> telling_values(["3", "3", "5", "8", "8", None], np.array([0, 0, 0, 1, 1, 2]), 3)
    [('3', '5'), ('8',), ()]

    Args:
        values: of n documents, None for none.
        group_of: (n,) from 0 to n_groups - 1.
        n_groups: number of groups, some of them maybe empty.

    Returns:
        At most ten values of each group.
    """
    labels = sorted({value for value in values if value is not None})
    column = {label: number for number, label in enumerate(labels)}
    counts = np.zeros((n_groups, len(labels)))
    cells = [(group, column[value]) for value, group in zip(values, group_of, strict=True) if value is not None]
    np.add.at(counts, tuple(np.array(cells, np.int64).reshape(-1, 2).T), 1)
    usual = counts.sum(axis=0) / max(1, len(values))
    frequencies = counts / np.maximum(np.bincount(group_of, minlength=n_groups), 1)[:, None]
    telling = (frequencies - usual if n_groups > 1 else frequencies) / np.sqrt(usual)
    ranked = np.argsort(-telling, axis=1, kind="stable")[:, :_WORDS].tolist()
    least = np.maximum(_LEAST_VALUE * telling.max(axis=1, initial=0), np.finfo(np.float64).tiny)
    return [tuple(labels[i] for i in row if telling[g, i] >= least[g]) for g, row in enumerate(ranked)]
