"""What the arrays of an index may be: the dtype, the shape and the values of each, by its name.

A shape names its sizes. A name in capitals is one size in the whole index, any other name one size in its group, which
is what the name of the array begins with. `rows+1` is one more, and a number is itself. Arrays of other names are
ignored: a later version may have written them.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textae.config import FLOATS, LAYOUTS, LSA, NEIGHBOURS
from textae.index.checksums import PREFIX, checksummed, n_blocks
from textae.index.records import Arrays

Size = Callable[[str], int]
"""The size of a name, in the group of an array."""

_AT_A_TIME = 1 << 20
"""Numbers that are checked at a time, so that memory holds no copy of an array."""


class Rule(NamedTuple):
    """A condition on the values of an array.

    Attributes:
        fault: what is wrong where it does not hold; follows the name of the array.
        holds: of an array and the sizes.
    """

    fault: str
    holds: Callable[[NDArray[Any], Size], bool]


def _parts(array: NDArray[Any], overlap: int = 0) -> Iterator[NDArray[Any]]:
    step = max(1, _AT_A_TIME // max(1, math.prod(array.shape[1:])))
    return (array[first : first + step + overlap] for first in range(0, len(array), step))


def _within(low: float, high: float | str) -> Rule:
    """From low to below high, which may be a size."""

    def holds(array: NDArray[Any], size: Size) -> bool:
        end = size(high) if isinstance(high, str) else high
        return not array.size or bool(low <= array.min() and array.max() < end)

    return Rule("has a number that is out of range", holds)


def _follows(fault: str, holds: Callable[[NDArray[Any], NDArray[Any]], NDArray[np.bool_]]) -> Rule:
    """A condition on each number and the next."""
    return Rule(fault, lambda array, _: all(holds(part[:-1], part[1:]).all() for part in _parts(array, 1)))


def _ends(of: str) -> Rule:
    return Rule(
        "does not start at 0 and end at the number of entries",
        lambda array, size: bool(array[0] == 0 and array[-1] == size(of)),
    )


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


_FINITE = Rule("has a number that is not finite", lambda array, _: all(np.isfinite(p).all() for p in _parts(array)))
_BOOLEAN = Rule(
    "has a byte that is no truth value", lambda array, _: all((p.view(np.uint8) < 2).all() for p in _parts(array))
)
_RISING = _follows("does not rise", np.less)
_NOT_FALLING = _follows("falls", np.less_equal)
_PERMUTATION = Rule(
    "does not number each entry once", lambda array, _: bool((np.bincount(array, minlength=len(array)) == 1).all())
)
_UTF8 = Rule("is not UTF-8", lambda array, _: _is_utf8(array.tobytes()))


class Spec(NamedTuple):
    """What an array may be.

    Attributes:
        dtype: as numpy writes it.
        shape: the names of its sizes.
        rules: for its values, to be checked in this order.
        on_opening: how many of the rules are so cheap that they are checked when an index is opened.
    """

    dtype: str
    shape: str
    rules: tuple[Rule, ...] = ()
    on_opening: int = 0


def _spec(dtype: str, shape: str, *rules: Rule) -> Spec:
    return Spec(dtype, shape, (_FINITE, *rules) if dtype[0] == "f" else rules)


def _starts(n: str, of: str, rule: Rule = _NOT_FALLING) -> Spec:
    return Spec("i8", f"{n}+1", (_ends(of), rule), on_opening=1)


_NUMBER = (0, 2**53)  # of documents, terms in them, and whatever else JSON counts
_POSITIVE = _within(1e-30, 1e30)

_ROWS = {
    "owners": _spec("i8", "rows", _within(*_NUMBER), _NOT_FALLING),
    "known": _spec("b1", "rows", _BOOLEAN),
    "bits": _spec("u1", "rows BYTES"),
    "postings/terms": _spec("i4", "here", _within(0, "TERMS"), _RISING),
    "postings/starts": _starts("here", "postings", _RISING),
    "postings/documents": _spec("i4", "postings", _within(0, "rows")),
    "postings/counts": _spec("u2", "postings", _within(1, 2**16)),
    "postings/lengths": _spec("i4", "rows", _within(0, 2**31)),
    "postings/norms": _spec("f4", "rows", _POSITIVE),
    "postings/bounds": _spec("f4", "here", _within(0, 2)),
    "removed/rows": _spec("i4", "removed", _within(0, "rows"), _RISING),
    "removed/terms": _spec("i4", "held", _within(0, "TERMS"), _RISING),
    "removed/counts": _spec("i8", "held", _within(1, 2**31)),
    "removed/length": Spec("i8", "1", (_within(*_NUMBER),), on_opening=1),
}
_FLOATS = {"floats": _spec("f2", "rows DIMS"), "lsa": _spec("f2", "rows LSA")}
_VECTORS = {
    "vectors/known": _spec("b1", "rows", _BOOLEAN),
    "vectors/floats": _spec("f2", "rows OWN", _within(-1.01, 1.01)),
    "vectors/bits": _spec("u1", "rows OWNBYTES"),
}
_SPANS = _spec("i4", "rows 2", _within(0, 2**31))
_SEGMENT = {
    "tokens/starts": _starts("documents", "tokens"),
    "tokens/terms": _spec("i4", "tokens", _within(-1, "TERMS")),
    "text": _spec("u1", "bytes"),
    "starts": _starts("keys", "bytes"),
    "postings": _starts("keys", "entries"),
    "rows": _spec("i4", "entries", _within(0, "documents")),
}
_NAMES = {
    "names/text": _spec("u1", "letters"),
    "names/starts": _starts("words", "letters"),
    "names/postings": _starts("words", "held"),
    "names/rows": _spec("i4", "held", _within(0, "names")),
    "names/documents": _spec("i4", "names", _within(0, "documents"), _NOT_FALLING),
    "names/weights": _spec("f4", "names", _POSITIVE),
}
_VOCABULARY = {
    "text": _spec("u1", "bytes", _UTF8),
    "starts": _starts("terms", "bytes"),
    "by_name": _spec("i4", "terms", _within(0, "terms"), _PERMUTATION),
}
_QUANTIZATION = {"mean": _spec("f4", "DIMS"), "rotation": _spec("f4", "DIMS BITS")}
_ENCODER = {
    **_QUANTIZATION,
    "idf": _spec("f4", "INPUTS"),
    "words": _spec("f4", "INPUTS HIDDEN"),
    "topic_mean": _spec("f4", "TOPICS"),
    "topic_axes": _spec("f4", "TOPICS TOPICS"),
    "topic_share": Spec("f8", "1", (_FINITE, _within(0, 1.000001)), on_opening=2),
    "half_weight": Spec("f8", "1", (_FINITE, _within(0, 20.000001)), on_opening=2),
}
_UNITS = Spec("i8", "1", (_within(0, 4),), on_opening=1)
_CLASSIFIER = {"weights": _spec("f4", "DIMS CLASSES"), "bias": _spec("f4", "CLASSES")}
_TOPICS = {"centres": _spec("f4", "FOUND CENTRE"), "area_of": _spec("i4", "FOUND", _within(0, "FOUND"), _NOT_FALLING)}

_CORRECTED = {
    "centres": _spec("f4", "centres centre"),
    "topic_of": _spec("i4", "centres", _within(0, "topics"), _NOT_FALLING),
    "area_of": _spec("i4", "topics", _within(0, "topics"), _NOT_FALLING),
}
_CARRIED = _CORRECTED | {
    "numbers": _spec("i8", "n", _within(*_NUMBER), _RISING),
    "documents": _spec("i4", "n", _within(0, "topics")),
}
_PLACES = {
    "origin": _spec("f4", "along"),
    "keys": _spec("f2", "placed along"),
    "places": _spec("f4", "placed 2", _within(-2, 2)),
}


class _Specification:
    """Collects the arrays that an index must have.

    Args:
        arrays: that it has.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self.specs: dict[str, tuple[str, Spec]] = {}

    def put(self, group: str, table: Mapping[str, Spec]) -> None:
        """Add arrays of a group, by their names in it."""
        self.specs.update((group + name, (group, spec)) for name, spec in table.items())

    def layers(self, group: str, first: str, last: str, dtype: str = "f4", kernels: str = "") -> int:
        """Add the layers of a network from a size to another; how many there are.

        Args:
            group: of the layers.
            first: the size that the first layer reads.
            last: the size that the last layer gives.
            dtype: of the weights.
            kernels: the shape of weights that are not (below, above).
        """
        depth = sum(name.startswith(f"{group}weight") for name in self._arrays)
        sizes = [first, *(f"layer{i}" for i in range(1, depth)), last]
        for i, (below, above) in enumerate(pairwise(sizes) if depth else ()):
            shape = (kernels or "{below} {above}").format(below=below, above=above, size=f"size{i}")
            self.put(group, {f"weight{i}": _spec(dtype, shape), f"bias{i}": _spec("f4", above)})
        return depth

    def network(self, group: str, first: str, last: str, dtype: str = "f4") -> int:
        """Add at least one layer."""
        depth = self.layers(group, first, last, dtype)
        if not depth:
            self.put(group, {"weight0": _spec(dtype, f"{first} {last}")})
        return depth


