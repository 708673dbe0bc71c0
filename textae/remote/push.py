"""Load an index into a vector database: its documents, and a small index with the model, which clients keep.

Clients get the model as an index of one empty document, so that it is opened, checked and refused as any index of a
stranger is. Beside the model it holds what they need of the corpus: document frequencies, how likely the decoder finds
each word, and the setting `remote`. Documents are loaded in batches, and a batch that is there already is skipped: a
push that was ended goes on. Clients see the new commit when all of it is there.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from textae.encoding.arrays import distinct
from textae.errors import QueryError
from textae.index import records
from textae.index.fields import values_of
from textae.index.postings import length_norm, saturation
from textae.index.segments import build_segment, prefix
from textae.index.snapshot import HOLDERS, Snapshot
from textae.index.writer import Writer
from textae.remote.conditions import MOST_COMPARED, stored_values
from textae.remote.name_keys import name_weights
from textae.remote.vector_store import Row, VectorStore
from textae.types import TEXTS, Document, Progress, no_progress

FORMAT = 2
"""Of what is pushed; a client reads no other."""

FREQUENCIES, HOLDING, USUAL = "remote/frequencies", "remote/holders", "remote/usual"
"""Arrays of the small index: (n_terms,) int64, document frequencies; (n_terms, HOLDERS) int64, the first documents that
hold each term, and -1; (n_terms,) float64, of the decoder."""

MOST_TERMS = 4_096
"""Terms of a document by which it can be filtered."""

_BATCH = 1_000
_NOT_MODEL = ("segments/", "map/", "topics", "vector", "classifier", "unlabelled/", "layer_errors")


def push(snapshot: Snapshot, store: VectorStore, progress: Progress = no_progress) -> int:
    """Load a commit, and publish it; the number of documents that were loaded, without those that were there.

    Args:
        snapshot: the index.
        store: where to.
        progress: called at each batch.

    Raises:
        QueryError: the index holds pictures, or ranks passages.
        StoreError: the database does not take it; what was published before stays.
    """
    if snapshot.modality.kind != TEXTS:
        raise QueryError(f"the index {snapshot.reader.folder} holds pictures, and texts are served")
    if snapshot.searched is not snapshot.documents:
        raise QueryError(
            f"the index {snapshot.reader.folder} ranks passages, and whole documents are served; "
            "'textae index --passages 0' makes one of whole documents"
        )
    view, commit = snapshot.documents, snapshot.reader.commit
    with_floats = snapshot.modality.stores_floats
    store.begin(commit, view.bits.parts[0].shape[1], view.floats.parts[0].shape[1] if with_floats else 0)
    rows, widths = _rows(snapshot), defaultdict[str, dict[str, int]](dict)
    done = loaded = most_terms = 0
    all_known = True
    while batch := list(islice(rows, _BATCH)):
        for row in batch:
            most_terms, all_known = max(most_terms, len(row.words)), all_known and row.has_code
            for name, kinds in row.values.items():
                for kind, values in kinds.items():
                    widths[name][kind] = max(widths[name].get(kind, 0), len(values))
        there = store.has([row.number for row in batch])
        missing = [_compared(row) for row in batch if row.number not in there]
        store.insert(missing)
        done, loaded = done + len(batch), loaded + len(missing)
        progress("loading", done, len(snapshot.numbers))
    remote = {
        "commit": commit,
        "documents": done,
        "next_number": int(snapshot.numbers[-1]) + 1,
        "mean_length": view.statistics.mean_length,
        "fields": sorted(snapshot.field_names),
        "widths": widths,
        "terms_are_whole": most_terms <= MOST_TERMS,
        "all_known": all_known,
    }
    with TemporaryDirectory(prefix="textae-") as private:
        folder = Path(private) / "model"
        _write_model(snapshot, folder, remote)
        files = {"index.sqlite": _put(store, folder / "index.sqlite")}
        for path in sorted((folder / "arrays").iterdir()):
            files[f"arrays/{path.name}"] = _put(store, path)
    store.publish({"format": FORMAT, "commit": commit, "files": files})
    return loaded


def _put(store: VectorStore, path: Path) -> str:
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    store.write_file(sha256, content)
    return sha256


def _rows(snapshot: Snapshot) -> Iterator[Row]:
    """The documents that are there, by number."""
    mean, analysis = snapshot.documents.statistics.mean_length, snapshot.model.vectorizer.analysis
    stream = snapshot.reader.stream()
    for segment in snapshot.segments:
        unit = segment.documents
        bags, norms = unit.postings.bags(), length_norm(unit.postings.lengths, mean)
        by_document = saturation(bags.counts.astype(np.float32), norms[bags.row_of])
        for row in np.flatnonzero(unit.alive()).tolist():
            document, number = next(stream), int(unit.doc_numbers[row])
            inside = slice(bags.starts[row], bags.starts[row + 1])
            terms = bags.terms[inside].tolist()
            keys, values = stored_values(values_of(document.id, document.title, document.fields))
            _, id, title, text, fields, source, origin, places, _, content, sha256 = records.row_of(document, number)
            rest = [source, origin, places, content.hex(), sha256.hex()]
            has_code = bool(unit.codes.has_code[row])
            yield Row(
                number, id, title, text, fields, json.dumps(rest, ensure_ascii=False), has_code,
                unit.codes.bits[row].tobytes(), unit.codes.floats[row] if unit.codes.floats.size else None,
                dict(zip(terms, by_document[inside].tolist(), strict=True)),
                name_weights(document.id, document.title, document.source, analysis), keys, terms[:MOST_TERMS], values,
            )  # fmt: skip


def _compared(row: Row) -> Row:
    """A row without the values that are too many to be compared."""
    kept: dict[str, dict[str, Any]] = {
        name: {kind: some for kind, some in kinds.items() if len(some) <= MOST_COMPARED}
        for name, kinds in row.values.items()
    }
    return Row(**(vars(row) | {"values": kept}))


def _write_model(snapshot: Snapshot, folder: Path, remote: Mapping[str, Any]) -> None:
    """Write the small index."""
    terms = np.arange(sum(len(part) for part in snapshot.model.vectorizer.vocabulary.parts), dtype=np.int32)
    with Writer(folder) as writer:
        for name, value in snapshot.reader.settings.items():
            if not name.startswith(_NOT_MODEL):
                writer.set(name, value)
        for name, array in snapshot.arrays.items():
            if not name.startswith(_NOT_MODEL):
                writer.put(name, array)
        empty = Document("-", "")
        number = writer.add(empty)
        numbers = distinct(np.array([number], np.int64))[0]
        for name, array in build_segment([empty], snapshot.model, numbers):
            writer.put(prefix("0") + name, array)
        writer.set("segments", ["0"])
        writer.put(FREQUENCIES, snapshot.documents.statistics.frequencies(terms))
        holders = np.full((len(terms), HOLDERS), -1, np.int64)
        for term in terms.tolist():
            first = snapshot.documents.first_holders(term)
            holders[term, : len(first)] = first
        writer.put(HOLDING, holders)
        writer.put(USUAL, snapshot.usual_words)
        writer.set("remote", remote)
        writer.commit()
