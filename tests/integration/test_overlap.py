"""The check for overlap itself: it sees what overlaps, and nothing else."""

from .overlap import Run, overlaps


def test_runs_one_after_the_other_do_not_overlap() -> None:
    assert overlaps([Run("node0", 1, 2), Run("node1", 2.5, 3), Run("node0", 3, 9)]) == []


def test_runs_at_the_same_time_overlap_wherever_they_are() -> None:
    first, second, third = Run("node0", 1, 5), Run("node1", 2, 3), Run("node0", 4, 6)
    assert overlaps([first, second, third]) == [(first, second, 3), (first, third, 1)]
