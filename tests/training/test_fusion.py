"""The weight of codes beside keywords is decided by the corpus."""

import numpy as np

from textae.encoding.bags import Bags
from textae.encoding.encoders import Encoder
from textae.encoding.weighting import idf
from textae.training.fusion_weight import MOST, fusion_weight, pseudo_queries
from textae.training.lsa import fit_lsa


def corpus(n: int, n_terms: int = 400, length: int = 30) -> tuple[Bags, Encoder]:
    """Random documents, and LSA of 20 dimensions."""
    rng = np.random.default_rng(1)
    rows = [np.sort(rng.choice(n_terms, length, replace=False)).astype(np.int32) for _ in range(n)]
    bags = Bags(np.arange(n + 1) * length, np.concatenate(rows), np.ones(n * length, np.uint16))
    idf_of = idf(np.bincount(bags.terms, minlength=n_terms), n)
    return bags, Encoder.lsa(fit_lsa(bags, idf_of, 20, seed=1), idf_of)


def test_codes_lead_where_lsa_tells_all_documents_apart() -> None:
    assert fusion_weight(*corpus(15), seed=1) == MOST


def test_keywords_lead_where_lsa_is_coarse() -> None:
    few, many = fusion_weight(*corpus(60), seed=1), fusion_weight(*corpus(1_500), seed=1)
    assert 0 < many < few / 5


def test_the_same_seed_gives_the_same_weight() -> None:
    bags, start = corpus(300)
    assert fusion_weight(bags, start, seed=3) == fusion_weight(bags, start, seed=3)


def test_a_pseudo_query_holds_at_most_half_of_its_document() -> None:
    bags, start = corpus(50, length=8)
    queries = pseudo_queries(bags, start, np.random.default_rng(1))
    for i in range(50):
        terms, counts = queries.row(i)
        assert 3 <= len(terms) <= 4
        assert set(terms) <= set(bags.row(i)[0])
        assert (counts == 1).all()
        assert (np.diff(terms) > 0).all()


def test_one_document_of_one_word() -> None:
    bags = Bags(np.array([0, 1]), np.array([0], np.int32), np.array([7], np.uint16))
    start = Encoder.lsa(np.ones((1, 1), np.float32), np.ones(1, np.float32))
    assert 0 < fusion_weight(bags, start, seed=1) <= MOST
