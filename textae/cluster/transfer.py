"""Between a dataset and an ordinary index: `push` and `pull`. The rankings are the same."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.cluster import tables
from textae.cluster.corpus import ShardWriter, removed_ids
from textae.cluster.dataset import Dataset, Manifest, Shard, key_of
from textae.cluster.storage import DatasetError
from textae.encoding.bags import Tokens
from textae.encoding.encoders import Codes
from textae.index.segment_writer import SegmentWriter
from textae.index.segments import DOCUMENTS, LARGEST, PASSAGES
from textae.index.snapshot import Snapshot
from textae.index.soundness import check_all, faults
from textae.index.stored_model import Uncommitted, stored_model
from textae.index.writer import Writer
from textae.types import TEXTS, Progress

_OWN = ("own-known", "own-floats", "own-bits")
"""The names of the arrays of the user's own vectors."""

_OF_INDEX = ("segments", "documents", "next_number", "history", "sources")
"""Settings that an index has, and a dataset has not."""

_CARRIED = "topics/carried/"


def push(snapshot: Snapshot, dataset: Dataset, progress: Progress) -> int:
    """Write an index of texts as a dataset, and commit; returns the number of documents.

    Args:
        snapshot: of the index.
        dataset: to write to; what it had is replaced by the commit.
        progress: called at each shard.

    Raises:
        DatasetError: the documents are pictures.
    """
    if snapshot.modality.kind != TEXTS:
        raise DatasetError("a dataset of shards holds texts, and the documents of this index are pictures")
    check_all(snapshot.reader)
    before = dataset.head()
    dataset.discard_damaged(progress)
    numbers = snapshot.numbers
    shards = ShardWriter(dataset)
    for document in snapshot.reader.stream():
        shards.add(document)
        progress("writing", len(shards), len(numbers))
    parts: list[Shard] = []
    for part in shards.finish():
        first = sum(one.n for one in parts)
        own = numbers[first : first + part.n]
        codes, n_passages = _codes_of(snapshot, own)
        ids, tokens = snapshot.reader.ids(own.tolist()), snapshot.tokens_of(own.tolist())
        name = f"codes/{key_of(part.documents, snapshot.reader.commit)}.parquet"
        tables.write_codes(dataset, name, ids, tokens, codes, n_passages)
        parts.append(replace(part, codes=name))
    arrays = {name: array for name, array in snapshot.arrays.items() if not name.startswith("segments/")}
    settings = {name: value for name, value in snapshot.reader.settings.items() if name not in _OF_INDEX}
    settings["learned_numbers"] = int(np.searchsorted(numbers, settings["learned_numbers"]))
    _renumber(arrays, numbers)
    vocabulary = {name: array for name, array in arrays.items() if name.startswith("vocabulary/")}
    model = {name: array for name, array in arrays.items() if name not in vocabulary}
    names = dataset.write_arrays("models", model), dataset.write_arrays("vocabularies", vocabulary)
    dataset.commit(Manifest(settings, *names, tuple(parts)), before)
    return len(numbers)


def _renumber(arrays: dict[str, Any], numbers: NDArray[np.int64]) -> None:
    """Number the documents of carried topics from 0 on."""
    if f"{_CARRIED}numbers" in arrays:
        carried = arrays[f"{_CARRIED}numbers"]
        there = np.isin(carried, numbers)
        arrays[f"{_CARRIED}numbers"] = np.searchsorted(numbers, carried[there])
        arrays[f"{_CARRIED}documents"] = arrays[f"{_CARRIED}documents"][there]


def _codes_of(snapshot: Snapshot, numbers: NDArray[np.int64]) -> tuple[dict[str, dict[str, Any]], NDArray[np.int64]]:
    """The codes of documents and of their passages, as `textae.index.segments.segment_codes` gives them."""
    codes, n_passages = {DOCUMENTS: _columns(snapshot.documents, numbers)}, np.zeros(len(numbers), np.int64)
    vectors = [unit.vectors for unit in snapshot.documents.units if unit.vectors is not None]
    if vectors:
        own, rows = Codes.concatenated(vectors), snapshot.documents.rows_of(numbers)
        codes[DOCUMENTS] |= dict(zip(_OWN, (own.has_code[rows], own.floats[rows], own.bits[rows]), strict=True))
    if snapshot.searched is not snapshot.documents:
        codes[PASSAGES] = _columns(snapshot.searched, numbers)
        owners = snapshot.searched.doc_numbers.take(snapshot.searched.rows_of(numbers))
        n_passages = np.bincount(np.searchsorted(numbers, owners), minlength=len(numbers))
    return codes, n_passages


