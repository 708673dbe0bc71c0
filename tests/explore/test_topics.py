"""Topics of an index: what is found, what is kept, and where documents that are added go."""

import os
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shared import PATTERNS, QUICK, TINY, TOPICS, contents, nobody, open_to_all, some_documents, some_pictures

from textae import Document, Engine, ModelSpec, TextaeError, TrainSpec
from textae.errors import QueryError
from textae.explore.kept_topics import kept_topics
from textae.explore.topics import learn, topics_of
from textae.explore.topics_over_time import TopicsOverTime, topics_over_time
from textae.types import Topics


def over_time(engine: Engine, field: str) -> TopicsOverTime:
    topics, topic_of, _ = kept_topics(engine.snapshot)
    return topics_over_time(engine.snapshot, field, topics, topic_of)


@pytest.fixture
def living(index_folder, tmp_path) -> Path:
    """Give an index of its own."""
    return shutil.copytree(index_folder, tmp_path / "index")


def made(folder: Path, documents: list[Document], model: ModelSpec | None = None, **train: object) -> Path:
    """Make an index of documents."""
    with Engine.create(folder) as engine:
        engine.index(documents, model=model, train=TrainSpec(epochs=1, device="cpu", **train))
    return folder


def told(found: Topics) -> list[tuple[str, str, tuple[str, ...]]]:
    """Give what is kept of topics."""
    return [(topic.id, topic.name, topic.words) for area in found.groups for topic in (area, *area.topics)]


class TestFound:
    def test_the_number_of_topics_is_found(self, engine) -> None:
        found, topic_of, _ = topics_of(engine.snapshot, learn(engine.snapshot))
        ids = engine.snapshot.ids.values()
        about = {(id.split("-")[0], topic) for id, topic in zip(ids, topic_of.tolist(), strict=True)}
        assert len(found.leaves) == len(found.groups) == len(about) == 3

    def test_the_topics_of_the_corpus_are_found_with_their_words(self, plane_folder) -> None:
        with Engine.open(plane_folder) as engine:
            found, topic_of, memberships = topics_of(engine.snapshot, learn(engine.snapshot, 3))
            ids = list(engine.snapshot.ids.values())
        assert len(found.leaves) == 3
        assert [topic.documents for topic in found.leaves] == [20, 20, 20]
        for place, topic in enumerate(found.leaves):
            about = {id.split("-")[0] for id, of in zip(ids, topic_of, strict=True) if of == place}
            assert len(about) == 1
            title = about.pop()
            assert len(topic.words) == 10
            assert set(topic.words) <= {title, *TOPICS[title].split()}
            assert topic.name == ", ".join(topic.words[:3])
        assert memberships.dtype == np.float32
        assert 0 <= memberships.min() <= memberships.max() <= 1

    def test_every_document_with_a_code_belongs_to_one(self, living) -> None:
        with Engine.open(living) as engine:
            engine.add([Document("odd", "qqqq zzzz")])
            found = engine.topics()
        assert (found.documents, found.without_code) == (60, 1)
        assert sum(topic.documents for topic in found.leaves) == sum(area.documents for area in found.groups) == 60

    def test_typical_documents_belong_most_and_are_not_nearly_the_same(self, tmp_path) -> None:
        copies = [Document(f"copy-{number}", "the telescope shows a comet and a nebula") for number in range(4)]
        with Engine.open(made(tmp_path / "index", some_documents(12) + copies)) as engine:
            found, topic_of, memberships = topics_of(engine.snapshot, learn(engine.snapshot, 2))
            ids = list(engine.snapshot.ids.values())
        for place, topic in enumerate(found.leaves):
            typical = [one.strength for one in topic.typical]
            assert typical == sorted(typical, reverse=True)
            assert typical[0] == memberships[topic_of == place].max()
            assert sum(one.id.startswith("copy") for one in topic.typical) <= 1
            assert {one.id for one in topic.typical} <= {ids[row] for row in np.flatnonzero(topic_of == place)}

    def test_ids_say_which_topic_is_in_which_area(self, engine) -> None:
        found, _, _ = topics_of(engine.snapshot, learn(engine.snapshot, 12))
        assert len(found.leaves) == 12
        assert 2 <= len(found.groups) <= 5
        for number, area in enumerate(found.groups, start=1):
            assert area.id == str(number)
            assert [topic.id for topic in area.topics] == [f"{number}.{i + 1}" for i in range(len(area.topics))]
            assert {one.id for one in area.typical} <= {one.id for topic in area.topics for one in topic.typical}
        assert len({topic.name for topic in found.leaves}) == 12

    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_of_a_few_documents_there_is_one_topic(self, n, tmp_path) -> None:
        with Engine.open(made(tmp_path / "index", some_documents(n))) as engine:
            (topic,) = engine.topics().leaves
            assert (topic.id, topic.documents, len(topic.typical)) == ("1.1", n, n)
            assert topic.name == engine.topics().groups[0].name != ""
            assert len(engine.topics(n).leaves) == n

    def test_of_equal_documents_there_is_one_topic_and_no_other_number(self, tmp_path) -> None:
        equal = [Document(str(number), "bread and butter") for number in range(5)]
        with Engine.open(made(tmp_path / "index", equal)) as engine:
            (topic,) = engine.topics().leaves
            assert (topic.documents, len(topic.typical)) == (5, 1)
            with pytest.raises(QueryError, match="2 topics need as many different codes, and the documents have 1"):
                engine.topics(2)

    def test_of_codes_of_any_length(self, tmp_path) -> None:
        deep = ModelSpec(dims=3, bits=16, hidden=(12,), inputs=60)
        with Engine.open(made(tmp_path / "index", some_documents(30), deep, pretrain="rbm")) as engine:
            assert not np.allclose(
                np.linalg.norm(engine.snapshot.codes.floats.astype(np.float32), axis=1), 1, atol=0.01
            )
            found = engine.topics(4)
        assert (len(found.leaves), found.documents) == (4, 30)
        assert all(topic.name for topic in found.leaves)

    @pytest.mark.parametrize("n", [-1, 0, 61, 10**30])
    def test_a_number_that_cannot_be_is_told(self, n, engine) -> None:
        with pytest.raises(QueryError, match=f"the number of topics must be from 1 to 60.*, got {n:,}"):
            engine.topics(n)

    def test_a_seed_that_cannot_be_is_told(self, engine) -> None:
        with pytest.raises(TextaeError, match="seed"):
            engine.topics(seed=-1)

    def test_words_are_written_as_documents_write_them_and_not_twice(self, tmp_path) -> None:
        texts = (
            "The galaxies and galaxy of comets, comet after comets. 1905 1906 x",
            "A baker is baking breads; bakeries bake bread.",
        )
        documents = [Document(f"{i}-{text[:5]}", text) for i in range(10) for text in texts]
        with Engine.create(tmp_path / "index") as engine:
            engine.index(documents, language="english", train=QUICK)
        with Engine.open(tmp_path / "index") as engine:
            words = [set(topic.words) for topic in engine.topics(2).leaves]
        assert {frozenset(some & {"comets", "comet", "comet's"}) for some in words} == {
            frozenset({"comets"}),
            frozenset(),
        }
        assert not any(word.isdecimal() or len(word) == 1 for some in words for word in some)


