"""The vectorizer and the auto-encoder as scikit-learn's estimators, for a `Pipeline` of one's own.

>>> from sklearn.pipeline import make_pipeline
>>> codes = make_pipeline(BagOfWords(), AutoEncoder(dims=2)).fit_transform(
...     ["red apple", "green apple", "blue sky", "grey sky"])
>>> codes.shape
(4, 2)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data

from textae.config import LSA, MASKING, ModelSpec, TrainSpec, check_together
from textae.encoding.analyzer import Analysis
from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags
from textae.encoding.classifier import Labels
from textae.encoding.counting import Counter
from textae.encoding.encoders import Bits, Codes, Encoder
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.weighting import idf
from textae.training.lsa import fit_lsa

if TYPE_CHECKING:
    from textae.training.text import Learned


class BagOfWords(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Texts to counts of terms, by textae's own analysis.

    Args:
        language: of stemmer and stop words; None for words as they are.
        max_features: keep so many terms, the most frequent by documents.

    Attributes:
        vocabulary_: dict of term to column, in order of falling document frequency.
        n_documents_: seen in `fit`.
    """

    def __init__(self, language: str | None = None, max_features: int | None = None) -> None:
        self.language = language
        self.max_features = max_features

    def fit(self, X: Iterable[str], y: object = None) -> Self:
        """Learn the vocabulary of some texts, read once.

        Args:
            X: n texts.
            y: not used.
        """
        import tempfile
        from pathlib import Path

        counter = Counter(Analysis.of(self.language), Path(tempfile.gettempdir()))
        self.n_documents_ = 0
        for text in _texts(X):
            counter.add(text)
            self.n_documents_ += 1
        vocabulary, _, _ = counter.finish()
        if not len(vocabulary):
            raise ValueError("there is no word in the texts; BagOfWords needs at least one")
        n_terms = len(vocabulary) if self.max_features is None else min(self.max_features, len(vocabulary))
        self._vectorizer = Vectorizer(Analysis.of(self.language), vocabulary)
        self.vocabulary_ = {vocabulary.term(number): number for number in range(n_terms)}
        return self

    def transform(self, X: Iterable[str]) -> csr_array:
        """The counts of some texts.

        Args:
            X: n texts.

        Returns:
            (n, n_terms) int64, sparse.
        """
        check_is_fitted(self)
        n_terms = len(self.vocabulary_)
        bags = self._vectorizer.transform(_texts(X)).below(n_terms)
        starts = bags.starts.astype(np.int32) if len(bags.terms) < 2**31 else bags.starts  # wide ones KMeans refuses
        return csr_array((bags.counts.astype(np.int64), bags.terms, starts), shape=(len(bags), n_terms))

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray[Any, Any]:
        """The terms, by column."""
        check_is_fitted(self)
        return np.array(list(self.vocabulary_), dtype=object)

    def __sklearn_tags__(self) -> Any:
        """Text comes in, in one column; nothing is learned from y."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = True
        return tags


def _texts(X: Iterable[str]) -> Iterable[str]:
    if isinstance(X, str):
        raise ValueError("BagOfWords takes an iterable of texts, and got one string")
    for text in X:
        if not isinstance(text, str):
            raise ValueError(f"BagOfWords takes texts, and got {type(text).__name__}: {text!r:.40}")
        yield text


class AutoEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Counts of terms to codes: the deep auto-encoder that an index learns, with the same defaults.

    Args:
        dims: of the float code.
        bits: of the binary code.
        hidden: sizes of the hidden layers.
        dropout: share of the words that de-noising hides.
        epochs: passes over the documents; None to choose by their number.
        random_state: the seed.
        device: `cpu`, `cuda` or `auto`.
        pretrain: what learning starts from: `lsa`, or `rbm`, `denoising` or `none` for a deep stack as published.
        corruption: of a deep stack's input: `masking`, `salt-and-pepper` or `gaussian`.
        code_l2: how much a deep stack's code is held near 0.

    Attributes:
        encoder_: the trained `textae.encoding.encoders.Encoder`, or `DeepEncoder`.
        decoder_: the trained `textae.encoding.decoder.Decoder`.
        n_features_in_: terms.
    """

    def __init__(
        self,
        dims: int = 320,
        bits: int = 256,
        hidden: tuple[int, ...] = (512,),
        dropout: float = 0.5,
        epochs: int | None = None,
        random_state: int = 1,
        device: str = "auto",
        pretrain: str = "lsa",
        corruption: str = "masking",
        code_l2: float = 0.0,
    ) -> None:
        self.dims = dims
        self.bits = bits
        self.hidden = hidden
        self.dropout = dropout
        self.epochs = epochs
        self.random_state = random_state
        self.device = device
        self.pretrain = pretrain
        self.corruption = corruption
        self.code_l2 = code_l2

    def fit(self, X: Any, y: object = None) -> Self:
        """Learn the corpus.

        Args:
            X: (n, n_terms) counts, dense or sparse; the columns need no order.
            y: not used.
        """
        counts = _counts(self, X, reset=True)
        learned = _learned(self, counts, self.pretrain, self.corruption, self.code_l2)
        self.encoder_, self.decoder_ = learned.encoder, learned.decoder
        self._n_features_out = self.encoder_.dims
        return self

    def transform(self, X: Any) -> Floats:
        """The float codes.

        Args:
            X: (n, n_terms) counts.

        Returns:
            (n, dims) float32, of unit length where `pretrain` is `lsa`; zeros for a row of zeros.
        """
        return self._encode(X).floats

    def _encode(self, X: Any) -> Codes:
        check_is_fitted(self)
        return self.encoder_.encode(_bags(_counts(self, X, reset=False)))

    def binary(self, X: Any) -> Bits:
        """The binary codes, packed: (n, bits / 8) uint8."""
        return self._encode(X).bits

    def reconstruct(self, X: Any) -> Floats:
        """The words that the decoder expects of each row, also those that it does not hold.

        There is no `inverse_transform`: the decoder tells the share of every word, and not how many there are.

        Args:
            X: (n, n_terms) counts.

        Returns:
            (n, n_terms) float32, rows of sum 1.
        """
        codes = self._encode(X)
        return self.decoder_.words(codes.floats)

    def __sklearn_tags__(self) -> Any:
        """Counts: not negative, and sparse as a rule."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


class CodeClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Counts of terms to labels, of which few are known: all rows teach the codes, and those with a label their names.

    The deep auto-encoder is learned without labels, a soft-max layer fits the codes of the rows that have one, and all
    layers are fine-tuned by back-propagation (Hinton & Salakhutdinov, Science 2006).

    Args:
        dims: of the float code.
        bits: of the binary code.
        hidden: sizes of the hidden layers.
        dropout: share of the words that de-noising hides.
        epochs: passes over the documents, before labels; None to choose by their number.
        random_state: the seed.
        device: `cpu`, `cuda` or `auto`.

    Attributes:
        classes_: (n_classes,) the labels, sorted.
        encoder_: the fine-tuned `textae.encoding.encoders.Encoder`.
        classifier_: the last layer, a `textae.encoding.classifier.Classifier`.
        n_features_in_: terms.
    """

    def __init__(
        self,
        dims: int = 320,
        bits: int = 256,
        hidden: tuple[int, ...] = (512,),
        dropout: float = 0.5,
        epochs: int | None = None,
        random_state: int = 1,
        device: str = "auto",
    ) -> None:
        self.dims = dims
        self.bits = bits
        self.hidden = hidden
        self.dropout = dropout
        self.epochs = epochs
        self.random_state = random_state
        self.device = device

    def fit(self, X: Any, y: Any) -> Self:
        """Learn the corpus, then the labels.

        Args:
            X: (n, n_terms) counts, dense or sparse.
            y: (n,) labels; None or -1 for a row without one, as in `sklearn.semi_supervised`.
        """
        from textae.training.finetune import fine_tune

        counts = _counts(self, X, reset=True)
        y = column_or_1d(y, warn=True, dtype=None if hasattr(y, "dtype") else object)
        check_consistent_length(X, y)
        labelled = np.array([label is not None and label != -1 for label in y], bool)
        known = y[labelled] if y.dtype != object else np.array(y[labelled].tolist())
        check_classification_targets(known)
        self.classes_, numbers = np.unique(known, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has {len(self.classes_)} class; CodeClassifier needs at least 2 classes")
        of = np.full(len(y), -1, np.int64)
        of[labelled] = numbers
        train = TrainSpec(self.random_state, self.device, self.epochs)
        labels = Labels("y", tuple(map(str, self.classes_)), of)
        tuned = fine_tune(_bags(counts), labels, _learned(self, counts), self.dropout, train, _silent)
        self.encoder_, self.classifier_ = tuned.encoder, tuned.classifier
        return self

    def predict_proba(self, X: Any) -> Floats:
        """How likely each label is: (n, n_terms) counts to (n, n_classes) float32, rows of sum 1."""
        check_is_fitted(self)
        codes = self.encoder_.encode(_bags(_counts(self, X, reset=False)))
        return self.classifier_.predict_proba(codes.floats)

    def predict(self, X: Any) -> np.ndarray[Any, Any]:
        """The likeliest label of each row: (n,)."""
        best = self.predict_proba(X).argmax(axis=1)
        labels: np.ndarray[Any, Any] = self.classes_[best]
        return labels

    def __sklearn_tags__(self) -> Any:
        """Counts: not negative, and sparse as a rule; clouds of points, which the checks have, are no bags of words."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.classifier_tags.poor_score = True
        return tags


def _silent(stage: str, done: int, total: int | None) -> None:
    pass


def _learned(
    estimator: AutoEncoder | CodeClassifier,
    counts: csr_array,
    pretrain: str = LSA,
    corruption: str = MASKING,
    code_l2: float = 0.0,
) -> Learned:
    """The auto-encoder of some counts."""
    from textae.training.stacked import learn_deep
    from textae.training.text import learn, sample

    bags = _bags(counts)
    if not len(bags.terms):
        raise ValueError(f"there is no count above 0 in X; {type(estimator).__name__} needs at least one")
    n_terms, hidden = counts.shape[1], tuple(estimator.hidden)
    model = ModelSpec(estimator.dims, estimator.bits, hidden, estimator.dropout, n_terms, corruption, code_l2)
    train = TrainSpec(estimator.random_state, estimator.device, estimator.epochs, pretrain=pretrain)
    check_together(model, train)
    learned_from = sample(bags, n_terms, train)
    if pretrain != LSA:
        return learn_deep(learned_from, n_terms, model, train, _silent)
    idf_of = idf(np.bincount(bags.terms, minlength=n_terms), len(bags))
    start = Encoder.lsa(fit_lsa(learned_from, idf_of, model.start_dims, estimator.random_state), idf_of)
    return learn(learned_from, start, model, train, _silent)


def _counts(estimator: AutoEncoder | CodeClassifier, X: Any, *, reset: bool) -> csr_array:
    checked = validate_data(estimator, X, accept_sparse="csr", dtype=np.float64, ensure_non_negative=True, reset=reset)
    return csr_array(checked, copy=True)  # `_bags` sorts and sums in place


def _bags(counts: csr_array) -> Bags:
    """Counts as bags; what is not a whole number counts as the next one, since a term is there or not."""
    counts.sum_duplicates()
    counts.eliminate_zeros()
    whole = np.minimum(np.ceil(counts.data), np.iinfo(np.uint16).max).astype(np.uint16)
    return Bags(counts.indptr.astype(np.int64), counts.indices.astype(np.int32), whole)
