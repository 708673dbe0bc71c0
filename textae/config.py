"""The options of a user: the system, the auto-encoder and its training. One set of defaults serves every corpus.

This module imports neither numpy nor torch, so that the shell can show and check options quickly.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from textae.errors import TextaeError

SYSTEMS = ("tfidf", "bm25", "lsa", "code", "bits", "hamming", "hybrid")
"""What can search; also `lsa-N`, LSA with its first N dimensions, and `bits-N` and `hamming-N`, N bits of the codes."""

VECTOR = "vector"
"""What can search, too, an index with vectors of the user's own, by these alone."""

READ_VECTORS = ("hybrid", VECTOR)
"""What reads vectors of the user's own."""

PICTURE_SYSTEMS = ("pixels", "pca", "code", "bits", "hamming")
"""What can search pictures; also `pca-N`, `bits-N` and `hamming-N`."""

BY_BITS = ("tfidf", "bm25", "bits", "hamming", "hybrid")
"""What can search texts of which an index stores the bits alone."""

SERVED = ("bm25", "code", "bits", "hamming", "hybrid")
"""What can search texts that were pushed to a vector database."""

FLOATS, BITS = "floats", "bits"
CODES = (FLOATS, BITS)
"""What an index stores of the meaning of each document: float codes, those of LSA and bits; or bits alone."""

AUTO = "auto"
"""The language and the passages that suit the corpus, and the device that is there."""

DEVICES = (AUTO, "cpu", "cuda")

LSA, RBM, DENOISING, NONE = "lsa", "rbm", "denoising", "none"
PRETRAINING = (LSA, RBM, DENOISING, NONE)
"""The start of training: LSA for the auto-encoder of textae (of pictures, the contrastive one); or a deep stack of
restricted Boltzmann machines, of de-noising layers, or of random weights, trained as published."""

NEIGHBOURS, AUTOENCODER = "neighbours", "autoencoder"
LAYOUTS = (NEIGHBOURS, AUTOENCODER, LSA)
"""The projections of codes to the map: neighbours stay together; the bottleneck of an auto-encoder (Hinton
& Salakhutdinov, Science 2006); the first two dimensions of LSA."""

MASKING, SALT_AND_PEPPER, GAUSSIAN = "masking", "salt-and-pepper", "gaussian"
CORRUPTIONS = (MASKING, SALT_AND_PEPPER, GAUSSIAN)
"""The noise that de-noising learns to undo."""

REMEMBERED, REPEATED = "remembered", "repeated"
UNPOOLINGS = (REMEMBERED, REPEATED)
"""How a convolutional auto-encoder reverses pooling: at the remembered position, or at every position of a block."""

MOST_BITS = 1_024
"""Of a binary code."""

LEAST_PASSAGE, MOST_PASSAGE = 20, 100_000
"""Words of a passage."""

PASSAGE, LONG = 200, 1_000
"""The words of a passage where more than half of the corpus's words are in documents longer than that. Of two manuals'
words .7 and .9 are, of newsgroups' .25, of abstracts' none."""

MOST_SEED = 2**32 - 1
"""As far as scikit-learn's seeds go."""

_LARGEST = 1_000_000  # of a layer, a code, and epochs: far beyond any use
_LSA_N = re.compile(r"(?:lsa|pca)-[1-9][0-9]{0,5}")
_BITS_N = re.compile(r"(?:bits|hamming)-([1-9][0-9]{0,3})")


def check_system(name: str, *, pictures: bool = False) -> None:
    """See whether a system of that name can search texts, or pictures.

    Raises:
        TextaeError: there is none.
    """
    systems, linear = (PICTURE_SYSTEMS, "pca") if pictures else (SYSTEMS, "lsa")
    if name in systems or (name == VECTOR and not pictures) or (_LSA_N.fullmatch(name) and name.startswith(linear)):
        return
    if bits := _BITS_N.fullmatch(name):
        check_bits(int(bits[1]))
        return
    shown = name if len(name) <= 60 else f"{name[:56]} ..."
    of = " for pictures" if pictures else ""
    raise TextaeError(f"no system {shown!r}{of}; give one of {', '.join(systems)}, {linear}-N, bits-N, hamming-N")


def check_bits(n: int) -> None:
    """See whether a binary code can have so many bits.

    Raises:
        TextaeError: it cannot.
    """
    if n < 8 or n % 8 or n > MOST_BITS:
        raise TextaeError(f"{n} bits were asked for; give a multiple of 8, from 8 to {MOST_BITS:,}")


