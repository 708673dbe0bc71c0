"""The processes of this machine, as the workers of a cluster."""

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from textae.cluster.dataset import Dataset
from textae.cluster.shards import codes_of
from textae.cluster.storage import DatasetError, Storage
from textae.cluster.worker import Task, Values
from textae.types import Document, Progress, Skipped

_ATTEMPTS = 3  # of the tasks of processes that were killed
_BATCH = 2_048  # documents that are encoded at a time


class Local:
    """Runs tasks in processes of this machine.

    Args:
        processes: at most; by default one for each core.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else processes

    def run(self, task: Task, given: Sequence[Values], done: Callable[[int], None]) -> list[Values]:
        """Run a task on each of some values, as `textae.cluster.worker.Cluster` says."""
        results: dict[int, Values] = {}
        for _ in range(_ATTEMPTS):
            left = [place for place in range(len(given)) if place not in results]
            if left and self._run(task, given, left, results, done):
                break
        if len(results) < len(given):
            raise DatasetError("processes of this machine were killed again and again; it may lack memory")
        return [results[place] for place in range(len(given))]

    def _run(
        self,
        task: Task,
        given: Sequence[Values],
        places: Sequence[int],
        results: dict[int, Values],
        done: Callable[[int], None],
    ) -> bool:
        """Run what is left; False where a process was killed."""
        context = multiprocessing.get_context("spawn")  # a fork would copy the threads of the libraries, and stop
        with ProcessPoolExecutor(min(self._processes or 1, len(places)), context) as pool:
            running: dict[Future[Values], int] = {pool.submit(task, given[place]): place for place in places}
            try:
                while running:
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        results[running[future]] = future.result()
                        del running[future]
                        done(len(results))
            except BrokenProcessPool:
                return False
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return True


def encode_to(documents: Iterable[Document | Skipped], dataset: Dataset, out: str, progress: Progress) -> int:
    """Write the codes of documents as a Parquet file, and return their number.

    Args:
        documents: texts; what is skipped has no code.
        dataset: whose model encodes.
        out: a folder, or a URL of one; the file is named by its content.
        progress: called at each batch.
    """
    import pyarrow as pa
    from pyarrow import parquet

    manifest = dataset.manifest()
    settings = {name: manifest.settings[name] for name in ("analysis", "about", "passage", "shape")}
    rows = (one for one in documents if isinstance(one, Document) and one.picture is None)
    schema = pa.schema([("id", pa.string()), ("known", pa.bool_()), ("bits", pa.binary()), ("floats", pa.binary())])
    n = 0
    packed = pa.BufferOutputStream()
    with parquet.ParquetWriter(packed, schema, compression="zstd") as writer:
        while batch := list(islice(rows, _BATCH)):
            codes = codes_of(dataset.address, manifest.model, manifest.vocabulary, settings, batch)
            columns = {name: [row.tobytes() for row in codes[name]] for name in ("bits", "floats") if name in codes}
            floats = columns.get("floats", [None] * len(batch))
            values = [[one.id for one in batch], codes["known"].tolist(), columns["bits"], floats]
            writer.write_batch(
                pa.record_batch([pa.array(*one) for one in zip(values, schema.types, strict=True)], schema=schema)
            )
            n += len(batch)
            progress("encoding", n, None)
    content = packed.getvalue()
    with Storage(out).writing(f"{hashlib.sha256(content).hexdigest()}.parquet") as stream:
        stream.write(content)
    return n
