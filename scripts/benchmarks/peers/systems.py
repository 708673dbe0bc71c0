"""Keyword search with other engines, and textae's searches, behind one command line; each runs on one core.

    python systems.py add SYSTEM FOLDER TABLE       adds a table of documents (.jsonl, .gz) to the system's index
    python systems.py remove SYSTEM FOLDER IDS      removes the documents whose ids a JSON file lists
    python systems.py once SYSTEM FOLDER TEXT       prints the ids of the ten best: a search from a cold shell
    python systems.py many SYSTEM FOLDER            answers rounds of texts (rounds.py)

SYSTEM is fts5, tantivy, bm25s or bm25s+numba: any word of the query in title or text finds a document, words are
stemmed by Porter's or Snowball's stemmer, and BM25 ranks. Or it is a mode of textae: `hybrid` ranks ids and scores
alone, `hybrid+texts` is the whole search with titles and snippets.
"""

import gzip
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from rounds import Find, answer

Rows = Iterator[dict[str, Any]]


def rows(table: Path) -> Rows:
    """The rows of a table."""
    opener = gzip.open if table.suffix == ".gz" else open
    with opener(table, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


class FTS5:
    """SQLite's full-text search.

    Args:
        folder: of the index.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._path = folder / "fts5.sqlite"

    def add(self, table: Path) -> None:
        """Add the documents of a table, in one transaction."""
        with closing(sqlite3.connect(self._path)) as database, database:
            database.execute(
                "CREATE VIRTUAL TABLE IF NOT EXISTS documents "
                "USING fts5(id UNINDEXED, title, text, tokenize = 'porter unicode61')"
            )
            database.executemany("INSERT INTO documents VALUES (:id, :title, :text)", rows(table))

    def remove(self, ids: Sequence[str]) -> None:
        """Remove documents in one transaction; a virtual table has no index of ids, so this reads all rows."""
        with closing(sqlite3.connect(self._path)) as database, database:
            statement = "DELETE FROM documents WHERE id IN (SELECT value FROM json_each(?))"
            database.execute(statement, [json.dumps(ids)])

    def open(self) -> Find:
        """Search by any of a text's words."""
        database = sqlite3.connect(self._path)
        statement = "SELECT id FROM documents WHERE documents MATCH ? ORDER BY rank LIMIT 10"

        def find(text: str) -> Sequence[str]:
            return [id for (id,) in database.execute(statement, [" OR ".join(f'"{word}"' for word in text.split())])]

        return find


class Tantivy:
    """tantivy, an engine like Lucene in Rust; without positions, as textae has none.

    Args:
        folder: of the index.
    """

    def __init__(self, folder: Path) -> None:
        import tantivy

        folder.mkdir(exist_ok=True)
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("id", stored=True, tokenizer_name="raw")
        schema.add_text_field("text", tokenizer_name="en_stem", index_option="freq")
        self._index = tantivy.Index(schema.build(), path=str(folder))

    def _writer(self) -> Any:
        return self._index.writer(heap_size=256 << 20, num_threads=1)

    def add(self, table: Path) -> None:
        """Add the documents of a table."""
        from tantivy import Document

        writer = self._writer()
        for row in rows(table):
            writer.add_document(Document(id=row["id"], text=f"{row['title']}\n{row['text']}"))
        writer.commit()
        writer.wait_merging_threads()

    def remove(self, ids: Sequence[str]) -> None:
        """Remove documents."""
        writer = self._writer()
        for id in ids:
            writer.delete_documents_by_term("id", id)
        writer.commit()
        writer.wait_merging_threads()

    def open(self) -> Find:
        """Search by any of a text's words."""
        searcher = self._index.searcher()

        def find(text: str) -> Sequence[str]:
            query = self._index.parse_query(text, ["text"])
            return [searcher.doc(address)["id"][0] for _, address in searcher.search(query, 10).hits]

        return find


class BM25S:
    """bm25s, which computes scores when it indexes; it cannot add or remove documents later.

    It selects the ten best with numpy or with numba. Where most documents score 0, numpy's selection takes some 12 ms
    for 100,000 documents, and numba's whole search .2 ms; but numba compiles for seconds when it starts. So a running
    process uses numba, and a search from a cold shell does not import it.

    Args:
        folder: of the index.
        numba: whether to search with numba.
    """

    def __init__(self, folder: Path, *, numba: bool) -> None:
        self._folder, self._backend = folder, "numba" if numba else "numpy"
        if not numba:
            sys.modules["numba"] = None  # type: ignore[assignment]
        import bm25s
        import Stemmer

        self._bm25s = bm25s
        self._how = {"stopwords": "en", "stemmer": Stemmer.Stemmer("english"), "show_progress": False}

    def add(self, table: Path) -> None:
        """Index the documents of a table."""
        ids, texts = zip(*((row["id"], f"{row['title']}\n{row['text']}") for row in rows(table)), strict=True)
        retriever = self._bm25s.BM25()
        retriever.index(self._bm25s.tokenize(list(texts), **self._how), show_progress=False)
        retriever.save(self._folder, corpus=list(ids))

    def open(self) -> Find:
        """Search by any of a text's words."""
        mapped = self._backend == "numpy"  # numba compiles for arrays in memory
        retriever = self._bm25s.BM25.load(self._folder, mmap=mapped, load_corpus=True)
        retriever.backend = self._backend

        def find(text: str) -> Sequence[str]:
            terms = self._bm25s.tokenize(text, return_ids=False, **self._how)
            best = retriever.retrieve(terms, k=10, show_progress=False)
            return [hit["text"] for hit, score in zip(best.documents[0], best.scores[0], strict=True) if score > 0]

        return find


PEERS: dict[str, Callable[[Path], Any]] = {
    "fts5": FTS5,
    "tantivy": Tantivy,
    "bm25s": partial(BM25S, numba=False),
    "bm25s+numba": partial(BM25S, numba=True),
}


def textae(folder: Path, mode: str, *, texts: bool) -> Find:
    """Search with a mode of textae, with or without titles and snippets."""
    from textae.engine import Engine
    from textae.search.second_look import second_look

    engine = Engine.open(folder)
    if texts:
        return lambda text: [hit.id for hit in engine.search(text, 10, mode)]
    searcher, snapshot = engine.searcher, engine.snapshot

    def find(text: str) -> Sequence[str]:
        best = searcher.rank(second_look(searcher, searcher.text_query(text), mode), 10, mode)
        return [snapshot.ids[number] for number in snapshot.searched.doc_numbers.take(best.rows).tolist()]

    return find


def open_system(system: str, folder: Path) -> Find:
    """Open the index of a system."""
    if system in PEERS:
        return PEERS[system](folder).open()
    mode, _, texts = system.partition("+")
    return textae(folder, mode, texts=bool(texts))


def main(task: str, system: str, folder: Path, argument: str = "") -> None:
    """Run a task."""
    if task == "add":
        PEERS[system](folder).add(Path(argument))
    elif task == "remove":
        PEERS[system](folder).remove(json.loads(Path(argument).read_text(encoding="utf-8")))
    elif task == "once":
        print(*open_system(system, folder)(argument), sep="\n")
    else:
        answer(open_system(system, folder))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), *sys.argv[4:])
