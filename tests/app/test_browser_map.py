"""The page in a real browser, opened from disk: what a person sees of it and can do with it."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import chromium, close_to, pixels, until
from shared import some_pictures

from textae import Document
from textae.explore.map import BackgroundGrid, DocumentMap
from textae.types import Picture, Topic, Topics
from textae.views.page import write_page
from textae.views.page.inline import MapPage
from textae.views.page.texts import Cut, Waiting

NAMES = ("stars, orbit, comet", "bread, oven, dough", "ships, harbour, sail", "chess, bishop, rook")
CENTRES = np.array([(-0.6, 0.5), (0.6, 0.5), (-0.6, -0.5), (0.6, -0.5)])
EVIL = '<script>document.title = "owned"</script><img src="http://127.0.0.1:9/x" onerror="document.title=1">'
CELLS = 8


def four_topics(each: int = 60) -> tuple[DocumentMap, list[Document]]:
    """A map of four topics in two areas, one in each quarter, and its documents."""
    rng = np.random.default_rng(1)
    n = 4 * each
    topic_of = np.repeat(np.arange(4, dtype=np.int32), each)
    places = (CENTRES[topic_of] + rng.normal(0, 0.12, (n, 2))).astype(np.float32)
    words = [name.split(", ") for name in NAMES]
    documents = [
        Document(
            f"{topic}-{at}",
            f"All about {' and '.join(words[topic])}, number {at}.\n\nThe second part.",
            f"{words[topic][0].title()} {at}",
            {"subject": words[topic][0], "year": 1900 + at},
        )
        for topic in range(4)
        for at in range(each)
    ]
    leaves = [Topic(f"{at // 2 + 1}.{at % 2 + 1}", name, tuple(words[at]), each, ()) for at, name in enumerate(NAMES)]
    areas = tuple(
        Topic(str(at + 1), ("heaven, hearth", "water, board")[at], (), 2 * each, (), tuple(leaves[2 * at : 2 * at + 2]))
        for at in range(2)
    )
    ground = BackgroundGrid(-1, -1, 1, 1, tuple((f"row{at // CELLS}", f"column{at % CELLS}") for at in range(CELLS**2)))
    ids = [document.id for document in documents]
    titles = [document.title for document in documents]
    topics = Topics(areas, n, 3)
    numbers = np.arange(n)
    strengths = np.full(n, 0.8, np.float32)
    return DocumentMap("neighbours", numbers, ids, titles, places, topics, topic_of, strengths, ground), documents


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("page") / "map.html"
    write_page(*four_topics(), path, name="Four topics")
    return path


@pytest.fixture
def visit(browser):
    """Give a function that opens a page from disk, and holds it to ask nothing of anybody and to fail nowhere."""
    contexts, wrong = [], []

    def snapshot(path: Path, size=(960, 640), *, hash: str = "draw=canvas", scheme: str = "light", **options):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce", **options
        )
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("request", lambda request: request.url.startswith(path.as_uri()) or wrong.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        page.goto(f"{path.as_uri()}#{hash}")
        page.evaluate("started.then(() => atlas.corpus.named)")
        return page

    yield snapshot
    for context in contexts:
        context.close()
    assert wrong == []


def still(page) -> None:
    """Wait until the map does not move and labels have faded."""
    until(page, "!atlas.camera.moving && atlas.asked === null")


def at(page, document: int) -> tuple[float, float]:
    """Where a document is on the screen."""
    still(page)
    x, y = page.evaluate(
        "at => { const box = atlas.map.getBoundingClientRect(); return ["
        "box.left + atlas.camera.screenX(atlas.corpus.x(at)), box.top + atlas.camera.screenY(atlas.corpus.y(at))]; }",
        document,
    )
    return x, y


def points_of(page) -> np.ndarray:
    """The pixels of the map without what stands above it."""
    still(page)
    min_score = "for (const id of ['labels', 'legend', 'panel', 'zoom', 'tip']) byId(id).style.visibility = "
    page.evaluate(f"{min_score}'hidden'")
    shot = page.locator("#map").screenshot()
    page.evaluate(f"{min_score}''")
    return pixels(shot)


@pytest.mark.parametrize("way", ["webgl", "canvas"])
def test_each_area_is_drawn_in_its_half_in_its_colour(visit, page_file, way) -> None:
    page = visit(page_file, hash=f"draw={way}")
    assert page.evaluate("atlas.points.constructor.name") == {"webgl": "WebglPoints", "canvas": "CanvasPoints"}[way]
    image = points_of(page)
    upper, lower = np.array_split(image, 2)
    first, _, third, _ = page.evaluate("atlas.corpus.about.colours.light")
    assert close_to(upper, first) > 1000 < close_to(lower, third)
    assert close_to(upper, third) + close_to(lower, first) < 20


def test_without_webgl_the_same_map_is_drawn(visit, page_file) -> None:
    """A point is in the same pixels, about as strong, whoever draws it."""
    drawn = []
    for way in ("webgl", "canvas"):
        page = visit(page_file, hash=f"draw={way}")
        drawn.append(points_of(page))
    assert np.abs(drawn[0] - drawn[1]).mean() < 1.5
    ground = drawn[0][5, -5]
    inked = [(np.abs(image - ground).max(axis=2) > 60).sum() for image in drawn]
    assert 0.9 < inked[0] / inked[1] < 1.1


def test_the_first_look_says_what_it_is(visit, page_file) -> None:
    page = visit(page_file)
    assert page.title() == "Four topics · map"
    assert page.locator("h1").inner_text() == "Four topics"
    assert page.locator("#counts").inner_text() == "240 documents · 4 topics"
    assert "3 documents not on the map" in page.locator("#note").inner_text()
    assert page.get_by_role("application", name="Map of 240 documents in 4 topics").is_visible()
    assert page.locator("#labels .on").all_inner_texts() != []
    assert not page.locator("#wait").is_visible()


def test_pointing_tells_and_clicking_opens(visit, page_file) -> None:
    page = visit(page_file)
    page.mouse.move(*at(page, 7))
    tip = page.get_by_role("tooltip")
    tip.get_by_text("All about stars").wait_for()
    shown = page.evaluate("atlas.hovered")
    assert tip.locator("b").inner_text() == f"Stars {shown}"
    assert "stars, orbit, comet" in tip.inner_text()
    page.mouse.click(*at(page, 7))
    panel = page.get_by_role("region", name="Details")
    panel.get_by_text("The second part.").wait_for()
    assert panel.locator("h2").inner_text() == f"Stars {shown}"
    assert panel.locator("dl").inner_text().split() == ["subject", "stars", "year", str(1900 + shown)]
    nearest = panel.locator("ol .row")
    assert nearest.count() == 8
    nearest.first.click()
    assert panel.locator("h2").inner_text() == nearest.first.page.evaluate("atlas.corpus.titles[atlas.selected]")
    page.keyboard.press("Escape")
    assert not panel.is_visible()


def test_an_empty_place_says_what_the_decoder_would(visit, page_file) -> None:
    """The middle of the map lies between the cells 27, 28, 35 and 36 of 64; a little to the right below is cell 36."""
    page = visit(page_file)
    still(page)
    box = page.locator("#map").bounding_box()
    x, y = page.evaluate(
        "(() => { const [left, top, right, bottom] = atlas.corpus.about.ground.box;"
        "return [atlas.camera.screenX((left + right) / 2), atlas.camera.screenY((top + bottom) / 2)]; })()"
    )
    page.mouse.click(box["x"] + x + 6, box["y"] + y + 6)
    panel = page.get_by_role("region", name="Details")
    panel.get_by_text("An empty place").wait_for()
    assert panel.locator(".words li").all_inner_texts() == ["row4", "column4"]
    assert panel.locator("ol .row").count() == 8


def test_pictures_are_shown_where_they_are_pointed_at_and_read(visit, tmp_path) -> None:
    drawn, _ = four_topics(each=3)
    pictures = some_pictures(12)
    ids = [document.id for document in pictures]
    ground = BackgroundGrid(-1, -1, 1, 1, ((),) * CELLS**2)
    of_pictures = replace(drawn, ids=ids, titles=[""] * 12, background=ground)
    write_page(of_pictures, pictures, tmp_path / "map.html", name="Pictures")
    page = visit(tmp_path / "map.html")
    page.mouse.move(*at(page, 4))
    shown = page.locator("#tip img")
    shown.wait_for()
    assert shown.get_attribute("alt") == ids[4]
    until(page, "document.querySelector('#tip img').naturalWidth === 6")
    assert shown.evaluate("image => [image.width, getComputedStyle(image).imageRendering]") == [112, "pixelated"]
    page.mouse.down()
    page.mouse.up()
    page.locator("#panel .row img").first.wait_for()
    assert page.locator("#content > div > img").get_attribute("alt") == ids[4]
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2 + 20, box["y"] + 20)
    page.locator("#panel h2", has_text="An empty place").wait_for()
    assert page.locator("#panel .quiet").count() == 0
    assert page.locator("#panel .row img").count() == 8


def test_thumbnails_are_shown_in_place_of_pictures_without_room(visit, tmp_path, monkeypatch) -> None:
    drawn, _ = four_topics(each=3)
    pixels = bytes([0, 255, 85] * 300 + [51, 102, 204] * 300)  # 10 rows of each colour, of 30
    pictures = [replace(one, picture=Picture(20, 30, 3, pixels)) for one in some_pictures(12)]
    of_pictures = replace(drawn, ids=[one.id for one in pictures], titles=[""] * 12)
    monkeypatch.setattr(Waiting, "fitting", lambda *_: Cut(None, halvings=1))
    report = write_page(of_pictures, pictures, tmp_path / "map.html", name="Pictures")
    assert (report.pictures, report.halvings) == (12, 1)
    page = visit(tmp_path / "map.html")
    page.mouse.move(*at(page, 4))
    shown = page.locator("#tip canvas")
    shown.wait_for()
    assert shown.get_attribute("aria-label") == pictures[4].id
    assert shown.evaluate("canvas => [canvas.width, canvas.height, canvas.clientWidth]") == [15, 10, 112]
    levels = """canvas => {
        const context = canvas.getContext("2d");
        return [2, 7].flatMap((row) => [...context.getImageData(9, row, 1, 1).data]);
    }"""
    assert shown.evaluate(levels) == [0, 255, 85, 255, 51, 102, 204, 255]


def test_search_ranks_titles_and_texts_and_walks(visit, page_file) -> None:
    """The query's rarest words, 17 and then oven, rank; each hit shows its passage, with whole words marked."""
    page = visit(page_file)
    page.keyboard.press("/")
    page.keyboard.type("oven number 17")
    panel = page.get_by_role("region", name="Details")
    panel.get_by_text("240 documents · 1 with all words").wait_for()
    titles = panel.locator(".hits .title").all_inner_texts()
    assert titles[0] == "Bread 17"
    assert set(titles[1:4]) == {"Stars 17", "Ships 17", "Chess 17"}
    assert len(titles) == 50
    assert panel.locator(".hits > li").first.locator("mark").all_inner_texts() == ["17", "oven", "number", "17"]
    page.fill("#query", "chess")
    panel.get_by_text("60 documents").wait_for()
    assert page.locator("#found").inner_text() == "60"
    assert panel.locator("mark").first.inner_text() == "Chess"
    for turn, key in enumerate(("Enter", "ArrowDown", "ArrowDown", "ArrowUp")):
        page.keyboard.press(key)
        until(
            page,
            f"document.querySelector('.hits [aria-current=true] .rank')?.textContent === '{(0, 1, 2, 1)[turn] + 1}'",
        )
        assert page.evaluate("atlas.search.at") == (0, 1, 2, 1)[turn]
    assert panel.locator("[aria-current=true] .title").inner_text() == "Chess 1"
    assert page.evaluate("atlas.selected") == 181
    panel.get_by_role("button", name="10 more").click()
    until(page, "document.querySelectorAll('.hits > li').length === 60")
    panel.locator(".hits .head").first.click()
    panel.locator(".body mark").first.wait_for()
    assert panel.locator(".body mark").all_inner_texts() == ["chess"]
    panel.get_by_role("button", name="60 found").click()
    assert panel.locator(".hits > li").count() == 60
    page.fill("#query", "zzz")
    panel.get_by_text("Nothing was found").wait_for()
    page.keyboard.press("Escape")
    assert page.input_value("#query") == ""
    assert not panel.is_visible()


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_hits_are_beside_the_map_and_not_over_it(visit, page_file, size) -> None:
    page = visit(page_file, size)
    page.fill("#query", "chess")
    page.locator(".hits > li").first.wait_for()
    still(page)
    drawn, panel = (page.locator(name).bounding_box() for name in ("#map", "#panel"))
    assert drawn["x"] + drawn["width"] <= panel["x"] + 1 or drawn["y"] + drawn["height"] <= panel["y"] + 1
    assert drawn["width"] * drawn["height"] > 0.2 * size[0] * size[1]
    x, y = at(page, 200)  # the whole map is still seen
    assert drawn["x"] < x < drawn["x"] + drawn["width"] and drawn["y"] < y < drawn["y"] + drawn["height"]


