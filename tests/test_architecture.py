"""Imports point one way, and a search from a cold shell waits for nothing that it does not need."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import textae

PACKAGE = Path(textae.__file__).parent
MODULES = {path: ".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in sorted(PACKAGE.rglob("*.py"))}

FLOORS = (
    ("types", "errors", "files"),
    ("encoding", "config"),
    ("corpus", "training"),
    ("index",),
    ("search",),
    ("explore", "evaluation"),
    ("views",),
    ("engine", "estimators", "cluster"),
    ("remote",),
    ("frames", "app"),
    ("__main__", "__init__"),
)
"""From the ground up. A module imports from the floors below its own, and from its own room."""

FLOOR = {name: height for height, names in enumerate(FLOORS) for name in names}

HEAVY = ("torch", "faiss", "sklearn", "pandas", "scipy", "pyarrow", "ir_measures", "matplotlib", "PIL", "openpyxl")


def imported(path: Path) -> set[str]:
    """The dotted names that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def part(module: str) -> str:
    """The file or folder of the package that a module is, or is in."""
    return module.split(".")[0]


def test_every_module_has_its_floor() -> None:
    assert {part(module) for module in MODULES.values()} == FLOOR.keys()


@pytest.mark.parametrize("path", MODULES, ids=MODULES.values())
def test_no_arrow_points_back(path) -> None:
    own = part(MODULES[path])
    inside = {part(name.removeprefix("textae.")) for name in imported(path) if name.startswith("textae.")}
    assert inside <= FLOOR.keys()
    back = {name for name in inside - {own} if FLOOR[name] >= FLOOR[own]}
    assert not back, f"{own} imports {', '.join(sorted(back))}, which stand beside or above it"


@pytest.mark.parametrize("path", MODULES, ids=MODULES.values())
def test_torch_is_imported_where_learning_is_and_nowhere_else(path) -> None:
    uses = any(name.split(".")[0] == "torch" for name in imported(path))
    assert not uses or part(MODULES[path]) == "training"


@pytest.mark.parametrize("path", MODULES, ids=MODULES.values())
def test_nothing_is_pickled(path) -> None:
    """An index from a stranger can be wrong, never code."""
    roots = {name.split(".")[0] for name in imported(path)}
    assert not roots & {"pickle", "joblib", "marshal", "shelve", "dill", "cloudpickle"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert ast.literal_eval(node.value) is False


def modules_after(program: str) -> set[str]:
    """The top-level modules that a fresh Python holds when it has run a program."""
    told = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True, cwd=PACKAGE.parent,
    )  # fmt: skip
    return {name.split(".")[0] for name in told.stdout.split()}


ON_THE_WAY_OF_A_SEARCH = """
import textae.app.cli, textae.engine
from textae.search.snippet import snippets
from textae.encoding.analyzer import Analysis, Document, searchable
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.vocabulary import Vocabulary
vectorizer = Vectorizer(Analysis.of("english"), Vocabulary.of(["cat", "sat"]))
bags = vectorizer.transform(["cats"])
snippets([searchable(Document("1", "the cats sat", "title"))], vectorizer.analysis.term_of, {"cat": 1.0})
"""


def test_a_search_imports_nothing_heavy() -> None:
    loaded = modules_after(ON_THE_WAY_OF_A_SEARCH)
    assert not loaded & set(HEAVY)
    assert {"numpy", "whoosh", "Stemmer"} <= loaded


def test_the_shell_alone_does_not_even_import_numpy() -> None:
    assert not modules_after("import textae, textae.app.cli") & {"numpy", "whoosh", *HEAVY}


def test_the_public_names() -> None:
    assert textae.__all__ == [
        "AutoEncoder",
        "BagOfWords",
        "CodeClassifier",
        "Document",
        "Engine",
        "Hit",
        "ModelSpec",
        "Prediction",
        "Query",
        "Ranking",
        "Skipped",
        "TextaeError",
        "TrainSpec",
        "corpus",
        "frames",
        "read",
    ]


def test_completion_shows_the_public_names_and_no_others() -> None:
    names = subprocess.run(
        [sys.executable, "-c", "import textae; print(*dir(textae))"],
        capture_output=True, text=True, check=True, cwd=PACKAGE.parent,
    ).stdout.split()  # fmt: skip
    assert [name for name in names if not name.startswith("_")] == sorted(textae.__all__)


@pytest.mark.parametrize("name", textae.__all__)
def test_a_public_name_is_what_its_module_calls_so(name) -> None:
    thing = getattr(textae, name)
    assert thing.__doc__
    if name in ("corpus", "frames"):
        assert thing is import_module(f"textae.{name}")
        return
    assert thing.__name__ == name
    assert getattr(import_module(thing.__module__), name) is thing


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'textae' has no attribute 'Magic'"):
        textae.Magic  # noqa: B018
