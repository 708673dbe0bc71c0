"""Answer rounds of texts from standard input, so that several processes can be timed in turns, each by its own clock.

An input line is a JSON list of texts; an output line is {"seconds": [...], "ids": [[id, ...], ...]}, an item per text.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence

Find = Callable[[str], Sequence[str]]
"""Finds the ids of the ten best documents for a text."""


def answer(find: Find) -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        seconds, ids = [], []
        for text in json.loads(line):
            started = time.perf_counter()
            best = find(text)
            seconds.append(time.perf_counter() - started)
            ids.append(list(best))
        print(json.dumps({"seconds": seconds, "ids": ids}), flush=True)