def test_what_is_not_found_is_dimmed(visit, page_file) -> None:
    page = visit(page_file)
    colour = page.evaluate("atlas.corpus.about.colours.light[0]")
    assert close_to(points_of(page), colour) > 200
    page.fill("#query", "ships")
    page.get_by_text("60 documents").wait_for()
    assert close_to(points_of(page), colour) < 20


def test_drawing_around_documents_lists_them(visit, page_file, tmp_path) -> None:
    page = visit(page_file)
    page.click("#zoom-out")
    left, top = (min(of) - 14 for of in zip(*(at(page, one) for one in range(60, 120)), strict=True))
    right, bottom = (max(of) + 14 for of in zip(*(at(page, one) for one in range(60, 120)), strict=True))
    page.keyboard.down("Shift")
    page.mouse.move(left, top)
    page.mouse.down()
    for corner in ((right, top), (right, bottom), (left, bottom)):
        page.mouse.move(*corner, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    panel = page.get_by_role("region", name="Details")
    panel.get_by_text("Most telling words").wait_for()
    inside = page.evaluate("atlas.lit")
    assert set(range(60, 120)) <= set(inside)
    assert panel.locator("h2").inner_text() == f"{len(inside)} documents"
    assert panel.locator(".words li").first.inner_text() == "bread"
    with page.expect_download() as download:
        panel.get_by_role("button", name="Save as CSV").click()
    saved = tmp_path / "saved.csv"
    download.value.save_as(saved)
    with saved.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(inside)
    assert rows[inside.index(60)] == {"id": "1-0", "title": "Bread 0", "topic": "1.2", "topic_name": NAMES[1]}


OVERLAPPING = """() => {
  const boxes = [...document.querySelectorAll("#labels .on")].map((node) => node.getBoundingClientRect());
  const pairs = boxes.flatMap((one, at) => boxes.slice(at + 1).map((other) => [one, other]));
  const meet = ([one, other]) => one.left < other.right && other.left < one.right
    && one.top < other.bottom && other.top < one.bottom;
  return [boxes.length, pairs.filter(meet).length, [...new Set([...document.querySelectorAll("#labels .on")].map(
    (node) => node.className.split(" ")[0]))]];
}"""


def test_names_never_overlap_and_come_with_the_zoom(visit, page_file) -> None:
    page = visit(page_file)
    kinds = []
    for _ in range(6):
        still(page)
        shown, overlapping, of = page.evaluate(OVERLAPPING)
        assert (shown > 0, overlapping) == (True, 0)
        kinds.append(set(of))
        x, y = at(page, 3)
        page.mouse.move(x, y)
        page.mouse.wheel(0, -240)
    assert {"area", "topic"} & kinds[0]
    assert "title" in kinds[-1]
    assert "word" in set().union(*kinds)


def test_wheel_keys_buttons_and_drag_move_the_map(visit, page_file) -> None:
    page = visit(page_file)
    x, y = at(page, 100)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -200)
    assert np.allclose(at(page, 100), (x, y), atol=0.6)  # what is under the pointer stays there
    closer = page.evaluate("atlas.camera.zoom")
    assert closer == pytest.approx(np.exp(200 * 0.0022), rel=0.01)
    page.mouse.down()
    page.mouse.move(x + 60, y - 40, steps=4)
    page.mouse.up()
    assert np.allclose(at(page, 100), (x + 60, y - 40), atol=0.6)
    page.locator("#map").focus()
    page.keyboard.press("ArrowRight")
    assert np.allclose(at(page, 100), (x - 30, y - 40), atol=0.6)
    page.keyboard.press("+")
    still(page)
    assert page.evaluate("atlas.camera.zoom") == pytest.approx(1.5 * closer, rel=0.01)
    page.keyboard.press("0")
    still(page)
    assert page.evaluate("atlas.camera.zoom") == pytest.approx(1, rel=0.01)
    page.click("#zoom-in")
    still(page)
    assert page.evaluate("atlas.camera.zoom") == pytest.approx(1.8, rel=0.01)


