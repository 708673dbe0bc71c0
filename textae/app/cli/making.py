"""Commands that make an index: index, train, corpora."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import TypeVar

import click

from textae import config
from textae.app import terminal
from textae.app.cli.clustering import ClusterOptions, index_shards
from textae.app.cli.options import (
    NewIndexOptions,
    ReadingOptions,
    ShellOptions,
    TableOptions,
    completed,
    option,
    options,
)
from textae.app.output.reports import print_report, print_trained

Spec = TypeVar("Spec", config.ModelSpec, config.TrainSpec)


def _sizes(text: str) -> tuple[int, ...] | None:
    sizes = text.split(",")
    if text and not all(size.strip().isdecimal() and len(size) < 20 for size in sizes):
        raise click.BadParameter(f"{text[:60]!r} is not a list of sizes like 512,512")
    return tuple(map(int, sizes)) if text else None


@dataclass(frozen=True)
class ModelOptions:
    """Values of `ModelSpec` and `TrainSpec`, by the same names; None for those that were not given."""

    bits: int | None = option("Bits of the binary code, a multiple of 8.  [default: 256]")
    dims: int | None = option("Dimensions of the float code.  [default: 320; for pictures 64]")
    codes: str | None = option(
        "What each document stores: floats, LSA's and bits, or bits alone.  [default: floats]",
        type=click.Choice(config.CODES),
    )
    hidden: tuple[int, ...] | None = option(
        "Sizes of the encoder's hidden layers.  [default: 512; for pictures 1024,512]", metavar="N,N…", type=_sizes
    )
    dropout: float | None = option(
        "Share of words, or pixels, that de-noising hides.  [default: 0.5; for pictures 0]", "--drop"
    )
    epochs: int | None = option("Passes over the documents (epochs).  [default: by the size of the corpus]", "--passes")
    learning_rate: float | None = option("Learning rate.  [default: one that suits every corpus]", "--rate")
    pretrain: str | None = option("How weights are initialised.  [default: lsa]", type=click.Choice(config.PRETRAINING))
    corruption: str | None = option(
        "Noise on a deep stack's input.  [default: masking]", type=click.Choice(config.CORRUPTIONS)
    )
    unpool: str | None = option(
        "For pictures: convolve with --hidden kernels, and undo pooling like this.  [default: none]",
        type=click.Choice((*config.UNPOOLINGS, config.NONE)),
    )
    code_l2: float | None = option("L2 penalty on a deep stack's code.  [default: 0]")
    seed: int | None = option("Random seed; the same seed gives the same index (same machine, CPU).  [default: 1]")
    device: str | None = option(
        "Where to train; auto: on a CUDA card if there is one.  [default: auto]",
        type=click.Choice(config.DEVICES),
    )

    def override(self, spec: Spec) -> Spec:
        """The spec with the values that were given; a spec has only some of the names."""
        given = {name: value for name, value in vars(self).items() if value is not None and hasattr(spec, name)}
        return replace(spec, **given)


@dataclass(frozen=True)
class IndexOptions(ModelOptions):
    """How a corpus is read and learned."""

    preset: str = option(
        "A published configuration; explicit options override it.",
        type=click.Choice(list(config.PICTURE_PRESETS)),
        default="default",
    )
    kind: str | None = option(
        "The documents in SOURCE.  [default: the majority type, by file extension]",
        type=click.Choice(("texts", "pictures")),  # `textae.types.KINDS`, which is slow to import
    )
    language: str = option("Stemmer and stop words: english, …, none, or auto.", default=config.AUTO)
    passages: int | None = option(
        "Rank documents by their best passages of WORDS words, or as wholes (0).  [default: 200 where most of the text "
        "is in documents of more than 1,000 words, else 0]",
        metavar="WORDS",
    )


@click.command(short_help="Read and learn a corpus, and write the index.")
@click.argument("sources", metavar="SOURCE…", nargs=-1, required=True, shell_complete=completed("source"))
@options("table", TableOptions)
@options("learning", IndexOptions)
@options("reading", ReadingOptions)
@options("cluster", ClusterOptions)
@click.option("--replace", "may_replace", is_flag=True, help="Replace what is there, without a question.")
@options("shell", NewIndexOptions, "verbose", "as_json", "quiet", "folder")
def index(
    sources: Sequence[str],
    table: TableOptions,
    learning: IndexOptions,
    reading: ReadingOptions,
    cluster: ClusterOptions,
    may_replace: bool,
    shell: ShellOptions,
) -> None:
    """Read SOURCE…, learn it, and write the index. Where there is one, the command asks before it is replaced.

    A SOURCE is a folder, a file, `-` for standard input, or the name of a corpus ('textae corpora' lists them). The
    ending of a file decides how it is read: PDF, Office files, e-books, web pages, mail, notebooks, text, source code,
    archives and more, also compressed. PDF and some others need textae[documents]. Each row of a table (jsonl, csv,
    tsv, xlsx, parquet) is a document. Of a folder, hidden files are left out, and what its .gitignore, .textaeignore
    and --exclude list. Pictures come as a folder of files (png, jpg, webp, tiff, bmp, gif), as arrays (npz), or as
    MNIST files; 'textae similar' searches them.

    \b
    textae index ~/Documents
    textae index notes/ mail.mbox manual.pdf
    textae index photos/                     pictures; the name of a subfolder is their label
    textae index tickets.csv.gz --id-field key --text-field body --select status=closed
    textae index . --exclude 'drafts/' --exclude '*.log'
    textae index python                      the documentation of the Python that runs textae
    textae index papers.jsonl --vectors embedding
    textae index notes/ --preset hinton2006  a deep stack of RBMs, as published; also with --dims 2
    textae index table:notes --out s3://bucket/notes --engine spark --master yarn
    """
    from textae import corpus
    from textae.corpus.uniform import UniformCorpus
    from textae.engine import Engine
    from textae.index.modality import modality_of
    from textae.index.store import has_index

    cluster.check()
    limits, ignore = reading.limits(corpus.Limits()), reading.rules(corpus.Ignore())
    if cluster.out is not None:
        read_here = [one for one in sources if not cluster.reads(one)]
        given = corpus.sources(read_here, table.spec(), kind=learning.kind, limits=limits, ignore=ignore)
        index_shards(sources, given, table.spec(), learning, cluster, may_replace, shell)
        return
    given = corpus.sources(sources, table.spec(), kind=learning.kind, limits=limits, ignore=ignore)
    if not may_replace and has_index(shell.folder):
        there = f"there is an index at {shell.folder}"
        terminal.confirm(f"{there}; replace it?", f"{there}; --replace replaces it, and 'textae sync' updates it")
    with Engine.create(shell.folder) as engine, shell.progress() as progress:
        documents = UniformCorpus(chain.from_iterable(source.read(progress) for source in given))
        model_spec, train_spec = modality_of(documents.shape).preset(learning.preset)
        report = engine.index(
            documents,
            sources=given,
            passage=learning.passages,
            language=None if learning.language == "none" else learning.language,
            model=learning.override(model_spec),
            train=learning.override(train_spec),
            progress=progress,
            vectors=reading.vectors,
        )
    print_report(report, shell, detected=learning.language == config.AUTO)


@click.command(short_help="Train the index again, or on labels.")
@click.option(
    "--label",
    metavar="FIELD",
    shell_complete=completed("field"),
    help="Learn the labels in FIELD; documents may lack one.",
)
@options("model", ModelOptions)
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def train(label: str | None, model: ModelOptions, shell: ShellOptions) -> None:
    """Train again on the documents of the index, and encode them again. The sources are not needed.

    With --label, the trained model is fine-tuned on the labels in FIELD, and 'textae classify' predicts the label of
    any text. A change of the model (--dims, --bits, --hidden, --passes …) trains it from scratch first. Settings that
    are not given stay as they are; the defaults below are those of 'textae index'. Meanwhile, searches use the old
    model.

    \b
    textae train --label topic               learn to predict the topic of a document
    textae train                             train from scratch, without labels
    textae train --dims 64 --passes 30
    """
    with shell.open_engine() as engine, shell.progress() as progress:
        model_spec, train_spec = engine.snapshot.specs
        new_model, new_training = model.override(model_spec), model.override(train_spec)
        # The seed and the device change how labels are learned; every other option, the model below them.
        keep_model = label is not None and model == ModelOptions(seed=model.seed, device=model.device)
        trained = engine.train(
            label=label, model=None if keep_model else new_model, train=new_training, progress=progress
        )
    print_trained(trained, shell)


@click.command()
@options("shell", ShellOptions, "as_json")
def corpora(shell: ShellOptions) -> None:
    """List the corpora that 'textae index' knows by name.

    \b
    textae corpora
    textae index 20newsgroups
    """
    from textae.corpus.recipes import recipes

    for recipe in recipes():
        if shell.as_json:
            terminal.print_json([asdict(recipe)])
        else:
            missing = "  (downloaded on first use)" if recipe.archive else "  (its files belong in TEXTAE_DATA)"
            click.echo(f"{recipe.name:16} {recipe.description}{'' if recipe.available else missing}")
