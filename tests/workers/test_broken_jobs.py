"""A web process and a worker beside a job file that cannot be imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.answers import problem
from tests.support.servers import Servers
from tests.support.system import System

pytestmark = pytest.mark.slow


def test_web_and_worker_name_the_file_and_do_everything_else(
    servers: Servers, other_redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "broken_thumbnails.py").write_text("import no_such_library")
    system = System(servers.create_database(), other_redis_url, tmp_path)
    settings = {"TEST_JOBS": str(tmp_path)}
    system.start_worker(**settings)
    try:
        with system.web(**settings) as system.url, system.guest() as user:
            types = user.get("jobs/types")
            refused = user.client.post("/api/v2/agent/start", json={"job_type": "broken_thumbnails"})
            done = user.finished(user.start("test_echo", text="all the same"))["task"]
            (web_log,) = tmp_path.glob("web-*.log")

            assert types["broken"] == [
                {
                    "file": "workers/jobs/broken_thumbnails.py",
                    "error": "ModuleNotFoundError: No module named 'no_such_library'",
                }
            ]
            assert {"artifact", "test_echo"} <= {job["job_type"] for job in types["job_types"]}
            problem(refused, 422, "job_type")
            assert (done["status"], done["result"]) == ("SUCCESS", {"text": "all the same"})
            for log in (web_log, tmp_path / "worker.log"):
                assert "workers/jobs/broken_thumbnails.py cannot be imported" in log.read_text(), log.name
    finally:
        system.stop()