def test_the_legend_filters_by_topic_and_by_field(visit, page_file) -> None:
    page = visit(page_file)
    shows = "Array.from({length: 240}, (_, at) => atlas.shows(at)).filter(Boolean).length"
    tree = page.get_by_role("tree", name="Topics")
    area = tree.get_by_role("treeitem", name="heaven, hearth, 120 documents")
    area.locator(".text").first.click()
    assert page.evaluate(shows) == 120
    page.get_by_role("button", name="Show all").click()
    assert page.evaluate(shows) == 240
    page.select_option("#colour", label="subject")
    rows = page.get_by_role("group", name="Legend").get_by_role("button")
    until(page, "document.querySelectorAll('#values button').length === 4")
    assert rows.all_inner_texts() == ["bread\n60", "chess\n60", "ships\n60", "stars\n60"]
    rows.nth(1).click()
    assert page.evaluate(shows) == 60
    assert [row.get_attribute("aria-pressed") for row in rows.all()] == ["false", "true", "false", "false"]
    rows.nth(0).click(modifiers=["Shift"])
    assert page.evaluate(shows) == 120
    rows.nth(0).click(modifiers=["Shift"])
    rows.nth(1).click()  # it was only this: all come back
    assert page.evaluate(shows) == 240
    page.select_option("#colour", label="year")
    until(page, "document.querySelectorAll('#values button').length === 5")
    assert page.locator("#values .text").first.inner_text().startswith("1900 – ")
    counts = [int(count) for count in page.locator("#values .count").all_inner_texts()]
    assert sum(counts) == 240


