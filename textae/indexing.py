"""From a stream of documents to an index: read and count, learn, encode, write; one pass over the source.

documents ─▶ counts ─▶ LSA ─▶ auto-encoder ─▶ codes
    └──────────┴────────┴─────────┴────────────┴──▶ one transaction of the store
"""

import contextlib
import itertools
import re
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textae.baselines import Postings, fit_lsa
from textae.encoder import DeepEncoder, Encoder
from textae.errors import CorpusError, TextaeError
from textae.fusion import fusion_weight
from textae.spec import AUTO, LSA, ModelSpec, TrainSpec, check_together
from textae.store import Writer
from textae.text import Analysis, detect_language, searchable, spans
from textae.types import Document, Progress, Skipped
from textae.vectorizer import Bags, Counter, Floats, idf

if TYPE_CHECKING:
    from textae.train import Learned

FEW = 500
"""Documents below which codes know little more than the words themselves."""

_SAMPLE, _SAMPLE_CHARACTERS = 1_000, 8_000_000  # documents by which the language is told: held in memory till then
_CHUNK = 2_048  # documents encoded at a time


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
        warnings: what to expect of this index, where that is less than usual.
    """

    documents: int
    skipped: Mapping[str, int]
    examples: Mapping[str, list[str]]
    language: str | None
    terms: int
    inputs: int
    warnings: list[str] = field(default_factory=list)


def build(
    writer: Writer,
    corpus: Iterable[Document | Skipped],
    language: str | None,
    model: ModelSpec,
    train: TrainSpec,
    progress: Progress,
) -> Report:
    """Index a corpus and learn it; nothing is committed yet.

    Args:
        writer: of the store.
        corpus: read once, in order.
        language: of its stemmer and stop words; None for neither, `AUTO` to detect it.
        model: the shape of the auto-encoder.
        train: how it learns.
        progress: told of each stage.

    Raises:
        CorpusError: no document has a word.
        TextaeError: such a model cannot learn like that; there is not enough memory for it; or learning diverged.
    """
    check_together(model, train)
    reading = _Reading(writer, progress)
    documents = reading.documents(corpus)
    first = _first(documents)
    analysis = Analysis.of(detect_language(map(searchable, first)) if language == AUTO else language)
    counter = Counter(analysis, writer.folder)
    for document in itertools.chain(first, documents):
        counter.add(searchable(document))
    if not len(writer):
        raise CorpusError(f"no document to index{_because(reading.skipped)}")
    vocabulary, bags, frequency = counter.finish()
    if not len(vocabulary):
        raise CorpusError(
            "no document has a word to search for: all are stop words or too long; --language none keeps stop words"
        )
    idf_of = idf(frequency, len(bags))
    for name, array in {**vocabulary.arrays(), **Postings.of(bags, idf_of).arrays()}.items():
        writer.put(name, array)
    inputs = min(model.inputs, len(vocabulary))
    with too_little_memory_is_an_error(model):
        learned, start = learn_from(writer, bags, idf_of[:inputs], model, train, progress)
        encode(writer, bags, learned.encoder, start, progress)
    writer.set("analysis", {"language": analysis.language, "stop_words": sorted(analysis.stop_words)})
    writer.set("about", about(analysis.language, model, train, inputs))
    few = [f"learned from only {len(bags)} documents: expect little more than matching words; some {FEW} are needed"]
    return Report(
        len(bags),
        dict(reading.skipped),
        reading.examples,
        analysis.language,
        len(vocabulary),
        inputs,
        [*(few if len(bags) < FEW else []), *learned.warnings],
    )


def about(language: str | None, model: ModelSpec, train: TrainSpec, inputs: int) -> dict[str, Any]:
    """How an index was learned, as its settings hold it."""
    return {"language": language, **asdict(model), **asdict(train), "inputs": inputs}


def learn_from(
    writer: Writer, bags: Bags, idf_of: Floats, model: ModelSpec, train: TrainSpec, progress: Progress
) -> tuple["Learned", Encoder]:
    """Fit LSA, train the auto-encoder from there or as a deep stack, and write both; gives both, LSA as an encoder."""
    from textae.deep import learn_deep  # torch
    from textae.train import learn, sample

    progress("LSA", 0, None)
    learned_from = sample(bags, len(idf_of), train)
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


def encode(writer: Writer, bags: Bags, encoder: Encoder | DeepEncoder, start: Encoder, progress: Progress) -> None:
    """Write the codes of all documents, and those of LSA, which is where learning starts by default."""
    progress("encoding", 0, len(bags))
    names = ("codes/lsa", "codes/known", "codes/floats", "codes/bits")
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in names}
    for chunk in bags.chunks(_CHUNK):
        codes = encoder.encode(chunk)
        parts["codes/lsa"].append(start.encode(chunk).floats.astype(np.float16))
        parts["codes/known"].append(codes.known)
        parts["codes/floats"].append(codes.floats.astype(np.float16))
        parts["codes/bits"].append(codes.bits)
        progress("encoding", sum(map(len, parts["codes/bits"])), len(bags))
    for name, chunks in parts.items():
        writer.put(name, np.concatenate(chunks))


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


class _Reading:
    """Stores the documents as they pass, and counts those that are none."""

    EXAMPLES = 1_000

    def __init__(self, writer: Writer, progress: Progress) -> None:
        self._writer, self._progress = writer, progress
        self.skipped: Tally[str] = Tally()
        self.examples: dict[str, list[str]] = {}

    def documents(self, corpus: Iterable[Document | Skipped]) -> Iterator[Document]:
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
        if next(spans(searchable(document)), None) is None:
            return Skipped(place, "no words")
        try:
            return None if self._writer.add(document) else Skipped(place, "id already used")
        except UnicodeEncodeError:
            return Skipped(place, "half of a surrogate pair")


def _because(skipped: Mapping[str, int]) -> str:
    reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(skipped.items()))
    return f"; skipped {sum(skipped.values())} ({reasons})" if skipped else ""
