"""Search: a request becomes a result: query, filter, retriever, snippet, explanation.

All ranking systems are here, and the vector searches below them. It changes no index, measures no
quality and prints nothing.
"""
