"""The first token of a session of another issuer is a sign-in, in the log and in the trail, however it comes."""

from __future__ import annotations

import json
import uuid

import pytest
import socketio

from tests.api import patient
from tests.support.issuer import Issuer
from tests.support.system import System

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("way", ["request", "websocket", "polling"])
def test_the_first_token_of_a_session_is_one_sign_in_with_its_address(system: System, way: str) -> None:
    issuer, who, session = Issuer(), uuid.uuid4().hex, uuid.uuid4().hex
    tokens = [issuer.token(sub=who, sid=session) for _ in range(2)]
    with system.web(TASKROOM_ISSUERS=json.dumps([issuer.settings()])) as url:
        if way != "request":
            client = socketio.Client(reconnection=False)
            client.connect(url, auth={"token": tokens[0]}, transports=[way], wait_timeout=60)
            client.disconnect()

        for token in tokens:
            asked = patient.get(f"{url}/api/v2/tasks", headers={"Authorization": f"Bearer {token}"})
            assert asked.status_code == 200

    ((user_id,),) = system.sql("SELECT id::text FROM users WHERE subject = %s", who)
    log = (system.home / f"web-{url.rpartition(':')[2]}.log").read_text()
    assert log.count(f"sign_in user={user_id} address=127.0.0.1 outcome=ok") == 1
    assert [token for token in tokens if token in log] == []
    entries = system.sql("SELECT action, address FROM trail WHERE user_id = %s", user_id)
    assert entries == [("sign_in", "127.0.0.1")]
