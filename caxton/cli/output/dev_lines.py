"""The development loop as lines that a person reads at a glance.

    12:04:31  counter  1a2b3c4d → 9f8e7d6c  build 74 ms  compile 51 ms  swap 0.4 ms  state carried
    12:04:58  counter  build failed  counter.c:12:5: error: expected ';'
                       9f8e7d6c keeps answering

In: events of `caxton.devloop`. Out: lines of text; nothing in them is obeyed by a terminal.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from caxton.cli.output.printing import paint, safe, span
from caxton.cli.output.replayed_turns import turn_lines
from caxton.devloop import events as ev
from caxton.presentation.replays import asking_line, cost, totals_line
from caxton.schemas.deployments import GateBody

SHORT = 8
"""Letters of a revision that are shown."""
MOST_WORDS = 40
"""Lines of a builder's output that `--verbose` prints."""


class Lines:
    """Makes lines of events; remembers how long the agents' names are, so that they stand in a column."""

    def __init__(self, *, colour: bool, verbose: bool = False, ends: str = "Ctrl-C", keys: str = "") -> None:
        """`ends`: the key that ends the loop here; `keys`: keys for a build that waits, else commands stand there."""
        self._keys = keys
        self._colour = colour
        self._ends = ends
        self._verbose = verbose
        self._room = 0
        self._waiting: dict[str, None] = {}
        """Agents whose build waits, the one that a key decides last."""

    def of(self, event: ev.Event) -> list[str]:
        """The lines of one event; none for what only programs want to know."""
        texts = [*self._texts(event), *self._next(event)]
        if not texts:
            return []
        return [self._stamped(event.at_us, texts[0]), *(f"{'':<8}  {text}" for text in texts[1:])]

    def goes_on(self, event: ev.BuildStarted, seconds: int) -> str:
        """That a build goes on, and for how long by now."""
        return self._stamped(
            event.at_us + seconds * 1_000_000, self._building(event, f", {seconds} s so far")
        )

    def prepares(self, event: ev.Preparing) -> str:
        """How far that is which is made once for this machine."""
        return self._stamped(event.at_us, self._row(event.agents, self._dim(safe(event.what))))

    def _texts(self, event: ev.Event) -> Iterator[str]:
        match event:
            case ev.Began():
                self._widen(event.agents)
                names = ", ".join(safe(name) for name in event.agents[:6]) or "no agents yet"
                more = f" and {len(event.agents) - 6} more" if len(event.agents) > 6 else ""
                yield f"{self._paint(safe(event.project), 'bold')}  {names}{more}"
                if event.implied:
                    yield self._dim("no caxton.toml here: this one agent's project is made in .caxton/")
            case ev.DaemonUp():
                yield self._dim("daemon started" if event.started else "the daemon runs already")
            case ev.Watching():
                yield self._dim(f"watching for saves; {self._ends} ends")
            case ev.Preparing() if event.begins:
                yield self._row(event.agents, self._dim(safe(event.what)))
            case ev.BuildStarted() if self._verbose or event.builder == "command":
                # a command of one's own may take long, and silence would look like a save that was missed
                yield self._building(event)
            case ev.Built() if self._verbose and event.output.strip():
                yield self._row(event.agents, "built, and the builder said")
                yield from self._words(event.output)
            case ev.BuildFailed():
                yield from self._build_failed(event)
            case ev.Running():
                parts = [f"{self._revision(event.revision)} {self._paint('running', 'green')}"]
                yield self._row([event.agent], *parts, *_build(event.build_ms))
            case ev.Deployed():
                yield self._deployed(event)
                if event.gate is not None and event.gate.totals.turns:
                    yield from self._tried(event.gate)
            case ev.AwaitingDecision():
                yield from self._held(event)
            case ev.Kept():
                what = f"{self._revision(event.revision)} {safe(event.reason)}"
                yield self._row([event.agent], self._paint("not taken", "bold yellow"), what)
                yield from self._below(event.hint, {event.agent: event.keeps})
            case ev.Dropped():
                yield self._row([event.agent], f"{self._revision(event.revision)} dropped")
                yield from self._below(None, {event.agent: event.keeps})
            case ev.DeployedElsewhere():
                yield self._row([event.agent], *self._elsewhere(event))
            case ev.DeployFailed():
                what = f"{self._paint('not taken', 'bold red')}  {self._revision(event.revision)}  {safe(event.reason)}"
                yield self._row([event.agent], what)
                yield from self._below(event.hint, {event.agent: event.keeps})
            case ev.Unchanged():
                yield self._row(
                    [event.agent],
                    f"{self._revision(event.revision)} unchanged, nothing swapped",
                    *_build(event.build_ms),
                )
            case ev.ConfigurationFailed():
                yield f"{self._paint('configuration', 'bold red')}  {safe(event.reason)}"
                yield self._dim(
                    f"{safe(event.hint)}; what was in force stays"
                    if event.hint
                    else "what was in force stays"
                )
            case ev.ConfigurationRead():
                yield from self._configuration(event)
            case ev.DaemonGone():
                yield f"{self._paint('no daemon', 'bold red')}  {safe(event.reason)}"
                if event.hint:
                    yield self._dim(safe(event.hint))
            case _:
                pass

    def _next(self, event: ev.Event) -> Iterator[str]:
        """After a decision, whose build a key decides now, where another one waits."""
        match event:
            case ev.AwaitingDecision():
                self._waiting.pop(event.agent, None)
                self._waiting[event.agent] = None
            case ev.Deployed() | ev.DeployFailed() | ev.Unchanged() | ev.Dropped() if (
                event.agent in self._waiting
            ):
                del self._waiting[event.agent]
                if self._waiting and self._keys:
                    name = safe(list(self._waiting)[-1])
                    yield f"{' ' * (self._room + 2)}{self._dim(f'{name} waits too: a accept, d difference, x drop')}"
            case _:
                pass

    def _build_failed(self, event: ev.BuildFailed) -> Iterator[str]:
        yield self._row(event.agents, f"{self._paint('build failed', 'bold red')}  {safe(event.error)}")
        if self._verbose:
            yield from self._words(event.output)
        yield from self._below(event.hint, event.keeps)

    def _below(self, hint: str | None, keeps: dict[str, str | None]) -> Iterator[str]:
        """What to do, and what goes on."""
        indent = " " * (self._room + 2)
        if hint:
            yield f"{indent}{self._paint('hint:', 'bold cyan')} {safe(hint)}"
        for revision in dict.fromkeys(keeps.values()):
            if revision:
                yield f"{indent}{self._revision(revision)} {self._dim('keeps answering')}"

    def _deployed(self, event: ev.Deployed) -> str:
        new = self._revision(event.revision)
        if event.settings_changed:
            parts = [f"{new} other settings"]
        elif event.previous is None:
            parts = [f"{self._dim('new')} → {new}"]
        else:
            parts = [f"{self._dim(event.previous[:SHORT])} → {new}"]
        parts += _build(event.build_ms)
        if event.build_ms is not None:
            parts.append("compiled before" if event.cached else f"compile {span(event.compile_ms / 1000)}")
        if event.state is not None:
            parts.append(f"swap {span(event.pause_ms / 1000)}")
            why = f" ({safe(event.state_reason)})" if event.state_reason else ""
            carried = event.state in ("carried", "rebuilt")
            parts.append(self._paint(f"state {safe(event.state)}{why}", "green" if carried else "yellow"))
        return self._row([event.agent], *parts)

    def _elsewhere(self, event: ev.DeployedElsewhere) -> Iterator[str]:
        """How a deployment that was made elsewhere ended."""
        name = f"{safe(event.strategy)} {safe(event.deployment)}"
        if event.state == "rolled_back":
            yield f"{self._revision(event.revision)} taken back: {safe(event.reason)}"
            if event.keeps:
                yield f"{self._revision(event.keeps)} {self._dim('keeps answering')}"
        else:
            old = self._dim((event.previous or "new")[:SHORT])
            yield f"{old} → {self._revision(event.revision)}"
        yield self._dim(
            f"elsewhere: {name}, undoes {safe(event.undoes)}" if event.undoes else f"elsewhere: {name}"
        )

    def _tried(self, gate: GateBody) -> Iterator[str]:
        """What the conversations were answered, in a line, and which ones ask anew."""
        indent = " " * (self._room + 2)
        late = "" if not gate.timed_out else f"  {self._dim('the time was over')}"
        yield f"{indent}{self._dim('replay')}  {totals_line(gate.totals)}{late}"
        if gate.asking:
            yield indent + asking_line(gate)

    def _held(self, event: ev.AwaitingDecision) -> Iterator[str]:
        what = (
            f"{self._paint('stopped', 'bold yellow')}  {self._revision(event.revision)}  {safe(event.reason)}"
        )
        yield self._row([event.agent], what, *_build(event.build_ms))
        yield from self._tried(event.gate)
        yield from self._below(None, {event.agent: event.keeps})
        keys = self._keys or f"caxton deploy promote|abort {safe(event.agent)}"
        totals = event.gate.totals
        if totals.asks > totals.live:
            live = "l ask live" if self._keys else f"caxton deploy ask-live {safe(event.agent)}"
            most = cost(totals.tokens, totals.money)
            keys += f", {live} (at most {most})" if most else f", {live}"
        yield f"{' ' * (self._room + 2)}{self._dim(keys)}"

    def differences(self, event: ev.AwaitingDecision) -> Iterator[str]:
        """What differs in a build that waits."""
        for turn in event.gate.turns:
            yield f"  {safe(turn.conversation_id)}"
            yield from (f"    {line}" for line in turn_lines(turn, colour=self._colour))

    def _configuration(self, event: ev.ConfigurationRead) -> Iterator[str]:
        self._widen(event.added)
        said: list[str] = []
        if event.added:
            said.append(f"new: {', '.join(safe(name) for name in event.added)}")
        if event.changed:
            said.append(f"changed: {', '.join(safe(name) for name in event.changed)}")
        if event.removed:
            said.append(f"gone: {', '.join(safe(name) for name in event.removed)}")
        yield f"configuration read  {'  '.join(said) or 'no agent is concerned'}"
        for name in event.removed:
            yield self._dim(
                f"{safe(name)} is no longer in it and is stopped; to forget it: caxton agent remove {safe(name)}"
            )
        if event.later:
            yield self._dim(f"at the daemon's next start: {', '.join(event.later)}")

    def _words(self, output: str) -> Iterator[str]:
        lines = output.rstrip().splitlines()
        yield from (f"  {self._paint('│', 'dim')} {safe(line)}" for line in lines[:MOST_WORDS])
        if len(lines) > MOST_WORDS:
            yield f"  {self._dim(f'│ … {len(lines) - MOST_WORDS:,} lines more')}"

    def _building(self, event: ev.BuildStarted, lasts: str = "") -> str:
        return self._row(event.agents, self._dim(f"building {safe(event.source)} ({event.builder}){lasts}"))

    def _stamped(self, at_us: int, text: str) -> str:
        stamp = time.strftime("%H:%M:%S", time.localtime(at_us / 1e6))
        return f"{self._paint(stamp, 'dim')}  {text}"

    def _row(self, agents: list[str], *parts: str) -> str:
        name = ", ".join(agents[:3]) + (f" and {len(agents) - 3} more" if len(agents) > 3 else "")
        return "  ".join([self._paint(f"{safe(name):<{self._room}}", "bold"), *parts])

    def _widen(self, names: list[str]) -> None:
        self._room = min(max([self._room, *map(len, names)]), 24)

    def _revision(self, revision: str) -> str:
        return self._paint(revision[:SHORT], "cyan")

    def _dim(self, text: str) -> str:
        return self._paint(text, "dim")

    def _paint(self, text: str, style: str) -> str:
        return paint(text, style, self._colour)


def _build(build_ms: float | None) -> list[str]:
    return [] if build_ms is None else [f"build {span(build_ms / 1000)}"]
