"""The corpus `python`: the documentation of installed packages, read from their source files.

Each public module, class, function, method and property with a docstring of at least `FEWEST_WORDS` words is a
document. Its id is the name that people import. Of all public dotted names of a thing, names that end as it was defined
come first, then names with fewer dots, then shorter names, then the alphabet decides: `scipy.signal.savgol_filter`,
though the function is written in `scipy/signal/_savitzky_golay.py`. A name is public when no part of it starts with an
underscore and its module offers it (`python_source.Sources.public_names`).

Of equal texts in one package ("Get metadata routing of this object", thirty times) only the first is kept. A method
belongs to the class that defines it; where that class has no public name, to the public classes that inherit it.
Things that exist only in C have no source to read: built-in functions, NumPy's ufuncs, `numpy.random.Generator`.
"""

import importlib.util
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from textae.corpus.python_source import Definition, Module, Sources
from textae.errors import CorpusError
from textae.types import Document, Skipped

FEWEST_WORDS = 20
"""Words of a docstring, at least; a shorter one adds little to the name."""

STANDARD_LIBRARY = "python"
"""The package name of the standard library."""

_NOT_DOCUMENTATION = {"tests", "test", "testing", "conftest", "setup", "externals", "vendored", "vendor"}
_LEFT_OUT = {  # public by name alone: nobody imports them, or they are about to go
    STANDARD_LIBRARY: "antigravity distutils encodings ensurepip genericpath idlelib lib2to3 ntpath turtledemo".split(),  # noqa: SIM905
    "numpy": ("numpy.f2py", "numpy.distutils", "numpy.core", "numpy.ma.testutils"),
    "pandas": ("pandas.core", "pandas.compat", "pandas.io", "pandas.util"),
    "torch": (
        *("torch.ao", "torch.backends", "torch.contrib", "torch.distributed", "torch.export", "torch.fx", "torch.jit"),
        *("torch.onnx", "torch.nn.intrinsic", "torch.nn.qat", "torch.nn.quantizable", "torch.nn.quantized"),
        *("torch.package", "torch.quantization", "torch.utils.benchmark", "torch.utils.bottleneck"),
        *("torch.utils.hipify", "torch.utils.model_dump"),
    ),
}
_PUBLIC_NAMES = {"posixpath": "os.path"}  # the name under which a module is imported, if not its file's
_FIRST = ("pandas.DataFrame.", "pandas.Series.")  # of several classes that share a method, those that name it
_ADDED_DOCS = {
    "numpy": ("numpy._core._add_newdocs",),
    "scipy": ("scipy.special._add_newdocs", "scipy.sparse.linalg._dsolve._add_newdocs"),
    "torch": ("torch._torch_docs", "torch._tensor_docs"),
}

_ROLE = re.compile(r":[a-zA-Z][\w:+-]*:`~?([^`]+)`")
_TICKS = re.compile(r"``?([^`\n]+)``?(?:_\b)?")
_TARGET = re.compile(r"^(.+?)\s*<[^>]*>$")
_RULE = re.compile(r"[-=~^*#.]{3,}")
_DIRECTIVE = re.compile(r"\s*\.\. ([\w:-]+)::\s*(.*)")


def read_packages(names: Sequence[str], *, missing_is_an_error: bool) -> Iterator[Document | Skipped]:
    """The documentation of packages, one after the other, each in the order of its names.

    Args:
        names: as they are imported; `STANDARD_LIBRARY` for the standard library.
        missing_is_an_error: otherwise a package that is not installed is skipped.

    Raises:
        CorpusError: a package is not installed or has no source files.
    """
    for name in names:
        root = _root(name)
        if root:
            yield from _read_package(name, root)
        elif missing_is_an_error:
            what = f"no package {name!r} with Python source is installed beside textae"
            raise CorpusError(f"python:{name}: {what}; give the name for 'import'")
        else:
            yield Skipped(name, "not installed")


