"""The npm package of the browser client: packed, installed into an empty project, checked for types and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.shares import share
from tests.support.system import ROOT, System, User

pytestmark = pytest.mark.slow

STATIC = ROOT / "static"
PROGRAM = """import { Api, connect, fold, isTerminal, NOTHING, ShareAccess, type TaskState } from "@taskroom/client";
import { TaskroomRun, type RunEnd } from "@taskroom/client/element";

const [url = "", run = "", token = ""] = process.argv.slice(2);
const api = new Api(new ShareAccess(token, run, url));
let state: TaskState = NOTHING;
for (const event of (await api.eventsAfter(run, 0)).events) state = fold(state, event);
const { task } = await api.snapshot(run);
const end: RunEnd = { run, status: task.status, task };
const attributes: readonly string[] = TaskroomRun.observedAttributes;
console.log(JSON.stringify([end.status, state.task.status, isTerminal(end.status), typeof connect, attributes]));
// @ts-expect-error a status is no number
const wrong: number = task.status;
"""
OPTIONS = {
    "module": "NodeNext",
    "target": "ES2022",
    "lib": ["ES2023", "DOM"],
    "strict": True,
    "types": [],
    "outDir": "out",
}


def command(folder: Path, *words: str | Path) -> str:
    """Runs a program in the folder; returns what it prints."""
    env = os.environ | {"HOME": str(folder), "npm_config_update_notifier": "false"}
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    command(folder, "node", STATIC / "package.mjs")
    (name,) = json.loads(command(folder, "npm", "pack", "--json", str(STATIC / "package")))
    return folder / str(name["filename"])


@pytest.fixture(scope="module")
def project(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty project that has the package and nothing else."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text('{"name": "empty", "type": "module"}')
    command(folder, "npm", "install", "--offline", "--no-audit", "--no-fund", str(packed))
    return folder


def test_it_is_named_and_numbered_as_the_project_and_needs_nothing(project: Path) -> None:
    about = json.loads((project / "node_modules/@taskroom/client/package.json").read_text())
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "sdk/pyproject.toml").read_text(), re.MULTILINE)

    assert (about["name"], about["version"], about["type"]) == ("@taskroom/client", version, "module")
    assert "dependencies" not in about and "peerDependencies" not in about
    assert about["sideEffects"] == ["./element.js"], "only the element must not be left out of a bundle"
    assert {path.name for path in (project / "node_modules/@taskroom/client").iterdir()} == {
        *("LICENSE", "README.md", "element.js", "package.json", "taskroom.js", "types")
    }


def test_a_program_is_checked_for_types_and_runs(system: System, user: User, project: Path) -> None:
    task_id = user.start("test_echo", text="to be seen")
    user.finished(task_id)
    (project / "program.ts").write_text(PROGRAM.replace("process.argv", "(globalThis as any).process.argv"))
    (project / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS, "files": ["program.ts"]}))

    command(project, STATIC / "node_modules/.bin/tsc", "--project", project)
    said = command(*(project, "node", "out/program.js", system.url, task_id, share(user, task_id)["token"]))

    assert json.loads(said) == [*("SUCCESS", "SUCCESS", True, "function", ["url", "run", "token", "lines"])]
