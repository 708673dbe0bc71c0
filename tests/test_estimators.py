"""The estimators are scikit-learn's in all that its own checks ask of them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, csr_matrix
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from textae.encoding.analyzer import Analysis
from textae.errors import TextaeError
from textae.estimators import AutoEncoder, BagOfWords, CodeClassifier

TEXTS = ["red apple", "green apple apple", "blue sky", "grey sky"]
SMALL = {"dims": 3, "bits": 8, "hidden": (4,), "epochs": 2, "device": "cpu"}


DEEP = {**SMALL, "pretrain": "rbm"}

EXPECTED_TO_FAIL = {
    CodeClassifier: {"check_classifiers_classes": "it gives -1 as a label, which says that there is none"},
}


@parametrize_with_checks(
    [AutoEncoder(**SMALL), AutoEncoder(**DEEP), CodeClassifier(**SMALL)],
    expected_failed_checks=lambda estimator: EXPECTED_TO_FAIL.get(type(estimator), {}),
)
def test_scikit_learns_own_checks(estimator, check) -> None:
    check(estimator)


# Its checks give numbers to everything, and so leave out whatever takes texts, its own CountVectorizer too. These are
# the ones that look at the estimator alone.
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_estimator_tags_renamed,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_set_params,
        estimator_checks.check_valid_tag_types,
    ],
)
def test_scikit_learns_own_checks_of_what_takes_texts(check) -> None:
    check("BagOfWords", BagOfWords())


class TestBagOfWords:
    def test_counts_by_hand(self) -> None:
        bag = BagOfWords().fit(TEXTS)
        assert bag.get_feature_names_out().tolist() == ["apple", "sky", "blue", "green", "grey", "red"]
        assert bag.transform(["Apple, apple and sky", ""]).toarray().tolist() == [[2, 1, 0, 0, 0, 0], [0] * 6]
        assert bag.n_documents_ == 4

    def test_its_indices_are_as_narrow_as_all_of_scikit_learn_takes(self) -> None:
        counts = BagOfWords().fit_transform(TEXTS)
        assert (counts.indices.dtype, counts.indptr.dtype) == (np.int32, np.int32)

    def test_fitting_and_transforming_at_once_is_the_same(self) -> None:
        assert np.array_equal(
            BagOfWords().fit_transform(TEXTS).toarray(), BagOfWords().fit(TEXTS).transform(TEXTS).toarray()
        )

    def test_the_most_frequent_terms_alone(self) -> None:
        bag = BagOfWords(max_features=2).fit(TEXTS)
        assert bag.vocabulary_ == {"apple": 0, "sky": 1}
        assert bag.transform(TEXTS).toarray().tolist() == [[1, 0], [2, 0], [0, 1], [0, 1]]

    def test_it_uses_the_analysis_of_an_index(self) -> None:
        text = "The smoothing of noisy signals"
        assert sorted(BagOfWords(language="english").fit([text]).vocabulary_) == sorted(
            Analysis.of("english").terms(text)
        )

    def test_texts_may_come_in_a_stream(self) -> None:
        assert BagOfWords().fit(iter(TEXTS)).transform(iter(TEXTS)).shape == (4, 6)

    @pytest.mark.parametrize(
        ("texts", "told"),
        [
            ("a text", "an iterable of texts, and got one string"),
            (["a", 7], "takes texts, and got int: 7, in row 1"),
            (["a", None], "takes texts, and got NoneType"),
            ({"a": "b"}, "an iterable of texts, and got one dict"),
            (pd.Series(["a", None]), "takes texts, and got float: nan"),
            (pd.DataFrame({"title": ["a"], "text": ["b"]}), "takes one column of texts, and got 2: title, text"),
            (pd.DataFrame({"n": [1]}), "takes texts, and got int: 1"),
            (np.array([["a"], ["b"]]), "takes texts, and got ndarray"),
            ([], "no word in the texts"),
            (["", "..."], "no word in the texts"),
        ],
    )
    def test_what_is_no_corpus_is_refused(self, texts, told) -> None:
        with pytest.raises(ValueError, match=told):
            BagOfWords().fit(texts)

    def test_a_column_of_a_frame_is_a_list_of_texts(self) -> None:
        frame = pd.DataFrame({"text": TEXTS, "n": range(4)})
        expected = BagOfWords().fit_transform(TEXTS).toarray()
        for texts in (frame["text"], frame[["text"]], frame["text"].to_numpy()):
            assert np.array_equal(BagOfWords().fit_transform(texts).toarray(), expected)
        chosen = make_column_transformer((BagOfWords(), ["text"]), sparse_threshold=1)
        assert np.array_equal(chosen.fit_transform(frame).toarray(), expected)

    def test_it_must_be_fitted_first(self) -> None:
        with pytest.raises(NotFittedError):
            BagOfWords().transform(TEXTS)


class TestAutoEncoder:
    COUNTS = BagOfWords().fit_transform(TEXTS * 5)

    def test_codes_have_unit_length_and_bits_are_packed(self) -> None:
        model = AutoEncoder(**SMALL).fit(self.COUNTS)
        codes = model.transform(self.COUNTS)
        assert codes.shape == (20, 3)
        assert np.linalg.norm(codes, axis=1) == pytest.approx(np.ones(20), abs=1e-5)
        assert model.binary(self.COUNTS).shape == (20, 1)

    def test_the_decoder_expects_words_that_a_row_does_not_hold(self) -> None:
        model = AutoEncoder(dims=3, bits=64, hidden=(4,), epochs=20, device="cpu").fit(self.COUNTS)
        apple, sky, blue, green, grey, red = range(6)
        expected = model.reconstruct(np.eye(6)[[apple]])
        assert expected.shape == (1, 6)
        assert expected.sum() == pytest.approx(1, abs=1e-5)
        assert expected[0, [apple, green, red]].min() > expected[0, [sky, blue, grey]].max()

    @pytest.mark.parametrize("kind", [csr_array, csr_matrix, csr_array.toarray], ids=["array", "matrix", "dense"])
    def test_sparse_or_dense_is_the_same(self, kind) -> None:
        expected = AutoEncoder(**SMALL).fit_transform(self.COUNTS)
        assert np.array_equal(AutoEncoder(**SMALL).fit_transform(kind(self.COUNTS)), expected)

    def test_what_is_given_stays_as_it_was(self) -> None:
        # the row names a column twice, holds a zero, and is not in order
        given = csr_array((np.array([1.0, 2, 3, 0, 1]), np.array([3, 1, 1, 2, 0]), np.array([0, 5])), shape=(1, 6))
        before = given.data.copy(), given.indices.copy(), given.indptr.copy()
        model = AutoEncoder(**SMALL).fit(self.COUNTS)
        assert model.transform(given) == pytest.approx(model.transform(np.array([[1, 5, 0, 1, 0, 0]])), abs=1e-6)
        for array, kept in zip((given.data, given.indices, given.indptr), before, strict=True):
            assert np.array_equal(array, kept)

    def test_unsorted_columns_are_the_same_counts(self) -> None:
        given = csr_array((np.array([1, 3, 2, 1]), np.array([2, 0, 1, 0]), np.array([0, 2, 3, 4])), shape=(3, 3))
        codes = AutoEncoder(**SMALL).fit_transform(given)
        assert codes == pytest.approx(AutoEncoder(**SMALL).fit_transform(given.toarray()), abs=1e-5)

    def test_a_row_of_zeros_has_the_code_zero(self) -> None:
        model = AutoEncoder(**SMALL).fit(self.COUNTS)
        assert model.transform(np.zeros((1, 6))).tolist() == [[0, 0, 0]]

    def test_zeros_alone_are_refused_in_words(self) -> None:
        with pytest.raises(ValueError, match="no count above 0 in X"):
            AutoEncoder(**SMALL).fit(np.zeros((3, 2)))

    def test_the_seed_decides(self) -> None:
        first, again, other = (
            AutoEncoder(**SMALL, random_state=seed).fit_transform(self.COUNTS).tobytes() for seed in (1, 1, 2)
        )
        assert first == again != other

    def test_a_clone_has_the_choices_and_not_the_learning(self) -> None:
        model = AutoEncoder(**SMALL).fit(self.COUNTS)
        copy = clone(model)
        assert copy.get_params() == model.get_params()
        assert not hasattr(copy, "encoder_")

    @pytest.mark.parametrize("pretrain", ["rbm", "denoising", "none"])
    def test_a_deep_stack_gives_codes_of_any_length(self, pretrain) -> None:
        chosen = {**SMALL, "pretrain": pretrain, "corruption": "gaussian", "code_l2": 0.01}
        model = AutoEncoder(**chosen).fit(self.COUNTS)
        codes = model.transform(self.COUNTS)
        assert codes.shape == (20, 3)
        assert not np.allclose(np.linalg.norm(codes, axis=1), 1)
        assert model.binary(self.COUNTS).shape == (20, 1)
        assert model.get_feature_names_out().tolist() == ["autoencoder0", "autoencoder1", "autoencoder2"]

    def test_what_does_not_go_together_is_refused(self) -> None:
        with pytest.raises(TextaeError, match="a code of 3 numbers is larger than the layer of 2"):
            AutoEncoder(dims=3, hidden=(2,), pretrain="rbm").fit(self.COUNTS)

    def test_its_columns_have_names(self) -> None:
        names = AutoEncoder(**SMALL).fit(self.COUNTS).get_feature_names_out()
        assert names.tolist() == ["autoencoder0", "autoencoder1", "autoencoder2"]

    def test_it_must_be_fitted_first(self) -> None:
        for ask in (AutoEncoder().transform, AutoEncoder().binary, AutoEncoder().reconstruct):
            with pytest.raises(NotFittedError):
                ask(self.COUNTS)


class TestCodeClassifier:
    COUNTS = BagOfWords().fit_transform(TEXTS * 5)
    FRUIT = np.array(["fruit", "fruit", None, None] + [None, None, "sky", "sky"] + [None] * 12, dtype=object)

    def test_a_few_labels_name_all_rows(self) -> None:
        model = CodeClassifier(**SMALL).fit(self.COUNTS, self.FRUIT)
        assert model.classes_.tolist() == ["fruit", "sky"]
        assert model.predict(self.COUNTS).tolist() == ["fruit", "fruit", "sky", "sky"] * 5
        shares = model.predict_proba(self.COUNTS)
        assert shares.shape == (20, 2)
        assert shares.sum(axis=1) == pytest.approx(np.ones(20), abs=1e-5)

    def test_minus_one_is_no_label_either(self) -> None:
        numbers = np.select([self.FRUIT == "fruit", self.FRUIT == "sky"], [7, 3], -1)
        model = CodeClassifier(**SMALL).fit(self.COUNTS, numbers)
        named = CodeClassifier(**SMALL).fit(self.COUNTS, np.where(self.FRUIT == "fruit", "z", self.FRUIT))
        assert model.classes_.tolist() == [3, 7]
        assert np.array_equal(model.predict_proba(self.COUNTS), named.predict_proba(self.COUNTS))

    @pytest.mark.parametrize(
        "labels",
        [
            pd.Series(FRUIT),
            pd.Series(FRUIT, dtype="string"),
            pd.Series(FRUIT, dtype="category"),
            pd.DataFrame({"label": FRUIT})["label"],
            np.where(FRUIT == None, np.nan, FRUIT),  # noqa: E711 (elementwise)
            FRUIT.tolist(),
            pd.Categorical(FRUIT),
            pd.array(FRUIT, dtype="string"),
            [pd.NA if label is None else label for label in FRUIT],
        ],
    )
    def test_a_missing_label_of_pandas_is_none(self, labels) -> None:
        model = CodeClassifier(**SMALL).fit(self.COUNTS, labels)
        expected = CodeClassifier(**SMALL).fit(self.COUNTS, self.FRUIT)
        assert model.classes_.tolist() == ["fruit", "sky"]
        assert np.array_equal(model.predict_proba(self.COUNTS), expected.predict_proba(self.COUNTS))

    @pytest.mark.parametrize("kind", ["float64", "Int64"])
    def test_numbers_as_labels_may_be_missing_too(self, kind) -> None:
        numbers = pd.Series([7, 7, None, None, None, None, 3, 3] + [None] * 12, dtype=kind)
        assert CodeClassifier(**SMALL).fit(self.COUNTS, numbers).classes_.tolist() == [3, 7]

    @pytest.mark.parametrize("labels", [[None] * 20, ["one"] + [None] * 19, [-1] * 10 + [5] * 10])
    def test_labels_of_one_class_alone_are_refused(self, labels) -> None:
        with pytest.raises(ValueError, match="needs at least 2 classes"):
            CodeClassifier(**SMALL).fit(self.COUNTS, labels)

    def test_in_a_pipeline_from_texts(self) -> None:
        pipeline = make_pipeline(BagOfWords(), CodeClassifier(**SMALL))
        assert pipeline.fit(TEXTS * 5, self.FRUIT).predict(["an apple", "a sky"]).tolist() == ["fruit", "sky"]

    def test_it_must_be_fitted_first(self) -> None:
        for ask in (CodeClassifier().predict, CodeClassifier().predict_proba):
            with pytest.raises(NotFittedError):
                ask(self.COUNTS)


class TestPipeline:
    def test_from_texts_to_codes(self) -> None:
        pipeline = make_pipeline(BagOfWords(), AutoEncoder(**SMALL))
        assert pipeline.fit(TEXTS).transform(["a red apple", "unknown words"]).shape == (2, 3)
        assert pipeline.get_feature_names_out().tolist() == ["autoencoder0", "autoencoder1", "autoencoder2"]

    def test_a_classifier_on_the_codes(self) -> None:
        fruit = [1, 1, 0, 0] * 5
        pipeline = make_pipeline(BagOfWords(), AutoEncoder(**SMALL), LogisticRegression())
        assert pipeline.fit(TEXTS * 5, fruit).score(TEXTS, fruit[:4]) == 1

    def test_choices_are_set_by_name(self) -> None:
        pipeline = make_pipeline(BagOfWords(), AutoEncoder(**SMALL))
        pipeline.set_params(autoencoder__dims=2, bagofwords__max_features=3)
        assert pipeline.fit_transform(TEXTS).shape == (4, 2)


def test_what_was_fitted_can_be_pickled_after_use() -> None:
    texts = ["running dogs", "a dog runs", "cats sleep"]
    counts = BagOfWords(language="english").fit(texts)
    before = counts.transform(texts).toarray()
    again = pickle.loads(pickle.dumps(counts))  # noqa: S301 (our own bytes)
    assert (again.transform(texts).toarray() == before).all()
