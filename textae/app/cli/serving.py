"""The command that serves an index: serve."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from textae.app.cli.options import OutputOptions, index_option, option, options
from textae.errors import needs_extra


@dataclass(frozen=True)
class ServerOptions:
    """Where to listen, and for whom; a `rate` of 0 is no limit."""

    host: str = option("The name or address to listen on.", default="127.0.0.1")
    port: int | None = option("[default: 8080, or a free one if it is taken]", type=click.IntRange(0, 65_535))
    token: str | None = option(
        "The token of the clients; also TEXTAE_TOKEN.  [default: a random one if other machines can connect]",
        envvar="TEXTAE_TOKEN",
    )
    rate: float = option(
        "Maximum requests a second for each client; 0: no limit.", type=click.FloatRange(0, 1e6), default=50
    )
    open_page: bool = option("Open the page in a browser.", "--open")


@click.command(short_help="Serve search and map to a browser.")
@options("server", ServerOptions)
@options("output", OutputOptions, "quiet")
@index_option
def serve(server: ServerOptions, folder: Path, output: OutputOptions) -> None:
    """Serve search and map as a web application, and as a JSON API; Ctrl-C stops it.

    By default only this machine can connect; --host changes that. The server works offline and serves nothing but the
    index. It follows changes of the index at once. /api lists the operations for programs.

    \b
    textae serve --open
    textae serve --index notes.textae --port 9000
    textae serve --host 0.0.0.0              other machines need the token, which is printed
    """
    with needs_extra("serve", "'textae serve'"):
        from textae.app.server import serve

    with output.progress() as progress:

        def print_url(url: str, token: str | None) -> None:
            progress.finish()
            with_token = f"{url}?token={token}" if token else url
            click.echo(url if server.token else with_token)
            if server.open_page:
                import threading
                import webbrowser

                # A browser in the terminal blocks until it is closed.
                threading.Thread(target=webbrowser.open, args=(with_token,), daemon=True).start()

        serve(folder, server, print_url, output.note, progress)
