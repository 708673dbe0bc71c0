"""Files of pictures: which are read, what becomes of their pixels, and what is skipped and why."""

import gzip
import io
import random
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image
from shared import write

from textae.corpus import Source, TableSpec, read, sources
from textae.corpus.images import picture_in, read_picture
from textae.corpus.reading import FileError
from textae.corpus.uniform import READ_SIDE
from textae.errors import CorpusError
from textae.types import PICTURES, TEXTS, Document, Picture, Skipped

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def packed(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def of(content: bytes) -> Picture:
    return picture_in(io.BytesIO(content), "it")


def colours(picture: Picture) -> np.ndarray:
    return np.frombuffer(picture.pixels, np.uint8).reshape(picture.shape)


def reason(content: bytes) -> str:
    with pytest.raises(FileError) as error:
        of(content)
    assert len(str(error.value).splitlines()) == 1
    return error.value.reason


GREY = Image.fromarray(np.array([[0, 100], [200, 255], [1, 2]], np.uint8))
FLAG = Image.new("RGB", (16, 24), RED)
FLAG.paste(BLUE, (0, 0, 16, 8))
PNG = packed(GREY)


def found(*given: object, **options: object) -> dict[str, Document]:
    return {item.id: item for item in read([str(one) for one in given], **options) if isinstance(item, Document)}


def skipped(*given: object, **options: object) -> dict[str, str]:
    return {
        item.source: item.reason for item in read([str(one) for one in given], **options) if isinstance(item, Skipped)
    }


class TestTheKindOfACorpus:
    def test_more_names_of_pictures_than_of_texts_make_it_one_of_pictures(self, tmp_path) -> None:
        write(tmp_path, a_dot_png=PNG, b_dot_JPG=PNG, c_dot_md="# c", d_dot_xyz="x")
        assert list(found(tmp_path)) == ["a.png", "b.JPG"]
        assert skipped(tmp_path) == {"c.md": "unknown type .md", "d.xyz": "unknown type .xyz"}

    def test_as_many_of_both_make_it_one_of_texts(self, tmp_path) -> None:
        write(tmp_path, a_dot_png=PNG, c_dot_md="# c")
        assert list(found(tmp_path)) == ["c.md"]
        assert skipped(tmp_path) == {"a.png": "unknown type .png"}

    def test_what_is_asked_for_counts_more(self, tmp_path) -> None:
        write(tmp_path, a_dot_png=PNG, b_dot_md="b", c_dot_md="c")
        assert list(found(tmp_path, kind=PICTURES)) == ["a.png"]
        (tmp_path / "b.md").unlink()
        (tmp_path / "d.png").write_bytes(PNG)
        assert list(found(tmp_path, kind=TEXTS)) == ["c.md"]

    def test_all_sources_are_of_one_kind(self, tmp_path) -> None:
        write(tmp_path, photos__a_dot_png=PNG, photos__b_dot_png=PNG, notes__c_dot_md="c", d_dot_txt="d")
        kinds = [source.kind for source in sources([str(tmp_path / name) for name in ("photos", "notes")])]
        assert kinds == [PICTURES] * 2
        assert skipped(tmp_path / "photos", tmp_path / "d.txt") == {str(tmp_path / "d.txt"): "unknown type .txt"}

    def test_the_pictures_of_a_corpus_of_texts_are_not_opened(self, tmp_path, monkeypatch) -> None:
        write(tmp_path, a_dot_png=PNG, b_dot_md="b", c_dot_md="c")
        monkeypatch.setattr("textae.corpus.images.read_picture", None)
        assert list(found(tmp_path)) == ["b.md", "c.md"]
        show = "import sys; from textae.corpus import read; print(len(list(read(sys.argv[1:]))), 'PIL' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", show, str(tmp_path)], capture_output=True, text=True, check=True)
        assert done.stdout == "3 False\n"

    def test_a_source_remembers_its_kind(self, tmp_path) -> None:
        write(tmp_path, a_dot_png=PNG, b_dot_png=PNG)
        (source,) = sources([str(tmp_path)])
        write(tmp_path, c_dot_md="c", d_dot_md="d", e_dot_md="e")
        again = Source.from_json(source.as_json())
        assert again == source
        assert [item.id for item in again.read() if isinstance(item, Document)] == ["a.png", "b.png"]

    def test_what_gives_no_pictures_is_an_error(self, tmp_path) -> None:
        for given, what in (("-", "standard input"), ("python", "the corpus 'python'")):
            with pytest.raises(CorpusError, match=f"^{what} gives texts, and pictures are asked for; give files"):
                sources([given], kind=PICTURES)
        write(tmp_path, a_dot_png=PNG)
        with pytest.raises(CorpusError, match="--text-field are for tables of texts, not for pictures"):
            sources([str(tmp_path)], TableSpec(text_field="body"))

    def test_a_picture_that_is_named_by_itself_needs_no_ending(self, tmp_path) -> None:
        write(tmp_path, scan=PNG, notes="only words")
        assert found(tmp_path / "scan", kind=PICTURES)["scan"].picture == of(PNG)
        with pytest.raises(CorpusError, match="notes: no picture that can be read; give png, jpg"):
            found(tmp_path / "notes", kind=PICTURES)


