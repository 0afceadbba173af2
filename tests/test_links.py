"""Each link of a page leads to a file that is there, and to a heading that the file has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SOURCES = [
    path
    for pattern in (
        "app/**/*.py",
        "workers/**/*.py",
        "tests/**/*.py",
        "bench/**/*.py",
        "script/*",
        "deploy/*",
    )
    + (
        "migrations/**/*.py",
        "static/src/**/*.ts*",
        "*.yml",
        "*.toml",
        "*.py",
        "requirements*.txt",
        "constraints.txt",
    )
    for path in ROOT.glob(pattern)
    if path.is_file()
]
BLOCK = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)(?: \"[^\"]*\")?\)")
SOURCE = re.compile(r"<(?:img|a|source)\b[^>]*?\b(?:src|href|srcset)=\"([^\"]+)\"")
NAMED = re.compile(r"\b(docs/[\w/-]+\.md)(#[\w-]+)?")
ELSEWHERE = ("https://", "http://", "mailto:")


def links(page: Path) -> Iterator[str]:
    """What the page links to; what stands in code is no link."""
    text = BLOCK.sub("", page.read_text())
    for line in text.splitlines():
        # A link may have code for its text, so only the code is taken out, not what is around it.
        plain = CODE.sub("x", line)
        yield from LINK.findall(plain)
        yield from SOURCE.findall(plain)


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them: without punctuation, and numbered when they come again."""
    found, seen = set(), Counter[str]()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", BLOCK.sub("", page.read_text()), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def leads_nowhere(base: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (base.parent / path).resolve() if path else base
    if not target.exists() or not target.is_relative_to(ROOT):
        return True
    return bool(anchor) and (target.suffix != ".md" or anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    here = [link for link in links(page) if not link.startswith(ELSEWHERE)]

    assert [link for link in here if leads_nowhere(page, link)] == []


def test_pages_have_links_with_and_without_an_anchor() -> None:
    """Else the test above finds nothing because it looks at nothing."""
    found = [link for page in PAGES for link in links(page)]

    assert len([link for link in found if "#" in link]) > 20
    assert len([link for link in found if "#" not in link]) > 60
    assert "what-is-kept" in anchors(ROOT / "docs/operations.md")
    assert leads_nowhere(ROOT / "README.md", "none.md")
    assert leads_nowhere(ROOT / "docs/auth.md", "operations.md#none")


def test_each_page_is_found_from_the_readme() -> None:
    seen, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        for link in links(page):
            if not link.startswith(ELSEWHERE):
                target = (page.parent / link.partition("#")[0]).resolve()
                waiting += target.glob("*.md") if target.is_dir() else [target]

    assert [page for page in PAGES if page not in seen] == []


def test_each_page_that_the_code_names_is_there() -> None:
    named = {
        (match[0], match[1]) for path in SOURCES for match in NAMED.findall(path.read_text(errors="replace"))
    }

    assert len(named) > 5
    assert [path + to for path, to in sorted(named) if leads_nowhere(ROOT / "README.md", path + to)] == []
