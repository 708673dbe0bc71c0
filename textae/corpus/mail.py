"""Mail: each message of an mbox, or a file of one message, is a document.

The id is the Message-ID, the title is the subject, the text is the plain part or else the words of the HTML part.
Quoted lines are kept. Fields are `from` and `date` (ISO 8601 where it can be parsed). Bytes that are invalid in the
declared character set are replaced: mailboxes are rarely clean. A message whose parts nest too deeply for the parser is
skipped.
"""

import email
import re
from collections.abc import Iterator
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime
from itertools import chain
from typing import IO

from textae.corpus import reading
from textae.corpus.html import html_parts
from textae.corpus.reading import Item
from textae.types import Document, FieldValue, Skipped

_END = b"the end of the mailbox"  # told by identity


def read_mbox(stream: IO[bytes], name: str, start: int = 0) -> Iterator[Item]:
    """The messages of a mailbox; the id of one without a Message-ID is `name:number`, counted from 1.

    Args:
        stream: lines; a message starts at `From ` after an empty line.
        name: of the mailbox.
        start: messages at the beginning that are not parsed; they are None.
    """
    for number, content in enumerate(_messages(stream), start=1):
        place = f"{name}:{number}"
        if number <= start:
            yield None
        else:
            yield Skipped(place, reading.TOO_LONG) if content is None else read_message(content, place)


def read_message(content: bytes, place: str) -> Document | Skipped:
    """The document of one message.

    Args:
        content: the message as it was sent.
        place: its id where it has no Message-ID, and its source.
    """
    try:
        message = email.message_from_bytes(content)
        title, text = _header(message, "subject"), _text(message)
    except RecursionError:  # the parser goes down into each part
        return Skipped(place, reading.NESTED)
    if not (title or text):
        return Skipped(place, reading.EMPTY)
    id = " ".join(_header(message, "message-id").split()).strip("<>")
    fields: dict[str, FieldValue] = {"from": _header(message, "from"), "date": _date(_header(message, "date"))}
    return Document(id or place, text, title, fields, place)


def _messages(stream: IO[bytes]) -> Iterator[bytes | None]:
    """The messages between `From ` lines; None for one that is longer than `LONGEST`."""
    message: list[bytes] | None = None
    size, after_blank = 0, True
    for line in chain(reading.lines(stream), [_END]):
        is_blank = line is not None and not line.strip()
        if line is _END or (line is not None and after_blank and line.startswith(b"From ")):
            if message is not None:
                yield None if size > reading.LONGEST else b"".join(message)
            message, size = [], 0
        elif message is not None or not is_blank:
            message = message or []
            size += reading.LONGEST + 1 if line is None else len(line)
            if size <= reading.LONGEST and line is not None:
                message.append(line)
        after_blank = is_blank


def _header(message: Message, name: str) -> str:
    """A header decoded: `=?utf-8?q?Caf=C3=A9?=` is Café."""
    raw = str(message.get(name, "")).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        parts = decode_header(raw)
    except (email.errors.HeaderParseError, ValueError):
        parts = [(raw, None)]
    text = "".join(part if isinstance(part, str) else _decoded(part, charset) for part, charset in parts)
    return reading.storable(" ".join(text.split()))


def _date(header: str) -> str:
    try:
        return parsedate_to_datetime(header).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return header


def _text(message: Message) -> str:
    """The plain parts, else the HTML parts, without attachments."""
    parts = [part for part in message.walk() if part.get_content_disposition() != "attachment"]
    plain = [_payload(part) for part in parts if part.get_content_type() == "text/plain"]
    if not any(map(str.strip, plain)):
        plain = [html_parts(_payload(part))[1] for part in parts if part.get_content_type() == "text/html"]
    return re.sub(r"\r\n?", "\n", "\n\n".join(plain)).strip()


def _payload(part: Message) -> str:
    content = part.get_payload(decode=True)
    return _decoded(content, part.get_content_charset()) if isinstance(content, bytes) else ""


def _decoded(content: bytes, charset: str | None) -> str:
    try:
        text = content.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):  # an unknown character set
        text = content.decode("utf-8", "replace")
    return reading.storable(text)
