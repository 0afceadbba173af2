"""What the product has where that is no constant that could be imported: validators, statements, other languages."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import marshmallow as ma

from app.config import Config
from app.up.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = Config("", "", "")
ENV = {"SECRET_KEY": "x" * 32, "DATABASE_URL": "postgresql://h/d", "REDIS_URL": "redis://h"}
SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}

# Words of a row, its default as the page has it, and what the product has.
Row = tuple[str, str, Callable[[], Any]]


def most(schema: type[ma.Schema] | ma.Schema, field: str) -> Any:
    """The largest length or value that the field takes, or a list of that name."""
    validators = (schema() if isinstance(schema, type) else schema).fields[field].validators
    ends = [v.max for v in validators if isinstance(v, ma.validate.Length | ma.validate.Range)]
    (largest,) = [end for end in ends if end is not None]
    return largest


def unless_asked(schema: type[ma.Schema], field: str) -> Any:
    return schema().fields[field].load_default


def repeats(pattern: str) -> int:
    """The largest number of repetitions in a regular expression."""
    return max(int(count) for count in re.findall(r"\{\d+,(\d+)\}", pattern))


def found(text: str, pattern: str) -> Any:
    """The numbers that the pattern's groups have in the text, where it stands once at least and always says the same;
    spellings of Python and TypeScript alike."""
    values = {match if isinstance(match, tuple) else (match,) for match in re.findall(pattern, text)}
    assert len(values) == 1, f"{pattern} says {values or 'nothing'}"
    numbers = [float(number.replace("_", "")) for number in values.pop()]
    return numbers[0] if len(numbers) == 1 else tuple(numbers)


def source(of: Any) -> str:
    return inspect.getsource(of)


def file(name: str) -> str:
    return (ROOT / name).read_text()


def constant(path: Path, name: str) -> Any:
    """Of a module that cannot be imported here, as one that imports eventlet."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return eval(compile(ast.Expression(node.value), str(path), "eval"), {})
    raise AssertionError(f"{path} has no {name}")


def of_eventlet(name: str) -> Any:
    spec = importlib.util.find_spec("eventlet")
    assert spec and spec.origin
    return constant(Path(spec.origin).with_name("wsgi.py"), name)


def of_server(name: str) -> Any:
    return constant(ROOT / "app/green/server.py", name)


def of_body(name: str) -> Any:
    return constant(ROOT / "app/green/body.py", name)


def of_outlet(name: str) -> Any:
    return constant(ROOT / "app/green/outlet.py", name)


def client(name: str, constant: str) -> float:
    """A constant of the browser client; times in seconds."""
    value = found(file(f"static/src/client/{name}.ts"), rf"\b{constant} = ([\d_.]+)\b")
    return float(value / 1_000 if constant.endswith("_MS") else value)


def interval(statement: str) -> int:
    """Seconds of the one interval that the statement names."""
    ((count, unit),) = set(re.findall(r"interval '(\d+) (second|minute|hour|day)s?'", statement))
    return int(count) * SECONDS[unit]


def same(*values: Any) -> Any:
    assert len(set(values)) == 1, f"the page has one figure for {values}"
    return values[0]


def default_of(variable: str, probe: str) -> Any:
    """The default of what the variable sets: of that one field which is another with ``probe`` for its value."""
    for kind, env in ((Config, ENV), (Settings, {})):
        default, probed = kind.from_env(env), kind.from_env({**env, variable: probe})
        changed = [
            field.name for field in fields(kind) if _of(default, field.name) != _of(probed, field.name)
        ]
        if changed:
            (name,) = changed
            if kind is Config:
                assert _of(DEFAULT, name) == _of(default, name), f"{name} has two defaults"
            return _of(default, name)
    raise AssertionError(f"{variable} sets nothing")


def _of(settings: Config | Settings, name: str) -> Any:
    return getattr(settings, name)
