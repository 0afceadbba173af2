"""What an operator does at the command line, done in this process: a new one takes a second to import what it needs."""

from __future__ import annotations

import os
import sys
from unittest import mock

from app import cli
from tests.support.system import PASSWORD, System


def account(system: System, *arguments: str, password: str = PASSWORD) -> str:
    """What ``account`` complains of; empty when it did what it was asked."""
    environment = system.environment(ACCOUNT_PASSWORD=password)
    command = ["app.cli", "account", *arguments]
    with mock.patch.dict(os.environ, environment), mock.patch.object(sys, "argv", command):
        try:
            cli.main()
        except SystemExit as refusal:
            return str(refusal.code)
    return ""
