"""Waiting for a step: its states as they change, through short outages, to its end."""

from __future__ import annotations

import random
from collections.abc import Callable

from lofn_aws.errors import CapacityError, InfrastructureError, Interrupted, WaitTimeout
from lofn_aws.model.cluster import Cluster
from lofn_aws.model.step import Step
from lofn_aws.report.progress import Phase
from lofn_aws.workflows.context import Context

# EMR's own waiters give up after 30 minutes; steps take hours and days.
STEP_SECONDS = 7 * 86_400.0
# How long EMR may be out of reach, as when this machine sleeps or changes its network.
OUTAGE_SECONDS = 120.0
_SHOWN = 120
# Seconds between looks: a tenth of what the step has taken so far, so that its end is seen soon by
# its own measure, and EMR is asked no more often than its rate limits bear.
_FIRST_INTERVAL, _LAST_INTERVAL, _SHARE = 1.0, 10.0, 0.1


def wait_step(
    ctx: Context, cluster: Cluster, step_id: str, phase: Phase, last_line: Callable[[], str]
) -> Step:
    """Return the step when it has ended, however it did.

    ``phase`` shows its state and, while it runs, the last line it printed.

    Raises WaitTimeout at the deadline, Interrupted for Ctrl-C (the step goes on in both cases),
    InfrastructureError when the cluster ended first or EMR is out of reach for too long.
    """
    try:
        return _Wait(ctx, cluster, step_id).until_end(phase, last_line)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted; the step {step_id} goes on (to end it: lofn-aws step cancel {step_id})",
            f"lofn-aws step wait {step_id}",
        ) from None


class _Wait:
    """One wait: what was last seen, and since when EMR has not answered."""

    def __init__(self, ctx: Context, cluster: Cluster, step_id: str) -> None:
        self._ctx = ctx
        self._cluster = cluster
        self._id = step_id
        self._state = "unknown"
        self._silent_since: float | None = None

    def until_end(self, phase: Phase, last_line: Callable[[], str]) -> Step:
        clock = self._ctx.clock
        seconds = self._ctx.deadline(STEP_SECONDS)
        start = clock.monotonic()
        end = start + seconds
        while True:
            step = self._look()
            if step is not None:
                self._state = step.state
                said = last_line() if step.state == "RUNNING" else ""
                phase.update(f"{step.state}: {said[:_SHOWN]}" if said else step.state)
                if step.is_ended:
                    return step
            left = end - clock.monotonic()
            if left <= 0:
                raise WaitTimeout(
                    f"the step {self._id} is {self._state} after {seconds:.0f} s and goes on",
                    f"lofn-aws step wait {self._id}",
                )
            share = _SHARE * (clock.monotonic() - start)
            interval = min(_LAST_INTERVAL, max(_FIRST_INTERVAL, share))
            clock.sleep(min(left, interval * random.uniform(0.8, 1.2)))

    def _look(self) -> Step | None:
        """Describe the step; None while EMR does not answer."""
        try:
            step = self._ctx.emr.describe_step(self._cluster.id, self._id)
            if not step.is_ended and self._ctx.emr.cluster(self._cluster.id).is_ended:
                step = self._ctx.emr.describe_step(self._cluster.id, self._id)
                if not step.is_ended:
                    raise _ClusterEnded(
                        f"the cluster {self._cluster.id} ended while the step {self._id} was "
                        f"{step.state}",
                        "lofn-aws list",
                    )
        except _ClusterEnded:
            raise
        except (InfrastructureError, CapacityError):
            now = self._ctx.clock.monotonic()
            self._silent_since = now if self._silent_since is None else self._silent_since
            if now - self._silent_since > OUTAGE_SECONDS:
                raise
            return None
        self._silent_since = None
        return step


class _ClusterEnded(InfrastructureError):
    """Nothing more will happen to the step."""
