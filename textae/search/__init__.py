"""Search: a request becomes a result: query, filter, retriever, snippet, explanation.

All ranking systems are here, and the vector searches that they use. It changes no index, measures no quality and
prints nothing.
"""
