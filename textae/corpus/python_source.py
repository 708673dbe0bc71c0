"""What Python source files define and document, read with `ast` and never imported.

A `Sources` parses each module of a package once and answers one question: what does this name in this module mean?
It follows `from ._x import name as alias`, `from ._x import *`, plain assignments and `__all__`,
as the import system would, and finds docstrings that C functions are given from Python (`add_newdoc` in NumPy and
SciPy, `add_docstr` in torch).

    >>> sources = Sources(Path(tempfile.__file__).parent)        # doctest: +SKIP
    >>> sources.resolve("tempfile", "TemporaryDirectory").kind   # doctest: +SKIP
    'class'
"""

import ast
import inspect
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

_ADD_DOC = re.compile(r"_?add_(newdoc|docstr|docstr_all)|_array_method_doc")
_PERCENT = re.compile(r"%\(\w+\)s")
_BRACES = re.compile(r"(?<!\{)\{\w*\}(?!\})")


@dataclass(eq=False, slots=True)
class Definition:
    """A class, function or method, and what is said about it.

    Attributes:
        name: as it was defined; an alias has another.
        kind: class, function, method or property.
        doc: its docstring, without the indentation.
        place: where that is written: the file, and its line if it is a `class` or `def`.
        signature: `name(a, b=1)`; without types, empty where it cannot be told.
        members: the methods and properties of a class.
        bases: of a class, as they are written.
        accessors: of a class, by attribute: the class whose methods stand behind it (pandas' `Series.str`).
    """

    name: str
    kind: str
    doc: str
    place: str
    signature: str = ""
    members: dict[str, "Definition"] = field(default_factory=dict)
    bases: tuple[str, ...] = ()
    accessors: dict[str, str] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Module:
    """One source file.

    Attributes:
        name: dotted.
        path: of the file.
        doc: its docstring.
        defined: classes and functions, by name.
        imported: where a name comes from, as (module, name there); the name is empty for a module itself.
        stars: modules of which everything is imported.
        exported: `__all__`, or None where there is none or it cannot be told without running it.
        added: docstrings that this module gives to others, as (module, class or nothing, definition).
    """

    name: str
    path: Path
    doc: str
    defined: dict[str, Definition] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    exported: list[str] | None = None
    added: list[tuple[str, str, Definition]] = field(default_factory=list)

    @property
    def is_package(self) -> bool:
        """Whether other modules are inside it."""
        return self.path.name == "__init__.py"


