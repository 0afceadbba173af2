from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from workers.jobs._words import words

if TYPE_CHECKING:
    from conftest import Recorder

Load = Callable[..., ModuleType]
TEXT = """Photosynthesis converts light energy into chemical energy. It happens in the chloroplasts of cells.
Chlorophyll absorbs mostly blue and red light. The Calvin cycle fixes carbon dioxide into sugars.
Oxygen is released as a by-product when water is split. Plants, algae and cyanobacteria perform it."""
KINDS = ["quiz", "flashcards"]
any_text = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(["a", "b", "Tide", "harbour", "of", "42", "।", ".", "\n", "海", "भाव", "é"])
    ).map(" ".join),
)


def run(module: ModuleType, content: str, kind: str = "quiz", **options: Any) -> list[dict[str, Any]]:
    params = module.ArtifactParams().load({"artifact_type": kind, "content": content, "options": options})
    result = module.artifact(**params)
    assert list(result) == ["questions"]
    assert len(json.dumps(result)) < 65_536
    questions: list[dict[str, Any]] = result["questions"]
    return questions


def check(questions: list[dict[str, Any]], kind: str, wanted: int) -> None:
    assert 1 <= len(questions) <= wanted
    for question in questions:
        json.dumps(question, ensure_ascii=False).encode()
        if kind == "flashcards":
            assert set(question) == {"front", "back"}
            assert question["front"] and question["back"]
        else:
            assert set(question) == {"question", "choices", "answer"}
            assert question["answer"] in question["choices"]
            assert 2 <= len(question["choices"]) <= 4
            assert len({choice.casefold() for choice in question["choices"]}) == len(question["choices"])
    assert len({question.get("question") or question["front"] for question in questions}) == len(questions)


@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # the recorder gathers the logs of all examples, which none of them reads
@given(content=any_text, wanted=st.integers(1, 8))
def test_any_text_with_a_word_gives_valid_questions(load: Load, kind: str, content: str, wanted: int) -> None:
    module = load("artifact")
    if any(unicodedata.category(char)[0] in "LN" for char in unicodedata.normalize("NFC", content)):
        questions = run(module, content, kind, num_questions=wanted)
        check(questions, kind, wanted)
        assert questions == run(module, content, kind, num_questions=wanted), (
            "the same text, the same questions"
        )
    else:
        with pytest.raises(module.RetryTask):
            run(module, content, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run(load: Load, recorder: Recorder, kind: str) -> None:
    questions = run(load("artifact"), TEXT, kind)
    check(questions, kind, 5)
    assert len(questions) == 5
    assert recorder.names() == ["plan", "generate", "validate"]
    assert all(phase.completed and phase.errors == 0 for phase in recorder.phases)
    assert recorder["validate"].processed == 5
    answers = [question.get("answer") or question["back"] for question in questions]
    assert len(set(answers)) == 5, "one term must not be asked for again and again"
    assert "chloroplasts" in answers
    for question, answer in zip(questions, answers, strict=True):
        asked = question.get("question") or question["front"]
        assert answer.casefold() not in {word.key for word in words(asked)}, (
            "the question gives its answer away"
        )
        assert asked.replace("____", answer) in TEXT.replace("\n", " ")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "content",
    [
        "Create a quiz on photosynthesis",
        "Photosynthesis",
        "to be or not",
        "x",
        "42",
        "光合作用是植物利用阳光把二氧化碳和水变成糖的过程。叶绿体含有叶绿素。",
        "प्रकाश संश्लेषण वह प्रक्रिया है जिसमें पौधे भोजन बनाते हैं।",
        "التمثيل الضوئي هو عملية تحويل الطاقة الضوئية إلى طاقة كيميائية",
        "การสังเคราะห์ด้วยแสงเป็นกระบวนการ",
        "a" * 60_000,
        "e" + "\u0301" * 10_000,
        "\ud800 lone\0 surrogate",
    ],
    ids=lambda content: ascii(content[:8]),
)
def test_little_and_odd_texts_yield_a_question(load: Load, content: str, kind: str) -> None:
    check(run(load("artifact"), content, kind), kind, 5)


def test_marks_stay_with_their_letters() -> None:
    assert [word.text for word in words("हिन्दी भाषा, naïve don't")] == ["हिन्दी", "भाषा", "naïve", "don't"]


@pytest.mark.parametrize("content", ["", "   \n", "!!! … 🙂", "\u0301"])
def test_content_without_words_fails_after_two_repairs(load: Load, recorder: Recorder, content: str) -> None:
    module = load("artifact")
    with pytest.raises(module.RetryTask) as failure:
        run(module, content)
    assert "Validation failed after 2 repair attempts" in str(failure.value)
    assert [text for text in recorder.at("INFO") if "repair" in text] == [
        "0 of 5 questions are valid; repair 1 of 2",
        "0 of 5 questions are valid; repair 2 of 2",
    ]
    assert recorder["validate"].errors == 1
    assert recorder.jobs["artifact"]["max_retries"] == 1


def test_an_invalid_question_is_dropped_and_replaced(
    load: Load, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load("artifact")
    ask = module.SourceText.ask
    asked: list[str] = []

    def spoiled(self: Any, kind: str, index: int | None, key: str) -> dict[str, Any] | None:
        question: dict[str, Any] | None = ask(self, kind, index, key)
        if question and not asked:
            question["answer"] = "none of these"
        asked.append(key)
        return question

    monkeypatch.setattr(module.SourceText, "ask", spoiled)
    check(run(module, TEXT), "quiz", 5)
    assert recorder.at("WARNING") == ["Dropped a question: the answer is not among the choices"]
    assert recorder["validate"].errors == 1


def test_the_largest_content_takes_seconds(load: Load) -> None:
    content = "\n".join(f"Item{n} belongs to harbour {n} of the long coast." for n in range(4400))[:60_000]
    started = time.process_time()
    assert len(run(load("artifact"), content, num_questions=50)) == 50
    assert time.process_time() - started < 60  # of this process, however busy the machine is


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"artifact_type": "poem", "content": "x"}, "artifact_type"),
        ({"artifact_type": "quiz"}, "content"),
        ({"artifact_type": "quiz", "content": "x" * 60_001}, "content"),
        ({"artifact_type": "quiz", "content": "x", "options": {"num_questions": 0}}, "options"),
        ({"artifact_type": "quiz", "content": "x", "options": {"num_questions": 51}}, "options"),
        ({"artifact_type": "quiz", "content": "x", "options": {"size": 1}}, "options"),
        ({"artifact_type": "quiz", "content": "x", "notebook_id": "n" * 256}, "notebook_id"),
    ],
)
def test_bad_parameters_are_refused(load: Load, params: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        load("artifact").ArtifactParams().load(params)
    assert list(refusal.value.messages_dict) == [field]
