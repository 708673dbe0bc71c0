"""The form of a stem that documents use most."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain

from textae.encoding.analyzer import searchable, words
from textae.index.snapshot import Snapshot

_LOOKED_AT = 32_768  # characters of a document in which a form of a word is looked for
_HOLDERS = 3  # documents in which it is looked for


def forms(snapshot: Snapshot, terms: set[int], texts: Iterable[str]) -> dict[str, str]:
    """For each term the form of it that is written most, in some texts and in the first documents that hold it."""
    if snapshot.model.vectorizer.analysis.language is None:  # words are terms as they are
        return {}
    holders = {number for term in terms for number in snapshot.holders(term, _HOLDERS)}
    documents = snapshot.reader.documents(sorted(holders))
    term_of = snapshot.model.vectorizer.analysis.term_of
    written: dict[str | None, Counter[str]] = {
        snapshot.model.vectorizer.vocabulary.term(term): Counter() for term in terms
    }
    for text in chain(texts, map(searchable, documents)):
        for word in words(text[:_LOOKED_AT]):
            if term_of[word] in written:
                written[term_of[word]][word.lower()] += 1
    return {term: max(sorted(forms), key=forms.__getitem__) for term, forms in written.items() if term and forms}
