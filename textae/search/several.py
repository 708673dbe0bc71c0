"""Several indexes searched as one.

Scores of `hybrid` are shares of the most that a document can get, so that those of several indexes compare. Other
systems score by the encoder and the word statistics of each index; only their ranks compare. Reciprocal rank fusion
(Cormack, Clarke & Büttcher, SIGIR 2009) merges them, with k = 60 as there:

    score(d) = Σ_i 1 / (k + rank_i(d))

A document is in one index, so the sum has one part, and the best of each index come first, then the second ones. Merged
so, five collections with queries to one of them each gave an nDCG@10 of .140; by the scores of `hybrid` .400, and each
collection alone .517.
"""

from collections.abc import Mapping
from dataclasses import replace

from textae.search.request import FILTER, SearchResult

_K = 60


def merged(results: Mapping[str, SearchResult], top_k: int) -> SearchResult:
    """One result of several; the id of a hit is `INDEX:ID`, and what a filter alone lists stays in the order of ids.

    Args:
        results: of the same request, by the name of the index; of equal hits, that of the first index comes first.
        top_k: the maximum number of hits.
    """
    modes = {result.mode for result in results.values()}
    by_score = modes in ({FILTER}, {"hybrid"})  # what a filter lists has equal scores
    hits = [
        replace(hit, id=f"{name}:{hit.id}", score=hit.score if by_score else 1 / (_K + hit.rank))
        for name, result in results.items()
        for hit in result.hits
    ]
    hits.sort(key=lambda hit: -hit.score)
    hits = [replace(hit, rank=rank) for rank, hit in enumerate(hits[:top_k], start=1)]
    first, *others = results.values()
    unknown = [word for word in first.unknown if all(word in other.unknown for other in others)]
    suggested: dict[str, list[str]] = {word: [] for word in unknown}
    for result in results.values():
        for word in unknown:
            suggested[word] = suggested[word] or result.suggestions.get(word, [])
    matching = [result.n_matching for result in results.values() if result.n_matching is not None]
    return SearchResult(
        tuple(hits),
        modes.pop() if len(modes) == 1 else "rrf",
        tuple(unknown),
        first.ignored,
        {word: similar for word, similar in suggested.items() if similar},
        all(result.only_stop_words for result in results.values()),
        sum(matching) if matching else None,
    )
