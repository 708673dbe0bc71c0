"""The application in a real browser, given by a real server: search, feedback, reasons, conditions, and the map."""

import re
import shutil
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import chromium, until
from served import Process
from shared import wait_for, write

from textae import Document, Engine
from textae.corpus import sources

EVIL = '<script>document.title = "owned"</script><img src=x onerror="document.title=1">'


@pytest.fixture(scope="module")
def serving(mapped_folder, tmp_path_factory) -> Iterator[Process]:
    """Give a server of the documents and one more, whose text is not to be trusted."""
    folder = Path(shutil.copytree(mapped_folder, tmp_path_factory.mktemp("browsed") / "index"))
    with Engine.open(folder) as engine:
        engine.add([Document("evil/1?#", f"{EVIL} 🍞 oven 🍞 dough", EVIL, {EVIL: EVIL})])
        notes = write(folder.parent / "notes", page_dot_html=f"<title>A stork</title><p>the stork flies</p>{EVIL}")
        (source,) = sources([str(notes)])
        engine.add(source.read(), sources=[source])
    process = Process(folder, "--port", 0)
    process.folder = folder
    yield process
    assert process.stop(signal.SIGINT)[0] == 0


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def visit(browser, serving):
    """Give a function that opens the page, and holds it to ask nobody else and to fail nowhere."""
    contexts, wrong = [], []

    def snapshot(hash: str = "", size=(1200, 800), **options):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("request", lambda request: request.url.startswith(serving.url) or wrong.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{serving.address}#draw=canvas&{hash}")
        until(page, "atlas !== null && atlas.corpus.ids !== null")
        return page

    yield snapshot
    for context in contexts:
        context.close()
    assert wrong == []


def hits(page) -> list[str]:
    return page.locator(".hits .title").all_inner_texts()


def search(page, words: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.locator(".hits > li").first.wait_for()


def expected(folder: Path, query: str, n: int = 50, **how) -> list[str]:
    with Engine.open(folder) as engine:
        return [hit.title or hit.id for hit in engine.search(query, n, **how)]


class TestSearch:
    def test_hits_are_those_of_the_engine_and_light_up_on_the_map(self, visit, serving):
        page = visit()
        search(page, "telescope planet")
        found = expected(serving.folder, "telescope planet")
        assert hits(page) == found
        assert page.locator("#found").inner_text() == str(len(found))
        assert page.locator(".snippet mark").first.inner_text().lower() in ("telescope", "planet", "planets")
        lit = page.evaluate("[...atlas.litSet].map((at) => atlas.corpus.title(at))")
        assert sorted(lit) == sorted(found)
        assert page.evaluate("atlas.search.place !== null")

    def test_a_click_on_a_hit_flies_to_it_and_opens_the_whole_document(self, visit, documents):
        page = visit("q=telescope")
        page.locator(".hits .head").first.click()
        page.locator("#panel .body").wait_for()
        title = page.locator("#panel h2").inner_text()
        document = next(one for one in documents if one.title == title)
        assert page.locator("#panel .body").inner_text() == document.text
        assert page.locator("#panel dl").inner_text().split() == [
            "topic",
            "stars",
            "year",
            str(document.fields["year"]),
        ]
        assert "What its code says" in page.locator("#panel").inner_text()
        assert page.evaluate("atlas.corpus.title(atlas.selected)") == title
        page.get_by_role("button", name=re.compile("‹ .* found")).click()
        assert page.locator(".hits > li").count() > 1

    def test_keys_walk_through_the_hits(self, visit):
        page = visit()
        search(page, "harbour captain")
        titles = hits(page)
        for at in range(2):
            page.keyboard.press("ArrowDown")
            assert page.locator(".hits [aria-current='true'] .title").inner_text() == titles[at]
            assert page.evaluate("atlas.corpus.title(atlas.selected)") == titles[at]
        page.keyboard.press("ArrowUp")
        assert page.locator(".hits [aria-current='true'] .title").inner_text() == titles[0]
        page.keyboard.press("Escape")
        until(page, "document.getElementById('panel').hidden && atlas.lit === null")

    def test_words_that_are_not_known(self, visit):
        page = visit("q=telescoqe")
        page.get_by_role("button", name="telescope", exact=True).click()
        until(page, "document.getElementById('query').value === 'telescope' && atlas.search.found.length > 1")

    def test_back_comes_to_what_was_asked_before(self, visit):
        page = visit()
        search(page, "oven")
        first = hits(page)
        page.locator("#show-asking").click()
        page.locator("#mode").select_option("bm25")
        until(page, "new URLSearchParams(location.hash.slice(1)).get('mode') === 'bm25'")
        assert len(hits(page)) < len(first)
        page.go_back()
        until(page, f"document.querySelectorAll('.hits > li').length === {len(first)}")
        assert hits(page) == first
        page.go_back()
        until(page, "document.getElementById('query').value === '' && document.getElementById('panel').hidden")


class TestSteering:
    def test_more_and_less_of_a_document(self, visit, serving):
        page = visit("q=salt+sky")
        page.locator(".hits > li").first.wait_for()
        names = hits(page)[:2]
        ids = page.evaluate("atlas.search.hits.slice(0, 2)")
        page.get_by_role("button", name="More like this").first.click()
        until(page, "atlas.search.asked.like.length === 1 && !atlas.search.hits.includes(atlas.search.asked.like[0])")
        assert hits(page) == expected(serving.folder, "salt sky", like=ids[:1])
        page.locator(".hits > li", has_text=names[1]).get_by_role("button", name="Not like this").click()
        until(
            page, "atlas.search.asked.unlike.length === 1 && !atlas.search.hits.includes(atlas.search.asked.unlike[0])"
        )
        assert hits(page) == expected(serving.folder, "salt sky", like=ids[:1], unlike=ids[1:])
        page.get_by_role("button", name=f"Take away: {names[0]}").click()
        until(page, "atlas.search.asked.like.length === 0 && atlas.search.hits.length > 1")

    def test_without_a_query_what_is_like_a_document(self, visit, serving):
        page = visit("like=bread-1")
        page.locator(".hits > li").first.wait_for()
        with Engine.open(serving.folder) as engine:
            assert hits(page) == [hit.title for hit in engine.similar("bread-1", 50)]

    def test_reasons_sum_to_the_score(self, visit):
        page = visit("q=telescope+orbit&explain")
        row = page.locator(".hits > li").first
        row.locator(".reasons").wait_for()
        shares = [float(share.replace("−", "-")) for share in row.locator(".amount").all_inner_texts()]
        assert sum(shares) == pytest.approx(float(row.locator(".score").inner_text()), abs=0.003)
        assert {"telescope", "orbit"} & set(row.locator("dt").all_inner_texts())

    def test_of_many_words_the_most_telling_are_shown_and_the_others_as_one(self, visit):
        page = visit("q=oven&like=bread-1&like=bread-4&explain")
        row = page.locator(".hits > li").first
        row.locator(".reasons").wait_for()
        words = row.locator("dt").all_inner_texts()
        assert len(words) <= 10
        assert re.fullmatch(r"\(\d+ other words\)", words[8])
        shares = [float(share.replace("−", "-")) for share in row.locator(".amount").all_inner_texts()]
        assert sum(shares) == pytest.approx(float(row.locator(".score").inner_text()), abs=0.007)

    def test_conditions_and_what_is_wrong_with_them(self, visit, serving):
        page = visit("q=oven+sky")
        page.locator("#show-asking").click()
        page.locator("#where").fill("topic:bread")
        page.locator("#where").press("Enter")
        until(page, "atlas.search.asked.where && atlas.search.hits?.every((id) => id.startsWith('bread'))")
        assert hits(page) == expected(serving.folder, "oven sky", where="topic:bread")
        page.locator("#where").fill("topik:bread")
        page.locator("#where").press("Enter")
        page.get_by_text("no document has a field 'topik'; did you mean 'topic'?").wait_for()
        assert page.locator("#where").get_attribute("aria-invalid") == "true"
        page.locator("#where").fill("")
        page.locator("#where").press("Enter")
        page.locator(".hits > li").first.wait_for()
        assert page.locator("#where-mistake").inner_text() == ""


class TestTrust:
    def test_a_text_is_a_text(self, visit):
        page = visit("q=oven+dough")
        row = page.locator(".hits > li", has_text="owned")
        row.wait_for()
        assert row.locator("mark").all_inner_texts() == ["oven", "dough"]
        row.locator(".head").click()
        page.locator("#panel .body").wait_for()
        assert page.locator("#panel h2").inner_text() == EVIL
        assert page.locator("#panel dt").all_inner_texts() == [EVIL]
        assert EVIL in page.locator("#panel .body").inner_text()
        assert page.title() != "owned"
        assert page.locator("main script, main img").count() == 0


class TestSmall:
    def test_a_narrow_page_has_everything_in_sight(self, visit):
        page = visit("q=oven&where=topik:x", size=(360, 740))
        page.get_by_text("no document has a field 'topik'").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        for box in (page.locator("#asking").bounding_box(), page.locator("#search").bounding_box()):
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 360


class TestChange:
    def test_what_came_later_is_found_and_the_new_map_is_offered(self, visit, serving):
        page = visit()
        with Engine.open(serving.folder) as engine:
            engine.add([Document("later", "a xylophone in the oven", "A later document")])
            wait_for(lambda: "later" in str(serving.get("/api/search?q=xylophone")[1]))
        search(page, "xylophone")
        page.locator(".hits .head.away").first.click()
        page.get_by_text("It is not on this map.").wait_for()
        page.get_by_text("a xylophone in the oven").wait_for()
        wait_for(lambda: serving.commit("/api/place?q=oven") == serving.commit("/api/info"))
        page.evaluate("atlas.search.ask({})")
        page.get_by_role("button", name="Show the new map").click()
        until(page, "atlas?.corpus.ids && atlas.corpus.placeOf('later') !== undefined")

    def test_a_server_that_is_gone_is_said(self, visit, browser):
        page = visit()
        page.context.set_offline(True)
        page.locator("#query").fill("oven")  # asks once: a second answer would take the button away under the click
        page.get_by_text("The server does not answer; is it running?").wait_for()
        page.context.set_offline(False)
        page.get_by_role("button", name="Try again").click()
        page.locator(".hits > li").first.wait_for()


def test_the_page_opens_and_no_command_line_has_the_token(browser, mapped_folder, tmp_path):
    """Every user of a machine sees the command lines of all processes."""
    opener, opened = tmp_path / "opener", tmp_path / "opened"
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}.part && mv {opened}.part {opened}\n')
    opener.chmod(0o755)
    process = Process(mapped_folder, "--port", 0, "--open", before=("env", f"BROWSER={opener}"))
    wait_for(opened.exists)
    address = opened.read_text()
    assert process.token not in address
    file = Path(address.removeprefix("file://"))
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    page = browser.new_page()
    page.goto(address)
    page.wait_for_url(f"{process.url}**")
    until(page, "document.title !== ''")
    assert process.token not in page.url
    assert page.evaluate("fetch('api/health').then(answer => answer.status)") == 200
    page.close()
    assert process.stop(signal.SIGTERM)[0] == 0
    assert not file.parent.exists()


def test_a_hit_leads_to_its_original_where_no_script_runs(visit) -> None:
    page = visit("q=stork")
    with page.context.expect_page() as opened:
        page.locator(".hits a", has_text="Original").first.click()
    original = opened.value
    original.wait_for_load_state()
    assert original.url.endswith("/api/original/page.html")
    assert (original.title(), original.inner_text("p")) == ("A stork", "the stork flies")
