"""Texts that Postgres can hold, and paths of addresses that are such texts."""

from __future__ import annotations

from werkzeug.exceptions import NotFound
from werkzeug.routing import PathConverter, UnicodeConverter


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
        except ValueError:
            raise NotFound from None  # and not 405, where another method has the same path


class StoredPart(_Stored, UnicodeConverter):
    """A part of a path; the address of any other text is not found."""


class StoredPath(_Stored, PathConverter):
    """Several parts, likewise."""


CONVERTERS = {"default": StoredPart, "string": StoredPart, "path": StoredPath}
