"""The dashboard in deploy/ and the page in docs/ know every figure there is, and no other."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.system import ROOT, System, User

WORDS = {"by", "without", "on", "ignoring", "and", "or", "unless", "bool", "offset"}


@pytest.fixture(scope="module")
def board() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    return found


@pytest.fixture(scope="module")
def exported(system: System) -> dict[str, str]:
    """The families that a web process and a worker tell of, with their types; counters with their ``_total``."""
    user = system.user()
    user.finished(user.start("test_echo"))
    user.client.close()
    pages = [httpx.get(url).text for url in (f"{system.url}/metrics", system.worker_metrics)]
    families = [family for page in pages for family in text_string_to_metric_families(page)]
    return {f.name + ("_total" if f.type == "counter" else ""): f.type for f in families}


def expressions(board: dict[str, Any]) -> list[str]:
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def names(expression: str) -> set[str]:
    """The metrics of a PromQL expression: what is left without its labels, ranges, groupings and functions."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]', " ", expression)
    bare = re.sub(r"\b(by|without)\s*\([^)]*\)", " ", bare)
    found = re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*\b(?!\s*\()", bare)
    return set(found) - WORDS


def family(name: str, exported: dict[str, str]) -> str:
    stem = re.sub(r"_(bucket|sum|count)$", "", name)
    return stem if exported.get(stem) == "histogram" else name


def own(exported: dict[str, str]) -> set[str]:
    return {name for name in exported if name.startswith(("taskroom_", "sse_"))}


def test_names_are_found_in_what_panels_ask() -> None:
    asked = 'topk(8, sum by (method, route) (rate(a_total{x=~"$y", z="b_total"}[5m]))) / on (le) c + 1.5'

    assert names(asked) == {"a_total", "c"} | ({"le"} & names(asked))


def test_every_figure_that_the_dashboard_asks_for_is_told(
    board: dict[str, Any], exported: dict[str, str]
) -> None:
    (instances,) = [v["query"]["query"] for v in board["templating"]["list"] if v["type"] == "query"]
    asked = {name for expression in expressions(board) for name in names(expression)}
    asked.add(instances.partition("(")[2].partition(",")[0])

    assert len(expressions(board)) > 60
    assert {family(name, exported) for name in asked} <= exported.keys()


def test_counters_are_asked_for_by_their_rate_and_nothing_else_is(
    board: dict[str, Any], exported: dict[str, str]
) -> None:
    for expression in expressions(board):
        for name in names(expression):
            kind = exported[family(name, exported)]
            rated = re.search(rf"rate\({name}\b", expression) is not None
            assert rated == (kind in ("counter", "histogram")), expression


def test_every_figure_of_ours_is_on_the_dashboard_and_in_the_docs(
    board: dict[str, Any], exported: dict[str, str]
) -> None:
    shown = {family(n, exported) for expression in expressions(board) for n in names(expression)}
    page = (ROOT / "docs" / "metrics.md").read_text()
    written = set(re.findall(r"`([a-z0-9_]+)`", page))

    assert len(own(exported)) > 50
    assert own(exported) - shown == set()
    assert {name for name in own(exported) if name.removeprefix("taskroom_") not in written} == set()


def test_rows_are_what_an_operator_looks_for(board: dict[str, Any]) -> None:
    rows = [panel["title"] for panel in board["panels"] if panel["type"] == "row"]
    places = [tuple(panel["gridPos"][at] for at in ("x", "y")) for panel in board["panels"]]

    assert rows == ["Viewers", "Delivery", "Writer", "Broker and hub", "Tasks", "HTTP and database"]
    assert len(set(places)) == len(places), "no panel lies on another"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_no_figure_has_a_user_or_a_task_for_a_label(system: System, user: User) -> None:
    user.finished(user.start("test_echo"))

    pages = [httpx.get(url).text for url in (f"{system.url}/metrics", system.worker_metrics)]

    labels = {
        label
        for page in pages
        for found in text_string_to_metric_families(page)
        for sample in found.samples
        for label in sample.labels
    }
    # Of turns over 50 ms, and of errors that tests have made: there may be none.
    rare = {"what", "how", "part"}
    assert labels - rare == {"event_type", "reason", "generation", "status", "method", "route", "le"}
