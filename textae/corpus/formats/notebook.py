"""Notebooks of Jupyter: notes, code and the text of its outputs, cell by cell; pictures are left out.

The format is nbformat 4 (https://nbformat.readthedocs.io); version 3 has its cells in worksheets.
"""

import json
from collections.abc import Iterator
from typing import Any

from textae.corpus import reading
from textae.corpus.formats import Given, Part
from textae.corpus.formats.markdown import heading
from textae.corpus.reading import Item, RefusedError

_OUTPUT = 2_000  # characters of the outputs of a cell that are kept: a printed table, not a log of 50 MB


def read(given: Given) -> Iterator[Item]:
    """The document of a notebook."""
    try:
        book = json.loads(given.content())
        metadata, sheets = book.get("metadata", {}), book.get("worksheets", [book])
        cells = [cell for sheet in sheets for cell in sheet.get("cells", []) if isinstance(cell, dict)]
    except RecursionError:
        raise RefusedError(reading.NESTED) from None
    except (ValueError, AttributeError, TypeError):
        raise RefusedError(reading.DAMAGED) from None
    notes = (_joined(cell.get("source")) for cell in cells if cell.get("cell_type") in ("markdown", "heading"))
    title = str(metadata.get("title") or "") or next(filter(None, map(heading, notes)), "")
    kernel = metadata.get("kernelspec") or {}
    yield given.document(title, _parts(cells), {"language": kernel.get("language"), "cells": len(cells)})


def _parts(cells: list[dict[str, Any]]) -> Iterator[Part]:
    for number, cell in enumerate(cells, start=1):
        source = _joined(cell.get("source", cell.get("input")))
        outputs = "\n".join(filter(None, map(_output, cell.get("outputs") or [])))[:_OUTPUT]
        yield "cell", str(number), f"{source}\n{outputs}".strip()


def _output(output: Any) -> str:
    if not isinstance(output, dict):
        return ""
    data = output.get("data")
    text = data.get("text/plain") if isinstance(data, dict) else output.get("text")
    if output.get("ename"):
        text = f"{output['ename']}: {output.get('evalue', '')}"
    return _joined(text)[:_OUTPUT]


def _joined(source: Any) -> str:
    """A text, or a list of its lines."""
    return "".join(map(str, source)) if isinstance(source, list) else source if isinstance(source, str) else ""
