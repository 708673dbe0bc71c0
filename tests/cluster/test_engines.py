"""Processes, Dask and Spark give the bytes of an ordinary index, also when workers are killed."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.killing import Killing
from cluster.test_dataset import DOCUMENTS, indexed, pulled, written
from shared import LONG, QUICK, TINY, answers, contents, free_port, real_shell, wait_for

from textae.cluster import local
from textae.cluster.corpus import learn
from textae.cluster.dataset import Dataset
from textae.cluster.local import Local, encode_to
from textae.cluster.storage import DatasetError
from textae.corpus import TableSpec
from textae.types import Document, no_progress

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Workers inherit it: their kernels and threads are those of this process."""
    before = dict(os.environ)
    path = os.pathsep.join([*sys.path, os.environ.get("PYTHONPATH", "")])
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", PYTHONPATH=path, PYSPARK_PYTHON=sys.executable)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return indexed(tmp_path_factory.mktemp("whole") / "index", DOCUMENTS)


def check(cluster, folder: Path, whole: Path, **killing) -> None:
    """Learn shards on a cluster of which a worker is killed while it counts, and one while it encodes."""
    dataset = Dataset(str(folder / "shards"))
    killed = Killing(cluster, folder, **killing)
    told: list[tuple] = []
    parts = written(dataset, DOCUMENTS, 12)
    learn(dataset, parts, killed, lambda *stage: told.append(stage), model=TINY, train=QUICK)
    assert killed.killed == ["count", "encode"]
    assert {("counting", 60, 60), ("encoding", 0, 60), ("encoding", 60, 60)} <= set(told)
    assert contents(pulled(dataset, folder / "again")) == contents(whole)


@contextlib.contextmanager
def connect_server() -> Iterator[str]:
    """A server of Spark Connect; its address."""
    import pyspark

    port = free_port()
    configured = {"grpc.binding.port": port, "grpc.binding.address": "127.0.0.1"}
    options = [word for name, value in configured.items() for word in ("--conf", f"spark.connect.{name}={value}")]
    server = subprocess.Popen(
        [Path(pyspark.__file__).parent / "bin" / "spark-submit", "--master", "local[2]", *options, "--class",
         "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"],
        env=os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"}, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(lambda: answers(port) or server.poll() is not None, 120)
        yield f"sc://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def places(given) -> dict:
    return {"place": given["place"]}


def fails(given) -> None:
    raise ValueError(f"no {given['what']}")


def unknown(given) -> None:
    raise ModuleNotFoundError("No module named 'textae'", name="textae")


class TestProcesses:
    def test_a_killed_process(self, tmp_path, whole) -> None:
        check(Local(2), tmp_path, whole)

    def test_processes_that_are_killed_again_and_again(self) -> None:
        with pytest.raises(DatasetError, match="processes of this machine were killed again and again"):
            Local(1).run(_killed, [{}], print)

    def test_a_task_that_fails(self) -> None:
        with pytest.raises(ValueError, match="no bread"):
            Local(2).run(fails, [{"what": "bread"}, {"what": "bread"}], print)


def _killed(given) -> None:
    os.kill(os.getpid(), 9)


@pytest.fixture(scope="module")
def dask(one_thread):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'textae[dask]'")
    from textae.cluster.dask import Dask, client

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        client(cluster.scheduler_address) as workers,
    ):
        yield Dask(workers)


