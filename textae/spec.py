"""What a person may choose: the system, the auto-encoder and its training; one set of defaults serves every corpus.

They stand apart from what they describe so that the shell can show and check them without importing numpy or torch.
"""

import re
from dataclasses import dataclass

from textae.errors import TextaeError

SYSTEMS = ("tfidf", "bm25", "lsa", "code", "bits", "hybrid")
"""What can search; also `lsa-N`, LSA with its first N dimensions."""

AUTO = "auto"
"""The language that is detected from the corpus, and the device that is there."""

DEVICES = (AUTO, "cpu", "cuda")

MOST_SEED = 2**32 - 1
"""As far as scikit-learn's seeds go."""

_LARGEST = 1_000_000  # of a layer, a code, and passes: far beyond what is of use, and numbers of any size end there
_LSA_N = re.compile(r"lsa-[1-9][0-9]{0,5}")


def check_system(name: str) -> None:
    """See whether a system of that name can search.

    Raises:
        TextaeError: there is none.
    """
    if name not in SYSTEMS and not _LSA_N.fullmatch(name):
        shown = name if len(name) <= 60 else f"{name[:56]} ..."
        raise TextaeError(f"no system {shown!r}; give one of {', '.join(SYSTEMS)}, lsa-N")


def check_seed(seed: int) -> None:
    """See whether everything random can start from that seed.

    Raises:
        TextaeError: it cannot.
    """
    if seed < 0:
        raise TextaeError(f"the seed {seed} is negative; give 0 or more")
    if seed > MOST_SEED:
        raise TextaeError(f"the seed is too large; give at most {MOST_SEED}")


@dataclass(frozen=True)
class ModelSpec:
    """The shape of the auto-encoder.

    Attributes:
        dims: of the float code; fewer where the corpus has not as many (its rank bounds LSA, where learning starts).
        bits: of the binary code, a multiple of 8.
        hidden: the sizes of the encoder's hidden layers, first to last.
        drop: the share of a document's words that de-noising hides from the encoder.
        inputs: the most frequent terms of the vocabulary, that the encoder knows.
    """

    dims: int = 256
    bits: int = 256
    hidden: tuple[int, ...] = (512,)
    drop: float = 0.5
    inputs: int = 20_000

    def __post_init__(self) -> None:
        if self.bits < 8 or self.bits % 8:
            raise TextaeError(f"{self.bits} bits were asked for; give a multiple of 8")
        if self.dims < 1:
            raise TextaeError(f"a code of {self.dims} numbers was asked for; give at least 1")
        if any(size < 1 for size in self.hidden):
            raise TextaeError(f"hidden layers of {self.hidden} were asked for; each needs at least 1 unit")
        if not 0 <= self.drop < 1:
            raise TextaeError(f"de-noising cannot hide {self.drop:g} of the words; give a share from 0 to below 1")
        if self.inputs < 1:
            raise TextaeError(f"an encoder of {self.inputs} terms was asked for; give at least 1")
        if max(self.bits, self.dims, *self.hidden) > _LARGEST:
            raise TextaeError(f"a code or a hidden layer has at most {_LARGEST:,} numbers; give fewer")


@dataclass(frozen=True)
class TrainSpec:
    """How the auto-encoder learns.

    Attributes:
        seed: of everything random, from 0 to `MOST_SEED`.
        device: `cpu`, `cuda`, or `auto` for CUDA where there is a card.
        passes: over the documents; None for as many as their number asks for.
        most_documents: learned from: a seeded sample of so many where the corpus has more. All are encoded.
    """

    seed: int = 1
    device: str = AUTO
    passes: int | None = None
    most_documents: int = 50_000

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise TextaeError(f"no device {self.device!r}; give one of {', '.join(DEVICES)}")
        check_seed(self.seed)
        if self.passes is not None and self.passes < 0:
            raise TextaeError(f"{self.passes} passes were asked for; give 0 (LSA as it is) or more")
        if self.passes is not None and self.passes > _LARGEST:
            raise TextaeError(f"too many passes were asked for; give at most {_LARGEST:,}")
