"""Failures as one line, for the JSON API and for the tools of assistants."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from textae.errors import TextaeError

_OPTION = re.compile(r"--(where|must)\b")
_MAX_LENGTH = 500  # characters

OUT_OF_RESOURCES = "the machine is out of files or memory; try again"
INTERNAL = "internal error; 'textae doctor' checks the index for damage"


def message_of(error: TextaeError) -> str:
    """The message of an error, for a client that has parameters in place of the shell's options."""
    return _short(_OPTION.sub(r"\1", str(error)))


def message_of_parameters(errors: Iterable[Mapping[str, Any]], depth: int = 0) -> str:
    """The parameters that pydantic refused, in plain words.

    Args:
        errors: as pydantic describes them.
        depth: parts of a location before the name of the parameter.
    """
    return _short("; ".join(_of_parameter(error, depth) for error in errors))


def _of_parameter(error: Mapping[str, Any], depth: int) -> str:
    where = " ".join(str(part) for part in error["loc"][depth:])
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown parameter"
    message = re.sub("^(Input|String|List|Value error,) ", "", error["msg"])
    value = f"; given: {error['input'][:40]!r}" if isinstance(error["input"], str) else ""
    return f"{f'{where}: ' if where else ''}{message[:1].lower()}{message[1:]}{value}"


def _short(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= _MAX_LENGTH else f"{line[: _MAX_LENGTH - 1]}…"
