"""Calls that wait: `async def handle(message)`, whose coroutine lives between turns.

A *call* is the coroutine of one message, from that message to its end. What runs of it in one turn is a *step*: it
begins with a message (the call's own, an answer, a beat of `timer`) and ends where everything in the call waits again,
or with the call. A call waits only for what it asked itself; there is no event loop and no clock.

A coroutine cannot be written down. So the messages of its steps are, with the state that each of them saw, as long as
the call is open; a restored agent is told them once more (`again`), says nothing, and stands where it stood. A build
that then asks otherwise is refused: what it asked was never sent, so it would wait for ever.

    message ─▶ handle ─▶ step … ask ─▶ (turns of others) ─▶ answer ─▶ step … end

Everything is held strongly until its end, and coroutines are ended by `throw`, never by the collector.
"""

# mypy: ignore-errors
# pyright: basic
# ruff: noqa: BLE001

import heapq
import sys
import types
from typing import Any

from caxton_numbers import thaw
from caxton_past import Feed, History, back_to, marshalled
from caxton_turn import Turn, record, say
from caxton_waits import TIMED, Call, Calls, Cancelled, Failed, Json, Task, Timeout, Wait

OPEN_MOST = 1_000
STEPS_MOST = 1_000
"""How often one call may wait."""
STEPS_OPEN_MOST = 20_000
"""Steps of all open calls together: they are in every snapshot, and run again after it."""
LATE_US = 60_000_000
"""So long after its time a wait ends with whatever message comes, in case its beat was lost."""
LATE_MOST = 4
"""Waits that one message ends so, at most."""
LATE = "late "
CANCELLED_LINES = 32
"""Lines after which one `cancel` of the operator cancels no more calls: a turn may say only so much."""
ONTOLOGY = "caxton-calls"
PLATFORM = frozenset({"ams", "df", "timer", "topics"})

Outcome = tuple[Any, BaseException | None]


def begin(name: str, space: Json) -> None:
    """The agent's source has run there: it is called that, `local@platform`."""
    Calls.of(name, space)
    sys.set_asyncgen_hooks(firstiter=_no_generators)


def take(text: str) -> None:
    """Handle one message: it goes to the call that waits for it, else to `handle`."""
    message = Calls.hear(text)
    if Turn.to:
        Turn.replies({})
    # most messages are for no call, and are seen to be at once
    if not (Calls.open or Calls.prefix in text or ONTOLOGY in text) or not _deliver(message):
        said = Calls.meet(message)
        if type(said) is types.CoroutineType:
            _first_step(said, message)
        elif said is not None:
            raise TypeError(f"handle returned {type(said).__name__}; say it with reply(…) or send(…)")
    if Calls.times:
        _end_late()


def _end_late() -> None:
    """End waits whose time was over long ago: their beats were lost."""
    for _ in range(LATE_MOST):
        if not Calls.times or Calls.times[0][0] + LATE_US >= Calls.at_us:
            break
        _, key = heapq.heappop(Calls.times)
        wait = Calls.waits.get(key)
        if wait is not None:
            _step(wait, _timed(wait), f"{LATE}{key}")


def _deliver(message: Json) -> bool:
    """Whether the message is for a call that waits, or was once."""
    sender, act = message.get("sender", ""), message.get("performative")
    if message.get("ontology") == ONTOLOGY and _above(sender):
        return _managed(message)
    if act == "cancel" and _cancelled(message):
        return True
    about = message.get("in_reply_to") or ""
    if about.startswith(Calls.prefix):
        if about in Calls.waits and not _may_answer(about, sender):
            return False
    else:
        # some do not say what they answer
        place = message.get("conversation_id") or ""
        if not place.startswith(Calls.prefix) or sender == Calls.me:
            return False
        found = [
            key for key, one in Calls.waits.items() if one.conversation == place and _may_answer(key, sender)
        ]
        if not found:
            return False
        about = found[-1]
    wait = Calls.waits.get(about)
    if wait is not None and act != "agree":
        # else it is too late, or nothing to go on with
        _step(wait, _answer(wait, message, about), about)
    return True


def _answer(wait: Wait, message: Json, about: str) -> Outcome:
    """What a message is to what waits for it: a value or an error."""
    if message["performative"] in ("failure", "refuse", "not-understood"):
        return None, Failed(message)
    return _timed(wait) if about.endswith(TIMED) else (message, None)


