"""The processes of this machine, as the workers of a cluster."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import islice
from typing import Any

from numpy.typing import NDArray

from textae.cluster.dataset import Dataset, settings_of_model
from textae.cluster.shards import codes_of
from textae.cluster.storage import DatasetError, Storage
from textae.cluster.worker import Task, Values, check_environment, environment
from textae.encoding.tokenising import cores
from textae.types import Document, Progress, Skipped

_ATTEMPTS = 3  # of the tasks of processes that were killed
_CODES = "codes.parquet"
_BATCH = 2_048  # documents that are encoded at a time

Mapped = Callable[[Callable[[Any], Any], Iterator[Any]], Iterator[Any]]


class Local:
    """Runs tasks in processes of this machine.

    Args:
        processes: at most; by default one for each core.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or cores()

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
        with ProcessPoolExecutor(min(self._processes, len(places)), context, _end_with_driver) as pool:
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


def _end_with_driver() -> None:
    """End this process when the driver is killed; it would wait for tasks for ever."""
    driver = multiprocessing.parent_process()
    assert driver is not None

    def wait_and_end() -> None:
        driver.join()
        os._exit(1)

    threading.Thread(target=wait_and_end, daemon=True).start()


def encode_to(
    documents: Iterable[Document | Skipped], dataset: Dataset, out: str, progress: Progress, mapped: Mapped = map
) -> int:
    """Write the codes of documents as a Parquet file, and return their number.

    Args:
        documents: texts; what is skipped has no code.
        dataset: whose model encodes.
        out: a folder, or a URL of one, for `codes.parquet`.
        progress: called at each batch.
        mapped: calls a function on each batch, here or on workers, and gives the results in order.

    Raises:
        DatasetError: there are codes, or the model is not what textae writes.
    """
    import pyarrow as pa
    from pyarrow import parquet

    manifest, storage = dataset.manifest(), Storage(out)
    if storage.has(_CODES):
        raise DatasetError(f"there is {_CODES} in {storage.address}; give another folder")
    dataset.check_model(manifest)
    settings = settings_of_model(manifest.settings)
    rows = (one for one in documents if isinstance(one, Document) and one.picture is None)
    schema = pa.schema([("id", pa.string()), ("known", pa.bool_()), ("bits", pa.binary()), ("floats", pa.binary())])
    encode = partial(_codes, environment(), dataset.address, manifest.model, manifest.vocabulary, settings)
    batches = iter(lambda: list(islice(rows, _BATCH)), [])
    n = 0
    with storage.writing(_CODES) as file, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for ids, codes in mapped(encode, batches):
            columns = {name: [row.tobytes() for row in codes[name]] for name in ("bits", "floats") if name in codes}
            floats = columns.get("floats", [None] * len(ids))
            values = [ids, codes["known"].tolist(), columns["bits"], floats]
            writer.write_batch(
                pa.record_batch([pa.array(*one) for one in zip(values, schema.types, strict=True)], schema=schema)
            )
            n += len(ids)
            progress("encoding", n, None)
    return n


def _codes(
    driver: Values, address: str, model: str, vocabulary: str, settings: Values, documents: Sequence[Document]
) -> tuple[list[str], dict[str, NDArray[Any]]]:
    """The ids and the codes of documents, as `textae.cluster.shards.codes_of` has them."""
    check_environment(driver)
    return [one.id for one in documents], codes_of(address, model, vocabulary, settings, documents)
