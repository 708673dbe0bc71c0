"""Hits as Python people get them: a list, which a notebook shows as a table."""

from collections.abc import Iterable, Iterator
from html import escape

from textae.types import Hit

_SHOWN = 100  # hits of a table


class Hits(list[Hit]):
    """The hits of a search, the best first."""

    def _repr_html_(self) -> str:
        """The table that a notebook shows; all that documents say in it is text."""
        if not self:
            return "<p>no hits</p>"
        rows = "".join(map(_row, self[:_SHOWN]))
        more = f"<p>… and {len(self) - _SHOWN:,} more</p>" if len(self) > _SHOWN else ""
        head = _cells("th", ("", "document", "score", "passage"))
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>{more}"


def _row(hit: Hit) -> str:
    where = ", ".join(filter(None, (hit.id, hit.place)))
    name = f"<b>{_text(hit.title)}</b><br>{_text(where)}" if hit.title else _text(where)
    return _cells("td", (str(hit.rank), name, f"{hit.score:.3f}", "".join(_marked(hit))))


def _cells(tag: str, cells: Iterable[str]) -> str:
    start = f'<{tag} style="text-align: left">'  # notebooks align cells to the right
    return f"<tr>{''.join(f'{start}{cell}</{tag}>' for cell in cells)}</tr>"


def _marked(hit: Hit) -> Iterator[str]:
    end = 0
    for start, stop in hit.marks:
        yield f"{escape(hit.snippet[end:start])}<mark>{escape(hit.snippet[start:stop])}</mark>"
        end = stop
    yield escape(hit.snippet[end:])


def _text(text: str) -> str:
    return f"<bdi>{escape(text)}</bdi>"  # a mark of direction in it turns nothing else round
