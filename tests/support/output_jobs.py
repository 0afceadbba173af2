"""A job type of the tests that saves files, also such as nobody should save."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields

from workers import current
from workers.progress import RetryTask, job, log, phase, save_output


class FileSchema(Schema):
    name = fields.String(load_default=None, allow_none=True)
    text = fields.String(load_default="")
    size = fields.Integer(load_default=0, metadata={"description": "Bytes of zeros in place of the text"})
    link = fields.String(load_default="", metadata={"description": "What it is a link to"})
    kind = fields.String(load_default="file")


class Files(Schema):
    files = fields.List(fields.Nested(FileSchema), load_default=list)
    begin = fields.String(load_default="", metadata={"description": "If set, it saves once this file exists"})
    gate = fields.String(
        load_default="", metadata={"description": "If set, the run ends once this file exists"}
    )
    retry = fields.Boolean(
        load_default=False, metadata={"description": "The first attempt ends after it has saved"}
    )


@job(
    "test_outputs",
    params=Files,
    max_retries=1,
    retry_delay=0.01,
    outputs={"report.csv": "The sales of the day"},
)
def save_files(files: list[dict[str, Any]], begin: str, gate: str, retry: bool) -> dict[str, Any]:
    """Saves files."""
    saved = []
    _wait(begin)
    with tempfile.TemporaryDirectory() as folder, phase("save", total=len(files)) as saving:
        for number, file in enumerate(files):
            path = _made(Path(folder) / f"file-{number}.txt", file)
            saved.append(save_output(path, file["name"]))
            saving.advance()
    _wait(gate)
    if retry and current.get().claim.retry_count == 0:
        raise RetryTask("once more", countdown=0)
    log(f"saved {sum(saved)} of {len(files)}")
    return {"saved": saved}


def _wait(gate: str) -> None:
    """Returns once the file exists. After the end of a killed test its run must not keep a worker for ever."""
    end = time.monotonic() + 300
    while gate and not Path(gate).exists():
        current.get().check()
        assert time.monotonic() < end
        time.sleep(0.02)


def _made(path: Path, file: dict[str, Any]) -> Path:
    match file["kind"]:
        case "link":
            path.symlink_to(file["link"])
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "nothing":
            pass
        case _:
            path.write_bytes(bytes(file["size"]) if file["size"] else file["text"].encode())
    return path
