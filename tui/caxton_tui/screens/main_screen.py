"""The main screen: one of six panes, the lines around it, and the keys that are the same on all of them.

In: the store, looked at ten times a second at the most. Out: one repaint a look of the pane that is shown, whatever
the bus does. What panes want done or shown goes through here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import DescendantFocus

from caxton_tui.actions.held_actions import add_break
from caxton_tui.forms.drafts import message_form
from caxton_tui.forms.task_form import TaskForm
from caxton_tui.keys import KEYS
from caxton_tui.model.connection import Link
from caxton_tui.model.context import ViewContext
from caxton_tui.model.paint_throttle import FRAMES_S, PaintThrottle
from caxton_tui.model.topology import AgentLink, Topology
from caxton_tui.screens.action_runner import ActionRunner
from caxton_tui.screens.columns import ColumnsScreen
from caxton_tui.screens.dead_letters import DeadLettersScreen
from caxton_tui.screens.filtering import FilteringScreen
from caxton_tui.screens.held import HeldScreen
from caxton_tui.screens.help import HelpScreen, bindings_in_force
from caxton_tui.screens.jump import JumpScreen, places
from caxton_tui.screens.links import LinksScreen
from caxton_tui.screens.palette import PaletteCommand, PaletteScreen
from caxton_tui.screens.palette_commands import by_key, by_name
from caxton_tui.screens.panes.agents import AgentsPane
from caxton_tui.screens.panes.changes import ChangesPane
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.screens.panes.log import LogPane
from caxton_tui.screens.panes.meters import MetersPane
from caxton_tui.screens.panes.pane import Pane
from caxton_tui.screens.panes.pane_switcher import PaneSwitcher
from caxton_tui.screens.panes.traces import TracesPane
from caxton_tui.screens.select_text import SelectTextScreen
from caxton_tui.themes import following
from caxton_tui.widgets.filter_input import FilterInput
from caxton_tui.widgets.key_footer import KeyFooter
from caxton_tui.widgets.status_bars import Banner, BuildStrip, StatusLine, TopLine
from caxton_tui.widgets.tables.listing import Listing
from caxton_tui.widgets.tables.markable import Markable
from caxton_tui.widgets.tables.searchable import Searchable
from caxton_tui.widgets.tables.table import Table
from caxton_tui.widgets.typed_app import key_for, typed_app

WIDE: Final = 110
"""Columns from which on list and diagram stand side by side."""
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


class MainScreen(FilteringScreen):
    """Everything at once, one pane of it on screen."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    ESCAPE_TO_MINIMIZE = False

    def __init__(self, context: ViewContext, *, building: bool) -> None:
        super().__init__(context, PaneSwitcher([pane(context) for pane in PANES]))
        self.HORIZONTAL_BREAKPOINTS = [(0, "narrow"), (WIDE, "wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "low"), (TALL, "tall")]
        self._building = building
        self._painted = (-1, -1)
        self._throttle = PaintThrottle()
        self._topology = Topology()
        self._runner = ActionRunner(self, context, self._show_conversation)

    def compose(self) -> ComposeResult:
        """The places of the screen."""
        yield Banner(self.context.store, self.context.clock)
        yield TopLine(list(self.switcher.panes))
        yield self.switcher
        if self._building:
            yield BuildStrip(self.context.store)
        yield FilterInput(self.typed)
        yield StatusLine(self.context)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Begin to look."""
        self.switcher.focus_main()
        if self.context.kept.trouble:
            self.notify(self.context.kept.trouble, severity="warning", markup=False)
        self.set_interval(1 / FRAMES_S, self._frame)

    @property
    def pane(self) -> Pane:
        """The pane on screen."""
        return self.switcher.current

    # painting

    def _frame(self) -> None:
        """One tenth of a second is over."""
        if self._throttle.next(self.context.store.left_out):
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
        self.context.reader.show(self.pane.needs)
        self._where()
        if self._building:
            self.query_one(BuildStrip).flush()

    @on(Listing.Moved)
    @on(DescendantFocus)
    def moved(self) -> None:
        """The crumbs go with the cursor and the focus, and so does what is looked for."""
        self._throttle.on_input()
        self._where()

    def _where(self) -> None:
        self.query_one(TopLine).flush(self.pane.LABEL, self.pane.crumbs)
        status, wanted, listing = self.query_one(StatusLine), self.switcher.filter, self.pane.listing
        status.filtered = f"/{wanted}  {self.pane.passing}" if wanted else ""
        if isinstance(listing, Searchable) and listing.sought:
            status.filtered = listing.standing
        if isinstance(listing, Markable) and (marked := len(listing.marked)):
            status.filtered = f"✓ {marked:,} marked  {status.filtered}".rstrip()
        status.flush()

    def repaint(self) -> None:
        """Paint now, whatever is new."""
        self._throttle.on_input()
        self._painted = (-1, -1)
        self.flush()

    def on_resize(self) -> None:
        """What was painted was for another size."""
        self._painted = (-1, -1)

    # from pane to pane

    def action_screen(self, label: str) -> None:
        """Another pane."""
        if label != self.pane.LABEL:
            self.query_one(FilterInput).close()
        self.switcher.show(label)
        self.repaint()

    def action_last(self) -> None:
        """The pane before this one."""
        self.query_one(FilterInput).close()
        self.switcher.show_last()
        self.repaint()

    @on(Pane.Go)
    def go(self, event: Pane.Go) -> None:
        """A pane wants to show something on another one."""
        self.action_screen(event.label)
        if event.label == LogPane.LABEL and event.agent is not None:
            self.switcher.narrow(f"agent:{event.agent}")
        else:
            self.pane.open(conversation=event.conversation, agent=event.agent)
        self.repaint()

    def action_back(self) -> None:
        """One step back: the zoom, the filter's line, what is open in the pane, the filter, the pane before."""
        if self.maximized is not None:
            self.action_zoom()
        elif self.query_one(FilterInput).display:
            self.close_filter()
        elif isinstance(sought := self.pane.listing, Searchable) and sought.sought:
            sought.find("")
            self._where()
        elif isinstance(marked := self.pane.listing, Markable) and marked.marked:
            marked.unmark()
            self._where()
        elif self.pane.back():
            self.repaint()
        elif self.switcher.filter:
            self.narrow("")
        else:
            self.action_last()

    def _show_agent(self, name: str) -> None:
        self.go(Pane.Go("Agents", agent=name))

    def _show_conversation(self, id: str) -> None:
        self.go(Pane.Go("Conversations", conversation=id))

    @on(Table.Arrange)
    def choose_columns(self, event: Table.Arrange) -> None:
        """Columns of a list, and by which it is sorted."""
        typed_app(self).push_screen(ColumnsScreen(event.table))

    # what is done

    @on(Pane.Do)
    def do(self, event: Pane.Do) -> None:
        """Do it, after asking where it cannot be taken back."""
        self._runner.do(event.action)

    @on(Pane.Fill)
    def fill(self, event: Pane.Fill) -> None:
        """Have a form filled in, and do what it comes to."""
        self._runner.fill(event.form)

    def action_compose(self) -> None:
        """Write a new message."""
        self._runner.fill(message_form(self.context))

    def action_held(self) -> None:
        """What is held, and the break points."""
        typed_app(self).push_screen(HeldScreen(self.context, self._runner, self.switcher.filter))

    def action_letters(self) -> None:
        """What could not be handled."""
        typed_app(self).push_screen(DeadLettersScreen(self.context, self._runner))

    def action_links(self) -> None:
        """Who talks to whom; of one that is chosen the rows of the log."""

        def chosen(link: AgentLink | None) -> None:
            if link is not None:
                self.action_screen(LogPane.LABEL)
                self.narrow(f'from:"{link.sender}" to:"{link.receiver}"')

        typed_app(self).push_screen(LinksScreen(self.context, self._topology), chosen)

    def action_break(self) -> None:
        """Hold what passes the filter; without one, ask for it."""
        if self.switcher.filter:
            self._runner.do(add_break(self.switcher.filter))
        else:
            self.action_held()
            self.notify(f"no filter is set: {key_for(self, 'held.add')} asks for one", timeout=3)

    def action_task(self) -> None:
        """Run a whole protocol as its initiator."""
        self._runner.fill(TaskForm(self.context.store.agent_names))

    def action_edit(self) -> None:
        """Open the source of the agent at the cursor in the user's editor."""
        self._runner.edit(self.pane.agent)

    def action_retry(self) -> None:
        """Look at the daemon now, and through all conversations once more."""
        self.context.reader.search(self.pane.needs.search)
        self.context.reader.hurry()

    # what lies over the screen

    def action_copy(self) -> None:
        """Copy the row under the cursor."""
        text = self.pane.listing.copied
        if text:
            typed_app(self).copy_to_clipboard(text)
            first = text.split("\n", 1)[0]
            self.notify(f"copied: {first[:60]}{'…' if len(text) > 60 else ''}", timeout=3, markup=False)
        else:
            typed_app(self).bell()

    def action_select(self) -> None:
        """The list as plain text."""
        typed_app(self).push_screen(SelectTextScreen(self.pane.listing.plain))

    def action_zoom(self) -> None:
        """The box that has the focus over the whole screen, or as it was."""
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None:
            self.maximize(self.focused, container=False)
        # lists and lines are drawn for the room that there is now
        self.call_after_refresh(self.repaint)

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
        told = bindings_in_force(self.active_bindings.values())
        typed_app(self).push_screen(HelpScreen(self.pane.LABEL, self.pane.ABOUT, told))

    def action_palette(self) -> None:
        """Everything that can be done, by words."""

        def chosen(command: PaletteCommand | None) -> None:
            if command is not None:
                command.run()

        typed_app(self).push_screen(PaletteScreen(self.commands), chosen)

    @property
    def commands(self) -> Sequence[PaletteCommand]:
        """The palette's lines: what the pane offers, what the keys do, then all that has a name."""
        bound = by_key(self.active_bindings.values(), self.pane.names)
        named = by_name(self.context, self._show_agent, self._show_conversation)
        return [*self.pane.commands, *bound, *self.filter_commands(), *named]
