"""The index of fields: what is found by which value."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.index.fields import FieldIndex, Range, _sortable

NUMBERS = st.one_of(st.integers(-(10**400), 10**400), st.floats())
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | NUMBERS
    | st.text(max_size=20)
    | st.sampled_from(["", " ", "\0", "\ud800", "2012-05-03"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def index(*values: object) -> FieldIndex:
    """An index of documents whose field `f` has these values in turn."""
    return FieldIndex.of((str(row), "", {"f": value}) for row, value in enumerate(values))


def rows(found) -> list[int]:
    assert found.dtype == np.int32
    return sorted(set(found.tolist()))


def equal(value: str, *values: object) -> list[int]:
    return rows(index(*values).equal("f", value))


def between(stretch: Range, *values: object) -> list[int]:
    return rows(index(*values).between("f", stretch))


class TestEqual:
    def test_a_string_whatever_its_case_form_and_blanks(self) -> None:
        assert equal("new  york", "New York", "NEW\nYORK", "Newark", "Ｎｅｗ　Ｙｏｒｋ") == [0, 1, 3]

    def test_a_word_of_a_string(self) -> None:
        assert equal("curie", "Marie Curie", "Curie, Pierre", "curies", "curie") == [0, 1, 3]

    def test_words_side_by_side(self) -> None:
        assert equal("marie curie", "Marie Curie", "Dr Marie Curie-Joliot", "Curie, Marie", "anne-marie curie") == [
            0,
            1,
            3,
        ]
        assert equal("marie curie", "rosemarie curie", "marie curies") == []

    def test_marks_count(self) -> None:
        assert equal("c++", "C++", "C", "C and C++ and D", "C+") == [0, 2]
        assert equal("os.path", "os.path", "os path", "os.path.join", "macos.path") == [0, 2]
        assert equal("a/b", "x/a/b/c", "x/aa/b") == [0]

    def test_unspaced_script(self) -> None:
        assert equal("文档", "文档检索", "检索文档", "文", "档") == [0, 1]
        assert equal("文档检", "文档检索", "检索文档") == [0]

    def test_the_whole_value(self) -> None:
        def whole(value: str, *values: object) -> list[int]:
            return rows(index(*values).whole("f", value))

        assert whole("c", "C", "C++", "c#", ["Go", "C"], "C and D", "Ｃ") == [0, 3, 5]
        assert whole("new  york", "New York", "New York City") == [0]
        assert whole("2010", 2010, 2010.0, "2010", "in 2010", "2010-05-03", 20100) == [0, 1, 2]
        assert whole("x" * 2_000, "x" * 2_000, "x") == [0]

    def test_a_number_however_it_is_written(self) -> None:
        assert equal("2010", 2010, 2010.0, "2010", "in 2010", 2010.5, 20100) == [0, 1, 2, 3]
        assert equal("2010.0", 2010, 2010.0, 2010.5) == [0, 1]
        assert equal("-5", -5, 5, [-5.0]) == [0, 2]
        assert equal("0", 0, -0.0, False) == [0, 1]

    def test_whole_numbers_that_no_double_tells_apart(self) -> None:
        assert equal(str(2**60 + 1), 2**60, 2**60 + 1) == [1]

    def test_strings_of_digits_are_strings(self) -> None:
        """Ids: the page 1.10 isn't the page 1.1."""
        assert equal("1.1", "1.1", "1.10", 1.1) == [0, 2]
        assert equal("007", "7", "007") == [1]

    def test_truth(self) -> None:
        assert equal("TRUE", True, False, "true", 1) == [0, 2]

    def test_the_beginning_of_a_date(self) -> None:
        values = ("2012-05-03", "2012-05-30T10:00:00+02:00", "2012-06-01", "Thu, 3 May 2012 23:59:00 -0700")
        assert equal("2012-05", *values) == [0, 1, 3]
        assert equal("2012-05-03", *values) == [0, 3]
        assert equal("2012", *values) == [0, 1, 2, 3]

    def test_each_element_of_a_list(self) -> None:
        assert equal("b", ["a", "b"], ["c", ["b"]], "a") == [0, 1]

    def test_a_long_string_by_its_beginning_and_all_its_words(self) -> None:
        text = f"first {'filler ' * 300} last word"
        assert equal("first filler", text) == [0]
        assert equal("word", text) == [0]

    @pytest.mark.parametrize("nothing", [None, "", "  ", [], {}, math.nan, [None]])
    def test_what_is_not_there(self, nothing) -> None:
        assert rows(index(nothing, "x").present("f")) == [1]


