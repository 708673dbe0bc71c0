"""Names of groups by what a field of them says: shares that a reader can redo."""

import numpy as np

from textae.explore.topics import telling_values


def test_values_are_ordered_by_their_share_beside_that_of_all() -> None:
    """Of ten documents a half is "3", .3 are "5" and .2 "8"; the groups have five each.

    In the first, "3" is .8: (.8 - .5) / √.5 = .42; "8" is .2, as it is in all, and says nothing. In the second, "5" is
    .6: .3 / √.3 = .55, and "3" is below its usual share.
    """
    values = ["3", "3", "3", "3", "8", "5", "5", "5", "3", "8"]
    groups = np.repeat([0, 1], 5)
    assert telling_values(values, groups, 2) == [("3",), ("5",)]


def test_what_is_a_little_more_frequent_than_usual_says_nothing() -> None:
    """Of the first group "a" is .8 beside .4, and "b" .2 beside .15: .63 and .13, more than a tenth of that.

    Where "b" is .1 beside .095 and "a" .9 beside .45 it is .016 and .67, less than a tenth.
    """
    values = ["a"] * 8 + ["b"] * 2 + ["c"] * 9 + ["b"]
    assert telling_values(values, np.repeat([0, 1], 10), 2) == [("a", "b"), ("c",)]
    values = ["a"] * 90 + ["b"] * 10 + ["c"] * 91 + ["b"] * 9
    assert telling_values(values, np.repeat([0, 1], 100), 2) == [("a",), ("c",)]


def test_a_single_group_is_what_most_of_it_is() -> None:
    assert telling_values(["5", "3", "3", None], np.zeros(4, np.int64), 1) == [("3", "5")]


def test_where_nothing_is_said_beside_others_there_is_no_name() -> None:
    assert telling_values(["x", "x", "x"], np.array([0, 1, 1]), 3) == [(), (), ()]
    assert telling_values([None, None], np.array([0, 1]), 2) == [(), ()]
    assert telling_values([], np.zeros(0, np.int64), 2) == [(), ()]
