"""Whether the arrays and settings of an index are what textae writes, whoever wrote them.

Hashes prove that an index is what somebody wrote, and that may be a stranger. Four checks share one specification
(`textae.index.specification`, `textae.index.settings`):

    check_opened    settings; presence, dtypes and shapes of arrays, where rows start and end; hashes of small arrays
    check_values    all values of some arrays, before an update computes others from them, in native code too
    check_all       all of it, and whether arrays and documents agree, before an index is trained again
    faults          the same: for `doctor`, and to explain an error

A search does not read every value: numpy checks where it reads, and `Engine` explains its errors by `faults`.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.config import LSA
from textae.encoding.arrays import distinct
from textae.encoding.convolution import POOL
from textae.encoding.encoders import DIRECTION, UNITS
from textae.index import settings as setting_rules
from textae.index.checksums import checksummed, checksums
from textae.index.postings import Removed
from textae.index.records import Arrays, damaged
from textae.index.segments import Segment, SegmentRows
from textae.index.specification import Rule, Spec, specification, stores_floats
from textae.index.store import Reader
from textae.index.stored_model import Stored, Uncommitted

_HASHED = 3 << 19
"""Bytes of small arrays that are hashed when an index is opened, those of the encoder first. With the default model
all arrays of the encoder have 1 MB together, but for its words, which have 40."""

_AT_A_TIME = 1 << 16  # keys


def model_faults(arrays: Arrays, settings: Mapping[str, Any]) -> list[str]:
    """What is wrong with a model, a line each.

    Args:
        arrays: by name.
        settings: of the model, which `textae.index.settings` finds no fault with.
    """
    without = {"documents": 0, "next_number": 0, "learned_numbers": 0, "segments": []}
    model = Uncommitted(arrays, {**settings, **without})
    return list(_array_faults(model)) or list(_value_faults(model, "")) or list(_disagreements(model))


def check_opened(reader: Reader) -> None:
    """Check what can be checked in some milliseconds.

    Raises:
        StoreError: an array or a setting is not what textae writes.
    """
    for fault in _opening_faults(reader):
        raise damaged(reader.folder, fault)
    room = _HASHED
    size_of = {name: array.nbytes for name, array in reader.arrays.items()}
    for name in sorted(size_of, key=lambda name: (not name.startswith("encoder/"), size_of[name])):
        if size_of[name] <= room:
            room -= size_of[name]
            if not reader.is_written(name):
                raise damaged(reader.folder, f"the array {name!r} is not what was written")


def check_values(reader: Reader, *prefixes: str) -> None:
    """Check all values of the arrays with these prefixes, of an index whose opening was checked.

    Raises:
        StoreError: an array is not what textae writes.
    """
    for fault in _value_faults(reader, *prefixes):
        raise damaged(reader.folder, fault)


def check_all(reader: Reader) -> None:
    """Check all that `faults` finds.

    Raises:
        StoreError: the index is not what textae writes.
    """
    for fault in faults(reader):
        raise damaged(reader.folder, fault)


def damage(reader: Reader) -> list[str]:
    """What is wrong with an index, a line each: other bytes than were written, or else what textae never writes."""
    return reader.damage() or faults(reader)


def faults(reader: Stored) -> list[str]:
    """What is wrong with an index, a line each, apart from what the hashes show."""
    return list(_opening_faults(reader)) or list(_value_faults(reader, "")) or list(_disagreements(reader))


class _Sizes:
    """The sizes of an index, each fixed by the first shape that names it."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, name: str, group: str = "", length: int = 0) -> int:
        """A size in a group; it becomes `length` where no shape has named it before."""
        if name.isdecimal():
            return int(name)
        return self._known.setdefault(name if name.isupper() else group + name, length)

    def fit(self, group: str, shape: str, lengths: tuple[int, ...]) -> bool:
        """Whether an array of these lengths has the shape."""
        names = shape.split()
        if len(names) != len(lengths):
            return False
        pairs = [(name.removesuffix("+1"), n - name.endswith("+1")) for name, n in zip(names, lengths, strict=True)]
        return all(n >= 0 and self.of(name, group, n) == n for name, n in pairs)

    @classmethod
    def measured(cls, reader: Stored) -> "_Sizes":
        """The sizes of an index whose shapes fit."""
        sizes = cls()
        for name, (group, spec) in specification(reader.arrays, reader.settings).items():
            sizes.fit(group, spec.shape, reader.arrays[name].shape)
        return sizes


