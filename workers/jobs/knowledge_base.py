"""Builds a knowledge base from the files of a folder."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import IO, Any, NamedTuple

from marshmallow import Schema, ValidationError, fields, validate, validates

from workers.jobs import _files
from workers.jobs._documents import Document, analyse
from workers.jobs._topics import Topic, Topics, Vocabulary, strongest
from workers.progress import item_error, job, log, phase, save_output, track
from workers.settings import settings

MAX_FILE_BYTES = 1_000_000
MAX_CACHE_BYTES = 512_000_000
MAX_OUTPUT_BYTES = 64_000_000
OUTPUT = "knowledge_base.jsonl"
SHOWN = 10  # topics and failed files named in the result, which has to stay small
DEFAULT_PATTERN = "**/*.{py,pyi,md,rst,txt}"


class KnowledgeBaseParams(Schema):
    root = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=1000),
        metadata={"description": "Folder to read; empty for the first configured content root"},
    )
    pattern = fields.String(
        load_default=DEFAULT_PATTERN,
        validate=validate.Length(min=1, max=200),
        metadata={"description": "Glob for paths below the folder, such as **/*.py or docs/**/*.{md,rst}"},
    )
    limit = fields.Integer(
        load_default=4000,
        strict=True,
        validate=validate.Range(min=1, max=20_000),
        metadata={"description": "Read at most this many files, in the order of their paths"},
    )

    @validates("root", "pattern")
    def _check(self, value: str | None, data_key: str) -> None:
        try:
            if data_key == "root":
                _files.resolve_root(value, settings().content_roots)
            else:
                _files.compile_pattern(value or "")
        except ValueError as error:
            raise ValidationError(str(error)) from error


class Cached(NamedTuple):
    """Where a file's bytes lie in the cache; equal files lie there once."""

    path: str
    digest: str
    offset: int
    size: int
    truncated: bool


