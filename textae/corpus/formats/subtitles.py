"""Subtitles: SubRip (.srt) and WebVTT. Each cue is a part whose place is its time."""

import re
from collections.abc import Iterator

from textae.corpus.formats import Given, Part
from textae.corpus.reading import Item

_TIMES = re.compile(r"[ \t]*((?:\d+:)?\d\d?:\d\d)[,.]\d{1,3}[ \t]*-->")
_TAG = re.compile(r"<[^<>\n]{0,200}>|\{\\[^{}\n]{0,200}\}")
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&lrm;": "", "&rlm;": ""}


def read(given: Given) -> Iterator[Item]:
    """The document of a file of subtitles."""
    text = given.text().replace("\r\n", "\n").replace("\r", "\n")
    yield given.document("", _cues(text), between="\n")


def _cues(text: str) -> Iterator[Part]:
    """What follows a line of times, up to a blank line; headers, notes, styles and numbers of cues are left out."""
    time, cue = "", list[str]()
    for line in [*text.split("\n"), ""]:
        if match := _TIMES.match(line):
            time, cue = match[1], []
        elif time and line.strip():
            cue.append(_plain(line))
        elif time:
            yield "time", time if time.count(":") == 2 else f"00:{time}", " ".join(cue)
            time = ""


def _plain(line: str) -> str:
    line = _TAG.sub("", line)
    return re.sub(r"&[a-z]+;", lambda entity: _ENTITIES.get(entity[0], entity[0]), line).strip()
