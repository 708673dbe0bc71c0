"""The page of the benchmarks, docs/benchmarks.md, as a function of the rows: of each measurement the newest row.

Seeds of one measurement stand in one line, as their mean ± half their range.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.rows import Row

COLLECTIONS = ("scifact", "cran", "med", "cisi", "cacm", "npl", "lisa")

Groups = dict[str, dict[str, list["Row"]]]


def page(rows: Sequence[Row], notes: str) -> str:
    """The page, with the notes at its end."""
    tables = [f"## {what}\n\n{_table(by_data)}" for what, by_data in _groups(rows).items()]
    return "\n".join([_HEAD, *tables, notes])


def _groups(rows: Sequence[Row]) -> Groups:
    """The newest row of each measurement, by what was measured, then by data; seeds in their order."""
    newest = {(row.what, row.data, row.seed): row for row in rows}
    groups: Groups = {}
    for row in newest.values():
        groups.setdefault(row.what, {}).setdefault(row.data, []).append(row)
    return groups


def scores(rows: Sequence[Row]) -> str:
    """The README's table: a row a system, nDCG@10 of the collections, their mean, and P@100 of 20 Newsgroups."""
    groups = _groups(rows)
    collections, newsgroups = groups["nDCG@10"], groups["P@100"]
    names = [name for name in COLLECTIONS if name in collections]
    lines = [f"| | {' | '.join(names)} | mean | 20newsgroups |", "|---|" + "---:|" * (len(names) + 2)]
    for system in ("tfidf", "bm25", "lsa", "code", "bits", "hybrid"):
        means = [statistics.fmean(row.figures[system] for row in collections[name]) for name in names]
        topic = statistics.fmean(row.figures[system] for rows in newsgroups.values() for row in rows)
        cells = (*means, statistics.fmean(means), topic)
        lines.append(f"| `{system}` | " + " | ".join(f"{value:.3f}" for value in cells) + " |")
    return "\n".join(lines)


_HEAD = """# Benchmarks

Written by `scripts/bench` from the rows in [benchmarks.jsonl](benchmarks.jsonl); the newest row of each measurement
is shown, and where several seeds were run, the mean ± half the range. How the choices were made, and how far the
queries measured here were kept out of them, stands below. Timings stand beside a peer or a limit measured in the same
run. A term that a query repeats counts as often in BM25, which on long queries (CISI, CACM) is worth some points.
"""


def _table(by_data: Mapping[str, list[Row]]) -> str:
    names = list(dict.fromkeys(name for rows in by_data.values() for row in rows for name in row.figures))
    lines = ["| data | documents | " + " | ".join(names) + " | seeds | commit | machine | date |"]
    lines.append("|---|" + "---:|" * (len(names) + 1) + "---|---|---|---|")
    means: dict[str, list[float]] = {name: [] for name in names}
    for on, rows in by_data.items():
        cells = []
        for name in names:
            values = [row.figures[name] for row in rows if name in row.figures]
            cells.append(_cell(values))
            means[name] += [statistics.fmean(values)] if values else []
        seeds = ", ".join(str(row.seed) for row in rows if row.seed is not None) or "–"
        last = rows[-1]
        ends = (seeds, last.commit, last.machine, last.date)
        lines.append(f"| {on} | {last.size:,} | " + " | ".join((*cells, *ends)) + " |")
    if set(by_data) >= set(COLLECTIONS) and "code" in names:
        lines.append(
            "| **mean** | | " + " | ".join(f"**{statistics.fmean(means[name]):.3f}**" for name in names) + " | | | | |"
        )
    return "\n".join(lines) + "\n"


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ""
    mean, half = statistics.fmean(values), (max(values) - min(values)) / 2
    digits = 3 if mean < 10 else 1 if mean < 1000 else 0
    return f"{mean:,.{digits}f}" + (f" ± {half:.{digits}f}" if half else "")
