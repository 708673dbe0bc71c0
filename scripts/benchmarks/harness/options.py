"""The options that the benchmarks share: which data, which seeds, and a quick row.

    scripts/bench retrieval --data med --data cran --seeds 5     two data sets, seeds 1 to 5
    scripts/bench retrieval --quick                              one seed of the smallest, printed and not kept

`quick()` tells whatever is run that it is to be quick: `rows.write` then prints a row and appends none, and the large
corpora of `datasets` are read in part. The state is that of click's context, so there is none outside a command.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click
from click.core import ParameterSource

Option = Callable[[Callable[..., Any]], Callable[..., Any]]
"""A decorator of a command."""

_QUICK = "benchmarks.quick"


def quick() -> bool:
    """Whether the command that runs has `--quick`."""
    context = click.get_current_context(silent=True)
    return context is not None and _QUICK in context.meta


def _note(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.meta[_QUICK] = True


quick_option = click.option(
    "--quick",
    is_flag=True,
    is_eager=True,  # the other options ask for it
    expose_value=False,
    callback=_note,
    help="One seed and one small data set, in less than five minutes; prints rows, and keeps none.",
)


stripped_option = click.option(
    "--stripped", "strip", is_flag=True, help="Remove headers, footers and quotes from the messages."
)


def data_option(names: Sequence[str], default: Sequence[str] = (), *, smallest: str) -> Option:
    """The option `--data`, which gives the command a tuple of names.

    Args:
        names: of the data sets.
        default: those that are measured where the user names none; all by default.
        smallest: what `--quick` measures where the user names none.
    """

    def chosen(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
        named = context.get_parameter_source(str(parameter.name)) is not ParameterSource.DEFAULT
        return (value if named else (smallest,))[:1] if quick() else value

    return click.option(
        "--data", multiple=True, type=click.Choice(names), default=default or names, callback=chosen,
        help=f"The data; may be repeated. Without it: {', '.join(default) or 'all'}.",
    )  # fmt: skip


def seeds_option(n: int) -> Option:
    """The option `--seeds`, which gives the command a tuple of seeds; seeds 1 to n by default."""
    return click.option(
        "--seeds", default=str(n), show_default=True, callback=_seeds, metavar="N",
        help="One run for each seed from 1 to N; or for the seeds in a list such as 1,3.",
    )  # fmt: skip


def _seeds(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, ...]:
    listed = numbers(context, parameter, value)
    seeds = listed if "," in value else tuple(range(1, listed[0] + 1))
    if not seeds or min(seeds) < 1:
        raise click.BadParameter(f"{value!r}; give how many seeds, such as 5, or a list of them, such as 1,3")
    return seeds[:1] if quick() else seeds


def numbers(_: click.Context, __: click.Parameter, value: str) -> tuple[int, ...]:
    """Parse `1,2,3`."""
    try:
        return tuple(map(int, value.split(",")))
    except ValueError:
        raise click.BadParameter(f"{value!r}; give whole numbers between commas") from None
