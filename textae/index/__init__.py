"""Index: the files on disk, and how they change: documents, postings, codes, segments, commits.

A `Snapshot` is one commit, read only. Building, updating and retraining write new segments and commit them.
It ranks nothing and answers no query: that is `textae.search`.
"""
