"""`caxton demo`: the market example, for a person to watch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.commands.tui import in_terminal
from caxton.cli.lazy import lazy
from caxton.cli.options import command_app, duration_option
from caxton.cli.output.printing import complain

if TYPE_CHECKING:
    from caxton.cli import market_demo
else:
    (market_demo,) = lazy("caxton.cli.market_demo")

app = command_app()


@app.command()
def demo(
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, max=100, help="How many things the buyer buys.")
    ] = 6,
    seconds: Annotated[
        float | None,
        duration_option(
            "--seconds", "About how long it may take, from when the agents are up.  [default: 12]"
        ),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the project, to look at it afterwards.")] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Print the trade line by line, also in a terminal.")
    ] = False,
    stay: Annotated[
        bool, typer.Option("--stay", help="With --seconds too, leave the screen open until q is pressed.")
    ] = False,
) -> None:
    """Watch four agents trade on a market.

    A buyer asks three sellers for offers (fipa-contract-net), takes the cheapest, and gets the thing or an
    excuse. Then the same once more without pauses, to see how fast it goes. Needs no compiler. In a terminal it opens
    the terminal interface on the market, says what one sees, and stays until q is pressed (or --seconds are over);
    elsewhere it prints the trade.

    \b
    Examples:
      caxton demo
      caxton demo --rounds 20 --seconds 20
      caxton demo --stay
      caxton demo --stream --keep
    """
    try:
        market_demo.run(rounds, seconds, on_screen=in_terminal() and not stream, stay=stay, keep=keep)
    except KeyboardInterrupt:
        complain("stopped before the end")
        raise typer.Exit(130) from None
