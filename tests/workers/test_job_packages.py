"""Jobs in a package outside of the checkout: a worker has their code, a web process what the worker has declared."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.answers import problem
from tests.support.system import ROOT, System, User, wait_for

pytestmark = pytest.mark.slow

START = "/api/v2/agent/start"
MISSING = "ModuleNotFoundError: No module named 'no_such_library'"
RESIZE = '''
from marshmallow import Schema, ValidationError, fields, validate, validates
from workers.progress import job, phase

class Params(Schema):
    folder = fields.String(required=True, validate=validate.Length(1, 20))
    width = fields.Integer(load_default=10, strict=True, validate=validate.Range(1, 100))

    @validates("folder")
    def _there(self, value, data_key):
        if value == "absent":
            raise ValidationError("There is no such folder.")

@job("shop_resize", params=Params, phases={"scan": 1})
def resize(folder, width):
    """Resizes the pictures of a shop."""
    with phase("scan"):
        return {"folder": folder, "width": width}
'''


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "shop" / "jobs").mkdir(parents=True)
    (folder / "shop" / "jobs" / "resize.py").write_text(RESIZE)
    (folder / "shop" / "jobs" / "broken.py").write_text("import no_such_library")
    return folder


@pytest.fixture(scope="module")
def shop(new_system: Callable[[str], System]) -> Iterator[System]:
    """A web process before the first worker of its database."""
    system = new_system("shop")
    system.sql("DELETE FROM job_packages")
    with system.running(workers=0):
        yield system


@pytest.fixture(scope="module")
def answers_before(shop: System) -> tuple[object, dict[str, list[str]]]:
    """What ``jobs/types`` and a start said before the first worker."""
    with shop.guest() as user:
        refused = problem(user.client.post(START, json={"job_type": "shop_resize"}), 422, "job_type")
        return user.get("jobs/types"), refused["errors"]


@pytest.fixture(scope="module")
def worked(shop: System, packages: Path, answers_before: object) -> System:
    """With a worker as it is deployed."""
    start_worker(shop, packages)
    wait_for("a worker", lambda: shop.sql("SELECT 1 FROM job_packages WHERE package = 'shop.jobs'"))
    return shop


def start_worker(shop: System, packages: Path) -> None:
    settings = {"TASKROOM_BENCH": "0", "TASKROOM_JOBS": "workers.jobs,shop.jobs,shop.none"}
    shop.start_worker(PYTHONPATH=str(packages), **settings)


@pytest.fixture
def without_worker(worked: System, packages: Path) -> Iterator[None]:
    """The worker has ended; other tests find one again."""
    (worker,) = (process for process in worked.processes if "celery" in process.args)  # type: ignore[operator]
    worked._end(worker)
    yield
    start_worker(worked, packages)


@pytest.fixture
def user(worked: System) -> Iterator[User]:
    with worked.guest() as user:
        yield user


def test_before_the_first_worker_there_are_no_types_and_a_start_says_why(
    answers_before: tuple[object, dict[str, list[str]]],
) -> None:
    types, errors = answers_before

    assert types == {"job_types": [], "broken": []}
    assert errors == {"job_type": ["There are no job types: no worker has started yet."]}


def test_a_job_of_the_package_runs_and_its_defaults_are_seen(user: User) -> None:
    done = user.finished(user.start("shop_resize", folder="x"))

    assert (done["task"]["status"], done["task"]["params"]) == ("SUCCESS", {"folder": "x", "width": 10})
    assert done["task"]["result"] == {"folder": "x", "width": 10}
    (phase,) = done["task"]["plan"]
    assert (phase["phase_id"], phase["weight"], phase["seconds"]) == ("scan", 1, None)


def test_it_is_listed_with_what_a_form_needs_and_what_is_broken_is_named(worked: System, user: User) -> None:
    found = user.get("jobs/types")

    types = {job["job_type"]: job for job in found["job_types"]}
    assert list(types) == ["artifact", "knowledge_base", "orchestrate", "shop_resize"], "none for benchmarks"
    assert types["shop_resize"]["description"] == "Resizes the pictures of a shop."
    assert types["shop_resize"]["params"]["required"] == ["folder"]
    assert found["broken"] == [
        {"file": "shop.none", "error": "ModuleNotFoundError: No module named 'shop.none'"},
        {"file": "shop/jobs/broken.py", "error": MISSING},
    ]
    assert "shop/jobs/broken.py cannot be imported" in (worked.home / "worker.log").read_text()


@pytest.mark.parametrize(
    ("params", "errors"),
    [
        ({}, {"params.folder": ["Missing data for required field."]}),
        ({"folder": "x", "color": 1}, {"params.color": ["Unknown field."]}),
        ({"folder": 1, "width": 0}, {"params.folder": ["Not a valid string."],
                                     "params.width": ["Must be greater than or equal to 1."]}),
        ({"folder": "x" * 21}, {"params.folder": ["Longer than maximum length 20."]}),
    ],
)  # fmt: skip
def test_what_the_schema_refuses_is_named_at_the_start(
    user: User, params: dict[str, object], errors: dict[str, list[str]]
) -> None:
    answer = user.client.post(START, json={"job_type": "shop_resize", "params": params})

    assert problem(answer, 422)["errors"] == errors
    assert user.get("tasks")["tasks"] == []


def test_what_only_the_job_can_refuse_fails_the_attempt_and_names_the_field(user: User) -> None:
    task = user.finished(user.start("shop_resize", folder="absent"))["task"]

    assert (task["status"], task["error"]["type"]) == ("FAILURE", "InvalidParams")
    assert task["error"]["message"] == "params.folder: There is no such folder."


def test_a_step_that_its_job_refuses_ends_the_whole_before_any_step_runs(worked: System, user: User) -> None:
    steps = [{"job_type": "shop_resize", "params": {"folder": folder}} for folder in ("x", "absent")]

    task = user.finished(user.start("orchestrate", steps=steps))["task"]

    assert task["error"]["message"] == "params.steps.1.params.folder: There is no such folder."
    assert worked.sql("SELECT count(*) FROM tasks WHERE parent_id = %s", task["task_id"]) == [(0,)]


def test_the_types_stay_while_no_worker_runs(without_worker: None, user: User) -> None:
    waits = user.start("shop_resize", folder="x")

    assert user.status(waits)["task"]["status"] == "PENDING"
    assert "shop_resize" in {job["job_type"] for job in user.get("jobs/types")["job_types"]}


IMPORTED = """
import json, sys
from app import create_app
create_app()
import app.cli, app.bus.source
print(json.dumps([name for name in sys.modules if name.partition(".")[0] == "workers"]))
"""


def test_a_web_process_imports_nothing_of_the_workers(tmp_path: Path) -> None:
    system = System("postgresql://x", "redis://x", tmp_path)

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORTED],
        cwd=ROOT,
        env=system.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
