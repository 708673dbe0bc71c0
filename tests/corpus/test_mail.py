"""Mail: each message is a document, whatever hands it went through."""

import io
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.corpus import mail, read
from textae.corpus import reading as streams
from textae.types import Document, Place, Skipped

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
        "When does it open?\n\nFrom the door it looks shut.",
        "Café hours",
        {"from": "Ann <ann@example.org>", "date": "2024-01-01T10:00:00+01:00", "message-id": "1@example.org"},
        "in.mbox:1",
        str(tmp_path / "in.mbox"),
        places=(Place(0, "line", "7"),),
    )
    assert isinstance(second, Document)
    assert (second.id, second.text, second.fields["date"]) == ("in.mbox:2", "At nine, café time", "yesterday")
    assert third == Skipped("in.mbox:3", "empty")


def test_a_file_of_one_message_keeps_its_path(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"\n\nSubject: Hello\nMessage-ID: <1@x>\n\n\nbody")
    (document,) = read([str(tmp_path)])
    assert isinstance(document, Document)
    assert (document.id, document.title, document.text) == ("a.eml", "Hello", "body")
    assert document.fields["message-id"] == "1@x"
    assert document.places == (Place(0, "line", "7"),)
    (tmp_path / "a.eml").write_bytes(b"From: a@x\n\nbody")
    assert [item.title for item in read([str(tmp_path)]) if isinstance(item, Document)] == ["a.eml"]
    bare = mail.read_message(b"no header\n\nat all", "m")
    assert bare == Document("m", "no header\n\nat all", source="m", places=(Place(0, "line", "1"),))


def message(headers: str, body: bytes | str = "") -> Document:
    content = body if isinstance(body, bytes) else body.encode()
    document = mail.read_message(headers.encode("utf-8", "surrogateescape") + b"\n\n" + content, "m")
    assert isinstance(document, Document)
    return document


def parts(kind: str, *inside: str) -> str:
    """A message of parts, each with its headers; the boundary is the kind, so that parts can hold parts."""
    boundary = kind.replace("/", "-")
    between = f"\n--{boundary}\n"
    return f"Content-Type: {kind}; boundary={boundary}\n{between}{between.join(inside)}\n--{boundary}--\n"


PLAIN, HTML = "Content-Type: text/plain\n\n", "Content-Type: text/html\n\n"
ATTACHED = "Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nattached"
FORWARDED = "Content-Type: message/rfc822\n\nSubject: the offer\nContent-Type: text/html\n\n<p>of a turbine"
INVITATION = "Content-Type: text/calendar\n\nBEGIN:VEVENT\nSUMMARY:The offer\nLOCATION:Room 3\nEND:VEVENT\n"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (parts("multipart/mixed", HTML + "<p>a report", PLAIN + "-- \na list", ATTACHED), "a report\n\n-- \na list"),
        (parts("multipart/mixed", PLAIN + "FYI", FORWARDED), "FYI\n\nthe offer\n\nof a turbine"),
        (
            parts("multipart/digest", "\nSubject: one\n\nfirst", "\nSubject: two\n\nsecond"),
            "one\n\nfirst\n\ntwo\n\nsecond",
        ),
        (parts("multipart/alternative", PLAIN + "needs HTML", HTML + "<b>The</b> text"), "The text"),
        (parts("multipart/alternative", PLAIN + "The text", HTML + "<img src=x>"), "The text"),
        (parts("multipart/alternative", PLAIN + "The text", INVITATION), "The text"),
        (INVITATION, "The offer\nRoom 3"),
        (
            parts(
                "multipart/alternative",
                PLAIN + "no",
                parts("multipart/related", HTML + "so", "Content-Type: text/css\n\np"),
            ),
            "so",
        ),
        (parts("multipart/signed", PLAIN + "signed", "Content-Type: application/pgp-signature\n\niQ"), "signed"),
        (parts("multipart/mixed", HTML + '<div style="display:none">preview</div>shown'), "shown"),
        ("Content-Type: multipart/mixed\n\nno boundary", "no boundary"),
        ("Content-Type: nonsense\n\nplain", "plain"),
        ("Subject: s\n\nbegin 644 a.gif\nM1TE&.#EA\n`\nend\nbelow", "below"),
        ("Subject: s\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nsigned: yes\n", "signed: yes"),
        ("Subject: s\n\nabove\n-----BEGIN PGP SIGNATURE-----\n\niQEz\n=ab\n-----END PGP SIGNATURE-----\n", "above"),
    ],
)
def test_every_part_is_shown_but_the_attachments(source: str, shown: str) -> None:
    document = mail.read_message(source.encode(), "m")
    assert isinstance(document, Document)
    assert document.text == shown


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        ("", "Köln".encode(), "Köln"),
        ("", "Köln".encode("cp1252"), "Köln"),
        ("Content-Type: text/plain; charset=us-ascii", "Köln".encode(), "Köln"),
        ("Content-Type: text/plain; charset=us-ascii", "Köln".encode("cp1252"), "Köln"),
        ("Content-Type: text/plain; charset=iso-8859-1", "“Köln”".encode("cp1252"), "“Köln”"),
        ("Content-Type: text/plain; charset=unknown-8bit", "Köln".encode("cp1252"), "Köln"),
        ("Content-Type: text/plain; charset=utf-8", "Köln".encode("cp1252"), "Köln"),
        ('Content-Type: text/plain; charset="koi8-r"', "Кёльн".encode("koi8-r"), "Кёльн"),
        ("Content-Type: text/plain; charset=iso-2022-jp", "日本".encode("iso2022_jp"), "日本"),
        ("Content-Type: text/plain; charset=ks_c_5601-1987", "똠".encode("cp949"), "똠"),
        ("Content-Type: text/html", '<meta charset="iso-8859-1">Köln'.encode("cp1252"), "Köln"),
        ("Content-Type: text/html; charset=gb2312", "<p>镕".encode("gbk"), "镕"),
        ("Content-Transfer-Encoding: base64", b"S8O2bG4", "Köln"),
        ("Content-Transfer-Encoding: base64", b"S8O2\n!bG4=\n____\nfooter", "Köln"),
        ("Content-Transfer-Encoding: quoted-printable", b"K=C3=B6ln =\n=ZZ =3", "Köln =ZZ =3"),
        ("", b"a NUL\0 inside", "a NUL inside"),
    ],
)
def test_a_body_in_any_character_set(headers: str, body: bytes, text: str) -> None:
    assert message("Subject: s\n" * (not headers) + headers, body).text == text


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        ("Grüße aus Köln", "Grüße aus Köln"),
        ("Gr\udcfc\udcdfe", "Grüße"),  # raw bytes of windows-1252
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?= =?UTF-8?Q?_aus_K=C3=B6ln?=", "Grüße aus Köln"),
        ("=?utf-8?b?R3LD?=\n =?utf-8?b?vMOfZQ==?=", "Grüße"),  # a letter cut in half
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe aus?= Köln", "Grüße aus Köln"),  # a blank in a word
        ("Re:=?iso-8859-1*de?q?Gr=FC=DFe?=!", "Re:Grüße!"),
        ("=?utf-8?b?R3LDvMOfZQ?=", "Grüße"),  # without padding
        ("=?utf-8?b?R3LDvMOfZQABC?=", "Grüße"),
        ("=?x-none?q?caf=C3=A9?=", "café"),
        ("=?utf-8?q?cut off", "=?utf-8?q?cut off"),
        ("=?utf-8?q??=", ""),
    ],
)
def test_a_subject_in_any_encoding(subject: str, title: str) -> None:
    assert message(f"Subject: {subject}", "x").title.startswith(title)


