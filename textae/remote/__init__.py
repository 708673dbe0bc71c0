"""Search in documents that a vector database serves: the index is pushed there, and clients need its address alone.

`push.py` loads an index, `snapshot.py` and `searcher.py` search what is there as an index on this disk is searched, and
`vector_store.py` says what a database must do; `milvus.py` does it with Milvus. An optional room, which the core never
imports. **Not** for learning or changing an index.
"""
