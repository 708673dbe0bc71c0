"""Commands for a dataset of shards: pull and encode; and what index, add, rm and doctor do with one."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from textae.app import terminal
from textae.app.cli.options import NewIndexOptions, ShellOptions, TableOptions, completed, option, options
from textae.errors import TextaeError

if TYPE_CHECKING:
    from textae.cluster.dataset import Dataset, Shard
    from textae.cluster.worker import Cluster
    from textae.corpus import Source, TableSpec
    from textae.types import Progress

LOCAL, SPARK, DASK = "local", "spark", "dask"

_OF_SPARK = re.compile(r"(table:.+|[a-z][a-z0-9+.-]*://.+|.+\.(parquet|json|jsonl|csv|orc))/?", re.DOTALL)
"""A source that Spark reads itself."""

_OF_AN_INDEX = ("folder", "vectors", "verbose", "where")
"""Parameters of commands that have no meaning for a dataset."""

_OF_FILES = ("exclude", "ignore", "longest", "timeout")
"""Parameters that have no meaning for what Spark reads."""


@dataclass(frozen=True)
class ClusterOptions:
    """A dataset of shards, and what computes it."""

    out: str | None = option(
        "A dataset of shards in place of an index: a folder, or a URL such as s3://bucket/notes.", metavar="DATASET"
    )
    engine: str = option(
        "What counts and encodes the shards; local: the cores of this machine.",
        type=click.Choice((LOCAL, SPARK, DASK)),
        default=LOCAL,
    )
    master: str | None = option(
        "Where the engine is: local[2], spark://host:7077, yarn, sc://host of Spark; tcp://host:8786 of Dask.",
        metavar="URL",
    )

    def check(self) -> None:
        """Check that the options fit each other."""
        _refuse(_OF_AN_INDEX if self.out is not None else (), "an index, and --out DATASET is none")
        if self.out is None and (self.engine != LOCAL or self.master is not None):
            raise click.UsageError("--engine and --master need --out DATASET")
        if (self.engine == LOCAL) != (self.master is None):
            raise click.UsageError("--engine spark or dask needs --master URL, and --engine local takes none")

    def reads(self, source: str) -> bool:
        """Whether the engine reads a source itself."""
        return self.engine == SPARK and bool(_OF_SPARK.fullmatch(source))

    @contextlib.contextmanager
    def cluster(self) -> Iterator[tuple[Cluster, Any]]:
        """Give the engine, and the session of Spark; None without it."""
        self.check()
        if self.engine == SPARK:
            from textae.cluster.spark import Spark, session

            with session(str(self.master)) as spark:
                yield Spark(spark), spark
        elif self.engine == DASK:
            from textae.cluster.dask import Dask, client

            with client(str(self.master)) as workers:
                yield Dask(workers), None
        else:
            from textae.cluster.local import Local

            yield Local(), None

    def dataset(self) -> Dataset:
        """The dataset."""
        from textae.cluster.dataset import Dataset

        return Dataset(str(self.out))


def _refuse(names: Sequence[str], those: str) -> None:
    """Refuse options of the command that have no meaning here."""
    context = click.get_current_context()
    for one in context.command.params:
        if one.name in names and context.get_parameter_source(one.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{one.opts[-1]} is for {those}; leave it out")


def write_shards(
    sources: Sequence[str], given: Sequence[Source], table: TableSpec, cluster: ClusterOptions, spark: Any,
    progress: Progress, taken: Iterable[str] = (),
) -> tuple[list[Shard], dict[str, int]]:  # fmt: skip
    """Write the documents of sources to shards, by Spark where it reads them; also what was skipped, by reason.

    Documents with a taken id are skipped, but not those that Spark reads.
    """
    from textae.cluster.corpus import ShardWriter
    from textae.corpus.uniform import UniformCorpus
    from textae.index.build import Reading

    dataset = cluster.dataset()
    if spark is not None and not given:
        from textae.cluster.spark import read, write_documents

        _refuse(_OF_FILES, "files that this machine reads, and Spark reads these")
        progress("reading", 0, None)
        return write_documents(read(spark, sources, table), dataset)
    if len(given) < len(sources):
        raise TextaeError("some sources are read by Spark and some by this machine; give them to two commands")
    documents = UniformCorpus(chain.from_iterable(source.read(progress) for source in given))
    if documents.shape is not None:
        raise TextaeError("a dataset of shards holds texts, and these are pictures; leave out --out")
    writer = ShardWriter(dataset, taken)
    reading = Reading(writer, progress)
    for _ in reading.documents(documents):
        pass
    return writer.finish(), dict(reading.skipped)


@click.command(short_help="Make an index of a dataset of shards.")
@click.argument("dataset", metavar="DATASET")
@click.option("--replace", "may_replace", is_flag=True, help="Replace the index that is there, without a question.")
@options("shell", NewIndexOptions, "as_json", "quiet", "folder")
def pull(dataset: str, may_replace: bool, shell: ShellOptions) -> None:
    """Make an ordinary index of a DATASET, whose every byte is checked first. Nothing is learned or encoded again.

    \b
    textae pull /mnt/shared/notes.dataset
    textae pull s3://bucket/notes --index notes.textae
    """
    from textae.cluster.dataset import Dataset
    from textae.cluster.transfer import pull as pull_from
    from textae.index.store import has_index

    source = Dataset(dataset)
    source.manifest()
    if not may_replace and has_index(shell.folder):
        there = f"there is an index at {shell.folder}"
        terminal.confirm(f"{there}; replace it?", f"{there}; --replace replaces it")
    with shell.progress() as progress:
        n = pull_from(source, shell.folder, progress)
    _report(shell, {"index": str(shell.folder), "documents": n}, f"wrote {n:,} documents to {shell.folder}")


@click.command(short_help="Encode documents by the model of a dataset.")
@click.argument("sources", metavar="SOURCE…", nargs=-1, required=True, shell_complete=completed("source"))
@click.option("--model", metavar="DATASET", required=True, help="The dataset whose model encodes.")
@options("table", TableOptions)
@options("cluster", ClusterOptions)
@options("shell", ShellOptions, "as_json", "quiet")
def encode(
    sources: Sequence[str], model: str, table: TableOptions, cluster: ClusterOptions, shell: ShellOptions
) -> None:
    """Write the codes of documents to --out, a folder of Parquet files: id, known, bits, floats (half precision).

    With --engine spark, Spark reads each SOURCE that is a URL, `table:NAME`, or ends in .parquet, .json, .jsonl, .csv
    or .orc, and writes the files. With --engine dask, the workers encode what this machine reads.

    \b
    textae encode today.jsonl --model notes.dataset --out today.codes
    textae encode s3://bucket/today.parquet --model s3://bucket/notes --out s3://bucket/today.codes \\
        --engine spark --master yarn
    """
    from textae.cluster.dataset import Dataset
    from textae.cluster.local import encode_to

    if cluster.out is None:
        raise click.UsageError("give --out, a folder for the codes")
    if cluster.engine == SPARK and not all(map(cluster.reads, sources)):
        raise click.UsageError("Spark reads none but a URL, table:NAME, .parquet, .orc, .csv, .json or .jsonl")
    dataset = Dataset(model)
    dataset.manifest()
    with cluster.cluster() as (engine, spark), shell.progress() as progress:
        if spark is not None:
            from textae.cluster.spark import read, write_codes

            n = write_codes(read(spark, sources, table.spec()), dataset, cluster.out)
        else:
            from textae import corpus
            from textae.cluster.dask import Dask

            documents = chain.from_iterable(one.read(progress) for one in corpus.sources(sources, table.spec()))
            n = encode_to(documents, dataset, cluster.out, progress, engine.map if isinstance(engine, Dask) else map)
    _report(shell, {"codes": cluster.out, "documents": n}, f"wrote {n:,} codes to {cluster.out}")


def index_shards(
    sources: Sequence[str], given: Sequence[Source], table: TableSpec, learning: Any, cluster: ClusterOptions,
    may_replace: bool, shell: ShellOptions,
) -> None:  # fmt: skip
    """What 'textae index --out' does."""
    from textae.cluster.corpus import learn
    from textae.config import AUTO
    from textae.encoding.analyzer import Analysis
    from textae.index.modality import TEXT

    model, train = (learning.override(spec) for spec in TEXT.preset(learning.preset))
    TEXT.check_training(model, train)  # before an hour of reading
    language = None if learning.language == "none" else learning.language
    if language != AUTO:
        Analysis.of(language)
    if cluster.dataset().head() and not may_replace:
        there = f"there is a dataset at {cluster.out}"
        terminal.confirm(f"{there}; replace it?", f"{there}; --replace replaces it, and 'textae add --out' adds to it")
    with cluster.cluster() as (engine, spark), shell.progress() as progress:
        cluster.dataset().discard_damaged(progress)
        parts, skipped = write_shards(sources, given, table, cluster, spark, progress)
        learned = learn(cluster.dataset(), parts, engine, progress, language, model, train, learning.passages)
    line = f"indexed {learned.documents:,} documents in {learned.shards:,} shards of {cluster.out}"
    _report(shell, {"dataset": cluster.out, **asdict(learned), "skipped": skipped}, line)
    _note_skipped(skipped, shell)
    for warning in learned.warnings:
        shell.note(warning)


def add_shards(
    sources: Sequence[str], given: Sequence[Source], table: TableSpec, cluster: ClusterOptions, shell: ShellOptions
) -> None:
    """What 'textae add --out' does."""
    from textae.cluster.corpus import add, there

    dataset = cluster.dataset()
    manifest = dataset.manifest()
    with cluster.cluster() as (engine, spark), shell.progress() as progress:
        parts, skipped = write_shards(sources, given, table, cluster, spark, progress, there(dataset, manifest))
        n = add(dataset, parts, engine, progress)
    _report(shell, {"dataset": cluster.out, "added": n, "skipped": skipped}, f"added {n:,} documents to {cluster.out}")
    _note_skipped(skipped, shell)


def _note_skipped(skipped: dict[str, int], shell: ShellOptions) -> None:
    if skipped:
        reasons = "".join(f" · {reason}: {n:,}" for reason, n in sorted(skipped.items()))
        shell.note(f"skipped {sum(skipped.values()):,}{reasons}")


def remove_from(out: str, ids: Sequence[str], shell: ShellOptions) -> None:
    """What 'textae rm --out' does."""
    from textae.cluster.corpus import remove
    from textae.cluster.dataset import Dataset

    _refuse(_OF_AN_INDEX, "an index, and --out DATASET is none")
    n = remove(Dataset(out), ids)
    _report(shell, {"dataset": out, "removed": n}, f"removed {n:,} documents of {out}")


def examine(out: str, shell: ShellOptions) -> None:
    """What 'textae doctor --out' does."""
    from textae.cluster.dataset import ANEW, Dataset
    from textae.views import sanitise

    _refuse(_OF_AN_INDEX, "an index, and --out DATASET is none")
    dataset = Dataset(out)
    with shell.progress() as progress:
        faults = [" ".join(fault) for fault in dataset.faults(dataset.manifest().files, progress)]
    for line in faults:
        click.echo(sanitise.safe(line))
    if faults:
        raise TextaeError(f"{out} is damaged; {ANEW}")
    click.echo(f"{out}: sound")


def _report(shell: ShellOptions, values: dict[str, Any], line: str) -> None:
    if shell.as_json:
        terminal.print_json([values])
    else:
        shell.note(line)
