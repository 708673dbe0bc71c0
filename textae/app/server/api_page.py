"""The page that lists the operations of the API, made from its OpenAPI document; it has no script."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from textae.views.page.document import source_hash

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.55 system-ui, sans-serif; }
body { max-width: 46rem; margin: 3rem auto; padding: 0 1.25rem; }
h2 { font: 600 1.05rem ui-monospace, monospace; margin: 2.5rem 0 .25rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.25rem; margin: 0; }
dt { font: .9rem/1.7 ui-monospace, monospace; }
p { margin: .25rem 0 .75rem; } dd { margin: 0; } small { opacity: .7; }
@media (max-width: 34rem) { dl { display: block; } dd { margin: 0 0 .5rem; } }
"""

STYLE_POLICY = f"style-src {source_hash(_STYLE)}"
"""The Content Security Policy that allows the style of the page."""


def api_page(document: Mapping[str, Any]) -> str:
    """The page, as HTML."""
    title = escape(document["info"]["title"])
    return "\n".join(
        [
            f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}: the API</title>',
            '<meta name="viewport" content="width=device-width">',
            f"<style>{_STYLE}</style>\n<h1>{title}: the API</h1>",
            f"<p>{escape(document['info']['description'])} The same for programs: "
            '<a href="/openapi.json">/openapi.json</a>.</p>',
            *(line for path, operations in document["paths"].items() for line in _operations(path, operations)),
            "</html>",
        ]
    )


def _operations(path: str, operations: Mapping[str, Any]) -> Iterator[str]:
    for method, operation in operations.items():
        yield f"<h2>{escape(method.upper())} {escape(path)}</h2><p>{escape(operation.get('description', ''))}</p><dl>"
        for parameter in operation.get("parameters", ()):
            yield f"<dt>{escape(parameter['name'])}</dt><dd>{_description(parameter)}</dd>"
        yield "</dl>"


def _description(parameter: Mapping[str, Any]) -> str:
    schema = parameter["schema"]
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    facts = [" | ".join(map(str, kinds[0]["enum"])) if "enum" in kinds[0] else kinds[0]["type"]]
    facts += [f"{word} {kinds[0][name]:,}" for name, word in _BOUNDS.items() if name in kinds[0]]
    default = schema.get("default")
    facts += ["required"] if parameter.get("required") else [f"default {default}"] if default not in (None, []) else []
    facts += ["repeatable"] if kinds[0]["type"] == "array" else []
    return f"{escape(parameter.get('description', ''))} <small>({escape(', '.join(facts))})</small>"


_BOUNDS = {"minimum": "at least", "maximum": "at most", "maxLength": "characters at most", "maxItems": "items at most"}
