"""A join is acknowledged before anything of its room comes: nobody sees events of a join that they know nothing of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.realtime.raw import RawSocket
from tests.support.system import System, User

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("more", [{"since_sequence": 0}, {}], ids=["missed", "present"])
def test_the_acknowledgement_comes_first(
    system: System, user: User, batch: bool, more: dict[str, Any]
) -> None:
    task_id = user.start("test_phases", count=5)
    user.finished(task_id)
    socket = RawSocket(system.url, user, batch=batch)

    socket.ws.send("420" + json.dumps(["join_task", {"task_id": task_id, **more}]))
    socket.read_until(lambda: socket.ended)

    socket.close()
    first, *others = socket.messages
    assert first["ok"] is True and first["task_id"] == task_id
    assert others and not any("ok" in message for message in others)
