"""The page around its data: what is in `static`, joined, under a policy that runs nothing else."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from html import escape
from importlib import resources

SCRIPTS = (
    "data.js", "camera.js", "near.js", "ground.js", "points.js", "points-canvas.js", "points-webgl.js", "labels.js",
    "dom.js", "legend.js", "search.js", "panel.js", "lasso.js", "pointer.js", "main.js", "start.js",
)  # fmt: skip
"""The page's script, in the order in which its parts are joined."""

STYLES = ("page.css",)
APPLICATION_SCRIPTS, APPLICATION_STYLES = ("asking.js", "results.js", "app.js"), ("app.css",)
"""What is joined to them where a server gives the page."""

_HERE = resources.files("textae.views.page") / "static"


class Page:
    """A page without its data.

    Args:
        name: of the corpus.
        application: whether a server gives the page; only then it may ask it something.
    """

    def __init__(self, name: str, *, application: bool) -> None:
        self._script = _joined(SCRIPTS + (APPLICATION_SCRIPTS if application else ()))
        self._style = _joined(STYLES + (APPLICATION_STYLES if application else ()))
        connect = " connect-src 'self';" if application else ""
        policy = (
            f"default-src 'none'; script-src {_hash(self._script)}; style-src {_hash(self._style)}; img-src data:;"
            f"{connect} base-uri 'none'; form-action 'none'"
        )
        start, self._end = _static("page.html").split("{{data}}")
        start = start.replace("{{policy}}", policy).replace("{{name}}", escape(name))
        self._start = start.replace("{{style}}", self._style)

    def size(self) -> int:
        """How many bytes it has."""
        return sum(len(part.encode("utf-8", "replace")) for part in (self._start, self._script, self._end))

    def pieces(self, first: Iterable[bytes], rest: Iterable[bytes]) -> Iterator[bytes]:
        """The page with its blocks: those that the script needs to begin stand before it, the rest behind it."""
        yield self._start.encode("utf-8", "replace")
        yield from first
        yield b"<script>%s</script>\n" % self._script.encode()
        yield from rest
        yield self._end.encode()


def _joined(names: Iterable[str]) -> str:
    return "\n".join(map(_static, names))


def _static(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    """What a Content Security Policy knows a script or a style by."""
    return f"'sha256-{b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
