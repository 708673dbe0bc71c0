"""One commit of an index, and what can search it: each part is made of the stored arrays when it is first asked for.

opened = Opened(Reader(folder))
question = Question.of(opened.model.vectorizer.transform(["smooth a noisy signal"]))
opened.search(question, k=10, mode="bm25")
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textae.config import PICTURE_SYSTEMS, SYSTEMS, ModelSpec, TrainSpec, check_system, specs_of
from textae.corpus.uniform import resized
from textae.encoding.analyzer import Analysis
from textae.encoding.arrays import Mask, Rows
from textae.encoding.bags import Bags, Tokens
from textae.encoding.classifier import Classifier
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import Codes, Encoder, PixelEncoder, TextEncoder, encoder_of
from textae.encoding.model import Model
from textae.encoding.pixels import Pixels
from textae.encoding.topk import TopK
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.vocabulary import Vocabulary
from textae.errors import QueryError
from textae.index.chunked import ChunkedArray
from textae.index.postings import Statistics
from textae.index.segments import Segment, SegmentRows
from textae.index.store import Reader
from textae.search.feedback import like_these
from textae.search.lexical import BM25, VectorSpace
from textae.search.query import QueryVector, encode_query
from textae.search.retrievers import CodeSearch, Hybrid, PixelSearch, Retriever
from textae.search.vectors import CodeIndex, CosineIndex, EuclideanIndex, HammingIndex
from textae.types import Picture


@dataclass(frozen=True)
class CorpusView:
    """What is searched, through all segments: whole documents, or their passages. Its rows are numbered through.

    Attributes:
        units: of each segment.
    """

    units: tuple[SegmentRows, ...]

    @cached_property
    def doc_numbers(self) -> ChunkedArray[np.int64]:
        """The number of the document of each row; rising."""
        return ChunkedArray([unit.doc_numbers for unit in self.units])

    @cached_property
    def known(self) -> ChunkedArray[np.bool_]:
        """Whether the encoder knows a word of each row."""
        return ChunkedArray([unit.codes.known for unit in self.units])

    @cached_property
    def floats(self) -> ChunkedArray[np.floating]:
        """The float codes."""
        return ChunkedArray([unit.codes.floats for unit in self.units])

    @cached_property
    def bits(self) -> ChunkedArray[np.uint8]:
        """The binary codes."""
        return ChunkedArray([unit.codes.bits for unit in self.units])

    @cached_property
    def lsa(self) -> ChunkedArray[np.float16]:
        """LSA's codes."""
        return ChunkedArray([unit.lsa for unit in self.units])

    @cached_property
    def pixels(self) -> ChunkedArray[np.uint8]:
        """The pixels of pictures."""
        return ChunkedArray([unit.pixels for unit in self.units])

    @cached_property
    def places(self) -> ChunkedArray[np.int32]:
        """Where passages stand in the text of their document."""
        return ChunkedArray([unit.places for unit in self.units])

    @cached_property
    def statistics(self) -> Statistics:
        """Of the words, without what is removed."""
        return Statistics([unit.postings for unit in self.units], [unit.removed for unit in self.units])

    @cached_property
    def alive(self) -> Mask | None:
        """Which rows are not removed; None where none is."""
        if not any(len(unit.removed.rows) for unit in self.units):
            return None
        return np.concatenate([unit.alive() for unit in self.units])

    def rows_of(self, number: int) -> Rows:
        """The rows of a document that is there."""
        found = [start + np.arange(*np.searchsorted(part, [number, number + 1])) for start, part in self.doc_numbers]
        rows = np.concatenate(found)
        return rows if self.alive is None else rows[self.alive[rows]]


