"""`textae serve` for an index of pictures: what it answers, and what a browser shows of it."""

import io
import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import chromium, until
from PIL import Image
from served import Process
from shared import some_pictures, write_picture

from textae import Engine


@pytest.fixture(scope="module")
def serving(pictures_folder, tmp_path_factory) -> Iterator[Process]:
    """Give a server of 60 pictures."""
    folder = Path(shutil.copytree(pictures_folder, tmp_path_factory.mktemp("served") / "index"))
    process = Process(folder, "--port", 0)
    process.folder = folder
    yield process
    assert process.stop(signal.SIGINT)[0] == 0


def answer(serving: Process, path: str) -> dict:
    status, body = serving.get(path)
    assert status == 200, body
    return json.loads(body)


def post(serving: Process, path: str, body: bytes) -> tuple[int, dict]:
    serving.connection.request("POST", path, body, {"Authorization": f"Bearer {serving.token}"})
    reply = serving.connection.getresponse()
    return reply.status, json.loads(reply.read())


class TestAnswers:
    def test_similar_pictures_are_those_of_the_shell(self, serving, shell) -> None:
        for mode in ("", "&mode=pixels", "&mode=bits&where=label:down"):
            found = answer(serving, f"/api/similar/down-4?k=5{mode}")["hits"]
            options = {"&mode=pixels": ["--mode", "pixels"], "": []}.get(
                mode, ["--mode", "bits", "--where", "label:down"]
            )
            said = shell("similar", "down-4", "-k", 5, *options, "--json", "--index", serving.folder)
            assert [(hit["id"], hit["score"]) for hit in found] == [
                (row["id"], row["score"]) for row in map(json.loads, said.out.splitlines())
            ]
            assert len(found) == 5

    def test_a_picture_in_the_body_finds_similar_ones(self, serving, shell, tmp_path) -> None:
        path = write_picture(tmp_path / "query.png", some_pictures(60)[7].picture)
        status, found = post(serving, "/api/similar?k=4&mode=pixels", path.read_bytes())
        said = shell("similar", path, "-k", 4, "--mode", "pixels", "--json", "--index", serving.folder)
        assert (status, [hit["id"] for hit in found["hits"]]) == (
            200,
            [json.loads(line)["id"] for line in said.out.splitlines()],
        )
        assert found["hits"][0]["id"] == some_pictures(60)[7].id

    def test_a_picture_is_a_png_of_its_pixels(self, serving) -> None:
        reply, body = serving.ask("/api/pictures/down-4")
        assert (reply.status, reply.headers["content-type"]) == (200, "image/png")
        with Image.open(io.BytesIO(body)) as image:
            assert np.asarray(image).tobytes() == some_pictures(60)[4].picture.pixels

    def test_a_document_the_topics_and_the_index(self, serving) -> None:
        document = answer(serving, "/api/documents/down-4")
        assert (document["id"], document["fields"]["label"], document["words"]) == ("down-4", "down", [])
        assert answer(serving, "/api/topics")["documents"] == 60
        assert answer(serving, "/api/info")["pictures"] == "6 × 6 grey levels"
        listed = answer(serving, "/api/search?where=label:down&k=50")
        assert {hit["id"] for hit in listed["hits"]} == {one.id for one in some_pictures(60) if "down" in one.id}

    @pytest.mark.parametrize(
        ("path", "status", "says"),
        [
            ("/api/search?q=a+bar", 400, "a question in words is for texts, and the index"),
            ("/api/place?q=a+bar", 400, "a place on the map by words is for texts, and the index"),
            ("/api/similar/down-4?mode=bm25", 400, "no system 'bm25' for pictures; give one of pixels, pca, code"),
            ("/api/similar/x12", 404, "no document has the id 'x12'"),
            ("/api/pictures/x12", 404, "no document has the id 'x12'"),
        ],
    )
    def test_what_is_not_there_is_one_line(self, serving, path, status, says) -> None:
        got, body = serving.get(path)
        error = json.loads(body)["error"]
        assert (got, error[: len(says)], len(error.splitlines())) == (status, says, 1)

    @pytest.mark.parametrize(
        ("body", "status", "says"),
        [
            (b"words", 400, "the picture: no picture that can be read; give png, jpg"),
            (b"", 400, "the picture: the file is empty; give a picture"),
            (bytes((16 << 20) + 1), 413, "a picture has at most 16 MiB"),
        ],
    )
    def test_a_body_that_is_no_picture(self, serving, body, status, says) -> None:
        got, reply = post(serving, "/api/similar", body)
        assert (got, reply["error"][: len(says)]) == (status, says)

    def test_nothing_else_is_posted(self, serving) -> None:
        for path in ("/", "/api/search", "/api/similar/down-4"):
            assert post(serving, path, b"x") == (405, {"error": "method not allowed; /api lists the operations"})


