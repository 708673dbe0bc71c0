"""The page of the benchmarks, docs/benchmarks.md, as a function of the rows: of each measurement the newest row.

Seeds of one measurement stand in one line, as their mean ± half their range. Beside ours and the baselines, which were
measured in one run, stand published figures (`Table.beside`), which were not; what it cost stands last. A measurement
that no section names has a section of its own, at the end.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.rows import Row

COLLECTIONS = ("scifact", "cran", "med", "cisi", "cacm", "npl", "lisa")
BY_DATE = "20newsgroups by date"
PICTURE = "quality-against-time.png"
OURS = ("code", "bits", "hybrid", "ours")
COSTS = ("learning s", "indexing s", "peak GiB")

Groups = dict[str, dict[str, list["Row"]]]
"""Rows by what was measured, then by data; seeds beside each other."""


@dataclass(frozen=True)
class Table:
    """A table of the page: one measurement, a line for each data it was made on.

    Attributes:
        what: as its rows call it.
        beside: figures of others that were not measured in the same run: by their name, then by data.
    """

    what: str
    beside: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """Tables under one heading; it is left out where nothing of it was measured.

    Attributes:
        heading: of the section.
        text: what is measured, and what the columns are.
        tables: in this order.
    """

    heading: str
    text: str
    tables: tuple[Table, ...]


_LENGTHS = ("16 bits", "32 bits", "64 bits", "128 bits")
_HASHING = {
    "NbrSH-V 2022": dict(zip(_LENGTHS, (0.607, 0.658, 0.674, 0.679), strict=True)),
    "SNUH 2021": dict(zip(_LENGTHS, (0.578, 0.639, 0.665, 0.673), strict=True)),
    "VDSH 2017": dict(zip(_LENGTHS, (0.390, 0.433, 0.173, 0.052), strict=True)),
}
_MINILM = "all-MiniLM-L6-v2"

SECTIONS = (
    Section(
        "Semantic hashing",
        """20 Newsgroups, P@100, the same group is relevant, nearest by Hamming distance; no label is looked at in
learning or choosing. Random split: both parts mixed and cut 60/20/20, once a seed; the last fifth asks the first three.
Split by date: half of the test part asks the training part, messages of 10 to 500 different words. "Stripped" is
without headers, footers and quotes. Baselines of the same run: tf-idf by cosine, LSA of as many numbers as there are
bits by cosine, and its coordinates cut at their medians ("LSA bits").

Short codes tie, and which of the tied documents come first is nobody's merit: where t documents, r of them relevant,
tie at the cut for the last p places, they count p · r / t hits, the expectation over all orders of them.

