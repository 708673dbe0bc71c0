"""A real browser for the tests of pages: headless Chromium, one for all of them, from which nothing leaves."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader")
"""WebGL is worked out by the processor, as test machines have no graphics card; nothing else takes that long way."""


@contextmanager
def chromium() -> Iterator:
    """Give a browser; skip where there is none."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is on the PATH")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


def until(page, condition: str) -> None:
    """Wait until an expression is true; `wait_for_function` would need a policy that lets pages evaluate strings."""
    page.evaluate(
        f"new Promise((resolve, reject) => {{ const end = performance.now() + 15000; const look = () => ({condition}) ?"
        " resolve() : performance.now() > end ? reject(new Error('it did not happen in time')) : setTimeout(look, 15);"
        " look(); })"
    )


def pixels(shot: bytes) -> np.ndarray:
    """The pixels of a screenshot: (height, width, 3)."""
    from matplotlib.image import imread

    return (imread(BytesIO(shot), format="png")[..., :3] * 255).round().astype(int)


def close_to(image: np.ndarray, colour: str, within: float = 24) -> int:
    """How many pixels of an image have about a colour, #rrggbb."""
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return int((np.abs(image - wanted).max(axis=2) <= within).sum())
