"""How long to wait for EC2, and how to ask it again."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from .errors import ApiError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Seconds.

    answer   for a call that is throttled, or fails inside EC2, to be answered
    visible  for new instances to be shown: what was launched may be missing from a description for a while
             (EC2 API reference, "Eventual consistency")
    doubt    for instances to be shown that a refused call may have launched before
    settled  for instances to have stopped, started or terminated
    first    between two looks, or two calls, at the beginning; `most` later
    """

    answer: float = 120.0
    visible: float = 120.0
    doubt: float = 20.0
    settled: float = 600.0
    first: float = 0.2
    most: float = 1.0


def insist(
    ask: Callable[[], T], patience: Patience, say: Callable[[str], None], also: Collection[str] = ()
) -> T:
    """Make a call again while EC2 throttles it, fails or does not answer; it must be one that may be
    repeated.

    `also` are further codes to wait out.  `say` is told why, in a line, before each time.  Raises ApiError.
    """

    told: set[str] = set()

    def passing(error: BaseException) -> bool:
        return isinstance(error, ApiError) and (error.throttled or error.uncertain or error.code in also)

    def tell(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ApiError):
            words = (
                "is throttled"
                if error.throttled
                else "was not answered"
                if not error.code
                else f"said {error.code}"
            )
            line = f"EC2: {error.operation} {words}: asking again, for {patience.answer:.0f} s at most"
            if line not in told:
                told.add(line)
                say(line)

    retry = tenacity.Retrying(
        retry=tenacity.retry_if_exception(passing),
        # Up to 10 s: throttled callers that all come back at once are throttled again.
        wait=tenacity.wait_random_exponential(multiplier=patience.first * 2, max=10 * patience.most),
        stop=tenacity.stop_after_delay(patience.answer),
        before_sleep=tell,
        reraise=True,
    )
    return retry(ask)


def wait(condition: Callable[[], T | None], patience: Patience, timeout: float) -> T | None:
    """Look, ever less often, until the condition gives something; None when `timeout` seconds have passed."""
    retry = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda value: not value),
        wait=tenacity.wait_exponential(multiplier=patience.first, exp_base=1.4, max=patience.most),
        stop=tenacity.stop_after_delay(timeout),
        retry_error_callback=lambda state: None,
    )
    return retry(condition)
