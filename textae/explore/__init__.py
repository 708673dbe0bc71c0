"""Explore: what a corpus holds: topics, maps, duplicates, drift, and what codes say in words.

It draws nothing (`textae.views` does) and ranks no query.
"""
