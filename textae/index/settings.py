"""The settings of an index: what JSON each may hold. A stranger may have written them."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from textae.config import LAYOUTS, MOST_PASSAGE, MOST_SEED, specs_of
from textae.encoding.analyzer import languages
from textae.encoding.given_vectors import MOST_DIMS
from textae.errors import TextaeError
from textae.types import KINDS

Valid = Callable[[Any], bool]

LARGEST = 2**53
"""As far as a double counts."""

_MOST_PIXELS = 1 << 26
"""Numbers of a picture."""

_HALF = re.compile("[\ud800-\udfff]")  # of a surrogate pair, which nothing can write
_HEXADECIMAL = re.compile("([0-9a-f]{2})+")
_SEGMENT = re.compile("0|[1-9][0-9]{0,15}", re.ASCII)


def _whole(low: int = 0, high: int = LARGEST) -> Valid:
    return lambda value: type(value) is int and low <= value <= high


def _number(low: float = -1e300, high: float = 1e300) -> Valid:
    return lambda value: type(value) in (int, float) and low <= value <= high  # NaN is not


def _one_of(*values: Any) -> Valid:
    return lambda value: any(type(value) is type(one) and value == one for one in values)


def _either(*valid: Valid) -> Valid:
    return lambda value: any(one(value) for one in valid)


def _list(of: Valid, least: int = 0, most: float = float("inf")) -> Valid:
    return lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(of, value))


def _object(required: Mapping[str, Valid], optional: Mapping[str, Valid] | None = None) -> Valid:
    """An object with these members; of unknown ones nothing but a number, a word or the like."""
    known = {**required, **(optional or {})}
    return lambda value: (
        isinstance(value, dict)
        and required.keys() <= value.keys()
        and all(known.get(name, _SCALAR)(member) for name, member in value.items())
    )


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_hexadecimal(value: Any) -> bool:
    return isinstance(value, str) and bool(_HEXADECIMAL.fullmatch(value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not _HALF.search(value)


def _is_language(value: Any) -> bool:
    return isinstance(value, str) and value in languages()


_NONE, _FLAG, _SEED, _TEXTS = _one_of(None), _one_of(False, True), _whole(0, MOST_SEED), _list(_is_text)
_SCALAR = _either(_NONE, _FLAG, _number(), _is_text)

_ABOUT: Mapping[str, Valid] = {
    **dict.fromkeys(("dims", "bits", "inputs", "topics", "most_documents"), _whole()),
    **dict.fromkeys(("codes", "corruption", "unpool", "device", "pretrain"), _is_text),
    **dict.fromkeys(("drop", "code_l2"), _number()),
    "language": _either(_NONE, _is_text),
    "hidden": _list(_whole(), most=1_000),
    "rounded": _FLAG,
    "seed": _SEED,
    "passes": _either(_NONE, _whole()),
    "rate": _either(_NONE, _number()),
}
_SPEC = {
    **dict.fromkeys(("id_field", "title_field", "text_field"), _either(_NONE, _is_text)),
    "select": _list(_list(_is_string, 2, 2)),
}
_SOURCE = _object(
    {"origin": _is_string, "name": _is_string, "kind": _one_of(*KINDS), "spec": _object(_SPEC)},
    {
        "timeout": _number(1e-3, 1e9),
        "longest": _whole(1, 1 << 30),
        "path": _is_hexadecimal,
        "ignore": _object({"exclude": _list(_is_string), "by_files": _FLAG}),
    },
)

_REQUIRED: Mapping[str, Valid] = {
    "documents": _whole(1),
    "next_number": _whole(1),
    "learned_documents": _whole(),
    "learned_numbers": _whole(),
    "history": _is_text,
    "segments": lambda value: (
        _list(lambda name: _is_text(name) and bool(_SEGMENT.fullmatch(name)), 1)(value)
        and len(set(value)) == len(value)
    ),
    "passage": _whole(0, MOST_PASSAGE),
    "shape": _either(_NONE, _list(_whole(1, _MOST_PIXELS), 3, 3)),
    "analysis": _object({"language": _either(_NONE, _is_language), "stop_words": _TEXTS}, {"version": _whole(1)}),
    "about": _object({}, _ABOUT),
    "sources": lambda value: isinstance(value, dict) and all(map(_SOURCE, value.values())),
}
_TOPICS = _object(
    dict.fromkeys(("words", "area_words"), _list(_TEXTS, 1))
    | dict.fromkeys(("names", "area_names"), _list(_is_text, 1))
    | {"seed": _SEED, "found": _FLAG},
    {"seeds": _TEXTS} | dict.fromkeys(("given", "given_areas"), _list(_whole())),
)
_OPTIONAL: Mapping[str, Valid] = {
    "vectors": _object({"dims": _whole(1, MOST_DIMS)}, {"field": _is_text}),
    "vector_weight": _number(0, 1e6),
    "layer_errors": _list(_list(_number(), 1)),
    "classifier": _object({"field": _is_text, "labelled": _whole(), "classes": _list(_is_text, 2)}),
    **dict.fromkeys(("topics", "topics/corrected", "topics/carried"), _TOPICS),
    **{f"map/{layout}": _object({"seed": _SEED}, {"hidden": _is_text}) for layout in LAYOUTS},  # hidden: before 0.1
}


def faults(settings: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the settings of an index, a line each. Unknown settings are ignored."""
    missing = _REQUIRED.keys() - settings.keys()
    yield from (f"the setting {name!r} is missing" for name in sorted(missing))
    known = {**_OPTIONAL, **_REQUIRED}
    wrong = [name for name, valid in known.items() if name in settings and not valid(settings[name])]
    yield from (f"the setting {name!r} has a value that textae does not write" for name in wrong)
    if missing or wrong:
        return
    try:
        specs_of(settings["about"])
    except TextaeError as error:
        yield f"the setting 'about' cannot be used: {error}"
    height, width, channels = settings["shape"] or (1, 1, 1)
    if channels not in (1, 3) or height * width * channels > _MOST_PIXELS:
        yield "the setting 'shape' is of no picture"
    if ("vectors" in settings) != ("vector_weight" in settings) or ("vectors" in settings and settings["shape"]):
        yield "the settings of the vectors do not agree with each other"
    if settings["shape"] is not None and settings["passage"]:
        yield "the setting 'passage' is of texts, and the documents are pictures"
