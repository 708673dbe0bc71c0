"""Mail: a message becomes a document that holds what a mail program shows of it.

The title is the subject. The text is that of every part but the attachments: of `multipart/alternative` the last part
that has text, of other parts all, one after the other (RFC 2046, 5.1), a forwarded message with its subject. The fields
are `from`, `to`, `cc`, `date` (ISO 8601 where it can be parsed), `list` and `message-id`, where the message has them.
Quoted lines are kept; armour of PGP and files in uuencode are left out.

The id of a file of one message is its path. The id of a message in a mailbox is its Message-ID; where it has none, or
one that is taken, its number.
"""

import binascii
import email
import quopri
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from email.message import Message
from email.utils import parsedate_to_datetime
from io import BytesIO
from itertools import chain, groupby, pairwise
from typing import IO

from textae.corpus import reading
from textae.corpus.decoding import GUESSED, codec, decode
from textae.corpus.html import decode_html, html_parts
from textae.corpus.reading import Item, RefusedError
from textae.corpus.tables import TableSpec
from textae.encoding.analyzer import searchable
from textae.types import Document, FieldValue, Place, Skipped

ENCRYPTED = "encrypted"

_UNREAD = {"calendar", "css", "directory", "javascript", "rtf", "vcard", "x-amp-html", "x-vcard", "xml"}
"""Kinds of text that no mail program shows as text."""

_MARKUP = {"text/html", "text/enriched", "text/richtext", "application/xhtml+xml"}
_SECRET = {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}

_READ_AGAIN = 4 * reading.LONGEST  # bytes of a mailbox, in all; without it wrong lengths take its square
_LINE = 500  # bytes of a line that starts a message
_HEADER_LENGTH = 1 << 14  # characters; more of them are the addresses of thousands of receivers

_DATED = re.compile(rb"From (?:.* )?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? .*\d:\d\d")
_WHOLLY_DATED = re.compile(
    rb"From \S+ +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d+"
    rb" \d\d:\d\d(?::\d\d)? .*\d{4}\s*$"
)
_UNDATED = re.compile(rb"From ?\S*\s*$")  # as Thunderbird and some archives write it
_EMLX = re.compile(rb"(\d{1,9}) *\n")  # of Apple Mail: the length of the message, which a list of properties follows
_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:|>From ")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_LENGTH = re.compile(rb"^Content-Length:[ \t]*(\d{1,8})\s*$", re.MULTILINE | re.IGNORECASE)
_HEAD_END = re.compile(rb"\A\r?\n|\n\r?\n")

_WORD = r"=\?([^?\s]+)\?([bq])\?([^?]*(?:\?(?!=)[^?]*)*)\?="
_WORDS = re.compile(rf"{_WORD}(?:\s*{_WORD})*", re.IGNORECASE)
_ONE_WORD = re.compile(_WORD, re.IGNORECASE)
_NO_PROSE = re.compile(
    r"^-----BEGIN PGP (MESSAGE|SIGNATURE|PUBLIC KEY BLOCK)-----\n(?:(?!-----).*\n)*-----END PGP \1-----$"
    r"|^-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Za-z]+: .*\n)*\n"
    r"|^begin [0-7]{3,4} \S.*\n(?:[ -`]{1,62}\n)+end$",
    re.MULTILINE,
)


def read_mbox(stream: IO[bytes], name: str, start: int = 0, prefix: str = "") -> Iterator[Item]:
    """The messages of a mailbox; the id of one without an own Message-ID is `name:number`, counted from 1.

    Args:
        stream: lines; a message starts at a line `From ADDRESS DATE` that precedes a header. It follows an empty line,
            or has a whole date and precedes two headers.
        name: of the mailbox.
        start: messages at the beginning that are not parsed; they are None.
        prefix: of the ids of messages with a Message-ID.
    """
    ids: set[str] = set()
    for number, (line, content) in enumerate(_whole_messages(stream), start=1):
        place = f"{name}:{number}"
        if number <= start:
            yield None
        elif content is None:
            yield Skipped(place, reading.TOO_LONG)
        else:
            item = _read(_QUOTED_FROM.sub(rb"\1", content), place, line, prefix, in_box=True)
            if isinstance(item, Document) and item.id in ids:  # two copies, or a sender that counts wrong
                item = replace(item, id=place)
            if isinstance(item, Document):
                ids.add(item.id)
            yield item


