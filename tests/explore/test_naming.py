"""Names of topics and places: whole words that mean something, each in one name."""

import pytest
from shared import QUICK, TINY

from textae import Document, Engine
from textae.explore.naming import apart, is_name, names, telling_names
from textae.explore.topics import learn, topics_of
from textae.index.surface_forms import forms


@pytest.mark.parametrize("word", ["oven", "c++", "x11", ".net", "文档", "é1", "ma"])
def test_a_word_of_two_characters_that_begins_with_a_letter_may_name(word) -> None:
    assert is_name(word)


@pytest.mark.parametrize("word", ["q", "é", "1993", "0x1f", "3d", "٢٠٢٣", "½", "²", "_1"])
def test_single_letters_numbers_and_signs_name_nothing(word) -> None:
    assert not is_name(word)


def test_a_stem_without_a_form_is_left_out_unless_there_is_nothing_else() -> None:
    written = {"happi": "happy", "oven": "oven", "1905": "1905"}
    assert telling_names(["ve", "happi", "1905", "oven"], written, 3) == ("happy", "oven")
    assert telling_names(["ve", "1905"], written, 1) == ("ve",)


def test_a_name_holds_no_two_forms_of_a_word() -> None:
    written = {stem: stem for stem in ("vector", "vectors", "matrix", "vectorizing")}
    assert telling_names(written, written, 3) == ("vector", "matrix", "vectorizing")


def test_a_word_is_in_the_name_where_it_stands_first() -> None:
    """By rank: of a, b and a the third is taken, and so is b in the second rank; c and d are free."""
    assert apart([["a", "b", "x", "y"], ["b", "c"], ["a", "d"]]) == [["a", "x", "y"], ["b", "c"], ["d"]]


def test_where_others_have_all_words_of_a_topic_it_keeps_them() -> None:
    assert apart([["a", "b"], ["b", "a"], ["a", "b"], []]) == [["a"], ["b"], ["a", "b"], []]
    assert names([["a"], ["a"], ["a", "b"], []]) == ["a", "a (2)", "a, b", "unnamed"]


def test_a_topic_whose_words_are_taken_gets_one_of_a_topic_that_has_several() -> None:
    assert apart([["a", "b", "c"], ["d", "a", "b"], ["a", "b"]]) == [["a", "c"], ["d"], ["b"]]


def test_topics_and_their_groups_share_no_word(engine) -> None:
    """Twelve topics of three subjects: each word names at most one of them, or of a group of several."""
    found, _, _ = topics_of(engine.snapshot, learn(engine.snapshot, 12))
    shown = [topic.name for topic in found.leaves]
    shown += [group.name for group in found.groups if len(group.topics) > 1]
    alone = {group.name for group in found.groups if len(group.topics) == 1}
    words = [word for name in shown for word in name.split(", ")]
    assert alone <= set(shown)
    assert len(words) == len(set(words)) > 15


def test_pieces_of_words_are_no_forms_of_their_terms(tmp_path) -> None:
    """English parts `I've` into `i` and `ve`: no document writes `ve` alone, and one writes `don` as a name."""
    texts = [
        "I've seen that they'll not; I've ovens",
        "don't bake, don't! Don bakes bread",
        "Ovens bake breads. fisher's",
    ]
    with Engine.create(tmp_path / "index") as engine:
        engine.index(
            [Document(str(number), text) for number, text in enumerate(texts)],
            language="english",
            model=TINY,
            train=QUICK,
        )
    with Engine.open(tmp_path / "index") as engine:
        vocabulary = engine.snapshot.model.vectorizer.vocabulary
        numbers = {vocabulary.number(stem) for stem in ("ve", "ll", "oven", "bake", "fisher")}
        assert forms(engine.snapshot, numbers, ()) == {"oven": "ovens", "bake": "bake"}
