"""Why hits are hits: what each word of the query contributes to a score, by the system that gave it."""

from collections.abc import Sequence
from itertools import chain
from typing import cast

import numpy as np

from textae.encoding.arrays import Rows
from textae.encoding.encoders import TextEncoder
from textae.index.snapshot import CorpusView, Snapshot
from textae.index.surface_forms import forms
from textae.search.contributions import (
    NOTHING,
    Contributions,
    bit_contributions,
    code_contributions,
    common_words,
    explanation,
    fused,
    written,
)
from textae.search.lexical import BM25, VectorSpace
from textae.search.query import QueryVector
from textae.search.retrievers import CodeSearch, Hybrid, Retriever
from textae.search.vectors import CosineIndex, HammingIndex
from textae.types import Explanation

_COMMON = 8
"""Words that two codes have in common, at most."""


def explanations(
    snapshot: Snapshot,
    view: CorpusView,
    system: Retriever,
    query: QueryVector,
    rows: Rows,
    texts: Sequence[str],
) -> list[Explanation]:
    """Why each of some rows has its score.

    Args:
        snapshot: the index.
        view: what the rows are of.
        system: that ranked them.
        query: one.
        rows: of the hits.
        texts: of the query and of the hits; a word is written as the first of them writes it.
    """
    snapshot.check_words("an explanation by words")
    keywords, codes = [NOTHING] * len(rows), [NOTHING] * len(rows)
    code_search: CodeSearch | None = None
    if isinstance(system, Hybrid):
        code_search = system.codes
        factors, places = system.factors(query), range(len(rows))
        both = zip(
            places, _of_words(system.keywords, query, rows), _of_codes(code_search, view, query, rows), strict=True
        )
        for i, by_words, by_codes in both:
            keywords[i], codes[i] = fused(by_words, by_codes, *factors)
    elif isinstance(system, CodeSearch):
        codes = _of_codes(system, view, query, rows)
        code_search = None if isinstance(system.index, CosineIndex) else system  # the decoder reads no codes of LSA
    elif isinstance(system, BM25 | VectorSpace):
        keywords = _of_words(system, query, rows)
    common = [[]] * len(rows) if code_search is None else _common(snapshot, view, query, rows)
    word_of = _words_of(snapshot, query, common, texts)
    return [
        explanation(word_of, by_words, by_codes, [word_of[term] for term in both])
        for by_words, by_codes, both in zip(keywords, codes, common, strict=True)
    ]


def _of_words(system: BM25 | VectorSpace, query: QueryVector, rows: Rows) -> list[Contributions]:
    terms, parts = system.contributions(query, rows)
    return [Contributions(terms, values.astype(np.float64), 0.0) for values in parts]


def _of_codes(system: CodeSearch, view: CorpusView, query: QueryVector, rows: Rows) -> list[Contributions]:
    encoder = cast(TextEncoder, system.encoder)
    if isinstance(system.index, HammingIndex):
        return bit_contributions(encoder, query, system.index.bits.take(rows))
    floats = view.lsa if isinstance(system.index, CosineIndex) else view.floats
    return code_contributions(encoder, query, floats.take(rows)[:, : encoder.dims])


def _common(snapshot: Snapshot, view: CorpusView, query: QueryVector, rows: Rows) -> list[list[int]]:
    """The terms that the decoder finds likeliest in both the code of the query and that of each row."""
    codes = query.codes(snapshot.text_encoder)
    if not codes.has_code[0]:
        return [[] for _ in rows]
    return common_words(snapshot.decoder, snapshot.usual_words, codes.floats[0], view.floats.take(rows), _COMMON)


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
