"""Words of a text in any script, and the words that say nothing about it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been before being below
    between both but by can cannot could did do does doing done down during each either else ever every
    few for from further get had has have having he her here hers him his how however if in into is it
    its itself just like made make may me might more most much must my no nor not now of off on once one
    only or other our out over own per same shall she should since so some such than that the their them
    then there these they this those through thus to too two under until up upon use used uses using
    very via was we were what when where whether which while who whom whose why will with within without
    would yes yet you your arg args bool bytes class cls code def default dict elif except exception
    false file files finally float found func function global import int item items key kwargs lambda
    len line list method name names new none nonlocal null number object optional param params parameter
    pass path print raise raises return returns self set specified str string true try tuple type types
    typing union value values version yield copyright license http https www com org test tests
    """.split()  # noqa: SIM905  # as a list it would fill two hundred lines
)
JOINERS = frozenset("'\u2019\u200c\u200d")  # apostrophes, and what holds letters together or apart
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
UNSPACED_LENGTH = 3  # letters; such scripts write no spaces, and one word has one to three
LONGEST = 60  # code points; what is longer is no word that anybody asks for, and is cut


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it stands in its text, in code points. ``key`` is the same in upper and lower case."""

    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def key(self) -> str:
        return self.text.casefold()


@lru_cache(maxsize=4096)
def _kind(char: str) -> str:
    category = unicodedata.category(char)
    if category[0] == "M" or char in JOINERS:
        return "mark"
    if category[0] not in "LN":
        return ""
    script = unicodedata.name(char, "").split(" ", 1)[0]
    return script if script in UNSPACED else "letter"


def words(text: str) -> Iterator[Word]:
    """Runs of letters and digits with their combining marks; a mark alone is no word.

    ``re``'s ``\\w`` would cut Hindi, Thai and decomposed accents apart, because it does not count marks.
    """
    kinds: list[str] = []
    for char in text:
        kind = _kind(char)
        # A mark belongs to the letter before it, whichever its own script.
        kinds.append((kinds[-1] if kinds else "") if kind == "mark" else kind)
    for kind, run in groupby(range(len(text)), kinds.__getitem__):
        if not kind:
            continue
        places = list(run)
        yield from _pieces(text, places[0], places[-1] + 1, LONGEST if kind == "letter" else UNSPACED_LENGTH)


def _pieces(text: str, start: int, end: int, letters: int) -> Iterator[Word]:
    """Cuts a run before every so many letters; marks stay with their letter, as far as LONGEST allows."""
    count, first = 0, start
    for place in range(start, end):
        if _kind(text[place]) == "mark":
            continue
        if count == letters:
            yield _word(text, first, place)
            count, first = 0, place
        count += 1
    yield _word(text, first, end)


def _word(text: str, start: int, end: int) -> Word:
    return Word(text[start : min(end, start + LONGEST)].rstrip("".join(JOINERS)), start)


def is_unspaced(char: str) -> bool:
    """Whether the letter is of a script that writes no spaces between words."""
    return _kind(char) in UNSPACED
