"""Encoding: from a document to a bag of words, from the bag to a code, and back to words; numpy alone.

A worker of a cluster imports this room and no other. Files, the index, training and ranking do not belong here.
"""
