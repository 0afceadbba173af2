"""Reads single settings of the environment. A reader raises ConfigurationError with one line that says what to set."""

from __future__ import annotations

import ipaddress
import os
import re
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from app.errors import ConfigurationError
from app.outgoing.url_policy import Network, allowance

_ORIGIN = re.compile(r"https?://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?")


def required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"{name} is not set; script/up sets it for a run on one machine")
    return value


def url(env: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    value = required(env, name)
    scheme = value.split("://", 1)[0]
    if "://" not in value or scheme not in schemes:
        raise ConfigurationError(f"{name} must begin with {schemes[0]}://")
    return value


def integer(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ConfigurationError(f"{name} is {text!r}; set a whole number from {low} to {high}")
    return int(text)


def number(env: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = env.get(name) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not low <= number <= high:
        raise ConfigurationError(f"{name} is {text!r}; set a number from {low:g} to {high:g}")
    return number


def listed(env: Mapping[str, str], name: str) -> list[str]:
    """Returns the parts of a list that commas separate."""
    return [part for part in (p.strip() for p in env.get(name, "").split(",")) if part]


def is_loopback(host: str) -> bool:
    """Returns whether only this machine can reach a server that listens on this host."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def origins(env: Mapping[str, str]) -> tuple[str, ...]:
    """Returns CORS_ORIGINS as a browser writes origins.

    Wildcards are refused: Flask-CORS would read them as a pattern, in which a dot matches any character."""
    origins = tuple(text.lower().rstrip("/") for text in listed(env, "CORS_ORIGINS"))
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ConfigurationError(
                f"CORS_ORIGINS may not hold {origin!r}; list the allowed origins, separated by commas: "
                "https://host or https://host:port, without *"
            )
    return origins


def packages(env: Mapping[str, str], default: tuple[str, ...]) -> tuple[str, ...]:
    """Returns TASKROOM_JOBS, the packages whose job types a worker runs."""
    names = tuple(listed(env, "TASKROOM_JOBS")) or default
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise ConfigurationError(
                f"TASKROOM_JOBS may not hold {name!r}; list packages as Python imports them, separated by commas: "
                "workers.jobs,shop.jobs"
            )
    return names


def allowances(env: Mapping[str, str]) -> tuple[Network | str, ...]:
    """Returns WEBHOOK_ALLOW_PRIVATE, the private networks and hosts that webhooks may call."""
    name = "WEBHOOK_ALLOW_PRIVATE"
    try:
        return tuple(allowance(part) for part in listed(env, name))
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}; list networks (10.1.0.0/16) and host names") from None


def seconds(env: Mapping[str, str], name: str, default: tuple[float, ...]) -> tuple[float, ...]:
    try:
        times = tuple(float(part) for part in listed(env, name)) or default
    except ValueError:
        times = ()
    if not 0 < len(times) <= 10 or not all(0 < seconds <= 43_200 for seconds in times):
        raise ConfigurationError(f"{name}: list up to 10 times in seconds, at most 43200 each")
    return times


def choice(env: Mapping[str, str], name: str, options: tuple[str, ...], default: str) -> str:
    chosen = env.get(name) or default
    if chosen not in options:
        raise ConfigurationError(f"{name} is {chosen!r}; set {' or '.join(options)}")
    return chosen


def content_roots(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Returns CONTENT_ROOTS, the folders that a knowledge_base run may read; the first one is the default root."""
    text = env.get("CONTENT_ROOTS", "")
    paths = [Path(p) for p in text.split(os.pathsep) if p] or [Path(sysconfig.get_paths()["purelib"])]
    missing = [str(p) for p in paths if not p.is_dir()]
    if missing:
        raise ConfigurationError(f"CONTENT_ROOTS names {missing[0]}, which is not a folder")
    return tuple(p.resolve() for p in paths)