def read_message(content: bytes, place: str) -> Document | Skipped:
    """The document of a file of one message.

    Args:
        content: of the file, with or without a byte order mark.
        place: its id and its source.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = decode(content).text.encode()
    content = content.removeprefix(b"\xef\xbb\xbf")
    if apple := _EMLX.match(content):
        content = content[: apple.end() + int(apple[1])].replace(apple[1], b"", 1)
    body = content.lstrip()
    return _read(body, place, 1 + content[: len(content) - len(body)].count(b"\n"))


def _read(content: bytes, place: str, line: int, prefix: str = "", *, in_box: bool = False) -> Document | Skipped:
    try:
        message = email.message_from_bytes(content)
        subject = _header(message, "subject")
        body = _Body(message)
    except RecursionError:  # the parser goes down into each part
        return Skipped(place, reading.NESTED)
    if in_box and _is_deleted(message):
        return Skipped(place, reading.DELETED)
    text = _NO_PROSE.sub("", "\n\n".join(body.texts).replace("\r\n", "\n").replace("\r", "\n")).rstrip()
    if not (subject or text.strip()):
        return Skipped(place, ENCRYPTED if body.is_encrypted else reading.EMPTY)
    message_id = "".join(_header(message, "message-id").split()).strip("<>")
    fields: dict[str, FieldValue] = {name: _header(message, name) for name in ("from", "to", "cc")}
    fields |= {"date": _date(_header(message, "date")), "list": _list(_header(message, "list-id"))}
    fields |= {"message-id": message_id}
    head = _head(content) if message.keys() else b""
    first = line + head.count(b"\n") + text[: len(text) - len(text.lstrip())].count("\n")
    return Document(
        prefix + message_id if in_box and message_id else place,
        text.strip(),
        subject,
        {name: value for name, value in fields.items() if value},
        place,
        places=(Place(0, "line", str(first)),),
        notice=GUESSED if body.is_guessed else ENCRYPTED if body.is_encrypted else "",
    )


def _head(content: bytes) -> bytes:
    end = _HEAD_END.search(content)
    return content[: end.end()] if end else content


def _is_deleted(message: Message) -> bool:
    """Whether the user deleted it, and the mail program keeps it until the mailbox is compacted."""
    status = _header(message, "x-mozilla-status")  # in hexadecimal digits, of which 8 is "expunged"
    return bool(re.fullmatch("[0-9a-fA-F]{1,8}", status) and int(status, 16) & 8) or any(
        "D" in _header(message, name) for name in ("status", "x-status")
    )


def _whole_messages(stream: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """The line and the content of each message; one that names its length has it where a message ends there."""
    messages = _messages(stream)
    ahead: deque[tuple[int, bytes | None]] = deque()
    patience = _READ_AGAIN
    while (message := ahead.popleft() if ahead else next(messages, None)) is not None:
        line, content = message
        parts = [content or b""]
        size, head = len(parts[0]), _head(parts[0])
        length = _LENGTH.search(head)
        end = len(head) + int(length[1]) if length else 0
        if content and size < end <= reading.LONGEST and patience > 0:
            more: list[tuple[int, bytes | None]] = []
            while size < end and (message := ahead.popleft() if ahead else next(messages, None)):
                more.append(message)
                parts.append(message[1] or b"")
                size += len(parts[-1])
            if not 0 <= size - end <= 2:  # an empty line follows; what else the length says is wrong
                ahead.extendleft(reversed(more))
                parts, patience = parts[:1], patience - size
        yield line, content and b"".join(parts)


def _messages(stream: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """The line and the content of what stands between `From ` lines, these included; None for what is too long."""
    message: list[bytes] = []
    size = first = 0
    after_blank, separator, is_apart = True, b"", True
    for number, (line, following) in enumerate(pairwise(chain(reading.lines(stream), [b""])), start=1):
        if separator and (_separates(separator, line) if is_apart else _is_certain(separator, line, following)):
            if size > len(separator):
                yield first, b"".join(message[:-1]) if size <= reading.LONGEST else None
            message, size, first = [separator], len(separator), number - 1
        is_blank = line is not None and not line.strip()
        separator, is_apart = (line if line and line.startswith(b"From ") else b""), after_blank
        after_blank = is_blank
        if message or not is_blank:
            first = first or number
            size += reading.LONGEST + 1 if line is None else len(line)
            if line is not None and size <= reading.LONGEST:
                message.append(line)
    if size:
        yield first, b"".join(message) if size <= reading.LONGEST else None


def _separates(line: bytes, below: bytes | None) -> bool:
    """Whether a `From ` line starts a message: it has a date or one word, and a header stands below it."""
    if _DATED.match(line[:_LINE]):
        return below is not None and (not below.strip() or bool(_HEADER.match(below)))
    return bool(below and _UNDATED.match(line[:_LINE]) and _HEADER.match(below))


def _is_certain(line: bytes, below: bytes | None, following: bytes | None) -> bool:
    """Whether a `From ` line starts a message though no empty line precedes it: a whole date, and two headers."""
    headers = below and following and _HEADER.match(below) and (_HEADER.match(following) or following[:1] in b" \t")
    return bool(headers and _WHOLLY_DATED.match(line))


def _header(message: Message, name: str) -> str:
    """A header decoded: `=?utf-8?q?Caf=C3=A9?=` is Café, as are raw bytes in UTF-8 (RFC 6532) and other encodings."""
    raw = next((str(value)[:_HEADER_LENGTH] for header, value in message.raw_items() if header.lower() == name), "")
    if not raw.isascii():
        raw = _decoded(raw.encode("utf-8", "surrogateescape"))
    if "=?" in raw:
        raw = _WORDS.sub(_words, raw)
    return reading.storable(" ".join(raw.split()))


def _words(words: re.Match[str]) -> str:
    """The text of encoded words (RFC 2047); a letter may be cut in half between two of them."""
    decoded = [(charset.partition("*")[0], _word(how, word)) for charset, how, word in _ONE_WORD.findall(words[0])]
    groups = groupby(decoded, key=lambda part: part[0].lower())
    return "".join(_decoded(b"".join(content for _, content in group), charset) for charset, group in groups)


def _word(how: str, word: str) -> bytes:
    content = word.encode("utf-8")
    if how in "qQ":
        return quopri.decodestring(content.replace(b"\n", b" "), header=True)
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", content)
    if len(letters) % 4 == 1:  # a letter of base64 too many, or three too few
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _date(header: str) -> str:
    try:
        return parsedate_to_datetime(header).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return header


def _list(header: str) -> str:
    """The name of a mailing list: `News <news.example.org>` is news.example.org."""
    return header.rpartition("<")[2].rstrip("> ")


class _Body:
    """What a mail program shows below the headers.

    Args:
        message: to show.

    Attributes:
        texts: of the parts, in order.
        is_guessed: whether the encoding of one was guessed.
        is_encrypted: whether it has a part that only its receiver can read.
    """

    def __init__(self, message: Message) -> None:
        self.is_guessed = self.is_encrypted = False
        self.texts = list(self._texts(message)) or list(self._events(message))

    def _texts(self, part: Message) -> Iterator[str]:
        kind = part.get_content_type()
        if kind in _SECRET:
            self.is_encrypted = True
        if not part.is_multipart():
            if part.get_content_disposition() != "attachment" and (text := self._text(part, kind)).strip():
                yield text
            return
        parts = [one for one in part.get_payload() if isinstance(one, Message)]
        if kind == "multipart/alternative":
            yield from next(filter(None, (list(self._texts(one)) for one in reversed(parts))), [])
            return
        for one in parts:
            if kind == "message/rfc822" and (subject := _header(one, "subject")):
                yield subject
            yield from self._texts(one)

    def _events(self, message: Message) -> Iterator[str]:
        """What an invitation says that comes without words of its own."""
        from textae.corpus.formats import Given, cards

        for part in message.walk():
            content = part.get_payload(decode=True)
            if part.get_content_type() == "text/calendar" and isinstance(content, bytes):
                with suppress(RefusedError):
                    events = cards.read(Given(BytesIO(content), "", ".ics", TableSpec()))
                    yield from (searchable(event) for event in events if isinstance(event, Document))

    def _text(self, part: Message, kind: str) -> str:
        """The text of a part that has no parts; of `multipart` without a boundary all that is there."""
        main, _, sub = kind.partition("/")
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes) or not (main in ("text", "multipart") or kind in _MARKUP) or sub in _UNREAD:
            return ""
        charset = part.get_content_charset() or ""
        wide = codec(charset).startswith(("utf-16", "utf-32"))
        try:
            decoded = (decode_html if kind in _MARKUP else decode)(
                content if wide else content.replace(b"\0", b""), charset
            )
        except RefusedError:
            return ""
        self.is_guessed |= decoded.guessed
        text = reading.storable(decoded.text)
        if kind in _MARKUP:
            return html_parts(text)[1]
        if str(part.get_param("format", "")).lower() == "flowed":
            text = _unflowed(text, "" if str(part.get_param("delsp", "")).lower() == "yes" else " ")
        return text


def _unflowed(text: str, between: str) -> str:
    """The paragraphs of `format=flowed` (RFC 3676): a line that ends in a space goes on in the next one."""
    paragraphs: list[list[str]] = []
    flows_as = None  # the quote marks of a line that goes on
    for line in text.splitlines():
        stripped = line.lstrip(">")
        marks, stripped = line[: len(line) - len(stripped)], stripped.removeprefix(" ")
        if flows_as == marks and stripped != "-- ":
            paragraphs[-1].append(stripped.rstrip(" "))
        else:
            paragraphs.append([(marks and f"{marks} ") + stripped.rstrip(" ")])
        flows_as = marks if stripped.endswith(" ") and stripped != "-- " else None
    return "\n".join(map(between.join, paragraphs))


def _decoded(content: bytes, charset: str = "") -> str:
    """The text of a header."""
    try:
        return decode(content, charset).text
    except RefusedError:
        return content.decode("utf-8", "replace")