def test_topics_are_a_tree_for_the_keyboard(visit, page_file) -> None:
    page = visit(page_file)
    page.locator("#topics > [role=treeitem]").first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "bread, oven, dough, 60 documents"
    assert page.evaluate("[...atlas.legend.offTopics].sort()") == [0, 2, 3]
    assert "Only bread" in page.locator("#said").inner_text() or "60 of 240" in page.locator("#said").inner_text()
    still(page)
    box = page.locator("#map").bounding_box()
    x, y = np.mean([at(page, one) for one in range(60, 120)], axis=0)
    assert abs(x - box["x"] - box["width"] / 2) < 250  # it flew there
    assert abs(y - box["y"] - box["height"] / 2) < 60
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#topics > [role=treeitem]").first.get_attribute("aria-expanded") == "false"


def test_texts_of_documents_are_nothing_but_text(visit, tmp_path) -> None:
    drawn, documents = four_topics(5)
    evil = [
        replace(document, text=EVIL, title=EVIL, fields={EVIL: EVIL, "subject": EVIL[: 10 + at % 2]})
        for at, document in enumerate(documents)
    ]
    leaf = Topic("1.1", EVIL, (EVIL,), 20, ())
    topics = Topics((replace(leaf, id="1", topics=(leaf,)),), 20, 0)
    cells = tuple((EVIL,) for _ in range(CELLS**2))
    ground = replace(drawn.background, words=cells)
    drawn = replace(drawn, titles=[EVIL] * 20, topics=topics, topic_of=np.zeros(20, np.int32), background=ground)
    path = tmp_path / "evil.html"
    write_page(drawn, evil, path, name=EVIL)
    page = visit(path)
    page.mouse.click(*at(page, 3))
    page.locator("#panel .body").wait_for()
    assert page.locator("#panel .body").inner_text() == EVIL
    assert page.locator("#panel h2").inner_text() == EVIL
    page.fill("#query", "owned <script>")
    page.locator("#panel").get_by_text("20 documents").wait_for()
    assert page.locator("#panel .title").first.inner_text() == EVIL
    assert page.locator("#panel .title mark").all_inner_texts()[:3] == ["script", "owned", "script"]
    page.select_option("#colour", index=1)
    until(page, "document.querySelectorAll('#values button').length > 0")
    assert page.evaluate("document.querySelectorAll('img, script:not([type]):not(:first-of-type)').length") == 0
    assert page.title() == f"{EVIL} · map"


