"""Why hits are hits: what each word of the query contributes to a score, by the system that gave it."""

from collections.abc import Sequence
from itertools import chain
from typing import cast

import numpy as np

from textae.encoding.arrays import Doubles, Rows
from textae.encoding.encoders import TextEncoder
from textae.index.snapshot import CorpusView, Snapshot
from textae.index.surface_forms import forms
from textae.search.by_name import given
from textae.search.by_passages import counted
from textae.search.contributions import (
    NOTHING,
    Contributions,
    Parts,
    bit_contributions,
    code_contributions,
    common_words,
    explanation,
    fused,
    of_vectors,
    summed,
    written,
)
from textae.search.lexical import BM25, VectorSpace
from textae.search.query import QueryVector
from textae.search.retrievers import CodeSearch, Hybrid, Nearest, Retriever, VectorSearch
from textae.search.vectors import AsymmetricIndex, CodeIndex, CosineIndex, HammingIndex
from textae.types import Explanation

_LEARNED = CodeIndex | AsymmetricIndex | HammingIndex
"""Indexes of codes that the decoder reads; it does not read LSA's."""

_COMMON = 8
"""Words that two codes have in common, at most."""


def explanations(
    snapshot: Snapshot,
    view: CorpusView,
    system: Retriever,
    query: QueryVector,
    rows: Rows,
    names: Doubles,
    texts: Sequence[str],
) -> list[Explanation]:
    """Why each of some rows has its score.

    Args:
        snapshot: the index.
        view: what the rows are of.
        system: that ranked them.
        query: one.
        rows: of the n hits.
        names: (n,) n(q, d) of each, as `textae.search.by_name` has it.
        texts: of the query and of the hits; a word is written as the first of them writes it.
    """
    snapshot.check_words("an explanation by words")
    if view is snapshot.documents:
        parts = _parts(system, query, rows)
    else:
        passages = counted(system, view, query, view.doc_numbers.take(rows))
        of_passages = _parts(system, query, passages.rows)
        parts = [summed(of_passages[span], passages.weights[span].tolist()) for span in passages.spans]
    common: list[list[int]] = [[]] * len(rows)
    codes = system.codes if isinstance(system, Hybrid) else system
    if isinstance(codes, CodeSearch) and isinstance(codes.index, _LEARNED):
        own = query.codes(codes.encoder)
        if own.has_code[0]:
            floats = view.floats.take(rows)
            common = common_words(snapshot.decoder, snapshot.usual_words, own.floats[0], floats, _COMMON)
    word_of = _words_of(snapshot, query, common, texts)
    by_name = np.zeros(len(rows))
    if isinstance(system, BM25 | Hybrid):
        by_name = given(np.array([sum(part.score for part in of_row) for of_row in parts]), names, system.most(query))
    return [
        explanation(word_of, *of_row, [word_of[term] for term in terms], name)
        for of_row, terms, name in zip(parts, common, by_name.tolist(), strict=True)
    ]


def _parts(system: Retriever, query: QueryVector, rows: Rows) -> list[Parts]:
    """What keywords and codes give to the score of each row."""
    if isinstance(system, Hybrid):
        factors = system.factors(query)
        shares = [_of_words(system.keywords, query, rows)]
        shares += [
            _of_codes(one, query, rows, one.usual(query) if factor else 0.0)
            for one, factor in zip(system.nearest, factors[1:], strict=True)
        ]
        return [fused(*of_row, factors=factors) for of_row in zip(*shares, strict=True)]
    if isinstance(system, VectorSearch):
        return [(NOTHING, NOTHING, vectors) for vectors in _of_codes(system, query, rows)]
    if isinstance(system, CodeSearch):
        return [(NOTHING, by_codes, NOTHING) for by_codes in _of_codes(system, query, rows)]
    if isinstance(system, BM25 | VectorSpace):
        return [(by_words, NOTHING, NOTHING) for by_words in _of_words(system, query, rows)]
    return [(NOTHING, NOTHING, NOTHING)] * len(rows)


def _of_words(system: BM25 | VectorSpace, query: QueryVector, rows: Rows) -> list[Contributions]:
    terms, parts = system.contributions(query, rows)
    return [Contributions(terms, values.astype(np.float64), 0.0) for values in parts]


def _of_codes(system: Nearest, query: QueryVector, rows: Rows, usual: float = 0.0) -> list[Contributions]:
    if isinstance(system, VectorSearch):
        return [of_vectors(score - usual) for score in system.scores(query, rows).tolist()]
    assert isinstance(system, CodeSearch)
    encoder = cast(TextEncoder, system.encoder)
    if isinstance(system.index, AsymmetricIndex | HammingIndex):
        return bit_contributions(encoder, query, system.index.bits.take(rows), system.scores(query, rows))
    floats = cast(CosineIndex, system.index).floats
    return code_contributions(encoder, query, floats.take(rows)[:, : encoder.dims])


def _words_of(
    snapshot: Snapshot, query: QueryVector, common: Sequence[Sequence[int]], texts: Sequence[str]
) -> dict[int, str]:
    """How to write terms: as the first text does, else as the others or the documents do."""
    vectorizer = snapshot.model.vectorizer
    term = vectorizer.vocabulary.term
    wanted = {*query.terms.tolist(), *query.texts.terms.tolist(), *chain.from_iterable(common)}
    word_of = written(vectorizer, texts[0]) if texts else {}
    missing = wanted - word_of.keys()
    form_of = forms(snapshot, missing, texts[1:]) if missing else {}
    return word_of | {number: form_of.get(term(number), term(number)) for number in missing}