def test_headers_are_fields_where_the_message_has_them() -> None:
    headers = (
        "From: =?utf-8?q?J=C3=B6rg?= <j@x>\nTo: a@x,\n b@x\nCc: Jörg <c@x>\nList-Id: News <news.x>\nMessage-ID:\n <1@x>"
    )
    expected = {"from": "Jörg <j@x>", "to": "a@x, b@x", "cc": "Jörg <c@x>", "list": "news.x", "message-id": "1@x"}
    assert message(headers, "x").fields == expected


def test_marks_before_the_headers_are_no_part_of_them() -> None:
    source = "Subject: Köln\n\nbody"
    for content in (b"\xef\xbb\xbf" + source.encode(), source.encode("utf-16"), b"\r\n" + source.encode()):
        document = mail.read_message(content, "m")
        assert isinstance(document, Document)
        assert (document.title, document.text) == ("Köln", "body")


def test_a_file_of_apple_mail_has_its_length_before_it() -> None:
    source = b"Subject: s\n\nbody"
    document = mail.read_message(b"%d      \n%s<?xml version='1.0'?><plist>no mail" % (len(source), source), "m")
    assert isinstance(document, Document)
    assert (document.title, document.text, document.places[0].name) == ("s", "body", "4")


def test_lines_that_flow_are_paragraphs() -> None:
    body = "One \nline.\n\n> two \n> lines\n>> three\n From\n-- \nme"
    flowed = "One line.\n\n> two lines\n>> three\nFrom\n--\nme"
    assert message("Content-Type: text/plain; format=flowed", body).text == flowed
    assert message("Content-Type: text/plain; format=flowed; delsp=yes", "日本 \n語").text == "日本語"


def test_what_was_guessed_and_what_is_encrypted_is_noticed() -> None:
    assert message("Subject: s", "Köln".encode("cp1252")).notice == "encoding guessed"
    assert message("Subject: s\nContent-Type: text/plain; charset=us-ascii", "Köln").notice == ""
    secret = parts("multipart/encrypted", "Content-Type: application/pgp-encrypted\n\nVersion: 1")
    assert message("Subject: secret\n" + secret).notice == "encrypted"
    assert mail.read_message(secret.encode(), "m") == Skipped("m", "encrypted")


def box(*lines: str) -> list[str]:
    """The ids of a box, and the reasons for which messages are skipped."""
    found = mail.read_mbox(io.BytesIO("\n".join(lines).encode()), "box", prefix="box:")
    return [f"{one.source} {one.reason}" if isinstance(one, Skipped) else one.id for one in found if one]


