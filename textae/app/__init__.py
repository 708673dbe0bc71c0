"""App: the command line and the local server: options in, text or JSON out.

It parses, prints and serves. The folders below compute what it prints.
"""
