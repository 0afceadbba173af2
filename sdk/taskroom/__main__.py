"""``python -m taskroom`` is the command ``taskroom``."""

from __future__ import annotations

import sys

from taskroom.cli.main import main

sys.exit(main())
