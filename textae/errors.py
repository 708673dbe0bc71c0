"""One tree of errors, so that a caller can catch `TextaeError` and know that everything textae says is in it.

A message is one line for a person: what was given, what was expected, what to do next. The shell prints it and
exits with 2; nothing in the index has changed by then.
"""


class TextaeError(Exception):
    """Anything that textae itself refuses or finds wrong."""


class CorpusError(TextaeError):
    """A source cannot be read, or does not have what was asked of it."""


class StoreError(TextaeError):
    """There is no index where one was expected, or it is of another version, locked, or damaged."""


class QueryError(TextaeError):
    """A query, or a file of queries or judgements, cannot be used."""


class ExtraMissingError(TextaeError):
    """A package is not installed that an extra of textae installs.

    Args:
        purpose: what needs the package: `reading .xlsx files`.
        package: the name of the package.
        extra: the name of the extra.
    """

    def __init__(self, purpose: str, package: str, extra: str) -> None:
        super().__init__(f"{purpose} needs {package}, which is not installed: pip install 'textae[{extra}]'")
