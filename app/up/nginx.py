"""nginx in front of several web processes: ``deploy/nginx.conf`` with this run's addresses."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from app.up.errors import UpError
from app.up.home import Home
from app.up.process import Child, Process
from app.up.programs import find_nginx
from app.up.settings import CHECKOUT

TEMPLATE = CHECKOUT / "deploy" / "nginx.conf"
_PROCESSES = re.compile(r"(?<=\n)    # >>> the web processes.*?(?=    # <<<)", re.DOTALL)
_LISTEN = re.compile(r"listen 8000(?= .*>>>)")


def program() -> Path:
    """Raises UpError when this machine has none."""
    found = find_nginx()
    if found is None:
        raise UpError(
            "WEB_PROCESSES above 1 needs nginx, which this machine does not have; "
            "install it (Debian: apt-get install nginx) or unset WEB_PROCESSES"
        )
    return found


def configuration(listen: str, processes: Mapping[int, str], template: str) -> str:
    """``template`` for an nginx that listens at ``listen``, over web processes by number and address."""
    servers = "".join(
        f"        server {address} max_fails=1 fail_timeout=2s;\n" for address in processes.values()
    )
    groups = "".join(
        _upstream(f"web-{number}", f"        server {address};\n") for number, address in processes.items()
    )
    numbers = "".join(f"        ~^{number}- web-{number};\n" for number in processes)
    text = (
        _upstream("web", "        least_conn;\n" + servers)
        + groups
        + f"    map $arg_sid $process {{\n        default web;\n{numbers}    }}\n"
    )
    made, places = _PROCESSES.subn(lambda _: text, template)
    made, listens = _LISTEN.subn(lambda _: f"listen {listen}", made)
    if (places, listens) != (1, 1):
        raise UpError(f"{TEMPLATE} has lost its two marked places; take it from the repository again")
    return made


def _upstream(name: str, servers: str) -> str:
    kept = "        keepalive 64;\n        keepalive_timeout 30s;\n"
    return f"    upstream {name} {{\n        zone {name} 64k;\n{servers}{kept}    }}\n"


def child(home: Home, listen: str, processes: Mapping[int, str], ready: Callable[[Process], bool]) -> Child:
    """nginx in ``run/nginx`` of the home. Raises UpError when it is not installed."""
    folder = home.run / "nginx"
    path = folder / "nginx.conf"

    def prepare() -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        path.write_text(configuration(listen, processes, TEMPLATE.read_text()))

    return Child(
        name="nginx",
        command=(str(program()), "-p", f"{folder}/", "-c", str(path), "-e", "stderr"),
        folder=folder,
        env=dict(os.environ),
        before=prepare,
        ready=ready,
        # Gracefully, for what is in flight; what does not end by itself is cut.
        stages=((signal.SIGQUIT, 3.0), (signal.SIGTERM, 5.0)),
    )
