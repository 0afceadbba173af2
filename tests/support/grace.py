"""How long the tests' web processes take the refresh token before the last: no machine is so slow that it ends by
itself in the middle of a test."""

GRACE_SECONDS = 3600
