"""The picture of the map: its points, its names and its key, and that the same map gives the same file."""

import itertools
import re
import sys
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from maps import HOSTILE, blobs

from textae import TextaeError
from textae.config import AUTOENCODER, LSA
from textae.explore.scales import colouring
from textae.views.figures.map import LAYOUT_NAMES, _figure, _lead, draw_maps, splatted
from textae.views.palette import OTHER

pytest.importorskip("matplotlib")


def drawn(topic_map, colour=None, width=2.0):
    """Give the figure of a map, its axes and how many names it does without."""
    figure, unnamed = _figure([topic_map], ["A title"], colour, width)
    return figure, figure.axes, unnamed


class TestPoints:
    def test_one_point_of_one_pixel(self) -> None:
        image = splatted(np.array([[2.5, 0.5]]), ["#ff0000"], np.zeros(1, np.int32), 4, 0.5, 0.8)
        assert image[3, 2].tolist() == [255, 0, 0, 204]
        assert image[..., 3].sum() == 204

    def test_points_in_one_pixel_are_denser_and_mix_as_light_does(self) -> None:
        """Red and blue light, half each: 188 of 255 for a screen; 1 - (1 - .5)^2 = .75 opaque."""
        at = np.array([[1.2, 1.7], [1.6, 1.1]])
        image = splatted(at, ["#ff0000", "#0000ff"], np.array([0, 1], np.int32), 3, 0.5, 0.5)
        assert image[1, 1].tolist() == [188, 0, 188, 191]

    def test_a_point_is_round_and_stays_inside(self) -> None:
        """Radius 1.5: of a corner's pixel and its three neighbours all but the diagonal one are covered whole."""
        image = splatted(np.array([[0.0, 9.99]]), ["#000000"], np.zeros(1, np.int32), 10, 1.5, 1.0)
        assert image[0, 0, 3] == image[0, 1, 3] == image[1, 0, 3] == 255
        assert (image[:3, :3, 3] == image[:3, :3, 3].T).all()
        assert image[3:, :, 3].max() == image[:, 3:, 3].max() == 0

    @pytest.mark.parametrize("n", [0, 1, 1_000])
    def test_no_point_is_lost(self, n) -> None:
        """Of one pixel each: a pixel of c points is 1 - 2^-c opaque."""
        rng = np.random.default_rng(1)
        at = rng.uniform(0, 20, (n, 2))
        image = splatted(at, ["#102030"], np.zeros(n, np.int32), 20, 0.5, 0.5)
        held = np.zeros((20, 20))
        np.add.at(held, (19 - at[:, 1].astype(int), at[:, 0].astype(int)), 1)
        np.testing.assert_allclose(image[..., 3], 255 * (1 - 0.5**held), atol=0.5)


