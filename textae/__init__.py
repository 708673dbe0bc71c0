"""textae: document semantic search that learns the corpus it searches.

import textae
from textae.corpus import read

engine = textae.Engine.create("notes.textae")
engine.index(read(["notes/"]))
for hit in engine.search("smooth a noisy signal"):
    print(hit.rank, hit.id, hit.title)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textae.config import ModelSpec, TrainSpec
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
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the shell must not wait for what it does not need."""
    if name not in _HOME:
        raise AttributeError(f"module 'textae' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"textae.{_HOME[name]}"), name)