def specification(arrays: Arrays, settings: Mapping[str, Any]) -> dict[str, tuple[str, Spec]]:
    """The group and the specification of each array that an index must have, by name.

    Args:
        arrays: that it has.
        settings: that `textae.index.settings` finds no fault with.
    """
    all_of = _Specification(arrays)
    n_parts = len({name.split("/")[1] for name in arrays if name.startswith("vocabulary/")})
    for part in range(max(1, n_parts)):
        all_of.put(f"vocabulary/{part}/", _VOCABULARY)
    (_texts if settings["shape"] is None else _pictures)(all_of, arrays, settings)
    of_rows = _ROWS | (_FLOATS if stores_floats(settings) else {})
    for segment in settings["segments"]:
        group = f"segments/{segment}/"
        all_of.put(group, _SEGMENT)
        all_of.put(f"{group}documents/", of_rows)
        if settings["shape"] is not None:
            all_of.put(f"{group}documents/", {"pixels": _spec("u1", "rows PIXELS")})
        else:
            all_of.put(group, _NAMES)
        if "vectors" in settings:
            all_of.put(f"{group}documents/", _VECTORS)
        if settings["passage"]:
            all_of.put(f"{group}passages/", {**of_rows, "windows": _SPANS, "places": _SPANS})
    if "classifier" in settings:
        all_of.put("classifier/", _CLASSIFIER)
    if "vectors" in settings:
        all_of.put("vectors/", {"mean": _spec("f4", "OWN"), "rotation": _spec("f4", "OWN OWNBITS")})
    if "topics" in settings:
        all_of.put("topics/", _TOPICS)
    for name, table in (("topics/corrected", _CORRECTED), ("topics/carried", _CARRIED)):
        if name in settings:
            all_of.put(f"{name}/", table)
    for layout in LAYOUTS:
        if f"map/{layout}" in settings:
            group, dims = f"map/{layout}/", "LSA" if layout == LSA else "FUSED" if "vectors" in settings else "DIMS"
            all_of.put(group, {"words": _spec("u1", "bytes", _UTF8)})
            if layout == NEIGHBOURS and f"{group}keys" in arrays:  # older versions learned a network
                all_of.put(group, {"axes": _spec("f4", f"{dims} along"), **_PLACES})
            else:
                all_of.network(group, dims, "2")
    for name, (array, _) in checksummed(arrays).items():
        all_of.put(f"{PREFIX}{name}", {"": _spec("u4", str(n_blocks(array)))})
    return all_of.specs


