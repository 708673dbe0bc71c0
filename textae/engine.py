"""The façade that the shell and Python users share: index a corpus, search it, look at it, score its systems.

>>> with Engine.create("notes.textae") as engine:         # doctest: +SKIP
...     engine.index(read(["notes/"]))
...     for hit in engine.search("smooth a noisy signal"):
...         print(hit.rank, hit.id, hit.title)

It makes, changes and searches an index, and computes its scores, topics and map. Other results are functions
of its `snapshot`, in `textae.explore`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from textae.config import AUTO, ModelSpec, TrainSpec, check_passage
from textae.errors import QueryError, StoreError
from textae.index import store
from textae.index.records import damaged
from textae.index.snapshot import Snapshot
from textae.index.soundness import damage
from textae.index.writer import UpdateWriter, Writer
from textae.search.hits import Hits
from textae.search.request import SearchOptions, SearchRequest, id_list
from textae.search.searcher import Searcher
from textae.types import Picture, Progress, Query, Ranking, Topics, no_progress

if TYPE_CHECKING:
    from textae.corpus import Source
    from textae.corpus.own_vectors import Vectors
    from textae.evaluation import Scoreboard
    from textae.explore.kept_topics import TopicOptions
    from textae.explore.map import DocumentMap
    from textae.index.build import Report
    from textae.index.retrain import Trained
    from textae.index.update import Changes, Update
    from textae.views.page.inline import MapPage

_OF_DAMAGE = (  # errors that it explains
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RuntimeError, RuntimeWarning, TypeError,
    ValueError,
)  # fmt: skip


class Engine:
    """An index and what can be done with it.

    Args:
        folder: of the index; `open` is for an index that exists, `create` for one that may not.
        vectors: a function that gives those of queries without one, as `SearchRequest.vector`; None for none.
    """

    def __init__(self, folder: Path, vectors: Any = None) -> None:
        self.folder, self._vectors = folder, vectors
        self._searcher: Searcher | None = None

    @classmethod
    def open(cls, folder: str | Path) -> Engine:
        """The engine of an index that exists.

        Raises:
            StoreError: there is none, or it is damaged or of another version.
        """
        engine = cls(Path(folder))
        engine._searcher = Searcher(Snapshot(store.Reader(engine.folder)))
        return engine

    @classmethod
    def create(cls, folder: str | Path) -> Engine:
        """The engine of an index that `index` makes, or makes anew."""
        return cls(Path(folder))

    @property
    def searcher(self) -> Searcher:
        """Searches the commit that this engine reads: the newest one at first use."""
        if self._searcher is None:
            self._searcher = Searcher(Snapshot(store.Reader(self.folder)), self._vectors)
        return self._searcher

    @property
    def snapshot(self) -> Snapshot:
        """The commit that this engine reads."""
        return self.searcher.snapshot

    # Changing the index

    def index(
        self,
        corpus: Iterable[Any],
        *,
        language: str | None = AUTO,
        model: ModelSpec | None = None,
        train: TrainSpec | None = None,
        passage: int | None = None,
        sources: Sequence[Source] = (),
        progress: Progress = no_progress,
        vectors: Vectors = None,
    ) -> Report:
        """Index a corpus, learn it, and commit; the new index replaces the old one.

        Args:
            corpus: what `textae.read` gives; or texts, (id, text), dicts, DataFrames, `textae.Document`s, or streams of
                these, as `textae.corpus.given` takes them; all texts or all pictures; read once.
            language: of stemmer and stop words; None for neither, `AUTO` to detect it.
            model: the shape of the auto-encoder.
            train: how it learns.
            passage: words of a passage, to rank long documents by their best ones; 0 to rank whole documents; None for
                what suits the corpus.
            sources: of the corpus, for `sync`.
            progress: called at each stage.
            vectors: of the documents, from a model of yours, as `textae.corpus.own_vectors` takes them.

        Raises:
            TypeError: something is no document; the message names it, and the index is as it was before.
            TextaeError: the index is as it was before.
        """
        from textae.corpus.given import documents_of
        from textae.corpus.uniform import UniformCorpus
        from textae.index.build import build
        from textae.index.modality import modality_of

        check_passage(passage)
        with Writer(self.folder) as writer:
            writer.set("sources", {source.key: source.as_json() for source in sources})
            uniform = corpus if isinstance(corpus, UniformCorpus) else UniformCorpus(documents_of(corpus))
            default = modality_of(uniform.shape).preset("default")
            specs = model or default[0], train or default[1]
            report = build(writer, uniform, language, *specs, passage, progress, vectors)
            writer.commit()
        self.close()
        return report

    def add(
        self,
        corpus: Iterable[Any],
        *,
        sources: Sequence[Source] = (),
        progress: Progress = no_progress,
        vectors: Vectors = None,
    ) -> Changes:
        """Add documents, and commit; the model that is there encodes them. A document whose id is taken is skipped.

        Args:
            corpus: as `index` takes it; each text needs an id.
            sources: of the corpus, for `sync`.
            progress: called at each stage.
            vectors: of the documents, as `index` takes them; by default those of the field that it was given.

        Raises:
            TypeError: something is no document, or has no id; the index is as it was before.
            StoreError: there is no index, or another process is writing to it.
            TextaeError: the index is as it was before.
        """
        from textae.corpus.given import documents_of

        documents = documents_of(corpus, numbered=False)
        return self._update(lambda update: update.add(documents), sources, progress, vectors=vectors)

    def remove(self, ids: str | Iterable[str], *, progress: Progress = no_progress) -> Changes:
        """Remove documents, and commit.

        Raises:
            StoreError: there is no index; another process is writing to it; or no document would be left.
            QueryError: no document has one of the ids; nothing is removed.
        """
        wanted = id_list(ids)
        return self._update(lambda update: update.remove(wanted), (), progress)

    def forget(self, origins: Collection[str], *, progress: Progress = no_progress) -> Changes:
        """Remove sources with their documents, and commit.

        Args:
            origins: the keys of sources that the index remembers.
            progress: called at each stage.

        Raises:
            StoreError: as `remove`.
        """
        return self._update(lambda update: update.forget(origins), (), progress, origins)

    def sync(
        self,
        sources: Sequence[Source] = (),
        *,
        forget: Collection[str] = (),
        progress: Progress = no_progress,
        vectors: Vectors = None,
    ) -> Changes:
        """Bring the documents of some sources up to date, and commit: new, changed and removed ones.

        Args:
            sources: by default all that the index remembers and that can be read again.
            forget: the keys of sources that are removed instead, with their documents.
            progress: called at each stage.
            vectors: of new and changed documents, as `add` takes them.

        Raises:
            StoreError: as `remove`, or the index remembers no source.
            CorpusError: a source does not exist any more; the index is as it was before.
        """
        wanted = list({source.key: source for source in sources or self.sources if source.key not in forget}.values())
        if not (wanted or forget):
            raise StoreError(
                f"the index {self.folder} remembers no source that can be read again; give the SOURCE to be synced"
            )

        def change(update: Update) -> None:
            update.forget(forget)
            update.sync(wanted)

        return self._update(change, wanted, progress, forget, vectors)

    @property
    def sources(self) -> list[Source]:
        """The sources that the index remembers and that can be read again, as standard input cannot."""
        from textae.corpus import STDIN
        from textae.index.update import remembered_sources

        return [source for source in remembered_sources(self.snapshot).values() if source.origin != STDIN]

    def _update(
        self, change: Callable[[Update], None], sources: Sequence[Source], progress: Progress,
        forgotten: Collection[str] = (), vectors: Vectors = None,
    ) -> Changes:  # fmt: skip
        from textae.index.update import Update

        with UpdateWriter(self.folder) as writer, closing(store.Reader(self.folder)) as reader:
            update = Update(writer, Snapshot(reader), progress, vectors)
            change(update)
            new = {source.key: source.as_json() for source in sources}
            changes = update.finish(new)
            if changes.any or forgotten or not new.items() <= reader.settings["sources"].items():
                writer.commit()
        self.close()
        return changes

    def train(
        self,
        *,
        label: str | None = None,
        model: ModelSpec | None = None,
        train: TrainSpec | None = None,
        progress: Progress = no_progress,
    ) -> Trained:
        """Learn the documents of the index again, and commit; readers keep their commit until they refresh.

        Without a label, learning starts anew. With one, the labels of that field fine-tune the model (Hinton &
        Salakhutdinov, Science 2006), and `textae.explore.classify` predicts the label of any text.

        Args:
            label: a field that holds the label of some documents, and nothing for the others.
            model: the shape of the auto-encoder; None for the one that the index has, which labels then fine-tune.
            train: how it learns; None for how the index was learned.
            progress: called at each stage.

        Raises:
            StoreError: there is no index, or another process is writing to it.
            TextaeError: the labels cannot be learned; the index is as it was before.
        """
        from textae.explore.kept_topics import carry
        from textae.index.retrain import relearn

        with UpdateWriter(self.folder) as writer, closing(store.Reader(self.folder)) as reader:
            snapshot = Snapshot(reader)  # of the last commit: while this writer lives there is no other
            as_before = snapshot.specs
            model = as_before[0] if model is None and label is None else model
            trained = relearn(writer, snapshot, label, model, train or as_before[1], progress)
            carry(writer, snapshot)
            writer.commit()
        self.close()
        return trained

    # Searching

    def search(self, query: str, k: int = 10, mode: str | None = None, **options: Unpack[SearchOptions]) -> Hits:
        """The k documents that a system ranks highest for a query, or for a text of any length.

        Args:
            query: words; those that the corpus does not hold have no effect, and `Searcher.search` names them.
            k: the maximum number of hits.
            mode: one of the modality's systems; None for its default, `hybrid` for texts.
            options: as `SearchRequest` takes them.

        Returns:
            A list of `Hit`, which a notebook shows as a table.

        Raises:
            QueryError: the query is empty; a condition cannot be read; or no document has an id.
            TypeError: the query or an id is no string.
            TextaeError: there is no such system.
        """
        return Hits(self.searcher.search(SearchRequest.of_words(query, top_k=k, mode=mode, **options)))

    def similar(
        self,
        to: str | Iterable[str] | Picture,
        k: int = 10,
        mode: str | None = None,
        **options: Unpack[SearchOptions],
    ) -> Hits:
        """The k documents most similar to a document, to several, or to a picture; ranked as whole documents.

        Args:
            to: the id of a document, several ids, or a picture of any shape. The documents themselves are no hits.
            k: the maximum number of hits.
            mode: as `search` takes it.
            options: as `SearchRequest` takes them.

        Raises:
            QueryError: no document has an id; a condition cannot be read; or the documents are no pictures.
        """
        picture = to if isinstance(to, Picture) else None
        liked = [] if isinstance(to, Picture) else id_list(to)
        if not (picture or liked):
            raise QueryError("no id was given; give at least one")
        options["like"] = (*liked, *options.get("like", ()))
        request = SearchRequest(picture=picture, top_k=k, mode=mode, granularity="document", **options)
        return Hits(self.searcher.search(request))

    # Measuring

    def evaluate(
        self, queries: Sequence[Query], qrels: Mapping[str, Mapping[str, int]], systems: Sequence[str] | None = None, *,
        baseline: str | None = None, seed: int = 1, keep: Callable[[str, Mapping[str, Ranking]], None] | None = None,
        vectors: Any = None,
    ) -> Scoreboard:  # fmt: skip
        """Score systems by judged queries: nDCG@10, MAP, recall@100, P@10; as `textae.evaluation.run.by_judgements`.

        `vectors` of the queries are an array with a row for each, or a function from their texts to one.
        """
        from textae.evaluation.run import by_judgements, with_vectors

        queries = queries if vectors is None else with_vectors(queries, vectors)
        return by_judgements(self.searcher, queries, qrels, systems, baseline, seed, keep)

    # Exploring

    def topics(self, n: int | None = None, seed: int | None = None, **options: Unpack[TopicOptions]) -> Topics:
        """The topics of the documents, named clusters of their codes; as `textae.explore.kept_topics.kept_topics`."""
        from textae.explore.kept_topics import kept_topics

        return kept_topics(self.snapshot, n, seed, **options)[0]

    def map(
        self, layout: str = "neighbours", seed: int | None = None, *, progress: Progress = no_progress
    ) -> DocumentMap:
        """The map of the documents: coordinates, topics, and the decoder's words; as `textae.explore.map.map_model`."""
        from textae.explore.kept_topics import kept_topics
        from textae.explore.map import document_map, map_model

        model = map_model(self.snapshot, layout, seed, progress)
        return document_map(self.snapshot, model, *kept_topics(self.snapshot, progress=progress))

    def map_page(
        self, layout: str = "neighbours", seed: int | None = None, *, progress: Progress = no_progress
    ) -> MapPage:
        """The map as a page that works offline, which a notebook shows; arguments as `map` takes them."""
        from textae.views.page.inline import map_page

        shown = self.map(layout, seed, progress=progress)
        return map_page(shown, self.snapshot.reader, self.snapshot.model.vectorizer.analysis)

    def info(self) -> dict[str, Any]:
        """What the index holds and how it was learned, as JSON can hold it."""
        from textae.explore.info import info

        return info(self.snapshot)

    # The life of an engine

    def refresh(self) -> bool:
        """Read the newest commit from now on; whether there was a newer one."""
        if self._searcher is None or self.snapshot.reader.is_current():
            return False
        self.close()
        return True

    def close(self) -> None:
        """Close the index."""
        if self._searcher is not None:
            self.snapshot.reader.close()
        self._searcher = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close; where something failed that cannot fail on what was written, say that the index is damaged.

        Opening does not read all bytes of arrays and documents; an error that damage explains has them checked.
        """
        faults = damage(self.snapshot.reader) if isinstance(error, _OF_DAMAGE) and self._searcher is not None else []
        self.close()
        if faults:
            raise damaged(self.folder, faults[0]) from error
