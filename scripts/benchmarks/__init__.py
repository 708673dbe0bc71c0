"""The benchmarks: `scripts/bench NAME` measures, appends rows to docs/benchmarks.jsonl, and renders docs/benchmarks.md.

`datasets` reads the real corpora in TEXTAE_DATA, splits them, and makes a million documents from one of them.
`questions` holds natural questions to documentation, with their answers. `suites` holds the commands, by what they
measure. `harness` is what suites share: rows, runs (an index and its cost), precision by label, and processes that are
timed in turns. `peers` are programs that run in environments of their own. `report` makes the page and the scores of
README.md and docs/results.md from the rows and the template report.md.
"""
