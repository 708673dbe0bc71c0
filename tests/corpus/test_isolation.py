"""Hostile files: each costs at most its limits, is skipped and named, and the files beside it are read."""

import contextlib
import gzip
import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from shared import ENVIRONMENT, real_shell, wait_for, write

from textae.corpus import Limits, isolation, read, reader, sources
from textae.corpus.isolation import File, Reader
from textae.corpus.source import Source
from textae.corpus.tables import TableSpec
from textae.types import PICTURES, TEXTS, Document, Place, Skipped

SLOW = "<a " + " ".join(f"a{i}=1" for i in range(60_000)) + ">"
"""HTML on which the parser compares each attribute with each; minutes."""

TOO_SLOW = "took more than 0.5 s; give a larger --timeout"
TOO_MUCH = "needs more than 0.0625 GB of memory"
LITTLE = Limits(seconds=0.5)
TINY_MEMORY = Limits(memory=64 << 20)


def outcome(*given: object, limits: Limits = LITTLE, kind: str | None = None) -> dict[str, str]:
    """Give the text of each document, or the reason for which it was skipped."""
    items = read([str(one) for one in given], kind=kind, limits=limits)
    return {i.source: i.text if isinstance(i, Document) else f"! {i.reason}" for i in items}


def children(process: int | None = None) -> set[int]:
    """Give the processes that one, by default this one, has started and not waited for."""
    of = process or os.getpid()
    return {int(child) for child in Path(f"/proc/{of}/task/{of}/children").read_text().split()}


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


def test_a_file_that_takes_too_long_is_skipped_and_the_others_are_read(tmp_path: Path) -> None:
    write(tmp_path, a_dot_html="<p>first", b_dot_html=SLOW, c_dot_txt="text", d_dot_html="<p>last", e_dot_html=SLOW)
    assert outcome(tmp_path) == {
        "a.html": "first", "b.html": f"! {TOO_SLOW}", "c.txt": "text", "d.html": "last", "e.html": f"! {TOO_SLOW}"
    }  # fmt: skip


def test_a_file_that_was_named_by_itself_is_skipped_too(tmp_path: Path) -> None:
    write(tmp_path, b_dot_html=SLOW)
    assert outcome(tmp_path / "b.html") == {"b.html": f"! {TOO_SLOW}"}


def test_a_mailbox_goes_on_behind_a_message_that_takes_too_long(tmp_path: Path) -> None:
    mails = [f"From x\nMessage-ID: <{n}>\nContent-Type: text/html\n\n<p>mail {n}\n\n" for n in range(5)]
    mails[0] = mails[0].replace("<p>", SLOW)
    mails[3] = mails[3].replace("<p>", SLOW)
    write(tmp_path, a_dot_mbox="".join(mails), b_dot_txt="text")
    assert outcome(tmp_path) == {
        "a.mbox:1": f"! {TOO_SLOW}", "a.mbox:2": "mail 1", "a.mbox:3": "mail 2", "a.mbox:4": f"! {TOO_SLOW}",
        "a.mbox:5": "mail 4", "b.txt": "text",
    }  # fmt: skip


