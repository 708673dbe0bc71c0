"""From a stream of documents to an index: read and count, learn, encode, write; one pass over the source.

documents ─▶ counts ─▶ LSA ─▶ auto-encoder ─▶ segments
└──────────┴────────┴─────────┴────────────┴──▶ one transaction of the store
"""

import itertools
import re
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from textae.config import AUTO, LONG, PASSAGE, ModelSpec, TrainSpec
from textae.corpus.own_vectors import Vectors, field_of, with_vectors
from textae.corpus.uniform import UniformCorpus
from textae.encoding.analyzer import Analysis, detect_language, searchable, spans
from textae.encoding.counting import Counter
from textae.encoding.encoders import Quantization
from textae.encoding.tokenising import cores
from textae.encoding.vectorizer import Vectorizer
from textae.errors import CorpusError, TextaeError
from textae.index.learning import CountedCorpus, learn_and_write
from textae.index.modality import modality_of
from textae.index.own_vectors import VectorRows
from textae.index.records import DEEPEST
from textae.index.segments import VECTORS
from textae.index.writer import Writer, failures_are_errors
from textae.types import TEXTS, Document, Progress, Shape, Skipped, is_deeper

FEW = 500
"""Documents below which codes know little more than the words themselves."""

_PLAIN = re.compile("[A-Za-z0-9]")  # begins a word in every text

_SAMPLE, _SAMPLE_CHARACTERS = 1_000, 8_000_000  # the first documents, held in memory, to detect the language


@dataclass(frozen=True)
class Report:
    """The result of indexing a corpus.

    Attributes:
        documents: the number of indexed documents.
        skipped: the number of skipped documents, by reason.
        examples: the sources of the first skipped and ignored ones, by reason.
        noticed: the number of documents of which something was noticed, by what it was.
        language: of the stemmer and the stop words; None for words as they are.
        terms: the size of the vocabulary.
        inputs: the number of the most frequent terms, which the encoder reads.
        shape: height, width and channels of pictures; None for texts.
        warnings: problems, for the user.
        ignored: the number of files and folders that were left out on purpose, by reason.
    """

    documents: int
    skipped: Mapping[str, int]
    examples: Mapping[str, list[str]]
    noticed: Mapping[str, int]
    language: str | None
    terms: int
    inputs: int
    shape: Shape | None = None
    warnings: list[str] = field(default_factory=list)
    ignored: Mapping[str, int] = field(default_factory=dict)


def build(
    writer: Writer,
    corpus: UniformCorpus,
    language: str | None,
    model: ModelSpec,
    train: TrainSpec,
    passage: int | None,
    progress: Progress,
    vectors: Vectors = None,
) -> Report:
    """Index a corpus and learn it; nothing is committed yet.

    Args:
        writer: of the store.
        corpus: read once, in order.
        language: of its stemmer and stop words; None for neither, `AUTO` to detect it.
        model: the shape of the auto-encoder.
        train: how it learns.
        passage: words of a passage; 0 to search whole documents; None for what suits the corpus.
        progress: called at each stage.
        vectors: of the documents, as `textae.corpus.own_vectors` takes them; None where they have none of their own.

    Raises:
        CorpusError: no document has a word, or none of their vectors can be used.
        TextaeError: such a model cannot learn like that; there is not enough memory for it; or learning diverged.
    """
    modality = modality_of(corpus.shape)
    modality.check_training(model, train)
    if vectors is not None and modality.kind != TEXTS:
        raise TextaeError("vectors of your own are for texts, and these are pictures; leave --vectors out")
    language = modality.language(language, passage)
    reading = Reading(writer, progress)
    documents = reading.documents(with_vectors(corpus, vectors))
    first = first_documents(documents)
    analysis = Analysis.of(detect_language(map(searchable, first)) if language == AUTO else language)
    with failures_are_errors(writer.folder):
        counter = Counter(analysis, writer.folder, beside=cores() > 1)
    for document in itertools.chain(first, documents):
        with failures_are_errors(writer.folder):
            counter.add(searchable(document))
    if not len(writer):
        raise CorpusError(
            f"no document to index{_counted('skipped', reading.skipped)}{_counted('ignored', reading.ignored)}"
        )
    with failures_are_errors(writer.folder):
        vocabulary, tokens, frequencies = counter.finish()
    n, n_terms = len(tokens), len(vocabulary)
    if not n_terms and modality.kind == TEXTS:
        raise CorpusError(
            "no document has a word to search for: all are stop words or too long; --language none keeps stop words"
        )
    passage = suitable_passage(np.diff(tokens.starts)) if passage is None else passage
    own, without = None, Tally[str]()
    if vectors is not None or (reading.vectors.any and modality.kind == TEXTS):
        own, without = reading.vectors.take(train.seed)
        field = {"field": name} if (name := field_of(vectors)) else {}
        writer.set("vectors", {"dims": own.floats.shape[1], **field})
        writer.put_all(VECTORS, reading.vectors.arrays())
    vectorizer = Vectorizer(analysis, vocabulary)
    counted = CountedCorpus(vectorizer, frequencies, np.arange(n), tokens, passage, modality, own)
    warnings = list(learn_and_write(writer, counted, model, train, progress))
    if n < FEW:
        warnings.insert(
            0,
            f"learned from only {n} {modality.noun}: expect little more than {modality.exact_match}; "
            f"some {FEW} are needed",
        )
    read = (dict(reading.skipped), reading.examples, dict(reading.noticed + without))
    inputs, ignored = min(model.inputs, n_terms), dict(reading.ignored)
    return Report(n, *read, analysis.language, n_terms, inputs, corpus.shape, warnings, ignored)


