"""Engines: documents a core-second of counting and encoding shards by processes, Dask and Spark, beside one index.

The CPU time is that of all processes of a session, by the clock ticks of /proc, sampled each half second: what a
process used after its last sample is lost, at most that half second.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks import datasets
from benchmarks.harness.options import quick, quick_option
from benchmarks.harness.rows import ROOT, Row, read, write

TABLE = "counting and encoding shards, documents per core-second"
PICTURE = ROOT / "docs" / "cost-against-documents.png"
COLOURS = {"index": "#777777", "processes": "#00798c", "dask": "#edae49", "spark": "#d1495b"}
BYTES = "bytes a document"
DRAWN_BYTES = {"index": "index", "processes": "dataset, by any engine"}
BILLION = 1_000_000_000

_LEARNING = "epochs=1, most_documents=2_000"  # the same for all, and not what is measured
_PROGRAM = """
import sys, time
from pathlib import Path
from textae import Engine, TrainSpec, read
from textae.cluster.corpus import ShardWriter, learn
from textae.cluster.dataset import Dataset
from textae.types import Document
from itertools import islice

def main():
    kind, folder, source, n = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    train = TrainSpec({learning})
    documents = islice((one for one in read([source]) if isinstance(one, Document)), n)
    last = [""]
    def progress(stage, done, total):
        if stage != last[0]:
            last[0] = stage
            print(stage, time.time(), flush=True)
    if kind == "index":
        Engine.create(folder / "index").index(documents, train=train, progress=progress)
    else:
        from textae.cluster import corpus
        corpus.SHARD = 2_048
        dataset = Dataset(str(folder / "shards"))
        writer = ShardWriter(dataset)
        for document in documents:
            writer.add(document)
        parts = writer.finish()
        def run(cluster):
            learn(dataset, parts, cluster, progress, train=train)
        if kind == "processes":
            from textae.cluster.local import Local
            run(Local(2))
        elif kind == "dask":
            from distributed import Client, LocalCluster
            from textae.cluster.dask import Dask
            with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as workers:
                with Client(workers) as client:
                    run(Dask(client))
        else:
            from textae.cluster.spark import Spark, session
            with session("local-cluster[2,1,1200]") as spark:
                run(Spark(spark))
    print("end", time.time(), flush=True)

if __name__ == "__main__":
    main()
"""


@click.command()
@click.option("--documents", "n", default=24_576, show_default=True)
@click.option(
    "--source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of as many abstracts or more; arXiv's 99,453 by default.",
)
@click.option("--kinds", default=",".join(COLOURS), show_default=True, help="Only some of these.")
@quick_option
def engines(n: int, source: Path | None, kinds: str) -> None:
    """Counting and encoding shards by processes, Dask and Spark, beside an ordinary index of the same documents.

    Draws docs/cost-against-documents.png of all rows.
    """
    data = "arXiv abstracts" if source is None else source.stem
    source = source or datasets.path("arxiv100k", "corpus.jsonl.gz")
    if quick():
        n, kinds = min(n, 4_096), "index,processes"
    for kind in kinds.split(","):
        if kind == "spark" and shutil.which("java") is None:
            click.echo("spark: not measured; there is no Java", err=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "program.py"
            program.write_text(_PROGRAM.replace("{learning}", _LEARNING))
            figures = _measured([sys.executable, str(program), kind, folder, str(source), str(n)], n)
            program.unlink()
            written = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        write(TABLE, f"{data}, {kind}", n, figures | {BYTES: written / n})
    if not quick():
        draw_cost(read(), PICTURE)


def draw_cost(rows: Sequence[Row], picture: Path) -> None:
    """Draw the core-seconds and the bytes of a corpus over its documents, from 10,000 to a billion.

    Points are measured, and a solid line joins them. A dashed line goes on from the largest one by the rates that were
    measured there, of counting and encoding a document: what is learned from is a sample that does not grow.

    Args:
        rows: all rows; of those of one size, the newest is drawn.
        picture: a .png.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    seconds, sizes = figure.subplots(1, 2)
    for kind, colour in COLOURS.items():
        measured = {row.size: row for row in rows if row.what == TABLE and row.data.endswith(f", {kind}")}
        of_kind = [measured[n] for n in sorted(measured)]
        if not of_kind:
            continue
        last = of_kind[-1]
        each = sum(1 / last.figures[f"{stage}, documents/core-s"] for stage in ("count", "encode"))
        _draw(seconds, [(row.size, row.figures["all CPU s"]) for row in of_kind], each, colour, kind)
        with_bytes = [(row.size, row.size * row.figures[BYTES]) for row in of_kind if BYTES in row.figures]
        if with_bytes and kind in DRAWN_BYTES:
            _draw(sizes, with_bytes, with_bytes[-1][1] / with_bytes[-1][0], colour, DRAWN_BYTES[kind])
    for axes, label in ((seconds, "core-seconds, with a short learning"), (sizes, "bytes on disk")):
        axes.set(xscale="log", yscale="log", xlabel="documents", ylabel=label)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, title="measured: points, solid · projected: dashed", fontsize=8, title_fontsize=8)
    figure.savefig(picture, dpi=150)


def _draw(axes: Any, measured: Sequence[tuple[float, float]], each: float, colour: str, label: str) -> None:
    """Draw what was measured, and what it becomes at so much for each document more."""
    axes.plot(*zip(*measured, strict=True), "o-", color=colour, label=label, markersize=4)
    last, value = measured[-1]
    beyond = [last * (BILLION / last) ** (step / 50) for step in range(51)]
    axes.plot(beyond, [value + each * (n - last) for n in beyond], "--", color=colour, linewidth=1)


def _measured(command: list[str], n: int) -> dict[str, float]:
    """Run a command; the seconds of its stages, and documents per core-second of counting and encoding."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    started = time.time()
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True)
    samples = [(started, 0.0)]
    used: dict[int, float] = {}
    while running.poll() is None:
        used |= _cpu_seconds(running.pid)
        samples.append((time.time(), sum(used.values())))
        time.sleep(0.5)
    assert running.stdout is not None
    lines = [line.split() for line in running.stdout.read().splitlines()]
    if running.returncode:
        raise click.ClickException(f"{' '.join(command)} ended with {running.returncode}")
    starts = [(line[0], float(line[-1])) for line in lines]
    stages: dict[str, tuple[float, float]] = {}
    for (stage, first), (_, last) in itertools.pairwise(starts):
        stages[stage] = (first, last)

    def cpu(stage: str) -> float:
        first, last = (min(samples, key=lambda one: abs(one[0] - at))[1] for at in stages[stage])
        return max(last - first, 0.01)

    counting = "counting" if "counting" in stages else "reading"
    seconds = {stage: stages[stage][1] - stages[stage][0] for stage in (counting, "encoding")}
    return {
        "count, documents/core-s": n / cpu(counting),
        "encode, documents/core-s": n / cpu("encoding"),
        "count s": seconds[counting],
        "encode s": seconds["encoding"],
        "all CPU s": samples[-1][1],
        "all s": time.time() - started,
    }


def _cpu_seconds(session: int) -> dict[int, float]:
    """The CPU time of each process of a session, without that of its children."""
    tick = os.sysconf("SC_CLK_TCK")
    used = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            used[int(path.parent.name)] = (int(fields[11]) + int(fields[12])) / tick
    return used


COMMANDS = (engines,)
