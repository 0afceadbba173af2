"""Projects of others, with the key of a user of a real Taskroom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adopt.project import HERE, Page, Project
from tests.support.keys import make
from tests.support.system import System, User

MakeProject = Callable[..., Project]


@pytest.fixture
def adopt(system: System, user: User, tmp_path: Path, broker: str, other_redis_url: str) -> MakeProject:
    """Makes a project of the folder that is named, whose tasks the user sees."""

    def make_project(folder: str, app: str, url: str = "", **more: str) -> Project:
        key = make(user, "report")["key"]
        project = Project(HERE / folder, app, tmp_path, broker, url or system.url, key, more, other_redis_url)
        project.forked = folder == "lasting"  # the others are started as their users start them
        return project

    return make_project


@pytest.fixture
def page(user: User) -> Page:
    return Page(user)
