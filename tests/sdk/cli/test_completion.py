"""What a shell offers after some words."""

from __future__ import annotations

import shutil
import sys

import pytest

from taskroom.cli.parser import COMMANDS
from tests.sdk.cli.command import Command
from tests.sdk.cli.terminal import terminal

PRINT = """
source <("{python}" -m taskroom completion bash)
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_taskroom
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def offered(command: Command, *words: str) -> list[str]:
    quoted = " ".join(f"'{word}'" for word in ("taskroom", *words))
    done = command.shell(PRINT.format(python=sys.executable, words=quoted))
    assert done.stderr == ""
    return [word for word in done.stdout.splitlines() if word]


def test_bash_offers_the_commands(nowhere: Command) -> None:
    assert set(COMMANDS) <= set(offered(nowhere, ""))
    assert offered(nowhere, "c") == ["cancel", "celery", "completion"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("logs", "--l"), ["--level"]),
        (("logs", "--level", "W"), ["WARNING"]),
        (("logs", "--level", "=", "W"), ["WARNING"]),  # bash divides what is typed
        (
            ("ls", "--status", "="),
            ["PENDING", "WAITING", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED"],
        ),
        (("logs", "--level", ""), ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
        (("ls", "--status", "S"), ["STARTED", "SUCCESS"]),
        (("--url", "https://rooms.example", "completion", "z"), ["zsh"]),
        (("ls", "--limit", ""), []),
        (("run", "--", "pytho"), None),
    ],
)
def test_bash_offers_options_and_their_values(
    nowhere: Command, words: tuple[str, ...], found: list[str] | None
) -> None:
    result = offered(nowhere, *words)

    if found is None:
        assert any(word.startswith("python") for word in result)
    else:
        assert result == found


def test_bash_completes_what_is_typed(nowhere: Command) -> None:
    command = nowhere.of(PS1="$ ", TERM="dumb")
    with terminal(("bash", "--norc", "-i"), command.env) as person:
        person.wait_for("$ ")
        person.type(f'source <("{sys.executable}" -m taskroom completion bash); echo ready=$?\n')
        person.wait_for("ready=0\r\n")
        person.wait_for("$ ")
        person.type("taskroom comp\t")
        person.wait_for("taskroom completion ")
        person.type("z\t")
        person.wait_for("zsh")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_what_is_typed(nowhere: Command) -> None:
    command = nowhere.of(PS1="$ ", TERM="dumb")
    with terminal(("zsh", "-f", "-i"), command.env) as person:
        person.wait_for("$ ")
        person.type("unsetopt zle_bracketed_paste; autoload -U compinit; compinit -D\n")
        person.type(f'eval "$({sys.executable} -m taskroom completion zsh)"; echo ready=$?\n')
        person.wait_for("ready=0")
        person.wait_for("$ ")
        person.type("taskroom compl\t")
        person.wait_for("taskroom completion")
        person.type("z\t")
        person.wait_for("zsh")
        for typed, completed in (
            ("logs 1f0a93c2 --lev", "--level="),
            ("logs --level=W", "--level=WARNING"),
            ("ls --status R", "--status RE"),
            ("run -q -- printen", "printenv"),
            ("run printen", "printenv"),
        ):
            person.type(f"\x15taskroom {typed}\t")
            person.wait_for(completed)
