"""The search of the page that works alone, in a real browser: the words, the terms and the ranking of the index."""

import unicodedata
from dataclasses import replace

import pytest
from browser import chromium, until
from shared import QUICK, TINY

from textae import Document, Engine
from textae.encoding.analyzer import Analysis, fold, spans, words
from textae.views.page import write_page
from textae.views.page.document import static
from textae.views.page.word_table import WordTable

TEXTS = {
    "kalman": (
        "Smoothing noisy signals",
        "A filter that smooths the noise of a signal. Filters are smoother than signals.",
    ),
    "fourier": ("Fourier transform", "The signal as a sum of waves: filtering is multiplication."),
    "cpp": ("C++ and its relatives", "C++17 has filters; C# and F# run on .NET, and C runs everywhere."),
    "structs": ("The C language", "C has no classes. It has structures, pointers and a preprocessor."),
    "coffee": ("Le café à la crème", "Un CAFÉ s'il vous plaît; the cafe\u0301 is hot, cafe is not."),
    "straße": ("Straßen und Flüsse", "Die Straße führt über den Fluß: STRASSE, Strassen."),
    "search": ("文档检索", "检索系统为文档排序。文档检索是一门科学。"),
    "kana": ("ガイド", "ﾊﾝｶｸのカタカナとガイド"),
    "soft": ("Hyphens", "A soft hy\u00adphen and a ﬁne liga\u2060ture of signals, and of the noise"),
    "greek": ("Ὀδυσσεύς", "ΟΔΟΣ και οδός, ὁδούς"),
    "arabic": ("كِتَاب", "كتاب ٢٠٢٣ و 2023"),
    "stop": ("The and of it", "It is what it is, and that is that: the the the signal"),
}
QUERIES = [
    "smooth signal", "Signals SMOOTHED", "the filter of noise", "signal signal noise", "c++", "c", "C#", ".net c",
    "café", "cafe\u0301", "cafe", "strasse", "Straße Fluss", "文档检索", "文", "検索 ガイド", "ガイド",
    "hyphen fine ligature", "οδος", "كتاب 2023", "the and of", "structures filtering waves",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    documents = [Document(id, text, title) for id, (title, text) in TEXTS.items()]
    with Engine.create(tmp_path_factory.mktemp("words") / "index") as engine:
        engine.index(documents, language="english", model=TINY, train=QUICK)
    with Engine.open(engine.folder) as opened:
        yield opened


@pytest.fixture
def page(browser, engine, tmp_path):
    """Give the page of the index."""
    path = tmp_path / "map.html"
    analysis = engine.snapshot.model.vectorizer.analysis
    report = write_page(engine.map("lsa"), engine.snapshot.reader.stream(), path, name="Words", analysis=analysis)
    assert (report.documents, report.characters) == (len(TEXTS), None)
    page = browser.new_page(reduced_motion="reduce")
    page.goto(f"{path.as_uri()}#draw=canvas")
    page.evaluate("started.then(() => atlas.corpus.named)")
    yield page
    page.close()


@pytest.mark.parametrize("query", QUERIES)
def test_the_ranking_is_that_of_bm25_in_the_index_without_names(page, engine, query) -> None:
    searcher, ids = engine.searcher, list(engine.snapshot.ids.values())
    best = searcher.rank(replace(searcher.text_query(query), text=""), len(TEXTS), "bm25")
    ranked = page.evaluate(
        "query => atlas.search.run(query).then(() => atlas.search.hits"
        ".map(({ at, score }) => [atlas.corpus.ids[at], score]))",
        query,
    )
    assert [id for id, _ in ranked] == [ids[row] for row in best.rows.tolist()]
    assert [score for _, score in ranked] == pytest.approx(best.scores.tolist(), rel=1e-5)


def test_a_word_that_is_not_known_finds_what_begins_like_it(page) -> None:
    """As it is typed, `multipl` is the beginning of `multiplication`; `filterings` begins as `filtering`."""
    for query, first in (("multipl", "fourier"), ("preprocessors", "structs"), ("pointery", "structs")):
        page.fill("#query", query)
        until(page, f"atlas.search.query === '{query}' && atlas.corpus.ids[atlas.search.hits?.[0]?.at] === '{first}'")
    page.get_by_text("Not known: pointery · words that begin like it count").wait_for()


def test_an_id_finds_its_document(page) -> None:
    page.fill("#query", "kana")
    until(page, "atlas.search.query === 'kana' && atlas.corpus.ids[atlas.search.hits?.[0]?.at] === 'kana'")


@pytest.mark.parametrize(
    ("query", "id", "marks"),
    [
        ("smooth", "kalman", ["smooths"]),
        ("c", "cpp", ["C", "C", "C"]),
        ("c++", "cpp", ["C++", "C", "C"]),
        ("cafe\u0301", "coffee", ["CAFÉ", "cafe\u0301"]),
        ("hyphen fine", "soft", ["hy\u00adphen", "ﬁne"]),
        ("strasse", "straße", ["Straße", "STRASSE"]),
        ("文档", "search", ["文档", "文档"]),
    ],
)
def test_matching_words_are_marked_whole(page, query, id, marks) -> None:
    page.evaluate("query => atlas.search.run(query)", query)
    page.evaluate("id => atlas.panel.showDocument(atlas.corpus.placeOf(id))", id)
    body = page.locator("#panel .body")
    body.wait_for()
    assert body.locator("mark").evaluate_all("marks => marks.map((mark) => mark.textContent)") == marks
    assert body.evaluate("body => body.textContent") == TEXTS[id][1]


def test_words_and_their_places_are_those_of_the_analyzer(browser) -> None:
    """All assigned characters, some in each text, beside Latin letters and in names with signs."""
    points = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")]
    common = [one for one in points if one < "\u2000" or "\u3000" < one < "\u3400" or "\uf900" < one < "\U00010000"]
    chosen = [*common, *points[len(common) :: 97]]
    texts = ["".join(chosen[first : first + 50]) for first in range(0, len(chosen), 50)]
    texts += [" ".join(f"a{one}b{one} {one}C++ {one}.Net 1{one}" for one in text) for text in texts]
    page = browser.new_page()
    page.add_script_tag(
        content=f"{static('words.js')}\nwindow.start = (table) => {{ window.analysis = new Analysis(table); }}"
    )
    page.evaluate("table => start(table)", WordTable(Analysis.of(None)).content().decode())
    all_words = page.evaluate("texts => texts.map(text => [analysis.words(text), analysis.words(text, true)])", texts)
    assert all_words == [[words(text), words(text, characters=False)] for text in texts]
    places = page.evaluate(
        "texts => texts.map(text => analysis.places(text, { has: () => true })"
        ".map(([from, to]) => text.slice(from, to)))",
        texts,
    )
    assert places == [[text[start:end] for start, end in spans(text)] for text in texts]
    cased = [one for one in chosen if not "\u13a0" <= one <= "\u13ff" and not "\uab70" <= one <= "\uabbf"]  # Cherokee
    assert page.evaluate("texts => texts.map(text => analysis.fold(text))", cased) == list(map(fold, cased))
    page.close()


def test_the_page_works_with_its_table_alone(page, engine) -> None:
    """Each word of the texts has in the browser the term that it has in the index."""
    written = sorted({word for title, text in TEXTS.values() for word in words(f"{title}\n{text}")})
    term = engine.snapshot.model.vectorizer.analysis.term
    got = page.evaluate(
        "words => atlas.corpus.analysis().then((analysis) => words.map((word) => analysis.term(word)))", written
    )
    assert got == list(map(term, written))


def test_the_table_holds_a_line_for_each_stem() -> None:
    table = WordTable(Analysis.of("english"))
    for text in ("Runner running runs run", "happy happiness, HAPPY", "signal"):
        table.add(text)
    _, stops, *stems = table.content().decode().split("\n")
    assert "the" in stops.split(" ")
    assert stems == ["happ i iness y", "run  ning s"]
