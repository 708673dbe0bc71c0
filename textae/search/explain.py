"""Why hits are hits: the shares of the question's words in a score, by the system that gave it."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from textae.encoding.encoders import PixelEncoder
from textae.index.snapshot import CorpusView, Snapshot
from textae.index.surface_forms import forms
from textae.search.explaining import NOTHING, Shares, bit_shares, code_shares, common_words, explanation, fused, written
from textae.search.lexical import BM25, VectorSpace
from textae.search.query import QueryVector, encode_query
from textae.search.retrievers import CodeSearch, Hybrid
from textae.search.vectors import CosineIndex, HammingIndex
from textae.types import Explanation

_COMMON = 8
"""Words that two codes have in common, that are told."""


def explained(
    snapshot: Snapshot, searched: CorpusView, query: QueryVector, mode: str, rows: Sequence[int], texts: Sequence[str]
) -> list[Explanation]:
    """Why each of some rows has its score.

    Args:
        snapshot: the index.
        searched: of it, what the rows are of.
        query: that was asked.
        mode: the system that was asked.
        rows: of the hits.
        texts: in whose words the question was asked, and those of the hits; a word is written as the first has it.
    """
    snapshot.check_texts("an explanation by words")
    system = snapshot.system(mode, whole=searched is snapshot.documents)
    keywords: list[Shares] = [NOTHING] * len(rows)
    codes: list[Shares] = [NOTHING] * len(rows)
    common: list[list[int]] = [[] for _ in rows]
    if isinstance(system, Hybrid):
        asked = encode_query(system.codes.encoder, query)
        factors = system.factors(query, asked)
        of_codes = _of_codes(system.codes, searched, query, rows)
        pairs = zip(rows, of_codes, strict=True)
        both = [fused(_of_words(system.keywords, query, row), shares, *factors) for row, shares in pairs]
        keywords, codes = [list(part) for part in zip(*both, strict=True)] if both else ([], [])
        common = _common(snapshot, searched, query, rows)
    elif isinstance(system, CodeSearch):
        codes = _of_codes(system, searched, query, rows)
        if not mode.startswith("lsa"):  # the decoder reads no codes of LSA
            common = _common(snapshot, searched, query, rows)
    elif isinstance(system, BM25):
        keywords = [_of_words(system, query, row) for row in rows]
    elif isinstance(system, VectorSpace):
        found = [system.shares(query, row) for row in rows]
        keywords = [Shares(terms, shares.astype(np.float64), 0.0) for terms, shares in found]
    word_of = _words_of(snapshot, query, common, texts)
    return [
        explanation(word_of, by_words, by_codes, [word_of[term] for term in told])
        for by_words, by_codes, told in zip(keywords, codes, common, strict=True)
    ]


def _of_words(system: BM25, query: QueryVector, row: int) -> Shares:
    return Shares(query.terms, system.shares(query, row).astype(np.float64), 0.0)


def _of_codes(system: CodeSearch, searched: CorpusView, query: QueryVector, rows: Sequence[int]) -> list[Shares]:
    place, encoder = np.array(rows, np.int64), system.encoder
    assert not isinstance(encoder, PixelEncoder)
    if isinstance(system.index, HammingIndex):
        return bit_shares(encoder, query, system.index.bits.take(place))
    floats = searched.lsa if isinstance(system.index, CosineIndex) else searched.floats
    return code_shares(encoder, query, floats.take(place)[:, : encoder.dims])


def _common(snapshot: Snapshot, searched: CorpusView, query: QueryVector, rows: Sequence[int]) -> list[list[int]]:
    """The terms that the decoder hears most in the question's code and in each row's."""
    asked = encode_query(snapshot.text_encoder, query)
    if not asked.has_code[0]:
        return [[] for _ in rows]
    floats, decoder = searched.floats.take(np.array(rows, np.int64)), snapshot.decoder
    return [common_words(decoder, snapshot.usual_words, asked.floats[0], own, _COMMON)[0].tolist() for own in floats]


def _words_of(
    snapshot: Snapshot, query: QueryVector, common: Sequence[Sequence[int]], texts: Sequence[str]
) -> dict[int, str]:
    """How to write terms: as the texts do, the first before the others; else as documents do."""
    term = snapshot.model.vectorizer.vocabulary.term
    wanted = {*query.terms.tolist(), *query.texts.terms.tolist(), *chain.from_iterable(common)}
    word_of: dict[int, str] = {}
    for text in texts[:1]:
        word_of = written(snapshot.model.vectorizer, text)
    missing = wanted - word_of.keys()
    form_of = forms(snapshot, missing, texts[1:]) if missing else {}
    return word_of | {number: form_of.get(term(number), term(number)) for number in missing}
