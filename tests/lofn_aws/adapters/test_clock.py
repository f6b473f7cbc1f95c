"""Waiting: until it happens, until the deadline, with the reason."""

import pytest

from lofn_aws.adapters.clock import Clock, wait_for
from lofn_aws.errors import WaitTimeout


class Steps(Clock):
    def __init__(self) -> None:
        self.time, self.slept = 0.0, []

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def test_returns_the_first_answer_that_is_not_none() -> None:
    answers = iter([None, None, 0])
    assert wait_for(Steps(), lambda: next(answers), what="x", deadline_seconds=60) == 0


def test_the_deadline_is_kept_and_the_reason_said() -> None:
    clock = Steps()
    with pytest.raises(WaitTimeout, match=r"the end did not happen within 10 s \(it hangs\)"):
        wait_for(clock, lambda: None, what="the end", deadline_seconds=10, interval=3,
                 reason=lambda: "it hangs")
    assert clock.time == pytest.approx(10)


def test_pauses_differ() -> None:
    clock = Steps()
    with pytest.raises(WaitTimeout):
        wait_for(clock, lambda: None, what="x", deadline_seconds=100, interval=2, jitter=0.3)
    pauses = clock.slept[:-1]
    assert len(set(pauses)) > 5
    assert all(1.4 <= pause <= 2.6 for pause in pauses)


def test_what_the_probe_raises_goes_through() -> None:
    def probe() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        wait_for(Steps(), probe, what="x", deadline_seconds=10)
