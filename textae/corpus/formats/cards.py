"""Calendars (RFC 5545) and address books (RFC 6350): each event, task, note or person is a document.

Both are lines of `NAME;PARAMETERS:VALUE`. They are read here: icalendar and vobject also parse times, rules and zones,
and refuse a file for one bad line.
"""

import quopri
import re
from collections.abc import Iterator

from textae.corpus import reading
from textae.corpus.formats import Given
from textae.corpus.reading import Item
from textae.types import Document, FieldValue, Place, Skipped

_CARDS = ("VEVENT", "VTODO", "VJOURNAL", "VCARD")
_TITLES = ("SUMMARY", "FN", "N")
_FIELDS = {"DTSTART": "start", "DTEND": "end", "DUE": "due", "LOCATION": "location", "ORGANIZER": "organizer",
           "STATUS": "status", "CATEGORIES": "categories", "EMAIL": "email", "TEL": "telephone", "ORG": "organization",
           "BDAY": "birthday"}  # fmt: skip
_TEXTS = ("SUMMARY", "DESCRIPTION", "COMMENT", "LOCATION", "CATEGORIES", "ORGANIZER", "ATTENDEE", "CONTACT", "FN",
          "NICKNAME", "ORG", "TITLE", "ROLE", "ADR", "EMAIL", "TEL", "NOTE", "URL")  # fmt: skip
_DATES = ("DTSTART", "DTEND", "DUE", "BDAY")  # the digits of others may be a telephone number
_ESCAPE = re.compile(r"\\([nN,;:\\])")
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)Z?)?")

Property = tuple[str, dict[str, str], str]
"""The name, the parameters and the value of a line."""


def read(given: Given) -> Iterator[Item]:
    """The documents of a calendar or an address book."""
    card: list[Property] | None = None
    kind, began, number, ids = "", 1, 0, set[str]()
    for line, (name, parameters, value) in _properties(given.text()):
        word = value.strip().upper()
        if name == "BEGIN" and word in _CARDS and card is None:
            card, kind, began = [], word, line
        elif name == "END" and word == kind and card is not None:
            number += 1
            uid = next((text.strip() for key, _, text in card if key == "UID"), "")
            id = f"{given.name}:{uid or number}"
            if id in ids:  # one occasion of an event that repeats has the id of the event
                id = f"{id}:{number}"
            ids.add(id)
            item = _document(card, id, f"{given.name}:{began}", began)
            yield given.wanted(item)
            card = None
        elif card is not None:
            card.append((name, parameters, value))
    if not number:
        yield Skipped(given.name, reading.EMPTY)


def _document(card: list[Property], id: str, source: str, line: int) -> Document | Skipped:
    found: dict[str, list[str]] = {}
    depth = 0  # of what is inside of an event, such as an alarm
    for name, parameters, value in card:
        depth += (name == "BEGIN") - (name == "END")
        if not depth:
            found.setdefault(name, []).append(_text(name, parameters, value))
    title = next((found[name][0] for name in _TITLES if found.get(name, [""])[0]), "")
    texts = [text for name in _TEXTS for text in found.get(name, []) if text and text != title]
    fields: dict[str, FieldValue] = {
        field: values[0] if len(values := found[name]) == 1 else list[FieldValue](values)
        for name, field in _FIELDS.items()
        if any(found.get(name, []))
    }
    if not (title or texts):
        return Skipped(source, reading.EMPTY)
    text = "\n".join(texts)
    return Document(id, text, title, fields, source, places=(Place(0, "line", str(line)),) if text else ())


def _text(name: str, parameters: dict[str, str], value: str) -> str:
    if parameters.get("ENCODING", "").upper() == "QUOTED-PRINTABLE":  # of vCard 2.1
        charset = parameters.get("CHARSET", "utf-8")
        try:
            value = quopri.decodestring(value.encode()).decode(charset, "replace")
        except LookupError:
            value = quopri.decodestring(value.encode()).decode("utf-8", "replace")
    if name in _DATES and (date := _DATE.fullmatch(value.strip())):
        day, time = "-".join(date.groups()[:3]), ":".join(filter(None, date.groups()[3:]))
        return f"{day}T{time}" if time else day
    if name in ("ATTENDEE", "ORGANIZER", "CONTACT"):
        return " ".join(filter(None, (parameters.get("CN", ""), re.sub("(?i)^mailto:", "", value))))
    if name in ("ADR", "ORG", "N"):  # parts between semicolons
        value = " ".join(part for part in re.split(r"(?<!\\);", value) if part)
    return _ESCAPE.sub(lambda escape: "\n" if escape[1] in "nN" else escape[1], value).strip()


def _properties(text: str) -> Iterator[tuple[int, Property]]:
    """The properties with the numbers of their lines; a line that begins with a blank continues the one before."""
    unfolded: list[tuple[int, list[str]]] = []
    is_soft = False  # a quoted-printable line goes on behind a `=` at its end
    for number, line in enumerate(text.splitlines(), start=1):
        if unfolded and (line[:1] in (" ", "\t") or is_soft):
            unfolded[-1][1].append(line if is_soft else line[1:])
        else:
            unfolded.append((number, [line]))
        is_soft = line.endswith("=") and "QUOTED-PRINTABLE" in unfolded[-1][1][0].upper()
        if is_soft:
            unfolded[-1][1][-1] = line.lstrip()[:-1]
    for number, pieces in unfolded:
        head, colon, value = _divided("".join(pieces))
        if colon:
            name, *parameters = re.findall(r'(?:[^;"]|"[^"]*")+', head) or [""]
            pairs = [parameter.partition("=") for parameter in parameters]  # vCard 2.1 leaves the `ENCODING=` out
            named = {key.upper(): text.strip('"') if sign else key for key, sign, text in pairs}
            if "QUOTED-PRINTABLE" in named:
                named["ENCODING"] = "QUOTED-PRINTABLE"
            yield number, (name.rpartition(".")[2].upper(), named, value)


def _divided(line: str) -> tuple[str, str, str]:
    """The parts of a line before and behind the first colon that is outside of quotes."""
    is_quoted = False
    for at, letter in enumerate(line[:4_000]):
        if letter == '"':
            is_quoted = not is_quoted
        elif letter == ":" and not is_quoted:
            return line[:at], ":", line[at + 1 :]
    return line, "", ""
