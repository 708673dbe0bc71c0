"""Beyond one machine: a dataset of shards, counted and encoded by an engine that a company already runs.

    documents ─▶ shards ─▶ counts ─▶ vocabulary ─▶ sample ─▶ model ─▶ codes ─▶ manifest
                 └─ each step is a pure function from a shard to a file, skipped where the file is there ─┘

Spark, Dask, or the processes of one machine run the functions; the bytes are those of an ordinary index. Nothing else
in textae imports this folder. **Not** for a cluster of our own making: no scheduler, no protocol, no server.
"""
