"""A web process and a worker beside a job file that cannot be imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.answers import problem
from tests.support.servers import Servers
from tests.support.system import ROOT, System

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


WITHOUT = """
import json, sys
sys.modules["workers.jobs.artifact"] = None  # as if there were no such file, or none that can be imported
from tests.api.fakes import FakePostgres
from tests.api.small import small_app
from tests.api.test_access_log import ANN, EMAIL, SESSION
from app.auth import tokens
from workers.registry import broken, jobs

app = small_app(FakePostgres())
with app.app_context():
    token = tokens.new_access(ANN, EMAIL, "operator", None, SESSION)
client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
made = client.post("/ai/artifact/generate", json={"artifact_type": "quiz"}, headers=headers)
types = client.get("/api/v2/jobs/types", headers=headers)
named = [of["file"] for of in types.get_json()["broken"]]
print(json.dumps([client.get("/livez").status_code, made.status_code, named, list(jobs())]))
"""


def test_without_the_job_that_an_older_address_starts_everything_else_is_there(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT],
        cwd=ROOT,
        env=System("postgresql://x", "redis://x", tmp_path).environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    others = ["emit_load", "knowledge_base", "orchestrate"]
    assert json.loads(done.stdout) == [200, 404, ["workers/jobs/artifact.py"], others]