def test_a_mailbox_whose_messages_cannot_be_told_apart_in_time_is_left(tmp_path: Path) -> None:
    with (tmp_path / "a.mbox").open("wb") as file:
        file.write(b"From x\nMessage-ID: <a>\n\nmail\n\nFrom x\nSubject: endless\n\n")
        file.truncate(1 << 40)  # one line without an end
    write(tmp_path, b_dot_txt="text")
    assert outcome(tmp_path) == {
        "a.mbox:1": "mail", "a.mbox:2": f"! {TOO_SLOW}", "a.mbox": f"! {TOO_SLOW}", "b.txt": "text"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt", "a.md", "a.html", "a.xlsx", "a.parquet", "a.eml"])
def test_a_file_of_a_terabyte(name: str, tmp_path: Path) -> None:
    write(tmp_path, z_dot_txt="text")
    with (tmp_path / name).open("wb") as file:
        file.write(b"text,id\n" if name.endswith("csv") else b" ")
        file.truncate(1 << 40)
    found = outcome(tmp_path)
    assert found.pop("z.txt") == "text"
    reasons = {reason for place, reason in found.items() if place.startswith(name)}
    assert reasons <= {f"! {TOO_SLOW}", "! longer than 16 MiB", "! damaged", "! binary"}
    assert reasons


def test_a_file_that_takes_too_much_memory_is_skipped_and_the_others_are_read(tmp_path: Path) -> None:
    write(tmp_path, a_dot_html="<p>first", c_dot_html="<p>last", b_dot_html="<b><i><p>" * 120_000)
    assert outcome(tmp_path, limits=TINY_MEMORY) == {"a.html": "first", "b.html": f"! {TOO_MUCH}", "c.html": "last"}


def packed(path: Path, **parts: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 24), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def npy(shape: str, descr: str = "|u1") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n" + bytes(1000)


PICTURE_BOMBS = {
    "wide.png": png(65_535, 65_535),
    "lying.png": png(9_000, 9_000),
    "long.gif": b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff" + b"!\xf9\x04\0\0\0\0\0" * 200_000,
    "cut.gif": b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02",
    "many-images-idx3-ubyte": struct.pack(">HBBIII", 0, 8, 3, 2**32 - 1, 9_000, 9_000),
    "deep-images-idx3-ubyte": struct.pack(">HBB255I", 0, 8, 255, *[2**32 - 1] * 255),
    "drawing.svg": b'<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa">]><svg>&a;</svg>',
}


def test_pictures_that_claim_too_much(tmp_path: Path) -> None:
    write(tmp_path, **{name.replace(".", "_dot_"): content for name, content in PICTURE_BOMBS.items()})
    for number, (shape, descr) in enumerate(
        [("(1000000000000, 28, 28)", "|u1"), ("(1, 4, 4)", "|V2000000000"), ("(9, 99999999, 99999999)", "<f8")]
    ):
        packed(tmp_path / f"{number}.npz", images_dot_npy=npy(shape, descr))
    packed(tmp_path / "3.npz", images_dot_npy=npy("(2, 4, 4)"), labels_dot_npy=npy("(2, 1, 1)", "|S1000000000"))
    (tmp_path / "good.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0\1\2" * 2)) + chunk(b"IEND", b"")
    )  # fmt: skip
    found = outcome(tmp_path, kind=PICTURES, limits=Limits(seconds=10, memory=512 << 20))
    assert found.pop("good.png") == ""
    assert len(found) >= len(PICTURE_BOMBS) + 4
    assert all(reason.startswith("! ") for reason in found.values()), found


