"""What a guest may do and what happens when it does something else, on both call paths."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from caxton.limits import Limits
from caxton.sandbox import engines
from caxton.sandbox.cell.calls_public import PublicCalls
from caxton.sandbox.cell.instance import Instance
from caxton.sandbox.faults import GuestFault
from caxton.sandbox.modules import Revision
from caxton.turn_status import Status

from .texts import MAILBOX, guest

Make = Callable[..., Instance]

ENDS = {
    b"u": (Status.TRAP, "unreachable"),
    b"r": (Status.TRAP, "stack_overflow"),
    b"d": (Status.TRAP, "integer_division_by_zero"),
    b"o": (Status.TRAP, "memory_out_of_bounds"),
    b"s": (Status.LIMIT, "fuel"),
    b"L": (Status.BROKEN, "out_len"),
    b"P": (Status.BROKEN, "out_out_of_bounds"),
    b"C": (Status.BROKEN, "out_out_of_bounds"),
    b"I": (Status.BROKEN, "in_out_of_bounds"),
    b"m": (Status.LIMIT, "messages_out"),
    b"c": (Status.BROKEN, "count"),
    b"k": (Status.BROKEN, "count"),
    b"B": (Status.LIMIT, "output_bytes"),
}


@pytest.mark.parametrize(("message", "end"), ENDS.items(), ids=[key.decode() for key in ENDS])
def test_a_turn_that_goes_wrong_says_how(make: Make, message: bytes, end: tuple[Status, str]) -> None:
    instance = make(fuel=200_000, output_bytes=4_000, messages_out=64)
    with pytest.raises(GuestFault) as caught:
        instance.turn(message)
    assert (caught.value.status, caught.value.code) == end
    assert caught.value.fuel > 0
    assert len(caught.value.reason) <= 512


def test_a_call_that_does_not_return_is_charged_the_whole_budget(make: Make) -> None:
    for message in (b"s", b"u", b"o"):
        with pytest.raises(GuestFault) as caught:
            make(fuel=50_000).turn(message)
        assert caught.value.fuel == 50_000


def test_what_a_turn_says_comes_out_as_it_was_written(make: Make) -> None:
    instance = make()
    assert instance.turn(b"e")[:2] == (1, b'{"m":1}\n')
    assert instance.turn(b"z")[:2] == (0, b"")
    assert instance.turn(b"l")[:2] == (1, b'{"caxton":"log","message":"hi"}\n{"m":1}\n')
    assert instance.turn(b"2")[:2] == (2, b'{"m":1}\r\n\n {"m":2}')


def test_an_output_that_overlaps_the_mailbox_is_only_bytes(make: Make) -> None:
    count, output, _ = make().turn(b"M")
    assert (count, len(output), output[:4]) == (1, 32, b"CXA1")


def test_a_guests_error_keeps_the_instance_and_its_text_is_made_safe(make: Make) -> None:
    instance = make()
    with pytest.raises(GuestFault) as caught:
        instance.turn(b"n")
    assert (caught.value.status, caught.value.count) == (Status.GUEST_ERROR, 5)
    assert caught.value.reason == "bad  [2J news"
    assert instance.turn(b"e")[0] == 1


def test_the_same_message_costs_the_same_fuel(make: Make) -> None:
    first, second = make(), make()
    assert first.turn(b"e") == second.turn(b"e") == first.turn(b"e")


def test_a_message_longer_than_the_buffer_makes_the_guest_grow(make: Make) -> None:
    instance = make()
    before = instance.memory_bytes
    assert instance.turn(b"e" * 100_000)[0] == 1
    assert instance.measure() > before
    assert instance.turn(b"e" * 200_000)[0] == 1
    assert instance.turn(b"e")[0] == 1


def test_a_message_over_the_limit_is_not_run(make: Make) -> None:
    instance = make(message_bytes=500)
    with pytest.raises(GuestFault) as caught:
        instance.turn(b"+" * 501)
    assert (caught.value.status, caught.value.code) == (Status.UNHANDLED, "message_bytes")
    assert instance.snapshot() == b"\0\0\0\0"


def test_memory_ends_at_its_limit(make: Make) -> None:
    instance = make(memory_bytes=4 * 65_536)
    assert instance.turn(b"g")[0] == 1
    assert instance.measure() == 4 * 65_536
    with pytest.raises(GuestFault) as caught:
        instance.turn(b"e" * 100_000)
    assert (caught.value.status, caught.value.code) == (Status.GUEST_ERROR, "no_room")


def test_memory_may_grow_past_its_reservation_and_move(make: Make) -> None:
    instance = make(memory_bytes=20 * 1024 * 1024)
    assert instance.turn(b"g")[:2] == (1, b'{"m":1}\n')
    assert instance.measure() == 20 * 1024 * 1024
    assert instance.turn(b"e")[:2] == (1, b'{"m":1}\n')


def test_the_wall_limit_stops_a_guest_that_has_fuel(make: Make) -> None:
    instance = make(fuel=10**12, wall_ms=1)
    engines.tick(3)  # the deadline counts from the call on, so these do not matter
    stop = threading.Event()

    def ticker() -> None:
        while not stop.wait(0.005):
            engines.tick(1)

    thread = threading.Thread(target=ticker)
    thread.start()
    try:
        with pytest.raises(GuestFault) as caught:
            instance.turn(b"s")
    finally:
        stop.set()
        thread.join()
    assert (caught.value.status, caught.value.code) == (Status.LIMIT, "wall_time")


def test_state_is_carried_by_snapshot_and_restore(make: Make) -> None:
    first, second = make(), make()
    for _ in range(3):
        first.turn(b"+")
    second.restore(first.snapshot())
    assert second.turn(b"+")[1] == b'{"m":4}\n'
    with pytest.raises(GuestFault) as caught:
        second.restore(b"not four bytes")
    assert (caught.value.status, caught.value.code) == (Status.GUEST_ERROR, "restore_refused")


def test_init_may_refuse_the_settings(make: Make) -> None:
    instance = make()
    instance.init("a", {"price": 3})
    with pytest.raises(GuestFault) as caught:
        instance.init("a", [1])
    assert caught.value.code == "init_refused"


ASKS = MAILBOX.replace("\\00\\00\\00\\00", "\\10\\00\\00\\00", 1)
"""The flag by which a guest asks to be told of its life."""


@pytest.mark.parametrize(
    ("mailbox", "asks"),
    [(MAILBOX, False), (ASKS, False), (ASKS.replace("\\00\\00\\01", "\\01\\00\\01", 1), True)],
    ids=["1.0", "1.0 with the flag", "1.1 with the flag"],
)
def test_a_guest_asks_to_be_told_of_its_life_by_a_flag_of_abi_1_1(
    make: Make, mailbox: str, asks: bool
) -> None:
    assert ("life" in make(guest(mailbox=mailbox)).hooks) is asks


BAD_STARTS = {
    "magic": (guest(mailbox='"nope"'), "mailbox_magic"),
    "major": (guest(mailbox='"CXA1" "\\00\\00\\02\\00"'), "abi_version"),
    "newer minor": (guest(mailbox='"CXA1" "\\02\\00\\01\\00"'), "abi_version"),
    "misaligned": (guest(abi="(i32.const 18)"), "mailbox_misaligned"),
    "past the end": (guest(abi="(i32.const 65520)"), "mailbox_out_of_bounds"),
    "negative": (guest(abi="(i32.const -4)"), "mailbox_out_of_bounds"),
    "spins in abi": (guest(abi="(loop $l (br $l)) (i32.const 16)"), "fuel"),
    "traps in abi": (guest(abi="unreachable"), "unreachable"),
    "start spins": (guest(more="(start $s) (func $s (loop $l (br $l)))"), "fuel"),
    "start traps": (guest(more="(start $s) (func $s unreachable)"), "unreachable"),
    "memory too large": (guest(memory="300"), "memory"),
    "data past the end": (guest(more='(data (i32.const 65535) "xx")'), "memory_out_of_bounds"),
    "table too large": (guest(more="(table 30000 funcref)"), "memory"),
    "in buffer outside": (
        guest(mailbox=MAILBOX.replace("\\00\\04\\00\\00", "\\00\\00\\ff\\ff")),
        "in_out_of_bounds",
    ),
    "alloc lies": (guest(), None),
}


@pytest.mark.parametrize(("text", "code"), BAD_STARTS.values(), ids=BAD_STARTS)
def test_a_guest_that_cannot_start_says_why(make: Make, text: str, code: str | None) -> None:
    if code is None:
        assert make(text, fuel=200_000).turn(b"") == (0, b"", make(text).turn(b"")[2])
        return
    with pytest.raises(GuestFault) as caught:
        make(text, fuel=200_000)
    assert caught.value.code == code


@pytest.mark.parametrize("alloc", ["(i32.const 4096)", "(i32.const -1)", "(local.get 0)"])
def test_an_alloc_that_lies_is_found_out(make: Make, alloc: str) -> None:
    with pytest.raises(GuestFault) as caught:
        make(guest(alloc=alloc)).turn(b"x" * 5000)
    assert (caught.value.status, caught.value.code) == (Status.BROKEN, "alloc")


def test_a_name_of_the_guests_cannot_write_to_the_screen(make: Make) -> None:
    text = guest(handle="(call $x)", more='(func $x (@name "a\\1b[2J\\0d\\0ab") (result i32) unreachable)')
    with pytest.raises(GuestFault) as caught:
        make(text).turn(b"")
    assert caught.value.reason.isprintable()


@pytest.mark.parametrize("message", [b"e", b"u", b"L", b"c"], ids=bytes.decode)
def test_an_instance_that_is_closed_leaves_nothing_to_collect(
    tricks: Revision, calls: type[PublicCalls], message: bytes
) -> None:
    # a cell collects no cycles: what is in one stays until the cell ends
    def lives() -> None:
        instance = Instance(tricks, Limits(fuel=200_000, output_bytes=4_000), calls)
        # not by pytest.raises, which keeps what was raised
        with suppress(GuestFault):
            instance.turn(message)
        instance.close()

    many = 30
    lives()
    gc.collect()
    gc.disable()
    try:
        for _ in range(many):
            lives()
        # a few ctypes arrays' types are there once for each size
        assert gc.collect() < 2 * many
    finally:
        gc.enable()
