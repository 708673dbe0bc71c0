"""Text of documents, made harmless for a terminal, a table and a line of JSON."""

import json
import re
from collections.abc import Mapping
from typing import Any

# Control characters (escape sequences among them), those that turn the direction of writing, and halves of characters.
_UNSEEN = "\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff"


_STEERING = re.compile(rf"[\x00-\x08\x0b-\x1f{_UNSEEN}\ud800-\udfff]")


_NOT_IN_JSON = re.compile(f"[{_UNSEEN}]")


def safe(text: str) -> str:
    """The text with control characters replaced, at the same length."""
    return _STEERING.sub("\ufffd", text)


def cell(text: str) -> str:
    """The text on one line without tabs, for tables."""
    return safe(re.sub(r"\s+", " ", text))


def json_line(value: Mapping[str, Any]) -> str:
    """One line of JSON; control characters are escaped, NaN and infinity are null."""
    line = json.dumps(value, ensure_ascii=False)
    if "NaN" in line or "Infinity" in line:  # Python writes them, JSON has no such thing
        line = json.dumps(json.loads(line, parse_constant=lambda name: None), ensure_ascii=False)
    line = line.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return _NOT_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
