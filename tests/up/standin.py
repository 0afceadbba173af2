"""``python -m tests.up.standin``: the real supervisor with small stand-ins for web, worker and beat.

A stand-in adds its name to the file ``stopped`` of the home when its stop signal arrives: the file shows the order.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping

from app.up.__main__ import main
from app.up.home import Home
from app.up.process import Child
from app.up.process_plan import Demo, ProcessPlan, application_plan, http_ready, log_contains
from app.up.settings import CHECKOUT, Settings

SERVICE = """
import http.server, os, signal, sys, time
name, port, home = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def leave(*_):
    with open(home + "/stopped", "a") as file:
        file.write(name + "\\n")
    while name in twins and not all(twin in open(home + "/stopped").read() for twin in twins):
        time.sleep(0.01)
    with open(home + "/left", "a") as file:
        file.write(name + "\\n")
    os._exit(0)
twins = ("twin-1", "twin-2")  # each exits only after the other has its signal too
if name != "stubborn":
    signal.signal(signal.SIGTERM, leave)
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Ok(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
print(name, "ready.", flush=True)
if port:
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Ok).serve_forever()
while True:
    signal.pause()
"""


def plan(settings: Settings, home: Home, env: Mapping[str, str], demo: Demo) -> ProcessPlan:
    def service(name: str, port: int = 0) -> Child:
        ready = http_ready(settings.url + "/readyz") if port else log_contains(b"ready.")
        command = (sys.executable, "-c", SERVICE, name, str(port), str(home.root))
        return Child(
            name,
            command,
            CHECKOUT,
            env=env,
            ready=ready,
            stop_signals=((signal.SIGTERM, 0.5 if name == "stubborn" else 60.0),),
            group="twins" if name.startswith("twin") else "",
        )

    def failing(name: str) -> Child:
        script = "import sys; sys.exit('the reason')"
        return Child(name, (sys.executable, "-c", script), CHECKOUT, env=env, ready=log_contains(b"ready."))

    def step(name: str) -> Child:
        return Child(name, (sys.executable, "-c", asks_postgres), CHECKOUT, env=env, has_pid_file=False)

    asks_postgres = "import os, psycopg2; psycopg2.connect(os.environ['DATABASE_URL'])"
    kind = os.environ.get("STANDIN", "")
    real = application_plan(settings, home, env, demo) if kind == "account" else None
    return ProcessPlan(
        migrate=real.migrate if real else failing("migrate") if kind == "step" else step("migrate"),
        account=real.account if real else step("account"),
        services=(
            service("web-1", settings.port),
            failing("worker") if kind == "crash" else service("stubborn" if kind == "stubborn" else "worker"),
            *((service("twin-1"), service("twin-2")) if kind == "twins" else ()),
            service("beat"),
        ),
    )


if __name__ == "__main__":
    sys.exit(main(plan))
