"""What a person may choose: the system, the auto-encoder and its training; one set of defaults serves every corpus.

They stand apart from what they describe so that the shell can show and check them without importing numpy or torch.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from textae.errors import TextaeError

SYSTEMS = ("tfidf", "bm25", "lsa", "code", "bits", "hybrid")
"""What can search; also `lsa-N`, LSA with its first N dimensions, and `bits-N`, N bits of the same codes."""

PICTURE_SYSTEMS = ("pixels", "pca", "code", "bits")
"""What can search pictures; also `pca-N` and `bits-N`."""

AUTO = "auto"
"""The language that is detected from the corpus, and the device that is there."""

DEVICES = (AUTO, "cpu", "cuda")

LSA, RBM, DENOISING, NONE = "lsa", "rbm", "denoising", "none"
PRETRAINING = (LSA, RBM, DENOISING, NONE)
"""What learning starts from: LSA, which is textae's own; or a deep stack of restricted Boltzmann machines, of
de-noising layers, or of random weights, which learns as published."""

NEIGHBOURS, AUTOENCODER = "neighbours", "autoencoder"
LAYOUTS = (NEIGHBOURS, AUTOENCODER, LSA)
"""How codes come to the plane of the map: neighbours stay together; by the bottleneck of an auto-encoder (Hinton
& Salakhutdinov, Science 2006); by the first two dimensions of LSA."""

MASKING, SALT_AND_PEPPER, GAUSSIAN = "masking", "salt-and-pepper", "gaussian"
CORRUPTIONS = (MASKING, SALT_AND_PEPPER, GAUSSIAN)
"""What de-noising does to its input."""

MOST_BITS = 1_024
"""Of a binary code."""

LEAST_PASSAGE, MOST_PASSAGE = 20, 100_000
"""Words of a passage."""

MOST_SEED = 2**32 - 1
"""As far as scikit-learn's seeds go."""

_LARGEST = 1_000_000  # of a layer, a code, and passes: far beyond what is of use, and numbers of any size end there
_LSA_N = re.compile(r"(?:lsa|pca)-[1-9][0-9]{0,5}")
_BITS_N = re.compile(r"bits-([1-9][0-9]{0,3})")


def check_system(name: str, *, pictures: bool = False) -> None:
    """See whether a system of that name can search texts, or pictures.

    Raises:
        TextaeError: there is none.
    """
    systems, linear = (PICTURE_SYSTEMS, "pca") if pictures else (SYSTEMS, "lsa")
    if name in systems or (_LSA_N.fullmatch(name) and name.startswith(linear)):
        return
    if bits := _BITS_N.fullmatch(name):
        check_bits(int(bits[1]))
        return
    shown = name if len(name) <= 60 else f"{name[:56]} ..."
    of = " for pictures" if pictures else ""
    raise TextaeError(f"no system {shown!r}{of}; give one of {', '.join(systems)}, {linear}-N, bits-N")


def check_bits(n: int) -> None:
    """See whether a binary code can have so many bits.

    Raises:
        TextaeError: it cannot.
    """
    if n < 8 or n % 8 or n > MOST_BITS:
        raise TextaeError(f"{n} bits were asked for; give a multiple of 8, from 8 to {MOST_BITS:,}")