def check_passage(words: int | None) -> None:
    """See whether passages can have so many words; None is for the number that suits the corpus.

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
    if not 0 <= seed <= MOST_SEED:
        raise TextaeError(f"the seed must be from 0 to {MOST_SEED}")


@dataclass(frozen=True)
class ModelSpec:
    """The shape of the auto-encoder, and the noise that it learns to undo.

    Attributes:
        dims: size of the float code; a small corpus has fewer (its rank bounds LSA, the start of training).
        bits: size of the binary code, a multiple of 8 up to `MOST_BITS`.
        hidden: sizes of the encoder's hidden layers, first to last; or the kernels of each convolution.
        dropout: the share of words or pixels that de-noising hides from the encoder; the amount of another corruption.
        inputs: size of the encoder's vocabulary, the most frequent terms.
        corruption: one of `CORRUPTIONS`.
        code_l2: penalty on a deep stack's code: the loss adds this times its squared length.
        topics: numbers of a text's code for its topic; the others tell the text from all others.
        rounded: whether the code of pictures has logistic units, which are rounded to its bits before decoding.
        unpool: one of `UNPOOLINGS` for a convolutional auto-encoder of pictures; `NONE` for a fully connected one.
        codes: what an index stores of each document, one of `CODES`.
    """

    dims: int = 320
    bits: int = 256
    hidden: tuple[int, ...] = (512,)
    dropout: float = 0.5
    inputs: int = 20_000
    corruption: str = MASKING
    code_l2: float = 0.0
    topics: int = 64
    rounded: bool = False
    unpool: str = NONE
    codes: str = FLOATS

    def __post_init__(self) -> None:
        check_bits(self.bits)
        if self.dims < 1:
            raise TextaeError(f"a code of {self.dims} numbers was asked for; give at least 1")
        if any(size < 1 for size in self.hidden):
            raise TextaeError(f"hidden layers of {self.hidden} were asked for; each needs at least 1 unit")
        if not 0 <= self.dropout < 1:
            raise TextaeError(f"--drop must be in [0, 1), got {self.dropout:g}")
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
        if self.codes not in CODES:
            raise TextaeError(f"no codes {self.codes!r:.60}; give one of {', '.join(CODES)}")
        if self.rounded and self.bits != self.dims:
            sizes = f"{self.dims} numbers and {self.bits} bits were asked for"
            advice = f"give --dims {self.bits}, or --bits {self.dims}"
            raise TextaeError(f"a code of rounded units has as many bits as numbers, and {sizes}; {advice}")

    @property
    def instance_dims(self) -> int:
        """Numbers of the code that tell a document from all others."""
        return max(0, self.dims - self.topics)

    @property
    def start_dims(self) -> int:
        """Dimensions of LSA, the start of training."""
        return max(self.instance_dims, min(self.topics, self.dims))


@dataclass(frozen=True)
class TrainSpec:
    """The training of the auto-encoder.

    Attributes:
        seed: of everything random, from 0 to `MOST_SEED`.
        device: `cpu`, `cuda`, or `auto` for CUDA if there is a card.
        epochs: passes over the documents, and in a deep stack over those of each layer before; None to choose by the
            number of documents.
        learning_rate: the peak; None for the default, which suits every corpus.
        most_documents: maximum to learn from: a seeded sample of a larger corpus. All documents are encoded.
        pretrain: the start of training, one of `PRETRAINING`.
    """

    seed: int = 1
    device: str = AUTO
    epochs: int | None = None
    learning_rate: float | None = None
    most_documents: int = 30_000
    pretrain: str = LSA

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise TextaeError(f"no device {self.device!r}; give one of {', '.join(DEVICES)}")
        check_seed(self.seed)
        if self.epochs is not None and not 0 <= self.epochs <= _LARGEST:
            raise TextaeError(f"--passes must be from 0 (LSA alone) to {_LARGEST:,}")
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            raise TextaeError(f"--rate must be above 0, such as 0.001, got {self.learning_rate:g}")
        if self.pretrain not in PRETRAINING:
            raise TextaeError(f"no pre-training {self.pretrain!r:.60}; give one of {', '.join(PRETRAINING)}")


STORED_NAMES: Mapping[str, str] = {"dropout": "drop", "epochs": "passes", "learning_rate": "rate"}
"""Fields of the specs that an index stores, `textae info` prints, and the shell takes under another name."""


def stored_settings(model: ModelSpec, train: TrainSpec) -> dict[str, Any]:
    """The fields of both specs under the names that an index stores."""
    return {STORED_NAMES.get(name, name): value for name, value in (asdict(model) | asdict(train)).items()}


def specs_of(settings: Mapping[str, Any]) -> tuple[ModelSpec, TrainSpec]:
    """The specs that an index stored; a field that it lacks gets its default."""

    def fields_of(kind: type[ModelSpec] | type[TrainSpec]) -> dict[str, Any]:
        names = {field.name: STORED_NAMES.get(field.name, field.name) for field in fields(kind)}
        values = {field: settings[name] for field, name in names.items() if name in settings}
        return {field: tuple(value) if isinstance(value, list) else value for field, value in values.items()}

    return ModelSpec(**fields_of(ModelSpec)), TrainSpec(**fields_of(TrainSpec))


def check_together(model: ModelSpec, train: TrainSpec, *, pictures: bool = False) -> None:
    """Check that a shape and a training fit together, and fit texts or pictures.

    Raises:
        TextaeError: they do not.
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
        raise TextaeError(f"{model.corruption} corruption is for deep stacks; give masking, or another --pretrain")
    if own and model.code_l2:
        what = "a code that starts from LSA has unit length and cannot be held near 0"
        raise TextaeError(f"{what}; give a code-l2 of 0, or another --pretrain than {LSA}")
    if model.codes == BITS and (pictures or not own):
        what = "pictures keep their pixels" if pictures else "the length of a deep stack's code is not in its bits"
        raise TextaeError(f"{what}, so their floats are stored; give --codes {FLOATS}")
    if not own and not convolutional and model.hidden and model.dims > model.hidden[-1]:
        raise TextaeError(
            f"a code of {model.dims} numbers is larger than the layer of {model.hidden[-1]} before it; "
            f"give --dims of at most {model.hidden[-1]}, or a larger last hidden layer"
        )


