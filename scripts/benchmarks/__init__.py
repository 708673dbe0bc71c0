"""The benchmarks: each module holds the command of its name, and appends rows to docs/benchmarks.jsonl.

The page, docs/benchmarks.md, is written from these rows alone (`page`), and so is the table of scores in the README.
"""
