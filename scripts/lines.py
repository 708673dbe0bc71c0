"""Measure the size of the package: lines of code, the longest module, the most methods, the most parameters.

    .venv/bin/python scripts/lines.py            a table with a line for each room
    .venv/bin/python scripts/lines.py FOLDER     the same for another package

A line of code holds a token that is neither a comment nor part of a docstring. The length of a module counts all of its
lines. A class's methods are the functions of its body, with properties and static methods. The parameters of a function
include keyword-only ones, `*args` and `**kwargs`, but not `self` and `cls`.
"""

from __future__ import annotations

import ast
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "textae"

_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Size:
    """The size of a module.

    Attributes:
        code: lines of code.
        lines: all lines.
        methods: the number of methods of each class, by its name.
        parameters: the number of parameters of each function, by its name.
    """

    code: int
    lines: int
    methods: dict[str, int]
    parameters: dict[str, int]


def measure(path: Path) -> Size:
    """Measure a module."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    code = {
        line
        for token in tokenize.generate_tokens(StringIO(source).readline)
        if token.type not in _LAYOUT
        for line in range(token.start[0], token.end[0] + 1)
    }
    nodes = list(ast.walk(tree))
    for docstring in filter(None, map(_docstring, nodes)):
        code -= set(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    methods = {
        node.name: sum(isinstance(part, _FUNCTION) for part in node.body)
        for node in nodes
        if isinstance(node, ast.ClassDef)
    }
    return Size(len(code), len(source.splitlines()), methods, dict(_parameters(tree)))


def _docstring(node: ast.AST) -> ast.expr | None:
    """The docstring of a module, class or function, or the string that documents a constant."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value
    return None


def _parameters(node: ast.AST, prefix: str = "", *, in_class: bool = False) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _parameters(child, f"{prefix}{child.name}.", in_class=True)
        elif isinstance(child, _FUNCTION):
            signature = child.args
            positional = [*signature.posonlyargs, *signature.args]
            bound = in_class and bool(positional) and positional[0].arg in ("self", "cls")
            variadic = (signature.vararg is not None) + (signature.kwarg is not None)
            yield f"{prefix}{child.name}", len(positional) - bound + len(signature.kwonlyargs) + variadic
            yield from _parameters(child, f"{prefix}{child.name}.")
        else:
            yield from _parameters(child, prefix, in_class=in_class)


def package(folder: Path = PACKAGE) -> dict[str, Size]:
    """Measure all modules of a package, by their path in it."""
    return {str(path.relative_to(folder)): measure(path) for path in sorted(folder.rglob("*.py"))}


def main(folder: Path) -> None:
    """Print the sizes of a package."""
    modules = package(folder)
    rooms: Counter[str] = Counter()
    for path, module in modules.items():
        rooms[Path(path).parts[0]] += module.code
    for room, n in rooms.most_common():
        print(f"{n:6,}  {room}")
    print(f"{rooms.total():6,}  lines of code in {len(modules)} modules\n")
    sizes = {
        "longest module": {path: module.lines for path, module in modules.items()},
        "most methods": {f"{path} {name}": n for path, module in modules.items() for name, n in module.methods.items()},
        "most parameters": {
            f"{path} {name}": n for path, module in modules.items() for name, n in module.parameters.items()
        },
    }
    for title, by_name in sizes.items():
        name = max(by_name, key=lambda name: by_name[name])
        print(f"{title}: {name}, {by_name[name]:,}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else PACKAGE)
