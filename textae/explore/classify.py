"""Predict the labels of texts or pictures, once an index has learned some (`textae train --label`)."""

from collections.abc import Sequence

from textae.encoding.encoders import Inputs, encode
from textae.encoding.topk import top_k
from textae.errors import QueryError
from textae.index.snapshot import Snapshot
from textae.types import Prediction


def classify(snapshot: Snapshot, texts: Sequence[str], k: int = 1) -> list[list[Prediction]]:
    """The k likeliest labels of each text; none for a text without a word that the encoder knows.

    Raises:
        QueryError: the index holds pictures or has learned no labels, or k is below 1.
    """
    snapshot.check_words("the label of a text")
    return classify_inputs(snapshot, snapshot.model.vectorizer.transform(texts), k)


def classify_inputs(snapshot: Snapshot, inputs: Inputs, k: int = 1) -> list[list[Prediction]]:
    """The k likeliest labels of bags of words, or of the pixels of pictures in the shape of the index.

    Raises:
        QueryError: the index has learned no labels, or k is below 1.
    """
    if k < 1:
        raise QueryError(f"the number of labels must be at least 1, got {k}")
    classifier = snapshot.classifier
    codes = encode(snapshot.model.encoder, inputs)
    predictions = []
    for row, has_code in zip(classifier.predict_proba(codes.floats), codes.has_code, strict=True):
        best = enumerate(top_k(row, k if has_code else 0, min_score=-1).tolist(), start=1)
        predictions.append([Prediction(rank, classifier.classes[i], float(row[i])) for rank, i in best])
    return predictions
