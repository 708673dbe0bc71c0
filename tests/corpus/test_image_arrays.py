"""Arrays of pictures: .npz and the idx files of MNIST, row by row; what they say and what they may not."""

import gzip
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from textae.corpus import TableSpec, read
from textae.corpus.image_arrays import levels, white
from textae.corpus.uniform import READ_SIDE
from textae.errors import CorpusError
from textae.types import Document, Picture, Skipped

IMAGES = np.arange(24, dtype=np.uint8).reshape(3, 2, 4) * 10


def npz(path: Path, **named: object) -> Path:
    np.savez_compressed(path, **named)
    return path


def found(*given: object, select: tuple = ()) -> dict[str, Document]:
    items = list(read([str(one) for one in given], TableSpec(select=select)))
    assert all(isinstance(item, Document) for item in items)
    return {item.id: item for item in items}


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_images_and_labels(tmp_path) -> None:
    documents = found(npz(tmp_path / "a.npz", images=IMAGES, labels=np.array([3, 1, 3])))
    assert list(documents) == ["a.npz:0", "a.npz:1", "a.npz:2"]
    assert documents["a.npz:1"] == Document(
        "a.npz:1", "", "", {"label": 1}, "a.npz:1", str(tmp_path / "a.npz"), Picture(2, 4, 1, IMAGES[1].tobytes())
    )
    assert type(documents["a.npz:1"].fields["label"]) is int
    assert list(found(tmp_path / "a.npz", select=(("label", "3"),))) == ["a.npz:0", "a.npz:2"]


def test_train_and_test_are_told_by_a_field(tmp_path) -> None:
    path = npz(tmp_path / "m.npz", x_train=IMAGES, y_train=["a", "b", "c"], x_test=IMAGES[:1], y_test=["d"])
    documents = found(path)
    assert {id: dict(document.fields) for id, document in documents.items()} == {
        "m.npz:train/0": {"split": "train", "label": "a"},
        "m.npz:train/1": {"split": "train", "label": "b"},
        "m.npz:train/2": {"split": "train", "label": "c"},
        "m.npz:test/0": {"split": "test", "label": "d"},
    }
    assert list(found(path, select=(("split", "test"),))) == ["m.npz:test/0"]
    assert found(npz(tmp_path / "x.npz", x_test=IMAGES))["x.npz:test/0"].fields == {"split": "test"}


def test_colours_and_a_channel_of_its_own(tmp_path) -> None:
    colours = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
    assert found(npz(tmp_path / "a.npz", images=colours))["a.npz:1"].picture == Picture(2, 2, 3, colours[1].tobytes())
    assert found(npz(tmp_path / "b.npz", images=IMAGES[..., None]))["b.npz:0"].picture.shape == (2, 4, 1)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (np.array([[[0.0, 0.5, 1.0]]]), [0, 128, 255]),
        (np.array([[[0.0, 127.6, 255.0]]], np.float16), [0, 128, 255]),
        (np.array([[[0, 7, 255]]], np.int64), [0, 7, 255]),
        (np.array([[[0, 257, 65_535]]], ">u2"), [0, 1, 255]),
        (np.array([[[False, True]]]), [0, 255]),
        (np.array([[[0, 1]]], np.uint8), [0, 255]),
    ],
)
def test_white_is_what_the_numbers_suit(tmp_path, images, expected) -> None:
    assert list(found(npz(tmp_path / "a.npz", images=images))["a.npz:0"].picture.pixels) == expected


def test_white_is_that_of_the_whole_array(tmp_path) -> None:
    dark_first = np.concatenate([np.zeros((1, 2, 2)), np.full((400_000, 2, 2), 51.0)])  # of several blocks
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, archive.open("images.npy", "w") as file:
        np.save(file, dark_first)
    items = read([str(tmp_path / "a.npz")])
    assert [next(items).picture.pixels[0] for _ in range(2)] == [0, 51]


@given(arrays.arrays(np.uint8, (3, 5)))
def test_eight_bits_stay_as_they_are(values) -> None:
    for scaled, top in ((values, 255), (values / 255, 1), (values * np.uint16(257), 65_535)):
        assert (levels(scaled, top) == values).all()


@given(st.floats(allow_nan=True), st.floats(allow_nan=True))
def test_there_is_a_white_for_what_can_be_grey_levels(low, high) -> None:
    if 0 <= low <= high <= 65_535:
        assert high <= white(low, high)
    elif low < 0 or not high <= 65_535:
        with pytest.raises(ValueError, match="expected 0 to 1, 0 to 255, or 0 to 65,535"):
            white(low, high)


