"""The demo run: the dashboard shows a real run at its first opening."""

from __future__ import annotations

import httpx

from app.up.errors import UpError


def start_demo_run(url: str, email: str, password: str) -> str:
    """Signs in, starts a ``knowledge_base`` run and returns the address of its page. Raises UpError."""
    try:
        with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
            answer = client.post("/api/v2/auth/login", json={"email": email, "password": password})
            answer.raise_for_status()
            answer = client.post(
                "/api/v2/agent/start",
                json={"job_type": "knowledge_base", "params": {}},
                headers={"Authorization": f"Bearer {answer.json()['access_token']}"},
            )
            answer.raise_for_status()
            return f"{url}/runs/{answer.json()['task_id']}"
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise UpError(
            f"the demo run could not be started ({error}); TASKROOM_DEMO_RUN=0 turns it off"
        ) from error
