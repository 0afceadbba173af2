"""``taskroom completion``: what completes its commands and options in a shell, made of the parser itself."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from taskroom.cli.parser import COMMANDS, parser

EPILOG = (
    'bash: eval "$(taskroom completion bash)" in ~/.bashrc; '
    'zsh: eval "$(taskroom completion zsh)" in ~/.zshrc, after compinit'
)


class Option(NamedTuple):
    """``values`` are the words that may follow; ``takes`` tells whether something must."""

    names: tuple[str, ...]
    help: str
    takes: str | None
    values: tuple[str, ...]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("shell", choices=("bash", "zsh"))


def call(given: argparse.Namespace) -> int:
    print("\n".join(bash() if given.shell == "bash" else zsh()))
    return 0


def bash() -> Iterator[str]:
    """Yields the lines of the function for bash."""
    options, words = _options()
    yield "_taskroom() {"
    yield "    local word command= values= i"
    yield "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}"
    yield "    case $before:$current in"  # --option=value are three words
    yield "        *:=) current= ;;"
    yield "        =:*) before=${COMP_WORDS[COMP_CWORD - 2]} ;;"
    yield "    esac"
    yield "    COMPREPLY=()"
    yield "    for ((i = 1; i < COMP_CWORD; i++)); do"
    yield "        word=${COMP_WORDS[i]}"
    yield f"        case $word in {'|'.join(COMMANDS)}) [[ $command ]] || command=$word ;; esac"
    yield "        if [[ $command == run && $word == -- ]]; then"
    yield "            declare -F _command_offset >/dev/null && _command_offset $((i + 1)) && return"
    yield '            COMPREPLY=($(compgen -c -- "$current"))'
    yield '            ((COMP_CWORD == i + 1)) || COMPREPLY=($(compgen -f -- "$current"))'
    yield "            return"
    yield "        fi"
    yield "    done"
    yield "    case $command:$before in"
    for name, found in options.items():
        for option in found:
            if option.takes is not None:
                patterns = "|".join(f"{name}:{each}" for each in option.names)
                yield f"        {patterns}) values={shlex.quote(' '.join(option.values) or ' ')} ;;"
    yield "    esac"
    yield "    if [[ ! $values ]]; then"
    yield "        case $command in"
    for name, found in options.items():
        every = [*(each for option in found for each in option.names), *words.get(name, ())]
        yield f"            {shlex.quote(name)}) values={shlex.quote(' '.join(every))} ;;"
    yield "        esac"
    yield "    fi"
    yield '    COMPREPLY=($(compgen -W "$values" -- "$current"))'
    yield "}"
    yield "complete -F _taskroom taskroom"


def zsh() -> Iterator[str]:
    """Yields the lines of the function for zsh."""
    options, words = _options()
    yield "#compdef taskroom"
    yield "_taskroom() {"
    yield "    local context state state_descr line"
    yield "    typeset -A opt_args"
    yield f"    local -a names=({' '.join(_quoted(f'{name}:{about}') for name, about in COMMANDS.items())})"
    yield f"    _arguments -C {' '.join(_specs(options['']))} '1: :->command' '*:: :->rest'"
    yield "    case $state in"
    yield "        command) _describe command names ;;"
    yield "        rest)"
    yield "            case $words[1] in"
    for name in COMMANDS:
        rest = [_quoted(f"1: :({' '.join(words[name])})") if name in words else "'*: :()'"]
        if name == "run":
            rest = ["-S -A '-*'", "'*::: :_normal'"]
        yield f"                {name}) _arguments {' '.join([*rest, *_specs(options[name])])} ;;"
    yield "            esac ;;"
    yield "    esac"
    yield "}"
    yield 'if [[ $funcstack[1] == _taskroom ]]; then _taskroom "$@"; else compdef _taskroom taskroom; fi'


def _specs(options: list[Option]) -> Iterator[str]:
    """Yields the options as _arguments wants them."""
    for option in options:
        about = option.help.replace("[", "(").replace("]", ")")
        for name in option.names:
            spec = f"{name}[{about}]"
            if option.takes is not None:
                equals = "=" if name.startswith("--") else ""
                spec = f"{name}{equals}[{about}]:{option.takes}:({' '.join(option.values)})"
            yield _quoted(spec)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _options() -> tuple[dict[str, list[Option]], dict[str, tuple[str, ...]]]:
    """The options by command, and the words that a command takes first. The command "" is none yet."""
    top = parser()
    commands = next(action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    parsers = {"": top, **commands.choices}
    words = {"": tuple(COMMANDS)}
    for name, each in commands.choices.items():
        for action in each._actions:
            if not action.option_strings and action.choices:
                words[name] = tuple(map(str, action.choices))
    return {name: [_option(action) for action in each._actions if action.option_strings]
            for name, each in parsers.items()}, words  # fmt: skip


def _option(action: argparse.Action) -> Option:
    takes = None if action.nargs == 0 else str(action.metavar or action.dest)
    about = (action.help or "") % {"default": action.default, "prog": "taskroom"}
    return Option(tuple(action.option_strings), about, takes, tuple(map(str, action.choices or ())))
