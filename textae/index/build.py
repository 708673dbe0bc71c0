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
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textae.config import AUTO, LSA, ModelSpec, TrainSpec, check_together, stored_settings
from textae.corpus.uniform import UniformCorpus
from textae.encoding.analyzer import Analysis, detect_language, searchable, spans
from textae.encoding.arrays import Floats, Rows
from textae.encoding.bags import Tokens
from textae.encoding.counting import Counter
from textae.encoding.encoders import DeepEncoder, Encoder, PixelEncoder
from textae.encoding.model import Model
from textae.encoding.pixels import Pixels
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.weighting import idf
from textae.errors import CorpusError, TextaeError
from textae.index.segment_writer import SegmentWriter
from textae.index.writer import Writer, failures_are_errors
from textae.training.fusion_weight import fusion_weight
from textae.training.lsa import fit_lsa
from textae.types import Document, Progress, Shape, Skipped

if TYPE_CHECKING:
    from textae.training.image import LearnedPictures
    from textae.training.text import Learned

FEW = 500
"""Documents below which codes know little more than the words themselves."""

_SAMPLE, _SAMPLE_CHARACTERS = 1_000, 8_000_000  # documents by which the language is told: held in memory till then


@dataclass(frozen=True)
class Report:
    """What became of a corpus.

    Attributes:
        documents: indexed.
        skipped: how many did not become documents, by reason.
        examples: where they stood, by reason: the first of each.
        language: whose stems and stop words were used; None for words as they are.
        terms: in the vocabulary.
        inputs: the most frequent of them, that the encoder knows.
        shape: height, width and channels of pictures; None of texts.
        warnings: what to expect of this index, where that is less than usual.
    """

    documents: int
    skipped: Mapping[str, int]
    examples: Mapping[str, list[str]]
    language: str | None
    terms: int
    inputs: int
    shape: Shape | None = None
    warnings: list[str] = field(default_factory=list)


def build(
    writer: Writer,
    corpus: UniformCorpus,
    language: str | None,
    model: ModelSpec,
    train: TrainSpec,
    passage: int,
    progress: Progress,
) -> Report:
    """Index a corpus and learn it; nothing is committed yet.

    Args:
        writer: of the store.
        corpus: read once, in order.
        language: of its stemmer and stop words; None for neither, `AUTO` to detect it.
        model: the shape of the auto-encoder.
        train: how it learns.
        passage: words of a passage; 0 to search whole documents.
        progress: told of each stage.

    Raises:
        CorpusError: no document has a word.
        TextaeError: such a model cannot learn like that; there is not enough memory for it; or learning diverged.
    """
    check_together(model, train, pictures=corpus.shape is not None)
    if corpus.shape is not None and passage:
        raise CorpusError(f"passages of {passage} words were asked for, of pictures; leave --passages out")
    reading = Reading(writer, progress)
    documents = reading.documents(corpus)
    first = _first(documents)
    if corpus.shape is not None:
        if language not in (AUTO, None):
            raise TextaeError(f"the language {language!r:.40} was named, of pictures; leave --language out")
        language = None  # of names of files
    analysis = Analysis.of(detect_language(map(searchable, first)) if language == AUTO else language)
    with failures_are_errors(writer.folder):
        counter = Counter(analysis, writer.folder)
    for document in itertools.chain(first, documents):
        with failures_are_errors(writer.folder):
            counter.add(searchable(document))
    if not len(writer):
        raise CorpusError(f"no document to index{_because(reading.skipped)}")
    with failures_are_errors(writer.folder):
        vocabulary, tokens, frequency = counter.finish()
    if not len(vocabulary) and corpus.shape is None:
        raise CorpusError(
            "no document has a word to search for: all are stop words or too long; --language none keeps stop words"
        )
    vectorizer = Vectorizer(analysis, vocabulary)
    numbers = np.arange(len(tokens))
    said = Words(vectorizer, frequency, numbers, tokens)
    warnings = learn_and_write(writer, said, model, train, passage, corpus.shape, progress)
    what, known = ("documents", "matching words") if corpus.shape is None else ("pictures", "matching pixels")
    few = [f"learned from only {len(tokens)} {what}: expect little more than {known}; some {FEW} are needed"]
    return Report(
        len(tokens),
        dict(reading.skipped),
        reading.examples,
        analysis.language,
        len(vocabulary),
        min(model.inputs, len(vocabulary)),
        corpus.shape,
        [*(few if len(tokens) < FEW else []), *warnings],
    )


@dataclass(frozen=True)
class Words:
    """What documents say.

    Attributes:
        vectorizer: whose vocabulary numbers terms by falling frequency.
        frequency: (n_terms,) documents that hold each.
        numbers: (n,) of the documents, rising.
        tokens: n rows.
    """

    vectorizer: Vectorizer
    frequency: NDArray[np.int64]
    numbers: Rows
    tokens: Tokens


