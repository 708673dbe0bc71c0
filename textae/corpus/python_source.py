"""The definitions and docstrings in Python source files, which are parsed with `ast` and never imported.

`Sources` parses each module of a package once and resolves names. It follows `from ._x import name as alias`,
`from ._x import *`, plain assignments and `__all__`, as the import system does, and finds the docstrings that Python
code gives to C functions (`add_newdoc` in NumPy and SciPy, `add_docstr` in torch).

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
    """A class, function or method, and its documentation.

    Attributes:
        name: in its definition; an alias is another name.
        kind: class, function, method or property.
        doc: its docstring, without the indentation.
        place: the file, and the line of a `class` or `def`.
        signature: `name(a, b=1)`, without types; empty where it is unknown.
        members: the methods and properties of a class.
        bases: of a class, as written.
        accessors: of a class, by attribute: the class with its methods (pandas' `Series.str`).
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
        imported: the origin of each name, as (module, name there); the name is "" for a module itself.
        stars: modules of `from module import *`.
        exported: `__all__`; None where there is none, or where only running the module would tell.
        added: docstrings for other modules, as (module, class or "", definition).
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
        """Whether it holds other modules."""
        return self.path.name == "__init__.py"


class Sources:
    """The modules below one folder of `sys.path`, parsed on demand.

    Args:
        root: the folder that holds the packages.

    Attributes:
        modules: those parsed so far, by name; None for a name without a source file.
        unreadable: files that are not Python.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.modules: dict[str, Module | None] = {}
        self._added: dict[str, dict[str, Definition]] = {}
        self.unreadable: list[Path] = []

    def module(self, name: str) -> Module | None:
        """The module of that name; None where it has no source file."""
        if name not in self.modules:
            self.modules[name] = None  # a package that imports itself ends here
            path = self._root.joinpath(*name.split("."))
            files = (path / "__init__.py", path.with_name(path.name + ".py"))
            file = next((file for file in files if file.is_file()), None)
            self.modules[name] = self._parse(name, file) if file else None
        return self.modules[name]

    def take_added_docs(self, name: str) -> None:
        """Read a module whose calls of `add_newdoc` or `add_docstr` document other modules' C code."""
        module = self.module(name)
        for target, owner, definition in module.added if module else ():
            added = self._added.setdefault(target, {})
            if owner:
                cls = self.resolve(target, owner) or added.setdefault(owner, Definition(owner, "class", "", ""))
                cls.members.setdefault(definition.name, definition)
            else:
                added.setdefault(definition.name, definition)

    def public_names(self, module: Module) -> list[str]:
        """The names in `__all__`, else those defined in the module and, of a package, imported from its own parts."""
        names = module.exported if module.exported is not None else self._visible(module, set())
        return [name for name in dict.fromkeys([*names, *self._added.get(module.name, ())]) if not name.startswith("_")]

    def resolve(self, module_name: str, name: str, visited: set[tuple[str, str]] | None = None) -> Definition | None:
        """The definition behind a name of a module, through imports and assignments; None where there is none."""
        visited = set() if visited is None else visited  # names on the way, since imports may go in circles
        if (module_name, name) in visited:
            return None
        visited.add((module_name, name))
        module = self.module(module_name)
        definition = (module.defined.get(name) if module else None) or self._added.get(module_name, {}).get(name)
        if definition or module is None:
            return definition
        if name in module.imported:
            source, original = module.imported[name]
            return self.resolve(source, original, visited) if original else None
        return next(filter(None, (self.resolve(star, name, visited) for star in module.stars)), None)

    def _visible(self, module: Module, visited: set[str]) -> Iterator[str]:
        visited.add(module.name)
        yield from module.defined
        folder = module.name if module.is_package else module.name.rpartition(".")[0]
        gathers = module.is_package or module.name.rpartition(".")[2].startswith("_")
        for name, (source, original) in module.imported.items():
            if original and (source == module.name or (gathers and source.startswith(f"{folder}."))):
                yield name
        for source in module.stars:
            yield from self._added.get(source, ())
            starred = self.module(source)
            if starred and source not in visited:
                yield from starred.exported if starred.exported is not None else self._visible(starred, visited)

    def _parse(self, name: str, path: Path) -> Module | None:
        try:
            with warnings.catch_warnings():  # "\d" in a docstring of somebody else's
                warnings.simplefilter("ignore")
                tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, OSError, RecursionError):
            self.unreadable.append(path)
            return None
        module = Module(name, path, ast.get_docstring(tree) or "")
        readable = True
        for statement in _statements(tree.body):
            _take(module, statement)
            part: ast.expr | None = None
            start = module.exported or []
            match statement:
                case ast.Assign([ast.Name("__all__")], part) | ast.AnnAssign(ast.Name("__all__"), _, part):
                    start = []
                case ast.AugAssign(ast.Name("__all__"), _, part):
                    pass
                case ast.Expr(ast.Call(ast.Attribute(ast.Name("__all__"), "extend" | "append"), [part])):
                    pass
            if part and readable:
                more = _listed(self, module, part)
                readable = more is not None
                module.exported = None if more is None else start + more
        return module


def _listed(sources: Sources, module: Module, node: ast.expr) -> list[str] | None:
    """The strings of `["a", *b.__all__] + c.__all__`, or None."""
    match node:
        case ast.List(elements) | ast.Tuple(elements) | ast.Set(elements):
            parts = [_listed(sources, module, element) for element in elements]
            return None if None in parts else [name for part in parts if part for name in part]
        case ast.Constant(str(name)):
            return [name]
        case ast.Starred(value) | ast.Call(ast.Name("list" | "tuple" | "sorted"), [value]):
            return _listed(sources, module, value)
        case ast.BinOp(left, ast.Add(), right):
            return _listed(sources, module, ast.List([left, right]))
        case ast.Attribute(ast.Name(part), "__all__") if part in module.imported:
            source, name = module.imported[part]
            other = sources.module(f"{source}.{name}" if name else source)
            return other.exported if other else None
    return None


