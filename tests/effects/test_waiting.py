"""Waiting for what is about to happen."""

from fabfile.effects.waiting import Cached, wait_until


def test_waiting_ends_with_the_first_true_result() -> None:
    looks = iter([None, None, "there"])
    assert wait_until(lambda: next(looks), timeout=5, poll=0.01) == "there"


def test_waiting_ends_with_none_when_time_is_over() -> None:
    assert wait_until(lambda: None, timeout=0.05, poll=0.01) is None


def test_a_cached_value_is_fetched_again_only_when_it_is_old() -> None:
    numbers = iter(range(9))
    fresh = Cached(lambda: next(numbers), max_age=60)
    assert [fresh.get(), fresh.get()] == [0, 0]
    stale = Cached(lambda: next(numbers), max_age=0)
    assert [stale.get(), stale.get()] == [1, 2]