def learn_and_write(
    writer: Writer,
    said: Words,
    model: ModelSpec,
    train: TrainSpec,
    passage: int,
    shape: Shape | None,
    progress: Progress,
    tune: "Callable[[Learned], Encoder] | None" = None,
) -> Sequence[str]:
    """Learn all documents of the store, and write what was learned and the segments; gives the warnings.

    Args:
        writer: of the store, that has the documents and no arrays.
        said: by the documents.
        model: the shape of the auto-encoder.
        train: how it learns.
        passage: words of a passage; 0 to search whole documents.
        shape: of pictures; None of texts.
        progress: told of each stage.
        tune: makes the encoder that is used of what was learned, and writes it in its place.
    """
    n = len(said.tokens)
    learned_idf = idf(np.append(said.frequency, 0), n)
    inputs = min(model.inputs, len(said.frequency)) if shape is None else model.inputs
    with too_little_memory_is_an_error(model):
        encoder: Encoder | DeepEncoder | PixelEncoder
        start: Encoder | PixelEncoder
        if shape is not None:
            seen, start = learn_from_pictures(writer, said.numbers, shape, model, train, progress)
            encoder, warnings = seen.encoder, seen.warnings
        else:
            learned, start = learn_from(writer, said.tokens, learned_idf[:inputs], model, train, progress)
            encoder, warnings = learned.encoder if tune is None else tune(learned), learned.warnings
        segment_writer = SegmentWriter(writer, Model(said.vectorizer, learned_idf, encoder, start, passage, shape), [])
        segment_writer.append(said.numbers, said.tokens, progress)
    segment_writer.finish()
    writer.put_all("", {**said.vectorizer.vocabulary.arrays(), "idf": learned_idf})
    analysis = said.vectorizer.analysis
    writer.set("analysis", {"language": analysis.language, "stop_words": sorted(analysis.stop_words)})
    of_words = {"inputs": inputs} if shape is None else {}
    writer.set("about", {"language": analysis.language, **stored_settings(model, train), **of_words})
    writer.set("shape", shape)
    writer.set("passage", passage)
    writer.set("learned_documents", n)
    writer.set("learned_numbers", writer.next_number)
    return warnings


def learn_from_pictures(
    writer: Writer, numbers: Rows, shape: Shape, model: ModelSpec, train: TrainSpec, progress: Progress
) -> tuple["LearnedPictures", PixelEncoder]:
    """Find the principal components, train the auto-encoder, and write both; gives both, PCA as an encoder."""
    from textae.training.image import fit_pca, learn_pictures  # torch

    progress("PCA", 0, None)
    some = numbers
    if len(some) > train.most_documents:
        some = np.sort(np.random.default_rng(train.seed).choice(numbers, train.most_documents, replace=False))
    chosen = set(some.tolist())
    stored = writer.documents(int(numbers[0]), int(numbers[-1]) + 1)
    pictures = (
        document.picture
        for number, document in zip(numbers.tolist(), stored, strict=True)
        if number in chosen and document.picture is not None
    )
    pixels = Pixels.of(pictures)
    axes, mean = fit_pca(pixels, model.dims)
    start = PixelEncoder.pca(axes, mean)
    learned = learn_pictures(pixels, shape, start, model, train, progress)
    arrays = {"pca/axes": axes, "pca/mean": mean, **learned.encoder.arrays(), **learned.decoder.arrays()}
    writer.put_all("", arrays)
    writer.set("layer_errors", learned.errors)
    return learned, start


def learn_from(
    writer: Writer, tokens: Tokens, idf_of: Floats, model: ModelSpec, train: TrainSpec, progress: Progress
) -> tuple["Learned", Encoder]:
    """Fit LSA, train the auto-encoder from there or as a deep stack, and write both; gives both, LSA as an encoder."""
    from textae.training.stacked import learn_deep  # torch
    from textae.training.text import learn, sample

    progress("LSA", 0, None)
    learned_from = sample(tokens, len(idf_of), train)
    start = Encoder.lsa(fit_lsa(learned_from, idf_of, model.start_dims, train.seed), idf_of)
    if train.pretrain == LSA:
        learned = learn(learned_from, start, model, train, progress)
    else:
        learned = learn_deep(learned_from, len(idf_of), model, train, progress)
    writer.set("hybrid_weight", fusion_weight(learned_from, start, train.seed))
    for name, array in {"lsa/words": start.words, **learned.encoder.arrays(), **learned.decoder.arrays()}.items():
        writer.put(name, array)
    writer.set("layer_errors", learned.errors)
    return learned, start


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
    """PyTorch has no error of its own for memory on the CPU, so its message is read."""
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
"""Why a document is skipped: it has none; another one has its id; and it is no Unicode."""


class Reading:
    """Stores the documents as they pass, and counts those that are none.

    Args:
        writer: of the store.
        progress: told of the documents that are read.

    Attributes:
        skipped: how many did not become documents, by reason.
        examples: where they stood, by reason: the first of each.
    """

    EXAMPLES = 1_000

    def __init__(self, writer: Writer, progress: Progress) -> None:
        self._writer, self._progress = writer, progress
        self.skipped: Tally[str] = Tally()
        self.examples: dict[str, list[str]] = {}

    def documents(self, corpus: Iterable[Document | Skipped]) -> Iterator[Document]:
        """The documents that were stored, in order."""
        for item in corpus:
            refused = item if isinstance(item, Skipped) else self._store(item)
            if refused is not None:
                self.skipped[refused.reason] += 1
                examples = self.examples.setdefault(refused.reason, [])
                if len(examples) < self.EXAMPLES:
                    examples.append(refused.source)
            elif isinstance(item, Document):
                self._progress("reading", len(self._writer), None)
                yield item

    def _store(self, document: Document) -> Skipped | None:
        place = document.source or document.id
        if not has_words(document):
            return Skipped(place, NO_WORDS)
        try:
            return Skipped(place, USED) if self._writer.add(document) is None else None
        except UnicodeEncodeError:
            return Skipped(place, HALF)


def has_words(document: Document) -> bool:
    """Whether a document has a word, or is a picture; one that has neither is skipped."""
    return document.picture is not None or next(spans(searchable(document)), None) is not None


def _because(skipped: Mapping[str, int]) -> str:
    reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(skipped.items()))
    return f"; skipped {sum(skipped.values())} ({reasons})" if skipped else ""
