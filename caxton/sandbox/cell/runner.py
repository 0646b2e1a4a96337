"""The run loop of a cell: frames in, turns, results out, on whichever thread holds the run queue.

One runner at a time reads the socket and runs turns, one after another, and sends results in batches.
Around each piece of work it puts a claim into a list and takes it out again. When the watcher (`watch`)
takes the claim first, the work has run too long: the watcher starts another runner, which goes on with the
queue at once, and the one left behind sends its own result and works off what came for its slots meanwhile.
The interpreter is free while a guest runs, so this needs no help from the guest. Taking from a list is one
step, so exactly one of the two gets the claim.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

from caxton.sandbox.cell.slots import Slots, refused, touched
from caxton.sandbox.cell.slow_lanes import Frame, Lane, Lanes
from caxton.sandbox.crash_record import CrashRecord
from caxton.sandbox.faults import GuestFault
from caxton.sandbox.frames import HEAD, LENGTH_CEILING, RESULT, Kind

READ_BYTES = 256 * 1024
FLUSH_NS = 700_000
"""A result waits this long at most while turns go on, in nanoseconds; about 150 turns of a small guest. Each write
wakes the daemon, which costs both sides something; a batch is also sent when it ends, so a quiet bus does not wait.
Between 0.3 and 2 ms no difference stood out of the machine's noise."""


class RunQueue:
    """What one runner hands to the next. Only the runner that `runner` names may use `batch` and `out`."""

    def __init__(self, stream: socket.socket, slots: Slots, box: CrashRecord) -> None:
        self.slots = slots
        self.box = box
        self.lanes = Lanes()
        self.batch: Iterator[Frame] = iter(())
        self.out: list[bytes] = []
        self.sending = threading.Lock()
        """Held while bytes go out; it also travels from the watcher to a new runner."""
        self.ended = threading.Event()
        self.wake = threading.Event()
        self.asleep = False
        """Whether the watcher sleeps until `wake`."""
        self.batches = 0
        self._stream = stream
        self._rest = b""
        self.runner = Runner(self)

    def start(self) -> None:
        """Start the first runner."""
        self.runner.start()

    def hand_on(self, to: Runner) -> None:
        """From now on that runner has the queue."""
        self.runner = to

    def sleeping(self, asleep: bool) -> None:
        """The watcher sleeps until `wake`, or no longer."""
        self.asleep = asleep

    def flush(self) -> None:
        """Send the results that are ready."""
        if self.out:
            data = b"".join(self.out)
            self.out.clear()
            self.send(data)

    def send(self, data: bytes) -> None:
        """Send bytes whole, apart from all others."""
        with self.sending:
            self._stream.sendall(data)

    def flush_inherited(self) -> None:
        """Send what the runner before had ready; this thread holds `sending` already and lets it go."""
        try:
            data = b"".join(self.out)
            self.out.clear()
            self._stream.sendall(data)
        finally:
            self.sending.release()

    def receive(self) -> bool:
        """Wait for frames; False when the daemon is gone."""
        data = self._stream.recv(READ_BYTES)
        if not data:
            return False
        # first count, then look whether the watcher sleeps: it does the two in the other order
        self.batches += 1
        if self.asleep:
            self.wake.set()
        if self._rest:
            data = self._rest + data
        frames: list[Frame] = []
        at, end, head = 0, len(data), HEAD.size
        unpack = HEAD.unpack_from
        while at + head <= end:
            kind, slot, length, seq = unpack(data, at)
            stop = at + head + length
            if stop > end:
                if length > LENGTH_CEILING:
                    return False
                data = self._read_on(data[at:], head + length)
                at, end = 0, len(data)
                if not data:
                    return False
                continue
            frames.append((kind, slot, seq, data[at + head : stop]))
            at = stop
        self._rest = data[at:]
        self.batch = iter(frames)
        return True

    def _read_on(self, begun: bytes, size: int) -> bytes:
        """The rest of a frame that is `size` bytes long, read without copying it again and again."""
        whole = bytearray(size)
        whole[: len(begun)] = begun
        have = len(begun)
        with memoryview(whole) as view:
            while have < size:
                got = self._stream.recv_into(view[have:])
                if not got:
                    return b""
                have += got
        return bytes(whole)