def test_tables_that_claim_too_much(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"text": ["word " * 40] * 1_000}), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    write(tmp_path, cut_dot_parquet=whole[:-100], long_dot_parquet=b"PAR1" + b"\xff" * 4_000 + b"\xff\xff\xff\x7fPAR1")
    for place in range(4, len(whole) - 8, len(whole) // 20):
        (tmp_path / f"bit{place}.parquet").write_bytes(whole[:place] + b"\xff" * 4 + whole[place + 4 :])
    for ending in ("feather", "orc", "dta", "sas7bdat", "xpt"):
        write(tmp_path, **{f"x_dot_{ending}": b"ARROW1\0\0ORC" + b"\xff\xff\xff\x7f" * 500})
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    xml = f'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a0 "ha">{laughs}]><s>&a9;</s>'.encode()
    packed(tmp_path / "b.ods", content_dot_xml=xml)
    packed(tmp_path / "b.xlsx", xl__workbook_dot_xml=xml, xl__sharedStrings_dot_xml=xml, _Content_Types__dot_xml=xml)
    found = outcome(tmp_path, limits=Limits(seconds=10))
    files = {place.split(":")[0] for place in found}
    assert files == {path.name for path in tmp_path.iterdir()}
    assert found["cut.parquet"] == found["b.ods"] == found["b.xlsx"] == "! damaged"


def test_a_table_of_a_few_kilobytes_that_unpacks_to_a_gigabyte(tmp_path: Path) -> None:
    text = pa.array(["x" * (2 << 20)] * 128)
    parquet.write_table(pa.table({"text": text, "more": text}), tmp_path / "a.parquet", compression="zstd")
    write(tmp_path, b_dot_txt="text")
    assert (tmp_path / "a.parquet").stat().st_size < 1 << 20
    found = outcome(tmp_path, limits=Limits(memory=128 << 20))
    assert found.pop("b.txt") == "text"
    assert found["a.parquet"] in ("! needs more than 0.125 GB of memory", "! damaged")


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.gz", "a.txt.gz", "a.html.gz", "a.eml.gz", "a.png.gz"])
def test_a_gzip_file_that_never_ends(name: str, tmp_path: Path) -> None:
    """A member of zeros, a member of members, and a million members of nothing."""
    zeros = gzip.compress(bytes(32 << 20), 9)
    (tmp_path / name).write_bytes(zeros + gzip.compress(b"") * 200_000 + gzip.compress(zeros))
    kind = PICTURES if "png" in name else TEXTS
    found = outcome(tmp_path, kind=kind, limits=Limits(seconds=2))
    assert found
    assert all(reason.startswith("! ") for reason in found.values())


def test_what_a_reader_must_not_touch(tmp_path: Path) -> None:
    folder = write(tmp_path, a_dot_txt="text", sub__b_dot_html="<p>page")
    (folder / "zero.jsonl").symlink_to("/dev/zero")
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "sub" / "loop").symlink_to(folder)
    (folder / "self").symlink_to("self")
    os.mkfifo(folder / "fifo.html")
    (folder / "new\nline\x1b[2J.html").write_text("<p>odd name")
    (folder / os.fsdecode(b"\xff\xfe.html")).write_text("<p>no name")
    assert outcome(folder) == {
        "a.txt": "text", "sub/b.html": "page", "zero.jsonl": "! not a file", "zero.png": "! not a file",
        "sub/loop": "! a link to a folder", "self": "! a link to nothing", "fifo.html": "! not a file",
        "new\nline\x1b[2J.html": "odd name", r"\udcff\udcfe.html": "no name",
    }  # fmt: skip


def test_a_device_without_an_end_that_was_named_by_itself(tmp_path: Path) -> None:
    for name in ("zero.jsonl", "zero.html", "zero.txt"):
        (tmp_path / name).symlink_to("/dev/zero")
        (reason,) = outcome(tmp_path / name, limits=Limits(seconds=2)).values()
        late = "! took more than 2 s; give a larger --timeout"
        assert reason == {"zero.jsonl": late, "zero.html": "! longer than 16 MiB", "zero.txt": "! binary"}[name]


@pytest.mark.skipif(not os.access("/proc/kmsg", os.R_OK), reason="there is no file here whose reading waits")
def test_a_file_whose_reading_would_wait_without_end(tmp_path: Path) -> None:
    (tmp_path / "log.txt").symlink_to("/proc/kmsg")
    write(tmp_path, a_dot_txt="text")
    with open("/proc/kmsg", "rb") as log:  # noqa: PTH123
        os.set_blocking(log.fileno(), False)
        with contextlib.suppress(BlockingIOError):
            while os.read(log.fileno(), 1 << 16):
                pass
    assert outcome(tmp_path) == {"a.txt": "text", "log.txt": "! gives nothing now"}


def test_a_fifo_may_be_slow(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    slow = 'sleep 1; echo \'{"text": "late"}\'; sleep 1; echo \'{"text": "later"}\''
    with subprocess.Popen(["sh", "-c", f"({slow}) > {tmp_path / 'a.jsonl'}"]):
        assert list(outcome(tmp_path / "a.jsonl").values()) == ["late", "later"]


def test_a_row_that_is_not_wanted_is_not_a_document_that_takes_long(tmp_path: Path) -> None:
    rows = [json.dumps({"text": f"row {n}", "n": n}) for n in range(300_000)]
    write(tmp_path, a_dot_jsonl="\n".join(rows))
    spec = TableSpec(select=(("n", "299999"),))
    (found,) = read([str(tmp_path)], spec, limits=Limits(seconds=1))
    assert isinstance(found, Document)


def test_a_caller_that_takes_its_time_is_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path, **{f"{n}_dot_html": f"<p>page {n} {'word ' * 40_000}" for n in range(4)})
    n_read = 0
    for item in read([str(tmp_path)], limits=LITTLE):
        assert isinstance(item, Document)
        time.sleep(0.8)
        n_read += 1
    assert n_read == 4


