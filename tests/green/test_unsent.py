"""Answers that wait to be taken: of one user and of a process there are only so many bytes."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from app.green.unsent import Unsent
from tests.support.system import wait_for


def held(unsent: Unsent, stack: ExitStack, cut: list[str], key: str, size: int) -> None:
    name = f"{key} {size}"
    stack.enter_context(unsent.held(key, size, lambda: cut.append(name)))


def test_who_has_more_than_a_share_waits_until_it_is_taken_and_nobody_else_does() -> None:
    unsent, served = Unsent(of_one=10), list[str]()
    waiting = threading.Thread(target=lambda: (unsent.wait("slow"), served.append("slow")))
    with ExitStack() as stack:
        held(unsent, stack, [], "slow", 6)
        held(unsent, stack, [], "slow", 5)
        waiting.start()
        wait_for("it waits", lambda: "slow" in unsent._waiting)

        unsent.wait("other")

        assert served == []
    waiting.join(60)
    assert served == ["slow"]
    assert (unsent.bytes, unsent._held, unsent._bytes, unsent._waiting) == (0, {}, {}, {})


def test_over_all_that_a_process_may_hold_the_oldest_of_who_has_most_are_cut() -> None:
    unsent, cut = Unsent(in_all=20), list[str]()
    with ExitStack() as stack:
        held(unsent, stack, cut, "one", 7)
        for size in (3, 4, 5):
            held(unsent, stack, cut, "most", size)
        assert cut == []

        held(unsent, stack, cut, "two", 6)

        assert cut == ["most 3", "most 4"]
        assert unsent.bytes == 18
    assert unsent.bytes == 0