class TestBetween:
    def test_numbers(self) -> None:
        values = (2, 10, 9.5, -3, "10", 100, "ten", None)
        assert between(Range("2", "10"), *values) == [0, 1, 2, 4]
        assert between(Range("2", "10", exclude_low=True, exclude_high=True), *values) == [2]
        assert between(Range(None, "9"), *values) == [0, 3]
        assert between(Range("10", None), *values) == [1, 4, 5]

    def test_a_year_stands_for_all_its_days(self) -> None:
        values = ("2009-12-31", "2010-01-01", "2012-12-31T23:59:59Z", "2013-01-01", 2011, "May 2011")
        assert between(Range("2010", "2012"), *values) == [1, 2, 4]
        assert between(Range("2010", "2012", exclude_low=True, exclude_high=True), *values) == [4]
        assert between(Range("2012", None, exclude_low=True), *values) == [3]
        assert between(Range("2010-01", "2012-11"), *values) == [1]

    def test_dates_of_mail_are_those_on_the_clock_of_who_wrote(self) -> None:
        values = (
            "Fri, 04 May 2012 00:30:00 +0900",
            "4 May 2012 10:00 GMT",
            "Fri, 99 May 2012 00:30",
            "2012-05-03 23:00",
        )
        assert between(Range("2012-05-04", "2012-05-04T08"), *values) == [0]
        assert between(Range("2012-05-03", "2012-05-04"), *values) == [0, 1, 3]

    def test_zones_are_left_out_of_both(self) -> None:
        values = ("2012-05-03T10:00:00Z", "2012-05-03 10:00+02:00", "2012-05-03T11:00:00.5-0700", "2012-05-03")
        assert between(Range("2012-05-03T10:00Z", "2012-05-03 10:30 +0900"), *values) == [0, 1]
        assert equal("2012-05-03T10:00", *values) == [0, 1]

    def test_strings(self) -> None:
        assert between(Range("b", "d"), "a", "B", "carl", "dora", "e", "2") == [1, 2, 3]
        assert between(Range("b", "d", exclude_low=True, exclude_high=True), "a", "B", "carl", "dora", "e") == [2]

    @pytest.mark.parametrize("ends", [("5", "1"), ("2012-05-03", "2012-05-02"), ("b", "a"), ("-1", "-2")])
    def test_nothing_lies_between_ends_that_fall(self, ends) -> None:
        assert Range(*ends).is_empty()
        assert not Range(*reversed(ends)).is_empty()

    @pytest.mark.parametrize("end", ["5", "2012-05-03", "b"])
    def test_an_end_that_is_both_ends(self, end) -> None:
        assert not Range(end, end).is_empty()
        assert Range(end, end, exclude_low=True).is_empty()
        assert Range(end, end, exclude_high=True).is_empty()

    @given(st.lists(st.floats(allow_nan=False), min_size=2))
    def test_keys_of_numbers_sort_as_numbers_do(self, numbers) -> None:
        assert sorted(numbers) == sorted(numbers, key=_sortable)

    @given(st.lists(NUMBERS, max_size=8), st.integers(-50, 50), st.integers(0, 50))
    def test_numbers_lie_where_they_do(self, values, low, width) -> None:
        expected = [row for row, value in enumerate(values) if low <= value <= low + width]
        assert between(Range(str(low), str(low + width)), *values) == expected


def test_a_prefix_of_a_string_a_word_a_number_and_a_date() -> None:
    found = index("os.path", "the Osprey", "macos", 2010, "Thu, 3 May 2012 10:00", True)
    assert rows(found.prefix("f", "os")) == [0, 1]
    assert rows(found.prefix("f", "OS.P")) == [0]
    assert rows(found.prefix("f", "201")) == [3, 4]
    assert rows(found.prefix("f", "2012-05-0")) == [4]


def test_fields_do_not_run_into_each_other() -> None:
    found = FieldIndex.of([("1", "x", {"a": "x", "ab": {"c": "y"}}), ("2", "y", {"ab.c": "z", "b": "x", "": 1})])
    assert found.names() == ["", "a", "ab.c", "b", "id", "title"]
    assert [rows(found.present(name)) for name in found.names()] == [[1], [0], [0, 1], [1], [0, 1], [0, 1]]
    assert rows(found.prefix("a", "")) == [0]
    assert rows(found.equal("ab.c", "y")) == [0]
    assert rows(found.present("ab")) == []


@pytest.mark.parametrize("documents", [[], [("", "", {})]])
def test_an_index_of_nothing(documents) -> None:
    found = FieldIndex.of(documents)
    assert (len(found), found.names()) == (0, [])
    for nothing in (
        found.present("f"), found.equal("f", "a b"), found.equal("f", " "),
        found.prefix("f", "a"), found.between("f", Range("1", "2")),
    ):  # fmt: skip
        assert rows(nothing) == []


def test_five_hundred_fields_are_four_arrays() -> None:
    found = FieldIndex.of([("1", "", {f"field {number}": number for number in range(500)})])
    assert list(found.arrays()) == ["text", "starts", "postings", "rows"]
    assert len(found.names()) == 501
    assert rows(found.equal("field 77", "77")) == [0]


@given(
    st.lists(st.dictionaries(st.text(max_size=3) | st.sampled_from(["\0", "\ud800"]), VALUES, max_size=3), max_size=4)
)
def test_any_fields_make_arrays_that_are_the_same_again(fields) -> None:
    documents = [(str(row), "a title", each) for row, each in enumerate(fields)]
    found, again = FieldIndex.of(documents), FieldIndex.of(documents)
    copy = FieldIndex.from_arrays(found.arrays())
    for name, array in found.arrays().items():
        assert array.tobytes() == again.arrays()[name].tobytes() == copy.arrays()[name].tobytes()
    keys = [found.key(number) for number in range(len(found))]
    assert keys == sorted(keys)
    assert rows(found.equal("title", "a title")) == list(range(len(fields)))


@given(st.lists(st.text("abé. +文-", max_size=8), max_size=6), st.data())
def test_every_string_is_found_by_itself(values, data) -> None:
    there = [value for value in values if value.strip()]
    if there:
        value = data.draw(st.sampled_from(there))
        assert values.index(value) in equal(value, *values)
