"""Colours of fields: what kind a field is, by its values, and what its colours say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.explore.scales import CATEGORIES, DATES, NUMBERS, SHOWN, colouring
from textae.views.colour_scale import Legend, colours, legend, shares, stops

SAYS_NOTHING = {
    "no documents": [],
    "no values": [None] * 9,
    "empty values": ["", [], {}, "  ", math.nan, math.inf, [None, ""]],
    "all the same": ["open"] * 9,
    "all the same number": [7] * 9,
    "its own each": [f"id-{number}" for number in range(40)],
    "of thousands a few each": [f"name {number // 2}" for number in range(20_000)],
    "long texts": [f"{number}" + "long " * 2_000 for number in range(30)],
    "dictionaries": [{"a": {"b": 1}}, {"a": {"b": 2}}] * 5,
}


@pytest.mark.parametrize("values", SAYS_NOTHING.values(), ids=SAYS_NOTHING)
def test_a_field_that_says_nothing(values) -> None:
    assert colouring("f", values) is None


class TestCategories:
    def test_the_most_frequent_first_then_by_name(self) -> None:
        found = colouring("f", ["b", "c", "a", "c", None, "b", "a", "c"])
        assert (found.kind, found.labels) == (CATEGORIES, ("c", "a", "b"))
        assert found.values.tolist() == [2, 0, 1, 0, -1, 2, 1, 0]
        assert found.values.dtype == np.int32

    def test_a_list_speaks_by_its_first_element_that_says_something(self) -> None:
        found = colouring("f", [["cs.LG", "stat.ML"], ["", "math.PR"], [], "cs.LG", [["math.PR"]]])
        assert found.labels == ("cs.LG", "math.PR")
        assert found.values.tolist() == [0, 1, -1, 0, 1]

    def test_truth_values(self) -> None:
        assert colouring("f", [True, False, True]).labels == ("yes", "no")

    def test_a_few_whole_numbers_are_labels(self) -> None:
        assert colouring("f", [3, 1, 3.0, 2, "1", 3]).labels == ("3", "1", "2")

    def test_one_value_that_only_some_have(self) -> None:
        found = colouring("f", ["urgent", None, "urgent", None])
        assert found.values.tolist() == [0, -1, 0, -1]

    def test_white_space_is_no_difference(self) -> None:
        assert colouring("f", ["a  b", " a\nb", "c"]).labels == ("a b", "c")

    def test_mixed_values_are_labels(self) -> None:
        found = colouring("f", ["a", 7, "a", 7, True, True, math.nan])
        assert set(found.labels) == {"a", "7", "yes"}
        assert found.values[-1] == -1


class TestNumbers:
    def test_what_is_not_a_finite_number_is_none(self) -> None:
        values = [number / 2 for number in range(40)] + [None, "x", math.inf, 10**400, "7.25"]
        found = colouring("f", values)
        assert found.kind == NUMBERS
        assert found.values[:40].tolist() == values[:40]
        assert np.isnan(found.values[40:44]).all()
        assert found.values[44] == 7.25

    def test_years_are_numbers_however_few(self) -> None:
        found = colouring("f", [1905, 1915, 1905])
        assert found.kind == NUMBERS
        assert stops(found, 3) == ((0.0, "1905"), (0.5, "1905"), (1.0, "1915"))

    def test_ranks_are_the_scale(self) -> None:
        """Five known values, ranks 0 to 4: the two 20s share (1 + 2) / 2."""
        found = colouring("f", [10.5, 20, None, 20, 1_000_000, 30])
        np.testing.assert_allclose(shares(found), [0, 0.375, np.nan, 0.375, 1, 0.75])

    def test_stops_are_quantiles(self) -> None:
        found = colouring("f", [*range(0, 2_002, 2)])
        assert stops(found, 3) == ((0.0, "0"), (0.5, "1,000"), (1.0, "2,000"))
        assert stops(colouring("f", [0.5, 1.25, 1e-7]), 2)[0] == (0.0, "1e-07")


class TestDates:
    @pytest.mark.parametrize(
        ("written", "days"),
        [
            ("1970-01-02", 1),
            ("1970-03", 59),
            ("1970-01-01T12:00:00+05:30", 0.5),
            ("1970-01-01 06:00Z", 0.25),
            ("1969-12-31", -1),
            ("Fri, 2 Jan 1970 12:00:00 GMT", 1.5),
            ("2 Jan 70 00:00:00 EST", 1),
            ("1970-02-31", math.nan),
            ("31 Feb 1970 00:00:00", math.nan),
            ("soon", math.nan),
        ],
    )
    def test_days_since_1970(self, written, days) -> None:
        found = colouring("f", [written] + [f"2001-02-{day:02}" for day in range(1, 29)])
        assert found.kind == DATES
        np.testing.assert_allclose(found.values[0], days)

    def test_how_exactly_they_are_written(self) -> None:
        def first(*dates: str) -> str:
            return stops(colouring("f", dates), 2)[0][1]

        assert first("1999-05-03", "2012-05-03") == "1999"
        assert first("2011-05-03", "2012-05-03") == "2011-05"
        assert first("2012-05-03", "2012-06-03") == "2012-05-03"
        assert first("2012-05-03T10:20", "2012-05-03T11:20") == "2012-05-03 10:20"


def test_the_colours_of_categories_and_their_legend() -> None:
    values = [f"label {number:02}" for number in range(SHOWN + 2) for _ in range(3)] + [None]
    found = colouring("f", values)
    assert legend(found) == Legend(tuple((f"label {number:02}", 3) for number in range(SHOWN)), 6, 1)
    hexes, places = colours(found)
    assert len(set(hexes)) == len(hexes) == SHOWN + 2
    assert places.tolist() == [min(number // 3, SHOWN) for number in range(3 * (SHOWN + 2))] + [SHOWN + 1]


def test_the_colours_of_a_scale() -> None:
    hexes, places = colours(colouring("f", [0.5, None, 2, 1.5]), dark=True)
    last = len(hexes) - 2
    assert places.tolist() == [0, last + 1, last, round(last / 2)]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given(st.lists(ANYTHING, max_size=12).map(lambda values: values * 2))
def test_whatever_a_field_holds_each_document_has_a_colour(values) -> None:
    found = colouring("f", values)
    if found is None:
        return
    assert len(found.values) == len(values)
    hexes, places = colours(found)
    assert 0 <= places.min() <= places.max() < len(hexes)
    if found.kind == CATEGORIES:
        told = legend(found)
        assert sum(count for _, count in told.entries) + told.others + told.without == len(values)
    else:
        assert np.nanmin(shares(found)) >= 0
        assert np.nanmax(shares(found)) <= 1
        assert len(stops(found)) == 5
