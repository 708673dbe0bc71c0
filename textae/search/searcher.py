"""One question, answered: the documents that a system finds among those that are meant, as a person sees them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from textae.encoding.analyzer import searchable
from textae.encoding.arrays import Mask
from textae.errors import QueryError
from textae.index.snapshot import Opened, Searched
from textae.search.feedback import unlike_pictures, with_feedback
from textae.search.query import Question
from textae.search.snippet import snippet
from textae.types import Hit


@dataclass(frozen=True)
class Asked:
    """What is asked of an index.

    Attributes:
        question: of the systems.
        text: in whose words it was asked.
        left_out: numbers of documents that are no hits.
        where: what must hold of a hit's fields.
        must: what must hold of a hit's text.
        whole: whether whole documents are compared, also where passages are searched.
    """

    question: Question
    text: str
    left_out: frozenset[int] = frozenset()
    where: str | None = None
    must: str | None = None
    whole: bool = False

    def of(self, opened: Opened) -> Searched:
        """What of an index is searched."""
        return opened.documents if self.whole else opened.searched


def with_documents(opened: Opened, asked: Asked, like: Sequence[str], unlike: Sequence[str]) -> Asked:
    """The question moved towards some documents and away from others, which are no hits themselves.

    Raises:
        QueryError: no document has an id.
    """
    if not like and not unlike:
        return asked
    liked, disliked = ([opened.number(id) for id in ids] for ids in (like, unlike))
    if opened.shape is not None:
        question = unlike_pictures(asked.question, opened.pixels_of(disliked))
        return replace(asked, question=question, left_out=asked.left_out.union(disliked))
    bags = opened.bags_of(liked)
    idf = opened.searched.statistics.idf(bags.terms)
    question = with_feedback(asked.question, bags, opened.bags_of(disliked), idf)
    return replace(asked, question=question, left_out=asked.left_out.union(liked, disliked))


def answer(opened: Opened, asked: Asked, k: int, mode: str | None, *, explain: bool) -> list[Hit]:
    """The k best documents, with the passage of each that speaks most of the question.

    Raises:
        QueryError: fewer than one was asked for; or a condition cannot be read.
        TextaeError: no such system.
    """
    if k < 1:
        raise QueryError(f"{k} hits were asked for; give at least 1")
    mode = opened.default_system if mode is None else mode
    searched, vectorizer = asked.of(opened), opened.model.vectorizer
    found = opened.search(asked.question, k, mode, _among(opened, asked), whole=asked.whole)
    documents = opened.reader.documents(searched.owners.take(found.rows).tolist())
    texts = [document.text for document in documents]
    if searched is not opened.documents:
        places = searched.places.take(found.rows).tolist()
        texts = [text[first:last] for text, (first, last) in zip(texts, places, strict=True)]
    terms = map(vectorizer.vocabulary.term, asked.question.terms.tolist())
    weights = dict(zip(terms, searched.statistics.idf(asked.question.terms).tolist(), strict=True))
    term_of = vectorizer.analysis.term_of
    hits = [
        Hit(rank, document.id, float(score), document.title, *snippet(text, term_of, weights), document.fields)
        for rank, (score, document, text) in enumerate(zip(found.scores, documents, texts, strict=True), start=1)
    ]
    if explain:
        from textae.search.explain import explained

        told = [asked.text, *map(searchable, documents)]
        why = explained(opened, searched, asked.question, mode, found.rows.tolist(), told)
        hits = [replace(hit, explanation=reason) for hit, reason in zip(hits, why, strict=True)]
    return hits


def _among(opened: Opened, asked: Asked) -> Mask | None:
    """The rows that may be hits; None where all may."""
    if not asked.left_out and asked.where is None and asked.must is None:
        return None
    searched = asked.of(opened)
    among = np.ones(len(searched.owners), bool)
    for number in asked.left_out:
        among[searched.rows_of(number)] = False
    return among & opened.among(asked.where, asked.must, whole=asked.whole)
