"""The most that an event holds, in characters where nothing else is said. A server refuses or cuts what is longer."""

from __future__ import annotations

LINE_LIMIT = 16_384  # one log message
TEXT_LIMIT = 2_000  # any other text
NAME_LIMIT = 128  # a phase or component
PHASE_LIMIT = 500  # phases of a task in all its attempts
GROUP_LIMIT = 400  # groups in the log of an attempt
OPEN_GROUPS = 8  # groups within one another
TRACEBACK_LIMIT = 16_000
SOURCE_AROUND = 3  # lines of source before the one that failed, and as many after it
SOURCE_LINE_LIMIT = 200  # one line of source
TITLE_LIMIT = 255
TYPE_LIMIT = 64  # the name of a job type
PARAMS_LIMIT = 64 * 1024  # bytes of JSON
RESULT_LIMIT = 256_000  # bytes of JSON
LARGEST = 2**53  # counts and seconds: up to here a browser's numbers are exact
LINGER_SECONDS = (
    60.0  # so long another process tries to send what one has left, and as long as the server takes it
)
MOMENT_SECONDS = 0.2  # in which a server answers that is not slow; nobody's task waits longer for it
