"""Makes a quiz or flashcards from a text."""

from __future__ import annotations

import json
from typing import Any

from marshmallow import Schema, fields, validate

from workers.jobs._questions import Kind, Question, SourceText, problems, prompt
from workers.progress import RetryTask, item_error, job, log, phase

MAX_CONTENT = 60_000  # all parameters together have 64 KB
MAX_RESULT_BYTES = 60_000
REPAIRS = 2


class ArtifactOptions(Schema):
    num_questions = fields.Integer(
        load_default=5,
        strict=True,
        validate=validate.Range(min=1, max=50),
        metadata={"description": "How many questions to make; a short text may yield fewer"},
    )


class ArtifactParams(Schema):
    artifact_type = fields.String(
        required=True,
        validate=validate.OneOf(["quiz", "flashcards"]),
        metadata={"description": "quiz (choices and an answer) or flashcards (front and back)"},
    )
    content = fields.String(
        required=True,
        validate=validate.Length(max=MAX_CONTENT),
        metadata={"description": "The text to make questions from, in any language"},
    )
    options = fields.Nested(
        ArtifactOptions,
        load_default={"num_questions": 5},
        metadata={"description": "Options of the artifact"},
    )
    notebook_id = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=255),
        metadata={"description": "The notebook that the artifact belongs to"},
    )


@job(
    "artifact",
    params=ArtifactParams,
    title="Quiz or flashcards",
    phases={"plan": 10, "generate": 80, "validate": 10},
    max_retries=1,
)
def artifact(
    *, artifact_type: Kind, content: str, options: dict[str, Any], notebook_id: str | None
) -> dict[str, list[Question]]:
    """Makes a quiz or flashcards out of a text's own sentences.

    Returns ``{"questions": [...]}`` in the order of the text: of a quiz ``{question, choices, answer}``, of
    flashcards ``{front, back}``. Raises RetryTask when the text yields no valid question after two repairs.
    """
    wanted = int(options["num_questions"])
    with phase("plan", total=1, message="Reading the text") as progress:
        text = SourceText(content)
        plan = _Plan(text, artifact_type)
        log(f"Plan: {wanted} questions from {len(text.sentences)} sentences", component="planner")
        progress.advance(1, message="Plan created")
    with phase("generate", total=wanted, message="Writing questions") as progress:
        while len(plan.questions) < wanted and plan.next_question(loosened=0):
            progress.advance(1, message=f"Question {len(plan.questions)} of {wanted}")
        log(f"Generated {len(plan.questions)} of {wanted} questions", component="generator")
    with phase("validate", total=wanted, message="Checking the questions") as progress:
        for repair in range(1, REPAIRS + 1):
            plan.drop_invalid()
            # The second repair takes any word at all: good for a text that has nothing else, bad as a filler.
            if len(plan.questions) >= (wanted if repair < REPAIRS else 1):
                break
            count = f"{len(plan.questions)} of {wanted} questions are valid"
            log(f"{count}; repair {repair} of {REPAIRS}", component="validator")
            while len(plan.questions) < wanted and plan.next_question(loosened=repair):
                pass
        plan.drop_invalid()
        if not plan.questions:
            item_error("The text has no words to ask about")
            raise RetryTask(f"Validation failed after {REPAIRS} repair attempts")
        questions = _fitting(plan.in_text_order())
        progress.total = len(questions)
        progress.advance(len(questions), message="Validation passed")
    return {"questions": questions}


class _Plan:
    """The questions so far, each with the sentence it is about, and where to look for the next one."""

    def __init__(self, text: SourceText, kind: Kind) -> None:
        self.questions: dict[str, tuple[int, Question]] = {}
        self._text, self._kind = text, kind
        self._candidates = {level: text.candidates(level) for level in range(REPAIRS + 1)}

    def next_question(self, *, loosened: int) -> bool:
        """Adds one question that is not there yet; False when the text has no more at this level."""
        for index, key in self._candidates[loosened]:
            question = self._text.ask(self._kind, index, key)
            if question is not None and prompt(question) not in self.questions:
                self.questions[prompt(question)] = (index or 0, question)
                return True
        return False

    def drop_invalid(self) -> None:
        for key, (_, question) in list(self.questions.items()):
            problem = problems(self._kind, question)
            if problem:
                item_error(f"Dropped a question: {problem}")
                del self.questions[key]

    def in_text_order(self) -> list[Question]:
        return [question for _, question in sorted(self.questions.values(), key=lambda pair: pair[0])]


def _fitting(questions: list[Question]) -> list[Question]:
    """As many as fit into a task's result; fifty long ones in a script of four-byte letters do not."""
    size = 0
    for count, question in enumerate(questions):
        size += len(json.dumps(question)) + 2
        if size > MAX_RESULT_BYTES:
            return questions[:count]
    return questions
