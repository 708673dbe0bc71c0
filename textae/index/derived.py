"""What is learned from the codes of an index later, topics and maps, kept with it by a commit of its own."""

from collections.abc import Mapping
from contextlib import closing, suppress
from typing import Any

from textae.errors import NotWritableError
from textae.index.records import Arrays
from textae.index.snapshot import Snapshot
from textae.index.store import Reader
from textae.index.writer import UpdateWriter


def keep(snapshot: Snapshot, name: str, arrays: Arrays, settings: Mapping[str, Any]) -> bool:
    """Commit what was learned from codes, so that it need not be learned again.

    Adding and removing documents leave it there; training the index again removes it, since the codes change.

    Args:
        snapshot: the commit that it was learned from.
        name: begins the names of the settings and arrays; they replace what was kept under this name.
        arrays: by name, without the name and a slash.
        settings: by name, as JSON can hold them.

    Returns:
        Whether it was kept: not where the index was trained again meanwhile, or cannot be written to.

    Raises:
        StoreError: the index does not exist any more, or another process is writing to it.
    """
    folder = snapshot.reader.folder
    with suppress(NotWritableError), UpdateWriter(folder) as writer, closing(Reader(folder)) as reader:
        if reader.is_same(snapshot.reader, "encoder/"):
            writer.drop(name)
            writer.put_all(f"{name}/", arrays)
            for setting, value in settings.items():
                writer.set(setting, value)
            writer.commit()
            return True
    return False
