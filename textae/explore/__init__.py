"""Explore: the contents of a corpus: topics, maps, near-duplicates, drift, decoded and sampled codes.

Its functions take a `Snapshot` and return data. Drawing belongs to `textae.views`, ranking to `textae.search`,
training of networks to `textae.training`.
"""
