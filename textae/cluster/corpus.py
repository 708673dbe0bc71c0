"""From documents to shards, and from shards to a dataset that is learned.

ShardWriter   documents ─▶ files of shards
learn         shards ─▶ counts ─▶ vocabulary ─▶ sample ─▶ model ─▶ codes ─▶ a commit
add           new shards ─▶ counts ─▶ vocabulary with new terms ─▶ codes ─▶ a commit
remove        a list of ids ─▶ a commit
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import numpy as np

from textae.cluster import shards, tables
from textae.cluster.dataset import SHARD, SHARD_CHARACTERS, Dataset, Manifest, Removed, Shard, key_of, settings_of_model
from textae.cluster.storage import DatasetError
from textae.cluster.worker import Cluster, Task, Values, environment
from textae.config import AUTO, ModelSpec, TrainSpec
from textae.encoding.analyzer import VERSION, Analysis, detect_language, searchable
from textae.encoding.bags import Tokens
from textae.encoding.counting import TermCounts
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.vocabulary import MOST_TERMS, Vocabulary
from textae.encoding.weighting import idf
from textae.errors import CorpusError, QueryError
from textae.index.build import first_documents, passage_of
from textae.index.learning import learn_texts, too_little_memory_is_an_error, write_settings
from textae.index.modality import TEXT
from textae.index.records import Arrays, content_hash
from textae.types import Document, Progress


class ShardWriter:
    """Writes documents to the shards of a dataset, in their order.

    Args:
        dataset: to write to.
        taken: ids that are there; documents with them are not added.
    """

    def __init__(self, dataset: Dataset, taken: Iterable[str] = ()) -> None:
        self._dataset = dataset
        self._documents: list[Document] = []
        self._characters = self._n = 0
        self._ids = set(map(_short, taken))
        self._shards: list[Shard] = []

    def __len__(self) -> int:
        """The number of documents."""
        return self._n

    def add(self, document: Document) -> int | None:
        """Add a document, and return its number; None, and nothing added, where its id is taken.

        Raises:
            UnicodeEncodeError: of half of a surrogate pair, which cannot be stored.
        """
        content_hash(document)
        id = _short(document.id)
        if id in self._ids:
            return None
        self._ids.add(id)
        self._documents.append(document)
        self._characters += len(document.text) + len(document.title)
        if len(self._documents) == SHARD or self._characters >= SHARD_CHARACTERS:
            self._flush()
        self._n += 1
        return self._n - 1

    def _flush(self) -> None:
        if self._documents:
            name = tables.write_documents(self._dataset, self._documents)
            self._shards.append(Shard(name, len(self._documents)))
        self._documents, self._characters = [], 0

    def finish(self) -> list[Shard]:
        """Write the last shard, and return all, in order."""
        self._flush()
        return self._shards


def _short(id: str) -> bytes:
    """A hash of an id, which takes less memory."""
    return hashlib.blake2b(id.encode(), digest_size=16).digest()


@dataclass(frozen=True)
class _Counted:
    """Shards that were counted.

    Attributes:
        shards: in order.
        specs: for the tasks of each: the names of its files.
        words: of all documents.
        in_long: words in long documents.
    """

    shards: Sequence[Shard]
    specs: Sequence[dict[str, Any]]
    words: int
    in_long: int


class _Model:
    """Collects the arrays and settings of a model."""

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}

    def put_all(self, prefix: str, arrays: Arrays) -> None:
        self.arrays.update((prefix + name, array) for name, array in arrays.items())

    def set(self, name: str, value: Any) -> None:
        self.settings[name] = value


@dataclass(frozen=True)
class Learned:
    """The result of learning a dataset.

    Attributes:
        documents: the number of documents.
        shards: the number of shards.
        language: of the stemmer and the stop words; None for words as they are.
        terms: the size of the vocabulary.
        warnings: problems of the training, for the user.
    """

    documents: int
    shards: int
    language: str | None
    terms: int
    warnings: tuple[str, ...]


def learn(
    dataset: Dataset,
    parts: Sequence[Shard],
    cluster: Cluster,
    progress: Progress,
    language: str | None = AUTO,
    model: ModelSpec | None = None,
    train: TrainSpec | None = None,
    passage: int | None = None,
) -> Learned:
    """Learn the documents of shards, encode them, and commit; the codes are those of an ordinary index of them.

    Args:
        dataset: of the shards.
        parts: in order.
        cluster: that counts and encodes the shards; the model is learned here.
        progress: called at each stage.
        language: of the stemmer and the stop words; None for neither, `AUTO` to detect it.
        model: the shape of the auto-encoder.
        train: how it learns.
        passage: words of a passage; 0 to search whole documents; None for what suits the corpus.

    Raises:
        CorpusError: no document has a word.
        TextaeError: such a model cannot learn like that; or the engine failed. The last commit is as it was.
    """
    if not parts:
        raise CorpusError("no document to index")
    dataset.storage.sweep()
    before = dataset.head()
    default = TEXT.preset("default")
    model, train = model or default[0], train or default[1]
    TEXT.check_training(model, train)
    language = TEXT.language(language, passage)
    if language == AUTO:
        language = detect_language(map(searchable, first_documents(_stream(dataset, parts))))
    counted = _count(dataset, parts, language, cluster, progress)
    n = sum(part.n for part in parts)
    ranked = TermCounts.total(tables.read_counts(dataset, spec["counts"])[0] for spec in counted.specs).ranked()
    if not ranked.terms:
        raise CorpusError("no document has a word to search for; --language none keeps stop words")
    vectorizer = Vectorizer(Analysis.of(language), Vocabulary.of(ranked.terms))
    vocabulary = dataset.write_arrays("vocabularies", vectorizer.vocabulary.arrays())
    if passage is None:
        passage = passage_of(counted.words, counted.in_long)
    idf_of = idf(np.append(ranked.frequencies, 0), n)
    inputs = idf_of[: TEXT.n_inputs(model, len(ranked.terms))]
    sink = _Model()
    tokens = _sample(dataset, counted, vocabulary, len(inputs), train, cluster, progress)
    with too_little_memory_is_an_error(model):
        learned, _ = learn_texts(sink, tokens, inputs, model, train, progress)
    write_settings(sink, vectorizer, idf_of, (model, train), passage, n, n)
    arrays = {name: array for name, array in sink.arrays.items() if not name.startswith("vocabulary/")}
    name = dataset.write_arrays("models", arrays)
    encoded = _encode(dataset, counted, name, vocabulary, sink.settings, cluster, progress)
    dataset.commit(Manifest(sink.settings, name, vocabulary, tuple(encoded)), before)
    return Learned(n, len(parts), language, len(ranked.terms), tuple(learned.warnings))


def add(dataset: Dataset, parts: Sequence[Shard], cluster: Cluster, progress: Progress) -> int:
    """Encode the documents of new shards by the model that was learned, and commit; returns their number.

    The terms that are new get the numbers that they get in an ordinary index.

    Raises:
        CorpusError: an id is taken; nothing is added.
        DatasetError: there is no dataset, or the engine failed.
    """
    head, before = dataset.head(), dataset.manifest()
    if "vectors" in before.settings:
        raise DatasetError(
            f"{dataset.address} has vectors of your own, which shards do not take; pull, add, and push it"
        )
    dataset.check_sizes(before)
    dataset.check_model(before)
    last_place = {shard.documents: place for place, shard in enumerate(before.shards)}
    gone = removed_ids(dataset, before)

    def is_there(part: Shard) -> bool:
        """Whether a run that was committed added the documents, and all are still there."""
        place = last_place.get(part.documents, -1)
        return place >= 0 and all(gone.get(id, 0) <= place for id in tables.read_ids(dataset, part.documents))

    parts = [part for part in parts if not is_there(part)]
    if not parts:
        return 0
    new = {id for part in parts for id in tables.read_ids(dataset, part.documents)}
    if len(new) < sum(part.n for part in parts):
        raise CorpusError(f"two of the new documents of {dataset.address} have the same id; leave one out")
    taken = next((id for id in there(dataset, before) if id in new), None)
    if taken is not None:
        raise CorpusError(f"the id {taken!r:.100} is taken in {dataset.address}; remove it first, or leave it out")
    counted = _count(dataset, parts, before.settings["analysis"]["language"], cluster, progress)
    vocabulary = shards.vocabulary_of(dataset, before.vocabulary)
    known = set(vocabulary.terms())
    of_shards = (tables.read_counts(dataset, spec["counts"])[0].terms for spec in counted.specs)
    found = dict.fromkeys(chain.from_iterable(of_shards))
    terms = list(islice((term for term in found if term not in known), max(0, MOST_TERMS - len(known))))
    grown = vocabulary.with_terms(terms) if terms else vocabulary
    name = dataset.write_arrays("vocabularies", grown.arrays())
    encoded = _encode(dataset, counted, before.model, name, before.settings, cluster, progress)
    dataset.commit(replace(before, vocabulary=name, shards=(*before.shards, *encoded)), head)
    return len(new)


def remove(dataset: Dataset, ids: Collection[str]) -> int:
    """Remove documents, and commit; returns their number. Their files stay, with a list of the removed ids beside them.

    Raises:
        QueryError: an id is of no document; nothing is removed.
    """
    head, before = dataset.head(), dataset.manifest()
    dataset.check_sizes(before)
    known = set(there(dataset, before))
    for id in ids:
        if id not in known:
            raise QueryError(f"no document of {dataset.address} has the id {id!r:.100}")
    if len(set(ids)) == len(known):
        raise QueryError(f"that would leave no document in {dataset.address}; delete the folder to remove the dataset")
    listed = sorted(set(ids))
    name = f"removed/{key_of(listed)}.parquet"
    tables.write_ids(dataset, name, listed)
    dataset.commit(replace(before, removed=(*before.removed, Removed(name, len(before.shards)))), head)
    return len(listed)


def removed_ids(dataset: Dataset, manifest: Manifest) -> dict[str, int]:
    """The ids of removed documents, each with the number of shards of which it was removed."""
    return {id: one.shards for one in manifest.removed for id in tables.read_ids(dataset, one.ids)}


def there(dataset: Dataset, manifest: Manifest) -> Iterator[str]:
    """The ids of the documents that are not removed, in order."""
    gone = removed_ids(dataset, manifest)
    for place, shard in enumerate(manifest.shards):
        yield from (id for id in tables.read_ids(dataset, shard.documents) if gone.get(id, 0) <= place)


def _stream(dataset: Dataset, parts: Iterable[Shard]) -> Iterator[Document]:
    for part in parts:
        yield from tables.read_documents(dataset, part.documents)


def _run(
    cluster: Cluster, task: Task, specs: Sequence[Values], progress: Progress, stage: str, n_documents: Sequence[int]
) -> list[Values]:
    """Run a task on all shards."""
    ends = np.cumsum([0, *n_documents])

    def done(n: int) -> None:
        progress(stage, int(ends[min(n, len(specs))]), int(ends[-1]))

    done(0)
    results = cluster.run(task, specs, done)
    done(len(specs))
    return results


def _count(
    dataset: Dataset, parts: Sequence[Shard], language: str | None, cluster: Cluster, progress: Progress
) -> _Counted:
    specs = []
    computing = environment()  # a file of another kernel has other bits, and so another name
    for part in parts:
        key = key_of(part.documents, language, VERSION, computing)
        files = {"counts": f"counts/{key}.parquet", "tokens": f"tokens/{key}.parquet"}
        own = {"environment": computing, "documents": part.documents, "language": language}
        specs.append({"dataset": dataset.address, **own, **files})
    results = _run(cluster, shards.count, specs, progress, "counting", [part.n for part in parts])
    words, in_long = (sum(result[name] for result in results) for name in ("words", "in_long"))
    return _Counted(parts, specs, words, in_long)


def _sample(
    dataset: Dataset,
    counted: _Counted,
    vocabulary: str,
    inputs: int,
    train: TrainSpec,
    cluster: Cluster,
    progress: Progress,
) -> Tokens:
    """The tokens of the documents to learn from, which `textae.training.text.sampled` takes of an ordinary index."""
    sizes = [part.n for part in counted.shards]
    specs = [{**spec, "vocabulary": vocabulary, "inputs": inputs} for spec in counted.specs]
    chosen: list[list[int] | None] = [None] * len(specs)
    if sum(sizes) > train.most_documents:
        results = _run(cluster, shards.known, specs, progress, "sampling", sizes)
        ends = np.cumsum([0, *(result["known"] for result in results)])
        if ends[-1] > train.most_documents:
            drawn = np.random.default_rng(train.seed).choice(int(ends[-1]), train.most_documents, replace=False)
            places = np.sort(drawn)
            cuts = np.searchsorted(places, ends)
            chosen = [(places[a:b] - start).tolist() for a, b, start in zip(cuts, cuts[1:], ends, strict=False)]
    specs = [
        {**spec, "chosen": some, "samples": f"samples/{key_of(spec['tokens'], vocabulary, inputs, some)}.parquet"}
        for spec, some in zip(specs, chosen, strict=True)
    ]
    _run(cluster, shards.sample, specs, progress, "sampling", sizes)
    return Tokens.concatenated([tables.read_tokens(dataset, str(spec["samples"])) for spec in specs])


def _encode(
    dataset: Dataset,
    counted: _Counted,
    model: str,
    vocabulary: str,
    settings: Mapping[str, Any],
    cluster: Cluster,
    progress: Progress,
) -> list[Shard]:
    needed = settings_of_model(settings)
    specs = [
        {
            **spec, "model": model, "vocabulary": vocabulary, "settings": needed,
            "codes": f"codes/{key_of(spec['tokens'], model, vocabulary, needed)}.parquet",
        }
        for spec in counted.specs
    ]  # fmt: skip
    _run(cluster, shards.encode, specs, progress, "encoding", [part.n for part in counted.shards])
    return [replace(part, codes=str(spec["codes"])) for part, spec in zip(counted.shards, specs, strict=True)]
