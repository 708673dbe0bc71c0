"""Predict the labels of texts, once an index has learned some (`textae train --label`)."""

from collections.abc import Sequence

from textae.encoding.topk import top_k
from textae.errors import QueryError
from textae.index.snapshot import Snapshot
from textae.types import Prediction


def classify(snapshot: Snapshot, texts: Sequence[str], k: int = 1) -> list[list[Prediction]]:
    """The k likeliest labels of each text; none for a text without a word that the encoder knows.

    Raises:
        QueryError: the index has learned no labels, or k is below 1.
    """
    if k < 1:
        raise QueryError(f"the number of labels must be at least 1, got {k}")
    snapshot.check_words("telling labels")
    classifier = snapshot.classifier
    codes = snapshot.text_encoder.encode(snapshot.model.vectorizer.transform(texts))
    predictions = []
    for row, has_code in zip(classifier.predict_proba(codes.floats), codes.has_code, strict=True):
        best = enumerate(top_k(row, k if has_code else 0, min_score=-1).tolist(), start=1)
        predictions.append([Prediction(rank, classifier.classes[i], float(row[i])) for rank, i in best])
    return predictions
