"""Sorting documents into topics: by folder, and by tf-idf keywords over a bounded vocabulary."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from math import log as ln
from math import sqrt

VOCABULARY = 50_000  # terms; what is rarer is forgotten, so that memory does not grow with the files
KEYWORDS = 8
SPLIT_ABOVE = 150  # files; a larger package is several topics, one for each of its folders
VERSION = re.compile(r"-\d[^/]*\.(dist|egg)-info$")


@dataclass(frozen=True, slots=True)
class Topic:
    """A group of documents. ``keywords`` come most telling first."""

    name: str
    files: int
    keywords: tuple[str, ...]


class Vocabulary:
    """In how many documents each term occurs."""

    def __init__(self) -> None:
        self.documents = 0
        self._counts: Counter[str] = Counter()

    def add(self, terms: Iterable[str]) -> None:
        self.documents += 1
        self._counts.update(set(terms))  # once a document: given a mapping, a Counter would add its values
        if len(self._counts) > 2 * VOCABULARY:
            self._counts = Counter(dict(self._counts.most_common(VOCABULARY)))

    def weights(self, terms: Mapping[str, int]) -> dict[str, float]:
        """tf-idf of a document's terms. A term of one document alone groups nothing, so it weighs nothing,
        unless there are too few documents to tell."""
        least = 2 if self.documents >= 10 else 1
        return {
            term: sqrt(count) * ln(1 + self.documents / self._counts[term])
            for term, count in terms.items()
            if self._counts[term] >= least
        }


def strongest(weights: Mapping[str, float], count: int = KEYWORDS) -> tuple[str, ...]:
    """Heaviest first; equal ones by the alphabet, so that two runs agree."""
    return tuple(nsmallest(count, weights, key=lambda term: (-weights[term], term)))


class Topics:
    """Sorts documents by top-level package, in a large package by folder too, and loose files by a keyword.

    ``documents`` are the (path, terms) of all that will be assigned.
    """

    def __init__(self, documents: Iterable[tuple[str, Iterable[str]]]) -> None:
        self._sizes: Counter[str] = Counter()
        self._loose: Counter[str] = Counter()
        for path, terms in documents:
            name = _package(path)
            self._sizes[name] += 1
            if not name:
                self._loose.update(set(terms))
        self._files: Counter[str] = Counter()
        self._weights: dict[str, dict[str, float]] = {}

    def assign(self, path: str, weights: Mapping[str, float]) -> str:
        """The topic's name; counts the document and its weights towards that topic."""
        name = _package(path)
        if not name:
            name = self._shared_keyword(weights)
        elif self._sizes[name] > SPLIT_ABOVE and path.count("/") > 1:
            name += "/" + path.split("/")[1]
        self._files[name] += 1
        total = self._weights.setdefault(name, defaultdict(float))
        for term, weight in weights.items():
            total[term] += weight
        return name

    def _shared_keyword(self, weights: Mapping[str, float]) -> str:
        keywords = [term for term in strongest(weights) if self._loose[term] > 1]
        return max(keywords, key=lambda term: (self._loose[term], term), default="other")

    def largest(self) -> list[Topic]:
        """All topics, the largest first."""
        ordered = sorted(self._files.items(), key=lambda item: (-item[1], item[0]))
        return [Topic(name, files, strongest(self._weights[name], 5)) for name, files in ordered]


def _package(path: str) -> str:
    """``numpy`` for ``numpy/core/x.py`` and ``numpy-2.0.dist-info/METADATA``; empty for a loose file."""
    return VERSION.sub("", path.split("/", 1)[0]) if "/" in path else ""