class TestDask:
    def test_a_killed_worker(self, tmp_path, whole, dask) -> None:

        check(dask, tmp_path, whole)

    def test_a_task_that_fails(self, dask) -> None:

        with pytest.raises(DatasetError, match="Dask failed: ValueError: no bread"):
            dask.run(fails, [{"what": "bread"}], print)
        with pytest.raises(DatasetError, match="a worker has no textae"):
            dask.run(unknown, [{"what": "bread"}], print)

    def test_codes_of_other_documents_are_those_of_one_process(self, tmp_path, dask, monkeypatch) -> None:
        dataset = Dataset(str(tmp_path / "shards"))
        learn(dataset, written(dataset, DOCUMENTS, 60), Local(1), no_progress, model=TINY, train=QUICK)
        monkeypatch.setattr(local, "_BATCH", 7)
        for name, more in (("here", ()), ("there", (dask.map,))):
            assert encode_to(DOCUMENTS, dataset, str(tmp_path / name), no_progress, *more) == 60
        assert (tmp_path / "here" / "codes.parquet").read_bytes() == (tmp_path / "there" / "codes.parquet").read_bytes()
        with pytest.raises(DatasetError, match="Dask failed: ValueError: no bread"):
            list(dask.map(fails, iter([{"what": "bread"}] * 9)))

    def test_no_scheduler(self) -> None:
        pytest.importorskip("distributed")
        from textae.cluster.dask import client

        there_is_none = pytest.raises(DatasetError, match=r"no scheduler of Dask answers at 'tcp://127.0.0.1:9'")
        with there_is_none, client("tcp://127.0.0.1:9", seconds=0.5):
            pass


