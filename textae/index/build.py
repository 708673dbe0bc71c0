"""From a stream of documents to an index: read and count, learn, encode, write; one pass over the source.

documents ─▶ counts ─▶ LSA ─▶ auto-encoder ─▶ segments
└──────────┴────────┴─────────┴────────────┴──▶ one transaction of the store
"""

import contextlib
import itertools
import re
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textae.config import AUTO, FLOATS, LONG, LSA, PASSAGE, ModelSpec, TrainSpec, stored_settings
from textae.corpus.own_vectors import Vectors, field_of, with_vectors
from textae.corpus.uniform import UniformCorpus
from textae.encoding.analyzer import Analysis, detect_language, searchable, spans
from textae.encoding.arrays import Floats, Rows
from textae.encoding.bags import Tokens
from textae.encoding.counting import Counter
from textae.encoding.encoders import Codes, Encoder, PixelEncoder, Quantization, TextEncoder
from textae.encoding.model import Model
from textae.encoding.pixels import Pixels
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.weighting import idf
from textae.errors import CorpusError, TextaeError
from textae.index.checksums import with_checksums
from textae.index.modality import Modality, modality_of
from textae.index.own_vectors import VectorRows
from textae.index.records import DEEPEST
from textae.index.segment_writer import SegmentWriter
from textae.index.segments import VECTORS
from textae.index.writer import Writer, failures_are_errors
from textae.training.lsa import fit_lsa
from textae.training.vector_weight import vector_weight
from textae.types import PICTURES, TEXTS, Document, Progress, Shape, Skipped, is_deeper

if TYPE_CHECKING:
    from textae.training.text import Learned

FEW = 500
"""Documents below which codes know little more than the words themselves."""

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
    first = _first(documents)
    analysis = Analysis.of(detect_language(map(searchable, first)) if language == AUTO else language)
    with failures_are_errors(writer.folder):
        counter = Counter(analysis, writer.folder)
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
    return PASSAGE if 2 * lengths[lengths > LONG].sum() > lengths.sum() else 0


def _counted(what: str, reasons: "Tally[str]") -> str:
    """What was skipped or ignored, for an error."""
    listed = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
    return f"; {what} {reasons.total()} ({listed})" if reasons else ""


@dataclass(frozen=True)
class CountedCorpus:
    """A corpus with its counts, which is to be learned.

    Attributes:
        vectorizer: its vocabulary numbers terms by falling frequency.
        frequencies: (n_terms,) int64, documents that hold each term.
        doc_numbers: (n,) int64, rising.
        tokens: n rows.
        passage: words of a passage; 0 to search whole documents.
        modality: texts, or pictures.
        vectors: the user's own, n rows; None for none.
    """

    vectorizer: Vectorizer
    frequencies: NDArray[np.int64]
    doc_numbers: Rows
    tokens: Tokens
    passage: int
    modality: Modality
    vectors: Codes | None = None


def learn_and_write(
    writer: Writer,
    corpus: CountedCorpus,
    model: ModelSpec,
    train: TrainSpec,
    progress: Progress,
    tune: "Callable[[Learned[Any]], Encoder | PixelEncoder] | None" = None,
) -> Sequence[str]:
    """Learn all documents of the store, and write what was learned and the segments.

    Args:
        writer: of the store, that has the documents and no arrays.
        corpus: the counts of the documents.
        model: the shape of the auto-encoder.
        train: how it learns.
        progress: called at each stage.
        tune: fine-tunes a trained auto-encoder, and writes the encoder that replaces its own.

    Returns:
        The warnings of the training.
    """
    vectorizer, modality = corpus.vectorizer, corpus.modality
    n, n_terms = len(corpus.tokens), len(corpus.frequencies)
    idf_of = idf(np.append(corpus.frequencies, 0), n)
    inputs = modality.n_inputs(model, n_terms)
    with too_little_memory_is_an_error(model):
        learned, start = _LEARN[modality.kind](writer, corpus, idf_of[:inputs], model, train, progress)
        writer.put_all("", with_checksums(learned.encoder.arrays() | learned.decoder.arrays()))
        writer.set("layer_errors", learned.errors)
        encoder = learned.encoder if tune is None else tune(learned)
        stored_start = start if model.codes == FLOATS else None
        model_of_segments = Model(vectorizer, idf_of, encoder, stored_start, corpus.passage, modality.shape)
        segment_writer = SegmentWriter(writer, model_of_segments)
        segment_writer.append(corpus.doc_numbers, corpus.tokens, progress, corpus.vectors)
    segment_writer.finish()
    writer.put_all("", {**vectorizer.vocabulary.arrays(), "idf": idf_of})
    analysis = vectorizer.analysis
    stop_words = sorted(analysis.stop_words)
    writer.set("analysis", {"language": analysis.language, "stop_words": stop_words, "version": analysis.version})
    writer.set("about", {"language": analysis.language, **stored_settings(model, train)})
    writer.set("shape", modality.shape)
    writer.set("passage", corpus.passage)
    writer.set("learned_documents", n)
    writer.set("learned_numbers", writer.next_number)
    warnings: Sequence[str] = learned.warnings
    return warnings


