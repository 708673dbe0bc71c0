"""`textae serve` and `textae mcp`: an index as a local web application with a JSON API, and as tools of assistants.

One process: one thread for HTTP, a few that search (`engine_pool`), and one that follows the index (`live`). `answers`
has the parameters and responses of both, from which FastAPI makes the OpenAPI document (`api`), and `tools` the schemas
of tools, which `mcp` serves. `guard` decides which requests are allowed.
"""
