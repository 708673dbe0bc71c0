"""scikit-learn estimators for a `Pipeline`: bags of words, codes, and a classifier on codes.

>>> from sklearn.pipeline import make_pipeline
>>> codes = make_pipeline(BagOfWords(), AutoEncoder(dims=2)).fit_transform(
...     ["red apple", "green apple", "blue sky", "grey sky"])
>>> codes.shape
(4, 2)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from textae.encoding.encoders import Bits, Codes, Encoder, TextEncoder
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.vocabulary import Vocabulary
from textae.encoding.weighting import idf
from textae.training.lsa import fit_lsa
from textae.types import no_progress

if TYPE_CHECKING:
    from textae.training.text import Learned


class BagOfWords(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Count the terms of texts, with the analysis of an index.

    Args:
        language: of the stemmer and the stop words; None for neither.
        max_features: maximum number of terms; the terms of most documents are kept.

    Attributes:
        vocabulary_: dict of term to column, by falling document frequency.
        n_documents_: number of texts in `fit`.
    """

    def __init__(self, language: str | None = None, max_features: int | None = None) -> None:
        self.language = language
        self.max_features = max_features

    def fit(self, X: Iterable[str], y: object = None) -> Self:
        """Learn the vocabulary; X is read once.

        Args:
            X: n texts: a list, a stream, a Series, or a DataFrame with one column.
            y: not used.
        """
        import tempfile
        from pathlib import Path

        analysis = Analysis.of(self.language)
        counter = Counter(analysis, Path(tempfile.gettempdir()))
        for text in _texts(X):
            counter.add(text)
        counts, _ = counter.counts()
        terms = counts.ranked().terms
        if not len(terms):
            raise ValueError("there is no word in the texts; BagOfWords needs at least one")
        n_terms = len(terms) if self.max_features is None else min(self.max_features, len(terms))
        self.n_documents_ = counts.n_documents
        self._vectorizer = Vectorizer(analysis, Vocabulary.of(terms))
        self.vocabulary_ = {terms[number]: number for number in range(n_terms)}
        return self

    def transform(self, X: Iterable[str]) -> csr_array:
        """Count the terms of each text.

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
        """X is one column of texts, and y is not used."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = True
        return tags


def _texts(X: Any) -> Iterable[str]:
    """The texts of a list, a stream, a Series, or a DataFrame with one column."""
    if isinstance(X, str | Mapping):
        raise ValueError(
            f"BagOfWords takes an iterable of texts, and got one {type(X).__name__.replace('str', 'string')}"
        )
    if hasattr(X, "columns"):  # iterating a DataFrame would give the names of its columns
        if len(X.columns) != 1:
            names = ", ".join(map(str, X.columns))
            raise ValueError(f"BagOfWords takes one column of texts, and got {len(X.columns)}: {names:.80}")
        X = X[X.columns[0]]
    for row, text in enumerate(X):
        if not isinstance(text, str):
            raise ValueError(f"BagOfWords takes texts, and got {type(text).__name__}: {text!r:.40}, in row {row}")
        yield text


class _Coder(BaseEstimator):  # type: ignore[misc]
    """The hyper-parameters of an auto-encoder, its training, and its codes."""

    encoder_: TextEncoder

    def __init__(
        self,
        dims: int = ModelSpec.dims,
        bits: int = ModelSpec.bits,
        hidden: tuple[int, ...] = ModelSpec.hidden,
        dropout: float = ModelSpec.dropout,
        epochs: int | None = TrainSpec.epochs,
        random_state: int = TrainSpec.seed,
        device: str = TrainSpec.device,
    ) -> None:
        self.dims = dims
        self.bits = bits
        self.hidden = hidden
        self.dropout = dropout
        self.epochs = epochs
        self.random_state = random_state
        self.device = device

    def _counts(self, X: Any, *, reset: bool) -> csr_array:
        counts = validate_data(self, X, accept_sparse="csr", dtype=np.float64, ensure_non_negative=True, reset=reset)
        return csr_array(counts, copy=True)  # `_bags` sorts and sums in place

    def _learned(
        self, counts: csr_array, pretrain: str = LSA, corruption: str = MASKING, code_l2: float = 0.0
    ) -> Learned[TextEncoder]:
        """Train the auto-encoder on counts."""
        from textae.training.stacked import learn_deep
        from textae.training.text import learn, sample

        bags = _bags(counts)
        if not len(bags.terms):
            raise ValueError(f"there is no count above 0 in X; {type(self).__name__} needs at least one")
        n_terms = counts.shape[1]
        model = ModelSpec(self.dims, self.bits, tuple(self.hidden), self.dropout, n_terms, corruption, code_l2)
        train = TrainSpec(self.random_state, self.device, self.epochs, pretrain=pretrain)
        check_together(model, train)
        learned_from = sample(bags, n_terms, train)
        if pretrain != LSA:
            return learn_deep(learned_from, n_terms, model, train, no_progress)
        idf_of = idf(np.bincount(bags.terms, minlength=n_terms), len(bags))
        start = Encoder.lsa(fit_lsa(learned_from, idf_of, model.start_dims, self.random_state), idf_of)
        return learn(learned_from, start, model, train, no_progress)

    def _encode(self, X: Any) -> Codes:
        check_is_fitted(self)
        return self.encoder_.encode(_bags(self._counts(X, reset=False)))

    def __sklearn_tags__(self) -> Any:
        """X holds counts: not negative, and usually sparse."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags


class AutoEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _Coder):  # type: ignore[misc]
    """Encode counts of terms as codes, with the deep auto-encoder of an index and its defaults.

    Args:
        dims: numbers in a float code.
        bits: bits in a binary code.
        hidden: sizes of the hidden layers.
        dropout: share of the words that de-noising hides.
        epochs: passes over the documents; None to choose by their number.
        random_state: the seed.
        device: `cpu`, `cuda` or `auto`.
        pretrain: the start of learning: `lsa`; or `rbm`, `denoising` or `none` for a deep stack as published.
        corruption: of a deep stack's input: `masking`, `salt-and-pepper` or `gaussian`.
        code_l2: L2 penalty on a deep stack's code.

    Attributes:
        encoder_: the trained `textae.encoding.encoders.Encoder`, or `DeepEncoder`.
        decoder_: the trained `textae.encoding.decoder.Decoder`.
        n_features_in_: terms.
    """

    def __init__(
        self,
        dims: int = ModelSpec.dims,
        bits: int = ModelSpec.bits,
        hidden: tuple[int, ...] = ModelSpec.hidden,
        dropout: float = ModelSpec.dropout,
        epochs: int | None = TrainSpec.epochs,
        random_state: int = TrainSpec.seed,
        device: str = TrainSpec.device,
        pretrain: str = TrainSpec.pretrain,
        corruption: str = ModelSpec.corruption,
        code_l2: float = ModelSpec.code_l2,
    ) -> None:
        super().__init__(dims, bits, hidden, dropout, epochs, random_state, device)
        self.pretrain = pretrain
        self.corruption = corruption
        self.code_l2 = code_l2

    def fit(self, X: Any, y: object = None) -> Self:
        """Train the auto-encoder.

        Args:
            X: (n, n_terms) counts, dense or sparse.
            y: not used.
        """
        learned = self._learned(self._counts(X, reset=True), self.pretrain, self.corruption, self.code_l2)
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

    def binary(self, X: Any) -> Bits:
        """The binary codes, packed: (n, bits / 8) uint8."""
        return self._encode(X).bits

    def reconstruct(self, X: Any) -> Floats:
        """The probability of each word, by the decoder; it expects words that a row does not contain, too.

        There is no `inverse_transform`: the decoder gives probabilities, and not counts.

        Args:
            X: (n, n_terms) counts.

        Returns:
            (n, n_terms) float32, rows of sum 1.
        """
        codes = self._encode(X)  # raises if nothing was fitted, before decoder_ is read
        return self.decoder_.words(codes.floats)

    def __sklearn_tags__(self) -> Any:
        """Codes are float32, also those of float32 counts."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


