"""Spark as the workers of a cluster, and its DataFrames as documents and codes; classic sessions and Spark Connect.

    with session("spark://host:7077") as spark:
        parts, _ = write_documents(spark.read.parquet("s3://bucket/notes"), dataset)
        learn(dataset, parts, Spark(spark), progress)
    encoded(frame, dataset)             a DataFrame of codes, of any DataFrame of documents, also of a stream

Executors need textae with the versions of this machine.
"""

import contextlib
import json
import logging
import os
import re
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from textae.cluster.corpus import ShardWriter
from textae.cluster.dataset import Dataset, Shard, settings_of_model
from textae.cluster.storage import DatasetError
from textae.cluster.worker import Task, Values, check_environment, environment
from textae.corpus import TableSpec
from textae.errors import needs_extra
from textae.types import Document, no_progress

_MASTERS = "local[2], local-cluster[…], spark://host:7077, yarn, k8s://…, or sc://host of Spark Connect"
_FORMATS = {"json": "json", "jsonl": "json", "orc": "orc"}
_NUMBER = re.compile("tinyint|smallint|int|bigint|float|double|decimal")
_MASTER = re.compile(r"local(\[.+\])?|local-cluster\[.+\]|yarn|(spark|k8s|sc)://.+")


@contextlib.contextmanager
def session(master: str) -> Iterator[Any]:
    """Give a session on a master, and end it.

    Args:
        master: as Spark writes it: `local[2]`, `spark://host:7077`, `yarn`, `k8s://…`; `sc://host` for Spark Connect.

    Raises:
        DatasetError: there is no such master, or no Java.
    """
    if not _MASTER.fullmatch(master):
        raise DatasetError(f"{master!r:.100} is no master of Spark; give {_MASTERS}")
    with needs_extra("spark", "Spark"):
        from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # Nothing here uses pandas.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    logging.getLogger("DataFrameQueryContextLogger").disabled = True  # an error is told once
    builder = SparkSession.builder.appName("textae")
    if master.startswith("sc://"):
        builder = builder.remote(master)
    else:
        builder = builder.master(master).config("spark.ui.enabled", "false").config("spark.log.level", "OFF")
        builder = builder.config("spark.ui.showConsoleProgress", "false")
        if master.startswith("local"):
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
            builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    with tempfile.TemporaryFile() as said:
        try:
            with _failures(), _stderr_to(said.fileno()):
                spark = builder.getOrCreate()
        except DatasetError as error:
            said.seek(0)
            lines = [line for line in said.read(1 << 16).decode(errors="replace").splitlines() if "Exception" in line]
            why = "there is no Java" if shutil.which("java") is None else lines[0][:300] if lines else str(error)
            raise DatasetError(f"no Spark answers at the master {master!r:.100}: {why}") from None
    try:
        yield spark
    finally:
        spark.stop()