FROM = "From a@example.org Mon Feb  5 10:00:00 2024"


@pytest.mark.parametrize(
    "body",
    [
        "From what I remember, it is old.",
        "From here on:\nSubject: is a word",
        "From Monday on we meet at 10:30 in 2024",
        "From a@example.org Mon Feb  5 10:00:00 2024 he wrote\nto me",
        ">From a@example.org Mon Feb  5 10:00:00 2024",
        "line above\nFrom a@example.org Mon Feb  5 10:00:00 2024\nSubject: not after an empty line",
    ],
)
def test_a_line_of_a_body_that_begins_with_from_ends_no_message(body: str) -> None:
    one = ["Message-ID: <1>", "", "first", "", *body.split("\n"), ""]
    assert box(FROM, *one, FROM, "Message-ID: <2>", "", "x") == ["box:1", "box:2"]


@pytest.mark.parametrize(
    "line",
    [
        "From - Mon Feb 05 10:00:00 2024",
        "From a@example.org Mon Feb  5 10:00:00 UTC 2024",
        "From 17@xxx Mon Feb 05 10:00:00 +0000 2024",
        "From A B <a@x.org> Mon, 05 Feb 2024 10:00 +0100",
        "From j at x.org  Tue Feb  6 10:00:00 2024",
        "From ",
        "From a@x.org",
    ],
)
def test_lines_that_start_a_message(line: str) -> None:
    assert box(line, "Message-ID: <1>", "", "x", "", line, "Message-ID: <2>", "", "y") == ["box:1", "box:2"]


def test_a_message_may_follow_no_empty_line_where_a_whole_date_and_two_headers_begin_it() -> None:
    one = [FROM, "From: a@example.org", "Message-ID: <1>", "", "first"]
    two = ["From - Tue Feb 06 10:00:00 2024", "Received: from x", " by y", "Message-ID: <2>", "", "second"]
    assert box(*one, *two) == ["box:1", "box:2"]
    assert box(*one, "From b@example.org", *two[1:]) == ["box:1"]


def test_the_length_of_a_message_counts_where_a_message_ends_there() -> None:
    inside = f"a\n\n{FROM}\nSubject: quoted\n\nb\n"
    head = ["Message-ID: <1>", f"Content-Length: {len(inside)}", ""]
    two = [FROM, "Message-ID: <2>", "", "c"]
    assert box(FROM, *head, inside, *two) == ["box:1", "box:2"]
    wrong = ["Message-ID: <1>", f"Content-Length: {len(inside) + 9}", ""]
    assert box(FROM, *wrong, inside, *two) == ["box:1", "box:2", "box:3"]


def test_two_messages_of_one_id_are_two_documents() -> None:
    one = [FROM, "Message-ID: <a>", "", "x", ""]
    assert box(*one, *one, FROM, "", "x") == ["box:a", "box:2", "box:3"]


def test_messages_that_the_user_deleted_are_skipped() -> None:
    heads = ["X-Mozilla-Status: 0009", "Status: ROD", "X-Status: AD", "X-Mozilla-Status: 0001", "Status: RO"]
    lines = [line for head in heads for line in (FROM, head, f"Message-ID: <{head[-2:]}>", "", "x", "")]
    assert box(*lines) == ["box:1 deleted", "box:2 deleted", "box:3 deleted", "box:01", "box:RO"]


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


def test_a_message_of_a_thousand_parts_and_one_of_200_levels() -> None:
    many = mail.read_message(parts("multipart/mixed", *[PLAIN + "word"] * 1_000).encode(), "m")
    assert isinstance(many, Document)
    assert many.text.split() == ["word"] * 1_000
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (at, at) for at in range(200))
    deepest = mail.read_message(deep + b"\nfound", "m")
    assert isinstance(deepest, Document)
    assert deepest.text == "found"


@pytest.mark.parametrize(
    "source",
    [
        f"Subject: {'=?a?q?x' * 300_000}\n\nx",
        "From " + "Mon " * 300_000 + "\nx\n\n",
        (FROM + "\nContent-Length: 9000000\n\nx\n\n") * 20_000,
        "Content-Type: text/plain; format=flowed\n\n" + "x \n" * 300_000,
        "Subject: s\n\n" + "-----BEGIN PGP MESSAGE-----\n\n" * 30_000,
        "Subject: s\n\n" + "begin 644 x\nM\n" * 100_000,
    ],
)
def test_no_mail_takes_the_square_of_its_length(source: str) -> None:
    started = time.process_time()
    assert list(mail.read_mbox(io.BytesIO(source.encode()), "box"))
    assert time.process_time() - started < 10  # where time grows with the square, minutes


@given(st.binary(max_size=300), st.sampled_from([b"Subject: ", b"Content-Type: ", b"Date: ", b"Message-ID: ", b""]))
def test_no_message_is_too_broken(content: bytes, header: bytes) -> None:
    mail.read_message(header + content, "m")