Preset = tuple[ModelSpec, TrainSpec]
"""A configuration."""

PRESETS: Mapping[str, Preset] = {
    "default": (ModelSpec(), TrainSpec()),
    "hinton2006": (ModelSpec(10, hidden=(500, 250, 125), dropout=0.0, inputs=2_000), TrainSpec(pretrain=RBM)),
    "vincent2008": (ModelSpec(10, hidden=(500, 250, 125), dropout=0.25, inputs=2_000), TrainSpec(pretrain=DENOISING)),
}
"""For texts: the default; Hinton & Salakhutdinov, Science 2006; the same shape with de-noising (Vincent et al., ICML
2008)."""


def _published(pretrain: str) -> TrainSpec:
    """As published, and on at most 60,000 pictures: those of MNIST."""
    return TrainSpec(pretrain=pretrain, most_documents=60_000)


_VERY_DEEP = (8_192, 4_096, 2_048, 1_024, 512)

PICTURE_PRESETS: Mapping[str, Preset] = {
    "default": (ModelSpec(64, hidden=(1_024, 512), dropout=0.0), TrainSpec()),
    "hinton2006": (ModelSpec(30, hidden=(1_000, 500, 250), dropout=0.0), _published(RBM)),
    "vincent2008": (ModelSpec(30, hidden=(1_000, 500, 250), dropout=0.25), _published(DENOISING)),
    "krizhevsky2011": (ModelSpec(256, hidden=_VERY_DEEP, dropout=0.0, rounded=True), _published(RBM)),
    "conv": (ModelSpec(30, hidden=(16, 32), dropout=0.0, unpool=REPEATED), _published(NONE)),
}
"""For pictures: the default; the same two; the very deep one of Krizhevsky & Hinton, ESANN 2011; and a convolutional
one (Masci et al., ICANN 2011)."""


def preset_of(name: str, *, pictures: bool = False) -> Preset:
    """The preset with a name, for texts or for pictures.

    Raises:
        TextaeError: the preset is for pictures, and the documents are texts.
    """
    presets = PICTURE_PRESETS if pictures else PRESETS
    if name not in presets:
        raise TextaeError(f"the preset {name!r} is for pictures, and these are texts; give one of {', '.join(presets)}")
    return presets[name]
