"""Commands that look at an index, and at what could be one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from textae.app.cli.options import index_option, json_option
from textae.errors import TextaeError
from textae.views import sanitise


@click.command()
@json_option
@index_option
def info(folder: Path, as_json: bool) -> None:
    """What the index holds, and how it was learned.

    \b
    textae info --index notes.textae
    """
    from textae.engine import Engine

    with Engine.open(folder) as engine:
        facts = engine.info()
    if as_json:
        click.echo(sanitise.json_line(facts))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        shown = f"{value:,}" if type(value) is int else sanitise.cell(str(value))
        click.echo(f"{name.replace('_', ' '):{width}}  {shown}")


@click.command(short_help="Check every byte of the index.")
@index_option
def doctor(folder: Path) -> None:
    """Check every byte of the index against the hashes that were committed; exit 2 where it is damaged.

    \b
    textae doctor --index notes.textae
    """
    from textae.engine import Engine

    with Engine.open(folder) as engine:
        found = engine.damage()
    for line in found:
        click.echo(sanitise.safe(line))
    if found:
        raise TextaeError(f"{folder} is damaged; 'textae index' rebuilds it from its sources")
    click.echo(f"{folder}: sound")


@click.command()
@json_option
def corpora(as_json: bool) -> None:
    """The corpora that 'textae index' knows by name.

    \b
    textae corpora
    textae index 20newsgroups
    """
    from textae.corpus.recipes import recipes

    for recipe in recipes():
        if as_json:
            click.echo(sanitise.json_line(asdict(recipe)))
        else:
            missing = "  (fetched when asked for)" if recipe.archive else "  (to be put into TEXTAE_DATA)"
            here = "" if recipe.available else missing
            click.echo(f"{recipe.name:16} {recipe.description}{here}")


COMMANDS = (
    info,
    doctor,
    corpora,
)
