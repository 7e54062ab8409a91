"""How long to wait for EC2, and how calls are repeated."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from .errors import ApiError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Seconds.

    response  for a call that is throttled, or fails inside EC2, to succeed
    visible   for new instances to be shown: what was launched may be missing from a description for a while
              (EC2 API reference, "Eventual consistency")
    doubt     for instances to be shown that a refused call may have launched before
    settled   for instances to have stopped, started or terminated
    shortest  between two polls, or two calls, at the beginning; `longest` later
    """

    response: float = 120.0
    visible: float = 120.0
    doubt: float = 20.0
    settled: float = 600.0
    shortest: float = 0.2
    longest: float = 1.0


def repeat(
    call: Callable[[], T], timeouts: Timeouts, warn: Callable[[str], None], also: Collection[str] = ()
) -> T:
    """Make a call again while EC2 throttles it, fails or does not respond; it must be idempotent.

    `also`: further error codes after which to repeat it.  `warn` takes each reason, once.  Raises ApiError.
    """
    warned: set[str] = set()

    def passing(error: BaseException) -> bool:
        return isinstance(error, ApiError) and (error.throttled or error.uncertain or error.code in also)

    def before_sleep(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ApiError):
            line = f"EC2: {error.operation} {_outcome(error)}: retrying for up to {timeouts.response:.0f} s"
            if line not in warned:
                warned.add(line)
                warn(line)

    retry = tenacity.Retrying(
        retry=tenacity.retry_if_exception(passing),
        # Up to 10 s: throttled callers that all come back at once are throttled again.
        wait=tenacity.wait_random_exponential(multiplier=timeouts.shortest * 2, max=10 * timeouts.longest),
        stop=tenacity.stop_after_delay(timeouts.response),
        before_sleep=before_sleep,
        reraise=True,
    )
    return retry(call)


def _outcome(error: ApiError) -> str:
    if error.throttled:
        return "was throttled"
    return f"failed ({error.code})" if error.code else "got no response"


def poll(condition: Callable[[], T | None], timeouts: Timeouts, seconds: float) -> T | None:
    """Evaluate the condition, ever less often, until its value is true; None when `seconds` have passed."""
    retry = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda value: not value),
        wait=tenacity.wait_exponential(multiplier=timeouts.shortest, exp_base=1.4, max=timeouts.longest),
        stop=tenacity.stop_after_delay(seconds),
        retry_error_callback=lambda state: None,
    )
    return retry(condition)