def _opening_faults(reader: Stored) -> Iterator[str]:
    wrong = list(setting_rules.faults(reader.settings))
    yield from wrong or _array_faults(reader)


def _array_faults(reader: Stored) -> Iterator[str]:
    settings, arrays = reader.settings, reader.arrays
    sizes, specified = _Sizes(), specification(arrays, settings)
    faults = [_shape_fault(name, group, spec, arrays, sizes) for name, (group, spec) in specified.items()]
    yield from filter(None, faults)
    if any(faults):
        return
    sizes.of("TERMS", length=_n_terms(reader))
    for name, (group, spec) in specified.items():
        yield from _broken_rules(name, group, spec.rules[: spec.on_opening], arrays[name], sizes)
    yield from _sizes_that_disagree(reader, sizes)


def _shape_fault(name: str, group: str, spec: Spec, arrays: Arrays, sizes: _Sizes) -> str | None:
    if name not in arrays:
        return f"the array {name!r} is missing"
    array = arrays[name]
    if array.dtype != np.dtype(spec.dtype):
        return f"the array {name!r} holds {array.dtype}, and should hold {np.dtype(spec.dtype)}"
    if not sizes.fit(group, spec.shape, array.shape):
        return f"the array {name!r} has the shape {array.shape}, which does not fit the other arrays"
    return None


def _broken_rules(name: str, group: str, rules: Iterable[Rule], array: NDArray[Any], sizes: _Sizes) -> Iterator[str]:
    """The first rule that an array breaks: a later one may take for granted that it holds."""
    broken = (rule.fault for rule in rules if not rule.holds(array, partial(sizes.of, group=group)))
    yield from (f"the array {name!r} {fault}" for fault in islice(broken, 1))


def _value_faults(reader: Stored, *prefixes: str) -> Iterator[str]:
    sizes = _Sizes.measured(reader)
    sizes.of("TERMS", length=_n_terms(reader))
    for name, (group, spec) in specification(reader.arrays, reader.settings).items():
        if name.startswith(prefixes):
            yield from _broken_rules(name, group, spec.rules, np.asarray(reader.arrays[name]), sizes)


def _n_terms(reader: Stored) -> int:
    return sum(
        len(array)
        for name, array in reader.arrays.items()
        if name.startswith("vocabulary/") and name.endswith("/by_name")
    )


