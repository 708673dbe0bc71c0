"""The command that measures search quality: eval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textae.app.cli.options import HITS, ShellOptions, TableOptions, completed, option, options
from textae.app.cli.vector_options import VectorOptions
from textae.app.output.hits import write_trec
from textae.app.output.reports import print_scoreboard
from textae.files import make_folder, whole_file

if TYPE_CHECKING:
    from textae.types import Ranking


@dataclass(frozen=True)
class EvaluationOptions:
    """What is scored, and against what."""

    queries: str | None = option("Queries: jsonl or tsv with id and text; with --label, any SOURCE.", metavar="FILE")
    qrels: str | None = option("The judgements: BEIR's tsv or TREC's four columns.", metavar="FILE")
    label: str | None = option(
        "Documents with the same value of FIELD are relevant to each other; without --queries, 1,000 sampled documents "
        "are the queries.",
        metavar="FIELD",
        shell_complete=completed("field"),
    )
    systems: str | None = option("Comma-separated; also lsa-N, pca-N, bits-N, hamming-N.  [default: all of the index]")
    baseline: str | None = option("The system that the others are tested against.  [default: the first]")
    k: int = option("With --label: the k of P@k.", "-k", "--top", type=HITS, default=100)
    curve: bool = option("With --label: also precision and recall at all cutoffs.")
    runs: Path | None = option("Write a TREC run of each system there.", metavar="FOLDER")  # noqa: RUF009
    seed: int = option("Random seed of the resampling.", default=1)


@click.command("eval", short_help="Score the search systems side by side.")
@options("scoring", EvaluationOptions)
@options("table", TableOptions)
@options("vectors", VectorOptions, "vector_command")
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def evaluate(scoring: EvaluationOptions, table: TableOptions, vectors: VectorOptions, shell: ShellOptions) -> None:
    """Score all systems side by side, with confidence intervals and significance tests.

    \b
    textae eval --queries queries.jsonl --qrels qrels.tsv
    textae eval --queries corpus.jsonl.gz --select split=test --label label -k 100 --json
    textae eval --label group                a sample of 1,000 documents as queries
    textae eval --label label --index photos.textae      pictures: pixels, pca, code, bits
    """
    systems = None if scoring.systems is None else scoring.systems.split(",")
    baseline, seed, runs = scoring.baseline, scoring.seed, scoring.runs

    def write_run(system: str, rankings: Mapping[str, Ranking]) -> None:
        if runs is not None:
            make_folder(runs)
            with whole_file(runs / f"{system}.run") as passing, passing.open("w", encoding="utf-8") as file:
                write_trec(rankings, system, file)

    with shell.open_engine() as engine:
        if scoring.label:
            from textae.evaluation.run import by_labels

            asked = None
            if scoring.queries:
                from textae.corpus import read
                from textae.corpus.own_vectors import with_vectors
                from textae.types import Document

                snapshot = engine.snapshot
                given = read([scoring.queries], table.spec(), kind=snapshot.modality.kind)
                field = snapshot.reader.settings.get("vectors", {}).get("field", "")
                items = list(with_vectors(given, None, field))
                documents = [item for item in items if isinstance(item, Document)]
                if len(documents) < len(items):
                    shell.note(f"skipped {len(items) - len(documents):,} of the queries")
                asked = vectors.of_queries(documents, systems or [None], snapshot, shell)
            k, curve = scoring.k, scoring.curve
            scoreboard = by_labels(engine.searcher, scoring.label, asked, systems, k, baseline, seed, curve=curve)
        elif scoring.queries and scoring.qrels:
            from textae.evaluation import read_qrels, read_queries

            judged = read_queries(scoring.queries), read_qrels(scoring.qrels)
            keep = write_run if runs else None
            queries = vectors.of_queries(judged[0], systems or [None], engine.snapshot, shell)
            scoreboard = engine.evaluate(queries, judged[1], systems, baseline=baseline, seed=seed, keep=keep)
        else:
            raise click.UsageError("give --queries and --qrels, or --label")
    print_scoreboard(scoreboard, shell)
