"""Topics as an index stores them, as they were learned or as a person corrected them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.explore.clustering import Clusters
from textae.index.snapshot import Snapshot

NAME = "topics"
"""Setting, and prefix of the arrays, of the stored topics."""


@dataclass(frozen=True)
class TopicModel:
    """Topics as an index stores them.

    Attributes:
        clusters: of the documents' `topic_vectors`.
        words: of each topic, the most telling first.
        names: of each topic.
        group_words: of each topic group.
        group_names: of each topic group.
        seed: of all randomness.
        found: whether the number of topics was chosen from the data.
        seeds: the lines of a person that they were learned from.
        given: places of the topics that a person named.
        given_groups: places of the topic groups that a person named.
        lost: names and seeds of a person that these topics have not.
    """

    clusters: Clusters
    words: Sequence[Sequence[str]]
    names: Sequence[str]
    group_words: Sequence[Sequence[str]]
    group_names: Sequence[str]
    seed: int
    found: bool
    seeds: Sequence[str] = ()
    given: frozenset[int] = frozenset()
    given_groups: frozenset[int] = frozenset()
    lost: tuple[str, ...] = ()

    @property
    def is_corrected(self) -> bool:
        """Whether they are not as they were learned."""
        return bool(self.given or self.given_groups) or len(self.names) < len(self.clusters.centres)

    def answers(self, n: int | None, seed: int | None) -> bool:
        """Whether these are n topics by that seed; None accepts any."""
        if n is None:
            return seed is None or (seed == self.seed and self.found)
        return n == len(self.names) and seed in (None, self.seed)

    def stored(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """The arrays and the setting that `load` reads; topic groups are called areas on disk."""
        arrays: dict[str, NDArray[Any]] = {"centres": self.clusters.centres, "area_of": self.clusters.group_of}
        setting: dict[str, Any] = {"words": self.words, "names": self.names, "area_words": self.group_words}
        setting |= {"area_names": self.group_names, "seed": self.seed, "found": self.found}
        if self.seeds:
            setting["seeds"] = list(self.seeds)
        if self.is_corrected:
            arrays["topic_of"] = self.clusters.cluster_of
            setting |= {"given": sorted(self.given), "given_areas": sorted(self.given_groups)}
        return arrays, setting

    @classmethod
    def load(cls, snapshot: Snapshot, name: str = NAME) -> "TopicModel | None":
        """The topics that an index stores under a name; None without any."""
        setting: dict[str, Any] | None = snapshot.reader.settings.get(name)
        if setting is None:
            return None
        arrays = snapshot.reader.arrays
        centres = arrays[f"{name}/centres"]
        topic_of = arrays.get(f"{name}/topic_of", np.arange(len(centres), dtype=np.int32))
        clusters = Clusters(centres, arrays[f"{name}/area_of"], topic_of)
        learned = (setting[part] for part in ("words", "names", "area_words", "area_names", "seed", "found"))
        given, given_groups = (frozenset(setting.get(part, ())) for part in ("given", "given_areas"))
        model = cls(clusters, *learned)
        return replace(model, seeds=setting.get("seeds", ()), given=given, given_groups=given_groups)

    def renamed(self, names: Mapping[int, str], group_names: Mapping[int, str]) -> "TopicModel":
        """These topics with names of a person, by places; a group of one topic has the name of that."""
        alone = self.clusters.alone()
        names = {alone[group]: name for group, name in group_names.items() if group in alone} | dict(names)
        topics = [names.get(i, name) for i, name in enumerate(self.names)]
        groups = [group_names.get(i, name) for i, name in enumerate(self.group_names)]
        for group, topic in alone.items():
            groups[group] = topics[topic] if topic in names else groups[group]
        return replace(
            self,
            names=topics,
            group_names=groups,
            given=self.given | names.keys(),
            given_groups=self.given_groups | group_names.keys(),
        )
