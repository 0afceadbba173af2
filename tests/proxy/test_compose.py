"""``docker-compose.yml`` and ``deploy/nginx.conf`` as far as they can be tried without containers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from app.config import Config
from app.up import nginx
from app.up.errors import UpError
from app.up.settings import CHECKOUT

OTHERS = {"TASKROOM_HOME"}  # read by the jobs


class Noted(dict[str, str]):
    """An environment that notes which names are asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    given = {"SECRET_KEY": "s" * 32, "POSTGRES_PASSWORD": "p"}
    text = re.sub(
        r"\$\{(\w+):([?-])([^}]*)\}",
        lambda m: given[m[1]] if m[2] == "?" else m[3],
        (CHECKOUT / "docker-compose.yml").read_text(),
    )
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return services


def ours(services: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The environment of each service that is made of our image."""
    return {
        name: {k: str(v) for k, v in service["environment"].items()}
        for name, service in services.items()
        if service["image"] == "taskroom"
    }


def test_every_variable_is_one_that_is_read(services: dict[str, Any]) -> None:
    found = ours(services)
    assert found.keys() == {"migrate", "web-1", "web-2", "worker", "beat"}
    for name, values in found.items():
        env = Noted(values)
        config = Config.from_env(env)
        assert not config.embedded
        assert values.keys() <= env.asked | OTHERS, name
        for url in (config.database_url, config.redis_url):
            assert urlsplit(url).hostname in services


def test_nginx_names_the_web_processes_that_there_are(services: dict[str, Any]) -> None:
    template = nginx.TEMPLATE.read_text()
    processes = {name: env for name, env in ours(services).items() if name.startswith("web")}
    for name, env in processes.items():
        assert name == f"web-{env['TASKROOM_PROCESS']}" and env["TRUSTED_PROXIES"] == "1"
    assert set(re.findall(r"server (\S+):8000 ", template)) == set(processes)
    assert "./deploy/nginx.conf:/etc/nginx/nginx.conf:ro" in services["nginx"]["volumes"]
    assert services["nginx"]["ports"] == ["127.0.0.1:8000:8000"] and "listen 8000 " in template


def test_the_kernel_under_nginx_gives_up_a_vanished_viewer_within_a_minute(services: dict[str, Any]) -> None:
    """As docs/deployment.md advises: the first retry comes after 0.2 s, each later one after twice as long."""
    (retries,) = services["nginx"]["sysctls"].values()

    assert services["nginx"]["sysctls"] == {"net.ipv4.tcp_retries2": 7}
    assert sum(0.2 * 2**n for n in range(retries + 1)) < 60
    assert "`sysctl net.ipv4.tcp_retries2=7`" in (CHECKOUT / "docs/deployment.md").read_text()


def test_the_worker_has_the_jobs_and_the_queues_that_web_processes_expect(services: dict[str, Any]) -> None:
    command, config = services["worker"]["command"], Config.from_env(ours(services)["worker"])

    assert config.jobs == ("workers.jobs",)
    assert command[command.index("--queues") + 1].split(",") == list(config.celery_queues)
    for name in ("web-1", "web-2"):
        assert Config.from_env(ours(services)[name]).celery_queues == config.celery_queues


def test_a_container_has_more_time_to_end_than_its_process_takes(services: dict[str, Any]) -> None:
    """Figures of docs/operations.md: a web process waits 8 s for requests in flight, and its container 20 s for it."""
    for name in ("web-1", "web-2"):
        assert (Config.from_env(ours(services)[name]).drain_seconds, services[name]["stop_grace_period"]) == (
            8,
            "20s",
        )


def test_services_begin_when_what_they_need_answers(services: dict[str, Any]) -> None:
    ready = {name: services[name]["healthcheck"]["test"] for name in ("postgres", "redis", "web-1", "web-2")}

    assert ready["postgres"] == ["CMD", "pg_isready", "-h", "127.0.0.1", "-U", "taskroom"]
    assert ready["redis"] == ["CMD", "redis-cli", "ping"]
    assert "http://127.0.0.1:8000/readyz" in ready["web-1"][-1] and ready["web-1"] == ready["web-2"]
    needs = {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }
    for name in ("web-1", "web-2", "worker", "beat"):
        assert {of: how["condition"] for of, how in services[name]["depends_on"].items()} == needs


def test_script_up_writes_the_same_as_stands_in_the_file() -> None:
    template = nginx.TEMPLATE.read_text()
    made = nginx.configuration("8000", {1: "web-1:8000", 2: "web-2:8000"}, template)
    assert _bare(made) == _bare(template)


def _bare(text: str) -> list[str]:
    """Without comments and without what only Docker's changing addresses need."""
    lines = (re.sub(r" #.*| resolve(?=[ ;])", "", line).rstrip() for line in text.splitlines())
    return [line for line in lines if line.strip() and not line.lstrip().startswith(("#", "resolver"))]


def test_the_mounted_file_is_valid(tmp_path: Path) -> None:
    # Here neither the names are known nor, to older versions of nginx, the word that has them looked up again.
    text = re.sub(r"web-(\d):8000 resolve", r"127.0.0.1:1800\1", nginx.TEMPLATE.read_text())
    (tmp_path / "nginx.conf").write_text(text)
    program, folder = nginx.require_nginx(), f"{tmp_path}/"
    command = [program, "-t", "-p", folder, "-c", tmp_path / "nginx.conf", "-e", "stderr"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "test is successful" in run.stderr, run.stderr


@pytest.mark.parametrize("lost", ["# >>> the web processes", "# <<<", ">>> script/up"])
def test_a_template_without_its_marks_is_named(lost: str) -> None:
    with pytest.raises(UpError, match="marked places"):
        nginx.configuration("8000", {1: "web-1:8000"}, nginx.TEMPLATE.read_text().replace(lost, ""))