class TestKept:
    def test_what_is_kept_is_given_at_once_and_again(self, living) -> None:
        with Engine.open(living) as engine:
            first = engine.topics()
            kept = contents(living)[1]
            stages: list[str] = []
            again = engine.topics(progress=lambda stage, done, total: stages.append(stage))
        assert again == first
        assert stages == []
        assert contents(living)[1] == kept
        assert {name for name in kept if name.startswith("topics")} == {"topics/area_of", "topics/centres"}

    def test_the_same_seed_gives_the_same_bytes(self, index_folder, tmp_path) -> None:
        said = []
        for name in ("one", "two"):
            folder = shutil.copytree(index_folder, tmp_path / name)
            with Engine.open(folder) as engine:
                found = engine.topics(9, 3)
                engine.refresh()
                said.append((found, engine.snapshot.reader.settings["topics"], contents(folder)[1]))
        assert said[0] == said[1]

    def test_other_topics_are_learned_where_others_are_asked_for(self, living) -> None:
        with Engine.open(living) as engine:
            found = told(engine.topics())
            assert len(engine.topics(7).leaves) == 7
            assert len(engine.topics().leaves) == 7
            assert len(engine.topics(7, 5).leaves) == 7
            engine.refresh()
            assert engine.snapshot.reader.settings["topics"]["seed"] == 5
            assert told(engine.topics(seed=1)) == found

    def test_documents_that_are_added_come_to_the_topics_that_are_there(self, living) -> None:
        with Engine.open(living) as engine:
            before = engine.topics(3)
            new = [Document(f"new-{number}", "a telescope and the orbit of a planet and a moon") for number in range(7)]
            engine.add(new)
            after = engine.topics()
            gained = Counter({topic.id: topic.documents for topic in after.leaves})
            gained.subtract({topic.id: topic.documents for topic in before.leaves})
            assert told(after) == told(before)
            assert sorted(gained.values()) == [0, 0, 7]
            engine.remove([document.id for document in new])
            assert engine.topics() == before

    def test_a_topic_whose_documents_are_removed_stays_without_any(self, living) -> None:
        with Engine.open(living) as engine:
            _, topic_of, _ = topics_of(engine.snapshot, learn(engine.snapshot, 3))
            before = engine.topics(3)
            ids = np.array(list(engine.snapshot.ids.values()))
            engine.remove(ids[topic_of == 1].tolist())
            after = engine.topics()
        assert told(after) == told(before)
        assert (after.leaves[1].documents, after.leaves[1].typical) == (0, ())

    def test_a_new_learning_takes_them_away(self, living) -> None:
        with Engine.open(living) as engine:
            engine.topics()
            engine.train(train=QUICK)
            assert "topics" not in engine.snapshot.reader.settings

    def test_where_they_cannot_be_kept_they_are_given(self, living) -> None:
        open_to_all(living)
        with Engine.open(living) as engine:
            engine.topics(3)  # what is imported later, nobody may read
        with Engine.open(living) as engine, nobody():
            assert not os.access(living, os.W_OK)
            assert len(engine.topics(4).leaves) == 4
        with Engine.open(living) as engine:
            assert len(engine.topics().leaves) == 3


