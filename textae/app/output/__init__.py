"""Output: what the commands print, for people and as JSON, TSV, CSV or a TREC run.

One module for each kind of result. It computes nothing and opens no index.
"""