def _learn_pictures(
    writer: Writer, corpus: CountedCorpus, _: Floats, model: ModelSpec, train: TrainSpec, progress: Progress
) -> tuple["Learned[PixelEncoder]", PixelEncoder]:
    """Fit PCA, write it, and train the auto-encoder of pictures; returns it, and PCA as an encoder."""
    from textae.training.image import fit_pca, learn_pictures  # torch

    progress("PCA", 0, None)
    numbers = corpus.doc_numbers
    chosen = set(numbers.tolist())
    if len(numbers) > train.most_documents:
        chosen = set(np.random.default_rng(train.seed).choice(numbers, train.most_documents, replace=False).tolist())
    stored = writer.documents(int(numbers[0]), int(numbers[-1]) + 1)
    pictures = (
        document.picture
        for number, document in zip(numbers.tolist(), stored, strict=True)
        if number in chosen and document.picture is not None
    )
    pixels = Pixels.of(pictures)
    axes, mean = fit_pca(pixels, model.dims)
    writer.put_all("pca/", {"axes": axes, "mean": mean})
    start = PixelEncoder.pca(axes, mean)
    shape = corpus.modality.check_picture(writer.folder)
    return learn_pictures(pixels, shape, start, model, train, progress), start


def _learn_texts(
    writer: Writer, corpus: CountedCorpus, idf_of: Floats, model: ModelSpec, train: TrainSpec, progress: Progress
) -> tuple["Learned[TextEncoder]", Encoder]:
    """Fit LSA, write it, and train the auto-encoder, from LSA or as a deep stack; returns it, and LSA as an encoder."""
    from textae.training.stacked import learn_deep  # torch
    from textae.training.text import learn, sampled

    progress("LSA", 0, None)
    rows = sampled(corpus.tokens, len(idf_of), train)
    tokens = corpus.tokens.take(rows).below(len(idf_of))
    bags = tokens.bags()
    start = Encoder.lsa(fit_lsa(bags, idf_of, model.start_dims, train.seed), idf_of)
    if train.pretrain == LSA:
        learned = learn(bags, start, model, train, progress, tokens)
    else:
        learned = learn_deep(bags, len(idf_of), model, train, progress)
    if corpus.vectors is not None:
        known = np.flatnonzero(corpus.vectors.has_code[rows])
        own = corpus.vectors.floats[rows[known]].astype(np.float32)
        writer.set("vector_weight", vector_weight(bags.take(known), idf_of, own, train.seed))
    if model.codes == FLOATS:
        writer.put_all("", with_checksums({"lsa/words": start.words}))
    return learned, start


_LEARN: Mapping[str, Callable[..., Any]] = {TEXTS: _learn_texts, PICTURES: _learn_pictures}
"""The training of each kind of documents."""


def _first(documents: Iterator[Document]) -> list[Document]:
    """The first documents, few enough to be held in memory."""
    first, characters = [], 0
    for document in documents:
        first.append(document)
        characters += len(document.title) + len(document.text)
        if len(first) == _SAMPLE or characters >= _SAMPLE_CHARACTERS:
            break
    return first


@contextlib.contextmanager
def too_little_memory_is_an_error(model: ModelSpec) -> Iterator[None]:
    """Raise a `TextaeError` where memory runs out. PyTorch has no own error for that on the CPU; its message tells."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, RuntimeError) and not re.search(r"allocate memory|(out of|not enough) memory", str(error)):
            raise
        instead = ", or --device cpu" if "CUDA" in str(error) else ""
        raise TextaeError(
            f"there is not enough memory to learn {model.dims} numbers and {model.bits} bits through hidden layers of "
            f"{', '.join(map(str, model.hidden)) or 'none'}; give smaller ones{instead}"
        ) from None


NO_WORDS, USED, HALF = "no words", "id already used", "half of a surrogate pair"
DEEP = f"fields of more than {DEEPEST} levels"
"""Reasons to skip a document. Half of a surrogate pair is no Unicode."""


class Reading:
    """Stores the documents of a corpus, and counts those that it skips.

    Args:
        writer: of the store.
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

    def __init__(self, writer: Writer, progress: Progress, planes: Quantization | None = None) -> None:
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
    return document.picture is not None or next(spans(searchable(document)), None) is not None
