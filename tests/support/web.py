"""The web process, with internal limits changed for tests."""

import os

import wsgi  # patches first
from app import factory
from app.auth import key_authenticator, key_watch, sessions
from app.http import rate_limits
from app.observability import loop_lag
from tests.support import garbage, grace, long_turns, other_library

# On a slow machine a test that counts attempts must not reach the end of the minute.
rate_limits.WINDOW_SECONDS = int(os.environ.get("TEST_WINDOW_SECONDS", rate_limits.WINDOW_SECONDS))
# Nor may it count a second without a turn as an outage of Redis, in which each process counts for itself.
rate_limits.REDIS_SECONDS = float(os.environ.get("TEST_REDIS_SECONDS", rate_limits.REDIS_SECONDS))
# Nor may a test that refreshes reach the end of the grace period: it ends the period itself.
sessions.GRACE_SECONDS = grace.GRACE_SECONDS
# Nobody waits long for the end of a key or share; tests/test_figures.py has the product's times.
key_watch.WATCH_SECONDS, key_authenticator.CACHED_SECONDS = 0.3, 0.2
# Ten looks a second are a third of the CPU time of a process that waits, as most here do most of the time.
loop_lag.LAG_EVERY = 1.0
# A socket that does not sign in is dropped after a while; a test that opens all that may be there must be faster.
factory.PER_ADDRESS = int(os.environ.get("TEST_SOCKETS_PER_ADDRESS", factory.PER_ADDRESS))

if os.environ.get("TEST_OTHER_LIBRARY"):
    other_library.install()

if os.environ.get("TEST_GARBAGE"):
    garbage.install()

if os.environ.get("TEST_LONG_TURNS"):
    long_turns.install()

if __name__ == "__main__":
    wsgi.main()
