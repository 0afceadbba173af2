"""The arguments of all commands. Each command has a module, which is imported only when it is the one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from taskroom.cli.faults import Fault

# By name: what ``taskroom --help`` says of it.
COMMANDS = {
    "run": "run a command; its output and its end are a run",
    "pipe": "pass lines on from stdin to stdout; they are a run",
    "ls": "list runs, the newest first",
    "watch": "show how a run gets on, until its end",
    "logs": "print the lines of a run",
    "outputs": "list the files that a run has saved, or download one",
    "start": "start a job of Taskroom's own workers",
    "cancel": "cancel a run",
    "retry": "start an ended run again",
    "sync": "send what waits on this machine because the server was away",
    "celery": "report the tasks of Celery workers that send events (-E)",
    "completion": "print what completes these commands in a shell",
}
EPILOG = "TASKROOM_URL is the address of a Taskroom, and TASKROOM_KEY a key of its page API keys."


class Parser(argparse.ArgumentParser):
    """Its errors are one line, also that its help cannot be written."""

    def print_help(self, file: Any = None) -> None:
        (file or sys.stdout).write(self.format_help())

    def error(self, message: str) -> NoReturn:
        raise Fault(f"{message}; see {self.prog} --help")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, with ``call``: the function that does what they say. Raises Fault; SystemExit after --help."""
    argv = list(argv)
    name = next((word for word in argv if word in COMMANDS), "")
    rest: list[str] = []
    if name == "run" and "--" in argv:  # what follows is not ours, whatever it looks like
        at = argv.index("--")
        argv, rest = argv[:at], argv[at:]
    arguments = parser(name).parse_args(argv)
    if not hasattr(arguments, "call"):
        raise Fault(f"say what to do: {', '.join(COMMANDS)}; see taskroom --help")
    if rest:  # the mark is the command's own when the command stands before it
        arguments.argv = arguments.argv + rest if arguments.argv else rest[1:]
    return arguments


def parser(only: str | None = None) -> Parser:
    """The parser, with the arguments of one command or of all."""
    top = Parser(prog="taskroom", description="Live runs of any task.", epilog=EPILOG, allow_abbrev=False)
    top.add_argument("--version", action=_Version, nargs=0, help="print the version")
    top.add_argument("--url", metavar="URL", default=None, help="the Taskroom, in place of TASKROOM_URL")
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    for name, about in COMMANDS.items():
        command = commands.add_parser(
            name, help=about, description=f"{about[0].upper()}{about[1:]}.", allow_abbrev=False
        )
        command.add_argument(
            "--url", metavar="URL", default=argparse.SUPPRESS, help="the Taskroom, in place of TASKROOM_URL"
        )
        if only is None or name == only:
            module: Any = import_module(f"taskroom.cli.{name}")
            module.arguments(command)
            command.set_defaults(call=module.call)
    return top


class _Version(argparse.Action):
    """Prints the version. Only then the package is looked up: that takes as long as to start a command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from importlib import metadata

        try:
            print("taskroom", metadata.version("taskroom"))
        except metadata.PackageNotFoundError:  # used from its source
            print("taskroom (not installed)")
        parser.exit()