class Sources:
    """The modules below one folder of `sys.path`, parsed when they are asked for.

    Args:
        root: the folder that holds the packages.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._modules: dict[str, Module | None] = {}
        self._added: dict[str, dict[str, Definition]] = {}
        self.unreadable: list[Path] = []

    def module(self, name: str) -> Module | None:
        """The module of that name; None where there is no source for it."""
        if name not in self._modules:
            self._modules[name] = None  # a package that imports itself ends here
            self._modules[name] = self._parse(name)
        return self._modules[name]

    def parsed(self) -> list[Module]:
        """The modules that were asked for so far."""
        return [module for module in self._modules.values() if module]

    def take_added_docs(self, name: str) -> None:
        """Read a module whose calls of `add_newdoc` or `add_docstr` document what other modules have in C."""
        module = self.module(name)
        for target, owner, definition in module.added if module else ():
            found = self._added.setdefault(target, {})
            if owner:
                whole = self.resolve(target, owner) or found.setdefault(owner, Definition(owner, "class", "", ""))
                whole.members.setdefault(definition.name, definition)
            else:
                found.setdefault(definition.name, definition)

    def public_names(self, module: Module) -> list[str]:
        """What a module offers: `__all__`, else what it defines and, of a package, what it takes from its own parts."""
        names = dict.fromkeys(module.exported if module.exported is not None else self._visible(module, set()))
        names.update(dict.fromkeys(self._added.get(module.name, ())))
        return [name for name in names if not name.startswith("_")]

    def resolve(self, module_name: str, name: str) -> Definition | None:
        """What a name in a module means, through whatever it was imported from; None where nothing says so."""
        return self._resolve(module_name, name, set())

    def _resolve(self, module_name: str, name: str, seen: set[tuple[str, str]]) -> Definition | None:
        if (module_name, name) in seen:
            return None
        seen.add((module_name, name))
        module = self.module(module_name)
        if module and name in module.defined:
            return module.defined[name]
        if name in self._added.get(module_name, ()):
            return self._added[module_name][name]
        if module is None:
            return None
        if name in module.imported:
            source, original = module.imported[name]
            return self._resolve(source, original, seen) if original else None
        for source in module.stars:
            if found := self._resolve(source, name, seen):
                return found
        return None

    def _visible(self, module: Module, seen: set[str]) -> Iterator[str]:
        seen.add(module.name)
        yield from module.defined
        folder = module.name if module.is_package else module.name.rpartition(".")[0]
        gathers = module.is_package or module.name.rpartition(".")[2].startswith("_")
        for name, (source, original) in module.imported.items():
            if original and (source == module.name or (gathers and source.startswith(f"{folder}."))):
                yield name
        for source in module.stars:
            yield from self._added.get(source, ())
            starred = self.module(source)
            if starred and source not in seen:
                yield from starred.exported if starred.exported is not None else self._visible(starred, seen)

    def _parse(self, name: str) -> Module | None:
        path = self._root.joinpath(*name.split("."))
        for file in (path / "__init__.py", path.with_name(path.name + ".py")):
            if file.is_file():
                return self._read(name, file)
        return None

    def _read(self, name: str, path: Path) -> Module | None:
        try:
            with warnings.catch_warnings():  # "\d" in a docstring of somebody else's
                warnings.simplefilter("ignore")
                tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, OSError, RecursionError):
            self.unreadable.append(path)
            return None
        module = Module(name, path, ast.get_docstring(tree) or "")
        exports = _Exports()
        for statement in _statements(tree.body):
            _take(module, statement)
            exports.take(self, module, statement)
        module.exported = exports.names
        return module


class _Exports:
    """Follows what happens to `__all__`; `names` is None as soon as a part of it cannot be told."""

    def __init__(self) -> None:
        self.names: list[str] | None = None
        self._known = True

    def take(self, sources: Sources, module: Module, statement: ast.stmt) -> None:
        part: ast.expr | None = None
        match statement:
            case ast.Assign(targets=[ast.Name("__all__")], value=part):
                self.names = None
            case ast.AnnAssign(target=ast.Name("__all__"), value=part):
                self.names = None
            case ast.AugAssign(target=ast.Name("__all__"), value=part):
                pass
            case ast.Expr(ast.Call(ast.Attribute(ast.Name("__all__"), "extend"), [part])):
                pass
            case ast.Expr(ast.Call(ast.Attribute(ast.Name("__all__"), "append"), [single])):
                part = ast.List([single])
        if part is None or not self._known:
            return
        more = _listed(sources, module, part)
        self._known = more is not None
        self.names = [*(self.names or ()), *more] if more is not None else None


def _listed(sources: Sources, module: Module, node: ast.expr) -> list[str] | None:
    """The strings of `["a", *b.__all__] + c.__all__`, or None."""
    match node:
        case ast.List(elements) | ast.Tuple(elements) | ast.Set(elements):
            parts = [_listed(sources, module, element) for element in elements]
            return None if None in parts else [name for part in parts if part for name in part]
        case ast.Constant(str(name)):
            return [name]
        case ast.Starred(value):
            return _listed(sources, module, value)
        case ast.Call(ast.Name("list" | "tuple" | "sorted"), [value]):
            return _listed(sources, module, value)
        case ast.BinOp(left, ast.Add(), right):
            first, second = _listed(sources, module, left), _listed(sources, module, right)
            return None if first is None or second is None else first + second
        case ast.Attribute(ast.Name(part), "__all__") if part in module.imported:
            source, name = module.imported[part]
            other = sources.module(f"{source}.{name}" if name else source)
            return other.exported if other else None
    return None


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, and those under `if`, `try` and `with`, whichever way they go."""
    for statement in body:
        match statement:
            case ast.If(body=first, orelse=other):
                yield from _statements([*first, *other])
            case ast.Try(body=first, handlers=handlers, orelse=other, finalbody=last):
                caught = [part for handler in handlers for part in handler.body]
                yield from _statements([*caught, *first, *other, *last])  # what was tried counts, so it comes later
            case ast.With(body=first):
                yield from _statements(first)
            case _:
                yield statement