class TestAFolder:
    def test_the_name_of_a_subfolder_is_the_label(self, tmp_path, monkeypatch) -> None:
        write(tmp_path, photos__cat__1_dot_png=PNG, photos__zoo__dog__2_dot_png=PNG, photos__3_dot_png=PNG)
        monkeypatch.chdir(tmp_path)
        labels = {id: document.fields for id, document in found("photos").items()}
        assert labels == {"3.png": {}, "cat/1.png": {"label": "cat"}, "zoo/dog/2.png": {"label": "dog"}}
        write(tmp_path, other__4_dot_png=PNG)
        several = found("photos", "other/4.png")
        assert several["photos/cat/1.png"].fields == {"label": "cat"}
        assert several["other/4.png"].fields == {}
        assert list(found("photos", spec=TableSpec(select=(("label", "dog"),)))) == ["zoo/dog/2.png"]

    def test_what_is_damaged_or_none_is_skipped_by_name(self, tmp_path) -> None:
        write(
            tmp_path,
            cut_dot_png=packed(FLAG)[:60],
            empty_dot_png=b"",
            text_dot_png="not a picture",
            good_dot_png=PNG,
            packed_dot_png_dot_gz=gzip.compress(PNG),
            broken_dot_png_dot_gz=b"no gzip",
        )
        (tmp_path / "lost.png").symlink_to("nowhere")
        assert list(found(tmp_path)) == ["good.png", "packed.png.gz"]
        assert skipped(tmp_path) == {
            "broken.png.gz": "damaged",
            "cut.png": "damaged",
            "empty.png": "empty",
            "lost.png": "a link to nothing",
            "text.png": "no picture that can be read",
        }
        with pytest.raises(CorpusError, match=r"cut\.png: the picture is damaged"):
            found(tmp_path / "cut.png")

    def test_the_ending_may_be_wrong(self, tmp_path) -> None:
        write(tmp_path, a_dot_jpg=PNG)
        assert found(tmp_path)["a.jpg"].picture == Picture(3, 2, 1, bytes([0, 100, 200, 255, 1, 2]))