@pytest.fixture(scope="module")
def spark(one_thread):
    pytest.importorskip("pyspark.sql", reason="Spark is not installed: pip install 'textae[spark]'")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none: apt-get install default-jre-headless")
    from textae.cluster.spark import session

    with session("local-cluster[2,1,1200]") as spark:
        yield spark


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of the gateway to Java
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestSpark:
    def test_a_killed_executor(self, tmp_path, whole, spark) -> None:
        from textae.cluster.spark import Spark

        check(Spark(spark), tmp_path, whole, executor=True)

    def test_documents_and_codes_of_data_frames(self, tmp_path, spark) -> None:
        from textae.cluster.spark import Spark, encoded, write_codes, write_documents

        rows = [(one.id, one.title, one.text, one.fields["topic"], one.fields["year"]) for one in DOCUMENTS]
        columns = ["id", "title", "text", "topic", "year"]
        frame = spark.createDataFrame([*reversed(rows), rows[3], ("empty", "", "", "x", 1)], columns).repartition(5)
        dataset = Dataset(str(tmp_path / "shards"))
        parts, skipped = write_documents(frame, dataset)
        assert skipped == {"id already used": 1, "empty": 1}
        learn(dataset, parts, Spark(spark), no_progress, model=TINY, train=QUICK)
        in_order = sorted(DOCUMENTS, key=lambda one: one.id)
        in_order = [Document(one.id, one.text, one.title, one.fields) for one in in_order]
        again = contents(pulled(dataset, tmp_path / "again"))
        assert [(one.id, one.text, one.fields) for one in again[0]] == [
            (one.id, one.text, one.fields) for one in in_order
        ]
        assert again[1] == contents(indexed(tmp_path / "index", in_order))[1]
        codes = {row["id"]: bytes(row["bits"]) for row in encoded(frame, dataset).collect()}
        bits = again[1]["segments/0/documents/bits"]
        assert [codes[one.id] for one in in_order] == [bits[at : at + 4] for at in range(0, len(bits), 4)]
        assert write_codes(frame, dataset, str(tmp_path / "codes")) == 61  # the empty row has none
        with pytest.raises(DatasetError, match=r"Spark failed: .*already exists"):
            write_codes(frame, dataset, str(tmp_path / "codes"))

    def test_a_task_that_fails(self, spark) -> None:
        from textae.cluster.spark import Spark, write_documents

        with pytest.raises(DatasetError, match="Spark failed: ValueError: no bread"):
            Spark(spark).run(fails, [{"what": "bread"}], print)
        with pytest.raises(DatasetError, match="a worker has no textae"):
            Spark(spark).run(unknown, [{"what": "bread"}], print)
        with pytest.raises(DatasetError, match="no column is named id or _id; the columns are a"):
            write_documents(spark.createDataFrame([(1,)], ["a"]), Dataset("/nowhere"))

    def test_a_spec_of_a_table(self, tmp_path, spark) -> None:
        from textae.cluster.spark import read, write_documents
        from textae.cluster.tables import read_documents

        rows = [(number, f"comet {number}", number / 2, number % 2 == 0, str(number)) for number in range(1, 13)]
        columns = "key int, `the.body` string, half double, even boolean, word string"
        frame = spark.createDataFrame(rows, columns).repartition(4)
        frame.write.parquet(str(tmp_path / "rows.parquet"))
        dataset = Dataset(str(tmp_path / "shards"))

        def selected(*select: tuple[str, str], **fields: str) -> list[str]:
            spec = TableSpec(**{"id_field": "key", "text_field": "the.body"} | fields, select=select)
            parts, _ = write_documents(read(spark, [str(tmp_path / "rows.parquet")], spec), dataset)
            return [document.id for part in parts for document in read_documents(dataset, part.documents)]

        assert selected() == [str(number) for number in range(1, 13)]  # as numbers, whatever the partitions are
        assert selected(("half", "3")) == ["6"]
        assert selected(("word", "3"), ("even", "false")) == ["3"]
        assert selected(("word", "3.0")) == []
        for bad in ({"text_field": "nothing"}, {"title_field": "nothing"}):
            with pytest.raises(DatasetError, match=r"no column is named 'nothing'; the columns are key, the.body"):
                selected(**bad)
        with pytest.raises(DatasetError, match="'key' cannot be the id: a column is named id, too; rename it"):
            write_ids = spark.createDataFrame([("a", "b", "c")], ["id", "key", "text"])
            write_ids.write.parquet(str(tmp_path / "ids.parquet"))
            read(spark, [str(tmp_path / "ids.parquet")], TableSpec("key"))

    def test_no_master(self) -> None:
        from textae.cluster.spark import session

        with pytest.raises(DatasetError, match="'nonsense' is no master of Spark; give local"), session("nonsense"):
            pass

    @pytest.mark.skipif(not LONG, reason="TEXTAE_LONG waits until Spark gives up, a minute")
    def test_a_master_that_is_gone(self) -> None:

        gone = f"spark://127.0.0.1:{free_port()}"
        done = real_shell("index", "/dev/null/x.parquet", "--out", "/dev/null/d", "--engine", "spark", "--master", gone)
        assert f"no Spark answers at the master {gone!r}" in done.error

    def test_a_task_gets_its_own_values_alone(self, spark) -> None:
        """In one partition each, in order, whatever a value weighs."""
        from textae.cluster.spark import Spark

        given = [{"place": place, "load": "x" * 1_000_000} for place in range(20)]
        assert Spark(spark).run(places, given, print) == [{"place": place} for place in range(20)]

    def test_the_shell_by_spark_connect(self, tmp_path, one_thread) -> None:
        """A server of Spark Connect, to which `sc://` connects, in a process of its own."""
        pytest.importorskip("grpc_status", reason="Spark Connect is not installed: pip install 'pyspark[connect]'")
        import pyarrow as pa
        from pyarrow import parquet

        in_order = sorted(DOCUMENTS, key=lambda one: one.id)
        rows = [{"id": one.id, "title": one.title, "text": one.text, **one.fields} for one in in_order]
        parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
        learning = ["--dims", "8", "--bits", "32", "--hidden", "16", "--drop", "0", "--passes", "1", "--device", "cpu"]
        with connect_server() as master:
            where = ["--out", tmp_path / "shards", "--engine", "spark", "--master", master]
            done = real_shell("index", tmp_path / "rows.parquet", *where, *learning)
        assert f"indexed 60 documents in 1 shards of {tmp_path / 'shards'}" in done.err
        again = contents(pulled(Dataset(str(tmp_path / "shards")), tmp_path / "again"))
        assert again[1] == contents(indexed(tmp_path / "index", in_order))[1]
