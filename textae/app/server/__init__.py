"""`textae serve`: search and map as a local web application, with a JSON API.

One process: one thread for HTTP, a few that search (`engine_pool`), and one that redraws the map when the index changes
(`live_map`). `answers` has the parameters and responses, from which FastAPI makes the OpenAPI document (`api`); `guard`
decides which requests are allowed.
"""

from textae.app.server.process import serve

__all__ = ["serve"]
