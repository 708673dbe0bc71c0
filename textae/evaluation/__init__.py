"""The scoreboard: how good is each system, how sure are we, and is it better than the baseline?

`formats` reads queries and judgements. `measures` scores rankings by judgements, `label_judge` by labels.
`significance` gives intervals and p-values, `scoreboard` a table of all systems, `run` rankings for many queries::

    queries, qrels = read_queries("queries.jsonl"), read_qrels("qrels.tsv")
    scores = {system: judged(rankings_of(system, queries), qrels) for system in ("bm25", "code")}
    print(table(figures(scores, baseline="bm25", seed=1)))
"""

from textae.evaluation.formats import read_qrels, read_queries, read_run, write_run
from textae.evaluation.label_judge import Curve, LabelJudge
from textae.evaluation.measures import judged
from textae.evaluation.scoreboard import Figure, Scoreboard, figures, table
from textae.evaluation.significance import confidence, significance

__all__ = [
    "Curve",
    "Figure",
    "LabelJudge",
    "Scoreboard",
    "confidence",
    "figures",
    "judged",
    "read_qrels",
    "read_queries",
    "read_run",
    "significance",
    "table",
    "write_run",
]