def _take(module: Module, statement: ast.stmt) -> None:
    """Note what one statement defines, imports or documents."""
    match statement:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            _keep(module.defined, _definition(statement, module.path))
        case ast.Import(names):
            for alias in names:
                if alias.asname:
                    module.imported[alias.asname] = (alias.name, "")
        case ast.ImportFrom(names=names):
            source = _source(module, statement)
            for alias in names:
                if alias.name == "*":
                    module.stars.append(source)
                else:
                    module.imported[alias.asname or alias.name] = (source, alias.name)
        case ast.Assign([ast.Attribute(ast.Name(name), "__doc__")], doc) if name in module.defined:
            module.defined[name].doc = _text(doc)
        case ast.Assign(targets=[ast.Name(name)], value=ast.Name(other)) if other != name:
            module.imported[name] = (module.name, other)
        case ast.Assign(targets=[ast.Name(name)], value=ast.Call(ast.Name(other), arguments)):
            if _ADD_DOC.fullmatch(other) and len(arguments) == 2:
                _keep(module.defined, Definition(name, "function", _text(arguments[1]), str(module.path)))
            elif other == f"{name}_gen" and other in module.defined:  # scipy.stats: norm = norm_gen(name="norm")
                module.defined[name] = _renamed(module.defined.pop(other), name)
        case ast.Expr(ast.Call(ast.Name(name), arguments)) if _ADD_DOC.fullmatch(name):
            for target, owner, said, doc in _added(module.name, name, arguments):
                if not said.startswith("_"):
                    kind = "method" if owner else "function"
                    module.added.append((target, owner, Definition(said, kind, _text(doc), str(module.path))))


def _renamed(definition: Definition, name: str) -> Definition:
    """An object that is documented by its class and stands for it."""
    return replace(definition, name=name, signature="", doc=_PERCENT.sub("", definition.doc))


def _keep(defined: dict[str, Definition], definition: Definition | None) -> None:
    """Add a definition; one without a docstring (an overload, a fallback) does not replace one that has it."""
    if definition and (definition.doc or definition.name not in defined):
        defined[definition.name] = definition


def _source(module: Module, statement: ast.ImportFrom) -> str:
    """The module that an import names, relative or not."""
    if not statement.level:
        return statement.module or ""
    parts = module.name.split(".")
    up = statement.level - module.is_package
    base = parts[: len(parts) - up] if up else parts
    return ".".join([*base, *([statement.module] if statement.module else [])])


