"""Which parameters are masked."""

from __future__ import annotations

from typing import Any

import pytest

from app.jobs.secrets import masked_places, without_secrets

HIDDEN = "[redacted]"
PIN = {"type": "integer", "writeOnly": True}
WORD = {"type": "string", "format": "password"}


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "password",
            "db_password",
            "dbPassword",
            "PASSWORD",
            "token",
            "accessToken",
            "auth-token",
            "secret",
        ),
        *(
            "api_key",
            "apiKey",
            "api-key",
            "apikey",
            "authorization",
            "credential",
            "credentials",
            "passphrase",
        ),
    ],
)
def test_a_name_says_that_it_is_secret(name: str) -> None:
    assert without_secrets({name: "x"}) == {name: HIDDEN}


@pytest.mark.parametrize(
    "name", ["tokens", "max_tokens", "secretary", "title", "key", "passwords_file", "tokenizer"]
)
def test_and_these_do_not(name: str) -> None:
    assert without_secrets({name: "x"}) == {name: "x"}


@pytest.mark.parametrize("schema", [PIN, WORD], ids=["writeOnly", "password"])
def test_so_does_the_schema_at_any_depth(schema: dict[str, Any]) -> None:
    given = {"a": 1, "in": {"a": 1}, "list": [1], "rows": [{"a": 1, "b": 1}], "map": {"any": 1}}
    rows = {"type": "array", "items": of(a=schema)}
    others = {"type": "object", "additionalProperties": schema}

    shown = without_secrets(
        given, of(a=schema, **{"in": of(a=schema), "list": {"items": schema}, "rows": rows, "map": others})
    )

    assert shown == {
        "a": HIDDEN,
        "in": {"a": HIDDEN},
        "list": [HIDDEN],
        "rows": [{"a": HIDDEN, "b": 1}],
        "map": {"any": HIDDEN},
    }


@pytest.mark.parametrize("value", [None, "", True, False])
def test_what_holds_no_secret_stays(value: object) -> None:
    assert without_secrets({"password": value, "token": value}) == {"password": value, "token": value}


def test_a_secret_may_be_any_value() -> None:
    assert without_secrets({"token": 7, "credentials": {"user": "u"}, "secret": ["a"]}) == {
        "token": HIDDEN,
        "credentials": HIDDEN,
        "secret": HIDDEN,
    }


def test_the_value_itself_stays_as_it_is_and_is_returned_where_there_is_none() -> None:
    given = {"password": "x", "rest": {"a": [1, {"b": 2}]}}

    shown = without_secrets(given)

    assert given["password"] == "x"
    assert shown["rest"] is given["rest"]
    assert without_secrets(given["rest"]) is given["rest"]


@pytest.mark.parametrize(
    "schema", [None, True, {"properties": None}, {"properties": {"a": True}, "items": False}]
)
def test_a_schema_may_say_nothing(schema: Any) -> None:
    assert without_secrets({"a": [1], "token": "t"}, schema) == {"a": [1], "token": HIDDEN}


def test_the_places_of_what_is_masked() -> None:
    value = {"a": HIDDEN, "b": [1, {"c": HIDDEN}], "d": f"{HIDDEN}?"}

    assert list(masked_places(value)) == [("a",), ("b", 1, "c")]
