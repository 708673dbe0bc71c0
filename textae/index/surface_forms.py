"""The form of a stem that documents use most.

A piece of a word is no form: English writes `ve` and `don` in `I've` and `don't` alone.
"""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import chain

from textae.encoding.analyzer import searchable, words
from textae.index.snapshot import Snapshot

_LOOKED_AT = 32_768  # characters of a document in which a form of a word is looked for
_CONTRACTION = re.compile(r"\w+(?:['’]\w+)+")


def forms(snapshot: Snapshot, terms: set[int], texts: Iterable[str]) -> dict[str, str]:
    """For each term the form of it that is written most, in some texts and in the first documents that hold it."""
    if snapshot.model.vectorizer.analysis.language is None:
        return {stem: stem for stem in map(snapshot.model.vectorizer.vocabulary.term, terms)}
    written = written_forms(snapshot, terms, texts)
    return {term: max(sorted(forms), key=forms.__getitem__) for term, forms in written.items()}


def written_forms(snapshot: Snapshot, terms: set[int], texts: Iterable[str] = ()) -> dict[str, Counter[str]]:
    """For each term how often each form of it is written, in some texts and in the first documents that hold it."""
    vectorizer = snapshot.model.vectorizer
    if vectorizer.analysis.language is None:  # words are terms as they are
        return {}
    holders = {number for term in terms for number in snapshot.documents.first_holders(term)}
    documents = snapshot.reader.documents(sorted(holders))
    written: dict[str | None, Counter[str]] = {vectorizer.vocabulary.term(term): Counter() for term in terms}
    for text in chain(texts, map(searchable, documents)):
        for word in words(_CONTRACTION.sub(" ", text[:_LOOKED_AT])):
            if (term := vectorizer.analysis.term_of[word]) in written:
                written[term][word.lower()] += 1
    return {term: forms for term, forms in written.items() if term and forms}
