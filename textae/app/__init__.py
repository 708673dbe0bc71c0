"""App: the command line and the local server: options in, text or JSON out.

It parses, prints and serves. What it prints is made in the rooms below.
"""
