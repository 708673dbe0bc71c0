"""Mail: each message is a document, whatever hands it went through."""

import io
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from textae.corpus import mail, read
from textae.corpus import reading as streams
from textae.types import Document, Skipped

MBOX = b"""From ann@example.org Mon Jan  1 10:00:00 2024
From: Ann <ann@example.org>
Message-ID: <1@example.org>
Subject: =?utf-8?q?Caf=C3=A9?= hours
Date: Mon, 01 Jan 2024 10:00:00 +0100

When does it open?

>From the door it looks shut.

From bob@example.org Mon Jan  1 11:00:00 2024
From: Bob <bob@example.org>
Subject: Re: hours
Date: yesterday
Content-Type: multipart/alternative; boundary=B

--B
Content-Type: text/html; charset=latin-1
Content-Transfer-Encoding: quoted-printable

<p>At nine, <b>caf=E9</b> time</p>
--B
Content-Type: text/plain
Content-Disposition: attachment

not the message
--B--

From nobody Mon Jan  1 12:00:00 2024
X-Nothing: at all

"""


def test_each_message_of_a_mailbox_is_a_document(tmp_path: Path) -> None:
    (tmp_path / "in.mbox").write_bytes(MBOX)
    first, second, third = read([str(tmp_path / "in.mbox")])
    assert first == Document(
        "1@example.org",
        "When does it open?\n\n>From the door it looks shut.",
        "Café hours",
        {"from": "Ann <ann@example.org>", "date": "2024-01-01T10:00:00+01:00"},
        "in.mbox:1",
        str(tmp_path / "in.mbox"),
    )
    assert isinstance(second, Document)
    assert (second.id, second.text, second.fields["date"]) == ("in.mbox:2", "At nine, café time", "yesterday")
    assert third == Skipped("in.mbox:3", "empty")


def test_a_file_of_one_message(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"Subject: Hello\nContent-Type: text/plain; charset=no-such\n\nbody \xff")
    (document,) = read([str(tmp_path)])
    assert document == Document("a.eml", "body \ufffd", "Hello", {"from": "", "date": ""}, "a.eml", str(tmp_path))


def test_a_message_that_is_too_long_does_not_hide_the_next() -> None:
    long = b"From a\nSubject: long\n\n" + (b"x" * 1_000 + b"\n") * (streams.LONGEST // 1_000) + b"\n"
    found = list(mail.read_mbox(io.BytesIO(long + b"From b\nSubject: short\n\ntext\n"), "box"))
    assert found[0] == Skipped("box:1", streams.TOO_LONG)
    assert isinstance(found[1], Document)
    assert found[1].title == "short"


def test_a_message_of_parts_in_parts_without_end_does_not_hide_the_next() -> None:
    depth = 1_200
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (at, at) for at in range(depth))
    found = list(mail.read_mbox(io.BytesIO(b"From a\n" + parts + b"\ndeep\n\nFrom b\nSubject: flat\n\ntext\n"), "box"))
    assert found[0] == Skipped("box:1", "nested too deeply")
    assert isinstance(found[1], Document)
    assert found[1].title == "flat"


@given(st.binary(max_size=300), st.sampled_from([b"Subject: ", b"Content-Type: ", b"Date: ", b"Message-ID: ", b""]))
def test_no_message_is_too_broken(content: bytes, header: bytes) -> None:
    mail.read_message(header + content, "m")