@contextlib.contextmanager
def _stderr_to(file: int) -> Iterator[None]:
    """Send what processes that are started say to a file. Java's warnings are no messages of ours."""
    kept = os.dup(2)
    os.dup2(file, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class Spark:
    """Runs tasks on the executors of Spark.

    Args:
        spark: a session, classic or of Spark Connect.
    """

    def __init__(self, spark: Any) -> None:
        self._spark = spark

    def run(self, task: Task, given: Sequence[Values], done: Callable[[int], None]) -> list[Values]:
        """Run a task on each of some values, as `textae.cluster.worker.Cluster` says; a partition has one of them."""

        def run_here(batches: Iterable[Any]) -> Iterator[Any]:
            import pyarrow as pa

            for batch in batches:
                for place, one in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    result = json.dumps(task(json.loads(one)))
                    yield pa.RecordBatch.from_pydict({"place": pa.array([place], pa.int64()), "result": [result]})

        rows = [(place, json.dumps(one)) for place, one in enumerate(given)]
        frame = self._spark.createDataFrame(rows, "place int, given string").repartitionById(len(rows), "place")
        frame = frame.mapInArrow(run_here, "place bigint, result string")
        with _watched(self._spark, done):
            results = _collected(frame)
        return [json.loads(row["result"]) for row in sorted(results, key=lambda row: row["place"])]


@contextlib.contextmanager
def _watched(spark: Any, done: Callable[[int], None]) -> Iterator[None]:
    """Tell each second how many tasks have ended while a job runs; a session of Spark Connect cannot tell."""
    over = threading.Event()

    def watch() -> None:
        tracker = spark.sparkContext.statusTracker()
        while not over.wait(1):
            stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            done(sum(stage.numCompletedTasks for stage in stages if stage))

    if "connect" not in type(spark).__module__:
        threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Raise a `DatasetError` where Spark fails."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, OSError, RuntimeError) as error:
        raise DatasetError(f"Spark failed: {_why(error)}") from None


def _collected(frame: Any) -> list[Any]:
    with _failures():
        return list(frame.collect())


def _why(error: BaseException) -> str:
    """What failed, in a line: the last error of Python in a worker's trace, or the first line of what Spark says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if any("stopped SparkContext" in line for line in lines):
        return "the session was stopped, since no master answered"
    if any("No module named 'textae" in line for line in lines):
        return "a worker has no textae; install the version of this machine there"
    of_python = [line for line in lines if ("Error: " in line or "Exception: " in line) and not line.startswith("at ")]
    return (of_python or lines or [type(error).__name__])[-1 if of_python else 0][:300]


def read(spark: Any, sources: Sequence[str], table: TableSpec) -> Any:
    """The rows of sources as one DataFrame.

    Args:
        spark: a session.
        sources: `table:NAME`, or paths and URLs of Parquet, ORC, CSV with a header, or JSON with an object a line;
            what has no such ending is Parquet.
        table: the columns that are the id, the title and the text, where they have other names.

    Raises:
        DatasetError: Spark cannot read one.
    """
    frames = []
    with _failures():
        for source in sources:
            ending = source.rstrip("/").rpartition(".")[2]
            if source.startswith("table:"):
                frames.append(spark.table(source.removeprefix("table:")))
            elif ending == "csv":
                frames.append(spark.read.csv(source, header=True, multiLine=True, escape='"'))
            else:
                frames.append(spark.read.format(_FORMATS.get(ending, "parquet")).load(source))
        frame = frames[0]
        for other in frames[1:]:
            frame = frame.unionByName(other, allowMissingColumns=True)
        return _as_asked(frame, table)


def _as_asked(frame: Any, table: TableSpec) -> Any:
    """The rows that a spec selects, with its columns by the names that textae knows."""
    from pyspark.sql import functions

    types = dict(frame.dtypes)
    renamed = {"id": table.id_field, "title": table.title_field, "text": table.text_field}
    for needed in filter(None, [*dict(table.select), *renamed.values()]):
        if needed not in types:
            raise DatasetError(f"no column is named {needed!r:.60}; the columns are {', '.join(types)[:200]}")
    for column, value in table.select:  # numbers are compared as numbers, as `TableSpec.selects` does
        same = _column(column).cast("string") == value
        if _NUMBER.match(types[column]):
            same |= _column(column).cast("double") == functions.lit(value).try_cast("double")
        frame = frame.filter(same)
    for name, given in renamed.items():
        if given and given != name:
            if name in types:
                raise DatasetError(f"{given!r:.60} cannot be the {name}: a column is named {name}, too; rename it")
            frame = frame.withColumnRenamed(given, name)
    return frame


def _column(name: str) -> Any:
    """A column; its name may have a point."""
    from pyspark.sql import functions

    return functions.col(f"`{name.replace('`', '``')}`")


def write_documents(frame: Any, dataset: Dataset) -> tuple[list[Shard], dict[str, int]]:
    """Write the rows of a DataFrame to shards, in the order of their ids.

    Args:
        frame: with the columns of `textae.corpus.given`: an id, a title or a text; the others are fields. Any source
            that Spark reads will do: Parquet, Iceberg, Delta, JDBC.
        dataset: of which every executor sees the address.

    Returns:
        The shards, in order, and the number of skipped rows by reason.

    Raises:
        DatasetError: Spark failed, or there is no column with an id.
    """
    from textae.corpus.tables import ID_FIELDS

    address, computing = dataset.address, environment()
    id = next((name for name in ID_FIELDS if name in frame.columns), None)
    if id is None:
        raise DatasetError(f"no column is named {' or '.join(ID_FIELDS)}; the columns are {', '.join(frame.columns)}")

    def write_here(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa
        from pyspark import TaskContext

        from textae.corpus.given import documents_of
        from textae.index.build import Reading

        check_environment(computing)
        writer = ShardWriter(Dataset(address))
        reading = Reading(writer, no_progress)
        rows = (row for batch in batches for row in batch.to_pylist())
        for _ in reading.documents(documents_of(rows, numbered=False)):
            pass
        parts = [[part.documents, part.n] for part in writer.finish()]
        result = json.dumps({"parts": parts, "skipped": dict(reading.skipped)})
        yield pa.RecordBatch.from_pydict({"place": [TaskContext.get().partitionId()], "result": [result]})

    # Rows with one id are in one partition, and the first of them stays, whatever the partitions are.
    with _failures():
        plain = sorted(name for name, kind in frame.dtypes if "<" not in kind and kind != "variant" and name != id)
        ordered = frame.sort(*map(_column, [id, *plain]))
        mapped = _mapped(ordered, write_here, "place bigint, result string")
    rows = _collected(mapped)
    results = [json.loads(row["result"]) for row in sorted(rows, key=lambda row: row["place"])]
    skipped: dict[str, int] = {}
    for result in results:
        for reason, n in result["skipped"].items():
            skipped[reason] = skipped.get(reason, 0) + n
    return [Shard(name, n) for result in results for name, n in result["parts"]], skipped


def encoded(frame: Any, dataset: Dataset) -> Any:
    """The codes of the rows of a DataFrame, as a DataFrame: `id`, `known`, `bits`, `floats` (half precision).

    Args:
        frame: as `write_documents` takes it; also one of a stream, of Kafka or of files.
        dataset: whose model encodes.
    """
    manifest, address, computing = dataset.manifest(), dataset.address, environment()
    dataset.check_model(manifest)
    model, vocabulary = manifest.model, manifest.vocabulary
    settings = settings_of_model(manifest.settings)

    def encode_here(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa

        from textae.cluster.shards import codes_of
        from textae.corpus.given import documents_of

        check_environment(computing)
        for batch in batches:
            rows = documents_of(batch.to_pylist(), numbered=False)
            documents = [one for one in rows if isinstance(one, Document)]
            codes = codes_of(address, model, vocabulary, settings, documents)
            arrays = {"floats": pa.nulls(len(documents), pa.binary())}
            for name in codes.keys() - {"known"}:
                arrays[name] = pa.array([row.tobytes() for row in codes[name]], pa.binary())
            ids = pa.array([one.id for one in documents], pa.string())
            known = pa.array(codes["known"].tolist(), pa.bool_())
            yield pa.RecordBatch.from_pydict(
                {"id": ids, "known": known, "bits": arrays["bits"], "floats": arrays["floats"]}
            )

    return _mapped(frame, encode_here, "id string, known boolean, bits binary, floats binary")


def _mapped(frame: Any, function: Callable[[Iterable[Any]], Iterator[Any]], schema: str) -> Any:
    """What a function makes of batches; Spark's `mapInArrow` does not find a column whose name has a point."""
    names = list(frame.columns)

    def with_names(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa

        return function(pa.RecordBatch.from_arrays(batch.columns, names) for batch in batches)

    return frame.toDF(*(f"c{place}" for place in range(len(names)))).mapInArrow(with_names, schema)


def write_codes(frame: Any, dataset: Dataset, out: str) -> int:
    """Write the codes of the rows of a DataFrame as Parquet, and return their number.

    Raises:
        DatasetError: Spark failed, or there is something at `out`.
    """
    with _failures():
        encoded(frame, dataset).write.parquet(out)
        return int(frame.sparkSession.read.parquet(out).count())
