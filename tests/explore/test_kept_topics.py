"""Topics that a person corrects: names, merges and seeds are kept, carried over, and taken back."""

import shutil
from pathlib import Path

import pytest
from shared import QUICK, TOPICS, nobody, open_to_all

from textae import Document, Engine
from textae.errors import QueryError, StoreError
from textae.explore.kept_topics import kept_topics
from textae.explore.topic_model import TopicModel
from textae.explore.topics import topics_of
from textae.types import Topics

SEEDS = [f"{about}: {words}" for about, words in TOPICS.items()]


@pytest.fixture
def folder(plane_folder, tmp_path) -> Path:
    """Give an index of its own, of three topics with 20 documents each."""
    folder = shutil.copytree(plane_folder, tmp_path / "index")
    with Engine.open(folder) as engine:
        engine.topics(3)
    return folder


def told(topics: Topics) -> list[tuple[str, str, int]]:
    return [(topic.id, topic.name, topic.documents) for topic in (*topics.groups, *topics.leaves)]


def members(engine: Engine) -> dict[str, set[str]]:
    """Give the documents of each topic, by its name."""
    topics, topic_of, _ = kept_topics(engine.snapshot)
    ids = list(engine.snapshot.ids.values())
    return {
        topic.name: {id for id, of in zip(ids, topic_of.tolist(), strict=True) if of == place}
        for place, topic in enumerate(topics.leaves)
    }


