"""The options of commands that read vectors of queries, from a model of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from textae.app.cli.options import ShellOptions, option, stdin_text
from textae.config import READ_VECTORS

if TYPE_CHECKING:
    from textae.index.snapshot import Snapshot
    from textae.search.vector_command import VectorCommand
    from textae.types import Document, Query

Asked = TypeVar("Asked", "Query", "Document")


@dataclass(frozen=True)
class VectorOptions:
    """The vectors of queries, of the model that gave the documents' own."""

    vector: str | None = option(
        "The query's vector, from your model: a JSON list, FILE.npy, or - for standard input.", metavar="LIST|FILE|-"
    )
    vector_command: str | None = option(
        "A program of yours that reads queries, a JSON string a line, and prints their vectors, a JSON list a line; "
        "also TEXTAE_VECTOR_COMMAND.",
        metavar="CMD", envvar="TEXTAE_VECTOR_COMMAND",
    )  # fmt: skip

    def program(self, modes: Sequence[str | None], *snapshots: Snapshot) -> VectorCommand | None:
        """The program, where one is named, a system reads vectors, and an index has some."""
        if not self.vector_command or not _read_vectors(modes, *snapshots):
            return None
        from textae.search.vector_command import VectorCommand

        return VectorCommand(self.vector_command)

    def of_queries(
        self, queries: Sequence[Asked], modes: Sequence[str | None], snapshot: Snapshot, shell: ShellOptions
    ) -> Sequence[Asked]:
        """Queries, those without a vector with one from the program; a note says where there is none to be read."""
        from textae.evaluation.run import with_vectors

        program, without = self.program(modes, snapshot), [query for query in queries if query.vector is None]
        if program is None or not without:
            if without and _read_vectors(modes, snapshot):
                shell.note_unused_vectors()
            return queries
        given = iter(with_vectors(without, program))
        return [next(given) if query.vector is None else query for query in queries]

    def of_query(self, text: str, mode: str | None, *snapshots: Snapshot) -> Any:
        """The vector of a text, from where it was given.

        Raises:
            QueryError: it cannot be read.
        """
        if self.vector is None:
            program = self.program([mode], *snapshots)
            return program([text])[0] if program and text else None
        if self.vector.endswith(".npy"):
            from textae.corpus.own_vectors import array_in

            return array_in(Path(self.vector)).reshape(-1)
        from textae.search.vector_command import json_vector

        return json_vector(stdin_text() if self.vector == "-" else self.vector, "the vector of the query")


def _read_vectors(modes: Sequence[str | None], *snapshots: Snapshot) -> bool:
    """Whether a system reads the user's own vectors, and an index has some."""
    from textae.index.own_vectors import own_vectors

    return not {None, *READ_VECTORS}.isdisjoint(modes) and any(map(own_vectors, snapshots))