@pytest.mark.parametrize(("ending", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_the_same_map_gives_the_same_file(tmp_path, ending, start) -> None:
    first, again = tmp_path / f"first{ending}", tmp_path / f"again{ending}"
    for path in (first, again):
        assert draw_maps([blobs()], ["Letters"], path, width=2) == 0
    assert first.read_bytes().startswith(start)
    assert first.read_bytes() == again.read_bytes()


def test_the_ending_may_be_in_capitals(tmp_path) -> None:
    assert draw_maps([blobs()], ["Letters"], tmp_path / "map.PNG", width=2) == 0
    assert (tmp_path / "map.PNG").read_bytes().startswith(b"\x89PNG")


def test_names_stand_apart_and_inside_and_those_without_room_are_counted() -> None:
    figure, (axes,), unnamed = drawn(blobs([[9, 8, 7, 6]] * 9, spread=0.3), width=3.0)
    ruler = figure.canvas.get_renderer()
    boxes = [text.get_window_extent(ruler) for text in axes.texts]
    assert len(boxes) + unnamed == 36
    assert 5 < len(boxes) < 36
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    frame = axes.get_window_extent(ruler)
    for box in boxes:
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1


def test_a_name_stands_at_its_documents() -> None:
    topic_map = blobs([[50], [50], [50]], spread=0.02)
    _, (axes,), _ = drawn(topic_map, width=4)
    low, high = topic_map.coordinates.min(), topic_map.coordinates.max()
    for topic, text in enumerate(axes.texts):
        at = np.array(text.get_position()) / axes.get_xlim()[1] * (high - low) + low
        assert np.hypot(*(at - topic_map.coordinates[topic_map.topic_of == topic].mean(axis=0))) < 0.5


def test_a_line_leads_from_a_name_that_had_to_move() -> None:
    """From the edge of its box, of 20 × 10 points around (80, 50), to its documents; not from one that is close."""
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    _lead(axes, np.array([74.0, 50.0]), (80, 50), np.array([20.0, 10.0]), "black")
    _lead(axes, np.array([67.0, 50.0]), (80, 50), np.array([20.0, 10.0]), "black")
    assert not axes.lines
    _lead(axes, np.array([40.0, 50.0]), (80, 50), np.array([20.0, 10.0]), "black")
    line, dot = axes.lines
    np.testing.assert_allclose(line.get_xydata(), [[70, 50], [40, 50]])
    np.testing.assert_allclose(dot.get_xydata(), [[40, 50]])


def key_of(figure) -> list[str]:
    (key,) = figure.legends
    return [key.get_title().get_text(), *(text.get_text() for text in key.get_texts())]


def test_the_key_of_areas() -> None:
    figure, _, _ = drawn(blobs())
    assert key_of(figure) == ["", "stars, planets, sky (60)", "ships, sails, tide (30)"]


def test_one_area_needs_no_key() -> None:
    assert not drawn(blobs([[5, 5]]))[0].legends


def test_the_key_of_categories_stays_inside_and_tells_others() -> None:
    values = [f"label {number % 14:02}" for number in range(89)] + [None]
    figure, _, _ = drawn(blobs(), colouring("kind", values))
    said = key_of(figure)
    assert said[:2] == ["kind", "label 00 (7)"]
    assert said[-2:] == ["3 others (18)", "none (1)"]
    box = figure.legends[0].get_window_extent(figure.canvas.get_renderer())
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
    assert box.y1 <= figure.axes[0].get_window_extent(figure.canvas.get_renderer()).y0 + 1
    handles = figure.legends[0].legend_handles
    assert handles[-2].get_color() == OTHER[0]


def test_the_scale_of_numbers() -> None:
    figure, (scale, axes), _ = drawn(blobs(), colouring("year", [1900 + number for number in range(90)]))
    assert not figure.legends
    assert scale.get_title(loc="left") == "year"
    assert [text.get_text() for text in scale.get_xticklabels()] == ["1900", "1922", "1944", "1967", "1989"]
    assert scale.get_position().y1 < axes.get_position().y0


def test_a_scale_says_how_many_have_no_number() -> None:
    _, (scale, _), _ = drawn(blobs(), colouring("year", [None] * 4 + [1900 + number for number in range(86)]))
    assert scale.get_title(loc="left") == "year (none: 4)"


def test_layouts_side_by_side(tmp_path) -> None:
    """With the same colours: the same documents make panels of the same shades."""
    maps = [blobs(layout=AUTOENCODER), blobs(layout=LSA)]
    assert draw_maps(maps, [LAYOUT_NAMES[one.layout] for one in maps], tmp_path / "two.png", width=4) == 0
    figure, _ = _figure(maps, ["one", "two"], None, 4)
    first, second = (axes.get_window_extent() for axes in figure.axes)
    assert first.x1 < second.x0
    assert first.width == pytest.approx(second.width)
    images = [axes.images[0].get_array() for axes in figure.axes]
    np.testing.assert_array_equal(images[0], images[1])


SMALL = {
    "no document": blobs([]),
    "one document": blobs([[1]]),
    "three documents": blobs([[1, 1], [1]]),
    "all at one place": replace(blobs(), coordinates=np.full((90, 2), 0.25, np.float32)),
    "all on one line": replace(
        blobs(), coordinates=np.stack([np.linspace(-1, 1, 90), np.zeros(90)], 1).astype(np.float32)
    ),
    "empty topics": blobs([[0, 5], [], [0]]),
}


@pytest.mark.parametrize("topic_map", SMALL.values(), ids=SMALL)
def test_maps_of_little(topic_map, tmp_path) -> None:
    draw_maps([topic_map], [""], tmp_path / "map.png", width=2)
    _, (axes,), unnamed = drawn(topic_map)
    assert len(axes.texts) + unnamed == len(topic_map.topics.leaves)
    opaque = axes.images[0].get_array()[..., 3]
    assert bool(opaque.any()) == bool(len(topic_map.ids))


def test_names_and_labels_that_nobody_should_trust(tmp_path) -> None:
    """The svg is well formed, and holds none of their elements, nor ten thousand letters in a row."""
    topic_map = blobs([[9] * 5, [3] * 5], names=HOSTILE)
    values = [HOSTILE[number % len(HOSTILE)] for number in range(60)]
    path = tmp_path / "map.svg"
    draw_maps([topic_map], ["\x00\ud83d" * 99], path, colour=colouring("a\x1b[31m\nb" * 99, values), width=3)
    root = ElementTree.parse(path).getroot()
    assert not [element for element in root.iter() if "script" in element.tag]
    assert not re.search("x{50}", path.read_text("utf-8"))
    draw_maps([topic_map], ["שלום 😀"], tmp_path / "map.pdf", width=3)


@pytest.mark.parametrize("width", [0, -1, 1.9, 21, float("nan")])
def test_a_width_that_no_picture_has(tmp_path, width) -> None:
    with pytest.raises(TextaeError, match=f"a picture cannot be {width:g} inches wide; give 2 to 20"):
        draw_maps([blobs()], [""], tmp_path / "map.png", width=width)


def test_a_place_that_cannot_be_written_to(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        draw_maps([blobs()], [""], tmp_path / "no folder" / "map.png", width=2)
    with pytest.raises(IsADirectoryError):
        draw_maps([blobs()], [""], tmp_path.rename(tmp_path.with_suffix(".png")), width=2)


def test_a_picture_of_no_known_kind(tmp_path) -> None:
    with pytest.raises(TextaeError, match=r"no picture for 'map.gif'; give a name that ends in .png, .svg, .pdf"):
        draw_maps([blobs()], [""], tmp_path / "map.gif")


def test_without_matplotlib(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(TextaeError, match=r"needs matplotlib, .*pip install 'textae\[figures\]'"):
        draw_maps([blobs()], [""], tmp_path / "map.png")
