"""The topics that an index keeps: learned once, corrected by hand, carried over where others are learned.

The learned topics stay as they are. The corrected ones are kept beside them, so that corrections can be taken back. A
merged topic keeps the centres of its parts, so that it has exactly their documents.

Other topics take a name over if one of them has mostly the same documents: more than half of the documents of each are
in the other. Topics that have more than half of their documents in a merged one, and together more than half of its
documents, are merged. Training changes all codes, so it keeps which documents a corrected topic had.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

import numpy as np

from textae.encoding.arrays import Floats, Ints, Rows
from textae.errors import QueryError, StoreError
from textae.explore.clustering import Clusters
from textae.explore.naming import IN_A_NAME, check_new_name
from textae.explore.seeds import checked, codes_of, seed_of
from textae.explore.topic_model import NAME, TopicModel
from textae.explore.topics import Assignment, learn, topics_of, words_of
from textae.index.derived import keep
from textae.index.snapshot import Snapshot
from textae.index.writer import UpdateWriter
from textae.types import Progress, Topic, Topics, no_progress

_CORRECTED, _CARRIED = f"{NAME}/corrected", f"{NAME}/carried"


class TopicOptions(TypedDict, total=False):
    """How topics are learned, and corrected by hand; the index keeps it.

    Attributes:
        progress: called at each stage of learning.
        reset: whether to forget seeds and what was renamed and merged, before anything else.
        seeds: lines as `textae.explore.seeds` reads them, of topics that a person wants; None for those that are kept.
        rename: the new name of each topic or area, by its id or name as shown.
        merge: ids or names of topics that become one, in the place of the first; an area stands for its topics.
        name: of the merged topic; None for the first name that a person gave to one of them, else by its documents.
    """

    progress: Progress
    reset: bool
    seeds: Sequence[str] | None
    rename: Mapping[str, str]
    merge: Sequence[str]
    name: str | None


def kept_topics(
    snapshot: Snapshot, n: int | None = None, seed: int | None = None, **options: Unpack[TopicOptions]
) -> tuple[Topics, Ints, Floats]:
    """The topics that the index keeps, or new ones, which it then keeps; added documents join them.

    Args:
        snapshot: the index.
        n: number of topics; None for those that are kept, else chosen by split-half agreement.
        seed: of clustering; None for that of those that are kept, else 1.
        options: of learning, and corrections by hand.

    Returns:
        As `textae.explore.topics.topics_of`.

    Raises:
        QueryError: no document has a code; there cannot be n topics; a seed cannot be used; no topic has an id or name;
            a name cannot be one, or another topic has it; or a topic alone is merged. Nothing is renamed or merged.
        TextaeError: the seed is out of range.
        StoreError: another process is writing to the index; or corrections cannot be kept.
    """
    pair, reset, seeds = _stored(snapshot), options.get("reset", False), options.get("seeds")
    lines = checked(seeds) if seeds is not None else [] if reset else None
    if pair is None or not pair[0].answers(n, seed) or lines not in (None, list(pair[0].seeds)):
        pair = _anew(snapshot, n, 1 if seed is None else seed, lines, options.get("progress", no_progress))
        topics_of(snapshot, pair[1])  # before it is kept: what cannot be shown is not kept
        _keep(snapshot, *pair)
    learned, shown = pair
    if reset and shown is not learned:
        shown = replace(learned, lost=())
        _keep(snapshot, learned, shown, by_hand=True)
    rename, merge = options.get("rename", {}), options.get("merge", ())
    if rename or merge:
        shown = _corrected(snapshot, shown, rename, merge, options.get("name"))
        _keep(snapshot, learned, shown, by_hand=True)
    return topics_of(snapshot, shown)


def _stored(snapshot: Snapshot) -> tuple[TopicModel, TopicModel] | None:
    """The topics as they were learned and as they are shown; None without any."""
    if (learned := TopicModel.load(snapshot)) and NAME not in snapshot.learned:
        snapshot.learned[NAME] = learned, TopicModel.load(snapshot, _CORRECTED) or learned
    pair: tuple[TopicModel, TopicModel] | None = snapshot.learned.get(NAME)
    return pair


def _keep(snapshot: Snapshot, learned: TopicModel, shown: TopicModel, *, by_hand: bool = False) -> None:
    arrays, setting = learned.stored()
    settings = {NAME: setting}
    if shown.is_corrected:
        corrected, settings[_CORRECTED] = shown.stored()
        arrays |= {f"corrected/{name}": array for name, array in corrected.items()}
    if not keep(snapshot, NAME, arrays, settings) and by_hand:
        raise StoreError(f"the topics were not changed: the index {snapshot.reader.folder} cannot be written to")
    snapshot.learned[NAME] = learned, shown


def _anew(
    snapshot: Snapshot, n: int | None, seed: int, lines: Sequence[str] | None, progress: Progress
) -> tuple[TopicModel, TopicModel]:
    """Topics that are learned now, and what becomes of them with the corrections of those before.

    Kept seeds that the encoder does not know any more are lost.
    """
    pair, before = _stored(snapshot), _Before.of(snapshot)
    kept = pair[0].seeds if pair else before.model.seeds if before else ()
    known = [line for line in kept if _is_known(line, snapshot)] if lines is None else lines
    lost = [line for line in kept if lines is None and line not in known]
    learned = learn(snapshot, n, seed, progress, known)
    shown = before.carried_to(learned, snapshot, lost) if before else learned
    return learned, replace(shown, lost=tuple(lost))


def _is_known(line: str, snapshot: Snapshot) -> bool:
    with suppress(QueryError):
        return codes_of(seed_of(line), snapshot) is not None
    return False


def find(topics: Topics, id: str) -> Topic:
    """The topic or area of an id, or of a name that no other has.

    Raises:
        QueryError: there is none.
    """
    if topic := topics.find(id):
        return topic
    raise QueryError(f"no topic has the id {id!r:.120}, or alone that name; 'textae topics' lists them")


def _corrected(
    snapshot: Snapshot, model: TopicModel, rename: Mapping[str, str], merge: Sequence[str], merged_name: str | None
) -> TopicModel:
    topics, _, _ = topics_of(snapshot, model)
    leaves, groups = ([topic.id for topic in some] for some in (topics.leaves, topics.groups))
    chosen = [leaf.id for topic in (find(topics, id) for id in merge) for leaf in topic.topics or (topic,)]
    places = [leaves.index(id) for id in dict.fromkeys(chosen)]
    if len(places) == 1:
        raise QueryError(f"the topic {chosen[0]} cannot be merged alone; give two or more")
    new = {find(topics, id).id: check_new_name(name) for id, name in rename.items()}
    if places and merged_name is not None:
        new[chosen[0]] = check_new_name(merged_name)
    model = model.renamed(
        {leaves.index(id): name for id, name in new.items() if id in leaves},
        {groups.index(id): name for id, name in new.items() if id in groups},
    )
    if places:
        model = _merged(snapshot, model, [places])
    alone = model.clusters.alone()
    names = [*model.names, *(name for group, name in enumerate(model.group_names) if group not in alone)]
    if twice := [name for name in new.values() if names.count(name) > 1]:
        raise QueryError(f"two topics would have the name {twice[0]!r}; give each a name of its own")
    return model


def _merged(snapshot: Snapshot, model: TopicModel, sets: Sequence[Sequence[int]]) -> TopicModel:
    """Topics with those of each set as one, in the place of the first."""
    into = np.arange(len(model.names))
    for first, *others in sets:
        into[others] = first
    staying, place_of = np.unique(into, return_inverse=True)
    groups, group_of = np.unique(model.clusters.group_of[staying], return_inverse=True)
    topic_of = place_of[model.clusters.cluster_of].astype(np.int32)
    order = np.argsort(topic_of, kind="stable")
    clusters = Clusters(model.clusters.centres[order], group_of.astype(np.int32), topic_of[order])
    words, names = [model.words[i] for i in staying], [model.names[i] for i in staying]
    group_words, group_names = [model.group_words[i] for i in groups], [model.group_names[i] for i in groups]
    new_words, alone = words_of(snapshot, clusters, model.seed), clusters.alone()
    for places in sets:
        at = int(place_of[places[0]])
        words[at] = new_words[at]
        areas = [name for group, name in enumerate(group_names) if alone.get(group) != at]
        taken = set(", ".join([*names[:at], *names[at + 1 :], *areas]).split(", "))
        own = [word for word in words[at] if word not in taken] or words[at]
        by_hand = (model.names[i] for i in places if i in model.given)
        names[at] = next(by_hand, ", ".join(own[:IN_A_NAME]))
    given = {int(place_of[i]) for i in model.given}
    given_groups = {at for at, i in enumerate(groups.tolist()) if i in model.given_groups}
    for group, topic in alone.items():
        if group in given_groups and topic not in given:
            names[topic] = group_names[group]
            given.add(topic)
        group_names[group], group_words[group] = names[topic], words[topic]
    named: dict[str, Any] = {"words": words, "names": names, "group_words": group_words, "group_names": group_names}
    return replace(model, clusters=clusters, given=frozenset(given), given_groups=frozenset(given_groups), **named)


@dataclass(frozen=True)
class _Before:
    """Topics that were corrected, or learned from seeds, and the documents that they had.

    Attributes:
        model: the topics.
        numbers: (n,) of the documents, rising.
        topic_of: (n,) int32, their topics.
    """

    model: TopicModel
    numbers: Rows
    topic_of: Ints

    @classmethod
    def of(cls, snapshot: Snapshot) -> "_Before | None":
        """Those of an index, or those before it was trained; None if nobody corrected any."""
        if pair := _stored(snapshot):
            if not (pair[1].is_corrected or pair[1].seeds):
                return None
            assignment = Assignment.of(snapshot, pair[1].clusters)
            numbers = snapshot.documents.doc_numbers.take(assignment.rows)
            return cls(pair[1], numbers, assignment.topic_of)
        model, arrays = TopicModel.load(snapshot, _CARRIED), snapshot.reader.arrays
        return cls(model, arrays[f"{_CARRIED}/numbers"], arrays[f"{_CARRIED}/documents"]) if model else None

    def carried_to(self, learned: TopicModel, snapshot: Snapshot, lost: list[str]) -> TopicModel:
        """Other topics, corrected in the same way; adds the names of what cannot be carried over to `lost`."""
        model, assignment = self.model, Assignment.of(snapshot, learned.clusters)
        numbers = snapshot.documents.doc_numbers.take(assignment.rows)
        _, old, new = np.intersect1d(self.numbers, numbers, assume_unique=True, return_indices=True)
        both = np.zeros((len(model.names), len(learned.names)), np.int64)  # documents of an old topic and a new one
        np.add.at(both, (self.topic_of[old], assignment.topic_of[new]), 1)
        names: dict[int, str] = {}
        sets: list[list[int]] = []
        for topic, n_parts in enumerate(np.bincount(model.clusters.cluster_of).tolist()):
            inside = np.flatnonzero(2 * both[topic] > both.sum(axis=0))  # and in no other old topic
            if n_parts == 1:
                inside = inside[np.argsort(-both[topic, inside], kind="stable")[:1]]
            if 2 * both[topic, inside].sum() > both[topic].sum():
                sets += [inside.tolist()] if len(inside) > 1 else []
                names |= {int(inside[0]): model.names[topic]} if topic in model.given else {}
            elif topic in model.given or n_parts > 1:
                lost.append(model.names[topic])
        old_group, new_group = model.clusters.group_of, learned.clusters.group_of
        of_groups = np.zeros((int(old_group[-1]) + 1, int(new_group[-1]) + 1), np.int64)
        np.add.at(of_groups, (old_group[:, None], new_group), both)
        group_names: dict[int, str] = {}
        for group in sorted(model.given_groups):
            best, name = int(of_groups[group].argmax()), model.group_names[group]
            if 2 * of_groups[group, best] > max(of_groups[group].sum(), of_groups[:, best].sum()):
                group_names[best] = name
            else:
                lost.append(name)
        there = {*learned.names, *learned.group_names}  # a seed has taken the name
        of_seeds = () if learned.seeds == model.seeds else learned.clusters.seeded  # new ones name their topics
        shown = learned.renamed(
            {topic: name for topic, name in names.items() if name not in there and topic not in of_seeds},
            {group: name for group, name in group_names.items() if name not in there},
        )
        return _merged(snapshot, shown, sets) if sets else shown


def carry(writer: UpdateWriter, snapshot: Snapshot) -> None:
    """Write what a person corrected, to be carried over to the topics of other codes.

    Args:
        writer: of an index that was trained again.
        snapshot: of the index before.
    """
    if before := _Before.of(snapshot):
        arrays, setting = before.model.stored()
        arrays["topic_of"] = before.model.clusters.cluster_of
        arrays |= {"numbers": before.numbers, "documents": before.topic_of}
        writer.put_all(f"{_CARRIED}/", arrays)
        writer.set(_CARRIED, setting)