def _timed(wait: Wait) -> Outcome:
    if wait.act == "sleep":
        return None, None
    return None, Timeout(f"{wait.to.partition('@')[0]} did not answer in time")


def _may_answer(about: str, sender: str) -> bool:
    asked = f"timer@{Calls.platform}" if about.endswith(TIMED) else Calls.waits[about].to
    return sender in (asked, f"ams@{Calls.platform}")


def _above(sender: str) -> bool:
    """Whether that is the operator, or the platform."""
    local, _, platform = sender.partition("@")
    return platform == Calls.platform and (local in ("ams", "operator") or local.startswith("operator."))


# ---------------------------------------------------------------------- steps


def _first_step(coroutine: Any, message: Json) -> None:
    """Begin a call. Where it fails at once, its turn does."""
    if len(Calls.open) >= OPEN_MOST or Calls.steps_open >= STEPS_OPEN_MOST:
        Calls.kept.append(coroutine)
        raise RuntimeError(
            f"{len(Calls.open):,} calls are open, with {Calls.steps_open:,} steps; an agent may have {OPEN_MOST:,}, "
            f"with {STEPS_OPEN_MOST:,}"
        )
    before = marshalled()
    call = Call(message)
    call.root = Task(coroutine, call)
    _run()
    error = call.root.error
    if call.root.done:
        _close(call)
        if error is not None:
            raise error
        return
    Calls.open[message["id"]] = call
    _log(call, before, "")


def _step(wait: Wait, outcome: Outcome, cause: str) -> None:
    """Go on with a call. Whoever answered is not to blame where it fails: who began it is told."""
    call, before, mark = wait.call, marshalled(), len(Turn.lines)
    Calls.called_off.clear()
    Turn.replies(call.begun_by())
    if len(call.steps) >= STEPS_MOST or Calls.steps_open >= STEPS_OPEN_MOST:
        why = f"a call may wait {STEPS_MOST:,} times; let timer wake the agent instead"
        _fail(call, RuntimeError(why), before, mark)
        return
    wait.end(*outcome)
    _run()
    assert call.root is not None
    if not call.root.done:
        _log(call, before, cause)
    elif call.root.error is not None:
        _fail(call, call.root.error, before, mark)
    else:
        _close(call)


def _run() -> None:
    """Let everything go on that can, one after another, first in, first out."""
    while Calls.ready:
        task, error = Calls.ready.popleft()
        if task.done:
            continue
        call = task.call
        task.waits_for(None)
        Calls.go_on(call)
        try:
            wait = task.coroutine.send(None) if error is None else task.coroutine.throw(error)
        except StopIteration as stop:
            task.end(stop.value, None)
        except BaseException as wrong:
            task.end(None, wrong)
        else:
            if type(wait) is not Wait or wait.call is not call or wait.task is not None:
                what = (
                    "a call awaits what it asks itself by ask, sleep, gather or conversation, each thing once"
                )
                Calls.ready.appendleft((task, TypeError(what)))
            elif wait.done:
                Calls.ready.append((task, None))
            else:
                task.waits_for(wait)
    Calls.go_on(None)


def _fail(call: Call, error: BaseException, before: bytes, mark: int) -> None:
    """A step has failed: nothing of it counts but that the call is over, and whoever began it is told."""
    _close(call)
    Turn.take_back(mark)
    back_to(before)
    for timer in call.armed_before(Calls.called_off[:]):
        Calls.call_off(timer)
    reason = Calls.explain(error)
    tell_failure(call, reason, "guest_error")
    Feed.end(reason)


def tell_failure(call: Call, reason: str, code: str) -> None:
    """Tell whoever began a call that it will not be answered."""
    fields = call.begun_by()
    name = str(call.message.get("sender", "")).partition("@")[0]
    Turn.logs.append(record("error", f"the call of message {call.message['id']} has failed: {reason}"))
    if name not in PLATFORM:
        say("failure", {"error": code, "reason": reason, "message_id": call.message["id"]}, fields)


def _close(call: Call) -> None:
    """A call is over: what is left of it ends, and nothing waits for anything of it."""
    Calls.go_on(call)
    for task in reversed(call.tasks[:]):
        task.cancel()
    Calls.go_on(None)
    Calls.ready.clear()
    if Calls.ended(call):
        History.forget()


