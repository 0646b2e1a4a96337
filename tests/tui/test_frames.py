"""A viewer that cannot show every row paints less often, and not when somebody does something."""

from __future__ import annotations

from caxton_tui.model.paint_throttle import FEW, FRAMES_S, PaintThrottle


def test_every_frame_is_painted_while_no_row_is_left_out() -> None:
    frames = PaintThrottle()
    assert all(frames.next(0) for _ in range(100))


def test_while_rows_are_left_out_few_are_and_after_a_second_without_all_again() -> None:
    frames = PaintThrottle()
    assert sum(frames.next(rows) for rows in range(1, 101)) == 100 // FEW
    last = [frames.next(100) for _ in range(3 * FRAMES_S)]
    assert all(last[FRAMES_S:])


def test_for_a_second_after_somebody_did_something_all_are() -> None:
    frames = PaintThrottle()
    for rows in range(1, 20):
        frames.next(rows)
    frames.on_input()
    painted = [frames.next(rows) for rows in range(20, 20 + 2 * FRAMES_S)]
    assert all(painted[:FRAMES_S])
    assert not all(painted[FRAMES_S:])
