"""``python -m tests.faults.up``: what ``python -m app.up`` starts, with the tests' web processes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

from app.up.__main__ import main
from app.up.home import Home
from app.up.process_plan import Demo, ProcessPlan, application_plan
from app.up.settings import Settings

INSTEAD = {"wsgi.py": ("-m", "tests.support.web")}


def with_test_web(settings: Settings, home: Home, env: Mapping[str, str], demo: Demo) -> ProcessPlan:
    plan = application_plan(settings, home, env, demo)
    services = (
        replace(child, command=tuple(word for old in child.command for word in INSTEAD.get(old, (old,))))
        for child in plan.services
    )
    return replace(plan, services=tuple(services))


if __name__ == "__main__":
    sys.exit(main(with_test_web))
