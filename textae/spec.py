"""What a person may choose of the auto-encoder and of its training; one set of defaults serves every corpus.

They stand apart from the model so that the shell can show and check them without importing torch.
"""

from dataclasses import dataclass

from textae.errors import TextaeError

DEVICES = ("auto", "cpu", "cuda")


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


@dataclass(frozen=True)
class TrainSpec:
    """How the auto-encoder learns.

    Attributes:
        seed: of everything random.
        device: `cpu`, `cuda`, or `auto` for CUDA where there is a card.
        passes: over the documents; None for as many as their number asks for.
        most_documents: learned from: a seeded sample of so many where the corpus has more. All are encoded.
    """

    seed: int = 1
    device: str = "auto"
    passes: int | None = None
    most_documents: int = 50_000

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise TextaeError(f"no device {self.device!r}; give one of {', '.join(DEVICES)}")
        if self.seed < 0:
            raise TextaeError(f"the seed {self.seed} is negative; give 0 or more")
        if self.passes is not None and self.passes < 0:
            raise TextaeError(f"{self.passes} passes were asked for; give 0 (LSA as it is) or more")
