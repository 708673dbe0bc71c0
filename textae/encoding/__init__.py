"""Encoding: a document becomes a bag of words, the bag a code, the code words again; numpy alone.

A worker of a cluster imports this folder and no other. Files, the index, training and ranking do not belong here.
"""
