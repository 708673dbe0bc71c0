"""Answer rounds of texts from standard input, so that several processes can be timed in turns, each by its own clock.

A line in is a JSON list of texts; a line out is {"seconds": [...], "found": [[id, ...], ...]}, one of each a text.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence

Find = Callable[[str], Sequence[str]]
"""The ids of the ten best for a text."""


def answer(find: Find) -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        seconds, found = [], []
        for text in json.loads(line):
            started = time.perf_counter()
            ids = find(text)
            seconds.append(time.perf_counter() - started)
            found.append(list(ids))
        print(json.dumps({"seconds": seconds, "found": found}), flush=True)
