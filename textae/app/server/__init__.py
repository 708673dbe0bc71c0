"""`textae serve`: the map of an index as a local application, with a JSON API.

One process, one thread that talks HTTP, a few that search (`engines`), and one that makes the map anew when the index
has changed (`maps`). What may be asked and what is answered is in `answers`, and in the OpenAPI document that is made
of it (`api`); who may ask is in `guard`.
"""

from textae.app.server.listening import Listening, serve

__all__ = ["Listening", "serve"]
