"""Steps: what is asked of EMR and what it tells about them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ActionOnFailure = Literal["CONTINUE", "CANCEL_AND_WAIT", "TERMINATE_CLUSTER"]

# Source: EMR API reference, StepStatus.State.
ACTIVE_STEP_STATES = ("PENDING", "CANCEL_PENDING", "RUNNING")
ENDED_STEP_STATES = ("COMPLETED", "CANCELLED", "FAILED", "INTERRUPTED")
COMMAND_RUNNER = "command-runner.jar"


@dataclass(frozen=True)
class StepSpec:
    """A step to add: a jar (EMR's command runner unless said otherwise) and its arguments."""

    name: str
    args: tuple[str, ...]
    jar: str = COMMAND_RUNNER
    action_on_failure: ActionOnFailure = "CONTINUE"


@dataclass(frozen=True)
class Step:
    """One step of a cluster. Times are aware datetimes, None where EMR has none yet."""

    id: str
    name: str
    state: str
    args: tuple[str, ...] = ()
    jar: str = COMMAND_RUNNER
    action_on_failure: str = "CONTINUE"
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    reason: str = ""
    failure_reason: str = ""
    failure_message: str = ""
    failure_log: str = ""

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will happen to the step."""
        return self.state in ENDED_STEP_STATES

    @property
    def succeeded(self) -> bool:
        """Whether the step did what it was asked."""
        return self.state == "COMPLETED"


@dataclass(frozen=True)
class StepCancel:
    """EMR's answer to the wish to cancel one step: SUBMITTED, or FAILED with a reason."""

    id: str
    status: str
    reason: str