class TestOverTime:
    @pytest.fixture
    def dated(self, tmp_path) -> Engine:
        def fields(number: int) -> dict[str, str]:
            return {
                "day": f"2012-05-{1 + number // 10:02}",
                "month": f"{2010 + number // 24}-{1 + number // 2 % 12:02}-15",
                "sent": f"Thu, 0{1 + number // 10} Apr 1993 11:57:19 GMT" if number else "no date",
                "place": f"shelf {number % 3}",
            }

        documents = [
            Document(one.id, one.text, one.title, {**one.fields, **fields(i)}) for i, one in enumerate(some_documents())
        ]
        with Engine.open(made(tmp_path / "index", documents)) as engine:
            engine.topics(3)
            yield engine

    def test_years(self, dated) -> None:
        over = over_time(dated, "year")
        assert (over.field, over.unit, over.undated) == ("year", "year", 0)
        assert over.periods == tuple(str(year) for year in range(1900, 1960))
        assert over.documents.sum(axis=0).tolist() == [1] * 60
        assert over.documents.sum(axis=1).tolist() == [topic.documents for topic in over.topics.leaves]

    def test_days(self, dated) -> None:
        over = over_time(dated, "day")
        assert (over.unit, over.periods[0], over.periods[-1]) == ("day", "2012-05-01", "2012-05-06")
        assert over.documents.sum(axis=0).tolist() == [10] * 6

    def test_months(self, dated) -> None:
        over = over_time(dated, "month")
        assert (over.unit, over.periods[0], over.periods[-1], len(over.periods)) == ("month", "2010-01", "2012-06", 30)
        assert over.documents.sum(axis=0).tolist() == [2] * 30

    def test_dates_of_mails_and_a_document_without(self, dated) -> None:
        over = over_time(dated, "sent")
        assert (over.unit, over.periods, over.undated) == (
            "day",
            tuple(f"1993-04-0{day}" for day in range(1, 7)),
            1,
        )
        assert over.documents.sum(axis=0).tolist() == [9, 10, 10, 10, 10, 10]

    @pytest.mark.parametrize("field", ["place", "topic"])
    def test_a_field_without_dates_is_told(self, field, dated) -> None:
        with pytest.raises(QueryError, match=f"the field '{field}' does not date the documents; give one that holds"):
            over_time(dated, field)

    def test_a_field_that_is_not_there_is_told(self, dated) -> None:
        with pytest.raises(
            QueryError, match="no document has the field 'era'; the fields are: day, month, place, sent"
        ):
            over_time(dated, "era")


class TestOfPictures:
    def test_they_are_named_by_what_their_label_says(self, pictures_folder) -> None:
        with Engine.open(pictures_folder) as engine:
            learned = learn(engine.snapshot, 3)
            found, topic_of, _ = topics_of(engine.snapshot, learned)
            ids = list(engine.snapshot.ids.values())
        assert {topic.name for topic in found.leaves} == set(PATTERNS)
        for place, topic in enumerate(found.leaves):
            assert topic.words == (topic.name,)
            (label, most), *_ = Counter(
                ids[row].split("-")[0] for row in np.flatnonzero(topic_of == place)
            ).most_common()
            assert (label, most > topic.documents / 2) == (topic.name, True)

    def test_without_a_label_by_the_most_typical_one(self, tmp_path) -> None:
        half = [
            replace(document, title=f"No. {number}" if number % 2 else "", fields={})
            for number, document in enumerate(some_pictures(12))
        ]
        with Engine.open(made(tmp_path / "index", half, TINY, pretrain="none")) as engine:
            found, _, _ = topics_of(engine.snapshot, learn(engine.snapshot, 3))
        for topic in found.leaves:
            assert topic.name == (topic.typical[0].title or topic.typical[0].id)
            assert topic.words == (topic.name,)
        assert {area.name for area in found.groups} <= {topic.name for topic in found.leaves}
