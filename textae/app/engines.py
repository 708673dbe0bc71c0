"""The engine of an index in a folder, or at the address of a database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textae.engine import Engine


def is_address(index: object) -> bool:
    """Whether an index is not a folder but an address, as `milvus://…`."""
    return isinstance(index, str) and "://" in index


def engine_of(index: Path | str, vectors: Any = None) -> Engine:
    """The engine of an index, which it opens when it is first used.

    Args:
        index: the folder, or the address.
        vectors: a function that gives the vectors of queries, as `Engine` takes it; what a database serves has none.
    """
    if is_address(index):
        from textae.remote.engine import RemoteEngine  # few search elsewhere

        return RemoteEngine(str(index))
    from textae.engine import Engine

    return Engine(Path(index), vectors)


def opened(index: Path | str) -> Engine:
    """The engine of an index.

    Raises:
        StoreError: there is none.
    """
    engine = engine_of(index)
    assert engine.searcher
    return engine


def last_commit(index: Path | str) -> str:
    """The name of the last commit of an index.

    Raises:
        StoreError: there is none.
    """
    if is_address(index):
        from textae.remote import engine

        return engine.last_commit(str(index))
    from textae.index import store

    return store.last_commit(Path(index))
