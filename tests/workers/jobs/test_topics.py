from __future__ import annotations

import pytest

from workers.jobs import _topics
from workers.jobs._topics import Topics, Vocabulary, strongest


def test_terms_of_few_documents_weigh_more() -> None:
    vocabulary = Vocabulary()
    for terms in ({"sail": 90}, {"sail": 1, "reef": 1}, {"sail": 1, "reef": 1, "knot": 1}):
        vocabulary.add(terms)
    weights = vocabulary.weights({"sail": 1, "reef": 1, "knot": 1, "unheard": 1})
    assert weights["knot"] > weights["reef"] > weights["sail"] > 0
    assert strongest(weights, 2) == ("knot", "reef")


def test_the_vocabulary_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_topics, "VOCABULARY", 10)
    vocabulary = Vocabulary()
    for number in range(100):
        vocabulary.add({"common": 1, f"rare{number}": 1})
        assert len(vocabulary._counts) <= 21
    assert set(vocabulary.weights({"common": 1, "rare99": 1})) == {"common"}


def test_equal_weights_are_ordered_by_the_alphabet() -> None:
    assert strongest({"b": 1.0, "a": 1.0, "c": 2.0}) == ("c", "a", "b")


def test_documents_are_sorted_by_package_folder_and_shared_keyword(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_topics, "SPLIT_ABOVE", 2)
    documents = {
        "large/__init__.py": {"hull": 1},
        "large/core/a.py": {"hull": 1},
        "large/core/b.py": {"hull": 1},
        "small/a.py": {"oar": 1},
        "small-1.0.dist-info/README.md": {"oar": 1},
        "one.txt": {"oar": 9},
        "two.txt": {"knot": 1, "hull": 1},
        "three.txt": {"knot": 1},
    }
    topics = Topics(documents.items())
    assigned = {
        path: topics.assign(path, {t: float(n) for t, n in terms.items()})
        for path, terms in documents.items()
    }
    assert assigned == {
        "large/__init__.py": "large",
        "large/core/a.py": "large/core",
        "large/core/b.py": "large/core",
        "small/a.py": "small",
        "small-1.0.dist-info/README.md": "small",
        "one.txt": "other",
        "two.txt": "knot",
        "three.txt": "knot",
    }
    assert [(topic.name, topic.files) for topic in topics.largest()][:2] == [("knot", 2), ("large/core", 2)]
    assert topics.largest()[2].keywords == ("oar",)