def _definition(
    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, path: Path, owner: str = ""
) -> Definition | None:
    """What a `class` or `def` says; None for what is deprecated."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    if any("deprecate" in decorator.lower() and "deprecate_" not in decorator.lower() for decorator in decorators):
        return None
    doc = ast.get_docstring(node) or ""
    if isinstance(node, ast.ClassDef):
        return _class(node, path, doc)
    is_property = any(re.search(r"property|cache_readonly|getter", decorator) for decorator in decorators)
    kind = "function" if not owner else "property" if is_property else "method"
    signature = "" if is_property else _signature(node.name, node.args, bool(owner))
    return Definition(node.name, kind, doc, f"{path}:{node.lineno}", signature)


def _class(node: ast.ClassDef, path: Path, doc: str) -> Definition:
    found = Definition(node.name, "class", doc, f"{path}:{node.lineno}", bases=tuple(map(ast.unparse, node.bases)))
    for statement in _statements(node.body):
        match statement:
            case ast.Assign([ast.Name("__doc__")], text):
                found.doc = _text(text)
            case ast.FunctionDef(name="__init__") | ast.FunctionDef(name="__new__"):
                found.signature = _signature(node.name, statement.args, True)
            case ast.FunctionDef() | ast.AsyncFunctionDef() if not statement.name.startswith("_"):
                _keep(found.members, _definition(statement, path, node.name))
            case ast.Assign([ast.Name(name)], ast.Call(ast.Name("Accessor" | "CachedAccessor"), [_, ast.Name(other)])):
                found.accessors[name] = other
    return found


def _signature(name: str, arguments: ast.arguments, skip_first: bool) -> str:
    """`name(a, b=1, *args, c, **kwargs)`: as `def` has it, without types."""
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    parts = [_argument(argument.arg, default) for argument, default in zip(positional, defaults, strict=True)]
    parts = parts[1:] if skip_first else parts
    if arguments.vararg:
        parts.append(f"*{arguments.vararg.arg}")
    elif arguments.kwonlyargs:
        parts.append("*")
    parts += [_argument(a.arg, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    if arguments.kwarg:
        parts.append(f"**{arguments.kwarg.arg}")
    return f"{name}({', '.join(parts)})"


def _argument(name: str, default: ast.expr | None) -> str:
    return name if default is None else f"{name}={ast.unparse(default)}"


def _added(module_name: str, function: str, arguments: list[ast.expr]) -> Iterator[tuple[str, str, str, ast.expr]]:
    """What one call of `add_newdoc`, `add_docstr` or the like documents: module, class or nothing, name, text."""
    match arguments:
        case [ast.Constant(str(name)), ast.Constant(), doc] if function == "_array_method_doc":
            yield "numpy._core.multiarray", "ndarray", name, doc
        case [ast.Constant(str(target)), ast.Constant(str(name)), ast.Tuple() | ast.List() as methods]:
            pairs = methods.elts if isinstance(methods, ast.List) else [methods]
            for pair in pairs:
                if isinstance(pair, ast.Tuple) and len(pair.elts) == 2 and isinstance(pair.elts[0], ast.Constant):
                    yield target, name, str(pair.elts[0].value), pair.elts[1]
        case [ast.Constant(str(target)), ast.Constant(str(name)), doc]:
            yield target, "", name, doc
        case [ast.Constant(str(name)), doc] if module_name.startswith("torch."):
            yield "torch._tensor", "Tensor", name, doc
        case [ast.Constant(str(name)), doc]:
            yield "scipy.special._ufuncs", "", name, doc
        case [ast.Attribute(owner, name), doc]:
            yield ast.unparse(owner), "", name, doc


def _text(node: ast.expr) -> str:
    """The literal text of a docstring that is put together: `r"..." + "...".format(**common)`; blanks are left out."""
    return inspect.cleandoc(_literal(node))


def _literal(node: ast.expr) -> str:
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(parts):
            return "".join(map(_literal, parts))
        case ast.BinOp(left, ast.Add(), right):
            return _literal(left) + _literal(right)
        case ast.BinOp(left, ast.Mod(), _):
            return _PERCENT.sub("", _literal(left))
        case ast.Call(ast.Attribute(left, "format"), _):
            return _BRACES.sub("", _literal(left)).replace("{{", "{").replace("}}", "}")
        case ast.Call(ast.Attribute(left, "replace" | "strip"), _):
            return _literal(left)
        case ast.Call(_, [first, *_]):
            return _literal(first)
    return ""