def suitable_passage(lengths: NDArray[np.int64]) -> int:
    """The words of a passage that suit documents of these lengths; 0 where most of the words are in short ones."""
    return passage_of(int(lengths.sum()), int(lengths[lengths > LONG].sum()))


def passage_of(n_words: int, n_in_long: int) -> int:
    """The same, of so many words, and of these in documents of more than `LONG`."""
    return PASSAGE if 2 * n_in_long > n_words else 0


def _counted(what: str, reasons: "Tally[str]") -> str:
    """What was skipped or ignored, for an error."""
    listed = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
    return f"; {what} {reasons.total()} ({listed})" if reasons else ""


def first_documents(documents: Iterator[Document]) -> list[Document]:
    """The first documents, few enough to be held in memory."""
    first, characters = [], 0
    for document in documents:
        first.append(document)
        characters += len(document.title) + len(document.text)
        if len(first) == _SAMPLE or characters >= _SAMPLE_CHARACTERS:
            break
    return first


NO_WORDS, USED, HALF = "no words", "id already used", "half of a surrogate pair"
DEEP = f"fields of more than {DEEPEST} levels"
"""Reasons to skip a document. Half of a surrogate pair is no Unicode."""


class Store(Protocol):
    """Keeps documents."""

    def __len__(self) -> int:
        """The number of documents."""

    def add(self, document: Document) -> int | None:
        """Add a document, and return its number; None, and nothing added, where its id is taken."""


class Reading:
    """Stores the documents of a corpus, and counts those that it skips.

    Args:
        writer: keeps the documents.
        progress: called for each stored document.
        planes: that quantise the vectors of an index that has some.

    Attributes:
        skipped: the number of skipped documents, by reason.
        ignored: the number of files and folders that were left out on purpose, by reason.
        examples: the sources of the first ones of both, by reason.
        noticed: the number of stored documents with a notice, by notice.
        vectors: of the stored documents, in their order.
    """

    EXAMPLES = 1_000

    def __init__(self, writer: Store, progress: Progress, planes: Quantization | None = None) -> None:
        self._writer, self._progress, self.vectors = writer, progress, VectorRows(planes)
        self.skipped: Tally[str] = Tally()
        self.ignored: Tally[str] = Tally()
        self.examples: dict[str, list[str]] = {}
        self.noticed: Tally[str] = Tally()

    def documents(self, corpus: Iterable[Document | Skipped]) -> Iterator[Document]:
        """Store the documents that can be stored, and yield them, in order."""
        for item in corpus:
            skipped = item if isinstance(item, Skipped) else self._store(item)
            if skipped is not None:
                (self.ignored if skipped.ignored else self.skipped)[skipped.reason] += 1
                examples = self.examples.setdefault(skipped.reason, [])
                if len(examples) < self.EXAMPLES:
                    examples.append(skipped.source)
            elif isinstance(item, Document):
                self.noticed.update(filter(None, [item.notice]))
                self.vectors.add(item.vector)
                self._progress("reading", len(self._writer), None)
                yield item

    def _store(self, document: Document) -> Skipped | None:
        try:
            reason = None
            if not has_words(document):
                reason = NO_WORDS
            elif is_deeper(document.fields, DEEPEST):
                reason = DEEP
            elif self._writer.add(document) is None:
                reason = USED
        except UnicodeEncodeError:
            reason = HALF
        return None if reason is None else Skipped(document.source or document.id, reason)


def has_words(document: Document) -> bool:
    """Whether a document has a word, or is a picture. Others are skipped."""
    text = searchable(document)
    return document.picture is not None or bool(_PLAIN.search(text)) or next(spans(text), None) is not None
