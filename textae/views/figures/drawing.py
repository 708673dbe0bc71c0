"""Formats, fonts and reproducible files of all pictures."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from textae.errors import TextaeError, needs_extra
from textae.files import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg", ".pdf")

WIDTHS = (2, 20)
"""Minimum and maximum width of a figure, in inches."""

_UNDATED: dict[str, dict[str, None]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


@contextmanager
def drawing(path: Path) -> Iterator[Callable[[Figure], None]]:
    """Set up matplotlib, and give a function that writes a figure to a file.

    Args:
        path: its suffix, one of `ENDINGS`, decides the format.

    Raises:
        TextaeError: unknown suffix; or matplotlib is not installed.
        OSError: the file cannot be written; an existing file stays as it was.
    """
    suffix = path.suffix.lower()
    if suffix not in ENDINGS:
        raise TextaeError(f"no picture for {path.name!r}; give a name that ends in {', '.join(ENDINGS)}")
    with needs_extra("figures", f"drawing {suffix} figures"):
        import matplotlib
        from matplotlib.font_manager import get_font_names
    settings = matplotlib.rc_context({
        # Matplotlib's own font, then installed ones for Chinese, Japanese and Korean.
        "font.family": ["DejaVu Sans", *sorted(name for name in get_font_names() if "CJK" in name)],
        "svg.hashsalt": "textae",
        "pdf.fonttype": 42,  # letters that a publisher's tools can read, and a reader can copy
        "text.parse_math": False,
    })  # fmt: skip
    with whole_file(path) as passing, settings, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a character that no font has is shown as a box
        yield lambda figure: figure.savefig(passing, format=suffix.strip("."), metadata=_UNDATED[suffix])