def stores_floats(settings: Mapping[str, Any]) -> bool:
    """Whether an index with these settings has float codes, those of its documents and those of LSA."""
    return bool(settings["about"].get("codes", FLOATS) == FLOATS)


def _texts(all_of: _Specification, arrays: Arrays, settings: Mapping[str, Any]) -> None:
    all_of.put("", {"idf": _spec("f4", "LEARNED+1")})
    if stores_floats(settings):
        all_of.put("", {"lsa/words": _spec("f4", "INPUTS LSA")})
    all_of.network("decoder/", "DIMS", "INPUTS", "f2")
    if "encoder/deep/weight0" in arrays:
        all_of.put("encoder/", _QUANTIZATION)
        all_of.layers("encoder/deep/", "INPUTS", "DIMS")
        return
    tuned = any(name.startswith("unlabelled/") for name in arrays)
    for group in ("encoder/", "unlabelled/encoder/")[: 1 + tuned]:
        all_of.put(group, _ENCODER)
        all_of.layers(f"{group}answer/", "HIDDEN", "INSTANCE")
        all_of.layers(f"{group}topic/", "HIDDEN", "TOPICS")


def _pictures(all_of: _Specification, arrays: Arrays, settings: Mapping[str, Any]) -> None:
    channels = str(settings["shape"][2])
    all_of.put("", {"idf": _spec("f4", "LEARNED+1")})
    all_of.put("pca/", {"axes": _spec("f4", "PIXELS LSA"), "mean": _spec("f4", "PIXELS")})
    all_of.put("encoder/", _QUANTIZATION)
    all_of.layers("encoder/kernel/", channels, "FILTERS", kernels="{above} {below} {size} {size}")
    convolves = any(name.startswith("encoder/kernel/") for name in arrays)
    if convolves:
        all_of.put("encoder/kernel/", {"shape": _spec("i8", "3")})
    depth = all_of.network("encoder/pixel/", "POOLED" if convolves else "PIXELS", "DIMS")
    all_of.put("encoder/pixel/", {f"units{i}": _UNITS for i in range(depth)})
    if "unlabelled/encoder/pixel/weight0" in arrays:
        all_of.put("unlabelled/encoder/", _QUANTIZATION)
        before = all_of.network("unlabelled/encoder/pixel/", "PIXELS", "DIMS")
        all_of.put("unlabelled/encoder/pixel/", {f"units{i}": _UNITS for i in range(before)})
    kernels = all_of.layers("decoder/kernel/", "BLOCKS", channels, "f2", "{below} {above} {size} {size}")
    unfolds = any(name.startswith("decoder/kernel/") for name in arrays)
    if unfolds:
        all_of.put("decoder/kernel/", {"shapes": _spec("i8", f"{kernels + 1} 3")})
    all_of.network("decoder/", "DIMS", "UNFOLDED" if unfolds else "PIXELS", "f2")
