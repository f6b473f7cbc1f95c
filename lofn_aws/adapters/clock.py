"""Time, and waiting with a deadline, jitter and a reason."""

import random
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TypeVar

from lofn_aws.errors import WaitTimeout

T = TypeVar("T")


class Clock:
    """The machine's clock; tests pass one of their own with the same methods."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for some seconds."""
        time.sleep(seconds)


def wait_for(
    clock: Clock,
    probe: Callable[[], T | None],
    *,
    what: str,
    deadline_seconds: float,
    interval: float = 2.0,
    jitter: float = 0.3,
    reason: Callable[[], str] | None = None,
    next_command: str | None = None,
) -> T:
    """Call ``probe`` until it returns something other than None, and return that.

    Sleeps ``interval`` seconds, more or less the fraction ``jitter``, between calls. Raises
    WaitTimeout after ``deadline_seconds``, naming ``what`` was waited for and what ``reason``
    says about it. Whatever ``probe`` raises goes through.
    """
    end = clock.monotonic() + deadline_seconds
    while True:
        found = probe()
        if found is not None:
            return found
        left = end - clock.monotonic()
        if left <= 0:
            said = f" ({reason()})" if reason is not None else ""
            raise WaitTimeout(f"{what} did not happen within {deadline_seconds:.0f} s{said}",
                              next_command)
        clock.sleep(min(left, interval * random.uniform(1 - jitter, 1 + jitter)))
