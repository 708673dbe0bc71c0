"""The report, docs/benchmarks.md, and the scores of two other pages: a function of the rows and of report.md.

The template holds the prose. Each of its lines `<!-- table: NAME -->` becomes the table of the rows of that name; a
section whose tables have no rows is left out, and measurements that the template does not name follow in sections of
their own. A table has one line per data set: seeds give their mean ± half their range; published figures, which were
not measured in the same run, stand beside ours and the baselines; costs are the last columns.
"""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.datasets import BY_DATE, COLLECTIONS
from benchmarks.harness.rows import ROOT, Groups, Row, newest, read

TEMPLATE = Path(__file__).with_suffix(".md")
PAGE = ROOT / "docs" / "benchmarks.md"
NOTES = ROOT / "docs" / "benchmarks-notes.md"
README = ROOT / "README.md"
RESULTS = ROOT / "docs" / "results.md"
SCORES = "<!-- scores: written by scripts/bench -->"

OURS = ("code", "bits", "hybrid", "ours")
COSTS = ("learning s", "indexing s", "peak GiB")

_TABLE = re.compile(r"^<!-- table: (.+) -->\n\n?", re.MULTILINE)
_SECTION = re.compile(r"^(?=## )", re.MULTILINE)

_LENGTHS = ("16 bits", "32 bits", "64 bits", "128 bits")
_HASHING = {
    "NbrSH-V 2022": dict(zip(_LENGTHS, (0.607, 0.658, 0.674, 0.679), strict=True)),
    "SNUH 2021": dict(zip(_LENGTHS, (0.578, 0.639, 0.665, 0.673), strict=True)),
    "VDSH 2017": dict(zip(_LENGTHS, (0.390, 0.433, 0.173, 0.052), strict=True)),
}
_AMMI = "AMMI 2020"
_AMMI_REUTERS = dict(zip(_LENGTHS, (0.817, 0.845, 0.851, 0.860), strict=True))
_AMMI_TMC = dict(zip(_LENGTHS, (0.710, 0.742, 0.752, 0.763), strict=True))
_MINILM = "all-MiniLM-L6-v2"
_MINILM_NDCG = (0.645, 0.400, 0.788, 0.421, 0.409, 0.434, 0.349)
_MINILM_RECALL = (0.925, 0.772, 0.958, 0.471, 0.716, 0.607, 0.643)

PUBLISHED: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    **{
        f"P@100, semantic hashing, {split} split{strip}": _HASHING
        for split in ("date", "random")
        for strip in ("", ", stripped")
    },
    **{
        f"P@100, semantic hashing, Reuters-21578, {split} split": {_AMMI: _AMMI_REUTERS} for split in ("date", "random")
    },
    "P@100, semantic hashing, TMC": {_AMMI: _AMMI_TMC},
    "nDCG@10": {_MINILM: dict(zip(COLLECTIONS, _MINILM_NDCG, strict=True))},
    "recall@100": {_MINILM: dict(zip(COLLECTIONS, _MINILM_RECALL, strict=True))},
    "squared error of a picture": {
        "deep auto-encoder, 2006": {"MNIST, 30 numbers": 3.00},
        "PCA, 2006": {"MNIST, 30 numbers": 13.87},
    },
}
"""Figures that were not measured in the same run: by table, by column, then by data set."""


def render() -> None:
    """Write the report from the rows, and the scores: each collection's into docs/results.md, the mean into README."""
    rows = read()
    PAGE.write_text(page(rows, NOTES.read_text(encoding="utf-8")), encoding="utf-8")
    for path, columns in ((README, ()), (RESULTS, COLLECTIONS)):
        before, _, after = path.read_text(encoding="utf-8").split(SCORES)
        path.write_text(f"{before}{SCORES}\n{scores(rows, columns)}\n{SCORES}{after}", encoding="utf-8")


def page(rows: Sequence[Row], notes: str) -> str:
    """The report, with the notes at its end."""
    groups, template = newest(rows), TEMPLATE.read_text(encoding="utf-8")
    named = set(_TABLE.findall(template))
    others = "".join(f"\n## {what}\n\n<!-- table: {what} -->\n" for what in groups if what not in named)
    head, *sections = _SECTION.split(template + others)
    return head + "".join(_section(section, groups) for section in sections) + notes


def _section(section: str, groups: Groups) -> str:
    """A section of the template with its tables; empty where none of them has rows."""

    def table(directive: re.Match[str]) -> str:
        what = directive[1]
        title = "" if section.startswith(f"## {what}\n") else f"### {what}\n\n"
        return f"{title}{_table(what, groups[what])}\n" if what in groups else ""

    return _TABLE.sub(table, section) if groups.keys() & set(_TABLE.findall(section)) else ""