In italics, as published, not measured here: NbrSH-V (2022), SNUH (Ou et al., "Integrating Semantics and Neighborhood
Information with Graph-Driven Generative Models for Document Retrieval", ACL 2021), VDSH (Chaidaroon & Fang,
"Variational Deep Semantic Hashing for Text Documents", SIGIR 2017). Their authors choose models by labelled documents,
which is not done here. The bags that VDSH and SNUH share (11,016 documents to learn from, 3,667 to choose by, 3,668
that ask) were [cut by date](https://github.com/bayesquant/VDSH/blob/master/Prepare_newsgroups_dataset.ipynb), though
they are often described as a random 60/20/20: **the split by date is the fair comparison**, and a random one, where the
messages of one thread lie on both sides, is easier.""",
        tuple(
            Table(f"P@100, semantic hashing, {split} split{strip}", _HASHING)
            for split in ("date", "random")
            for strip in ("", ", stripped")
        ),
    ),
    Section(
        "Queries",
        """Seven collections of short queries with people's judgements, one set of defaults. The bar is the best size of
LSA, "best LSA". In italics a pretrained sentence model, all-MiniLM-L6-v2, measured once on the same files, not in the
same run. A term that a query repeats counts as often in BM25, which on long queries (CISI, CACM) is worth some
points.""",
        (
            Table(
                "nDCG@10",
                {_MINILM: dict(zip(COLLECTIONS, (0.645, 0.400, 0.788, 0.421, 0.409, 0.434, 0.349), strict=True))},
            ),
            Table(
                "recall@100",
                {_MINILM: dict(zip(COLLECTIONS, (0.925, 0.772, 0.958, 0.471, 0.716, 0.607, 0.643), strict=True))},
            ),
        ),
    ),
    Section(
        "Topics",
        """20 Newsgroups by date: the test part asks the training part, the same group is relevant; `bits` are 256.
"Stripped" is without headers, footers and quotes.""",
        (Table("P@100"),),
    ),
    Section(
        "Topics found and named",
        """20 Newsgroups by date, the training part with its headers: `textae topics`, which finds the number, and with
the number of the groups; scikit-learn's LDA (online, documents shuffled) and NMF (of tf-idf) with as many topics, each
document in its largest one; and BERTopic's recipe on our codes: UMAP to 5 dimensions, HDBSCAN, class-based tf-idf. All
know the same words; numbers and single letters stand for no topic. NPMI: how far the ten words of a topic go together,
over the documents; diversity: the share of different words among those of all topics; NMI and ARI with the groups,
where documents without a topic are a group of their own; seconds without those of learning the codes. Below ours, its
clusters with words by the decoder alone, and by class-based tf-idf.""",
        (Table("topics: words that go together, and groups"),),
    ),
    Section(
        "Short texts",
        """arXiv, a fourth of the documents of its 40 largest categories, split 80/20 at random, once a seed: the fifth
asks the rest, the same category is relevant. Titles alone, and abstracts alone.""",
        (Table("P@100, short texts"),),
    ),
    Section(
        "Few labels",
        """20 Newsgroups by date: how often the group of a message of the test part is told, by how many messages of the
training part, drawn at random, have a label. Ours learns all of them without labels and is then fine-tuned by those
that there are. Beside it the same network from a random start, which labels alone teach, and logistic regressions of
the labelled messages on our codes before fine-tuning, on LSA of all messages, and on tf-idf. Choices were made on a
fifth of the training part, one setting for any number of labels. Ten labels name at most ten of the twenty groups.""",
        (Table("few labels, accuracy"),),
    ),
    Section(
        "Quality against training time",
        f"""20 Newsgroups by date, after some passes over the documents. After none the codes are LSA's, where learning
starts: its 256 dimensions for answers, its first 64 for topics.

![P@100 over seconds of learning]({PICTURE})""",
        (Table("P@100 by passes"),),
    ),
    Section(
        "The auto-encoder of 2006",
        """Hinton & Salakhutdinov's deep auto-encoder, 2000-500-250-125-10 and -2 (`--preset hinton2006`), and LSA
of the same 2,000 words, by cosine: 20 Newsgroups by date, the test part asks the training part, the same group is
relevant; precision and recall after 1, 3, 7, … documents. How each layer rebuilds what is below it, pass by pass: the
cross-entropy of a word, above it of all units. See [the family](family.md) for the curves.""",
        (
            Table("precision after so many documents"),
            Table("recall after so many documents"),
            Table("reconstruction error, layer by layer"),
        ),
    ),
    Section(
        "Pictures",
        """MNIST: the 60,000 training digits are learned without labels and indexed, test digits ask. The squared error
is that of a test picture rebuilt from 30 numbers, summed over pixels from 0 to 1, by `--preset hinton2006`, and by PCA;
in italics as published. P@100 is of the default: the same digit is relevant, `pixels` are compared by Euclid's
distance, the signs of principal components by Hamming's. A linear classifier is a logistic regression of all labels;
with few labels, the network of the default is fine-tuned, from what it learned or from random weights (three draws).

![Digits, rebuilt by PCA and by the deep auto-encoder](images/reconstructions.png)""",
        (
            Table(
                "squared error of a picture",
                {"deep auto-encoder, 2006": {"MNIST, 30 numbers": 3.00}, "PCA, 2006": {"MNIST, 30 numbers": 13.87}},
            ),
            Table("P@100, pictures"),
            Table("error of a linear classifier"),
            Table("few labels of pictures, accuracy"),
            Table("a search among pictures"),
            Table("indexing pictures"),
        ),
    ),
    Section(
        "Expansion by the decoder",
        """The seven collections again: `bm25` and `hybrid` as they are, and with ten words more that the decoder
expects of the query (`--expand`). How many words, and with what weight, was chosen on SciFact's training claims and
on titles from arXiv. It finds more, and does not always rank better: so it is off unless asked for.""",
        (Table("nDCG@10, expansion"), Table("recall@100, expansion")),
    ),
    Section(
        "Maps",
        """20 Newsgroups by date on a plane. How often most of the ten nearest messages of the training part are of a
message's group: of its own messages, each asking the others, and of the test part's, which are placed among them and
which no layout has seen. "Trustworthiness" (Venna & Kaski 2001, k = 10, of 5,000 messages) is 1 where nearest on the
plane is near in the code. `code` is not on a plane: what there is to be kept. `ours` is the layout `neighbours`,
`autoencoder` a bottleneck of two units, `lsa` its first two dimensions. UMAP 0.5.12 and t-SNE (openTSNE 1.0.4) lay out
the same codes, by their defaults and the cosine; our seconds are with the words of 2,304 places.""",
        (
            Table("label on a map"),
            Table("label of new documents on a map"),
            Table("trustworthiness of a map"),
            Table("laying a map out, s"),
            Table("placing new documents, s"),
        ),
    ),
    Section(
        "Searching, adding and removing, beside others",
        """100,000 abstracts from arXiv, and a million: the same ten times, a tenth of their words exchanged. Each
line is one run, in which all its systems were asked in turns, each in a process of its own, on one core unless told
otherwise; queries are titles without stop words, and "over" is our time or rate divided by the other's. SQLite FTS5,
tantivy and bm25s index the same texts. What a search process holds is given at most, and of that what is its own (not
mapped from files, which all processes share).""",
        (
            Table("a search from a cold shell, ms"),
            *(Table(f"a search in a running process, one core, {mode}") for mode in ("hybrid", "code", "bits", "bm25")),
            Table("the ten best by BM25, queries/s"),
            Table("a scan of 256-bit codes, one core"),
            Table("adding 10,000 documents, documents/s"),
            Table("hybrid searches while 10,000 documents are added"),
            Table("removing 10,000 documents, s"),
            Table("memory of a search process, MiB"),
            Table("indexing, beside others"),
        ),
    ),
    Section(
        "What it takes",
        "Timings stand beside a peer or a limit that was measured in the same run.",
        (
            Table("reading, analysing, counting"),
            Table("indexing whole, with learning"),
            Table("bytes a document"),
            Table("search from a cold shell"),
            *(Table(f"search in a running process, {mode}") for mode in ("hybrid", "code", "bits", "bm25")),
        ),
    ),
)

_HEAD = """# Benchmarks

Written by `scripts/bench` from the rows in [benchmarks.jsonl](benchmarks.jsonl); the newest row of each measurement
is shown, and where several seeds were run, the mean ± half the range. Ours are **bold**; what others published is in
*italics*. Learning runs on the CPU, each in a process of its own: its seconds are those of LSA, of the auto-encoder and
of finding the hybrid's weight; indexing's go from the first document read to the last byte written; the memory is the
most that the process held at a time. How the choices were made, and how far the queries measured here were kept out of
them, stands below.
"""


def page(rows: Sequence[Row], notes: str) -> str:
    """The page, with the notes at its end."""
    groups = newest(rows)
    named = {table.what for section in SECTIONS for table in section.tables}
    others = tuple(Section(what, "", (Table(what),)) for what in groups if what not in named)
    return "\n".join([_HEAD, *(part for section in SECTIONS + others for part in _section(section, groups)), notes])


def newest(rows: Sequence[Row]) -> Groups:
    """The newest row of each measurement, by what was measured, then by data; seeds in their order."""
    last = {(row.what, row.data, row.seed): row for row in rows}
    groups: Groups = {}
    for row in last.values():
        groups.setdefault(row.what, {}).setdefault(row.data, []).append(row)
    return groups


def scores(rows: Sequence[Row]) -> str:
    """The README's table: a row a system, nDCG@10 of the collections, their mean, and P@100 of 20 Newsgroups."""
    groups = newest(rows)
    collections, newsgroups = groups["nDCG@10"], groups["P@100"][BY_DATE]
    names = [name for name in COLLECTIONS if name in collections]
    lines = [f"| | {' | '.join(names)} | mean | 20newsgroups |", "|---|" + "---:|" * (len(names) + 2)]
    for system in ("tfidf", "bm25", "lsa", "code", "bits", "hybrid"):
        means = [statistics.fmean(row.figures[system] for row in collections[name]) for name in names]
        topic = statistics.fmean(row.figures[system] for row in newsgroups)
        cells = (*means, statistics.fmean(means), topic)
        lines.append(f"| `{system}` | " + " | ".join(f"{value:.3f}" for value in cells) + " |")
    return "\n".join(lines)


def _section(section: Section, groups: Groups) -> Iterator[str]:
    measured = [table for table in section.tables if table.what in groups]
    if not measured:
        return
    yield f"## {section.heading}\n"
    if section.text:
        yield f"{section.text}\n"
    for table in measured:
        if table.what != section.heading:
            yield f"### {table.what}\n"
        yield _table(table, groups[table.what])


def _table(table: Table, by_data: Mapping[str, list[Row]]) -> str:
    columns = _columns(table, by_data)
    lines = ["| data | documents | " + " | ".join(map(_title, columns, [table] * len(columns))) + " |"]
    lines.append("|---|" + "---:|" * (len(columns) + 1))
    for on, rows in by_data.items():
        lines.append(f"| {on} | {rows[-1].size:,} | " + " | ".join(_cell(columns[name][on]) for name in columns) + " |")
    if set(by_data) >= set(COLLECTIONS):
        lines.append("| **mean** | | " + " | ".join(map(_mean_cell, columns.values())) + " |")
    return "\n".join(lines) + "\n\n" + _origins(by_data) + "\n"


def _columns(table: Table, by_data: Mapping[str, list[Row]]) -> dict[str, dict[str, list[float]]]:
    """The values of each column, by data, a value a seed: what was measured, the best LSA, others', and costs."""
    names = list(dict.fromkeys(name for rows in by_data.values() for row in rows for name in row.figures))

    def measured(name: str) -> dict[str, list[float]]:
        return {on: [row.figures[name] for row in rows if name in row.figures] for on, rows in by_data.items()}

    columns = {name: measured(name) for name in names if name not in COSTS}
    sizes = [name for name in columns if name == "lsa" or name.startswith("lsa-")]
    if len(sizes) > 1:
        columns["best LSA"] = {on: max((columns[name][on] for name in sizes), key=_mean) for on in by_data}
    for name, figures in table.beside.items():
        columns[name] = {on: [figures[on]] if on in figures else [] for on in by_data}
    return columns | {name: measured(name) for name in names if name in COSTS}


def _title(name: str, table: Table) -> str:
    if name in OURS:
        return f"**{name}**"
    return f"*{name}*" if name in table.beside else name


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ""
    mean, half = _mean(values), (max(values) - min(values)) / 2
    digits = 3 if mean < 10 else 1 if mean < 1000 else 0
    return f"{mean:,.{digits}f}" + (f" ± {half:.{digits}f}" if half else "")


def _mean_cell(by_data: Mapping[str, Sequence[float]]) -> str:
    """The mean over the collections, where the column has them all."""
    if not all(by_data[name] for name in COLLECTIONS):
        return ""
    return f"**{statistics.fmean(_mean(by_data[name]) for name in COLLECTIONS):.3f}**"


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 0.0


def _origins(by_data: Mapping[str, list[Row]]) -> str:
    """Where the lines of a table come from: seeds, commit, machine and date, said once for all that share them."""
    lines: dict[str, list[str]] = {}
    for on, rows in by_data.items():
        seeds = [str(row.seed) for row in rows if row.seed is not None]
        told = [f"seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}"] if seeds else []
        for name in ("commit", "machine", "date"):
            told.append(", ".join(dict.fromkeys(str(getattr(row, name)) for row in rows)))
        lines.setdefault(" · ".join(told), []).append(on)
    if len(lines) == 1:
        return f"({next(iter(lines))})"
    return "\n".join(f"({', '.join(data)}: {origin})  " for origin, data in lines.items())
