"""Files of a folder: stored as a whole or not at all, and no key and no link leads out of the folder."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.storage import TooLarge, files
from app.storage.files import FileStorage, regular_file

TASK = "1a2b3c4d-0000-4000-8000-000000000001"
KEY = f"{TASK}/1-abc"


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "outputs")


def put(storage: FileStorage, content: bytes, key: str = KEY, most: int = 100) -> int:
    return storage.put(key, io.BytesIO(content), most)


def read(storage: FileStorage, key: str = KEY) -> bytes:
    with storage.open(key) as file:
        return file.read()


def test_what_is_put_can_be_read_replaced_and_deleted(storage: FileStorage) -> None:
    assert put(storage, b"one") == 3
    assert read(storage) == b"one"
    before = storage.open(KEY)
    assert put(storage, b"three") == 5

    assert (read(storage), before.read()) == (b"three", b"one")
    before.close()
    assert [file.key for file in storage.stored()] == [KEY]
    storage.delete(KEY)
    storage.delete(KEY)
    assert list(storage.stored()) == []
    with pytest.raises(FileNotFoundError):
        storage.open(KEY)


def test_only_its_user_may_read_the_files(storage: FileStorage, tmp_path: Path) -> None:
    put(storage, b"one")

    outputs = tmp_path / "outputs"
    assert {path.stat().st_mode & 0o077 for path in (outputs, *outputs.rglob("*"))} == {0}


def test_too_large_leaves_nothing_behind_and_what_was_there_stays(storage: FileStorage) -> None:
    put(storage, b"old")

    with pytest.raises(TooLarge):
        put(storage, b"x" * 101)
    assert put(storage, b"x" * 100, f"{TASK}/1-def") == 100

    assert read(storage) == b"old"
    assert sorted(file.key for file in storage.stored()) == [KEY, f"{TASK}/1-def"]


class Deletes:
    """``os`` for the storage; another thread deletes the last file of the task each time that ``opens`` is opened."""

    def __init__(self, storage: FileStorage, opens: str, times: int) -> None:
        self._storage, self._opens, self.left = storage, opens, times

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: str | Path, *args: Any, **more: Any) -> int:
        if str(path).startswith(self._opens) and self.left > 0:
            self.left -= 1
            with ThreadPoolExecutor(1) as other:
                other.submit(delete_with_os, self._storage).result(60)
        return os.open(path, *args, **more)


def delete_with_os(storage: FileStorage) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "os", os)
        storage.delete(f"{TASK}/1-def")


@pytest.mark.parametrize("opens", [TASK, "0-"], ids=["when it was made", "when it was opened"])
def test_a_save_whose_empty_folder_was_removed_meanwhile_makes_it_again(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, opens: str
) -> None:
    put(storage, b"the last one", f"{TASK}/1-def")
    deletes = Deletes(storage, opens, times=3)
    monkeypatch.setattr(files, "os", deletes)

    assert put(storage, b"saved") == 5

    assert (deletes.left, read(storage)) == (0, b"saved")
    assert [file.key for file in storage.stored()] == [KEY]


def files_open() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_a_save_gives_up_when_its_folder_is_removed_each_time(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deletes = Deletes(storage, "0-", times=1_000)
    monkeypatch.setattr(files, "os", deletes)
    before = files_open()

    with pytest.raises(FileNotFoundError):
        put(storage, b"saved")

    assert deletes.left == 900
    assert files_open() == before


def test_an_error_of_the_source_leaves_nothing_behind(storage: FileStorage, tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("the disk is broken")

    with pytest.raises(OSError, match="broken"):
        storage.put(KEY, Broken(), 100)
    assert list(storage.stored()) == []


@pytest.mark.parametrize(
    "key",
    [
        "../../etc/passwd",
        f"{TASK}/../../x",
        f"{TASK}/",
        TASK,
        "/etc/passwd",
        f"{TASK}/a/b",
        f"{TASK}/a\0",
        f"{TASK}/a\n",
        "",
    ],
)
def test_what_is_no_key_is_not_there(storage: FileStorage, tmp_path: Path, key: str) -> None:
    with pytest.raises(FileNotFoundError):
        storage.open(key)
    with pytest.raises(FileNotFoundError):
        put(storage, b"x", key)
    storage.delete(key)
    assert list(tmp_path.rglob("*")) == []


def test_a_link_is_not_followed_neither_to_a_file_nor_to_a_folder(
    storage: FileStorage, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "1-abc").write_text("secret")
    put(storage, b"x", f"{TASK}/1-def")
    folder = tmp_path / "outputs" / "1a" / TASK
    (folder / "1-abc").symlink_to(secret / "1-abc")

    with pytest.raises(FileNotFoundError):
        storage.open(KEY)
    other = TASK.replace("1a2b", "1a2c")
    (tmp_path / "outputs" / "1a" / other).symlink_to(secret)
    with pytest.raises(FileNotFoundError):
        storage.open(f"{other}/1-abc")
    with pytest.raises(OSError):
        put(storage, b"x", f"{other}/1-new")
    assert [path.name for path in secret.iterdir()] == ["1-abc"]


def test_what_is_no_file_of_the_storage_is_not_among_its_files(storage: FileStorage, tmp_path: Path) -> None:
    put(storage, b"x")
    (tmp_path / "outputs" / "README").write_text("x")
    (tmp_path / "outputs" / "1a" / TASK / "notes.txt").write_text("x")

    assert [file.key for file in storage.stored()] == [KEY]


def test_a_link_a_pipe_and_a_folder_are_no_files_to_save(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")

    for name in ("link", "pipe", "folder", "nothing"):
        with pytest.raises(OSError):
            regular_file(tmp_path / name)
    with regular_file(tmp_path / "file") as file:
        assert file.read() == b"x"
