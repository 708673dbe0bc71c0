"""One tree of errors, so that a caller can catch `TextaeError` and know that everything textae says is in it.

A message is one line for a person: what was given, what was expected, what to do next. The shell prints it and
exits with 2; nothing in the index has changed by then.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class TextaeError(Exception):
    """Anything that textae itself refuses or finds wrong."""


class CorpusError(TextaeError):
    """A source cannot be read, or does not have what was asked of it."""


class CorpusTypeError(CorpusError, TypeError):
    """A corpus, a document, or a part of one is of another type than expected."""


class StoreError(TextaeError):
    """There is no index where one was expected, or it is of another version, locked, or damaged."""


class NoIndexError(StoreError):
    """There is no index where one was expected, or none that was ever finished."""


class NotWritableError(StoreError):
    """The index cannot be written to: its disk is full, or it is somebody else's. It is as it was before."""


class QueryError(TextaeError):
    """A query, or a file of queries or judgements, cannot be used."""


class QueryTypeError(QueryError, TypeError):
    """A query, or an id, is of another type than expected."""


class ExtraMissingError(TextaeError):
    """A package is not installed that an extra of textae installs."""


@contextmanager
def needs_extra(extra: str, purpose: str) -> Iterator[None]:
    """Import packages that an extra of textae installs.

    with needs_extra("figures", "drawing a map"):
        import matplotlib

    Raises:
        ExtraMissingError: a package is not installed; the message names the extra.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ExtraMissingError(
            f"{purpose} needs {error.name}, which is not installed: pip install 'textae[{extra}]'"
        ) from None
