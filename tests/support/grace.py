"""How long the tests' web processes accept the last but one refresh token: long enough for the slowest machine."""

GRACE_SECONDS = 3600
