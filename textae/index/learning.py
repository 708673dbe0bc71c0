"""What an index learns from its counted documents: LSA, the auto-encoder, and their arrays and settings.

Texts are learned from a sample of at most `TrainSpec.most_documents`. `learn_texts` needs the sample alone, so a corpus
that is larger than a machine can be learned, too.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from textae.config import FLOATS, LSA, ModelSpec, TrainSpec, stored_settings
from textae.encoding.arrays import Floats, Rows
from textae.encoding.bags import Tokens
from textae.encoding.encoders import Codes, Encoder, PixelEncoder, TextEncoder
from textae.encoding.model import Model
from textae.encoding.pixels import Pixels
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.weighting import idf
from textae.errors import TextaeError
from textae.index.checksums import with_checksums
from textae.index.modality import Modality
from textae.index.records import Arrays
from textae.index.segment_writer import SegmentWriter
from textae.index.writer import Writer
from textae.training.lsa import fit_lsa
from textae.training.vector_weight import vector_weight
from textae.types import TEXTS, Progress, Shape

if TYPE_CHECKING:
    from textae.training.text import Learned


class Sink(Protocol):
    """Keeps what is learned: a `Writer`, or what collects the arrays and settings of a model."""

    def put_all(self, prefix: str, arrays: Arrays) -> None:
        """Keep arrays, their names behind a prefix."""

    def set(self, name: str, value: Any) -> None:
        """Keep what JSON can hold."""


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
    n = len(corpus.tokens)
    idf_of = idf(np.append(corpus.frequencies, 0), n)
    learned: Learned[Any]
    start: Encoder | PixelEncoder
    with too_little_memory_is_an_error(model):
        if modality.kind == TEXTS:
            inputs = idf_of[: modality.n_inputs(model, len(corpus.frequencies))]
            tokens, vectors = _sampled(corpus, len(inputs), train)
            learned, start = learn_texts(writer, tokens, inputs, model, train, progress, vectors)
        else:
            learned, start = _learn_pictures(writer, corpus, model, train, progress)
        encoder = learned.encoder if tune is None else tune(learned)
        stored_start = start if model.codes == FLOATS else None
        model_of_segments = Model(vectorizer, idf_of, encoder, stored_start, corpus.passage, modality.shape)
        segment_writer = SegmentWriter(writer, model_of_segments)
        segment_writer.append(corpus.doc_numbers, corpus.tokens, progress, corpus.vectors)
    segment_writer.finish()
    write_settings(writer, vectorizer, idf_of, (model, train), corpus.passage, n, writer.next_number, modality.shape)
    warnings: Sequence[str] = learned.warnings
    return warnings


def write_settings(
    sink: Sink,
    vectorizer: Vectorizer,
    idf_of: Floats,
    specs: tuple[ModelSpec, TrainSpec],
    passage: int,
    n_documents: int,
    next_number: int,
    shape: Shape | None = None,
) -> None:
    """Write the vocabulary, and how a corpus was analysed and learned.

    Args:
        sink: keeps them.
        vectorizer: from texts to terms.
        idf_of: (n_terms + 1,) of the terms, and of one that no document holds.
        specs: the shape of the auto-encoder, and how it was learned.
        passage: words of a passage; 0 for whole documents.
        n_documents: of the corpus.
        next_number: above the number of each of its documents.
        shape: of pictures; None of texts.
    """
    sink.put_all("", {**vectorizer.vocabulary.arrays(), "idf": idf_of})
    analysis = vectorizer.analysis
    stop_words = sorted(analysis.stop_words)
    sink.set("analysis", {"language": analysis.language, "stop_words": stop_words, "version": analysis.version})
    sink.set("about", {"language": analysis.language, **stored_settings(*specs)})
    sink.set("shape", shape)
    sink.set("passage", passage)
    sink.set("learned_documents", n_documents)
    sink.set("learned_numbers", next_number)


def _sampled(corpus: CountedCorpus, n_inputs: int, train: TrainSpec) -> tuple[Tokens, Codes | None]:
    """The documents to learn from: their tokens, and the vectors of those that have one."""
    from textae.training.text import sampled  # torch

    rows = sampled(corpus.tokens, n_inputs, train)
    own = corpus.vectors
    taken = None if own is None else Codes(own.has_code[rows], own.floats[rows], own.bits[rows])
    return corpus.tokens.take(rows), taken


def learn_texts(
    sink: Sink,
    tokens: Tokens,
    idf_of: Floats,
    model: ModelSpec,
    train: TrainSpec,
    progress: Progress,
    vectors: Codes | None = None,
) -> tuple["Learned[TextEncoder]", Encoder]:
    """Fit LSA, train the auto-encoder, from LSA or as a deep stack, and write both.

    Args:
        sink: keeps the arrays, and the errors of layers.
        tokens: of the documents to learn from.
        idf_of: of the terms that the encoder reads, the most frequent ones.
        model: the shape of the auto-encoder.
        train: how it learns.
        progress: called at each stage.
        vectors: the user's own of these documents; None for none.

    Returns:
        The auto-encoder, and LSA as an encoder.
    """
    from textae.training.stacked import learn_deep  # torch
    from textae.training.text import learn

    progress("LSA", 0, None)
    tokens = tokens.below(len(idf_of))
    bags = tokens.bags()
    start = Encoder.lsa(fit_lsa(bags, idf_of, model.start_dims, train.seed), idf_of)
    if train.pretrain == LSA:
        learned = learn(bags, start, model, train, progress, tokens)
    else:
        learned = learn_deep(bags, len(idf_of), model, train, progress)
    if vectors is not None:
        known = np.flatnonzero(vectors.has_code)
        own = vectors.floats[known].astype(np.float32)
        sink.set("vector_weight", vector_weight(bags.take(known), idf_of, own, train.seed))
    if model.codes == FLOATS:
        sink.put_all("", with_checksums({"lsa/words": start.words}))
    _write_learned(sink, learned)
    return learned, start


def _write_learned(sink: Sink, learned: "Learned[Any]") -> None:
    sink.put_all("", with_checksums(learned.encoder.arrays() | learned.decoder.arrays()))
    sink.set("layer_errors", learned.errors)


def _learn_pictures(
    writer: Writer, corpus: CountedCorpus, model: ModelSpec, train: TrainSpec, progress: Progress
) -> tuple["Learned[PixelEncoder]", PixelEncoder]:
    """Fit PCA, train the auto-encoder of pictures, and write both; returns it, and PCA as an encoder."""
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
    learned = learn_pictures(pixels, shape, start, model, train, progress)
    _write_learned(writer, learned)
    return learned, start


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
