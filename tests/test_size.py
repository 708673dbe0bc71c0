"""The package stays small: limits of its lines of code, modules, classes and functions, and how they are measured."""

from pathlib import Path

import pytest

import lines

CODE, MODULE, METHODS, PARAMETERS = 24_370, 400, 25, 8
"""CODE was 12,700 before what strangers send was checked: 900 lines for indexes, 370 for clients and signals, 340 for
documents. It was 14,500 before all usual files were read: 1,900 lines for their kinds, 850 for a careful shell, 650 for
places in files and originals, 250 for words; then 150 for feeds, charts and guesses of encodings. It was 18,350 before
assistants and programs: 500 lines; then 310 for names, 120 for passages, 170 for the page's search, the draws of long
documents and the scale of scores; then 105 for indexes of bits alone, 610 for vectors of the user's own, and 405 for
topics that a person corrects. It was 20,700 before more than one machine: 1,700 lines for datasets of shards, 1,170 for
Milvus; then 215 for vectors in topics and maps, 310 for serving pictures and their labels. It was 24,000 before all
cores tokenised: 160 lines; then 60 for encoding by Dask and for workers whose driver was killed, and 40 for damaged
datasets that are replaced and for names and floats of large indexes; then 20 for searches that leave codes out, and 90
for datasets that grow and addresses with a slip. Only a feature may raise it, by what it needs."""

EXEMPT = {("estimators.py", "AutoEncoder.__init__")}
"""scikit-learn reads each hyper-parameter from the signature of the constructor."""

MODULES = lines.package()

SOURCE = '''"""A docstring
of two lines."""

import os  # why


class A:
    """Documented."""

    x: int = 1
    """Documented, too."""

    def method(self, a, /, b, *rest, c=1, **others):
        # A comment alone.
        text = """not a docstring
        """
        return lambda y, z: (
            y
        )

    @staticmethod
    def static(a):
        def inner(self): ...
'''


def test_the_package_stays_small() -> None:
    assert sum(module.code for module in MODULES.values()) <= CODE


@pytest.mark.parametrize("path", MODULES)
def test_a_module_stays_small(path: str) -> None:
    module = MODULES[path]
    assert module.lines <= MODULE
    assert {name: n for name, n in module.methods.items() if n > METHODS} == {}
    many = {name: n for name, n in module.parameters.items() if n > PARAMETERS and (path, name) not in EXEMPT}
    assert many == {}


def test_lines_methods_and_parameters_are_counted(tmp_path: Path) -> None:
    """Code: import, class, x, def, text (2), return (3), @staticmethod, def, def."""
    (tmp_path / "module.py").write_text(SOURCE)
    size = lines.measure(tmp_path / "module.py")
    assert (size.code, size.lines) == (12, 23)
    assert size.methods == {"A": 2}
    assert size.parameters == {"A.method": 5, "A.static": 1, "A.static.inner": 1}