def test_a_narrow_screen_has_a_sheet_at_the_bottom(visit, page_file) -> None:
    page = visit(page_file, (360, 740), has_touch=True)
    assert not page.locator("#legend").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    x, y = at(page, 100)
    page.touchscreen.tap(x, y)
    panel = page.get_by_role("region", name="Details")
    panel.locator(".body").wait_for()
    box = panel.bounding_box()
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, 360, 740)
    assert 0 < box["y"] < 740 and box["height"] <= 0.6 * 740
    shown = page.evaluate("atlas.selected")
    assert at(page, shown)[1] < box["y"]  # the map made room
    page.click("#close")
    page.click("#show-legend")
    assert page.locator("#legend").bounding_box()["width"] == 360


def test_two_fingers_pinch(visit, page_file) -> None:
    """Fingers that go twice as far apart come twice as close, and what is between them stays there."""
    page = visit(page_file, (360, 740), has_touch=True)
    still(page)
    session = page.context.new_cdp_session(page)
    x, y = 180, 400

    def touch(kind: str, *apart: float) -> None:
        points = [{"x": x + shift, "y": y, "id": number} for number, shift in enumerate(apart)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    between = f"[atlas.camera.worldX({x}), atlas.camera.worldY({y} - atlas.map.offsetTop)]"
    before = page.evaluate(between)
    touch("touchStart", -40)
    touch("touchStart", -40, 40)
    for step in (50, 60, 70, 80):
        touch("touchMove", -step, step)
    touch("touchEnd")
    until(page, "atlas.camera.zoom > 1.95")
    assert page.evaluate("atlas.camera.zoom") == pytest.approx(2, rel=0.02)
    assert page.evaluate(between) == pytest.approx(before, abs=0.01)


def test_dark_follows_the_system_and_the_switch(visit, page_file) -> None:
    page = visit(page_file, scheme="dark")
    assert points_of(page)[5, -5].max() < 60
    page.click("#theme")
    assert points_of(page)[5, -5].min() > 200
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(34, 40, 44)"


def test_the_address_holds_what_is_seen(visit, page_file) -> None:
    page = visit(page_file)
    page.click("#zoom-in")
    page.select_option("#colour", label="subject")
    page.fill("#query", "oven")
    until(page, "location.hash.includes('q=oven') && location.hash.includes('colour=subject')")
    still(page)
    page.wait_for_timeout(400)
    seen = page.evaluate("[atlas.camera.x, atlas.camera.y, atlas.camera.zoom]")
    again = visit(page_file, hash=page.evaluate("location.hash.slice(1)"))
    again.get_by_text("60 documents").wait_for()
    assert again.evaluate("[atlas.camera.x, atlas.camera.y, atlas.camera.zoom]") == pytest.approx(seen, rel=1e-3)
    assert again.input_value("#query") == "oven"
    assert again.locator("#values button").count() == 4


ODD = ["😀 emoji 👩‍👩‍👧", "مرحبا بالعالم", "a" * 10_000, "tab\tand\nline", "\ud800 half", ""]


@pytest.mark.parametrize("n", [1, 3, 6])
def test_few_documents_in_one_place_with_odd_titles(visit, tmp_path, n) -> None:
    documents = [Document(str(at), "text", title) for at, title in enumerate(ODD[-n:])]
    leaf = Topic("1.1", "all", (), n, ())
    drawn = DocumentMap(
        "lsa", np.arange(n), [one.id for one in documents], [one.title for one in documents],
        np.zeros((n, 2), np.float32), Topics((replace(leaf, id="1", topics=(leaf,)),), n, 0),
        np.zeros(n, np.int32), np.ones(n, np.float32), BackgroundGrid(-1, -1, 1, 1, ((),)),
    )  # fmt: skip
    path = tmp_path / "few.html"
    write_page(drawn, documents, path, name="Few")
    page = visit(path)
    colour = page.evaluate("atlas.corpus.about.colours.light[0]")
    assert close_to(points_of(page), colour, 40) > 60
    page.mouse.click(*at(page, 0))
    page.locator("#panel .body").wait_for()
    assert page.locator("#panel h2").get_attribute("dir") == "auto"
    assert json.loads(page.evaluate("JSON.stringify(atlas.corpus.ids)")) == [str(at) for at in range(n)]


def test_in_a_notebook_the_map_works_in_a_frame_that_cannot_reach_the_notebook(browser, page_file, tmp_path) -> None:
    notebook = tmp_path / "notebook.html"
    inline = MapPage(page_file.read_text(encoding="utf-8"), 240)
    notebook.write_text(f"<!doctype html><title>A notebook</title>{inline._repr_html_()}", encoding="utf-8")
    context, wrong = browser.new_context(), []
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.goto(notebook.as_uri())
    frame = page.frames[1]
    frame.evaluate("started.then(() => atlas.corpus.named)")
    frame.fill("input[type=search]", "bishop")
    frame.press("input[type=search]", "Enter")
    frame.get_by_text("60 documents").wait_for()
    frame.wait_for_timeout(500)  # after which the page writes what is seen into its address
    reaches = "(() => { try { return parent.document.title; } catch { return 'nothing'; } })()"
    assert (frame.evaluate(reaches), wrong) == ("nothing", [])
    context.close()
