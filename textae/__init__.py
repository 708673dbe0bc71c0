"""textae: document semantic search that learns the corpus it searches.

import textae

engine = textae.Engine.create("notes.textae")
engine.index(textae.read(["notes/"]))        # or texts, dicts, (id, text), a DataFrame
for hit in engine.search("smooth a noisy signal"):
    print(hit.rank, hit.id, hit.title)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textae import corpus, frames
    from textae.config import ModelSpec, TrainSpec
    from textae.corpus import read
    from textae.engine import Engine
    from textae.errors import TextaeError
    from textae.estimators import AutoEncoder, BagOfWords, CodeClassifier
    from textae.types import Document, Hit, Prediction, Query, Ranking, Skipped

__all__ = [
    "AutoEncoder",
    "BagOfWords",
    "CodeClassifier",
    "Document",
    "Engine",
    "Hit",
    "ModelSpec",
    "Prediction",
    "Query",
    "Ranking",
    "Skipped",
    "TextaeError",
    "TrainSpec",
    "corpus",
    "frames",
    "read",
]

_HOME = {
    "AutoEncoder": "estimators",
    "BagOfWords": "estimators",
    "CodeClassifier": "estimators",
    "Document": "types",
    "Engine": "engine",
    "Hit": "types",
    "ModelSpec": "config",
    "Prediction": "types",
    "Query": "types",
    "Ranking": "types",
    "Skipped": "types",
    "TextaeError": "errors",
    "TrainSpec": "config",
    "read": "corpus",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the shell must not wait for what it does not need."""
    if name not in __all__:
        raise AttributeError(f"module 'textae' has no attribute {name!r}")
    from importlib import import_module

    if name not in _HOME:
        return import_module(f"textae.{name}")
    return getattr(import_module(f"textae.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """The public names, which a notebook and an editor complete."""
    return sorted([*__all__, "__all__", "__doc__", "__file__", "__name__", "__path__"])
