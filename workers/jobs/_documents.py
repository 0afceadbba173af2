"""What one file says: title, summary, terms and counts."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from inspect import cleandoc

from workers.jobs._words import STOP_WORDS

KEPT_TERMS = 64
LONGEST = 100  # letters looked at in one name, or the cache of terms() would hold whole files of one word
TITLE_LENGTH, SUMMARY_LENGTH = 120, 300
DEFINITION_WEIGHT = 3  # a name that is defined here says more about the file than one that is used here
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# snake_case, camelCase, HTTPServer and plain prose fall into the same words.
TERM = re.compile(r"[A-Z]{2,}(?![a-z])|[^\W\d_][^\W\dA-Z_]*")


@dataclass(frozen=True, slots=True)
class Document:
    """One file that was read. ``terms`` maps its most frequent terms to how often they occur."""

    path: str
    title: str
    summary: str
    lines: int
    words: int
    terms: dict[str, int]
    definitions: int = 0
    documented: int = 0
    is_python: bool = False


def analyse(path: str, text: str, *, python: bool) -> Document:
    """Raises ValueError for Python source that does not parse."""
    return _python(path, text) if python else _prose(path, text)


def _python(path: str, text: str) -> Document:
    try:
        with warnings.catch_warnings():
            # Invalid escapes in other people's sources are not ours to report.
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    # The parser reports nesting that is too deep for it as RecursionError or as MemoryError.
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not parsable: {_reason(error)}") from error
    names: list[str] = []
    docstrings: list[str] = []
    counts: Counter[str] = Counter()
    definitions = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            counts.update(terms(node.id[:LONGEST]))
        elif isinstance(node, ast.Attribute):
            counts.update(terms(node.attr[:LONGEST]))
        elif isinstance(node, Definition):
            definitions += 1
            names.append(node.name)
            docstrings.extend(filter(None, [ast.get_docstring(node, clean=False)]))
    documented = len(docstrings)
    module = cleandoc(_clean(ast.get_docstring(tree, clean=False) or ""))
    for docstring in (module, *docstrings):
        counts.update(_terms_of_text(docstring))
    for name in names:
        for term in terms(name[:LONGEST]):
            counts[term] += DEFINITION_WEIGHT
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return Document(
        path=path,
        title=_shortened(_module_name(path), TITLE_LENGTH),
        summary=_shortened(_paragraph(module) or (f"Defines {listed}" if names else ""), SUMMARY_LENGTH),
        lines=text.count("\n") + 1,
        words=sum(counts.values()),
        terms=dict(counts.most_common(KEPT_TERMS)),
        definitions=definitions,
        documented=documented,
        is_python=True,
    )


def _prose(path: str, text: str) -> Document:
    counts = Counter(_terms_of_text(text))
    first, _, rest = text.strip().partition("\n")
    return Document(
        path=path,
        title=_shortened(first.strip("#=*-<>! \t\r") or path.rsplit("/", 1)[-1], TITLE_LENGTH),
        summary=_shortened(_paragraph(rest.lstrip("=-~*# \t\r\n")) or first, SUMMARY_LENGTH),
        lines=text.count("\n") + 1,
        words=sum(counts.values()),
        terms=dict(counts.most_common(KEPT_TERMS)),
    )


@lru_cache(maxsize=65536)
def terms(name: str) -> tuple[str, ...]:
    """The telling words of an identifier or a word, in lower case."""
    found = (term.lower() for term in TERM.findall(name))
    return tuple(term for term in found if 3 <= len(term) <= 30 and term not in STOP_WORDS)


def _terms_of_text(text: str) -> Iterable[str]:
    for word in re.findall(rf"\w{{3,{LONGEST}}}", text):
        yield from terms(word)


def _module_name(path: str) -> str:
    return path.rsplit(".", 1)[0].removesuffix("/__init__").replace("/", ".")


def _paragraph(text: str) -> str:
    return " ".join(re.split(r"\n\s*\n", text.strip(), maxsplit=1)[0].split())


def _clean(text: str) -> str:
    """A docstring may hold lone surrogates, written as escapes, which no file can be written with."""
    return text.encode("utf-8", "replace").decode()


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _reason(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.msg} (line {error.lineno})"
    return f"nested too deeply ({type(error).__name__})"