def process_of(reader: Reader) -> int:
    assert reader._process is not None
    return reader._process.pid


def test_a_reader_that_is_killed_is_replaced(tmp_path: Path) -> None:
    files = [File(write(tmp_path, **{f"{n}_dot_html": f"<p>{n}"}) / f"{n}.html", f"{n}.html", "") for n in range(60)]
    with Reader(TableSpec(), TEXTS, LITTLE) as reader:
        for file in files:
            reader.give(file)
        found = list(reader.items())
        os.kill(process_of(reader), signal.SIGKILL)
        for _ in files[1:]:
            found += reader.items()
    texts = {item.source: item.text for item in found if isinstance(item, Document)}
    (skipped,) = [item for item in found if isinstance(item, Skipped)]
    assert skipped.reason == "ended the reader (SIGKILL)"
    assert texts == {file.name: file.path.read_text()[3:] for file in files if file.name != skipped.source}


def test_an_iterator_that_is_not_read_to_its_end_leaves_no_process(tmp_path: Path) -> None:
    write(tmp_path, a_dot_html="<p>a", b_dot_html="<p>b")
    items = read([str(tmp_path)])
    next(items)
    assert children()
    del items


BUSY = """
import sys
from textae.corpus import Limits, read
for item in read([sys.argv[1]], limits=Limits(seconds=60)):
    print("one", flush=True)
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_reader_ends_with_its_caller(sent: signal.Signals, tmp_path: Path) -> None:
    """Also inside of a parser, where no Python runs."""
    write(tmp_path, a_dot_html="<p>a", b_dot_html=SLOW * 20)
    with subprocess.Popen(
        [sys.executable, "-c", BUSY, str(tmp_path)], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == b"one\n"
        (reader,) = children(caller.pid)
        time.sleep(0.3)
        caller.send_signal(sent)
        caller.wait(20)
    wait_for(lambda: not Path(f"/proc/{reader}").exists() or "Z" in Path(f"/proc/{reader}/stat").read_text(), 10)


def test_the_time_is_an_option_that_sync_remembers(tmp_path: Path) -> None:
    folder, index = write(tmp_path / "corpus", a_dot_txt="stars and planets", b_dot_html=SLOW), tmp_path / "index"
    common = ("--index", index, "-v")
    done = real_shell("index", folder, "--timeout", 1, "--passes", 1, *common)
    assert (done.code, "Traceback" in done.err) == (0, False)
    assert "took more than 1 s; give a larger --timeout" in done.err
    assert "b.html" in done.err
    (folder / "c.txt").write_text("moons")
    assert "took more than 1 s" in real_shell("sync", *common).err
    assert "took more than 2 s" in real_shell("sync", "--timeout", 2, *common).err


def test_a_source_keeps_its_time() -> None:
    (source,) = sources(["."], limits=Limits(seconds=7))
    assert Source.from_json(source.as_json()).limits.seconds == 7
    older = source.as_json()
    del older["timeout"]
    assert Source.from_json(older).limits == Limits()


def test_a_document_comes_through_the_pipe_as_it_is(tmp_path: Path) -> None:
    rows = {"text": ['a\n\x01"\\ü😀\u2028', "b"], "n": [1.5, float("nan")], "day": [b"\xff\0", None], "x": [[1], []]}
    parquet.write_table(pa.table(rows), tmp_path / "a.parquet")
    found = [item for item in read([str(tmp_path / "a.parquet")]) if isinstance(item, Document)]
    assert [(item.id, item.text, dict(item.fields)) for item in found] == [
        ("a.parquet:1", rows["text"][0], {"n": 1.5, "day": "\ufffd ", "x": [1]}),
        ("a.parquet:2", "b", {"n": None, "day": None, "x": []}),
    ]
    assert found[0].origin == str(tmp_path / "a.parquet")


def test_the_places_of_a_document_come_through_the_pipe() -> None:
    document = Document("a", "text", places=(Place(0, "line", "3"), Place(2, "sheet", "1 ü\ud800")))
    line, _ = reader._answer(document, Limits().longest)
    answer = json.loads(line.decode("utf-8", "surrogatepass"))
    assert isolation._document(answer, io.BytesIO()) == document