def test_texts_have_no_pictures(index_folder, tmp_path) -> None:
    folder = shutil.copytree(index_folder, tmp_path / "index")
    process = Process(folder, "--port", 0)
    picture = write_picture(tmp_path / "query.png", some_pictures(1)[0].picture).read_bytes()
    status, reply = post(process, "/api/similar", picture)
    assert (status, reply["error"].endswith("holds texts; give a text")) == (400, True)
    assert process.get("/api/pictures/stars-0")[0] == 400
    assert process.stop(signal.SIGINT)[0] == 0


def test_assistants_have_no_tools_for_pictures(shell, pictures_folder) -> None:
    said = shell("mcp", "--index", pictures_folder).error
    assert said.startswith("the tools of assistants are for texts, and the index")


class TestPage:
    @pytest.fixture
    def page(self, serving):
        """Open the page, and hold it to ask nobody else and to fail nowhere."""
        wrong: list[str] = []
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
            page.set_default_timeout(15_000)
            page.on("request", lambda request: request.url.startswith(serving.url) or wrong.append(request.url))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto(f"{serving.address}#draw=canvas")
            until(page, "atlas !== null && atlas.corpus.ids !== null")
            yield page
        assert wrong == []

    def test_it_shows_pictures_that_the_server_gives(self, serving, page) -> None:
        inside = page.evaluate("atlas.corpus.part(0).then((part) => part.map((shown) => shown.length))")
        assert inside == [3] * 60  # text, fields, length, and no picture
        page.evaluate("atlas.panel.showDocument(atlas.corpus.placeOf('down-4'))")
        image = page.locator("#content > div > img.picture")
        image.wait_for()
        assert image.get_attribute("src") == "/api/pictures/down-4"
        until(page, "document.querySelector('#content > div > img.picture').naturalWidth === 6")
        page.get_by_role("button", name="More like this").click()
        page.locator(".hits img.picture").first.wait_for()
        found = page.locator(".hits .title").all_inner_texts()
        with Engine.open(serving.folder) as engine:
            assert found == [hit.id for hit in engine.similar("down-4", k=50)]
        assert page.locator("#mode option").evaluate_all("all => all.map((one) => one.value)") == [
            "code", "bits", "pixels", "pca",
        ]  # fmt: skip

    def test_a_picture_is_dropped_on_it(self, serving, page, tmp_path) -> None:
        body = write_picture(tmp_path / "query.png", some_pictures(60)[7].picture).read_bytes()
        page.evaluate(
            """(bytes) => {
              const given = new DataTransfer();
              given.items.add(new File([new Uint8Array(bytes)], "query.png", { type: "image/png" }));
              dispatchEvent(new DragEvent("drop", { dataTransfer: given, cancelable: true }));
            }""",
            list(body),
        )
        page.locator(".hits .title").first.wait_for()
        assert page.locator(".hits .title").first.inner_text() == some_pictures(60)[7].id
        page.fill("#query", "a bar across")
        page.locator("#content .mistake").wait_for()
        assert "is for texts" in page.locator("#content .mistake").inner_text()