class Runner(threading.Thread):
    """One thread that holds the run queue until it ends or is left behind."""

    def __init__(self, queue: RunQueue, *, inherits: bool = False) -> None:
        super().__init__(name="runner", daemon=True)
        self.claims: list[Frame] = []
        """The work in hand, until it is done or the watcher takes it."""
        self.lane: Lane | None = None
        """Set with `left`: where frames for the late work's slots wait."""
        self.left = threading.Event()
        self._queue = queue
        self._inherits = inherits
        self._place = queue.box.free.popleft()

    def leave(self, lane: Lane) -> None:
        """The queue is another's, once this is done: frames for the late work's slots wait in that lane."""
        self.lane = lane

    def run(self) -> None:
        """Work until the daemon is gone, or until left behind."""
        queue = self._queue
        try:
            if self._inherits:
                queue.flush_inherited()
            late = self._turns()
            if late is None:
                queue.ended.set()
            else:
                self._catch_up(late)
        except OSError:
            # the daemon closed its end; nothing that this cell does matters any more
            queue.ended.set()
        queue.box.free.append(self._place)

    def _turns(self) -> bytes | None:
        """The loop. Returns None at the end of the stream, or the result of the work that was left behind."""
        queue, claims = self._queue, self.claims
        slots, lanes, out = queue.slots, queue.lanes, queue.out
        live = slots.live
        hands, place = queue.box.hands, self._place
        clock, pack = time.monotonic_ns, RESULT.pack
        turn_kind, meters_kind = int(Kind.TURN), int(Kind.METERS)
        while True:
            before = clock()
            wall = time.time_ns() - before
            flush_at = before + FLUSH_NS
            for frame in queue.batch:
                kind, slot, seq, payload = frame
                if lanes.count and lanes.defer(frame, touched(frame)):
                    continue
                instance = live.get(slot) if kind == turn_kind else None
                if kind == meters_kind:
                    # it looks at all slots, so it must not be left behind while another runner uses them
                    out.extend(slots.perform(frame, lanes.slots()))
                    continue
                claims.append(frame)
                if instance is None:
                    head, body = slots.perform(frame, lanes.slots())
                    now = clock()
                else:
                    status = 0
                    hands[place] = seq
                    try:
                        count, body, fuel = instance.turn(payload)
                    except GuestFault as fault:
                        slots.failed(slot, fault)
                        status, count, body, fuel = refused(kind, fault)
                    hands[place] = 0
                    now = clock()
                    head = pack(
                        kind,
                        status,
                        count,
                        slot,
                        len(body),
                        seq,
                        fuel,
                        (before + wall) // 1000,
                        (now - before) // 1000,
                    )
                try:
                    claims.pop()
                except IndexError:
                    return head + body
                out.append(head)
                out.append(body)
                before = now
                if now > flush_at:
                    queue.flush()
                    before = clock()
                    flush_at = before + FLUSH_NS
            queue.flush()
            if not queue.receive():
                return None

    def _catch_up(self, late: bytes) -> None:
        """After late work: send its result, then do what waited behind it."""
        queue = self._queue
        self.left.wait()
        lane = self.lane
        assert lane is not None, "the watcher gives a lane with the word that it took the claim"
        queue.send(late)
        while (item := queue.lanes.next(lane)) is not None:
            if isinstance(item, threading.Event):
                item.wait()
            else:
                if item[0] == Kind.TURN:
                    queue.box.hands[self._place] = item[2]
                head, body = queue.slots.perform(item, queue.lanes.slots())
                queue.box.hands[self._place] = 0
                queue.send(head + body)
