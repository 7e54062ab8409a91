"""Waiting for what is about to happen."""

from fabfile.effects.ssh.waiting import Glance, wait_until


def test_waiting_ends_with_the_first_true_result() -> None:
    looks = iter([None, None, "there"])
    assert wait_until(lambda: next(looks), timeout=5, poll=0.01) == "there"


def test_waiting_ends_with_none_when_time_is_over() -> None:
    assert wait_until(lambda: None, timeout=0.05, poll=0.01) is None


def test_a_glance_is_repeated_only_when_it_is_old() -> None:
    numbers = iter(range(9))
    fresh = Glance(lambda: next(numbers), every=60)
    assert [fresh.look(), fresh.look()] == [0, 0]
    stale = Glance(lambda: next(numbers), every=0)
    assert [stale.look(), stale.look()] == [1, 2]
