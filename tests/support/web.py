"""The web process, with what no operator sets."""

import os

import wsgi  # patches first
from app.auth import sessions
from app.http import rate_limits
from tests.support import grace, long_turns, other_library

# A test that counts attempts is not to meet the end of the minute, however slow the machine is.
rate_limits.WINDOW_SECONDS = int(os.environ.get("TEST_WINDOW_SECONDS", rate_limits.WINDOW_SECONDS))
# Nor is one that refreshes to meet the end of the grace: it says itself when that has passed.
sessions.GRACE_SECONDS = grace.GRACE_SECONDS

if os.environ.get("TEST_OTHER_LIBRARY"):
    other_library.put_in()

if os.environ.get("TEST_LONG_TURNS"):
    long_turns.put_in()

if __name__ == "__main__":
    wsgi.main()
