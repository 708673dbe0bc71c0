"""The steps of a shard: pure functions from a shard to a file. A file that is there is not computed again.

    count      documents ─▶ counts and tokens, numbered as the shard meets its terms
    known      tokens, vocabulary ─▶ how many documents hold a term that the encoder reads
    sample     tokens, vocabulary ─▶ tokens of the documents to learn from
    encode     documents, tokens, vocabulary, model ─▶ codes

Each takes and gives what JSON holds, so any engine can call it, anywhere, and twice.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.cluster import tables
from textae.cluster.dataset import Dataset
from textae.cluster.worker import Values, check_environment
from textae.config import LONG
from textae.encoding.analyzer import Analysis, searchable
from textae.encoding.bags import Tokens
from textae.encoding.counting import Counter
from textae.encoding.model import Model
from textae.encoding.vocabulary import Vocabulary
from textae.index.segments import encode_rows, segment_codes
from textae.index.stored_model import stored_model
from textae.training.threads import one_blas_thread
from textae.types import Document, no_progress


def count(given: Values) -> Values:
    """Count the documents of a shard.

    Args:
        given: `environment` of the driver, `dataset`, `documents`, `language`, and the names of the files to write,
            `counts` and `tokens`.

    Returns:
        The words of the shard, and those of long documents.
    """
    check_environment(given["environment"])
    dataset = Dataset(given["dataset"])
    if not (dataset.storage.has(given["counts"]) and dataset.storage.has(given["tokens"])):
        with tempfile.TemporaryDirectory() as folder:
            counter = Counter(Analysis.of(given["language"]), Path(folder))
            for document in tables.read_documents(dataset, given["documents"]):
                counter.add(searchable(document))
            counts, tokens = counter.counts()
            lengths = np.diff(tokens.starts)
            about = {"words": int(lengths.sum()), "in_long": int(lengths[lengths > LONG].sum())}
            tables.write_tokens(dataset, given["tokens"], tokens)
            tables.write_counts(dataset, given["counts"], counts, about)
    else:
        _, about = tables.read_counts(dataset, given["counts"])
    return {"words": about["words"], "in_long": about["in_long"]}


def known(given: Values) -> Values:
    """How many documents of a shard hold a term that the encoder reads.

    Args:
        given: `dataset`, `counts`, `tokens`, `vocabulary`, and `inputs`, the number of those terms.
    """
    check_environment(given["environment"])
    tokens = _by_vocabulary(Dataset(given["dataset"]), given)
    return {"known": int(tokens.hold_below(given["inputs"]).sum())}


def sample(given: Values) -> Values:
    """Write the tokens of the documents of a shard from which the corpus is learned.

    Args:
        given: as of `known`, also `chosen`, places among those documents, None for all; and `samples`, the file.
    """
    check_environment(given["environment"])
    dataset = Dataset(given["dataset"])
    if not dataset.storage.has(given["samples"]):
        tokens = _by_vocabulary(dataset, given)
        rows = np.flatnonzero(tokens.hold_below(given["inputs"]))
        chosen = slice(None) if given["chosen"] is None else np.array(given["chosen"], np.int64)
        tables.write_tokens(dataset, given["samples"], tokens.take(rows[chosen]))
    return {}


def encode(given: Values) -> Values:
    """Encode the documents of a shard.

    Args:
        given: `dataset`, `documents`, `counts`, `tokens`, `vocabulary`, `model`, `settings`, and `codes`, the file.
    """
    check_environment(given["environment"])
    dataset = Dataset(given["dataset"])
    if not dataset.storage.has(given["codes"]):
        model = _model(
            given["dataset"], given["model"], given["vocabulary"], json.dumps(given["settings"], sort_keys=True)
        )
        tokens = _by_vocabulary(dataset, given)
        with one_blas_thread():
            codes, n_passages = segment_codes(tables.read_documents(dataset, given["documents"]), model, tokens)
        ids = list(tables.read_ids(dataset, given["documents"]))
        tables.write_codes(dataset, given["codes"], ids, tokens, codes, n_passages)
    return {}


def _by_vocabulary(dataset: Dataset, given: Values) -> Tokens:
    """The tokens of a shard, numbered as in the vocabulary."""
    counts, _ = tables.read_counts(dataset, given["counts"])
    tokens = tables.read_tokens(dataset, given["tokens"])
    number_of = _numbers(given["dataset"], given["vocabulary"])
    numbers = np.array([*(number_of.get(term, -1) for term in counts.terms), -1], np.int32)  # the last is that of -1
    return Tokens(tokens.starts, numbers[tokens.terms])


@lru_cache(1)
def _numbers(address: str, vocabulary: str) -> Mapping[str, int]:
    """The number of each term; once a process."""
    dataset = Dataset(address)
    return {term: number for number, term in enumerate(vocabulary_of(dataset, vocabulary).terms())}


def vocabulary_of(dataset: Dataset, name: str) -> Vocabulary:
    """The vocabulary that a file holds."""
    return Vocabulary.from_arrays(dataset.read_arrays(name))


@lru_cache(1)
def _model(address: str, model: str, vocabulary: str, settings: str) -> Model:
    """The model of the dataset; once a process."""
    dataset = Dataset(address)
    arrays = dataset.read_arrays(model) | dataset.read_arrays(vocabulary)
    return stored_model(arrays, json.loads(settings))


def codes_of(
    address: str, model: str, vocabulary: str, settings: Values, documents: Sequence[Document]
) -> dict[str, NDArray[Any]]:
    """The codes of documents that are in no shard: `known`, `bits`, and `floats` where the dataset has them.

    Args:
        address: of the dataset.
        model: the name of its file.
        vocabulary: the name of its file.
        settings: of the dataset: `analysis`, `about`, `passage` and `shape`.
        documents: of any number.
    """
    loaded = _model(address, model, vocabulary, json.dumps(settings, sort_keys=True))
    tokens = loaded.vectorizer.tokens(map(searchable, documents))
    with one_blas_thread():
        return encode_rows(tokens.bags(), loaded, no_progress)
