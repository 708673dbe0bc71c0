"""One question, answered: the documents that a system finds among those that are meant, as a person sees them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from textae.encoding.analyzer import searchable
from textae.encoding.arrays import Mask
from textae.errors import QueryError
from textae.index.snapshot import CorpusView, Snapshot
from textae.search.feedback import unlike_pictures, with_feedback
from textae.search.query import QueryVector
from textae.search.snippet import snippet
from textae.types import Hit


@dataclass(frozen=True)
class Asked:
    """What is asked of an index.

    Attributes:
        query: of the systems.
        text: in whose words it was asked.
        left_out: numbers of documents that are no hits.
        where: what must hold of a hit's fields.
        must: what must hold of a hit's text.
        whole: whether whole documents are compared, also where passages are searched.
    """

    query: QueryVector
    text: str
    left_out: frozenset[int] = frozenset()
    where: str | None = None
    must: str | None = None
    whole: bool = False

    def of(self, snapshot: Snapshot) -> CorpusView:
        """What of an index is searched."""
        return snapshot.documents if self.whole else snapshot.searched


def with_documents(snapshot: Snapshot, asked: Asked, like: Sequence[str], unlike: Sequence[str]) -> Asked:
    """The question moved towards some documents and away from others, which are no hits themselves.

    Raises:
        QueryError: no document has an id.
    """
    if not like and not unlike:
        return asked
    liked, disliked = ([snapshot.number(id) for id in ids] for ids in (like, unlike))
    if snapshot.shape is not None:
        query = unlike_pictures(asked.query, snapshot.pixels_of(disliked))
        return replace(asked, query=query, left_out=asked.left_out.union(disliked))
    bags = snapshot.bags_of(liked)
    idf = snapshot.searched.statistics.idf(bags.terms)
    query = with_feedback(asked.query, bags, snapshot.bags_of(disliked), idf)
    return replace(asked, query=query, left_out=asked.left_out.union(liked, disliked))


def answer(snapshot: Snapshot, asked: Asked, k: int, mode: str | None, *, explain: bool) -> list[Hit]:
    """The k best documents, with the passage of each that speaks most of the question.

    Raises:
        QueryError: fewer than one was asked for; or a condition cannot be read.
        TextaeError: no such system.
    """
    if k < 1:
        raise QueryError(f"{k} hits were asked for; give at least 1")
    mode = snapshot.default_system if mode is None else mode
    searched, vectorizer = asked.of(snapshot), snapshot.model.vectorizer
    found = snapshot.search(asked.query, k, mode, _mask(snapshot, asked), whole=asked.whole)
    documents = snapshot.reader.documents(searched.doc_numbers.take(found.rows).tolist())
    texts = [document.text for document in documents]
    if searched is not snapshot.documents:
        places = searched.char_spans.take(found.rows).tolist()
        texts = [text[first:last] for text, (first, last) in zip(texts, places, strict=True)]
    terms = map(vectorizer.vocabulary.term, asked.query.terms.tolist())
    weights = dict(zip(terms, searched.statistics.idf(asked.query.terms).tolist(), strict=True))
    term_of = vectorizer.analysis.term_of
    hits = [
        Hit(rank, document.id, float(score), document.title, *snippet(text, term_of, weights), document.fields)
        for rank, (score, document, text) in enumerate(zip(found.scores, documents, texts, strict=True), start=1)
    ]
    if explain:
        from textae.search.explain import explained

        told = [asked.text, *map(searchable, documents)]
        why = explained(snapshot, searched, asked.query, mode, found.rows.tolist(), told)
        hits = [replace(hit, explanation=reason) for hit, reason in zip(hits, why, strict=True)]
    return hits


def _mask(snapshot: Snapshot, asked: Asked) -> Mask | None:
    """The rows that may be hits; None where all may."""
    if not asked.left_out and asked.where is None and asked.must is None:
        return None
    searched = asked.of(snapshot)
    mask = np.ones(len(searched.doc_numbers), bool)
    for number in asked.left_out:
        mask[searched.rows_of(number)] = False
    return mask & snapshot.mask(asked.where, asked.must, whole=asked.whole)
