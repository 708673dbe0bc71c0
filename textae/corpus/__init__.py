"""Corpus: sources become documents: folders, files, tables, mail, pictures, standard input, public corpora.

It turns bytes into `Document`s, one at a time. Words, bags and vectors belong to `encoding`, storage to `index`. The
first file of a format imports what the format needs (pyarrow, Pillow, an HTML parser).
"""

from textae.corpus.ignore import Ignore
from textae.corpus.reading import Limits
from textae.corpus.source import STDIN, Source, read, sources
from textae.corpus.tables import TableSpec

__all__ = ["STDIN", "Ignore", "Limits", "Source", "TableSpec", "read", "sources"]
