"""The remaining time of real runs that were recorded, against what came: docs/eta.md."""

from __future__ import annotations

from tests.vectors.replay_eta import BEGIN, CLOSE, DOC, END, MOMENTS, estimates, table


def test_after_a_tenth_of_the_time_the_estimate_of_most_runs_is_close() -> None:
    found = estimates()
    early = [each for each in found if each.moment == MOMENTS[0]]

    assert (MOMENTS[0], CLOSE, len(early)) == (0.1, 0.3, 30)
    assert len({each.shape for each in early}) == 5
    assert sum(each.close for each in early) >= 24
    assert not [each for each in early if each.said is None], "three runs are known"


def test_the_table_of_the_docs_is_that_of_the_recorded_runs() -> None:
    _, _, rest = DOC.read_text().partition(BEGIN)

    assert rest.partition(END)[0] == table(estimates())
