"""The command that writes an index elsewhere: to a dataset of shards, or into a vector database."""

from __future__ import annotations

import click

from textae.app import terminal
from textae.app.cli.options import ShellOptions, options

_DATABASE = "milvus:"


@click.command(short_help="Write the index to a dataset of shards, or into a vector database.")
@click.option(
    "--to",
    "address",
    required=True,
    metavar="ADDRESS",
    help="A folder or a URL such as s3://bucket/notes; or milvus://HOST:PORT/COLLECTION, milvus:///PATH/FILE.db.",
)
@click.option("--replace", "may_replace", is_flag=True, help="Replace the dataset that is there, without a question.")
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def push(address: str, may_replace: bool, shell: ShellOptions) -> None:
    """Write the index elsewhere.

    A folder or a URL gets a dataset of shards: Parquet files that Spark and others read, and the model. 'textae pull'
    makes an index of it again, with the same rankings.

    A vector database serves the index: `--index ADDRESS` searches there, on any machine. An interrupted push continues
    where it stopped. Clients search what was pushed before until all of the new commit is there. A change of the index
    takes a new push.

    \b
    textae push --to /mnt/shared/notes.dataset
    textae push --to s3://bucket/notes --index notes.textae --replace
    textae push --to milvus://localhost:19530/notes
    textae search "smooth a noisy signal" --index milvus://localhost:19530/notes
    textae push --to milvus:///home/me/notes.db          a file; pip install 'textae[milvus]'
    """
    with shell.open_engine() as engine, shell.progress() as progress:
        n = len(engine.snapshot.numbers)
        if address.startswith(_DATABASE):
            if may_replace:
                raise click.UsageError("--replace is for a dataset; leave it out, and the push replaces what is there")
            from textae.remote.engine import push_to

            loaded = push_to(address, engine, progress)
        else:
            from textae.cluster.dataset import Dataset
            from textae.cluster.transfer import push as push_shards

            dataset = Dataset(address)
            if dataset.head() and not may_replace:
                there = f"there is a dataset at {address}"
                terminal.confirm(f"{there}; replace it?", f"{there}; --replace replaces it")
            loaded = push_shards(engine.snapshot, dataset, progress)
    if shell.as_json:
        terminal.print_json([{"address": address, "documents": n, "written": loaded}])
    else:
        shell.note(f"pushed {n:,} documents to {address}, {loaded:,} of them new")