class SkippedFiles:
    """Files that could not be used: counted and logged, never fatal."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[dict[str, str]] = []

    def add(self, path: str, error: Exception | str) -> None:
        name = _files.printable(path)[:200] or "."
        reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append({"path": name, "reason": reason})
        item_error(f"Skipped {name}: {reason}")


@job(
    "knowledge_base",
    params=KnowledgeBaseParams,
    title="Knowledge base",
    # By the time each takes on a default run.
    phases={"content_caching": 5, "content_processing": 85, "categorization": 5, "kb_generation": 5},
    max_retries=0,
    outputs={OUTPUT: "A line of JSON for each file: its title, summary, topic and keywords"},
)
def knowledge_base(*, root: str | None, pattern: str, limit: int) -> dict[str, Any]:
    """Reads source and text files, sorts them into topics and writes a searchable knowledge base.

    Returns counts of files, bytes and definitions, the largest topics, the first files that failed with their
    reasons, and the output's name. Raises ValueError when the root is not allowed or nothing matches.
    """
    folder = _files.resolve_root(root, settings().content_roots)
    failures = SkippedFiles()
    # On disk, not in memory: the worker's size must not depend on the folder's.
    with tempfile.TemporaryFile(prefix="taskroom-cache-") as cache:
        cached, found, limited = _cache(folder, pattern, limit, cache, failures)
        documents, vocabulary = _process(cached, cache, failures)
    topics, entries = _categorize(documents, cached, vocabulary)
    _write(entries)
    return {
        "files": found,
        "limited": limited,
        "processed": len(documents),
        "errors": failures.count,
        "failed_files": failures.first,
        "bytes": sum(file.size for file in cached),
        "duplicates": len(cached) - len({file.digest for file in cached}),
        "lines": sum(document.lines for document in documents),
        "python_files": sum(document.is_python for document in documents),
        "definitions": sum(document.definitions for document in documents),
        "documented_definitions": sum(document.documented for document in documents),
        "topic_count": len(topics),
        "topics": [
            {"name": _files.printable(topic.name)[:200], "files": topic.files, "keywords": topic.keywords}
            for topic in topics[:SHOWN]
        ],
        "output": OUTPUT,
    }


def _cache(
    folder: Path, pattern: str, limit: int, cache: IO[bytes], failures: SkippedFiles
) -> tuple[list[Cached], int, bool]:
    matches = _files.compile_pattern(pattern)
    paths: list[str] = []
    cached: list[Cached] = []
    places: dict[str, int] = {}
    end = 0
    with phase("content_caching", message="Looking for files") as progress:
        for listing in _files.walk(folder):
            progress.advance(0)  # a large tree in which nothing matches has to answer a cancel too
            if listing.error:
                failures.add(listing.path, listing.error)
            paths.extend(filter(matches, listing.files))
            if len(paths) > limit:
                break
        limited = len(paths) > limit
        del paths[limit:]
        if not paths:
            raise ValueError("no file below the root matches the pattern")
        progress.total = len(paths)
        stopped = f", stopped at the limit of {limit}" if limited else ""
        log(f"Found {len(paths)} files{stopped}", component="reader")
        for number, path in enumerate(paths, 1):
            try:
                data, truncated = _files.read_bounded(folder / path, MAX_FILE_BYTES)
            except OSError as error:  # unreadable, vanished, or no regular file any more
                failures.add(path, error)
            else:
                digest = hashlib.sha256(data).hexdigest()
                if digest not in places:
                    places[digest] = end
                    end += cache.write(data)
                cached.append(Cached(path, digest, places[digest], len(data), truncated))
                if truncated:
                    cut = f"{_files.printable(path)} is cut at {MAX_FILE_BYTES} bytes"
                    log(cut, level="WARNING", component="reader")
            progress.advance(1, message=f"Reading {number} of {len(paths)}")
            if end > MAX_CACHE_BYTES:
                left_out = len(paths) - number
                log(f"The cache is full; {left_out} files are left out", level="WARNING", component="reader")
                break
        duplicates = len(cached) - len(places)
        log(f"Cached {len(cached)} files, {end} bytes, {duplicates} duplicates", component="reader")
    return cached, len(paths), limited


def _process(
    cached: list[Cached], cache: IO[bytes], failures: SkippedFiles
) -> tuple[list[Document], Vocabulary]:
    documents: list[Document] = []
    vocabulary = Vocabulary()
    for file in track(cached, phase="content_processing", message="Processing {n} of {total}"):
        python = file.path.endswith((".py", ".pyi"))
        cache.seek(file.offset)
        try:
            text = _files.decode(cache.read(file.size), python=python, truncated=file.truncated)
            # Half a Python file does not parse; its words still tell what it is about.
            document = analyse(file.path, text, python=python and not file.truncated)
        except ValueError as error:
            failures.add(file.path, error)
            continue
        documents.append(document)
        vocabulary.add(document.terms)
        what = f"{document.definitions} definitions" if document.is_python else f"{document.words} words"
        log(f"Processed {_files.printable(file.path)}: {what}, {document.lines} lines", component="parser")
    return documents, vocabulary


def _categorize(
    documents: list[Document], cached: list[Cached], vocabulary: Vocabulary
) -> tuple[list[Topic], list[dict[str, Any]]]:
    digests = {file.path: file.digest for file in cached}
    topics = Topics((document.path, document.terms) for document in documents)
    entries: list[dict[str, Any]] = []
    for document in track(documents, phase="categorization", message="Sorting {n} of {total}"):
        weights = vocabulary.weights(document.terms)
        entries.append(
            {
                "path": _files.printable(document.path),
                "title": _files.printable(document.title),
                "summary": document.summary,
                "topic": _files.printable(topics.assign(document.path, weights)),
                "keywords": strongest(weights),
                "definitions": document.definitions,
                "lines": document.lines,
                "sha256": digests[document.path],
            }
        )
    largest = topics.largest()
    for topic in largest[:SHOWN]:
        name = _files.printable(topic.name)
        log(f"Topic {name}: {topic.files} files about {', '.join(topic.keywords)}", component="topics")
    return largest, entries


def _write(entries: list[dict[str, Any]]) -> None:
    size = written = 0
    with tempfile.TemporaryDirectory(prefix="taskroom-output-") as folder:
        path = Path(folder) / OUTPUT
        with path.open("w", encoding="utf-8") as file:
            for entry in track(entries, phase="kb_generation", message="Writing {n} of {total}"):
                line = json.dumps(entry, ensure_ascii=False) + "\n"
                size += len(line.encode())
                if size > MAX_OUTPUT_BYTES:
                    left_out = f"The output is full; {len(entries) - written} entries are left out"
                    log(left_out, level="WARNING", component="writer")
                    break
                file.write(line)
                written += 1
        log(f"Wrote {written} entries", component="writer")
        save_output(path)