def scores(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """A table with a line per system: nDCG@10 of some collections, the mean of all, and P@100 of 20 Newsgroups."""
    groups = newest(rows)
    collections, newsgroups = groups["nDCG@10"], groups["P@100"][BY_DATE]
    lines = ["| | " + " | ".join((*columns, "mean", "20newsgroups")) + " |"]
    lines.append("|---|" + "---:|" * (len(columns) + 2))
    for system in ("tfidf", "bm25", "lsa", "code", "bits", "hybrid"):
        ndcg = {name: statistics.fmean(row.figures[system] for row in collections[name]) for name in COLLECTIONS}
        topic = statistics.fmean(row.figures[system] for row in newsgroups)
        cells = (*(ndcg[name] for name in columns), statistics.fmean(ndcg.values()), topic)
        lines.append(f"| `{system}` | " + " | ".join(f"{value:.3f}" for value in cells) + " |")
    return "\n".join(lines)


def _table(what: str, by_data: Mapping[str, list[Row]]) -> str:
    published = PUBLISHED.get(what, {})
    columns = _columns(by_data, published)
    titles = [f"**{name}**" if name in OURS else f"*{name}*" if name in published else name for name in columns]
    lines = ["| data | documents | " + " | ".join(titles) + " |"]
    lines.append("|---|" + "---:|" * (len(columns) + 1))
    for on, rows in by_data.items():
        lines.append(f"| {on} | {rows[-1].size:,} | " + " | ".join(_cell(columns[name][on]) for name in columns) + " |")
    if set(by_data) >= set(COLLECTIONS):
        lines.append("| **mean** | | " + " | ".join(map(_mean_cell, columns.values())) + " |")
    return "\n".join(lines) + "\n\n" + _origins(by_data) + "\n"


def _columns(
    by_data: Mapping[str, list[Row]], published: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, list[float]]]:
    """The values of each column, by data set, one per seed: measured, the best LSA, published, and costs."""
    names = list(dict.fromkeys(name for rows in by_data.values() for row in rows for name in row.figures))

    def measured(name: str) -> dict[str, list[float]]:
        return {on: [row.figures[name] for row in rows if name in row.figures] for on, rows in by_data.items()}

    columns = {name: measured(name) for name in names if name not in COSTS}
    sizes = [name for name in columns if name == "lsa" or name.startswith("lsa-")]
    if len(sizes) > 1:
        columns["best LSA"] = {on: max((columns[name][on] for name in sizes), key=_mean) for on in by_data}
    for name, figures in published.items():
        columns[name] = {on: [figures[on]] if on in figures else [] for on in by_data}
    return columns | {name: measured(name) for name in names if name in COSTS}


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ""
    mean, half = _mean(values), (max(values) - min(values)) / 2
    digits = 3 if mean < 10 else 1 if mean < 1000 else 0
    return f"{mean:,.{digits}f}" + (f" ± {half:.{digits}f}" if half else "")


def _mean_cell(by_data: Mapping[str, Sequence[float]]) -> str:
    """The mean over the collections, where the column has values for all of them."""
    if not all(by_data[name] for name in COLLECTIONS):
        return ""
    return f"**{statistics.fmean(_mean(by_data[name]) for name in COLLECTIONS):.3f}**"


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 0.0


def _origins(by_data: Mapping[str, list[Row]]) -> str:
    """Seeds, commit, machine, date, command and its time of the lines of a table: one line where all share them."""
    seconds: dict[str, float] = {}
    for row in itertools.chain(*by_data.values()):
        seconds[row.command] = max(row.seconds, seconds.get(row.command, 0))
    lines: dict[str, list[str]] = {}
    for on, rows in by_data.items():
        seeds = [str(row.seed) for row in rows if row.seed is not None]
        origin = [f"seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}"] if seeds else []
        for name in ("commit", "machine", "date"):
            origin.append(", ".join(dict.fromkeys(str(getattr(row, name)) for row in rows)))
        commands = dict.fromkeys(row.command for row in rows if row.command)
        origin += [f"`{command}`, {max(1, round(seconds[command] / 60))} min" for command in commands]
        lines.setdefault(" · ".join(origin), []).append(on)
    if len(lines) == 1:
        return f"({next(iter(lines))})"
    return "\n".join(f"({', '.join(data)}: {origin})  " for origin, data in lines.items())
