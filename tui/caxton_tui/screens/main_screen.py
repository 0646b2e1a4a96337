"""The frame around the six screens: where one stands, the filter, how it stands with the daemon, what can be done.

In: the store, looked at ten times a second at the most. Out: one repaint a look of the screen that is shown, whatever
the bus does. What panes want done or shown goes through here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Final, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import Screen

from caxton.errors import InvalidFilter
from caxton.finding import Filter
from caxton_tui.actions.held_actions import add_break
from caxton_tui.forms.drafts import writing
from caxton_tui.forms.task_form import TaskForm
from caxton_tui.keys import KEYS, MOVES, TWINS
from caxton_tui.model import formatting
from caxton_tui.model.context import PaletteCommand, ViewContext
from caxton_tui.model.paint_throttle import FRAMES_S, PaintThrottle
from caxton_tui.model.store import Link
from caxton_tui.screens.action_runner import ActionRunner
from caxton_tui.screens.agents import AgentsPane
from caxton_tui.screens.changes import ChangesPane
from caxton_tui.screens.conversations import ConversationsPane
from caxton_tui.screens.held import HeldScreen
from caxton_tui.screens.help import BindingHelp, HelpScreen
from caxton_tui.screens.jump import JumpScreen, places
from caxton_tui.screens.log import LogPane
from caxton_tui.screens.meters import MetersPane
from caxton_tui.screens.palette import PaletteScreen
from caxton_tui.screens.palette_commands import by_name, everywhere
from caxton_tui.screens.pane import Pane
from caxton_tui.screens.select_text import SelectTextScreen
from caxton_tui.screens.traces import TracesPane
from caxton_tui.themes import following
from caxton_tui.widgets.filter_input import FilterInput
from caxton_tui.widgets.key_footer import KeyFooter
from caxton_tui.widgets.listing import Listing
from caxton_tui.widgets.status_bars import Banner, BuildStrip, StatusLine, TopLine
from caxton_tui.widgets.typed_app import key_for, typed_app

P = TypeVar("P", bound=Pane)

WIDE: Final = 110
"""Columns from which on list and picture stand side by side."""
TALL: Final = 30
"""Lines from which on the build's strip has all its lines."""
PANES: Final[tuple[type[Pane], ...]] = (
    ConversationsPane,
    AgentsPane,
    TracesPane,
    ChangesPane,
    LogPane,
    MetersPane,
)


