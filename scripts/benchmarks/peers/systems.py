"""Keyword search by others, and textae's searches, all asked alike. Each runs on one core, in a process of its own.

    python systems.py add SYSTEM FOLDER TABLE       adds a table of documents (.jsonl, .gz) to the system's index
    python systems.py remove SYSTEM FOLDER IDS      removes the documents of the ids in a JSON file
    python systems.py once SYSTEM FOLDER TEXT       prints the ids of the ten best: a search from a cold shell
    python systems.py many SYSTEM FOLDER            answers rounds of texts (rounds.py)

SYSTEM is fts5, tantivy, bm25s or bm25s+numba: documents are found by any word of the query in their title or text,
stemmed by Porter's or Snowball's stemmer, and ranked by BM25. Or it is a mode of textae: `hybrid` ranks ids and scores
alone, `hybrid+texts` is the whole search, with titles and snippets.
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
    snapshot = gzip.open if table.suffix == ".gz" else open
    with snapshot(table, "rt", encoding="utf-8") as lines:
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
        """Remove documents, in one transaction; a virtual table finds an unindexed column by reading all rows."""
        with closing(sqlite3.connect(self._path)) as database, database:
            wanted = json.dumps(ids)
            database.execute("DELETE FROM documents WHERE id IN (SELECT value FROM json_each(?))", [wanted])

    def open(self) -> Find:
        """Search by any of a text's words."""
        database = sqlite3.connect(self._path)
        statement = "SELECT id FROM documents WHERE documents MATCH ? ORDER BY rank LIMIT 10"

        def find(text: str) -> Sequence[str]:
            return [id for (id,) in database.execute(statement, [" OR ".join(f'"{word}"' for word in text.split())])]

        return find


class Tantivy:
    """tantivy, Lucene's like in Rust: no positions are kept, as textae keeps none.

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
    """bm25s, whose scores are worked out when indexing; it adds and removes nothing later.

    It selects the ten best by numpy or by numba. Where most documents score 0, numpy's selection takes some 12 ms at
    100,000 documents, beside .2 ms of numba's for the whole search, but numba compiles for seconds when it starts. So
    a running process is given numba, and a search from a cold shell is spared its import.

    Args:
        folder: of the index.
        numba: whether to search by it.
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
            found = retriever.retrieve(terms, k=10, show_progress=False)
            return [hit["text"] for hit, score in zip(found.documents[0], found.scores[0], strict=True) if score > 0]

        return find


PEERS: dict[str, Callable[[Path], Any]] = {
    "fts5": FTS5,
    "tantivy": Tantivy,
    "bm25s": partial(BM25S, numba=False),
    "bm25s+numba": partial(BM25S, numba=True),
}


def textae(folder: Path, mode: str, *, texts: bool) -> Find:
    """Search by a mode of textae, with or without the texts of what is found."""
    from textae.engine import Engine
    from textae.search.query import QueryVector

    engine = Engine.open(folder)
    if texts:
        return lambda text: [hit.id for hit in engine.search(text, 10, mode)]
    index = engine.snapshot  # `Engine.rank` starts threads, for many queries

    def find(text: str) -> Sequence[str]:
        found = index.search(QueryVector.of(index.model.vectorizer.transform([text])), 10, mode, None, min_score=0.0)
        return [index.ids[number] for number in index.searched.doc_numbers.take(found.rows).tolist()]

    return find


def snapshot(system: str, folder: Path) -> Find:
    """The search of a system."""
    if system in PEERS:
        return PEERS[system](folder).open()
    mode, _, texts = system.partition("+")
    return textae(folder, mode, texts=bool(texts))


def main(task: str, system: str, folder: Path, *given: str) -> None:
    """Run one of the tasks."""
    if task == "add":
        PEERS[system](folder).add(Path(given[0]))
    elif task == "remove":
        PEERS[system](folder).remove(json.loads(Path(given[0]).read_text(encoding="utf-8")))
    elif task == "once":
        print(*snapshot(system, folder)(given[0]), sep="\n")
    else:
        answer(snapshot(system, folder))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), *sys.argv[4:])
