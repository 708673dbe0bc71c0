"""The façade that the shell and Python users share: index a corpus, search it, score the systems.

>>> with Engine.create("notes.textae") as engine:         # doctest: +SKIP
...     engine.index(read(["notes/"]))
...     for hit in engine.search("smooth a noisy signal"):
...         print(hit.rank, hit.id, hit.title)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from textae.config import AUTO, ModelSpec, TrainSpec, check_passage, preset_of
from textae.encoding.analyzer import searchable
from textae.encoding.topk import top_k
from textae.errors import QueryError, StoreError, TextaeError
from textae.index import store
from textae.index.snapshot import Snapshot
from textae.search.filters import Filter
from textae.search.request import SearchRequest
from textae.search.searcher import Searcher
from textae.types import (
    PICTURES,
    TEXTS,
    Decoded,
    Document,
    Duplicate,
    DuplicateGroups,
    Grid,
    Hit,
    Picture,
    Prediction,
    Progress,
    Query,
    Ranking,
    Samples,
    Skipped,
    Topics,
    shape_in_words,
)

if TYPE_CHECKING:
    from textae.corpus import Source
    from textae.encoding.arrays import Floats
    from textae.evaluation import Scoreboard
    from textae.explore.clustering import Numbers
    from textae.explore.map import DocumentMap, MapModel
    from textae.explore.scales import Colouring
    from textae.explore.topics_over_time import TopicsOverTime
    from textae.index.build import Report
    from textae.index.retrain import Trained
    from textae.index.segments import Arrays
    from textae.index.update import Changes, Update


def _silent(stage: str, done: int, total: int | None) -> None:
    pass


class Engine:
    """An index and what can be done with it.

    Args:
        folder: of the index; use `open` for one that is there and `create` for one that may not be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._snapshot: Snapshot | None = None
        self._searcher: Searcher | None = None
        self._map_models: dict[
            str, MapModel
        ] = {}  # of this commit, that an index which cannot be written to does not keep

    @classmethod
    def open(cls, folder: str | Path) -> Engine:
        """The engine of an index that is there.

        Raises:
            StoreError: it is not, or it is damaged or of another version.
        """
        engine = cls(Path(folder))
        engine._snapshot = Snapshot(store.Reader(engine.folder))
        return engine

    @classmethod
    def create(cls, folder: str | Path) -> Engine:
        """The engine of an index that is to be made, or made anew, by `index`."""
        return cls(Path(folder))

    def index(
        self,
        corpus: Iterable[Document | Skipped],
        *,
        language: str | None = AUTO,
        model: ModelSpec | None = None,
        train: TrainSpec | None = None,
        passage: int = 0,
        sources: Sequence[Source] = (),
        progress: Progress = _silent,
    ) -> Report:
        """Index a corpus, learn it, and commit; what was indexed before is replaced.

        Args:
            corpus: what `textae.corpus.read` gives, or any documents, all texts or all pictures; read once.
            language: of stemmer and stop words; None for neither, `AUTO` to detect it.
            model: the shape of the auto-encoder.
            train: how it learns.
            passage: words of a passage, where documents are long and are to be found by their best one; 0 to search
                documents as wholes.
            sources: that the corpus came from, for `sync`.
            progress: told of each stage.

        Raises:
            TextaeError: the index is as it was before.
        """
        from textae.corpus.uniform import UniformCorpus
        from textae.index.build import build

        check_passage(passage)
        with store.Writer(self.folder) as writer:
            writer.set("sources", {source.key: source.as_json() for source in sources})
            corpus_of_one_kind = corpus if isinstance(corpus, UniformCorpus) else UniformCorpus(corpus)
            if corpus_of_one_kind.shape is not None and language not in (AUTO, None):
                raise TextaeError(f"the language {language!r:.40} was named, of pictures; leave --language out")
            preset = preset_of("default", pictures=corpus_of_one_kind.shape is not None)
            report = build(
                writer, corpus_of_one_kind, language, model or preset[0], train or preset[1], passage, progress
            )
            writer.commit()
        self.close()
        return report

    def add(
        self, corpus: Iterable[Document | Skipped], *, sources: Sequence[Source] = (), progress: Progress = _silent
    ) -> Changes:
        """Add documents, and commit; they are encoded by what was learned before. One whose id is taken is skipped.

        Args:
            corpus: as `index` takes it.
            sources: that it came from, for `sync`.
            progress: told of each stage.

        Raises:
            StoreError: there is no index, or another process is writing to it.
            TextaeError: the index is as it was before.
        """
        return self._update(lambda update: update.add(corpus), sources, progress)

    def remove(self, ids: Sequence[str], *, progress: Progress = _silent) -> Changes:
        """Remove documents, and commit.

        Raises:
            StoreError: there is no index; another process is writing to it; or no document would be left.
            QueryError: an id is of no document; nothing is removed.
        """
        return self._update(lambda update: update.remove(ids), (), progress)

    def sync(self, sources: Sequence[Source] = (), *, progress: Progress = _silent) -> Changes:
        """Make the documents that came from some sources what these hold now, and commit: new, changed, gone.

        Args:
            sources: by default all that the index remembers and that can be read again.
            progress: told of each stage.

        Raises:
            StoreError: there is no index, or another process is writing to it; the index remembers no source; or no
                document would be left.
            CorpusError: a source is not there any more; the index is as it was before.
        """
        asked = list({source.key: source for source in sources or self.sources}.values())
        if not asked:
            raise StoreError(
                f"the index {self.folder} remembers no source that can be read again; give the SOURCE to be synced"
            )
        return self._update(lambda update: update.sync(asked), asked, progress)

    @property
    def sources(self) -> list[Source]:
        """What the index remembers to have been made of, and can be read again, as standard input cannot."""
        from textae.corpus import STDIN

        return [source for source in self.remembered.values() if source.origin != STDIN]

    @property
    def remembered(self) -> dict[str, Source]:
        """All that the index remembers to have been made of, by its key."""
        from textae.corpus import Source

        return {key: Source.from_json(said) for key, said in self.snapshot.reader.settings["sources"].items()}

    def _update(self, change: Callable[[Update], None], sources: Sequence[Source], progress: Progress) -> Changes:
        from textae.index.update import Update

        with store.UpdateWriter(self.folder) as writer, closing(store.Reader(self.folder)) as reader:
            update = Update(writer, Snapshot(reader), progress)
            change(update)
            new = {source.key: source.as_json() for source in sources}
            changes = update.finish(new)
            if changes.any or not new.items() <= reader.settings["sources"].items():
                writer.commit()
        self.close()
        return changes

    def refresh(self) -> bool:
        """Look at the newest commit from now on; whether there was a newer one."""
        if self._snapshot is None or self._snapshot.reader.is_current():
            return False
        self.close()
        return True

    def train(
        self,
        *,
        label: str | None = None,
        model: ModelSpec | None = None,
        train: TrainSpec | None = None,
        progress: Progress = _silent,
    ) -> Trained:
        """Learn the documents of the index again, and commit; readers keep what they read until they look again.

        Without a label, learning starts anew, and labels that were learned are forgotten. With one, what was learned
        without labels is fine-tuned by those of that field (Hinton & Salakhutdinov, Science 2006), so that `classify`
        tells the label of any text, and documents of one label have codes that are close.

        Args:
            label: a field of the documents that holds the label of some, and nothing for the others.
            model: the shape of the auto-encoder, to learn anew before labels are learned too; without a label, the
                shape that the index has unless given.
            train: how it learns, as the index was learned unless given; where the auto-encoder is kept, only the seed
                and the device are used.
            progress: told of each stage.

        Raises:
            StoreError: there is no index, or another process is writing to it.
            TextaeError: the labels cannot be learned; the index is as it was before.
        """
        from textae.index.retrain import relearn

        with store.UpdateWriter(self.folder) as writer, closing(store.Reader(self.folder)) as reader:
            snapshot = Snapshot(reader)  # of the last commit: while this writer lives there is no other
            as_before = snapshot.specs
            model = as_before[0] if model is None and label is None else model
            trained = relearn(writer, snapshot, label, model, train or as_before[1], progress)
            writer.commit()
        self.close()
        return trained

    @property
    def snapshot(self) -> Snapshot:
        """The commit that this engine searches; the newest one when it is first asked."""
        if self._snapshot is None:
            self._snapshot = Snapshot(store.Reader(self.folder))
        return self._snapshot

    @property
    def searcher(self) -> Searcher:
        """Searches the commit of this engine."""
        if self._searcher is None or self._searcher.snapshot is not self.snapshot:
            self._searcher = Searcher(self.snapshot)
        return self._searcher

    @property
    def kind(self) -> str:
        """What its documents are: `texts` or `pictures`."""
        return TEXTS if self.snapshot.shape is None else PICTURES

    @property
    def default_system(self) -> str:
        """What searches unless another system is asked for."""
        return self.snapshot.modality.default_system

    @property
    def specs(self) -> tuple[ModelSpec, TrainSpec]:
        """How the index was learned."""
        return self.snapshot.specs

    def search(
        self,
        query: str,
        k: int = 10,
        mode: str | None = None,
        *,
        where: str | None = None,
        must: str | None = None,
        like: Sequence[str] = (),
        unlike: Sequence[str] = (),
        expand: bool = False,
        explain: bool = False,
    ) -> list[Hit]:
        """The k documents that a system ranks highest for a query, or for a text of any length.

        Args:
            query: words; those that the corpus does not hold have no effect (`unknown` tells them).
            k: at most so many hits.
            mode: one of `Snapshot.systems`; by default `hybrid`, and of pictures `code`.
            where: what must hold of the fields of a hit: `year:[2010 TO 2012] AND module:os*`.
            must: what the text of a hit must hold: `"noisy signal" NOT image`.
            like: ids of documents that were found to be what is looked for.
            unlike: ids of documents that were found not to be.
            expand: whether keyword search also looks for words that the decoder expects of the query.
            explain: whether hits say why they have their score.

        Raises:
            QueryError: the query is empty; a condition cannot be read; or no document has an id.
            TextaeError: no such system.
        """
        request = SearchRequest(
            query, like=like, unlike=unlike, where=where, must=must, mode=mode, top_k=k, expand=expand, explain=explain
        )
        if not query.strip():
            raise QueryError("the query is empty; give some words")
        return list(self.searcher.search(request))

    def similar_to(
        self,
        text: str,
        k: int = 10,
        mode: str | None = None,
        *,
        where: str | None = None,
        must: str | None = None,
        explain: bool = False,
    ) -> list[Hit]:
        """The k documents closest to a text, as wholes, also where passages are searched.

        Raises:
            QueryError: the text is empty; or a condition cannot be read.
        """
        if not text.strip():
            raise QueryError("the text is empty; give some words")
        request = SearchRequest(
            text, where=where, must=must, mode=mode, top_k=k, explain=explain, granularity="document"
        )
        return list(self.searcher.search(request))

    def similar(
        self,
        ids: str | Sequence[str],
        k: int = 10,
        mode: str | None = None,
        *,
        unlike: Sequence[str] = (),
        where: str | None = None,
        must: str | None = None,
        explain: bool = False,
    ) -> list[Hit]:
        """The k documents closest to a document of the index, or to several at once, these left out.

        Args:
            ids: of one or more documents.
            k: at most so many hits.
            mode: one of `Snapshot.systems`; by default `hybrid`, and of pictures `code`.
            unlike: ids of documents that hits should be unlike.
            where: as `search` takes it.
            must: as `search` takes it.
            explain: whether hits say why they have their score.

        Raises:
            QueryError: no document has an id; or a condition cannot be read.
        """
        chosen = [ids] if isinstance(ids, str) else list(ids)
        if not chosen:
            raise QueryError("no id was given; give at least one")
        request = SearchRequest(
            like=chosen,
            unlike=unlike,
            where=where,
            must=must,
            mode=mode,
            top_k=k,
            explain=explain,
            granularity="document",
        )
        return list(self.searcher.search(request))

    def similar_to_picture(
        self,
        picture: Picture,
        k: int = 10,
        mode: str | None = None,
        *,
        where: str | None = None,
        must: str | None = None,
    ) -> list[Hit]:
        """The k pictures closest to a picture of any shape.

        Raises:
            QueryError: the index holds texts; or a condition cannot be read.
        """
        request = SearchRequest(picture=picture, where=where, must=must, mode=mode, top_k=k, granularity="document")
        return list(self.searcher.search(request))

    def classify(self, texts: Sequence[str], k: int = 1) -> list[list[Prediction]]:
        """The k likeliest labels of each text; none of a text without a word that the encoder knows.

        Raises:
            QueryError: the index has learned no labels (`train` does it), or fewer than one was asked for.
        """
        if k < 1:
            raise QueryError(f"{k} labels were asked for; give at least 1")
        self.snapshot.check_words("telling labels")
        classifier = self.snapshot.classifier
        codes = self.snapshot.text_encoder.encode(self.snapshot.model.vectorizer.transform(texts))
        return [
            [
                Prediction(rank, classifier.classes[label], float(row[label]))
                for rank, label in enumerate(top_k(row, k if known else 0, min_score=-1).tolist(), start=1)
            ]
            for row, known in zip(classifier.predict_proba(codes.floats), codes.has_code, strict=True)
        ]

    def text(self, id: str) -> str:
        """What is searched of a document: its title and its text.

        Raises:
            QueryError: no document has this id.
        """
        return searchable(self.snapshot.reader.documents([self.snapshot.number(id)])[0])

    def pictures(self, ids: Sequence[str]) -> list[Picture]:
        """The pictures with these ids, as the index holds them, in their order.

        Raises:
            QueryError: no document has an id, or it is a text.
        """
        documents = self.snapshot.reader.documents([self.snapshot.number(id) for id in ids])
        pictures = [document.picture for document in documents if document.picture is not None]
        if len(pictures) < len(documents):
            raise QueryError(f"the index {self.folder} holds texts, and pictures are asked for")
        return pictures

    def resized(self, picture: Picture) -> Picture:
        """A picture as it is compared with those of the index.

        Raises:
            QueryError: the index holds texts.
        """
        return self.searcher.resized(picture)

    def rank(
        self,
        queries: Sequence[Query],
        k: int,
        mode: str,
        *,
        min_score: float = 0.0,
        not_itself: bool = False,
        where: str | None = None,
        must: str | None = None,
    ) -> Iterator[Ranking]:
        """What a system ranks highest for each of many queries, in their order; on all cores.

        Args:
            queries: that are asked.
            k: at most so many ids each.
            mode: one of `Snapshot.systems`; by default `hybrid`, and of pictures `code`.
            min_score: what scores this or less is no hit.
            not_itself: leave out the document that has the query's id.
            where: as `search` takes it.
            must: as `search` takes it.
        """
        from textae.evaluation.run import rank

        return rank(self.searcher, queries, k, mode, min_score=min_score, not_itself=not_itself, where=where, must=must)

    def evaluate(
        self,
        queries: Sequence[Query],
        qrels: Mapping[str, Mapping[str, int]],
        systems: Sequence[str] | None = None,
        *,
        baseline: str | None = None,
        seed: int = 1,
        keep: Callable[[str, Mapping[str, Ranking]], None] | None = None,
    ) -> Scoreboard:
        """Score systems by judged queries: nDCG@10, MAP, recall@100, P@10.

        Args:
            queries: those without a judgement are left out, and counted.
            qrels: by query id and document id, the grade.
            systems: by default all of `Snapshot.systems`.
            baseline: what the others are tested against; the first system unless given.
            seed: of intervals and tests.
            keep: given each system's rankings, to write them down.

        Raises:
            QueryError: nothing can be scored.
            TextaeError: a system, the baseline or the seed cannot be; said before anything is scored.
        """
        from textae.evaluation.run import by_judgements

        chosen = self.snapshot.modality.systems if systems is None else systems
        return by_judgements(self.searcher, queries, qrels, chosen, baseline, seed, keep)

    def evaluate_labels(
        self,
        field: str,
        queries: Iterable[Document] | None = None,
        systems: Sequence[str] | None = None,
        *,
        k: int = 100,
        curve: bool = False,
        baseline: str | None = None,
        seed: int = 1,
    ) -> Scoreboard:
        """Score systems by labels: what shares the query's label is relevant. P@k, and the precision-recall curve.

        Args:
            field: of the documents, that holds the label.
            queries: documents whose text is the query; one that is in the index is not its own hit. Without them,
                a seeded sample of the index's own documents is asked.
            systems: by default all of `Snapshot.systems`.
            k: of P@k.
            curve: whether to rank the whole corpus for each query.
            baseline: what the others are tested against; the first system unless given.
            seed: of the sample, intervals and tests.

        Raises:
            QueryError: nothing can be scored.
            TextaeError: a system, the baseline or the seed cannot be; said before anything is scored.
        """
        from textae.evaluation.run import by_labels

        chosen = self.snapshot.modality.systems if systems is None else systems
        return by_labels(self.searcher, field, queries, chosen, k, baseline, seed, curve=curve)

    def decode(self, ids: Sequence[str], k: int = 20) -> list[Decoded]:
        """What the codes of documents say: the k words that each makes likelier than usual, the most telling first.

        Of an index of pictures, the picture that the decoder draws, here and in all that decodes.

        Raises:
            QueryError: no document has an id, or it has no code.
        """
        from textae.explore.decode import decode_documents

        return decode_documents(self.snapshot, ids, k)

    def decode_text(self, text: str, k: int = 20) -> Decoded:
        """What the code of a text says, as `decode` does.

        Raises:
            QueryError: the encoder knows no word of it.
        """
        from textae.explore.decode import decode_text

        return decode_text(self.snapshot, text, k)

    def decode_code(self, code: str, k: int = 20) -> Decoded:
        """What a code says, as `decode` does.

        Args:
            code: its numbers, between commas.
            k: at most so many words.

        Raises:
            QueryError: it is no code of this index.
        """
        from textae.explore.decode import decode_code

        return decode_code(self.snapshot, code, k)

    def sample(self, n: int = 5, k: int = 10, seed: int = 1) -> Samples:
        """Draw n codes from the distribution of the documents' codes, and say what each says in k words.

        Raises:
            QueryError: fewer than one was asked for.
            TextaeError: the seed cannot be.
        """
        from textae.explore.decode import sample

        return sample(self.snapshot, n, k, seed)

    def grid(self, n: int = 6, k: int = 3) -> Grid:
        """What the decoder says, in k words, at n × n places of the plane of codes of two numbers.

        Raises:
            QueryError: the codes of this index are not of two numbers.
        """
        from textae.explore.decode import grid

        return grid(self.snapshot, n, k)

    def topics(self, n: int | None = None, seed: int | None = None, *, progress: Progress = _silent) -> Topics:
        """The topics of the documents: clusters of what their codes say they are about, with names.

        They are learned once and kept, so that documents that are added come to topics that are known; they are learned
        anew where another number or another seed is asked for, and with a new learning of the index.

        Args:
            n: of them; by default those that are kept, or as many as two halves of the documents agree on.
            seed: of clustering; by default that of those that are kept, or 1.
            progress: told of each stage of learning.

        Raises:
            QueryError: no document has a code; or there cannot be n topics.
            TextaeError: the seed cannot be.
            StoreError: another process is writing to the index.
        """
        return self._topics(n, seed, progress)[0]

    def topics_over_time(
        self, field: str, n: int | None = None, seed: int | None = None, *, progress: Progress = _silent
    ) -> TopicsOverTime:
        """How many documents of each topic there are in each year, month or day, as the dates of a field span them.

        Args:
            field: that holds years, or dates as ISO 8601 or mails write them.
            n: of topics, as `topics` takes it.
            seed: as `topics` takes it.
            progress: told of each stage of learning.

        Raises:
            QueryError: the field dates no document; or as `topics` does.
        """
        from textae.explore.topics_over_time import topics_over_time

        found, topic_of, _ = self._topics(n, seed, progress)
        return topics_over_time(self.snapshot, field, found, topic_of)

    def _topics(self, n: int | None, seed: int | None, progress: Progress) -> tuple[Topics, Numbers, Floats]:
        """What `topics_of` gives of the topics that are kept, or are learned now and then kept."""
        from textae.explore import topics

        learned = topics.kept(self.snapshot)
        if learned is not None and learned.answers(n, seed):
            return topics.topics_of(self.snapshot, learned)
        learned = topics.learn(self.snapshot, n, 1 if seed is None else seed, progress)
        found = topics.topics_of(self.snapshot, learned)
        self.keep(topics.NAME, learned.arrays(), learned.said())
        return found

    def keep(self, name: str, arrays: Arrays, said: Any) -> bool:
        """Commit what was learned of the codes, so that it needs no learning again: topics, or a map.

        Adding and removing documents leave it there; learning the index anew takes it away, as codes are others then.

        Args:
            name: a setting, and what the names of arrays begin with; what was kept under it is replaced.
            arrays: by name.
            said: of it, as JSON can hold it.

        Returns:
            Whether it was; not where the index was learned anew meanwhile, or cannot be written to.

        Raises:
            StoreError: the index is gone, or another process is writing to it.
        """
        if not os.access(self.folder, os.W_OK):
            return False
        with store.UpdateWriter(self.folder) as writer, closing(store.Reader(self.folder)) as reader:
            if not reader.is_same(self.snapshot.reader, "encoder/"):
                return False
            writer.drop(name)
            writer.put_all(f"{name}/", arrays)
            writer.set(name, said)
            writer.commit()
        self.close()
        return True

    def topic_map(
        self, layout: str = "neighbours", seed: int | None = None, *, progress: Progress = _silent
    ) -> DocumentMap:
        """The map of the documents: where each is on the plane, its topic, and what the decoder says at each place.

        What is learned for it is kept in the index, where that can be written to, so that the next map needs seconds.

        Args:
            layout: one of `textae.explore.map.LAYOUTS`.
            seed: of learning; None for what is kept, or learned by the seed of the index.
            progress: told of each stage.

        Raises:
            TextaeError: there is no such layout; or the seed cannot be.
        """
        from textae.explore.map import topic_map

        chart = self.chart(layout, seed, progress=progress)
        topics = self._topics(None, None, progress)
        return topic_map(self.snapshot, chart, *topics)

    def colouring(self, field: str, ids: Sequence[str]) -> Colouring:
        """How a field colours some documents.

        Raises:
            QueryError: it says nothing in colours: all values are the same, or each document has its own.
        """
        from textae.explore.scales import colouring

        values = self.snapshot.reader.field(field)
        found = colouring(field, [values[id] for id in ids])
        if found is None:
            known = ", ".join(sorted(self.snapshot.field_names - {"id", "title"})) or "none"
            raise QueryError(f"the field {field!r} says nothing in colours of these documents; fields: {known}")
        return found

    @property
    def name(self) -> str:
        """What to call the corpus: what its folder is called, or the one above a `.textae`."""
        folder = self.folder.resolve()
        return folder.parent.name if folder.name.startswith(".") else folder.stem

    def place(self, texts: Sequence[str], layout: str = "neighbours") -> Floats:
        """Where texts are on the map, by their codes alone.

        Args:
            texts: n queries or documents.
            layout: one of `textae.explore.map.LAYOUTS`.

        Returns:
            (n, 2); NaN for one of which the encoder knows no word.

        Raises:
            QueryError: the documents are pictures.
            TextaeError: there is no such layout.
        """
        from textae.explore.map import place

        return place(self.snapshot, self.chart(layout), texts)

    def chart(self, layout: str = "neighbours", seed: int | None = None, *, progress: Progress = _silent) -> MapModel:
        """What is learned of a map, as `topic_map` takes it: what is kept, or learned and kept now."""
        from textae.explore.map import kept_chart, learn_chart, setting

        name = setting(layout)
        chart = kept_chart(self.snapshot, layout) or self._map_models.get(name)
        if chart is None or seed not in (None, chart.seed):
            wanted = self.specs[1].seed if seed is None else seed
            chart = learn_chart(self.snapshot, layout, wanted, progress)
            if not self.keep(name, *chart.kept()):
                self._map_models[name] = chart
        return chart

    def duplicates(
        self, radius: int | None = None, resemblance: float | None = None, *, progress: Progress = _silent
    ) -> DuplicateGroups:
        """Groups of documents that are nearly the same.

        Args:
            radius: bits in which their codes may differ; by default a sixteenth of the bits.
            resemblance: what share of their runs of four words they must have in common (Broder 1997), .8 by default;
                of pictures, how near their pixels must be, as the system `pixels` scores it, .97 by default.
            progress: told of each stage.

        Raises:
            QueryError: the radius or the resemblance cannot be, or would take too long.
        """
        from textae.explore.duplicates import BY_PIXELS, BY_WORDS, RADIUS, groups

        snapshot = self.snapshot
        numbers, bits = snapshot.numbers, snapshot.codes.bits
        within = int(RADIUS * 8 * bits.shape[1]) if radius is None else radius
        likeness = BY_WORDS if snapshot.shape is None else BY_PIXELS
        least = likeness.usual if resemblance is None else resemblance

        def texts(rows: Sequence[int]) -> Sequence[object]:
            chosen = numbers[list(rows)].tolist()
            if snapshot.shape is not None:
                return list(snapshot.pixels_of(chosen).values)
            return [searchable(document) for document in snapshot.reader.documents(chosen)]

        found = groups(bits, snapshot.codes.has_code, within, least, texts, progress, likeness)
        members = []
        for group in found.groups:
            documents = snapshot.reader.documents(numbers[[member.row for member in group]].tolist())
            pairs = zip(documents, group, strict=True)
            members.append(tuple(Duplicate(one.id, one.title, member.resemblance) for one, member in pairs))
        return DuplicateGroups(tuple(members), within, found.compared, found.unknown)

    def export_codes(self, path: str | Path, what: str = "floats") -> None:
        """Write the codes of all documents to a file that other tools read.

        Args:
            path: ends in .npy (the ids in a file beside it), .parquet or .csv; what is there is replaced.
            what: `floats` or `bits`.

        Raises:
            TextaeError: the ending is of no format.
        """
        from textae.index.export import export_codes

        export_codes(Path(path), list(self.snapshot.ids.values()), self.snapshot.codes, what)

    def unknown(self, query: str, mode: str | None = None) -> list[str]:
        """The words of a query, as written, that say nothing to a system: each once.

        To all systems those that occur nowhere in the corpus; to codes also those too rare for the encoder to know.
        """
        return self.searcher.unknown(query, self.default_system if mode is None else mode)

    def ignored(self, must: str) -> list[str]:
        """The words and phrases of a condition that are none, as they hold stop words alone: each once.

        Raises:
            QueryError: the condition cannot be read.
        """
        return Filter.parse(None, must, self.snapshot.field_names).ignored(self.snapshot.model.vectorizer.analysis)

    def did_you_mean(self, word: str) -> list[str]:
        """Words of the corpus that a word which it does not hold may be a slip of; the likeliest first."""
        return self.searcher.did_you_mean(word)

    def only_stop_words(self, query: str) -> bool:
        """Whether a query has words, and none that could say anything of a topic."""
        return self.searcher.only_stop_words(query)

    def has(self, id: str) -> bool:
        """Whether a document has this id."""
        return self.snapshot.reader.number(id) is not None

    def titles(self, ids: Sequence[str]) -> list[str]:
        """The titles of the documents with these ids, in their order."""
        return self.snapshot.reader.titles(ids)

    def info(self) -> dict[str, Any]:
        """What the index holds and how it was learned, as JSON can hold it."""
        reader = self.snapshot.reader
        return {
            "documents": len(reader),
            **self._of_kind(),
            "bytes_floats": sum(part.nbytes for part in self.snapshot.documents.floats.parts),
            "bytes_bits": sum(part.nbytes for part in self.snapshot.documents.bits.parts),
            **self._lived(),
            **self._about(),
            **_first_and_last(reader.settings.get("layer_errors", [])),
            **self._taught(),
        }

    def _of_kind(self) -> dict[str, Any]:
        """What only an index of texts has, or one of pictures."""
        snapshot = self.snapshot
        if snapshot.shape is not None:
            return {"pictures": shape_in_words(snapshot.shape)}
        weight = round(snapshot.reader.settings["hybrid_weight"], 3)
        return {"terms": len(snapshot.model.vectorizer.vocabulary), "hybrid_weight": weight}

    def _about(self) -> dict[str, Any]:
        """How it was learned; of pictures, without what only words have."""
        about = self.snapshot.reader.settings["about"]
        of_words = () if self.snapshot.shape is None else ("language", "inputs", "topics")
        return {name: value for name, value in about.items() if name not in of_words}

    def _lived(self) -> dict[str, Any]:
        """What has become of the index since it was learned, and how what is new fits what was learned."""
        snapshot = self.snapshot
        is_new = snapshot.numbers >= snapshot.reader.settings["learned_numbers"]
        later, learned = snapshot.numbers[is_new], snapshot.numbers[~is_new]
        lived: dict[str, Any] = {
            "segments": len(snapshot.segments),
            "added_since_learned": len(later),
            "removed_since_learned": snapshot.reader.settings["learned_documents"] - len(learned),
        }
        if snapshot.model.passage:
            lived["passages"] = snapshot.searched.statistics.n
        if len(later) and len(learned) and snapshot.shape is not None:
            from textae.explore.drift import picture_error

            errors = {"error_of_learned": learned, "error_of_added": later}
            lived |= {name: round(picture_error(snapshot, numbers), 3) for name, numbers in errors.items()}
        elif len(later) and len(learned):
            from textae.explore.drift import fit

            before, now = fit(snapshot, learned), fit(snapshot, later)
            lived |= {
                "unknown_words_of_learned": round(before.unknown_words, 4),
                "unknown_words_of_added": round(now.unknown_words, 4),
            }
            losses = {"loss_of_learned": before.loss, "loss_of_added": now.loss}
            lived |= {name: round(loss, 3) for name, loss in losses.items() if loss is not None}
        return lived

    def _taught(self) -> dict[str, Any]:
        """What of the index was learned from labels; nothing where there were none."""
        taught = self.snapshot.reader.settings.get("classifier")
        if taught is None:
            return {}
        return {"label_field": taught["field"], "labelled": taught["labelled"], "labels": len(taught["classes"])}

    def damage(self) -> list[str]:
        """What is wrong with the index's files, a line each; every byte is checked."""
        return self.snapshot.reader.damage()

    def close(self) -> None:
        """Let go of the index."""
        if self._snapshot is not None:
            self._snapshot.reader.close()
            self._snapshot = self._searcher = None
            self._map_models = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close; where something failed that cannot fail on what was written, say that the index is damaged.

        Settings and the list of arrays were checked when it was opened. The bytes of arrays and documents are not, as
        a search must not read all of them: what they make fail is where their hashes are worth a look.
        """
        unexpected = isinstance(
            error, ArithmeticError | LookupError | MemoryError | RuntimeWarning | TypeError | ValueError
        )
        damage = self.damage() if unexpected and self._snapshot is not None else []
        self.close()
        if damage:
            raise StoreError(
                f"the index {self.folder} is damaged: {damage[0]}; 'textae index' rebuilds it from its sources"
            ) from error


def _first_and_last(layer_errors: Sequence[Sequence[float]]) -> dict[str, list[str]]:
    """The reconstruction errors of pre-trained layers before and after, where there are any."""
    shown = [f"{errors[0]:.4g} → {errors[-1]:.4g}" for errors in layer_errors]
    return {"layer_errors": shown} if shown else {}
