"""Names on a map: at the densest place of their documents, and never on each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from textae.views.label_placement import arranged, densest, names, plain


def test_the_densest_place_is_where_most_are_and_not_the_mean() -> None:
    """Sixty documents at (0, 0), forty at (1, 1): the mean would be (.4, .4), where none is."""
    places = np.array([[0.0, 0.0]] * 60 + [[1.0, 1.0]] * 40 + [[0.5, 0.25]])
    topic_of = np.array([0] * 100 + [2], np.int32)
    found = densest(places, topic_of, 3)
    np.testing.assert_allclose(found, [[0, 0], [np.nan, np.nan], [0.5, 0.25]])


@pytest.mark.parametrize("n", [0, 1, 3])
def test_the_densest_place_of_documents_that_are_all_at_one(n) -> None:
    found = densest(np.full((n, 2), 0.3), np.zeros(n, np.int32), 1)
    np.testing.assert_allclose(found, [[0.3 if n else np.nan] * 2])


def test_a_box_stands_on_its_anchor_and_the_next_beside_it() -> None:
    """The second box would begin 2 below the end of the first."""
    first, second = arranged(np.array([[50.0, 50.0], [50.0, 58.0]]), np.full((2, 2), 10.0), (100, 100), 20)
    assert first == (50, 50)
    assert max(abs(second[0] - 50), second[1] - 50) >= 10
    assert np.hypot(second[0] - 50, second[1] - 58) < 4


def test_a_box_moves_inside_the_frame() -> None:
    assert arranged(np.array([[0.0, 99.0]]), np.array([[30.0, 10.0]]), (100, 100), 20) == [(15, 95)]


def test_a_box_makes_way_for_the_anchor_of_another() -> None:
    """The second anchor lies in the box of the first; a small step makes both fit."""
    first, second = arranged(np.array([[50.0, 50.0], [54.0, 50.0]]), np.full((2, 2), 10.0), (100, 100), 20)
    assert not (abs(first[0] - 54) < 5 and abs(first[1] - 50) < 5)
    assert second is not None


def test_what_has_no_room_is_left_out() -> None:
    anchors = np.array([[50.0, 50.0], [50.0, 50.0], [np.nan, np.nan], [50.0, 50.0]])
    sizes = np.array([[90.0, 90.0], [90.0, 90.0], [5.0, 5.0], [101.0, 5.0]])
    assert arranged(anchors, sizes, (100, 100), 20) == [(50, 50), None, None, None]


@given(
    arrays(np.float64, st.tuples(st.integers(0, 12), st.just(4)), elements=st.floats(1, 60, allow_nan=False)),
    st.floats(1, 50),
)
def test_no_box_overlaps_another_or_the_frame(boxes, reach) -> None:
    anchors, sizes = boxes[:, :2], boxes[:, 2:]
    middles = arranged(anchors, sizes, (60, 60), reach)
    stand = [
        np.concatenate([np.array(middle) - size / 2, np.array(middle) + size / 2])
        for middle, size in zip(middles, sizes, strict=True)
        if middle is not None
    ]
    for place, one in enumerate(stand):
        assert (one > -1e-9).all() and (one < 60 + 1e-9).all()
        for other in stand[:place]:
            assert (one[2:] <= other[:2] + 1e-9).any() or (other[2:] <= one[:2] + 1e-9).any()


def test_a_text_that_may_be_drawn() -> None:
    assert plain(" a\n b\tc ", 9) == "a b c"
    assert plain("\x1b[31m\u202ered\ud83d", 9) == "\ufffd[31mred\ufffd"
    assert plain("x" * 10_000, 5) == "xxxx…"
    assert plain("two, words", 6) == "two…"


def test_names_are_cut_between_words() -> None:
    assert names(["shell, command, exit", "internationalisation", ""], 15) == ["shell, command", "internationali…", ""]


@given(st.text(max_size=60), st.integers(2, 30))
def test_whatever_the_text_is_it_is_short_and_steers_nothing(text, longest) -> None:
    for drawn in (plain(text, longest), *names([text], longest)):
        assert len(drawn) <= longest
        assert all(character.isprintable() for character in drawn)
        drawn.encode()