class CodeClassifier(ClassifierMixin, _Coder):  # type: ignore[misc]
    """Classify counts of terms when few rows have a label.

    All rows train the deep auto-encoder. Then a soft-max layer on its codes is fitted to the rows with a label, and
    back-propagation fine-tunes all layers (Hinton & Salakhutdinov, Science 2006).

    Args:
        dims: numbers in a float code.
        bits: bits in a binary code.
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

    def fit(self, X: Any, y: Any) -> Self:
        """Train the auto-encoder, then fine-tune it with the labels.

        Args:
            X: (n, n_terms) counts, dense or sparse.
            y: (n,) labels; None, NaN or -1 for a row without one, as in `sklearn.semi_supervised`.
        """
        from textae.training.finetune import fine_tune

        counts = self._counts(X, reset=True)
        if hasattr(y, "isna"):  # of pandas: a column, an array or a frame of one column
            missing = np.asarray(y.isna())
            y = np.array(y.astype(object), dtype=object)
            y[missing] = None
        y = column_or_1d(y, warn=True, dtype=None if hasattr(y, "dtype") else object)
        check_consistent_length(X, y)
        # A missing label is None, -1, NaN, which alone differs from itself, or pandas.NA, which compares as neither.
        same = (isinstance(equal := label == label, bool | np.bool_) and equal for label in y)
        labelled = np.array([is_same and label not in (None, -1) for is_same, label in zip(same, y, strict=True)], bool)
        known = y[labelled] if y.dtype != object else np.array(y[labelled].tolist())
        check_classification_targets(known)
        self.classes_, numbers = np.unique(known, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has {len(self.classes_)} class; CodeClassifier needs at least 2 classes")
        of = np.full(len(y), -1, np.int64)
        of[labelled] = numbers
        train = TrainSpec(self.random_state, self.device, self.epochs)
        labels = Labels("y", tuple(map(str, self.classes_)), of)
        tuned = fine_tune(_bags(counts), labels, self._learned(counts), self.dropout, train, no_progress)
        self.encoder_, self.classifier_ = tuned.encoder, tuned.classifier
        return self

    def predict_proba(self, X: Any) -> Floats:
        """The probability of each label: (n, n_terms) counts to (n, n_classes) float32, rows of sum 1."""
        codes = self._encode(X)  # raises if nothing was fitted, before classifier_ is read
        return self.classifier_.predict_proba(codes.floats)

    def predict(self, X: Any) -> np.ndarray[Any, Any]:
        """The most probable label of each row: (n,)."""
        best = self.predict_proba(X).argmax(axis=1)  # raises if nothing was fitted, before classes_ is read
        labels: np.ndarray[Any, Any] = self.classes_[best]
        return labels

    def __sklearn_tags__(self) -> Any:
        """The checks of scikit-learn use clouds of points, which are no bags of words."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


def _bags(counts: csr_array) -> Bags:
    """Counts as bags. Fractions are rounded up: a term occurs or not."""
    counts.sum_duplicates()
    counts.eliminate_zeros()
    whole = np.minimum(np.ceil(counts.data), np.iinfo(np.uint16).max).astype(np.uint16)
    return Bags(counts.indptr.astype(np.int64), counts.indices.astype(np.int32), whole)
