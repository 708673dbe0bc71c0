"""Colours that all eyes tell apart, by the published model of what eyes without a kind of cone see."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.views.palette import (
    GROUND,
    INK,
    MOST,
    OTHER,
    WITHOUT,
    categorical,
    inks,
    oklch,
    rgb,
    sequential,
    topic_colours,
)

EYES = {
    "all cones": np.eye(3),
    "no long": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no medium": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no short": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""What becomes of linear red, green and blue: Machado, Oliveira & Fernandes 2009, table 1, severity 1.0."""

GROUNDS = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


def linear(colours) -> np.ndarray:
    """Red, green and blue as amounts of light: (n, 3)."""
    channels = np.array([[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in colours])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def oklab(light: np.ndarray) -> np.ndarray:
    """As Ottosson gives it, from linear red, green and blue: (n, 3)."""
    cones = light @ np.array(
        [[0.4122214708, 0.2119034982, 0.0883024619], [0.5363325363, 0.6806995451, 0.2817188376],
         [0.0514459929, 0.1073969566, 0.6299787005]]
    )  # fmt: skip
    return np.cbrt(cones) @ np.array(
        [[0.2104542553, 1.9779984951, 0.0259040371], [0.7936177850, -2.4285922050, 0.7827717662],
         [-0.0040720468, 0.4505937099, -0.8086757660]]
    )  # fmt: skip


def least_distance(colours, eye: np.ndarray) -> float:
    places = oklab(np.clip(linear(colours) @ eye.T, 0, 1))
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(places, 2))


def contrast(colour: str, ground: str) -> float:
    """WCAG 2.2's ratio of luminances."""
    bright, other = sorted((linear([colour, ground]) @ [0.2126, 0.7152, 0.0722]).tolist(), reverse=True)
    return (bright + 0.05) / (other + 0.05)


def test_known_colours() -> None:
    """Red, green and blue of a screen, as Ottosson's article tabulates them."""
    assert oklch(1, 0, 0) == "#ffffff"
    assert oklch(0, 0, 0) == "#000000"
    assert oklch(0.627955, 0.257683, 29.2339) == "#ff0000"
    assert oklch(0.452014, 0.313214, 264.052) == "#0000ff"
    assert oklch(0.627955, 0.4, 29.2339)[3:5] != "ff", "more than a screen has is less colourful, not of another hue"


def test_red_green_and_blue_of_a_colour() -> None:
    assert rgb("#0a80ff") == (10, 128, 255)


@GROUNDS
@pytest.mark.parametrize(("eye", "least"), [*zip(EYES, (0.11, 0.08, 0.08, 0.065), strict=True)])
def test_twelve_colours_are_told_apart(dark, eye, least) -> None:
    """The distances are near the best that annealing found; .02 is just noticeable."""
    assert least_distance(categorical(MOST, dark=dark), EYES[eye]) > least


@GROUNDS
def test_every_colour_stands_out_from_the_ground(dark) -> None:
    for colour in categorical(MOST, dark=dark):
        assert least_distance([colour, GROUND[dark]], EYES["all cones"]) > 0.2
    for colour in (*categorical(MOST, dark=dark), OTHER[dark]):
        assert colour not in (INK[dark], WITHOUT[dark])
        assert contrast(colour, GROUND[dark]) > contrast(WITHOUT[dark], GROUND[dark])


@GROUNDS
def test_words_can_be_read(dark) -> None:
    for ink in (*inks(3 * MOST, dark=dark), INK[dark]):
        assert contrast(ink, GROUND[dark]) >= 4.5


@GROUNDS
def test_a_colour_does_not_depend_on_how_many_are_asked_for(dark) -> None:
    assert categorical(40, dark=dark)[:5] == categorical(5, dark=dark)
    assert len(set(categorical(3 * MOST, dark=dark))) == 3 * MOST


@GROUNDS
@given(sizes=st.lists(st.integers(0, 9), max_size=15))
def test_topics_of_an_area_are_shades_of_it(dark, sizes) -> None:
    colours = topic_colours(sizes, dark=dark)
    assert len(colours) == sum(sizes)
    if sizes and sizes[0] > 1:
        lightness = oklab(linear(colours[: sizes[0]]))[:, 0]
        assert (np.diff(lightness) > 0.02).all()


@GROUNDS
def test_an_area_of_one_topic_has_its_own_colour(dark) -> None:
    assert topic_colours([1] * MOST, dark=dark) == categorical(MOST, dark=dark)


@GROUNDS
def test_more_is_farther_from_the_ground(dark) -> None:
    lightness = oklab(linear([sequential(share / 20, dark=dark) for share in range(21)]))[:, 0]
    assert (np.diff(lightness) > 0 if dark else np.diff(lightness) < 0).all()
