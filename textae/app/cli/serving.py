"""The command that serves an index."""

from __future__ import annotations

from pathlib import Path

import click

from textae.app import terminal
from textae.app.cli.options import index_option, quiet_option
from textae.errors import needs_extra


@click.command(short_help="The map and the search as a local application.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The name or address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), help="[default: 8080, or a free one where that is taken]")
@click.option(
    "--token",
    envvar="TEXTAE_TOKEN",
    help="That clients must show; also TEXTAE_TOKEN. Drawn where other machines can connect and none is given.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, 1e6),
    default=50,
    show_default=True,
    help="Requests a second of one client; 0: any.",
)
@click.option("--open", "to_open", is_flag=True, help="Open the page in a browser.")
@index_option
@quiet_option
def serve(
    host: str, port: int | None, token: str | None, rate: float, to_open: bool, folder: Path, quiet: bool
) -> None:
    """The map and the search as an application for a browser, and a JSON API; Ctrl-C stops it.

    It listens to this machine alone unless --host says otherwise, needs no internet, and serves nothing but the index.
    What is added to the index or removed from it meanwhile is found at once. /api lists what programs can ask.

    \b
    textae serve --open
    textae serve --index notes.textae --port 9000
    textae serve --host 0.0.0.0              others need the token that is printed
    """
    with needs_extra("serve", "'textae serve'"):
        from textae.app.server import Listening, serve

    def said(url: str, needed: str | None) -> None:
        progress.finish()
        with_token = f"{url}?token={needed}" if needed else url
        click.echo(url if token else with_token)
        if to_open:
            _open(with_token)

    progress = terminal.ProgressLine(quiet=quiet)
    try:
        serve(folder, Listening(host, port, token, rate), said, lambda line: terminal.note(line, quiet=quiet), progress)
    finally:
        progress.finish()


def _open(url: str) -> None:
    """Open a browser, without waiting for one that runs in the terminal."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


COMMANDS = (serve,)
