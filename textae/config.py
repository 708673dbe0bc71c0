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
"""What learning starts from: LSA, which is textae's own (of pictures, the one that learns from distorted ones); or a
deep stack of restricted Boltzmann machines, of de-noising layers, or of random weights, which learns as published."""

NEIGHBOURS, AUTOENCODER = "neighbours", "autoencoder"
LAYOUTS = (NEIGHBOURS, AUTOENCODER, LSA)
"""How codes come to the plane of the map: neighbours stay together; by the bottleneck of an auto-encoder (Hinton
& Salakhutdinov, Science 2006); by the first two dimensions of LSA."""

MASKING, SALT_AND_PEPPER, GAUSSIAN = "masking", "salt-and-pepper", "gaussian"
CORRUPTIONS = (MASKING, SALT_AND_PEPPER, GAUSSIAN)
"""What de-noising does to its input."""

REMEMBERED, REPEATED = "remembered", "repeated"
UNPOOLINGS = (REMEMBERED, REPEATED)
"""How a convolutional auto-encoder fills a block that one number is left of."""

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
        bits: of the binary code, a multiple of 8 up to `MOST_BITS`.
        hidden: the sizes of the encoder's hidden layers, first to last; the kernels of each convolution.
        drop: the share of a document's words, or pixels, that de-noising hides from the encoder; of other kinds, the
            amount.
        inputs: the most frequent terms of the vocabulary, that the encoder knows.
        corruption: one of `CORRUPTIONS`.
        code_l2: how much a deep stack's code is held near 0: this times its squared length is added to the loss.
        topics: of the numbers of a text's code, those that know what it is about; the others tell it from all others.
        rounded: whether the code of pictures is of logistic units, that are rounded as it is decoded: its bits.
        unpool: one of `UNPOOLINGS`, of a convolutional auto-encoder of pictures; `NONE` of one that is fully connected.
    """

    dims: int = 320
    bits: int = 256
    hidden: tuple[int, ...] = (512,)
    drop: float = 0.5
    inputs: int = 20_000
    corruption: str = MASKING
    code_l2: float = 0.0
    topics: int = 64
    rounded: bool = False
    unpool: str = NONE

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
        if self.unpool not in (*UNPOOLINGS, NONE):
            raise TextaeError(f"no unpooling {self.unpool!r:.60}; give one of {', '.join(UNPOOLINGS)}, {NONE}")
        if self.rounded and self.bits != self.dims:
            raise TextaeError(
                f"a code of rounded units has as many bits as numbers, and {self.dims} numbers and {self.bits} bits "
                f"were asked for; give --dims {self.bits}, or --bits {self.dims}"
            )

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


def check_together(model: ModelSpec, train: TrainSpec, *, pictures: bool = False) -> None:
    """See whether that auto-encoder can learn texts, or pictures, like that.

    Raises:
        TextaeError: it cannot.
    """
    own, convolutional = train.pretrain == LSA, model.unpool != NONE
    if (convolutional or model.rounded) and not pictures:
        what = "a convolutional auto-encoder" if convolutional else "a code of rounded units"
        raise TextaeError(f"{what} is for pictures, and these are texts; choose another --preset, or no --unpool")
    if convolutional and train.pretrain != NONE:
        raise TextaeError(f"a convolutional auto-encoder starts from random weights; give --pretrain {NONE}")
    if convolutional and model.rounded:
        raise TextaeError("a convolutional auto-encoder has a linear code; choose another --preset, or no --unpool")
    if own and model.rounded:
        raise TextaeError(f"a code of rounded units is a deep stack's; give another --pretrain than {LSA}")
    if own and model.corruption != MASKING and not pictures:
        raise TextaeError(
            f"{model.corruption} corruption is for deep stacks; give masking, or another --pretrain than lsa"
        )
    if own and model.code_l2:
        raise TextaeError(
            "a code that starts from LSA has unit length and cannot be held near 0; "
            "give a code-l2 of 0, or another --pretrain than lsa"
        )
    if not own and not convolutional and model.hidden and model.dims > model.hidden[-1]:
        raise TextaeError(
            f"a code of {model.dims} numbers is larger than the layer of {model.hidden[-1]} before it; "
            f"give --dims of at most {model.hidden[-1]}, or a larger last hidden layer"
        )


Preset = tuple[ModelSpec, TrainSpec]
"""Choices that go together."""

PRESETS: Mapping[str, Preset] = {
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
"""Of texts: textae's own; Hinton & Salakhutdinov, Science 2006; the same shape, de-noised (Vincent et al., ICML
2008)."""

PICTURE_PRESETS: Mapping[str, Preset] = {
    "default": (ModelSpec(dims=64, hidden=(1_024, 512), drop=0.0), TrainSpec()),
    "hinton2006": (
        ModelSpec(dims=30, hidden=(1_000, 500, 250), drop=0.0),
        TrainSpec(pretrain=RBM, most_documents=60_000),
    ),
    "vincent2008": (
        ModelSpec(dims=30, hidden=(1_000, 500, 250), drop=0.25),
        TrainSpec(pretrain=DENOISING, most_documents=60_000),
    ),
    "krizhevsky2011": (
        ModelSpec(dims=256, hidden=(8_192, 4_096, 2_048, 1_024, 512), drop=0.0, rounded=True),
        TrainSpec(pretrain=RBM, most_documents=60_000),
    ),
    "conv": (
        ModelSpec(dims=30, hidden=(16, 32), drop=0.0, unpool=REPEATED),
        TrainSpec(pretrain=NONE, most_documents=60_000),
    ),
}
"""Of pictures: textae's own; the same two; the very deep one of Krizhevsky & Hinton, ESANN 2011; and a convolutional
one (Masci et al., ICANN 2011)."""


def preset_of(name: str, *, pictures: bool = False) -> Preset:
    """The choices of that name, for texts or for pictures.

    Raises:
        TextaeError: it is for the others.
    """
    presets = PICTURE_PRESETS if pictures else PRESETS
    if name not in presets:
        raise TextaeError(f"the preset {name!r} is for pictures, and these are texts; give one of {', '.join(presets)}")
    return presets[name]