class TestNames:
    def test_a_name_is_kept_and_shown_everywhere(self, folder) -> None:
        with Engine.open(folder) as engine:
            before = engine.topics()
            renamed = engine.topics(rename={"2.1": " My topic "})
            assert engine.topics() == renamed
        with Engine.open(folder) as engine:
            assert engine.topics() == engine.map().topics == renamed
            assert [topic.name for topic in renamed.leaves] == [
                before.leaves[0].name, "My topic", before.leaves[2].name,
            ]  # fmt: skip
            assert renamed.groups[1].name == "My topic"  # an area of one topic
            assert [topic.words for topic in renamed.leaves] == [topic.words for topic in before.leaves]

    def test_a_name_stands_for_its_topic(self, folder) -> None:
        with Engine.open(folder) as engine:
            engine.topics(rename={"2.1": "One"})
            assert engine.topics(rename={"One": "Two"}).leaves[1].name == "Two"
            assert engine.topics().find("Two") == engine.topics().leaves[1]

    def test_an_area_has_a_name_of_its_own(self, index_folder, tmp_path) -> None:
        with Engine.open(shutil.copytree(index_folder, tmp_path / "index")) as engine:
            before = engine.topics(12)
            area = next(area for area in before.groups if len(area.topics) > 1)
            after = engine.topics(rename={area.id: "Space"})
        assert after.find(area.id).name == "Space"
        assert [topic.name for topic in after.leaves] == [topic.name for topic in before.leaves]

    def test_documents_come_and_go_and_names_stay(self, folder) -> None:
        with Engine.open(folder) as engine:
            engine.topics(rename={"1.1": "Mine"})
            engine.add([Document("new", TOPICS["stars"])])
            engine.remove(["new"])
            assert engine.topics().leaves[0].name == "Mine"

    @pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\tb", "a\x1b[31m", "a\ud800"])
    def test_what_cannot_be_a_name(self, folder, name) -> None:
        with Engine.open(folder) as engine:
            before = engine.topics()
            with pytest.raises(QueryError, match="cannot be a name; give 1 to 100 characters that can be shown"):
                engine.topics(rename={"1.1": "Good", "2.1": name})
            assert engine.topics() == before

    def test_another_topic_has_the_name(self, folder) -> None:
        with Engine.open(folder) as engine:
            taken = engine.topics().leaves[0].name
            with pytest.raises(QueryError, match=f"two topics would have the name '{taken}'"):
                engine.topics(rename={"2.1": taken})
            with pytest.raises(QueryError, match=r"no topic has the id '9\.9', or alone that name"):
                engine.topics(rename={"9.9": "New"})


class TestMerges:
    def test_a_merged_topic_has_the_documents_of_all(self, folder) -> None:
        with Engine.open(folder) as engine:
            before = members(engine)
            first, second, third = before
            merged = engine.topics(merge=["3.1", "1.1"])
            after = members(engine)
        assert [topic.documents for topic in merged.leaves] == [20, 40]
        assert list(after.values()) == [before[second], before[first] | before[third]]  # in the place of 3.1
        assert merged.leaves[1].id == "2.1"
        assert set(merged.leaves[1].words) <= set(" ".join(TOPICS.values()).split())
        assert merged.leaves[1].name == ", ".join(merged.leaves[1].words[:3])
        assert all(0 <= one.strength <= 1 for one in merged.leaves[1].typical)

    def test_a_name_of_a_person_stays_and_a_new_one_is_taken(self, folder) -> None:
        with Engine.open(folder) as engine:
            assert engine.topics(rename={"2.1": "Mine"}, merge=["1.1", "2.1"]).leaves[0].name == "Mine"
            assert engine.topics(merge=["1.1", "2.1"], name="All").leaves[0].name == "All"
            assert told(engine.topics()) == [("1", "All", 60), ("1.1", "All", 60)]

    def test_new_documents_join_it(self, folder) -> None:
        with Engine.open(folder) as engine:
            engine.topics(merge=["1.1", "2.1"], name="Both")
            engine.add([Document(f"new-{about}", words) for about, words in TOPICS.items()])
            assert sum(id.startswith("new") for id in members(engine)["Both"]) == 2

    def test_an_area_stands_for_its_topics(self, index_folder, tmp_path) -> None:
        with Engine.open(shutil.copytree(index_folder, tmp_path / "index")) as engine:
            before = engine.topics(12)
            area = next(area for area in before.groups if len(area.topics) > 1)
            after = engine.topics(rename={area.id: "Space"}, merge=[area.id])
        assert len(after.leaves) == 13 - len(area.topics)
        assert [(one.name, one.documents) for one in after.find(area.id).topics] == [("Space", area.documents)]
        assert after.find("Space").id == f"{area.id}.1"
        assert [one.name for one in after.groups if one.id != area.id] == [
            one.name for one in before.groups if one.id != area.id
        ]

    @pytest.mark.parametrize("merge", [["1.1"], ["1", "1.1"], ["1.1", "1.1"]])
    def test_a_topic_alone_is_not_merged(self, folder, merge) -> None:
        with Engine.open(folder) as engine, pytest.raises(QueryError, match=r"1\.1 cannot be merged alone"):
            engine.topics(merge=merge)

    def test_pictures_are_merged_and_are_seeds(self, pictures_folder, tmp_path) -> None:
        with Engine.open(shutil.copytree(pictures_folder, tmp_path / "index")) as engine:
            across, *_ = engine.snapshot.ids.values()
            before = engine.topics(3, seeds=[f"Like it: id:{across}"])
            assert across in members(engine)["Like it"]
            others = [topic.id for topic in before.leaves if topic.name != "Like it"]
            after = engine.topics(merge=others)
            assert sorted(topic.documents for topic in after.leaves) == sorted(
                (before.find("Like it").documents, sum(before.find(id).documents for id in others))
            )
            with pytest.raises(QueryError, match="pictures"):
                engine.topics(seeds=["stripes"])


class TestSeeds:
    def test_each_seed_gets_its_documents(self, index_folder, tmp_path) -> None:
        with Engine.open(shutil.copytree(index_folder, tmp_path / "index")) as engine:
            topics = engine.topics(seeds=SEEDS)
            assert {topic.name for topic in topics.leaves} == TOPICS.keys()
            for name, ids in members(engine).items():
                assert len(ids) == 20
                assert all(id.startswith(name) for id in ids)
            assert engine.topics(seeds=[*SEEDS, ""]) == topics
            engine.refresh()
            assert engine.topics(5).find(next(iter(TOPICS))) is not None  # kept for other numbers
            assert len(engine.topics().leaves) == 5

    def test_documents_are_seeds_and_words_need_no_name(self, index_folder, tmp_path) -> None:
        with Engine.open(shutil.copytree(index_folder, tmp_path / "index")) as engine:
            id = next(iter(engine.snapshot.ids.values()))
            topics = engine.topics(3, seeds=[f"Like it: id:{id}"])
            assert id in members(engine)["Like it"]
            assert sum(topic.name == "Like it" for topic in topics.leaves) == 1

    @pytest.mark.parametrize(
        ("seeds", "error"),
        [
            ([], "there is no seed"),
            (["  "], "there is no seed"),
            (["a: qqqq"], "the encoder knows no word of the seed 'a'"),
            (["a: id:nope"], "no document has the id 'nope'"),
            (["a:"], "the seed 'a' has no word"),
            ([": comet"], "'' cannot be a name"),
            (["a: comet", "a: bread"], "two seeds have the name 'a'"),
            (["a: comet", "b: comet"], "the seed 'b' means the same documents as another"),
        ],
    )
    def test_what_cannot_be_seeds(self, engine, seeds, error) -> None:
        with pytest.raises(QueryError, match=error):
            engine.topics(seeds=seeds)
        assert not engine.refresh()  # nothing was kept

    def test_more_seeds_than_topics(self, engine) -> None:
        with pytest.raises(QueryError, match="there are 3 seeds for at most 2 topics; give fewer seeds"):
            engine.topics(2, seeds=SEEDS)


class TestCarried:
    def test_other_topics_take_over_what_is_mostly_the_same(self, folder) -> None:
        with Engine.open(folder) as engine:
            engine.topics(rename={"1.1": "One"}, merge=["2.1", "3.1"], name="Two")
            before = members(engine)
            assert engine.topics(3, seed=2).lost == ()
            assert members(engine) == before

    def test_what_no_topic_is_mostly_is_lost_and_said_once(self, folder) -> None:
        with Engine.open(folder) as engine:
            engine.topics(rename={"1.1": "One"})
            assert engine.topics(1).lost == ("One",)
            engine.refresh()
            assert engine.topics().lost == ()
            assert "One" not in [topic.name for topic in engine.topics(3).leaves]

    def test_new_seeds_name_their_topics_and_old_names_go(self, index_folder, tmp_path) -> None:
        with Engine.open(shutil.copytree(index_folder, tmp_path / "index")) as engine:
            engine.topics(seeds=SEEDS)
            engine.topics(rename={name: f"My {name}" for name in TOPICS})
            assert {topic.name for topic in engine.topics(3, seed=2).leaves} == {f"My {name}" for name in TOPICS}
            assert {topic.name for topic in engine.topics(3, seeds=SEEDS[:2]).leaves} == {*list(TOPICS)[:2], "My ships"}

    def test_labels_keep_them_too(self, index_folder, tmp_path) -> None:
        with Engine.open(shutil.copytree(index_folder, tmp_path / "index")) as engine:
            engine.topics(rename={"1.1": "Mine"})
            mine = members(engine)["Mine"]
            engine.train(label="topic", train=QUICK)
            assert members(engine)["Mine"] == mine

    def test_training_keeps_names_merges_and_seeds(self, index_folder, tmp_path) -> None:
        with Engine.open(shutil.copytree(index_folder, tmp_path / "index")) as engine:
            first, second, third = TOPICS
            engine.topics(seeds=SEEDS)
            engine.topics(rename={first: "Mine"}, merge=[second, third], name="Others")
            before = {name: len(ids) for name, ids in members(engine).items()}
            assert before == {"Mine": 20, "Others": 40}  # in any order
            engine.train(train=QUICK)
            engine.train(train=QUICK)  # before anybody looks at topics
            assert "topics" not in engine.snapshot.reader.settings
            assert engine.topics().lost == ()
            assert {name: len(ids) for name, ids in members(engine).items()} == before
            engine.refresh()
            assert "topics/carried" not in engine.snapshot.reader.settings
            assert list(engine.snapshot.reader.settings["topics"]["seeds"]) == SEEDS

    def test_a_seed_that_is_not_known_any_more_is_lost(self, index_folder, tmp_path) -> None:
        with Engine.open(shutil.copytree(index_folder, tmp_path / "index")) as engine:
            id = next(iter(engine.snapshot.ids.values()))
            engine.topics(3, seeds=[f"Gone: id:{id}", SEEDS[1]])
            engine.remove([id])
            topics = engine.topics(4)
            assert topics.lost == (f"Gone: id:{id}",)
            assert topics.find("Gone") is None


class TestReset:
    def test_the_learned_topics_come_back(self, folder) -> None:
        with Engine.open(folder) as engine:
            before = engine.topics()
            engine.topics(rename={"1.1": "One"}, merge=["2.1", "3.1"])
            assert engine.topics(reset=True) == before
        with Engine.open(folder) as engine:
            assert engine.topics() == before
            assert {name for name in engine.snapshot.reader.settings if name.startswith("topics")} == {"topics"}

    def test_seeds_are_forgotten(self, index_folder, tmp_path) -> None:
        with Engine.open(shutil.copytree(index_folder, tmp_path / "index")) as engine:
            before = engine.topics()
            engine.topics(seeds=SEEDS)
            assert engine.topics(reset=True) == before

    def test_an_index_that_cannot_be_written_to_is_told(self, folder) -> None:
        open_to_all(folder)
        with Engine.open(folder) as engine:
            engine.topics()  # what is imported later, nobody may read
        with Engine.open(folder) as engine, nobody():
            with pytest.raises(StoreError, match=r"the topics were not changed: the index .* cannot be written to"):
                engine.topics(rename={"1.1": "One"})
            assert "One" not in [topic.name for topic in engine.topics().leaves]


def test_the_same_corrections_give_the_same_bytes(plane_folder, tmp_path) -> None:
    stored = []
    for name in ("one", "two"):
        with Engine.open(shutil.copytree(plane_folder, tmp_path / name)) as engine:
            engine.topics(3, rename={"1.1": "One"}, merge=["2.1", "3.1"])
            engine.refresh()
            model = TopicModel.load(engine.snapshot, "topics/corrected")
            arrays, setting = model.stored()
            stored.append(({name: array.tobytes() for name, array in arrays.items()}, setting))
            assert topics_of(engine.snapshot, model)[0] == engine.topics()
    assert stored[0] == stored[1]
