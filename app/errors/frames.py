"""The frames of errors that were handled.

An error refers to the frames that it passed, and they refer to it, often from code of a library. With its traceback it
would keep all that they have, such as the body of a request, until the next full collection of garbage.
"""

from __future__ import annotations


def drop_frames(error: BaseException) -> None:
    """Drops the tracebacks of an error that was handled and of those that led to it."""
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        each = left.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        each.__traceback__ = None
        # webargs hands the error of marshmallow on as an attribute
        left += each.__cause__, each.__context__, getattr(each, "exc", None)
