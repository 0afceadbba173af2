"""How long something may take that comes by itself."""

from __future__ import annotations

# A sign-out is heard at once, or read within a second (tests/api/test_revocations.py counts on that); this is for a
# machine that does much else.
LIMIT = 60.0