def _sizes_that_disagree(reader: Stored, sizes: _Sizes) -> Iterator[str]:
    """What the shapes of arrays must have to do with each other and with the settings."""
    settings, arrays, of = reader.settings, reader.arrays, sizes.of
    with_floats = stores_floats(settings)
    of("BYTES", length=of("BITS") // 8)  # no rows name it in a model alone
    whole = {
        "the codes": of("BITS") == 8 * of("BYTES") > 0 and of("DIMS") > 0 and (of("LSA") > 0 or not with_floats),
        "the codes and their setting": with_floats or not any(map(_OF_FLOATS.match, arrays)),
        "the classes": "classifier" not in settings or of("CLASSES") == len(settings["classifier"]["classes"]),
        "the documents": settings["documents"]
        == sum(
            of("rows", f"segments/{name}/documents/") - of("removed", f"segments/{name}/documents/")
            for name in settings["segments"]
        ),
        "the tokens": all(
            of("documents", f"segments/{name}/") == of("rows", f"segments/{name}/documents/")
            for name in settings["segments"]
        ),
    }
    if settings["shape"] is None:
        n_inputs, learned, n_terms = of("INPUTS"), of("LEARNED"), _n_terms(reader)
        whole["the terms"] = 0 < n_inputs <= learned <= n_terms
        if "encoder/deep/weight0" not in arrays:
            n_topics = of("TOPICS")
            n_instance = of("INSTANCE", length=of("DIMS") - n_topics)
            hidden = of("HIDDEN")
            whole["the encoder"] = n_instance + n_topics == of("DIMS") and max(n_instance, n_topics) <= hidden
        is_deep = "encoder/deep/weight0" in arrays
        whole["the training and the codes"] = with_floats or not is_deep
        whole["the training and the encoder"] = is_deep == (settings["about"].get("pretrain", LSA) != LSA)
        whole["the kinds of arrays"] = not any(map(_OF_PICTURES.match, arrays))
    else:
        whole["the documents and the codes"] = with_floats
        whole |= _pictures_agree(reader, sizes)
    whole["the vectors"] = _vectors_agree(reader, sizes)
    for name in ("topics", "topics/corrected", "topics/carried"):
        if name in settings:
            whole[f"the {name}"] = _topics_agree(reader, sizes, name)
    if "map/neighbours/keys" in arrays and "map/neighbours" in settings:
        whole["the map"] = of("placed", "map/neighbours/") > 0
    yield from (f"{what} of the index do not agree with each other" for what, agree in whole.items() if not agree)


def _pictures_agree(reader: Stored, sizes: _Sizes) -> dict[str, bool]:
    """Whether the shapes of pictures and of what convolutions make of them fit."""
    arrays, of = reader.arrays, sizes.of
    shape = height, width, channels = tuple(reader.settings["shape"])
    kernels = [array.shape[2] for name, array in arrays.items() if re.fullmatch(_KERNEL, name)]
    agree = {
        "the pixels": of("PIXELS", length=height * width * channels) == height * width * channels,
        "the kernels": all(size % 2 for size in kernels),
    }
    if reader.settings["about"].get("pretrain", LSA) == LSA:  # labels can fine-tune it
        agree["the training and the encoder"] = all(
            _is_contrastive(arrays, group) for group in ("encoder/", "unlabelled/encoder/")
        )
    if "encoder/kernel/shape" in arrays:
        for _ in range(sum(name.startswith("encoder/kernel/weight") for name in arrays)):
            height, width = height // POOL, width // POOL
        agree["the encoder's kernels"] = (
            tuple(arrays["encoder/kernel/shape"].tolist()) == shape
            and of("POOLED") == height * width * of("FILTERS") > 0
        )
    if "decoder/kernel/shapes" in arrays:
        shapes = arrays["decoder/kernel/shapes"].tolist()
        channels_of = [len(arrays[f"decoder/kernel/weight{i}"]) for i in range(len(shapes) - 1)]
        agree["the decoder's kernels"] = (
            [blocks for *_, blocks in shapes] == [*channels_of, channels]
            and tuple(shapes[-1]) == shape
            and all(1 <= h <= shape[0] and 1 <= w <= shape[1] for h, w, _ in shapes)
            and math.prod(shapes[0]) == of("UNFOLDED")
        )
    return agree


def _is_contrastive(arrays: Arrays, group: str) -> bool:
    """Whether the encoder of a group, if there is one, ends as contrastive learning ends it."""
    depth = sum(name.startswith(f"{group}pixel/weight") for name in arrays)
    unit = arrays.get(f"{group}pixel/units{depth - 1}")
    convolves = any(name.startswith(f"{group}kernel/") for name in arrays)
    return unit is None or (UNITS[int(unit[0])] == DIRECTION and not convolves)


_OF_PICTURES = re.compile("(encoder|decoder)/(kernel|pixel)/|unlabelled/encoder/(kernel|pixel|deep)/")
_OF_FLOATS = re.compile("lsa/|segments/[^/]+/(documents|passages)/(floats|lsa)$")
_KERNEL = r"(encoder|decoder)/kernel/weight\d+"


def _vectors_agree(reader: Stored, sizes: _Sizes) -> bool:
    settings, of = reader.settings, sizes.of
    if "vectors" in settings:
        of("OWNBYTES", length=of("OWNBITS") // 8)
        whole = of("DIMS") + of("OWNBITS")
        fit = of("OWN") == settings["vectors"]["dims"] and of("OWNBITS") == 8 * of("OWNBYTES") > 0
        return fit and of("FUSED", length=whole) == whole
    return not any(
        f"segments/{name}/documents/vectors/{part}" in reader.arrays
        for name in settings["segments"]
        for part in ("known", "floats", "bits")
    )


def _topics_agree(reader: Stored, sizes: _Sizes, name: str) -> bool:
    setting, arrays = reader.settings[name], reader.arrays
    centres, group_of = arrays[f"{name}/centres"], arrays[f"{name}/area_of"]
    topic_of = arrays.get(f"{name}/topic_of", np.arange(len(group_of)))
    if not all(len(of) and of[0] == 0 and np.isin(np.diff(of), (0, 1)).all() for of in (group_of, topic_of)):
        return False
    n_topics, n_groups = int(topic_of[-1]) + 1, int(group_of[-1]) + 1
    return (
        len(setting["words"]) == len(setting["names"]) == len(group_of) == n_topics
        and len(setting["area_words"]) == len(setting["area_names"]) == n_groups
        and max(setting.get("given", ()), default=0) < n_topics
        and max(setting.get("given_areas", ()), default=0) < n_groups
        and (
            name == "topics/carried"
            or centres.shape[1] == (sizes.of("TOPICS") or sizes.of("DIMS")) + sizes.of("OWNBITS")
        )
    )


def _disagreements(reader: Stored) -> Iterator[str]:
    """Arrays and documents, sound each by itself, that do not agree."""
    settings, arrays = reader.settings, {name: np.asarray(array) for name, array in reader.arrays.items()}
    for name in arrays:
        group = name.removesuffix("by_name")
        if name.startswith("vocabulary/") and group != name and not _are_sorted(arrays, group, arrays[name]):
            yield f"the terms of the array {name!r} are not sorted"
    alive = [np.empty(0, np.int64)]
    last = -1
    for name in settings["segments"]:
        segment = Segment.from_arrays(name, arrays)
        whole = segment.documents
        alive.append(whole.doc_numbers[whole.alive()])
        if last >= whole.doc_numbers[0] or len(distinct(whole.doc_numbers)[0]) < len(whole):
            yield f"the documents of segment {name!r} are not in order"
        last = int(whole.doc_numbers[-1])
        for unit, rows in segment.units():
            yield from (f"{fault} of segment {name!r}, {unit}" for fault in _unit_faults(rows, whole))
        for group, what in (("", "fields"), ("names/", "names")):
            if f"segments/{name}/{group}text" in arrays and not _are_sorted(arrays, f"segments/{name}/{group}"):
                yield f"the {what} of segment {name!r} are not sorted"
    if not last < settings["next_number"] >= settings["learned_numbers"]:
        yield "the setting 'next_number' is the number of a document"
    if not np.array_equal(np.concatenate(alive), reader.numbers()):
        yield "the documents and the arrays are not of the same documents"
    for name, (array, own) in checksummed(arrays).items():
        if not np.array_equal(own, checksums(array)):
            yield f"the checksums of the array {name!r} are of another array"
    shape = settings["shape"]
    if any(one != shape for one in reader.shapes()):
        yield "a document is no picture of the index's shape, or no text"


def _unit_faults(rows: SegmentRows, whole: SegmentRows) -> Iterator[str]:
    postings, removed = rows.postings, rows.removed
    falls = np.flatnonzero(postings.documents[1:] <= postings.documents[:-1]) + 1
    if not np.isin(falls, postings.starts).all():
        yield "the postings fall"
    gone = Removed.of(removed.rows, postings).arrays()
    if any(not np.array_equal(gone[name], array) for name, array in removed.arrays().items()):
        yield "the counts of what is removed are wrong"
    if rows is not whole:
        if not np.array_equal(distinct(rows.doc_numbers)[0], whole.doc_numbers):
            yield "the passages are not of the documents"
        elif not np.array_equal(rows.alive(), ~np.isin(rows.doc_numbers, whole.doc_numbers[whole.removed.rows])):
            yield "the removed passages are not those of the removed documents"


def _are_sorted(arrays: Arrays, group: str, order: NDArray[np.int32] | None = None) -> bool:
    """Whether no key is twice and each sorts behind the one before; by default in the order of their places."""
    text, starts = arrays[f"{group}text"].data, arrays[f"{group}starts"]
    before, n = None, len(starts) - 1
    for first in range(0, n, _AT_A_TIME):
        places = np.arange(first, min(first + _AT_A_TIME, n)) if order is None else order[first : first + _AT_A_TIME]
        for start, end in zip(starts[places].tolist(), starts[places + 1].tolist(), strict=True):
            key = text[start:end].tobytes()
            if before is not None and key <= before:
                return False
            before = key
    return True