class MainScreen(Screen[None]):
    """Everything at once, one pane of it on screen."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding for key in KEYS]

    def __init__(self, context: ViewContext, *, building: bool) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "narrow"), (WIDE, "wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "low"), (TALL, "tall")]
        self.context = context
        self._building = building
        self._painted = (-1, -1)
        self._frames = PaintThrottle()
        self._runner = ActionRunner(self, context, self._began)
        self._panes: dict[str, Pane] = {pane.LABEL: pane(context) for pane in PANES}
        self._label = PANES[0].LABEL
        self._before: list[str] = []

    def compose(self) -> ComposeResult:
        """The places of the screen."""
        yield Banner(self.context.store, self.context.clock)
        yield TopLine(list(self._panes))
        with Container(id="body"):
            yield from self._panes.values()
        if self._building:
            yield BuildStrip(self.context.store)
        yield FilterInput(self._typed)
        yield StatusLine(self.context)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Begin to look."""
        for label, pane in self._panes.items():
            pane.display = label == self._label
        self._focus()
        self.set_interval(1 / FRAMES_S, self._frame)

    @property
    def pane(self) -> Pane:
        """The pane on screen."""
        return self._panes[self._label]

    def the(self, kind: type[P]) -> P:
        """One of the panes."""
        found = self._panes[kind.LABEL]
        assert isinstance(found, kind)
        return found

    # painting

    def _frame(self) -> None:
        """One tenth of a second is over."""
        if self._frames.next(self.context.store.left_out):
            self.flush()

    def flush(self) -> None:
        """Bring the store's newest state on screen, where there is something new or a second is over."""
        store = self.context.store
        now = (store.version, self.context.now_us // 1_000_000)
        if now == self._painted or not self.is_current:
            return
        self._painted = now
        self.set_class(store.connection.link is Link.LOST, "lost")
        self.query_one(Banner).flush()
        self.pane.flush()
        self.context.reader.show(self.pane.wants)
        self._where()
        self._status()
        if self._building:
            self.query_one(BuildStrip).flush()

    def _status(self) -> None:
        status = self.query_one(StatusLine)
        listing = self.pane.main
        wanted = listing.wanted if listing is not None else None
        shown = f"{listing.total:,} shown" if listing is not None else ""
        status.filtered = f"/{wanted.text}  {shown}" if wanted else ""
        status.flush()

    @on(Listing.Moved)
    def moved(self) -> None:
        """The crumbs go with the cursor."""
        self._frames.keen()
        self._where()

    def on_descendant_focus(self) -> None:
        """The crumbs go with the focus."""
        self._frames.keen()
        self._where()

    def _where(self) -> None:
        self.query_one(TopLine).flush(self._label, self.pane.crumbs)

    def repaint(self) -> None:
        """Paint now, whatever is new."""
        self._frames.keen()
        self._painted = (-1, -1)
        self.flush()

    def on_resize(self) -> None:
        """What was painted was for another size."""
        self._painted = (-1, -1)

    # from screen to screen

    def action_screen(self, label: str) -> None:
        """Another screen."""
        if label == self._label:
            self._focus()
            return
        self._before = [*self._before[-9:], self._label]
        self._to(label)

    def action_last(self) -> None:
        """The screen before this one."""
        if self._before:
            self._to(self._before.pop())

    def _to(self, label: str) -> None:
        self._close_filter()
        self.pane.display = False
        self._label = label
        self.pane.display = True
        self._focus()
        self.repaint()

    def _focus(self) -> None:
        main = self.pane.main
        if main is not None:
            # at once, for keys that were typed ahead are for it
            self.set_focus(main)

    @on(Pane.Go)
    def go(self, event: Pane.Go) -> None:
        """A pane wants to show something on another screen."""
        self.action_screen(event.label)
        if event.label == LogPane.LABEL and event.agent is not None:
            self._narrow(f"agent:{event.agent}")
        else:
            self.pane.open(conversation=event.conversation, agent=event.agent)
        self.repaint()

    def action_back(self) -> None:
        """One step back: the filter's line, what is open in the pane, the filter, the screen before."""
        listing = self.pane.main
        if self.query_one(FilterInput).display:
            self._close_filter()
        elif self.pane.back():
            self.repaint()
        elif listing is not None and listing.wanted is not None:
            self._narrow("")
        else:
            self.action_last()

    # the filter

    def action_filter(self) -> None:
        """Open the line for the filter."""
        wanted = self.pane.main.wanted if self.pane.main is not None else None
        self.query_one(FilterInput).open(wanted.text if wanted is not None else "")

    def _typed(self, text: str, final: bool) -> None:
        """Filter, and at the end go back to the list; what is no filter stays in the line."""
        if self._narrow(text, final=final) and final:
            self._close_filter()

    def _close_filter(self) -> None:
        if self.query_one(FilterInput).close():
            self._focus()

    def _narrow(self, text: str, *, final: bool = True) -> bool:
        """Narrow the list of the pane; False where the text is no filter (so far)."""
        listing = self.pane.main
        if listing is None:
            return True
        try:
            wanted = Filter(text)
        except InvalidFilter as error:
            if final:
                self.notify(f"{error.message}. {error.hint}", severity="error", markup=False)
            return False
        before = listing.wanted.text if listing.wanted is not None else ""
        if wanted.text != before:
            listing.narrow(wanted or None)
        self.repaint()
        return True

    # what is done

    @on(Pane.Do)
    def do(self, event: Pane.Do) -> None:
        """Do it, after asking where it cannot be taken back."""
        self._runner.do(event.action)

    def _show_agent(self, name: str) -> None:
        self.go(Pane.Go("Agents", agent=name))

    def _began(self, conversation: str) -> None:
        """An action began that conversation."""
        self.go(Pane.Go("Conversations", conversation=conversation))

    @on(Pane.Write)
    def write(self, event: Pane.Write) -> None:
        """Write a message: a new one, an answer, or one again."""
        screen = writing(self.context, event.spoken, reply=event.reply, to=event.to)
        typed_app(self).push_screen(screen, self._runner.decided)

    def action_compose(self) -> None:
        """Write a new message."""
        self.write(Pane.Write())

    def action_held(self) -> None:
        """What is held, and the break points."""
        typed_app(self).push_screen(HeldScreen(self.context, self._runner.do, self._filter))

    def action_break(self) -> None:
        """Hold what passes the filter; without one, ask for it."""
        if self._filter:
            self._runner.do(add_break(self._filter))
        else:
            self.action_held()
            self.notify(f"no filter is set: {key_for(self, 'held.add')} asks for one", timeout=3)

    @property
    def _filter(self) -> str:
        """The filter in force, as it was typed."""
        listing = self.pane.main
        return listing.wanted.text if listing is not None and listing.wanted is not None else ""

    def action_task(self) -> None:
        """Run a whole protocol as its initiator."""
        agents = [
            formatting.short(agent["name"], self.context.store.platform)
            for agent in self.context.store.agents
        ]
        typed_app(self).push_screen(TaskForm(agents), self._runner.decided)

    def action_edit(self) -> None:
        """Open the source of the agent at the cursor in the user's editor."""
        self._runner.edit(self.pane.agent)

    def action_retry(self) -> None:
        """Look at the daemon now."""
        self.context.reader.hurry()

    def action_copy(self) -> None:
        """Copy the row under the cursor."""
        listing = self.pane.listing
        text = listing.copied if listing is not None else ""
        if text:
            typed_app(self).copy_to_clipboard(text)
            first = text.split("\n", 1)[0]
            self.notify(f"copied: {first[:60]}{'…' if len(text) > 60 else ''}", timeout=3, markup=False)
        else:
            typed_app(self).bell()

    def action_select(self) -> None:
        """The list as plain text."""
        listing = self.pane.listing
        if listing is not None:
            typed_app(self).push_screen(SelectTextScreen(listing.plain))

    def action_theme(self) -> None:
        """Dark, light, high contrast."""
        typed_app(self).theme = following(typed_app(self).theme)

    def action_jump(self) -> None:
        """A letter on everything that one can go to."""

        def chosen(go: Callable[[], None] | None) -> None:
            if go is not None:
                go()
                self._where()

        typed_app(self).push_screen(JumpScreen(places(self.focused, self.focus_chain)), chosen)

    def action_help(self) -> None:
        """What the keys do here."""
        typed_app(self).push_screen(HelpScreen(self._label, self.pane.ABOUT, self.told))

    def action_palette(self) -> None:
        """Everything that can be done, by words."""

        def chosen(command: PaletteCommand | None) -> None:
            if command is not None:
                command.run()

        typed_app(self).push_screen(PaletteScreen(self.commands), chosen)

    @property
    def told(self) -> list[BindingHelp]:
        """The bindings that are in force now: those of what has the focus first, then the screen's, then all's."""
        found: dict[str, tuple[list[str], str]] = {}
        for active in self.active_bindings.values():
            binding = active.binding
            if binding.id is None or binding.system:
                continue
            keys, _ = found.setdefault(binding.id, ([], binding.tooltip or binding.description))
            keys.append(binding.key)
        order = {key.id: n for n, key in enumerate(KEYS, 1)}
        # what everybody tries anyway stands last
        order |= dict.fromkeys(MOVES, len(order) + 1)
        ids = sorted(found, key=lambda id: order.get(id, 0))
        return [BindingHelp(tuple(found[id][0]), found[id][1], id) for id in ids]

    @property
    def commands(self) -> Sequence[PaletteCommand]:
        """The palette's lines: what the pane offers, then what is the same everywhere."""
        found = list(self.pane.commands)
        for label, pane in self._panes.items():
            twin = TWINS[f"app.{label.lower()}"]
            found.append(
                PaletteCommand(
                    f"screen {label.lower()}", pane.ABOUT, twin, partial(self.action_screen, label)
                )
            )
        found += everywhere(self._actions)
        found += by_name(self.context, self._show_agent, self._began)
        return found

    @property
    def _actions(self) -> dict[str, Callable[[], None]]:
        """What the palette's lines do, by name."""
        return {
            "compose": self.action_compose,
            "task": self.action_task,
            "held": self.action_held,
            "break": self.action_break,
            "edit": self.action_edit,
            "jump": self.action_jump,
            "filter": self.action_filter,
            "problems": self._problems,
            "drop": self._drop,
            "retry": self.action_retry,
            "theme": self.action_theme,
            "select": self.action_select,
            "help": self.action_help,
            "quit": lambda: typed_app(self).exit(0, return_code=0),
        }

    def _problems(self) -> None:
        self._narrow("is:problem")

    def _drop(self) -> None:
        self._narrow("")