def _log(call: Call, before: bytes, cause: str) -> None:
    """Write a step down, with the state that it saw."""
    number = Calls.stepped(Feed.number)
    if not Feed.number:
        first = next(iter(Calls.open.values())).steps
        History.note(number, thaw(before), first[0][0] if first else number)
    call.steps.append([number, Calls.text, cause, len(call.asked)])
    # what a call has taken out of the state is a copy from here on, in this instance as in a restored one
    back_to(marshalled())


# ---------------------------------------------------------------------- ends from outside


def _cancelled(message: Json) -> bool:
    """A `cancel` of whoever began a call, in its conversation: the call ends, and the cancel is answered."""
    for call in list(Calls.open.values()):
        asked = call.message
        if (
            asked.get("conversation_id") == message.get("conversation_id")
            and asked["sender"] == message["sender"]
        ):
            _cancel(call)
            answer = {"in_reply_to": message.get("reply_with")} if message.get("reply_with") else {}
            say("inform", {"cancelled": True}, {**call.begun_by(), **answer})
            return True
    return False


def _cancel(call: Call) -> None:
    """Throw Cancelled into a call until it ends; its `finally` may send, but not wait."""
    before, mark = marshalled(), len(Turn.lines)
    Turn.replies(call.begun_by())
    assert call.root is not None
    root = call.root
    Calls.go_on(call)
    root.cancel()
    error = root.error
    _close(call)
    if error is not None and not isinstance(error, Cancelled):
        Turn.take_back(mark)
        back_to(before)
        Turn.logs.append(record("error", Calls.explain(error)))


def _managed(message: Json) -> bool:
    """What the operator and the platform want of calls: `query-ref`, `cancel`; or that a step has cost the instance."""
    act = message["performative"]
    if act == "failure":
        found = (message.get("in_reply_to") or "").rpartition("~")[2].partition(".")[0]
        call, content = Calls.open.get(found), message.get("content") or {}
        if call is not None:
            # it would do the same again: nothing of it runs any more
            Calls.kept.append([task.coroutine for task in call.tasks])
            call.tasks.clear()
            _close(call)
            tell_failure(call, str(content.get("reason")), str(content.get("error")))
        return True
    if act == "cancel":
        cancelled = 0
        for call in list(Calls.open.values()):
            if len(Turn.lines) >= CANCELLED_LINES:
                break
            _cancel(call)
            tell_failure(call, "it was cancelled by the operator", "cancelled")
            cancelled += 1
        Turn.replies({})
        say("inform", {"cancelled": cancelled, "open": len(Calls.open)}, {})
        return True
    if act == "query-ref":
        listed = [
            {"message_id": call.message["id"], "from": call.message["sender"], "asked": call.asked[-10:]}
            for call in list(Calls.open.values())[:100]
        ]
        say("inform", {"open": len(Calls.open), "calls": listed}, {})
        return True
    return False


def tell(text: str) -> None:
    """One step once more, with the state that it saw then; what it says was said.

    RuntimeError where the build asks otherwise than it was asked then.
    """
    _, _, cause, many, name, asked = Feed.next()
    message = Calls.hear(text)
    Turn.replies({})
    try:
        if cause:
            key = cause.removeprefix(LATE)
            wait = Calls.waits.get(key)
            if wait is not None and wait.call is Calls.open.get(name):
                _step(wait, _timed(wait) if cause != key else _answer(wait, message, key), cause)
            else:
                many = -1
        else:
            said = Calls.meet(message)
            if type(said) is types.CoroutineType:
                _first_step(said, message)
    except Exception as error:
        Feed.end(Calls.explain(error))
    finally:
        Feed.told()
    call = Calls.open.get(name)
    if many < 0 or call is None or call.asked != asked[:many]:
        does = (
            f"asks {_spelt(call.asked)}" if call is not None else f"ends it: {Feed.why or 'it has returned'}"
        )
        raise RuntimeError(
            f"a call waits, of message {name}, that has asked {_spelt(asked)}; this build {does}"
        )


def _spelt(asked: list[list[str]]) -> str:
    return ", ".join(f"{act} of {to}" for act, to in asked) or "nothing"


def _no_generators(_: object) -> None:
    raise RuntimeError("an agent has no async generators: they would end at a time that nothing says")
