"""Scores of rankings against judgements, one per query, as trec_eval computes them.

The measures come from ir_measures and its pytrec_eval provider (trec_eval's own code), so that a figure printed here
is the figure that another laboratory gets from the run that we write:

- nDCG@10 (Järvelin & Kekäläinen 2002) in trec_eval's form: the gain is the grade itself (not 2^grade - 1), the
  discount 1 / log2(rank + 1), the ideal ranking is over all judged documents of the query;
- MAP: the average precision over the whole ranking, whose mean over the queries is MAP; relevant from grade 1 on.
  A ranking cut at k documents gives the MAP of k documents;
- recall@100: the part of a query's relevant documents that is among the first 100;
- P@10: the part of the first 10 that is relevant, over 10 also where fewer were found.
"""

from collections.abc import Mapping

from textae.errors import QueryError
from textae.types import Ranking


def judged(rankings: Mapping[str, Ranking], qrels: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, float]]:
    """Score each query that has a judgement.

    A query without any judgement is left out: nobody knows what it should find. `len(rankings)` less the number of
    scores counts these. A judged query that found nothing scores 0, and so does one whose judgements are all below 1
    (as in trec_eval: no system can gain there, but all are compared on the same queries). Judged queries that are not
    in `rankings` were not asked, and are not scored.

    The order of a ranking counts, not its scores: ties stay as the system broke them.

    Args:
        rankings: by the query's id; an empty one for a query that found nothing.
        qrels: by the query's id, the grade of each judged document.

    Returns:
        By metric (`nDCG@10`, `MAP`, `recall@100`, `P@10`) and query id, between 0 and 1.

    Raises:
        QueryError: none of the queries has a judgement.
    """
    import ir_measures
    from ir_measures import AP, P, R, nDCG

    names = {nDCG @ 10: "nDCG@10", AP: "MAP", R @ 100: "recall@100", P @ 10: "P@10"}
    asked = {query: dict(qrels[query]) for query in rankings if qrels.get(query)}
    if not asked:
        if not rankings:
            raise QueryError("no query was asked, so there is nothing to score")
        raise QueryError(
            f"none of the {len(rankings):,} queries has a judgement: "
            f"a query's id is {next(iter(rankings))!r}, the first judged one is {next(iter(qrels), None)!r}"
        )
    # trec_eval orders by 32-bit score and breaks ties by id, never by our order: so the scores are 0, -1, -2, ...
    run = {query: {id: float(-rank) for rank, id in enumerate(rankings[query].ids)} for query in asked}
    scores: dict[str, dict[str, float]] = {name: dict.fromkeys(asked, 0.0) for name in names.values()}
    for score in ir_measures.pytrec_eval.iter_calc(list(names), asked, run):
        scores[names[score.measure]][score.query_id] = float(score.value)
    return scores