def _columns(view: Any, numbers: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    rows = view.rows_of(numbers)
    columns = {"known": view.has_code, "bits": view.bits}
    if view.quantization is None:
        columns |= {"floats": view.floats, "lsa": view.lsa}
    return {name: column.take(rows) for name, column in columns.items()}


def pull(dataset: Dataset, folder: Path, progress: Progress) -> int:
    """Write a dataset as an ordinary index, and commit; returns the number of documents.

    Args:
        dataset: to read; every byte is checked first.
        folder: of the index; one that is there is replaced.
        progress: called at each stage.

    Raises:
        DatasetError: the dataset is damaged.
        StoreError: the index cannot be written.
    """
    manifest = dataset.manifest()
    dataset.check(manifest, progress)
    arrays = dataset.read_arrays(manifest.model) | dataset.read_arrays(manifest.vocabulary)
    gone = removed_ids(dataset, manifest)
    with Writer(folder) as writer:
        try:
            model = stored_model(arrays, manifest.settings)
            segments = SegmentWriter(writer, model)
            n_terms = len(model.vectorizer.vocabulary)
            for group in _segments(manifest):
                _pull(dataset, group, gone, writer, segments, progress, n_terms)
            writer.put_all("", arrays)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise DatasetError(f"the dataset {dataset.address} is not what textae writes: {error}") from None
        for name, value in {**manifest.settings, "sources": {}}.items():
            writer.set(name, value)
        segments.finish()
        written = {"documents": len(writer), "next_number": len(writer), "history": "", "sources": {}}
        written["segments"] = [segment.name for segment in segments.segments]
        for fault in faults(Uncommitted(writer.arrays(""), {**manifest.settings, **written}, len(writer))):
            raise DatasetError(f"the dataset {dataset.address} is not what textae writes: {fault}")
        writer.commit()
    return len(writer)


def _segments(manifest: Manifest) -> Iterator[list[tuple[int, Shard]]]:
    """The shards of each segment, with their places."""
    group: list[tuple[int, Shard]] = []
    for place, shard in enumerate(manifest.shards):
        if group and sum(one.n for _, one in group) + shard.n > LARGEST:
            yield group
            group = []
        group.append((place, shard))
    yield group


def _pull(
    dataset: Dataset,
    group: list[tuple[int, Shard]],
    gone: Mapping[str, int],
    writer: Writer,
    segments: SegmentWriter,
    progress: Progress,
    n_terms: int,
) -> None:
    """Write the documents of some shards, and their segment."""
    numbers: list[int] = []
    tokens: list[Tokens] = []
    units: dict[str, dict[str, list[NDArray[Any]]]] = {}
    for place, shard in group:
        ids, codes, n_passages = tables.read_codes(dataset, shard.codes)
        kept = np.array([gone.get(id, 0) <= place for id in ids], bool)
        if len(ids) != shard.n:
            raise DatasetError(f"{dataset.address}/{shard.codes} has {len(ids):,} rows, and should have {shard.n:,}")
        documents = tables.read_documents(dataset, shard.documents)
        for id, document, stays in zip(ids, documents, kept.tolist(), strict=True):
            if id != document.id:
                raise DatasetError(f"the dataset {dataset.address} has the codes of {id!r:.60} for {document.id!r:.60}")
            if stays:
                number = writer.add(document)
                if number is None:
                    raise DatasetError(f"the dataset {dataset.address} has two documents with the id {id!r:.60}")
                numbers.append(number)
        progress("writing", len(writer), None)
        read = tables.read_tokens(dataset, shard.codes)
        if read.terms.size and not -1 <= read.terms.min() <= read.terms.max() < n_terms:  # a stranger may have made it
            raise DatasetError(f"the dataset {dataset.address} is not what textae writes: a term has no such number")
        tokens.append(read.take(np.flatnonzero(kept)))
        for unit, columns in codes.items():
            rows = kept if unit == DOCUMENTS else np.repeat(kept, n_passages)
            for name, array in columns.items():
                units.setdefault(unit, {}).setdefault(name, []).append(array[rows])
    if not numbers:
        return
    whole = {unit: {name: np.concatenate(parts) for name, parts in columns.items()} for unit, columns in units.items()}
    own = [whole[DOCUMENTS].pop(name) for name in _OWN if name in whole[DOCUMENTS]]
    vectors = Codes(own[0], own[1], own[2]) if own else None
    segments.append_segment(np.array(numbers, np.int64), Tokens.concatenated(tokens), progress, vectors, whole)