class TestPixels:
    @pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP", "GIF"])
    def test_every_format_without_loss_gives_the_same(self, kind) -> None:
        options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
        assert (colours(of(packed(FLAG, kind, **options))) == np.asarray(FLAG)).all()

    def test_jpg_gives_nearly_the_same(self) -> None:
        found = colours(of(packed(FLAG, "JPEG", quality=95, subsampling=0))).astype(int)
        assert np.abs(found - np.asarray(FLAG)).max() < 8

    @pytest.mark.parametrize("mode", ["RGB", "P", "RGBA", "CMYK", "1"])
    def test_what_has_no_colours_is_grey_whatever_it_could_hold(self, mode) -> None:
        black_and_white = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8))
        content = packed(black_and_white.convert(mode), "TIFF" if mode == "CMYK" else "PNG")
        assert of(content) == Picture(2, 2, 1, bytes([0, 255, 255, 0]))

    def test_cmyk_has_the_colours_that_are_printed(self) -> None:
        ink = Image.new("CMYK", (2, 2), (0, 255, 255, 0))  # no cyan, all magenta and yellow
        assert colours(of(packed(ink, "TIFF")))[0, 0].tolist() == [255, 0, 0]

    def test_what_is_transparent_lies_on_white(self) -> None:
        image = Image.new("RGBA", (2, 1), (*BLUE, 255))
        image.putpixel((0, 0), (*BLUE, 0))
        assert colours(of(packed(image))).tolist() == [[list(WHITE), list(BLUE)]]
        half = Image.new("LA", (1, 1), (0, 128))
        assert of(packed(half)).pixels == bytes([127])
        assert of(packed(half)).channels == 1

    def test_a_colour_of_a_palette_may_be_transparent(self) -> None:
        image = Image.new("P", (2, 1))
        image.putpalette([*RED, *GREEN])
        image.putpixel((1, 0), 1)
        for kind in ("GIF", "PNG"):
            assert colours(of(packed(image, kind, transparency=0))).tolist() == [[list(WHITE), list(GREEN)]]

    def test_sixteen_bits_are_scaled_to_eight(self) -> None:
        deep = np.array([[0, 257, 32_896, 65_535]], np.uint16)
        for kind in ("PNG", "TIFF"):
            assert list(of(packed(Image.fromarray(deep), kind)).pixels) == [0, 1, 128, 255]
        dark = Image.fromarray(np.full((1, 1), 200, np.uint16))
        assert list(of(packed(dark)).pixels) == [1]  # and not what 8 bits would say

    @pytest.mark.parametrize(
        ("white", "dtype"), [(1, np.float32), (255, np.float32), (255, np.int32), (65_535, np.int32)]
    )
    def test_other_numbers_are_from_black_to_the_white_that_they_suit(self, white, dtype) -> None:
        values = (np.array([[0, 0.2, 1]]) * white).astype(dtype)
        assert list(of(packed(Image.fromarray(values), "TIFF")).pixels) == [0, 51, 255]

    def test_numbers_that_are_no_grey_levels(self) -> None:
        for values in ([[-1, 0]], [[0, 70_000]], [[np.nan, 0]]):
            assert reason(packed(Image.fromarray(np.array(values, np.float32)), "TIFF")) == "damaged"

    def test_of_an_animation_the_first_picture_is_taken(self) -> None:
        frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, GREEN)]
        for kind in ("GIF", "WEBP", "PNG"):
            moving = packed(frames[0], kind, save_all=True, append_images=frames[1:])
            assert np.abs(colours(of(moving)).astype(int) - RED).max() < 8

    @pytest.mark.parametrize(("turn", "top_left"), [(1, BLUE), (3, RED), (6, RED), (8, BLUE)])
    def test_it_stands_as_the_camera_was_held(self, turn, top_left) -> None:
        exif = Image.Exif()
        exif[0x0112] = turn
        picture = of(packed(FLAG, exif=exif))
        assert (picture.height, picture.width) == ((24, 16) if turn < 5 else (16, 24))
        assert colours(picture)[0, 0].tolist() == list(top_left)

    def test_no_more_is_kept_than_will_be_looked_at(self) -> None:
        half = Image.new("L", (1_000, 300), 255)
        half.paste(0, (0, 0, 500, 300))
        for content in (packed(half), packed(half, "JPEG", quality=95)):
            picture = of(content)
            assert picture.shape == (READ_SIDE, READ_SIDE, 1)
            row = colours(picture)[64, :, 0]
            assert (row[:60].max() < 8, row[-60:].min() > 247) == (True, True)
        assert of(packed(Image.new("L", (1_000, 3)))).shape == (3, READ_SIDE, 1)


def bomb(width: int, height: int) -> bytes:
    """A png that says it has so many pixels, and has a few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


class TestWhatIsRefused:
    @pytest.mark.parametrize(("width", "height"), [(10_000, 9_000), (60_000, 60_000)])
    def test_a_bomb_is_not_unpacked(self, width, height) -> None:
        assert reason(bomb(width, height)) == "too many pixels"

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"", "empty"),
            (b"\x89PNG\r\n\x1a\n", "no picture that can be read"),
            (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture that can be read"),
            (b"P5 2 1 255 ab", "no picture that can be read"),  # Pillow reads it, and it is not among what is promised
            (packed(FLAG, "JPEG")[:-300], "damaged"),
            (packed(FLAG, "WEBP")[:-9], "damaged"),
        ],
    )
    def test_every_reason_is_a_few_words(self, content, why) -> None:
        assert reason(content) == why

    def test_no_file_is_too_broken(self) -> None:
        generator = random.Random(1)
        files = [packed(FLAG, kind) for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF")]
        outcomes = set()
        for _ in range(300):
            broken = bytearray(generator.choice(files))
            for _ in range(generator.choice([1, 5, 30])):
                broken[generator.randrange(generator.choice([40, len(broken)]))] = generator.randrange(256)
            try:
                picture = of(bytes(broken))
                assert len(picture.pixels) == picture.height * picture.width * picture.channels
                outcomes.add("read")
            except FileError as error:
                outcomes.add(error.reason)
        assert outcomes >= {"read", "damaged", "no picture that can be read"}

    def test_nothing_is_left_open(self, tmp_path) -> None:
        """Warnings are errors, one of a file that is not closed among them."""
        (tmp_path / "a.tif").write_bytes(packed(FLAG, "TIFF"))
        assert read_picture(tmp_path / "a.tif").shape == (24, 16, 3)
