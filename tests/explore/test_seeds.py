"""The lines that say which topics a person wants."""

import pytest

from textae.errors import QueryError
from textae.explore.seeds import Seed, checked, seed_of


@pytest.mark.parametrize(
    ("line", "seed"),
    [
        ("baking: bread, oven", Seed("baking", ("bread", "oven"), ())),
        ("bread, oven and dough", Seed("", ("bread", "oven and dough"), ())),
        ("Rye bread : id:notes/rye.md,oven", Seed("Rye bread", ("oven",), ("notes/rye.md",))),
        ("id:a:1, comet", Seed("", ("comet",), ("a:1",))),
        ("comet, id:a:1", Seed("", ("comet",), ("a:1",))),
        ("time: 12:30", Seed("time", ("12:30",), ())),
        ("a: , ,", Seed("a", (), ())),
    ],
)
def test_a_line_is_a_seed(line, seed) -> None:
    assert seed_of(line) == seed


def test_empty_lines_are_left_out() -> None:
    assert checked(["", " a: comet ", "\t", "bread"]) == ["a: comet", "bread"]


@pytest.mark.parametrize("line", [": comet", "a\x07: comet", f"{'x' * 101}: comet"])
def test_a_name_that_cannot_be_one(line) -> None:
    with pytest.raises(QueryError, match="cannot be a name"):
        checked(["bread", line])
