"""nginx in front of several web processes: ``deploy/nginx.conf`` with the addresses of this run."""

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
_UPSTREAMS = re.compile(r"(?<=\n)    # >>> the web processes.*?(?=    # <<<)", re.DOTALL)
_LISTEN = re.compile(r"listen 8000(?= .*>>>)")


def require_nginx() -> Path:
    """Returns the path of nginx. Raises UpError when this machine has no nginx."""
    found = find_nginx()
    if found is None:
        raise UpError(
            "WEB_PROCESSES above 1 needs nginx, which this machine does not have; "
            "install it (Debian: apt-get install nginx) or unset WEB_PROCESSES"
        )
    return found


def configuration(listen: str, processes: Mapping[int, str], template: str) -> str:
    """Fills the template: nginx listens at ``listen``; ``processes`` has each web process's address by its number."""
    servers = "".join(
        f"        server {address} max_fails=1 fail_timeout=2s;\n" for address in processes.values()
    )
    single = "".join(
        _upstream(f"web-{number}", f"        server {address};\n") for number, address in processes.items()
    )
    numbers = "".join(f"        ~^{number}- web-{number};\n" for number in processes)
    upstreams = (
        _upstream("web", "        least_conn;\n" + servers)
        + single
        + f"    map $arg_sid $process {{\n        default web;\n{numbers}    }}\n"
    )
    text, blocks = _UPSTREAMS.subn(lambda _: upstreams, template)
    text, listens = _LISTEN.subn(lambda _: f"listen {listen}", text)
    if (blocks, listens) != (1, 1):
        raise UpError(f"{TEMPLATE} has lost its two marked places; take it from the repository again")
    return text


def _upstream(name: str, servers: str) -> str:
    keepalive = "        keepalive 64;\n        keepalive_timeout 30s;\n"
    return f"    upstream {name} {{\n        zone {name} 64k;\n{servers}{keepalive}    }}\n"


def child(home: Home, listen: str, processes: Mapping[int, str], ready: Callable[[Process], bool]) -> Child:
    """nginx that works in ``run/nginx`` of the home. Raises UpError when nginx is not installed."""
    folder = home.run / "nginx"
    path = folder / "nginx.conf"

    def write_configuration() -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        path.write_text(configuration(listen, processes, TEMPLATE.read_text()))

    return Child(
        name="nginx",
        command=(str(require_nginx()), "-p", f"{folder}/", "-c", str(path), "-e", "stderr"),
        folder=folder,
        env=dict(os.environ),
        before_start=write_configuration,
        ready=ready,
        # SIGQUIT lets requests in flight finish; SIGTERM ends the rest.
        stop_signals=((signal.SIGQUIT, 3.0), (signal.SIGTERM, 5.0)),
    )
