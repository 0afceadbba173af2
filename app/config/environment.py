"""Reads settings from environment variables, and declares dataclass fields with their reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, field
from typing import Any

from app.errors import ConfigurationError

Environment = Mapping[str, str]


def whole_number(env: Environment, name: str, default: int, low: int, high: int) -> int:
    """Returns a setting, checked. Raises ConfigurationError."""
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and low <= int(text) <= high):
        raise ConfigurationError(f"{name} is {text!r}; set a whole number from {low} to {high}")
    return int(text)


def number(env: Environment, name: str, default: float, low: float, high: float) -> float:
    text = env.get(name) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not low <= number <= high:
        raise ConfigurationError(f"{name} is {text!r}; set a number from {low:g} to {high:g}")
    return number


def required(env: Environment, name: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"{name} is not set; script/up sets it for a run on one machine")
    return value


def url(env: Environment, name: str, schemes: tuple[str, ...]) -> str:
    scheme, separator, rest = required(env, name).partition("://")
    if not separator or scheme not in schemes:
        raise ConfigurationError(f"{name} must begin with {schemes[0]}://")
    # libpq accepts no name of a driver in the scheme.
    return f"{scheme.removesuffix('+psycopg2')}://{rest}"


def listed(env: Environment, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    return tuple(part for part in (p.strip() for p in env.get(name, "").split(",")) if part) or default


def setting(read: Callable[..., Any], *about: Any, default: Any = MISSING, repr: bool = True) -> Any:
    """Returns a dataclass field whose value is ``read(env, *about)``."""
    return field(default=default, repr=repr, metadata={"read": lambda env: read(env, *about)})


def whole(name: str, default: int, low: int, high: int) -> Any:
    return setting(whole_number, name, default, low, high, default=default)


def text(name: str, default: str = "", repr: bool = True) -> Any:
    return setting(lambda env: env.get(name, default).strip(), default=default, repr=repr)


def switch(name: str, default: bool = False) -> Any:
    return setting(lambda env: env.get(name, str(int(default))) == "1", default=default)