class Snapshot:
    """One commit of an index with its systems, each made when it is first asked for.

    Args:
        reader: of the store.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        # As what they are mapped as, each slice of them would cost a microsecond more.
        self._arrays = {name: np.asarray(array) for name, array in reader.arrays.items()}
        self._systems: dict[tuple[str, bool], Retriever] = {}

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The parts of the index, oldest first."""
        return tuple(Segment.from_arrays(name, self._arrays) for name in self.reader.settings["segments"])

    @cached_property
    def documents(self) -> CorpusView:
        """The documents as wholes."""
        return CorpusView(tuple(segment.documents for segment in self.segments))

    @cached_property
    def searched(self) -> CorpusView:
        """What a query is compared with: the passages of the documents where the index has them."""
        passages = tuple(segment.passages for segment in self.segments if segment.passages is not None)
        return CorpusView(passages) if passages else self.documents

    @cached_property
    def model(self) -> Model:
        """What was learned."""
        arrays, settings = self._arrays, self.reader.settings
        analysis = settings["analysis"]
        vectorizer = Vectorizer(
            Analysis(analysis["language"], frozenset(analysis["stop_words"])), Vocabulary.from_arrays(arrays)
        )
        learned, start = arrays["idf"], self._start
        return Model(vectorizer, learned, encoder_of(arrays), start, settings["passage"], self.shape)

    @cached_property
    def _start(self) -> Encoder | PixelEncoder:
        """LSA, or of pictures PCA, as an encoder."""
        arrays = self._arrays
        if self.shape is not None:
            return PixelEncoder.pca(arrays["pca/axes"], arrays["pca/mean"])
        words = arrays["lsa/words"]
        return Encoder.lsa(words, arrays["idf"][: len(words)])

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """Height, width and channels of the pictures; None of an index of texts."""
        shape = self.reader.settings.get("shape")
        return None if shape is None else (shape[0], shape[1], shape[2])

    @property
    def systems(self) -> tuple[str, ...]:
        """What can search, by name."""
        return SYSTEMS if self.shape is None else PICTURE_SYSTEMS

    @property
    def default_system(self) -> str:
        """What searches unless another system is asked for."""
        return "hybrid" if self.shape is None else "code"

    def check_texts(self, what: str) -> None:
        """See whether the documents are texts, which something is for.

        Raises:
            QueryError: they are pictures.
        """
        if self.shape is not None:
            raise QueryError(
                f"{what} is for texts, and the index {self.reader.folder} holds pictures; "
                "'textae similar PICTURE' searches them"
            )

    @property
    def text_encoder(self) -> TextEncoder:
        """The encoder of texts.

        Raises:
            QueryError: the documents are pictures.
        """
        encoder = self.model.encoder
        self.check_texts("a question in words")
        assert not isinstance(encoder, PixelEncoder)  # of texts
        return encoder

    @cached_property
    def decoder(self) -> Decoder:
        """The trained decoder."""
        return Decoder.from_arrays(self._arrays)

    @cached_property
    def usual_words(self) -> NDArray[np.float64]:
        """How likely the decoder finds each word over all documents: (n_terms,)."""
        from textae.encoding.decoder import known_floats, usual_words  # numpy.random, which no search needs: 10 ms

        return usual_words(self.decoder, known_floats(self.codes))

    @cached_property
    def classifier(self) -> Classifier:
        """What labels have taught.

        Raises:
            QueryError: no labels were learned.
        """
        taught = self.reader.settings.get("classifier")
        if taught is None:
            raise QueryError(
                f"the index {self.reader.folder} has learned no labels; 'textae train --label FIELD' does it"
            )
        return Classifier.from_arrays(self.reader.arrays, taught["classes"])

    @property
    def specs(self) -> tuple[ModelSpec, TrainSpec]:
        """How the index was learned; what its textae did not know yet is as the defaults are."""
        return specs_of(self.reader.settings["about"])

    @cached_property
    def codes(self) -> Codes:
        """The codes of all documents that are there, as they are on disk."""
        of, alive = self.documents, self.documents.alive
        known, floats, bits = of.known.whole(), of.floats.whole(), of.bits.whole()
        return Codes(known, floats, bits) if alive is None else Codes(known[alive], floats[alive], bits[alive])

    @cached_property
    def numbers(self) -> Rows:
        """The number of each document that is there, in the order of `codes`."""
        numbers, alive = self.documents.doc_numbers.whole(), self.documents.alive
        return numbers if alive is None else numbers[alive]

    @cached_property
    def ids(self) -> dict[int, str]:
        """Every document's id, by its number."""
        return self.reader.all_ids()

    def number(self, id: str) -> int:
        """The number of the document with this id.

        Raises:
            QueryError: there is none.
        """
        number = self.reader.number(id)
        if number is None:
            raise QueryError(
                f"no document has the id {id!r}; 'textae search' prints ids, and 'textae info' counts the documents"
            )
        return number

    def position(self, id: str) -> int:
        """The place of the document with this id in `codes`.

        Raises:
            QueryError: there is none.
        """
        return int(np.searchsorted(self.numbers, self.number(id)))

    def expanded(self, query: QueryVector) -> QueryVector:
        """A question with the words that the decoder expects of its code, for keyword search."""
        from textae.search.expansion import expand

        asked = encode_query(self.text_encoder, query)
        return expand(query, self.decoder, self.usual_words, asked.floats[0], self.searched.statistics.idf)

    def holders(self, term: int, n: int) -> list[int]:
        """The numbers of the first n documents that hold a term."""
        found: list[int] = []
        for segment in self.segments:
            rows = segment.documents.postings.term(term)[0]
            rows = rows[~np.isin(rows, segment.documents.removed.rows)]
            found += segment.documents.doc_numbers[rows[: n - len(found)]].tolist()
        return found

    def mask(self, where: str | None, must: str | None, *, whole: bool = False) -> Mask:
        """The rows of what is searched whose documents meet conditions: (n_rows,).

        Args:
            where: of their fields; None for none.
            must: of their text; None for none.
            whole: whether whole documents are searched.

        Raises:
            QueryError: a condition cannot be read.
        """
        from textae.search.filters import evaluate, parse  # Whoosh's parser, which few searches need: 60 ms

        if must is not None:
            self.check_texts("a condition on text (--must)")
        conditions = [] if where is None else [parse(where, "--where", self.field_names)]
        conditions += [] if must is None else [parse(must, "--must", self.field_names)]
        masks = []
        for segment in self.segments:
            met = np.ones(segment.n_rows, bool)
            for condition in conditions:
                met &= evaluate(condition, segment, self.model.vectorizer)
            if segment.passages is not None and not whole:
                met = met[np.searchsorted(segment.documents.doc_numbers, segment.passages.doc_numbers)]
            masks.append(met)
        return np.concatenate(masks)

    @cached_property
    def field_names(self) -> set[str]:
        """The fields that a document has, or had."""
        return {"id", "title"}.union(*(segment.fields.names() for segment in self.segments))

    def query(self, text: str) -> QueryVector:
        """The question that a text asks.

        Raises:
            QueryError: the documents are pictures.
        """
        self.check_texts("a question in words")
        return QueryVector.of(self.model.vectorizer.transform([text]))

    def query_of_picture(self, picture: Picture) -> QueryVector:
        """The question that a picture of any shape asks.

        Raises:
            QueryError: the documents are texts.
        """
        return QueryVector.of_pictures(Pixels.of([self.resized(picture)]))

    def resized(self, picture: Picture) -> Picture:
        """A picture as it is compared with those of the index.

        Raises:
            QueryError: the documents are texts.
        """
        if self.shape is None:
            raise QueryError(f"a picture was given, and the index {self.reader.folder} holds texts; give a text")
        return resized(picture, self.shape)

    def like(self, numbers: Sequence[int]) -> QueryVector:
        """What is like the documents of these numbers, at least one."""
        if self.shape is None:
            return like_these(self.bags_of(numbers))
        return QueryVector.of_pictures(self.pixels_of(numbers))

    def pixels_of(self, numbers: Sequence[int]) -> Pixels:
        """The pixels of the pictures of these numbers, in their order."""
        rows = [self.documents.rows_of(number)[0] for number in numbers]
        return Pixels(self.documents.pixels.take(np.array(rows, np.int64)))

    def bags_of(self, numbers: Sequence[int]) -> Bags:
        """The bags of the documents of these numbers, in their order."""
        parts = [Tokens(np.zeros(1, np.int64), np.empty(0, np.int32))]
        for number in numbers:
            row = int(self.documents.rows_of(number)[0])
            place = int(np.searchsorted(self.documents.doc_numbers.starts, row, side="right")) - 1
            inside = row - int(self.documents.doc_numbers.starts[place])
            parts.append(self.segments[place].tokens.rows(inside, inside + 1))
        return Tokens.concatenated(parts).bags()

    def search(
        self,
        query: QueryVector,
        k: int,
        mode: str,
        mask: Mask | None = None,
        *,
        min_score: float = 0.0,
        whole: bool = False,
    ) -> TopK:
        """The k documents that a system ranks highest, each by its best row of what is searched.

        Args:
            query: that is asked.
            k: documents.
            mode: the system.
            mask: (n_rows,) of what is searched, where only some rows are meant.
            min_score: what scores this or less is no hit.
            whole: whether whole documents are compared, also where passages are searched.
        """
        searched, system = self.documents if whole else self.searched, self.system(mode, whole=whole)
        alive = searched.alive
        meant = alive if mask is None else mask if alive is None else mask & alive
        if searched is self.documents:
            return system.search(query, k, meant, min_score)
        asked = 2 * k
        while True:
            found = system.search(query, asked, meant, min_score)
            first = np.sort(np.unique(searched.doc_numbers.take(found.rows), return_index=True)[1])[:k]
            if len(first) == k or len(found.rows) < asked:
                return TopK(found.rows[first], found.scores[first])
            asked *= 4

    def system(self, name: str, *, whole: bool = False) -> Retriever:
        """The system of that name, over what is searched.

        Args:
            name: of the system.
            whole: over whole documents, also where passages are searched.

        Raises:
            TextaeError: there is none.
        """
        of = self.documents if whole else self.searched
        key = (name, of is self.documents)
        if key not in self._systems:
            self._systems[key] = self._make(name, of)
        return self._systems[key]

    def knows(self, name: str) -> int:
        """How many terms the system of that name knows: the most frequent ones of the corpus."""
        system = self.system(name)
        if isinstance(system, CodeSearch) and not isinstance(system.encoder, PixelEncoder):
            return len(system.encoder.words)
        return len(self.model.vectorizer.vocabulary)

    def _make(self, name: str, of: CorpusView) -> Retriever:
        check_system(name, pictures=self.shape is not None)
        postings = [unit.postings for unit in of.units]
        match name.split("-"):
            case ["bm25"]:
                return BM25(postings, of.statistics)
            case ["tfidf"]:
                return VectorSpace(postings, self.model.idf[:-1], float(self.model.idf[-1]))
            case ["pixels"]:
                return PixelSearch(EuclideanIndex(of.pixels))
            case ["code"]:
                return self._codes(of)
            case ["bits"]:
                return CodeSearch(self.model.encoder, HammingIndex(of.bits, of.known))
            case ["hybrid"]:
                weight = self.reader.settings["hybrid_weight"]
                return Hybrid(BM25(postings, of.statistics), self._codes(of), weight)
            case ["bits", n]:
                return self._bits(int(n), of)
            case ["lsa" | "pca", dims]:
                return self._lsa(int(dims), of)
        return self._lsa(None, of)

    def _codes(self, of: CorpusView) -> CodeSearch:
        return CodeSearch(self.model.encoder, CodeIndex(of.floats, of.bits, of.known))

    def _bits(self, n: int, of: CorpusView) -> Retriever:
        from textae.training.itq import quantization  # numpy.random, which no other search needs

        learned = self.codes  # of the documents, whichever rows are searched
        seed = self.reader.settings["about"]["seed"]
        planes = quantization(learned.floats.astype(np.float32)[learned.known], n, seed)
        parts = [planes.bits(unit.codes.floats.astype(np.float32), unit.codes.known) for unit in of.units]
        return CodeSearch(replace(self.model.encoder, quantization=planes), HammingIndex(ChunkedArray(parts), of.known))

    def _lsa(self, dims: int | None, of: CorpusView) -> Retriever:
        first = self.model.start
        if isinstance(first, PixelEncoder):
            axes, mean = self._arrays["pca/axes"], self._arrays["pca/mean"]
            start: Encoder | PixelEncoder = PixelEncoder.pca(axes[:, :dims], mean)
        else:
            assert isinstance(first, Encoder)  # LSA
            start = Encoder.lsa(first.words[:, :dims], first.idf)
        return CodeSearch(start, CosineIndex(ChunkedArray([unit.lsa[:, :dims] for unit in of.units])))
