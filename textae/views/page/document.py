"""The page around its data: the files in `static`, joined, under a policy that runs nothing else."""

import hashlib
import re
from base64 import b64encode
from html import escape
from importlib import resources

SCRIPTS = (
    "data.js", "camera.js", "near.js", "ground.js", "points.js", "points-canvas.js", "points-webgl.js", "labels.js",
    "dom.js", "legend.js", "words.js", "ranking.js", "search.js", "hits.js", "panel.js", "lasso.js", "pointer.js",
    "main.js", "start.js",
)  # fmt: skip
"""The parts of the page's script, in the order in which they are joined."""

STYLES = ("page.css",)
APPLICATION_SCRIPTS, APPLICATION_STYLES = ("asking.js", "results.js", "app.js"), ("app.css",)
"""Further parts of a page that a server gives."""


def page_around(name: str, *, application: bool) -> tuple[bytes, bytes, bytes]:
    """A page without its data: its start, its script, and its end.

    The blocks that the script needs to begin go before it, all others behind it.

    Args:
        name: of the corpus.
        application: whether a server gives the page; only then it may send requests to it.
    """
    script = "\n".join(map(static, SCRIPTS + (APPLICATION_SCRIPTS if application else ())))
    style = "\n".join(map(static, STYLES + (APPLICATION_STYLES if application else ())))
    connect, own = (" connect-src 'self';", " 'self'") if application else ("", "")
    policy = (
        f"default-src 'none'; script-src {source_hash(script)}; style-src {source_hash(style)}; "
        f"img-src data:{own};{connect} base-uri 'none'; form-action 'none'"
    )
    start, end = static("page.html").split("{{data}}")
    start = filled(start, policy=policy, name=escape(name), style=style)
    return start.encode("utf-8", "replace"), script.encode(), end.encode()


def static(name: str) -> str:
    """The text of a file in `static`."""
    return (resources.files("textae.views.page") / "static" / name).read_text(encoding="utf-8")


def filled(template: str, **values: str) -> str:
    """The template with its `{{name}}`s replaced; those in the values stay."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], template)


def source_hash(source: str) -> str:
    """The hash by which a Content Security Policy allows a script or a style."""
    return f"'sha256-{b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