def plain(doc: str) -> str:
    """A docstring without Sphinx's markup, rules under headings, and code sessions."""
    lines = []
    in_session = False
    for line in doc.splitlines():
        bare = line.strip()
        in_session = bare.startswith((">>>", "...")) or (in_session and bool(bare))
        if in_session or _RULE.fullmatch(bare):
            continue
        if directive := _DIRECTIVE.match(line):
            if directive[1] in {"math", "note", "warning", "seealso", "tip", "important"}:
                lines.append(directive[2])
            continue
        lines.append(_TICKS.sub(r"\1", _ROLE.sub(lambda role: _TARGET.sub(r"\1", role[1]), line)))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _root(name: str) -> Path | None:
    """The folder of `sys.path` that holds a package's source; the package is not imported."""
    if name == STANDARD_LIBRARY or name in sys.stdlib_module_names:
        return Path(sysconfig.get_path("stdlib"))
    try:
        spec = importlib.util.find_spec(name) if name.isidentifier() else None
    except ValueError:  # a module without a spec, such as __main__
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    folder = Path(spec.origin).parent
    return folder.parent if spec.submodule_search_locations else folder


def _read_package(name: str, root: Path) -> Iterator[Document | Skipped]:
    sources = Sources(root)
    for added in _ADDED_DOCS.get(name, ()):
        sources.take_added_docs(added)
    modules = [module for dotted in _public_modules(name, root) if (module := sources.module(dotted))]
    documents: dict[str, Document] = {}
    for module in modules:
        public = _PUBLIC_NAMES.get(module.name, module.name)
        module_fields = {"package": name, "module": public, "kind": "module"}
        documents[public] = Document(public, plain(module.doc), public, module_fields, str(module.path))
    for definition, public in _public_definitions(sources, modules).items():
        owner, kind = public.rpartition(".")[0], definition.kind
        fields = {"package": name, "module": owner, "kind": kind, "signature": definition.signature}
        documents[public] = Document(public, plain(definition.doc), public, fields, definition.place)
    texts: set[str] = set()
    for public in sorted(documents):
        text = documents[public].text
        if len(text.split()) >= FEWEST_WORDS and text not in texts:
            texts.add(text)
            yield documents[public]
    for path in sorted(sources.unreadable):
        yield Skipped(str(path), "not Python")


def _public_modules(name: str, root: Path) -> Iterator[str]:
    """The dotted names of the public modules of a package, in order."""
    left_out = _LEFT_OUT.get(name, ())
    tops = sorted(sys.stdlib_module_names) if name == STANDARD_LIBRARY else [name]
    for top in tops:
        if top in left_out or not _is_public(top):
            continue
        if (root / f"{top}.py").is_file():
            yield top
        for path in sorted((root / top).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            dotted = ".".join(parts)
            if all(map(_is_public, parts)) and not any(f"{dotted}.".startswith(f"{other}.") for other in left_out):
                yield dotted


def _is_public(part: str) -> bool:
    return part.isidentifier() and not part.startswith("_") and part not in _NOT_DOCUMENTATION


def _public_definitions(sources: Sources, modules: Iterable[Module]) -> dict[Definition, str]:
    """The best public name of each definition."""
    best: dict[Definition, str] = {}

    def offer(definition: Definition, public: str) -> None:
        best[definition] = min(best.get(definition, public), public, key=partial(_rank, definition))

    for module in modules:
        for name in sources.public_names(module):
            if definition := sources.resolve(module.name, name):
                offer(definition, f"{_PUBLIC_NAMES.get(module.name, module.name)}.{name}")
    parsed = filter(None, sources.modules.values())
    homes = {definition: module.name for module in parsed for definition in module.defined.values()}
    for definition, public in list(best.items()):
        for name, member in _members(sources, definition, homes, best):
            offer(member, f"{public}.{name}")
    return best


def _rank(definition: Definition, public: str) -> tuple[bool, int, int, int, str]:
    renamed = public.rpartition(".")[2] != definition.name
    first = next((at for at, owner in enumerate(_FIRST) if public.startswith(owner)), len(_FIRST))
    return renamed, first, public.count("."), len(public), public


def _members(
    sources: Sources, owner: Definition, homes: dict[Definition, str], public: dict[Definition, str]
) -> Iterator[tuple[str, Definition]]:
    """The methods of a class: its own, those of bases that have no public name, those behind an accessor."""
    yield from owner.members.items()
    home = homes.get(owner)
    if home is None:
        return
    for base in owner.bases:
        if (inherited := sources.resolve(home, base)) and inherited not in public:
            yield from _members(sources, inherited, homes, public)
    for attribute, name in owner.accessors.items():
        if (behind := sources.resolve(home, name)) and behind not in public:
            for method, definition in behind.members.items():
                yield f"{attribute}.{method}", definition
