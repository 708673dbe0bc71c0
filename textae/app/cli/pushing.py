"""The command that loads an index into a vector database: push."""

from __future__ import annotations

import click

from textae.app.cli.options import ShellOptions, options


@click.command(short_help="Load the index into a vector database, which serves it.")
@click.option(
    "--to", "address", required=True, metavar="ADDRESS", help="milvus://HOST:PORT/COLLECTION or milvus:///PATH/FILE.db"
)
@options("shell", ShellOptions, "quiet", "folder")
def push(address: str, shell: ShellOptions) -> None:
    """Load the index into a vector database; `--index ADDRESS` then searches there, on any machine.

    A push that was ended goes on where it stopped. Clients search what was pushed before until all of the new commit
    is there. A change of the index takes a new push.

    \b
    textae push --to milvus://localhost:19530/notes
    textae search "smooth a noisy signal" --index milvus://localhost:19530/notes
    textae push --to milvus:///home/me/notes.db          a file; pip install 'textae[milvus]'
    """
    from textae.remote.engine import push_to

    with shell.open_engine() as engine:
        with shell.progress() as progress:
            loaded = push_to(address, engine, progress)
        shell.note(f"pushed {len(engine.snapshot.numbers):,} documents to {address}, {loaded:,} of them new")
