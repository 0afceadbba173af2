"""Texts that Postgres can hold, and paths of addresses that are such texts."""

from __future__ import annotations

from werkzeug.routing import PathConverter, UnicodeConverter, ValidationError


def stored_text(text: str) -> str:
    """Returns the text. Raises ValueError when Postgres could not hold it: for NUL, and for half of a pair of
    surrogates."""
    if "\0" in text:
        raise ValueError("NUL")
    text.encode()
    return text


class _Stored:
    def to_python(self, value: str) -> str:
        try:
            return stored_text(value)
        except ValueError as error:
            raise ValidationError from error


class StoredPart(_Stored, UnicodeConverter):
    """A part of a path; the address of any other text is not found."""


class StoredPath(_Stored, PathConverter):
    """Several parts, likewise."""


CONVERTERS = {"default": StoredPart, "string": StoredPart, "path": StoredPath}
