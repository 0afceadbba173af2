"""The web process with the tests' job types."""

import wsgi  # patches first
from tests.support import gated, jobs, release

assert gated and jobs and release

if __name__ == "__main__":
    wsgi.main()
