"""The engine of an index at an address; and which database an address is of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from textae.engine import Engine
from textae.errors import StoreError
from textae.remote.milvus import SCHEME, Milvus
from textae.remote.push import push
from textae.remote.searcher import RemoteSearcher
from textae.remote.snapshot import RemoteSnapshot
from textae.remote.vector_store import VectorStore
from textae.types import Progress, no_progress

STORES: dict[str, Callable[..., VectorStore]] = {SCHEME: Milvus}
"""The databases, by how their addresses begin."""


def store_at(address: str, *, is_new: bool = False) -> VectorStore:
    """The database at an address; is_new makes one that is a file.

    Raises:
        StoreError: it is no address of a database; or nobody answers there.
    """
    for scheme, store in STORES.items():
        if address.startswith(scheme):
            return store(address, is_new=is_new)
    raise StoreError(f"{address!r:.200} is no address; give one that begins with {' or '.join(STORES)}")


def push_to(address: str, engine: Engine, progress: Progress = no_progress) -> int:
    """Load the index of an engine into a database; as `textae.remote.push.push`."""
    store = store_at(address, is_new=True)
    try:
        return push(engine.snapshot, store, progress)
    finally:
        store.close()


def last_commit(address: str) -> str:
    """The name of the commit that was pushed last.

    Raises:
        StoreError: none was; or nobody answers.
    """
    store = store_at(address)
    try:
        return str(store.manifest()["commit"])
    finally:
        store.close()


class RemoteEngine(Engine):
    """An index that a database serves; it is searched, and never changed."""

    def __init__(self, address: str) -> None:
        super().__init__(Path(address))
        self.address = address

    @classmethod
    def open(cls, folder: str | Path) -> RemoteEngine:
        """The engine of what was pushed to an address.

        Raises:
            StoreError: nothing was; or nobody answers there.
        """
        engine = cls(str(folder))
        assert engine.searcher
        return engine

    @property
    def searcher(self) -> RemoteSearcher:
        """Searches the commit that this engine reads."""
        if self._searcher is None:
            store = store_at(self.address)
            try:
                self._searcher = RemoteSearcher(RemoteSnapshot(store))
            except BaseException:
                store.close()
                raise
        assert isinstance(self._searcher, RemoteSearcher)
        return self._searcher

    def index(self, corpus: Iterable[Any], **options: Any) -> NoReturn:
        """Refused, as `train` and all changes are."""
        raise StoreError(f"{self.address} is searched, not changed; change the index and push it again")

    def train(self, **options: Any) -> NoReturn:
        """Refused."""
        self.index(())

    def _update(self, change: Any, sources: Any, progress: Any, forgotten: Any = (), vectors: Any = None) -> NoReturn:
        self.index(())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close; a database checks its own files."""
        self.close()
