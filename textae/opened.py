"""One commit of an index, and what can search it: each part is made of the stored arrays when it is first asked for.

opened = Opened(Reader(folder))
opened.system("bm25").scores(opened.vectorizer.transform(["smooth a noisy signal"]))
"""

from dataclasses import fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.baselines import BM25, Postings, VectorSpace
from textae.classifier import Classifier
from textae.decoder import Decoder
from textae.encoder import Codes, DeepEncoder, Encoder, encoder_of
from textae.errors import QueryError
from textae.index import CosineIndex, HammingIndex
from textae.ranking import CodeSearch, Hybrid, Retriever
from textae.spec import ModelSpec, TrainSpec, check_system
from textae.store import Reader
from textae.text import Analysis
from textae.vectorizer import Floats, Vectorizer, Vocabulary, idf


class Opened:
    """One commit of an index with its systems, each made when it is first asked for.

    Args:
        reader: of the store.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._systems: dict[str, Retriever] = {}

    @cached_property
    def vectorizer(self) -> Vectorizer:
        """The path that every text takes."""
        analysis = self.reader.settings["analysis"]
        return Vectorizer(
            Analysis(analysis["language"], frozenset(analysis["stop_words"])),
            Vocabulary.from_arrays(self.reader.arrays),
        )

    @cached_property
    def postings(self) -> Postings:
        """The bags of the corpus, by term."""
        return Postings.from_arrays(self.reader.arrays)

    @cached_property
    def idf(self) -> Floats:
        """Of every term: (n_terms,)."""
        return idf(self.postings.frequency, len(self.postings))

    @cached_property
    def encoder(self) -> Encoder | DeepEncoder:
        """The trained encoder."""
        return encoder_of(self.reader.arrays)

    @cached_property
    def decoder(self) -> Decoder:
        """The trained decoder."""
        return Decoder.from_arrays(self.reader.arrays)

    @cached_property
    def usual_words(self) -> NDArray[np.float64]:
        """How likely the decoder finds each word over all documents: (n_terms,)."""
        from textae.generator import known_floats, usual_words  # numpy.random, which no search needs: 10 ms

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
        about = self.reader.settings["about"]
        learned = {name: tuple(value) if isinstance(value, list) else value for name, value in about.items()}

        def of(kind: type[ModelSpec] | type[TrainSpec]) -> dict[str, Any]:
            return {field.name: learned[field.name] for field in fields(kind) if field.name in learned}

        return ModelSpec(**of(ModelSpec)), TrainSpec(**of(TrainSpec))

    @cached_property
    def codes(self) -> Codes:
        """The codes of all documents, as they are on disk."""
        arrays = self.reader.arrays
        return Codes(arrays["codes/known"], arrays["codes/floats"], arrays["codes/bits"])

    @cached_property
    def ids(self) -> list[str]:
        """Every document's id."""
        return self.reader.all_ids()

    def position(self, id: str) -> int:
        """The position of the document with this id.

        Raises:
            QueryError: there is none.
        """
        position = self.reader.position(id)
        if position is None:
            raise QueryError(
                f"no document has the id {id!r}; 'textae search' prints ids, and 'textae info' counts the documents"
            )
        return position

    def system(self, name: str) -> Retriever:
        """The system of that name.

        Raises:
            TextaeError: there is none.
        """
        if name not in self._systems:
            self._systems[name] = self._make(name)
        return self._systems[name]

    def knows(self, name: str) -> int:
        """How many terms the system of that name knows: the most frequent ones of the corpus."""
        system = self.system(name)
        return len(system.encoder.words) if isinstance(system, CodeSearch) else len(self.vectorizer.vocabulary)

    def _make(self, name: str) -> Retriever:
        check_system(name)
        match name.split("-"):
            case ["bm25"]:
                return BM25(self.postings, self.idf)
            case ["tfidf"]:
                return VectorSpace(self.postings, self.idf)
            case ["code"]:
                return CodeSearch(self.encoder, CosineIndex(self.codes))
            case ["bits"]:
                return CodeSearch(self.encoder, HammingIndex(self.codes))
            case ["hybrid"]:
                return Hybrid(self.system("bm25"), self.system("code"), self.reader.settings["hybrid_weight"])
            case ["bits", n]:
                return self._bits(int(n))
            case ["lsa", dims]:
                return self._lsa(int(dims))
        return self._lsa(None)

    def _bits(self, n: int) -> Retriever:
        from textae.quantization import quantization  # numpy.random, which no other search needs

        codes = self.codes
        floats = codes.floats.astype(np.float32)
        planes = quantization(floats[codes.known], n, self.reader.settings["about"]["seed"])
        found = Codes(codes.known, codes.floats, planes.bits(floats, codes.known))
        return CodeSearch(replace(self.encoder, quantization=planes), HammingIndex(found))

    def _lsa(self, dims: int | None) -> Retriever:
        arrays = self.reader.arrays
        words, floats = arrays["lsa/words"][:, :dims], arrays["codes/lsa"][:, :dims].astype(np.float32)
        return CodeSearch(
            Encoder.lsa(words, self.idf[: len(words)]),
            CosineIndex(Codes(self.codes.known, floats, self.codes.bits)),
        )