def _statements(body: Sequence[ast.stmt | ast.ExceptHandler]) -> Iterator[ast.stmt]:
    """The statements of a body, and those under `if`, `try` and `with`, on all branches."""
    for statement in body:
        if isinstance(statement, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            for part in ("handlers", "body", "orelse", "finalbody"):  # later names win: `try` over its handlers
                yield from _statements(getattr(statement, part, ()))
        else:
            yield statement


def _take(module: Module, statement: ast.stmt) -> None:
    """Record what one statement defines, imports or documents."""
    match statement:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            _keep(module.defined, _definition(statement, module.path))
        case ast.Import(names):
            for alias in names:
                if alias.asname:
                    module.imported[alias.asname] = (alias.name, "")
        case ast.ImportFrom(names=names):
            source = statement.module or ""
            if statement.level:  # of the packages that the module is in, all but the last level - 1
                packages = module.name.split(".")
                up = statement.level - module.is_package
                source = ".".join([*packages[: len(packages) - up], *filter(None, [statement.module])])
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
                # The object is documented by its class, and stands for it.
                cls = module.defined.pop(other)
                module.defined[name] = replace(cls, name=name, signature="", doc=_PERCENT.sub("", cls.doc))
        case ast.Expr(ast.Call(ast.Name(name), arguments)) if _ADD_DOC.fullmatch(name):
            for target, owner, member, doc in _added(module.name, name, arguments):
                if not member.startswith("_"):
                    kind = "method" if owner else "function"
                    module.added.append((target, owner, Definition(member, kind, _text(doc), str(module.path))))


def _keep(defined: dict[str, Definition], definition: Definition | None) -> None:
    """Add a definition; one without a docstring (an overload, a fallback) does not replace one that has it."""
    if definition and (definition.doc or definition.name not in defined):
        defined[definition.name] = definition


def _definition(
    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, path: Path, owner: str = ""
) -> Definition | None:
    """The definition of a `class` or `def`; None if it is deprecated."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    if any("deprecate" in decorator.lower() and "deprecate_" not in decorator.lower() for decorator in decorators):
        return None
    definition = Definition(node.name, "class", ast.get_docstring(node) or "", f"{path}:{node.lineno}")
    if not isinstance(node, ast.ClassDef):
        is_property = any(re.search(r"property|cache_readonly|getter", decorator) for decorator in decorators)
        definition.kind = "function" if not owner else "property" if is_property else "method"
        if not is_property:
            definition.signature = _signature(node.name, node.args, is_method=bool(owner))
        return definition
    definition.bases = tuple(map(ast.unparse, node.bases))
    for statement in _statements(node.body):
        match statement:
            case ast.Assign([ast.Name("__doc__")], text):
                definition.doc = _text(text)
            case ast.FunctionDef("__init__" | "__new__"):
                definition.signature = _signature(node.name, statement.args, is_method=True)
            case ast.FunctionDef() | ast.AsyncFunctionDef() if not statement.name.startswith("_"):
                _keep(definition.members, _definition(statement, path, node.name))
            case ast.Assign([ast.Name(name)], ast.Call(ast.Name("Accessor" | "CachedAccessor"), [_, ast.Name(other)])):
                definition.accessors[name] = other
    return definition


def _signature(name: str, arguments: ast.arguments, *, is_method: bool) -> str:
    """`name(a, b=1, *args, c, **kwargs)`: as in the `def`, without types and `self`."""
    arguments.args = [*arguments.posonlyargs, *arguments.args][is_method:]
    arguments.posonlyargs = []
    arguments.defaults = arguments.defaults[max(0, len(arguments.defaults) - len(arguments.args)) :]
    for argument in filter(None, (*arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg)):
        argument.annotation = None
    return f"{name}({ast.unparse(arguments)})"


def _added(module_name: str, function: str, arguments: list[ast.expr]) -> Iterator[tuple[str, str, str, ast.expr]]:
    """The module, the class or "", the name and the text in a call of `add_newdoc`, `add_docstr` or the like."""
    match arguments:
        case [ast.Constant(str(name)), ast.Constant(), doc] if function == "_array_method_doc":
            yield "numpy._core.multiarray", "ndarray", name, doc
        case [ast.Constant(str(target)), ast.Constant(str(name)), ast.Tuple() | ast.List() as methods]:
            for pair in methods.elts if isinstance(methods, ast.List) else [methods]:
                match pair:
                    case ast.Tuple([ast.Constant(method), doc]):
                        yield target, name, str(method), doc
        case [ast.Constant(str(target)), ast.Constant(str(name)), doc]:
            yield target, "", name, doc
        case [ast.Constant(str(name)), doc] if module_name.startswith("torch."):
            yield "torch._tensor", "Tensor", name, doc
        case [ast.Constant(str(name)), doc]:
            yield "scipy.special._ufuncs", "", name, doc
        case [ast.Attribute(owner, name), doc]:
            yield ast.unparse(owner), "", name, doc


def _text(node: ast.expr) -> str:
    """The literal text of a composed docstring: `r"..." + "...".format(**common)`, without the placeholders."""
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
        case ast.Call(ast.Attribute(text, "replace" | "strip"), _) | ast.Call(_, [text, *_]):
            return _literal(text)
    return ""
