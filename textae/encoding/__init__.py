"""Encoding: a document becomes a bag of words, the bag a code, and a code words again; numpy alone.

A worker of a cluster imports this room and no other. It holds no files, no index, no learning and no ranking.
"""
