"""The corpus `python`: public names found in source files that are never imported."""

import sys
from pathlib import Path

import pytest

from textae.corpus import TableSpec, python_docs, read
from textae.corpus.python_docs import FEWEST_WORDS, plain
from textae.errors import CorpusError
from textae.types import Document, Skipped

SAID = " ".join(["word"] * FEWEST_WORDS)
"""Long enough; in a source, each `SAID` becomes a docstring of its own."""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `snakes`, installed but not importable: importing it would raise."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "snakes").mkdir()
    return tmp_path / "snakes"


def write(package: Path, **modules: str) -> None:
    for name, source in modules.items():
        path = package / f"{name.replace('__', '/') if name != '__init__' else name}.py"
        path.parent.mkdir(exist_ok=True)
        for number in range(source.count("SAID")):
            source = source.replace("SAID", f'"""{SAID} {name}{number}"""', 1)
        path.write_text(source)


def names(select: tuple[tuple[str, str], ...] = ()) -> list[str]:
    found = list(read(["python:snakes"], TableSpec(select=select)))
    assert "snakes" not in sys.modules
    return [item.id for item in found if isinstance(item, Document)]


def test_a_thing_has_the_shortest_name_under_which_it_can_be_imported(package: Path) -> None:
    write(
        package,
        __init__="from ._deep import python, adder as viper\nfrom .tree import *\nraise ImportError",
        _deep="def python(): SAID\ndef adder(): SAID\ndef hidden(): SAID",
        tree="__all__ = ['boa']\n__all__ += ['mamba']\ndef boa(): SAID\nclass mamba: SAID\ndef unlisted(): SAID",
        plain="from ._deep import hidden\ndef asp(): SAID\ndef _private(): SAID\ndef short(): 'says little'",
    )
    assert names() == ["snakes.boa", "snakes.mamba", "snakes.plain.asp", "snakes.python", "snakes.viper"]


def test_methods_go_with_the_class_that_defines_them_or_the_public_one_that_inherits_them(package: Path) -> None:
    write(
        package,
        __init__="from ._base import Base\nclass Snake(Base):\n  SAID\n  def bite(self): SAID\n"
        "  @property\n  def length(self): SAID\n  def _hide(self): SAID",
        _base="class _Root:\n  def crawl(self): SAID\nclass Base(_Root): pass",
    )
    write(package, other="from . import Snake\n__all__ = ['Snake']")
    assert names() == ["snakes.Base.crawl", "snakes.Snake", "snakes.Snake.bite", "snakes.Snake.length"]
    assert names(select=(("kind", "property"),)) == ["snakes.Snake.length"]


def test_lists_of_names_are_followed_to_where_they_are_written(package: Path) -> None:
    write(
        package,
        __init__="from . import a, b\nfrom .a import *\nfrom .b import *\n__all__ = a.__all__ + [*b.__all__]",
        a="__all__ = ['one']\ndef one(): SAID",
        b="__all__ = ('two',)\nif True:\n  def two(): SAID\nelse:\n  def two(): pass\ndef three(): SAID",
    )
    assert names() == ["snakes.one", "snakes.two"]


def test_docstrings_that_are_given_to_c_functions_are_found(package: Path) -> None:
    write(
        package,
        __init__=f'fast = _add_docstr(_c.fast, r"""{SAID} """ + "".format(**args))\n'
        "class Slow: pass\nSlow.__doc__ = SAID",
    )
    assert names() == ["snakes.Slow", "snakes.fast"]


def test_tests_private_and_deprecated_things_are_left_out(package: Path) -> None:
    write(
        package,
        __init__="@deprecated('2.0')\ndef old(): SAID",
        _private="def x(): SAID",
        tests__test_x="def test_x(): SAID",
    )
    assert names() == []


def test_what_says_the_same_as_another_is_left_out(package: Path) -> None:
    write(package, __init__=f'class A:\n  def same(self): "{SAID}"\nclass B:\n  def same(self): "{SAID}"')
    assert names() == ["snakes.A.same"]


def test_a_file_that_is_not_python_is_counted(package: Path) -> None:
    write(package, __init__="def good(): SAID", bad="def :")
    found = list(read(["python:snakes"]))
    assert [item.reason for item in found if isinstance(item, Skipped)] == ["not Python"]
    assert names() == ["snakes.good"]


