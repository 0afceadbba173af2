"""What is installed is what was tried: also what our dependencies need in turn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def requirements(name: str) -> Iterator[Requirement]:
    for line in (ROOT / name).read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text and not text.startswith("-"):
            yield Requirement(text)


def brought(found: dict[str, str], required: Requirement) -> None:
    """Adds the version of what is required, and of all that it needs here, to what was found."""
    name = canonicalize_name(required.name)
    extras = frozenset(required.extras)
    if name in found and not extras:
        return
    package = metadata.distribution(name)
    found[name] = package.version
    for needed in map(Requirement, package.requires or ()):
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            brought(found, needed)


def test_all_that_is_installed_is_pinned() -> None:
    pins = {canonicalize_name(pin.name): str(pin.specifier) for pin in requirements("constraints.txt")}
    found: dict[str, str] = {}
    for name in ("requirements.txt", "requirements-dev.txt"):
        for required in requirements(name):
            brought(found, required)

    assert len(found) > 80
    assert {name: pins.get(name) for name in found} == {
        name: f"=={version}" for name, version in found.items()
    }


def test_every_installation_is_told_the_pins() -> None:
    for name in ("script/setup.sh", "deploy/Dockerfile"):
        installs = re.findall(r"pip install .*", (ROOT / name).read_text())
        assert installs
        assert all("-c constraints.txt" in line for line in installs), name