def check_passage(words: int) -> None:
    """See whether passages can have so many words.

    Raises:
        TextaeError: they cannot.
    """
    if words and not MOST_PASSAGE >= words >= LEAST_PASSAGE:
        raise TextaeError(
            f"passages of {words} words were asked for; give {LEAST_PASSAGE} to {MOST_PASSAGE:,}, or 0 for none"
        )


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
        topics: of these numbers, those that know what a document is about; the others tell it from all other ones.
        bits: of the binary code, a multiple of 8 up to `MOST_BITS`.
        hidden: the sizes of the encoder's hidden layers, first to last.
        drop: the share of a document's words that de-noising hides from the encoder; of other kinds, the amount.
        inputs: the most frequent terms of the vocabulary, that the encoder knows.
        corruption: one of `CORRUPTIONS`.
        code_l2: how much a deep stack's code is held near 0: this times its squared length is added to the loss.
    """

    dims: int = 320
    bits: int = 256
    hidden: tuple[int, ...] = (512,)
    drop: float = 0.5
    inputs: int = 20_000
    corruption: str = MASKING
    code_l2: float = 0.0
    topics: int = 64

    def __post_init__(self) -> None:
        check_bits(self.bits)
        if self.dims < 1:
            raise TextaeError(f"a code of {self.dims} numbers was asked for; give at least 1")
        if any(size < 1 for size in self.hidden):
            raise TextaeError(f"hidden layers of {self.hidden} were asked for; each needs at least 1 unit")
        if not 0 <= self.drop < 1:
            raise TextaeError(f"de-noising cannot hide {self.drop:g} of the words; give a share from 0 to below 1")
        if self.topics < 1:
            raise TextaeError(f"topics of {self.topics} numbers were asked for; give at least 1")
        if self.inputs < 1:
            raise TextaeError(f"an encoder of {self.inputs} terms was asked for; give at least 1")
        if max(self.dims, *self.hidden, 0) > _LARGEST:
            raise TextaeError(f"a code or a hidden layer has at most {_LARGEST:,} numbers; give fewer")
        if self.corruption not in CORRUPTIONS:
            raise TextaeError(f"no corruption {self.corruption!r:.60}; give one of {', '.join(CORRUPTIONS)}")
        if not 0 <= self.code_l2 < math.inf:
            raise TextaeError(f"a code cannot be held near 0 by {self.code_l2:g}; give 0 (not at all) or more")

    @property
    def answers(self) -> int:
        """Numbers of the code that tell a document from all others."""
        return max(0, self.dims - self.topics)

    @property
    def start_dims(self) -> int:
        """Dimensions of LSA, where learning starts."""
        return max(self.answers, min(self.topics, self.dims))


@dataclass(frozen=True)
class TrainSpec:
    """How the auto-encoder learns.

    Attributes:
        seed: of everything random, from 0 to `MOST_SEED`.
        device: `cpu`, `cuda`, or `auto` for CUDA where there is a card.
        passes: over the documents, of a deep stack those of fine-tuning, before which each layer makes as many; None
            for as many as the number of documents asks for.
        rate: of learning; None for one that serves every corpus.
        most_documents: learned from: a seeded sample of so many where the corpus has more. All are encoded.
        pretrain: what learning starts from, one of `PRETRAINING`.
    """

    seed: int = 1
    device: str = AUTO
    passes: int | None = None
    rate: float | None = None
    most_documents: int = 30_000
    pretrain: str = LSA

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise TextaeError(f"no device {self.device!r}; give one of {', '.join(DEVICES)}")
        check_seed(self.seed)
        if self.passes is not None and self.passes < 0:
            raise TextaeError(f"{self.passes} passes were asked for; give 0 (LSA, where learning starts) or more")
        if self.passes is not None and self.passes > _LARGEST:
            raise TextaeError(f"too many passes were asked for; give at most {_LARGEST:,}")
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise TextaeError(f"a learning rate of {self.rate:g} was asked for; give one above 0, such as 0.001")
        if self.pretrain not in PRETRAINING:
            raise TextaeError(f"no pre-training {self.pretrain!r:.60}; give one of {', '.join(PRETRAINING)}")


PICTURES = (ModelSpec(dims=64, hidden=(1_024, 512), drop=0.0), TrainSpec(pretrain=NONE, most_documents=60_000))
"""How pictures are learned."""


def check_together(model: ModelSpec, train: TrainSpec) -> None:
    """See whether that auto-encoder can learn like that.

    Raises:
        TextaeError: it cannot.
    """
    if train.pretrain == LSA:
        if model.corruption != MASKING:
            raise TextaeError(
                f"{model.corruption} corruption is for deep stacks; give masking, or another --pretrain than lsa"
            )
        if model.code_l2:
            raise TextaeError(
                "a code that starts from LSA has unit length and cannot be held near 0; "
                "give a code-l2 of 0, or another --pretrain than lsa"
            )
    elif model.hidden and model.dims > model.hidden[-1]:
        raise TextaeError(
            f"a code of {model.dims} numbers is larger than the layer of {model.hidden[-1]} before it; "
            f"give --dims of at most {model.hidden[-1]}, or a larger last hidden layer"
        )


PRESETS: Mapping[str, tuple[ModelSpec, TrainSpec]] = {
    "default": (ModelSpec(), TrainSpec()),
    "hinton2006": (
        ModelSpec(dims=10, hidden=(500, 250, 125), drop=0.0, inputs=2_000),
        TrainSpec(pretrain=RBM),
    ),
    "vincent2008": (
        ModelSpec(dims=10, hidden=(500, 250, 125), drop=0.25, inputs=2_000),
        TrainSpec(pretrain=DENOISING),
    ),
}
"""Choices that go together: textae's own; Hinton & Salakhutdinov, Science 2006; the same shape, de-noised (Vincent et
al., ICML 2008)."""