def test_a_document_says_where_it_belongs(package: Path) -> None:
    write(package, __init__="", sub="def bite(who, times=2, *, hard: bool = False) -> None: SAID")
    (document,) = read(["python:snakes"])
    assert document == Document(
        "snakes.sub.bite",
        f"{SAID} sub0",
        "snakes.sub.bite",
        {
            "package": "snakes",
            "module": "snakes.sub",
            "kind": "function",
            "signature": "bite(who, times=2, *, hard=False)",
        },
        f"{package / 'sub.py'}:1",
        "python:snakes",
    )


@pytest.mark.parametrize("name", ["no_such_package", "scikit-learn", "os.path"])
def test_a_package_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(CorpusError, match=f"no package '{name}' with Python source is installed"):
        list(read([f"python:{name}"]))


def test_a_docstring_loses_its_markup_and_its_code() -> None:
    doc = """Smooth `x` with :func:`~scipy.signal.savgol_filter` or :class:`that <other>`.

Examples
--------
Make ``noise``:

>>> x = noise()
>>> for i in x:
...     print(i)
1.0

.. versionadded:: 1.2
.. note:: It is slow.
"""
    assert plain(doc) == (
        "Smooth x with scipy.signal.savgol_filter or that.\n\nExamples\nMake noise:\n\n\nIt is slow.".replace(
            "\n\n\n", "\n\n"
        )
    )


@pytest.fixture(scope="module")
def python() -> dict[str, Document]:
    return {item.id: item for item in read(["python"]) if isinstance(item, Document)}


@pytest.mark.parametrize(
    "name",
    [
        "numpy.arange",
        "numpy.linalg.norm",
        "numpy.ndarray.sort",
        "os.path",
        "pandas.DataFrame.fillna",
        "pandas.DataFrame.groupby",
        "pandas.Series.str.extract",
        "scipy.interpolate.UnivariateSpline",
        "scipy.interpolate.make_smoothing_spline",
        "scipy.ndimage.gaussian_filter",
        "scipy.signal.medfilt",
        "scipy.signal.savgol_filter",
        "scipy.stats.norm",
        "scipy.stats.siegelslopes",
        "scipy.stats.theilslopes",
        "sklearn.cluster.AffinityPropagation",
        "sklearn.cluster.DBSCAN",
        "sklearn.cluster.HDBSCAN",
        "sklearn.cluster.MeanShift",
        "sklearn.linear_model.HuberRegressor",
        "sklearn.linear_model.RANSACRegressor",
        "tempfile.TemporaryDirectory",
        "torch.abs",
        "torch.nn.Conv2d",
        "torch.nn.Linear",
        "torch.optim.Adam",
    ],
)
def test_what_people_import_is_there_under_the_name_that_they_import(python: dict[str, Document], name: str) -> None:
    assert name in python


def test_the_documentation_of_python_is_some_nine_thousand_documents(python: dict[str, Document]) -> None:
    assert 7_000 < len(python) < 12_000
    assert {str(document.fields["package"]) for document in python.values()} == {
        "python",
        "numpy",
        "scipy",
        "sklearn",
        "pandas",
        "torch",
    }
    assert not [name for name in python if any(part.startswith("_") for part in name.split("."))]


GONE = {  # from the newer ones of the versions that textae runs with
    "distutils": "not in Python from 3.12",
    "lib2to3": "not in Python from 3.13",
    "numpy.distutils": "not in NumPy where Python is 3.12 or newer",
    "torch.utils.bottleneck": "not in the newest torch",
}
LISTED = [
    (package, name)
    for lists in (python_docs._LEFT_OUT, python_docs._ADDED_DOCS)
    for package in lists
    for name in lists[package]
]


@pytest.mark.parametrize(("package", "name"), LISTED)
def test_each_module_that_is_listed_is_one_that_is_installed(package: str, name: str) -> None:
    root = python_docs._root(package)
    assert root
    path = root.joinpath(*name.split("."))
    if not path.exists() and name in GONE:
        pytest.skip(GONE[name])
    assert path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize("owner", python_docs._FIRST)
def test_each_class_whose_methods_come_first_has_some(python: dict[str, Document], owner: str) -> None:
    assert any(name.startswith(owner) for name in python)
