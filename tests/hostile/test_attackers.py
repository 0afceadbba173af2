"""What one hostile client sends costs the others nothing: no long turn of the loop, no event, and little memory.

The attackers are those of ``script/bench hostile``, each with an amount of work that is the same on every machine.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import NamedTuple

import httpx
import pytest

from bench.hostile.kinds import KINDS
from bench.hostile.target import CLOSED, REFUSED, SERVED
from bench.hostile.turns import Turns
from tests.hostile.conftest import PATIENCE, Memory, Scene
from tests.support.viewers import SocketViewer, SseViewer, Viewer

pytestmark = pytest.mark.alone

BATCHES, LINES = 20, 10
VIEWERS = 3  # on each wire
TRIES = 3  # an attacker that makes turns long does so each time; one on a slow machine came by chance
HASHING = "app.auth.passwords:verify"  # runs in threads of the system


class Attack(NamedTuple):
    """``rounds`` of each of its loops; there must be some of all ``answers``, and the process must grow by less than
    ``mb`` megabytes."""

    rounds: int
    answers: set[str]
    mb: int = 20


ATTACKS = {
    "fragments": Attack(2, {SERVED}),
    "pings": Attack(2, {SERVED}),
    "pipelining": Attack(1, {SERVED}),
    "dripping headers": Attack(3, {SERVED}),
    "huge JSON": Attack(5, {SERVED, REFUSED}, mb=50),
    "deep JSON": Attack(5, {SERVED, REFUSED, CLOSED}),
    "worker batches": Attack(7, {SERVED, REFUSED}, mb=50),
    "reported tasks": Attack(16, {SERVED, REFUSED}, mb=50),
    "compressed bodies": Attack(11, {SERVED, REFUSED}),
    "long headers": Attack(53, {SERVED, REFUSED}),  # each of them twice
    "many rooms": Attack(3, {SERVED}),
    "rejoins": Attack(2, {SERVED}, mb=50),  # the process keeps 16 MB of a log
    "own filters": Attack(3, {SERVED}, mb=50),
    "crowded ends": Attack(1, {SERVED}, mb=50),
    "wrong passwords": Attack(1, {REFUSED}, mb=50 + 2 * 67),  # and of two passwords that it checks
    "large lists": Attack(6, {SERVED}),
    "rare searches": Attack(3, {SERVED}),
    "slow downloads": Attack(4, {SERVED, REFUSED}),
    "bad handshakes": Attack(4, {REFUSED}),
    "half-open peers": Attack(1, {SERVED}),
}


def test_each_attacker_of_the_benchmark_is_tried() -> None:
    assert ATTACKS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", ATTACKS)
def test_a_hostile_client_costs_the_others_nothing(scene: Scene, kind: str) -> None:
    tries = [attacked(scene, kind)]
    while tries[-1].over and len(tries) < TRIES:
        tries.append(attacked(scene, kind))

    assert not tries[-1].over, [str(turns) for turns in tries]


def attacked(scene: Scene, kind: str) -> Turns:
    """The turns that computed for long while one attacker was at work. All else that it must not cost is asserted."""
    attack = ATTACKS[kind]
    run = scene.task()
    with ExitStack() as stack:
        viewers: list[Viewer] = []
        for _ in range(VIEWERS):
            viewers += SseViewer(scene.url, scene.viewer, run), SocketViewer(scene.url, scene.viewer, run)
        for viewer in viewers:
            stack.callback(viewer.close)
            viewer.open(0)
        turns, memory = scene.turns(), Memory(scene.pid)
        before = memory.now
        memory.begin()

        with scene.attack(kind, run, attack.rounds) as target:
            for number in range(1, BATCHES + 1):
                scene.write(run, LINES)
                for viewer in viewers:
                    viewer.wait_events(1 + number * LINES)

        assert httpx.get(f"{scene.url}/livez", timeout=PATIENCE).status_code == 200
        grown, long = memory.most - before, scene.turns().since(turns)
        scene.write(run, LINES)
        for viewer in viewers:
            viewer.wait_events(1 + (BATCHES + 1) * LINES)

    print(f"{kind}: grew by {grown / 1e6:.1f} MB, {dict(target.answers)}, {dict(target.statuses)}")
    assert all(target.answers[name] for name in attack.answers), target.answers
    assert HASHING not in {what for what, _ in long.over}, "blocked the loop"
    assert all(viewer.sequences == list(range(1, 2 + (BATCHES + 1) * LINES)) for viewer in viewers)
    assert grown < attack.mb * 1_000_000
    return long.those("computed")
