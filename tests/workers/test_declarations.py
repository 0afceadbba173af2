"""A worker declares its job types when it starts, and renews that while it lives."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.db.persistent import PersistentConnection
from app.jobs.packages import Declaration
from tests.stream.helpers import sql
from workers import declarations as declaring
from workers import registry
from workers.declarations import KEEP_SECONDS, DeclarationWriter, declarations

GOOD = '''
from marshmallow import Schema, fields
from workers.progress import job

class Params(Schema):
    width = fields.Integer(load_default=10)

@job({name!r}, params=Params, phases={{"scan": 1, "resize": 9}}, max_retries=2, retry_lost=True, queue="quick")
def resize(width):
    """Resizes.

    And more."""
'''
ODD = '''
from marshmallow import Schema, fields
from workers.progress import job

@job("odd", params=Schema.from_dict({"n": fields.Integer(metadata={"maximum": "high"})}))
def odd(n):
    """Its parameters have no JSON Schema."""
'''
Write = Callable[..., None]


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Write]:
    """Puts a file of that path into a folder of modules, for a process that has looked for no jobs yet and whose
    TASKROOM_JOBS is ``packages``."""
    monkeypatch.syspath_prepend(str(tmp_path))
    here = SimpleNamespace(jobs=())
    for module in (registry, declaring):
        monkeypatch.setattr(module, "settings", lambda: here)
    monkeypatch.setattr(registry, "_jobs", {})
    monkeypatch.setattr(registry, "_broken", {})
    registry.jobs.cache_clear()
    before = set(sys.modules)

    def write(files: dict[str, str], *packages: str) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        here.jobs = packages
        importlib.invalidate_caches()

    yield write
    registry.jobs.cache_clear()
    for name in {name for name in sys.modules if name.startswith(("shop", "other"))} - before:
        del sys.modules[name]


def test_each_package_is_declared_with_what_its_job_types_say(write: Write) -> None:
    files = {"shop/jobs/resize.py": GOOD.format(name="resize"), "shop/jobs/_parts.py": "raise ValueError"}
    write(files | {"other_jobs.py": GOOD.format(name="single")}, "shop.jobs", "other_jobs", "shop.none")

    shop, other, none = declarations()

    (job,) = shop.types
    assert (shop.package, shop.broken) == ("shop.jobs", {}), "a module that begins with _ is no job file"
    assert (job.name, job.title, job.description) == ("resize", "Resize", "Resizes.")
    assert (job.queue, job.max_retries, job.retry_lost) == ("quick", 2, True)
    assert list(job.phases.items()) == [("scan", 1), ("resize", 9)]
    assert job.params["properties"]["width"] == {"type": "integer", "default": 10}
    assert (other.package, [each.name for each in other.types]) == ("other_jobs", ["single"])
    assert none == Declaration(
        "shop.none", [], {"shop.none": "ModuleNotFoundError: No module named 'shop.none'"}
    )


def test_a_file_or_a_schema_that_is_broken_is_named_and_the_others_work(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    files = {"shop/jobs/bad.py": "import no_such_library", "shop/jobs/odd.py": ODD}
    write(files | {"shop/jobs/resize.py": GOOD.format(name="resize")}, "shop.jobs")

    with caplog.at_level(logging.ERROR, "taskroom.registry"):
        (shop,) = declarations()

    assert [each.name for each in shop.types] == ["resize"]
    assert shop.broken.keys() == {"shop/jobs/bad.py", "odd"}
    assert shop.broken["shop/jobs/bad.py"] == "ModuleNotFoundError: No module named 'no_such_library'"
    assert "the job type odd cannot be started" in caplog.text
    assert "odd" in registry.jobs(), "a task that an older worker's declaration started runs all the same"


def test_what_a_module_registers_that_is_in_no_package_is_declared_under_its_own_name(write: Write) -> None:
    write({"shop/extra.py": GOOD.format(name="resize")}, "shop.jobs")
    importlib.import_module("shop.extra")

    assert [(each.package, len(each.types)) for each in declarations()] == [
        ("shop.jobs", 0),
        ("shop.extra", 1),
    ]


def test_it_is_written_once_then_kept_and_written_anew_where_it_is_lost(
    write: Write, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"shop/jobs/resize.py": GOOD.format(name="resize")}, "shop.jobs")
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(declaring, "time", SimpleNamespace(monotonic=lambda: clock.now))
    mine, connect = DeclarationWriter(), PersistentConnection(database)

    def written() -> bool:
        if due := mine.due():
            with connect() as connection, connection.cursor() as cur:
                mine.write(cur)
            mine.written()
        return due

    assert [written(), written()] == [True, False]
    sql(database, "UPDATE job_packages SET types = '[]' WHERE package = 'shop.jobs'")  # a newer worker's
    clock.now += KEEP_SECONDS
    assert [written(), written()] == [True, False]
    assert sql(database, "SELECT types::text FROM job_packages WHERE package = 'shop.jobs'") == [("[]",)]
    sql(database, "DELETE FROM job_packages")  # as after a restore
    clock.now += KEEP_SECONDS
    assert written()
    assert sql(database, "SELECT package, types -> 0 ->> 'name' FROM job_packages") == [
        ("shop.jobs", "resize")
    ]
    connect.close()
