"""Draw the pictures of docs/gallery.md and the README from existing indexes: scripts/gallery FOLDER.

FOLDER holds the indexes `python`, `20newsgroups`, `scifact` and `mnist` (pictures). Chromium renders the pages.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import click
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).parents[1] / "docs" / "gallery"

SCREEN, PHONE = {"width": 1400, "height": 900}, {"width": 360, "height": 740}


def textae(*arguments: object) -> list[str]:
    """A command line of textae."""
    return [sys.executable, "-m", "textae", *map(str, arguments)]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
def gallery(folder: Path) -> None:
    """Draw the pictures of docs/gallery from the indexes in FOLDER."""
    DOCS.mkdir(exist_ok=True)
    pages = {}
    for name in ("python", "20newsgroups", "scifact", "mnist"):
        pages[name] = DOCS / f"{name}.html"
        subprocess.run(textae("map", pages[name], "--index", folder / name), check=True)
    subprocess.run(textae("map", DOCS / "20newsgroups.png", "--index", folder / "20newsgroups"), check=True)
    compared = (DOCS / "compared.png", "--compare", "--colour", "label")
    subprocess.run(textae("map", *compared, "--index", folder / "20newsgroups"), check=True)
    with sync_playwright() as playwright:
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        screenshot(browser, pages["python"].as_uri(), "page-python")
        screenshot(browser, pages["20newsgroups"].as_uri(), "page-20newsgroups-dark", dark=True)
        screenshot(browser, pages["mnist"].as_uri(), "page-mnist")
        screenshot(browser, pages["scifact"].as_uri(), "page-scifact-phone", size=PHONE)
        screenshot_of_server(browser, folder / "python")
        browser.close()
    for page in pages.values():
        page.unlink()
    for picture in DOCS.glob("*.png"):
        compress(picture)


def compress(picture: Path) -> None:
    """Reduce a picture to 256 colours, which makes no visible difference."""
    with Image.open(picture) as image:
        colours = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    colours.save(picture, optimize=True)


def screenshot(browser: Browser, url: str, name: str, *, size: dict[str, int] = SCREEN, dark: bool = False) -> None:
    """Take a screenshot of a page when it has settled."""
    page = browser.new_page(viewport=size, color_scheme="dark" if dark else "light", reduced_motion="reduce")
    page.goto(url)
    page.wait_for_timeout(4_000)
    page.screenshot(path=DOCS / f"{name}.png")
    page.close()


def screenshot_of_server(browser: Browser, index: Path) -> None:
    """Take a screenshot of the application with the hits of a query."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(textae("serve", "--index", index, "--port", port, "--no-token", "-q"))
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.2)
        screenshot(browser, f"http://127.0.0.1:{port}/#q=smooth+a+noisy+signal&explain=1", "served-python")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    gallery()
