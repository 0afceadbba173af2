"""Draws the rooms of app/ and their imports in docs/architecture.md; ``--check`` only reports whether it is right.

A room is a package or module directly in ``app``, or ``workers``, or ``taskroom`` of sdk/. An arrow is an import; an
import that other arrows imply is left out. pyproject.toml has the contract for the imports, held by script/check.
"""

from __future__ import annotations

import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/architecture.md"
BEGIN, END = "<!-- drawn by script/rooms.py -->\n", "<!-- end of the drawing -->\n"

Arrows = dict[str, set[str]]


def main() -> int:
    head, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    page = head + BEGIN + drawing(reduced(imports())) + END + tail
    if page == PAGE.read_text():
        return 0
    if "--check" in sys.argv:
        print("the drawing in docs/architecture.md differs from the imports:", file=sys.stderr)
        print("run .venv/bin/python script/rooms.py", file=sys.stderr)
        return 1
    PAGE.write_text(page)
    return 0


def imports() -> Arrows:
    """Returns, for each room, the rooms that it imports."""
    sys.path.insert(0, str(ROOT))
    graph = grimp.build_graph("app", "workers", "taskroom", cache_dir=None)
    arrows: Arrows = {}
    for module in graph.modules:
        if module == "app":
            continue  # it only re-exports create_app
        found = {room(imported) for imported in graph.find_modules_directly_imported_by(module)}
        arrows.setdefault(room(module), set()).update(found - {room(module), "app"})
    return arrows


def room(module: str) -> str:
    parts = module.split(".")
    return parts[0] if parts[0] != "app" else ".".join(parts[:2]).removeprefix("app.")


def reduced(arrows: Arrows) -> Arrows:
    """Removes each arrow whose end a longer path reaches too."""
    return {
        importer: {i for i in found if not any(i in reached(arrows, other) for other in found - {i})}
        for importer, found in arrows.items()
    }


def reached(arrows: Arrows, start: str) -> set[str]:
    seen, ahead = set[str](), {start}
    while ahead:
        seen |= ahead
        ahead = {following for one in ahead for following in arrows[one]} - seen
    return seen


def drawing(arrows: Arrows) -> str:
    lines = [f"    {importer} --> {i}" for importer in sorted(arrows) for i in sorted(arrows[importer])]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```", ""])


if __name__ == "__main__":
    raise SystemExit(main())
