"""Quiz questions and flashcards made from the sentences of a text: the same text gives the same questions."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import log as ln
from typing import Any, Literal

from workers.jobs._words import STOP_WORDS, Word, is_unspaced, words

Kind = Literal["quiz", "flashcards"]
Question = dict[str, Any]
BLANK = "____"
CHOICES = 4
MAX_QUESTION = 240
SENTENCE_WORDS = 4  # what is shorter is rather a heading
SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？．।॥؟۔])\s*|\n+")
BULLET = re.compile(r"^(?:[-#>*•–—]+|\d+[.)])\s+")


class SourceText:
    """A text cut into sentences, with its terms ranked: often and long before seldom and short."""

    def __init__(self, content: str) -> None:
        # What cannot be stored or shown goes first: lone surrogates and control characters.
        content = unicodedata.normalize("NFC", content.encode("utf-8", "replace").decode())
        content = "".join(c if c == "\n" or unicodedata.category(c) != "Cc" else " " for c in content)
        pieces = dict.fromkeys(BULLET.sub("", piece.strip()) for piece in SENTENCE_END.split(content))
        self.sentences = [(piece, found) for piece in pieces if (found := list(words(piece)))]
        counts: Counter[str] = Counter()
        self._spelling: dict[str, str] = {}
        for _, found in self.sentences:
            counts.update(word.key for word in found)
            for word in found:
                self._spelling.setdefault(word.key, word.text)
        self._scores = {key: _score(key, count) for key, count in counts.items()}
        self._ranked = self._by_score(counts)

    def candidates(self, loosened: int) -> Iterator[tuple[int | None, str]]:
        """(sentence index, term) in the order in which to ask: as long as there are any, another sentence
        with another term each time.

        ``loosened`` 0 takes telling words of whole sentences, 1 of any sentence, 2 any word at all and
        last the words on their own (index None), for a text of one word.
        """
        choices: list[tuple[int, list[str]]] = []
        for index, (_, found) in enumerate(self.sentences):
            different = {word.key for word in found}
            keys = self._by_score(key for key in different if loosened == 2 or self._scores[key])
            if keys and (loosened or len(found) >= SENTENCE_WORDS):
                choices.append((index, keys))
        choices.sort(key=lambda choice: -self._scores[choice[1][0]])
        asked: set[str] = set()
        later: list[tuple[int, str]] = []
        for index, keys in choices:
            fresh = next((key for key in keys if key not in asked), None)
            later.extend((index, key) for key in keys if key != fresh)
            if fresh is not None:
                asked.add(fresh)
                yield index, fresh
        yield from sorted(later, key=lambda pair: (-self._scores[pair[1]], pair))
        if loosened == 2:
            yield from ((None, key) for key in self._ranked)

    def ask(self, kind: Kind, index: int | None, key: str) -> Question | None:
        """One question about the term, or None where the sentence or the text has too little for it."""
        answer = self._spelling[key]
        if index is None:
            if kind == "flashcards":
                hint = f"Which word of {len(answer)} letters that begins with “{answer[0]}” is in the text?"
                return {"front": hint, "back": answer}
            question = f"Is the word “{answer}” in the text?"
            return {"question": question, "choices": ["Yes", "No"], "answer": "Yes"}
        sentence, found = self.sentences[index]
        if all(word.key == key for word in found):
            return None  # nothing would be left to go by
        cloze = _blank(sentence, [word for word in found if word.key == key])
        if kind == "flashcards":
            return {"front": cloze, "back": answer}
        choices = [answer, *self._distractors(key, {word.key for word in found})]
        return {"question": cloze, "choices": _shuffled(choices, cloze), "answer": answer}

    def _by_score(self, keys: Iterable[str]) -> list[str]:
        return sorted(keys, key=lambda key: (-self._scores[key], key))

    def _distractors(self, key: str, here: set[str]) -> list[str]:
        """Other terms of the text: rather not of the same sentence, rather telling, and of like length."""

        def distance(other: str) -> tuple[bool, bool, int, str]:
            return other in here, not self._scores[other], abs(len(other) - len(key)), other

        others = sorted((other for other in self._ranked[:200] if other != key), key=distance)
        return [self._spelling[other] for other in others[: CHOICES - 1]]


def problems(kind: Kind, question: Question) -> str | None:
    """What is wrong with a question, or None."""
    if kind == "flashcards":
        front, back = question.get("front"), question.get("back")
        return None if front and back and front != back else "a flashcard needs two different sides"
    choices: Sequence[str] = question.get("choices", ())
    if not question.get("question"):
        return "the question is empty"
    if len(choices) < 2 or len({choice.casefold() for choice in choices}) < len(choices):
        return "the choices are too few or not distinct"
    return None if question.get("answer") in choices else "the answer is not among the choices"


def prompt(question: Question) -> str:
    """What makes a question the same as another."""
    return str(question.get("question") or question.get("front"))


def _score(key: str, count: int) -> float:
    if key in STOP_WORDS or key.isnumeric():
        return 0.0
    # A letter of a script without spaces carries about what three letters of an alphabet do.
    length = 3 * len(key) if is_unspaced(key[0]) else len(key)
    return 0.0 if length < 3 else (1 + ln(count)) * min(length, 12)


def _blank(sentence: str, places: Sequence[Word]) -> str:
    """The sentence with every occurrence of a term blanked, cut to what surrounds the first one."""
    parts: list[str] = []
    end = 0
    for word in places:
        parts += [sentence[end : word.start], BLANK]
        end = word.end
    whole = "".join([*parts, sentence[end:]])
    if len(whole) <= MAX_QUESTION:
        return whole
    start = max(0, places[0].start - MAX_QUESTION // 2)
    window = whole[start : start + MAX_QUESTION - 2]
    return ("…" if start else "") + window + ("…" if start + len(window) < len(whole) else "")


def _shuffled(choices: Sequence[str], salt: str) -> list[str]:
    return sorted(choices, key=lambda choice: hashlib.sha256(f"{salt}\0{choice}".encode()).digest())
