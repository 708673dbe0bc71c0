"""Every system side by side: figures with an interval and a p-value, and the table that shows them to people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from textae.errors import QueryError
from textae.evaluation.label_judge import Curve
from textae.evaluation.significance import confidence, significance

Scores = Mapping[str, Mapping[str, float]]
"""By metric and query id, as `judged` and `LabelJudge.scores` give them."""

WIDTH = 100
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Figure:
    """One cell of the scoreboard; its attributes, in this order, are the keys of a line of JSON.

    Attributes:
        system: `bm25`, `code`, ...
        metric: `nDCG@10`, `P@100`, ...
        value: the mean over the queries.
        low: where its 95 % interval begins.
        high: where it ends.
        queries: how many were judged.
        p: of the paired test against the baseline; None for the baseline itself.
        baseline: the system that the others are compared with.
    """

    system: str
    metric: str
    value: float
    low: float
    high: float
    queries: int
    p: float | None
    baseline: str


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """What an evaluation found.

    Attributes:
        figures: a system and a metric each.
        unjudged: the queries that were left out, since nothing is known to be relevant to them.
        curves: by system, the precision-recall curve where it was asked for.
    """

    figures: Sequence[Figure]
    unjudged: int
    curves: Mapping[str, Curve]


def figures(scores: Mapping[str, Scores], baseline: str, seed: int) -> list[Figure]:
    """Turn scores per query into figures, in the order of the systems and their metrics.

    Args:
        scores: by system, metric and query id; all systems over the same queries.
        baseline: one of the systems.
        seed: of intervals and tests; every figure draws anew from it, so none depends on which others are asked for.

    Raises:
        QueryError: the baseline is not among the systems or lacks a metric, or queries differ.
    """
    if baseline not in scores:
        raise QueryError(f"the baseline {baseline!r} is not among the systems: {', '.join(scores)}")
    found = []
    for system, metrics in scores.items():
        for metric, values in metrics.items():
            if metric not in scores[baseline]:
                raise QueryError(f"{system!r} is scored by {metric}, but the baseline {baseline!r} is not")
            low, high = confidence(values, seed)
            p = None if system == baseline else significance(values, scores[baseline][metric], seed)
            found.append(Figure(system, metric, fmean(values.values()), low, high, len(values), p, baseline))
    return found


def table(figures: Sequence[Figure], unjudged: int = 0) -> str:
    """Lay figures out as text: a row a system, a column a metric, at most 100 characters wide.

    A cell is the value, `+` or `-` where it is significantly above or below the baseline, the interval in brackets,
    and `*` before the best of the column. Columns that do not fit follow below.

    Args:
        figures: as `figures` gives them.
        unjudged: the queries that were left out, to be said in the first line.

    Returns:
        Lines without an end of line after the last.
    """
    if not figures:
        return "no figures"
    metrics = list(dict.fromkeys(figure.metric for figure in figures))
    systems = list(dict.fromkeys(figure.system for figure in figures))
    cells = {(figure.system, figure.metric): figure for figure in figures}
    margin = max(map(len, systems))
    columns = max(1, (WIDTH - margin) // 20)
    counts = sorted({figure.queries for figure in figures})
    queries = " or ".join(f"{count:,}" for count in counts) + (" query" if counts == [1] else " queries")
    lines = [f"{queries} ({unjudged:,} without a judgement left out)" if unjudged else queries]
    for start in range(0, len(metrics), columns):
        block = metrics[start : start + columns]
        lines += ["", " " * margin + "".join(f"   {metric:<17}" for metric in block).rstrip()]
        for system in systems:
            row = "".join(f"  {_cell(cells, system, metric):<18}" for metric in block)
            lines.append(f"{system:<{margin}}{row}".rstrip())
    legend = "[95 % bootstrap interval]"
    if len(systems) > 1:
        baseline = figures[0].baseline
        legend = f"* best; + better, - worse than {baseline} (p < .05, paired randomisation); {legend}"
    return "\n".join([*lines, "", legend])


def _cell(cells: Mapping[tuple[str, str], Figure], system: str, metric: str) -> str:
    figure = cells.get((system, metric))
    if figure is None:
        return ""
    rivals = [other.value for (_, judged_by), other in cells.items() if judged_by == metric]
    star = "*" if len(rivals) > 1 and figure.value == max(rivals) else " "
    standard, mark = cells.get((figure.baseline, metric)), " "
    if standard and figure.p is not None and figure.p < LEVEL:
        mark = "+" if figure.value > standard.value else "-"
    return f"{star}{_short(figure.value)}{mark} [{_short(figure.low)} {_short(figure.high)}]"


def _short(value: float) -> str:
    """Print .685, and 1.00: four characters, as papers do."""
    return f"{value:.3f}".removeprefix("0")[:4]