def test_large_pictures_are_shrunk_as_files_of_them_are(tmp_path) -> None:
    large = np.zeros((1, 3, 1_000), np.uint8)
    assert found(npz(tmp_path / "a.npz", images=large))["a.npz:0"].picture.shape == (3, READ_SIDE, 1)


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ({"images": np.zeros((2, 9))}, r"images of shape \(2, 9\); expected \(n, height, width\), or"),
        ({"images": np.zeros((2, 3, 9, 9))}, r"images of shape \(2, 3, 9, 9\)"),
        ({"images": np.zeros((2, 0, 9))}, r"images of shape \(2, 0, 9\)"),
        ({"images": IMAGES, "labels": [1]}, r"labels of shape \(1,\) for 3 images; expected one of each"),
        ({"images": IMAGES, "labels": np.eye(3)}, r"labels of shape \(3, 3\) for 3 images"),
        ({"a": IMAGES, "b": IMAGES}, "it holds a, b; expected images and labels, or x_train, y_train"),
        ({}, "it holds nothing; expected images"),
        ({"images": np.full((1, 2, 2), "x")}, "images of type <U1; expected whole numbers or floats"),
        ({"images": -IMAGES.astype(int)}, "numbers from -230 to 0; expected 0 to 1, 0 to 255"),
        ({"images": np.array([[[0, np.nan]]])}, "numbers from nan to nan"),
        ({"images": np.asfortranarray(IMAGES)}, "its columns come first"),
        ({"images": np.array([[[{}]]], object)}, "it holds Python's objects; save an array of numbers"),
        ({"images": IMAGES, "labels": np.array([{}, 1, 2], object)}, "it holds Python's objects"),
    ],
)
def test_what_arrays_may_not_be_is_one_line(tmp_path, named, says) -> None:
    np.savez(tmp_path / "a.npz", **named)
    with pytest.raises(CorpusError, match=says) as error:
        found(tmp_path / "a.npz")
    assert len(str(error.value).splitlines()) == 1
    (skipped,) = read([str(tmp_path)])
    assert isinstance(skipped, Skipped)


def test_a_file_that_is_cut_or_none(tmp_path) -> None:
    whole = npz(tmp_path / "a.npz", images=np.random.default_rng(1).integers(0, 255, (99, 9, 9), np.uint8)).read_bytes()
    for content in (whole[:-30], whole[:200] + bytes(99) + whole[299:], b"", b"PK\3\4"):
        (tmp_path / "a.npz").write_bytes(content)
        assert [item.reason for item in read([str(tmp_path)]) if isinstance(item, Skipped)] == ["damaged"]


def test_a_header_that_promises_too_much(tmp_path) -> None:
    for shape, why in (((9, 20_000, 20_000), "too many pixels"), ((10**12, 2, 4), "damaged")):
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, archive.open("images.npy", "w") as file:
            np.lib.format.write_array_header_1_0(file, header)
            file.write(bytes(99))
        assert [item.reason for item in read([str(tmp_path)]) if isinstance(item, Skipped)] == [why]


def test_the_files_of_mnist(tmp_path) -> None:
    for name, rows in (("train", [0, 1, 2]), ("t10k", [1])):
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES[rows])))
        (tmp_path / f"{name}-labels-idx1-ubyte").write_bytes(idx(np.array(rows, np.uint8)))
    documents = found(tmp_path)
    assert {id: dict(document.fields) for id, document in documents.items()} == {
        "t10k-images-idx3-ubyte.gz:0": {"split": "test", "label": 1},
        **{f"train-images-idx3-ubyte.gz:{row}": {"split": "train", "label": row} for row in range(3)},
    }
    assert documents["t10k-images-idx3-ubyte.gz:0"].picture == Picture(2, 4, 1, IMAGES[1].tobytes())
    assert list(found(tmp_path / "train-images-idx3-ubyte.gz")) == list(documents)[1:]


def test_an_idx_file_without_labels_and_one_that_is_damaged(tmp_path) -> None:
    path = tmp_path / "digits-images-idx3-ubyte"
    path.write_bytes(idx(IMAGES))
    assert found(path)[f"{path.name}:2"].fields == {}
    for content in (idx(IMAGES)[:-1], b"\0\0\x0d\3" + bytes(12), b"\0\0", b"P5 2 1"):
        path.write_bytes(content)
        with pytest.raises(CorpusError, match="the idx file is damaged"):
            list(read([str(path)]))
    path.write_bytes(idx(IMAGES))
    (tmp_path / "digits-labels-idx1-ubyte").write_bytes(idx(np.zeros(2, np.uint8)))
    assert [item.reason for item in read([str(tmp_path)])] == ["arrays of another kind"]


def test_two_files_of_one_folder_do_not_meet(tmp_path) -> None:
    npz(tmp_path / "a.npz", images=IMAGES)
    npz(tmp_path / "b.npz", images=IMAGES)
    assert len(found(tmp_path)) == 6
