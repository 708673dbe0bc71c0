"""Where documents come from: folders, files, tables, mail, pictures, standard input, and public corpora by name.

This room turns bytes into `Document`s, one at a time. Words, bags and vectors belong to `encoding`, storage to `index`.
Importing it costs little: what one format needs (pyarrow, Pillow, an HTML parser) is imported with its first file.
"""

from textae.corpus.source import STDIN, Source, read, sources
from textae.corpus.tables import TableSpec

__all__ = ["STDIN", "Source", "TableSpec", "read", "sources"]
