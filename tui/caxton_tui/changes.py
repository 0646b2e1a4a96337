"""Screen 4: how agents came from one revision to the next.

In: deployments and, of the agent at the cursor, its newest turns. Out: the deployments, the newest first; beside
them the one at the cursor with its steps and the figures of both revisions side by side; promote, abort, roll back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar, Final, cast

from rich.console import Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from caxton.api.plain import compact, safe, span
from caxton.finding import Subject
from caxton_tui import deeds, words
from caxton_tui.bars import titled
from caxton_tui.book import Wants
from caxton_tui.columns import Column, Table
from caxton_tui.desk import Command, Desk
from caxton_tui.history import percentile
from caxton_tui.listing import Listing
from caxton_tui.pane import Pane
from caxton_tui.store import Json

_SIGNS: Final = {"running": "●", "failed": "✗", "rolled_back": "↶", "draining": "◌", "deploying": "◌"}
_STYLES: Final = {"running": "listing--good", "failed": "listing--bad", "rolled_back": "listing--bad"}
FINAL: Final = frozenset({"running", "failed", "rolled_back"})
_KNOWN: Final = frozenset(
    {
        "id",
        "agent",
        "revision",
        "previous",
        "strategy",
        "state",
        "reason",
        "created_at",
        "updated_at",
        "timings",
    }
    | {"memory", "memory_reason", "unchanged"}
)


class DeploymentList(Table[Json]):
    """Deployments, the newest first."""

    NAME = "AGENT"
    LONGEST = 20

    def __init__(self, desk: Desk, *, id: str = "deployment-list") -> None:
        self._desk = desk
        super().__init__(
            [
                Column(
                    "STATE",
                    12,
                    0,
                    lambda one: f"{_SIGNS.get(one['state'], '◌')} {safe(one['state'])}",
                    lambda one: _STYLES.get(one["state"], "listing--warn"),
                ),
                Column("TO", 7, 1, lambda one: str(one["revision"])[:7]),
                Column("FROM", 7, 3, lambda one: str(one["previous"] or "-")[:7], lambda _: "listing--dim"),
                Column("STRATEGY", 10, 4, lambda one: safe(one["strategy"])),
                Column("AGE", -4, 2, lambda one: words.ago(desk.age_s(one["created_at"]))),
            ],
            id=id,
        )

    def key(self, thing: Json) -> str:
        """Its id."""
        return str(thing["id"])

    def name_of(self, thing: Json) -> str:
        """Its agent."""
        return words.short(thing["agent"], self._desk.store.platform)

    def subject(self, thing: Json) -> Subject:
        """What a filter looks at."""
        return DeploymentSubject(thing, self.name_of(thing))

    def troubled(self, thing: Json) -> bool:
        """Failed or rolled back."""
        return thing["state"] in ("failed", "rolled_back")

    @property
    def empty(self) -> str:
        """What to do next."""
        if self.wanted is not None:
            return "No deployment passes the filter.\nesc drops it."
        return "Nothing was deployed yet. Press D on screen 2, or:\n  caxton agent deploy NAME FILE\n  caxton dev"


class DeploymentSubject:
    """A deployment as a filter sees it."""

    __slots__ = ("_agent", "_one")

    def __init__(self, one: Json, agent: str) -> None:
        self._one = one
        self._agent = agent

    @property
    def everything(self) -> str:
        """Agent, revisions, strategy, state, reason."""
        fields = ("revision", "previous", "strategy", "state", "reason", "id")
        return "\n".join((self._agent, *(str(self._one[name] or "") for name in fields))).casefold()

    def texts(self, field: str) -> Sequence[str]:
        """What that field holds."""
        match field:
            case "agent":
                return (self._agent,)
            case "state":
                return (str(self._one["state"]),)
            case "is":
                bad = self._one["state"] in ("failed", "rolled_back")
                return ("problem",) if bad else () if self._one["state"] in FINAL else ("open",)
            case _:
                return ()


class ChangesPane(Pane):
    """Screen 4."""

    NUMBER = "4"
    LABEL = "Changes"
    ABOUT = "Deployments: from which revision to which, how far, why not, and how both revisions do."

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "rollback", "Roll back", id="changes.rollback", tooltip="Undo the deployment"),
        Binding("o", "agent", "Agent", id="changes.agent", tooltip="Show its agent"),
    ]

    def compose(self) -> ComposeResult:
        """List and card."""
        with Vertical(classes="left"):
            yield DeploymentList(self.desk)
        with Vertical(classes="right"), VerticalScroll(id="change"):
            yield Static(id="change-text")

    @property
    def list(self) -> DeploymentList:
        """The deployments."""
        return self.query_one(DeploymentList)

    @property
    def main(self) -> Listing:
        """The deployments."""
        return self.list

    @property
    def chosen(self) -> Json | None:
        """The deployment at the cursor, else the newest."""
        return self.list.chosen

    @property
    def wants(self) -> Wants:
        """Deployments, and the turns of the agent at the cursor."""
        chosen = self.chosen
        return Wants(deployments=True, turns_of=None if chosen is None else str(chosen["agent"]))

    @property
    def crumbs(self) -> Sequence[str]:
        """Agent and deployment."""
        one = self.chosen
        return () if one is None else (self.list.name_of(one), str(one["id"]))

    def flush(self) -> None:
        """Bring the newest state on screen."""
        self.list.take(self.desk.store.deployments)
        titled(self.list, f"Deployments {self.list.total:,}")
        self._card()

    def back(self) -> bool:
        """From the card to the list."""
        if not self.query_one("#change").has_focus:
            return False
        self.screen.set_focus(self.list)
        return True

    @on(Listing.Moved, "#deployment-list")
    def moved(self) -> None:
        """The card goes with the cursor."""
        self._card()

    @on(Listing.Chosen, "#deployment-list")
    def entered(self) -> None:
        """Into the card."""
        self.screen.set_focus(self.query_one("#change"))

    def _card(self) -> None:
        one = self.chosen
        card = self.query_one("#change")
        titled(card, "Deployment" if one is None else f"Deployment {one['id']}")
        text = self.query_one("#change-text", Static)
        text.update(Text("") if one is None else self._text(one))

    def _text(self, one: Json) -> RenderableType:
        grid = Grid.grid(padding=(0, 1))
        grid.add_column(no_wrap=True, min_width=9)
        grid.add_column(overflow="fold")
        for name, value, style in self._fields(one):
            grid.add_row(Text(name, "dim"), Text(value, style))
        both = self._figures(one)
        return Group(grid, Text(""), both) if both is not None else grid

    def _fields(self, one: Json) -> Iterator[tuple[str, str, str]]:
        bad = one["state"] in ("failed", "rolled_back")
        yield "agent", self.list.name_of(one), "bold"
        yield "state", f"{_SIGNS.get(one['state'], '◌')} {safe(one['state'])}", "bold red" if bad else ""
        if one["reason"]:
            yield "reason", safe(one["reason"])[:1000], "bold red" if bad else ""
        yield "from", str(one["previous"] or "nothing")[:16], ""
        yield "to", str(one["revision"])[:16] + (", the same as before" if one["unchanged"] else ""), ""
        yield "strategy", safe(one["strategy"]), ""
        if one["memory"]:
            why = f": {safe(one['memory_reason'])}" if one["memory_reason"] else ""
            yield "memory", safe(one["memory"]) + why, ""
        timings: Json = one["timings"] or {}
        steps = [
            f"{name.removesuffix('_ms').removesuffix('_us')} {span(value / (1e3 if name.endswith('_ms') else 1e6))}"
            for name, value in timings.items()
            if isinstance(value, int | float) and name.endswith(("_ms", "_us"))
        ]
        if steps:
            yield "took", ", ".join(steps) + (", compiled before" if timings.get("cached") else ""), ""
        yield "began", self.desk.hour(one["created_at"]), ""
        # what a strategy adds (stages, gate, comparison) is shown as it comes
        for name, value in one.items():
            if name not in _KNOWN and value not in (None, [], {}):
                parts = cast("list[object]", value) if isinstance(value, list) else [value]
                for part in parts:
                    yield safe(name), compact(part, 400) if not isinstance(part, str) else safe(part), ""

    def _figures(self, one: Json) -> RenderableType | None:
        """Both revisions side by side, over the newest turns."""
        turns = self.desk.store.turns
        builds = [build for build in (one["previous"], one["revision"]) if build]
        found = [[turn for turn in turns if turn["revision"] == build] for build in builds]
        if not any(found):
            return None
        grid = Grid(box=None, padding=(0, 2, 0, 0))
        grid.add_column("newest turns", style="dim")
        for build in builds:
            grid.add_column(str(build)[:7], justify="right")
        rows: list[tuple[str, list[str]]] = [
            ("turns", [f"{len(of):,}" for of in found]),
            ("failed", [f"{sum(turn['status'] != 'ok' for turn in of):,}" for of in found]),
            ("turn p50", [span(percentile([turn["turn_us"] for turn in of], 0.5) / 1e6) for of in found]),
            ("turn p99", [span(percentile([turn["turn_us"] for turn in of], 0.99) / 1e6) for of in found]),
            ("waited p99", [span(percentile([turn["queue_us"] for turn in of], 0.99) / 1e6) for of in found]),
            ("fuel p50", [f"{percentile([turn['fuel'] for turn in of], 0.5):,.0f}" for of in found]),
        ]
        for name, values in rows:
            grid.add_row(name, *values)
        return grid

    # what the keys do

    def _do(self, what: str) -> None:
        one = self.chosen
        if one is not None and what == "rollback":
            self.post_message(self.Do(deeds.rollback(one)))

    def action_rollback(self) -> None:
        """Undo the deployment."""
        self._do("rollback")

    def action_agent(self) -> None:
        """Show its agent."""
        one = self.chosen
        if one is not None:
            self.post_message(self.Go("Agents", agent=str(one["agent"])))

    @property
    def commands(self) -> Sequence[Command]:
        """What can be done with the deployment at the cursor."""
        one = self.chosen
        if one is None:
            return ()
        steps = {"rollback": "undo it"}
        return [
            Command(
                f"deployment {step} {one['id']}",
                text,
                f"caxton deploy {step} {one['id']}",
                partial(self._do, step),
            )
            for step, text in steps.items()
        ]
